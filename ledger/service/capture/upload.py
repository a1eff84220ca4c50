"""The forms in which entries come over the wire, cut into the exact bytes that were signed.

* An envelope inside something else is cut out of it byte for byte: a leaf is what its signer made, never what
  a parser made of it (docs/spec/entry.md).
* Sizes come first. What is too long for an entry is not kept while the rest of it arrives.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from ledger.core.envelope import MAX_BYTES
from ledger.errors import MalformedError
from ledger.service.log.sequencer import MAX_WAITING, MAX_WAITING_BYTES

MAX_ENTRIES = 1_000
"""In one request that is answered with one document."""
MAX_BODY = 16 << 20
"""Bytes of such a request."""

_BATCH = re.compile(r'\s*\{\s*"entries"\s*:\s*\[\s*', re.ASCII)
_COMMA = re.compile(r"\s*,\s*", re.ASCII)
_END = re.compile(r"\s*\]\s*\}\s*", re.ASCII)
_scan = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """``[intake]``: how much of what devices bring each process holds."""

    max_waiting: Annotated[int, "entries that wait for a commit, for each production"] = MAX_WAITING
    max_waiting_bytes: Annotated[int, "bytes of those entries"] = MAX_WAITING_BYTES
    max_bulk_bytes: Annotated[int, "bytes of batches while they are read, over all connections"] = 128 << 20


@dataclass(frozen=True, slots=True)
class Pace:
    """``[pace]``: how fast a body has to arrive."""

    grace_seconds: Annotated[float, "how long a body may take before its speed counts"] = 10.0
    rate: Annotated[int, "the lowest speed of a body after that, in bytes a second"] = 65_536
    idle_seconds: Annotated[float, "how long a stream may take from one whole line to the next"] = 30.0


def lines_of(body: bytes) -> list[bytes]:
    """Return the lines of NDJSON. Raises ``MalformedError("capture.body")`` for too many or none."""
    return _counted([line for line in body.split(b"\n") if line])


def is_batch(body: bytes) -> bool:
    """Whether this JSON begins as a batch does; else it may be an envelope."""
    return _BATCH.match(body[:256].decode(errors="replace")) is not None


def batch_of(body: bytes) -> list[bytes]:
    """Return the envelopes of ``{"entries": [envelope, …]}``, each as its bytes stand in the body.

    Raises ``MalformedError("capture.body")`` for another document, and for too many envelopes or none.
    """
    try:
        items = [item.encode() for item in _cut(body.decode())]
    except (ValueError, RecursionError) as error:
        raise MalformedError("capture.body", 'This is not {"entries": [envelope, …]}.') from error
    return _counted(items)


def _cut(text: str) -> Iterator[str]:
    """Yield the items of the array as they are spelled. Raises ``ValueError`` for another document."""
    mark = _BATCH.match(text)
    if mark is None or _END.fullmatch(text, mark.end()):
        raise ValueError("no batch, or an empty one")
    while mark is not None:
        _, stop = _scan(text, mark.end())
        yield text[mark.end() : stop]
        if _END.fullmatch(text, stop):
            return
        mark = _COMMA.match(text, stop)
    raise ValueError("no end")


class Lines:
    """NDJSON that arrives in pieces, of any length: holds at most one line that is not complete."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the lines that this piece completes, without empty ones.

        Of a line that is longer than an entry can be, only as much is returned as shows that it is.
        """
        *ended, begun = piece.split(b"\n")
        lines = []
        for part in ended:
            self._add(part)
            lines.append(bytes(self._begun))
            self._begun.clear()
        self._add(begun)
        return [line for line in lines if line]

    def end(self) -> list[bytes]:
        """Return the last line, where no line break ended it."""
        return self.feed(b"\n")

    def _add(self, part: bytes) -> None:
        self._begun += part[: MAX_BYTES + 1 - len(self._begun)]


def _counted(items: list[bytes]) -> list[bytes]:
    if not 0 < len(items) <= MAX_ENTRIES:
        words = f"This is not 1 to {MAX_ENTRIES:,} entries."
        raise MalformedError("capture.body", words, entries=len(items), limit=MAX_ENTRIES)
    return items
