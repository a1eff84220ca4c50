"""What the log knows of its devices' own chains: what is missing, what came late, what was told twice.

* A number below the newest that the log does not have is a gap: a record that was not sent yet, or was taken
  away. Only the device can fill it.
* Two entries of one number are two histories of one device: a copied key, or a folder that was lost.
* An entry is late when it came more than ``LATE`` after it was captured. That is legal: a laptop was away.
* ``check`` reads the entries themselves: does each name the one before?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from typing import Any

from ledger.core.predicates import Captured, LostRecord
from ledger.ports import ChainRow
from ledger.service.log.keys import history
from ledger.service.studio import Studio

LATE = timedelta(hours=1)


@dataclass(slots=True)
class DeviceChain:
    """One device's chain in the log. Ranges of numbers include both ends; times are RFC 3339, UTC."""

    device: str
    keyid: str
    records: int = 0
    newest: int = -1
    missing: list[tuple[int, int]] = field(default_factory=list)
    forks: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    late: int = 0
    late_by: timedelta = timedelta(0)
    captured: str = ""
    received: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing is missing, told twice or out of joint."""
        return not (self.missing or self.forks or self.broken or self.lost)

    @property
    def captured_at(self) -> datetime:
        """When the newest record was made."""
        return _moment(self.captured)

    @property
    def received_at(self) -> datetime:
        """When the last record came in."""
        return _moment(self.received)

    def to_json(self) -> dict[str, Any]:
        """Return the members of the JSON answer."""
        return {
            "device": self.device,
            "keyid": self.keyid,
            "records": self.records,
            "missing": [{"first": first, "last": last} for first, last in self.missing],
            "forks": self.forks,
            "broken": self.broken,
            "lost": self.lost,
            "late": self.late,
            "lateBySeconds": int(self.late_by.total_seconds()),
            "captured": self.captured,
            "received": self.received,
        }

    def add(self, row: ChainRow) -> None:
        """Take in the next record, in the order of numbers."""
        self.records += 1
        if row.sequence == self.newest:
            self.forks.append(row.sequence)
        elif row.sequence > self.newest + 1:
            self.missing.append((self.newest + 1, row.sequence - 1))
        self.newest = row.sequence
        self.captured, self.received = max(self.captured, row.captured), max(self.received, row.received)
        by = _moment(row.received) - _moment(row.captured)
        if by > LATE:
            self.late, self.late_by = self.late + 1, max(self.late_by, by)


def chains(studio: Studio, *, check: bool = False) -> list[DeviceChain]:
    """Return the chain of every device that has one, by name. ``check`` reads every entry."""
    names = {item.keyid: item.device for item in history(studio)}
    lost = {row.index for row in studio.entries.statements(LostRecord.TYPE)}
    found = []
    for keyid, rows in groupby(studio.entries.chains(), key=lambda row: row.keyid):
        chain = DeviceChain(names.get(keyid, "unknown"), keyid)
        for row in _checked(studio, chain, rows) if check else rows:
            chain.add(row)
            if row.index in lost:
                chain.lost.append(row.index)
        found.append(chain)
    return sorted(found, key=lambda chain: (chain.device, chain.keyid))


def _checked(studio: Studio, chain: DeviceChain, rows: Iterator[ChainRow]) -> Iterator[ChainRow]:
    """Yield the rows; a record that does not name the one before goes into ``broken``."""
    before: dict[int, set[str]] = {}
    for row in rows:
        data = studio.entries.envelope(row.index)
        predicate = studio.statement(row.index).predicate
        capture = predicate.capture if isinstance(predicate, Captured) else None
        known = before.get(row.sequence - 1)
        if capture is not None and known is not None and capture.previous not in known:
            chain.broken.append(row.index)
        before = {number: kept for number, kept in before.items() if number >= row.sequence - 1}
        before.setdefault(row.sequence, set()).add(sha256(data).hexdigest())
        yield row


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
