"""Bodies that are not held in memory: files that are sent (multipart/form-data), events that come (SSE)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.service.files import reading_errors

_READ = 1 << 20


class Parts:
    """Files as a multipart form. Their names stay here; what is left is the ending, which tells the format.

    Raises ``UsageError("file.…")``. May be read several times.
    """

    def __init__(self, files: Sequence[tuple[str, Path]]) -> None:
        boundary = secrets.token_hex(16)
        self.media_type = f"multipart/form-data; boundary={boundary}"
        self._end = f"\r\n--{boundary}--\r\n".encode()
        self._parts: list[tuple[bytes, Path, int]] = []
        for number, (name, path) in enumerate(files):
            suffix = path.suffix if path.suffix.isascii() and path.suffix[1:].isalnum() else ""
            head = ("\r\n" if number else "") + (
                f"--{boundary}\r\nContent-Disposition: form-data; "
                f'name="{name}"; filename="{name}{suffix}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            )
            with reading_errors(path):
                self._parts.append((head.encode(), path, path.stat().st_size))

    def __len__(self) -> int:
        return len(self._end) + sum(len(head) + size for head, _, size in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        for head, path, size in self._parts:
            yield head
            left = size
            with path.open("rb") as file:
                while left and (piece := file.read(min(_READ, left))):
                    left -= len(piece)
                    yield piece
            if left:
                raise OSError(f"{path} became shorter while it was sent")
        yield self._end


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a log, by the index of its entry. ``data`` is ``None`` for a mere place to go on from."""

    index: int
    data: dict[str, Any] | None


def events(lines: Iterator[bytes]) -> Iterator[Event]:
    """Yield the events of a stream (the HTML standard, server-sent events). What is none is passed over."""
    index, data = b"", b""
    for line in lines:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"id":
            index = value
        elif field == b"data":
            data = data + b"\n" + value if data else value
        elif not line:
            if index.isdigit() and len(index) < 20:
                yield Event(int(index), _object(data))
            index, data = b"", b""


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data) if data else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
