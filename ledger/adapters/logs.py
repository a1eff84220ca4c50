"""What the service writes to standard error: one line for each event, without secrets.

* A line is JSON, or plain for a person at a terminal. Its members come from us: ``event`` is a fixed text,
  the rest are names, numbers and codes.
* An exception is shown as its type and the places it came through, never its message or a local value: those
  can quote a request.
* Control characters are escaped: nobody can write a line that is not theirs.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

_PACKAGES = str(Path(__file__).resolve().parents[2])
_NOT_OURS = {"uvicorn.error": logging.WARNING, "uvicorn.access": logging.CRITICAL}
Form = Literal["auto", "json", "plain"]


def configure(form: Form) -> None:
    """Write every log line of this process to standard error in this form, ours from INFO on."""
    plain = form == "plain" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(plain=plain))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("rakkan").setLevel(logging.INFO)
    for name, level in _NOT_OURS.items():
        logging.getLogger(name).setLevel(level)


class Lines(logging.Formatter):
    """Makes one line of a record. Members come with ``extra={"members": {…}}``."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self._plain = plain

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, ASCII without control characters."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        document: dict[str, Any] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "members", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            document["exception"] = list(places(record.exc_info[1]))
        if not self._plain:
            return json.dumps(document)
        head = f"{document.pop('time')[11:]} {document.pop('level'):<7} {document.pop('event')}"
        document.pop("logger")
        rest = " ".join(f"{name}={value}" for name, value in document.items() if name != "exception")
        text = f"{head} {rest}".rstrip().encode("unicode_escape").decode()
        return "\n    ".join([text, *document.get("exception", [])])


def places(error: BaseException) -> Iterator[str]:
    """Yield the type of an exception and each place it came through, then those of what caused it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        kind = type(current)
        yield f"{'caused by ' if len(seen) > 1 else ''}{kind.__module__}.{kind.__qualname__}"
        for frame in traceback.extract_tb(current.__traceback__):
            name = frame.filename.removeprefix(_PACKAGES).lstrip("/")
            yield f"  {name}:{frame.lineno} {frame.name}"
        current = current.__cause__ or current.__context__
