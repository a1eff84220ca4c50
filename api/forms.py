"""What a form of a page sends: fields, and files, within limits. It is read only of whoever may send it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import PureWindowsPath
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.bodies import Body
from api.served import Production
from ledger.errors import MalformedError
from ledger.render.text import visible

MOST_TEXT = 65_536
"""Bytes of a form without files."""
MOST_FILES, MOST_BYTES = 12, 16 << 20
_FIELDS = 64
_TYPED = "application/x-www-form-urlencoded"
_SENT = "multipart/form-data"


async def _typed(request: Request, served: Production) -> FormData:
    body = Body(request)
    body.type_of(_TYPED)
    return fields_of(await body.whole(MOST_TEXT, served.intake.pace))


async def _sent(request: Request, served: Production) -> AsyncIterator[FormData]:
    body = Body(request)
    kind = body.type_of(_TYPED, _SENT)
    if kind == _TYPED:
        yield fields_of(await body.whole(MOST_TEXT, served.intake.pace))
        return
    with served.intake.room.part() as take:
        data = await body.whole(MOST_BYTES, served.intake.pace, take)

        async def stream() -> AsyncGenerator[bytes, None]:
            yield data

        parser = MultiPartParser(request.headers, stream(), max_files=MOST_FILES, max_fields=_FIELDS)
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise _malformed("is not multipart/form-data, or has too many parts") from error
        try:
            yield form
        finally:
            await form.close()


Typed = Annotated[FormData, Depends(_typed)]
"""The fields of a form."""
Sent = Annotated[FormData, Depends(_sent)]
"""The fields of a form that may bring files."""


def fields_of(body: bytes) -> FormData:
    """Return the fields of a form's body. Raises ``MalformedError("request.malformed")``."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError as error:
        raise _malformed("is no form of UTF-8 fields") from error
    return FormData([*pairs])


def text(form: FormData, name: str) -> str:
    """Return a field as pages show it: what is shown is what is meant. Empty where it is not there."""
    found = form.get(name, "")
    return visible(found.replace("\r\n", "\n")) if isinstance(found, str) else ""


def files(form: FormData, name: str) -> dict[str, bytes]:
    """Return the files of a field by their plain names. Raises ``MalformedError("request.malformed")``."""
    found: dict[str, bytes] = {}
    for item in form.getlist(name):
        if not isinstance(item, UploadFile) or not item.filename:
            continue  # a field for files that nobody chose one for
        plain = PureWindowsPath(item.filename).name  # it parts at both kinds of slashes
        if not plain.isprintable() or plain.startswith(".") or not 0 < len(plain.encode()) <= 200:
            raise _malformed("has a file whose name cannot be used")
        if plain in found:
            raise _malformed(f"has two files named {plain}")
        found[plain] = item.file.read()
    return found


def _malformed(problem: str) -> MalformedError:
    return MalformedError("request.malformed", f"The body {problem}.")
