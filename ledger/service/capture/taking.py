"""The log's side of an upload: entries from devices that made and signed them elsewhere.

* An entry proves by itself who made it: the admission asks for the signature of an enrolled key. So whoever
  delivers it needs no account, and a stranger can add nothing.
* Each entry has its own answer. Sent again, it keeps its first index.
* An opening is taken only for a commitment that stands in the entry: nobody can fill the table with others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ledger.core.disclosure import open_disclosure
from ledger.core.receipt import format_receipt
from ledger.errors import MalformedError, RakkanError, UsageError
from ledger.service.capture.store import Receipted
from ledger.service.log.sequence import Appended, Offer
from ledger.service.studio import Studio


class OwnLog:
    """The way to a log that is on this machine. Implements ``store.Uplink``."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def send(self, envelopes: Sequence[bytes]) -> Sequence[Receipted | RakkanError]:
        """Add the entries and return what became of each. Raises what ``Log.commit`` raises."""
        log = self._studio.log
        offers: list[Offer | RakkanError] = []
        for envelope in envelopes:
            try:
                offers.append(log.offer(envelope))
            except RakkanError as error:
                offers.append(error)
        outcomes = iter(log.commit([item for item in offers if isinstance(item, Offer)]))
        found = [next(outcomes) if isinstance(item, Offer) else item for item in offers]
        return [_receipted(item) if isinstance(item, Appended) else item for item in found]

    def share(self, openings: Mapping[int, Mapping[str, str]]) -> None:
        """Keep the openings, durable on return."""
        for found in openings.values():
            self._studio.openings.put(found)


def take_openings(studio: Studio, lines: Sequence[bytes]) -> int:
    """Keep the openings of entries' commitments, durable on return; return how many.

    Each line is ``{"entry": index, "disclosures": [text]}``. Raises ``MalformedError("capture.opening")`` and
    ``log.no-such-entry``; then none was kept.
    """
    found: dict[str, str] = {}
    for line in lines:
        index, texts = _read_openings(line)
        if index >= studio.entries.head().size:
            raise UsageError("log.no-such-entry", "The log has no such entry.", index=index)
        committed = getattr(studio.statement(index).predicate, "commitments", ())
        for text in texts:
            try:
                opened = open_disclosure(text, committed)
            except RakkanError as error:
                raise MalformedError("capture.opening", error.message, index=index) from error
            found[opened.digest] = opened.text
    studio.openings.put(found)
    return len(found)


def _receipted(appended: Appended) -> Receipted:
    return Receipted(appended.index, format_receipt(appended.receipt))


def _read_openings(line: bytes) -> tuple[int, list[str]]:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MalformedError("capture.opening", "A line is not JSON.") from error
    match value:
        case {"entry": int(index), "disclosures": list(texts)} if index >= 0:
            if all(isinstance(text, str) for text in texts):
                return index, texts
    raise MalformedError("capture.opening", "A line is no entry with its disclosures.")
