"""Files as they come in: to a disk, hashed, never longer, never slower than is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool

from api.bodies import Body
from api.multipart import Parts
from api.verifier import Verifier
from ledger.adapters.scratch import Sink
from ledger.core.containers.jumbf import MAX_STORE
from ledger.errors import MalformedError, UsageError
from ledger.service.verify_job import STORE_TYPE
from ledger.service.verifying import Upload, suffix_of

_AT_ONCE = 1 << 20
"""Bytes that are written in one go."""
_FRAMING = 64 * 1024
"""What multipart adds to the files, at most."""


@asynccontextmanager
async def uploaded(body: Body, content_type: str, verifier: Verifier) -> AsyncIterator[Upload]:
    """Take the body's file for as long as the block runs.

    Raises ``request.malformed``, ``.too-large``, ``.slow``, ``.cut-short``, ``.no-space`` and ``file.empty``.
    """
    folder = await run_in_threadpool(verifier.scratch.folder)
    try:
        kind, options = parse_options_header(content_type)
        if kind == b"multipart/form-data":
            yield await _parts(body, folder, verifier, options.get(b"boundary", b""))
        else:
            yield await _body(body, folder, verifier, alone=kind == STORE_TYPE.encode())
    finally:
        await run_in_threadpool(verifier.scratch.discard, folder)


async def _body(body: Body, folder: Path, verifier: Verifier, *, alone: bool) -> Upload:
    limit = MAX_STORE if alone else verifier.settings.max_file_bytes
    sink = await run_in_threadpool(Sink, folder / "upload", limit)
    try:
        await _pour(body, verifier, limit, sink.write)
    finally:
        sink.close()
    return Upload(folder, sink.path.name, _digest(sink), "", alone=alone)


async def _parts(body: Body, folder: Path, verifier: Verifier, boundary: bytes) -> Upload:
    most = verifier.settings.max_file_bytes

    def open_sink(part: str, name: str) -> Sink:
        if part == "sidecar":
            return Sink(folder / "sidecar", MAX_STORE)
        return Sink(folder / f"upload{suffix_of(name)}", most)

    parts = Parts(boundary, ("file", "sidecar"), open_sink)
    try:
        await _pour(body, verifier, most + MAX_STORE + _FRAMING, parts.write)
        parts.finish()
    finally:
        parts.close()
    if "file" not in parts.sinks:
        raise MalformedError("request.malformed", "The body has no part “file”.")
    file, sidecar = parts.sinks["file"], parts.sinks.get("sidecar")
    if sidecar and not sidecar.size and not parts.file_names["sidecar"]:
        sidecar = None  # so a browser sends a field of a form in which nothing was chosen
    return Upload(
        folder,
        file.path.name,
        _digest(file),
        parts.file_names["file"],
        sidecar.path.name if sidecar else None,
    )


def _digest(sink: Sink) -> str:
    if not sink.size:
        raise UsageError("file.empty", "The file has no bytes.")
    return sink.sha256


async def _pour(body: Body, verifier: Verifier, limit: int, write: Callable[[bytes], None]) -> None:
    """Hand the body on in large pieces, in a thread: writing and hashing must not hold up the others."""
    if (body.length or 0) > limit:
        raise MalformedError("request.too-large", "The request is too long.", limit=limit)
    pace, loop, size, batch = verifier.pace, asyncio.get_running_loop(), 0, bytearray()
    began = loop.time()
    try:
        async with asyncio.timeout(pace.grace_seconds) as clock:
            while piece := await body.piece():
                size += len(piece)
                batch += piece
                if len(batch) >= _AT_ONCE:
                    await run_in_threadpool(write, bytes(batch))
                    batch.clear()
                allowed = pace.grace_seconds + size / pace.rate
                clock.reschedule(began + min(allowed, verifier.settings.upload_seconds))
    except TimeoutError:
        raise MalformedError("request.slow", "The body came too slowly.", rate=pace.rate) from None
    await run_in_threadpool(write, bytes(batch))
