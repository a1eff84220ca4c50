"""A file of a report, as it is sent: whole, or the part that a download still lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from ledger.errors import UsageError
from ledger.service.report.jobs import Result

FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file; its ETag is its SHA-256.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    206: {"description": "The part that `Range` asks for."},
    304: {"description": "The caller has it already."},
    416: {"description": "There is no such part."},
}
_KINDS = {
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".zip": "application/zip",
    ".jpg": "image/jpeg",
}


def sent(request: Request, folder: Path, file: Result) -> Response:
    """Return the answer with a file of this folder, to be kept, and never shown as a page of this server.

    Raises ``UsageError("report.no-such-file")`` for one that was removed just now.
    """
    path = folder / file.name
    tag = f'"{file.sha256}"'
    headers = {
        "ETag": tag,
        # A download that is taken up after the report was removed must not be answered by a cache.
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    if tag in {item.strip() for item in request.headers.get("if-none-match", "").split(",")}:
        return Response(status_code=304, headers=headers)
    try:
        found = path.stat()
    except FileNotFoundError:
        raise UsageError("report.no-such-file", "The file was removed just now.", name=file.name) from None
    kind = _KINDS.get(path.suffix, "application/octet-stream")
    return FileResponse(path, headers=headers, media_type=kind, filename=path.name, stat_result=found)
