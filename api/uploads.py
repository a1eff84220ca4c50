"""Bodies as they come in: to a file, hashed, never longer, never slower than is allowed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from api.multipart import Parts
from ledger.adapters.scratch import Scratch, Sink
from ledger.core.containers.jumbf import MAX_STORE
from ledger.errors import MalformedError, RefusedError, UsageError
from ledger.service.verify_job import STORE_TYPE
from ledger.service.verifying import Upload, suffix_of
from ledger.wiring.apart import VerifySettings

_AT_ONCE = 1 << 20
"""Bytes that are written in one go."""
_FRAMING = 64 * 1024
"""What multipart adds to the files, at most."""


@asynccontextmanager
async def uploaded(request: Request, scratch: Scratch, settings: VerifySettings) -> AsyncIterator[Upload]:
    """Take the request's file for as long as the block runs.

    Raises ``request.malformed``, ``.too-large``, ``.too-slow``, ``.no-space`` and ``file.empty``.
    """
    folder = await run_in_threadpool(scratch.folder)
    try:
        kind, options = parse_options_header(request.headers.get("content-type"))
        if kind == b"multipart/form-data":
            yield await _parts(request, folder, settings, options.get(b"boundary", b""))
        else:
            yield await _body(request, folder, settings, alone=kind == STORE_TYPE.encode())
    finally:
        await run_in_threadpool(scratch.discard, folder)


async def body_of(request: Request, limit: int, settings: VerifySettings) -> bytes:
    """Return a small body. Raises ``request.too-large`` and ``request.too-slow``."""
    body = bytearray()

    def add(data: bytes) -> None:
        if len(body) + len(data) > limit:
            raise MalformedError("request.too-large", "The request is too long.", limit=limit)
        body.extend(data)

    await _pour(request, settings, limit, add)
    return bytes(body)


async def _body(request: Request, folder: Path, settings: VerifySettings, *, alone: bool) -> Upload:
    limit = MAX_STORE if alone else settings.max_file
    sink = await run_in_threadpool(Sink, folder / "upload", limit)
    try:
        await _pour(request, settings, limit, sink.write)
    finally:
        sink.close()
    return Upload(folder, sink.path.name, _digest(sink), "", alone=alone)


async def _parts(request: Request, folder: Path, settings: VerifySettings, boundary: bytes) -> Upload:
    def open_sink(part: str, name: str) -> Sink:
        if part == "sidecar":
            return Sink(folder / "sidecar", MAX_STORE)
        return Sink(folder / f"upload{suffix_of(name)}", settings.max_file)

    parts = Parts(boundary, ("file", "sidecar"), open_sink)
    try:
        await _pour(request, settings, settings.max_file + MAX_STORE + _FRAMING, parts.write)
        parts.finish()
    finally:
        parts.close()
    if "file" not in parts.sinks:
        raise MalformedError("request.malformed", "The body has no part “file”.")
    file, sidecar = parts.sinks["file"], parts.sinks.get("sidecar")
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


async def _pour(
    request: Request, settings: VerifySettings, limit: int, write: Callable[[bytes], None]
) -> None:
    promised = request.headers.get("content-length", "0")
    if promised.isdecimal() and int(promised) > limit:
        raise MalformedError("request.too-large", "The request is too long.", limit=limit)
    stream, batch = aiter(request.stream()), bytearray()
    try:
        async with asyncio.timeout(settings.upload_seconds):
            while True:
                async with asyncio.timeout(settings.idle_seconds):
                    piece = await anext(stream, None)
                if piece is None:
                    break
                batch += piece
                if len(batch) >= _AT_ONCE:
                    await run_in_threadpool(write, bytes(batch))
                    batch.clear()
            await run_in_threadpool(write, bytes(batch))
    except TimeoutError as error:
        raise RefusedError("request.too-slow", "The body came too slowly.") from error
    except ClientDisconnect as error:
        raise MalformedError("request.malformed", "The body ended in the middle.") from error
