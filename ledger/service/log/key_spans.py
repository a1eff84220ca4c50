"""Every key that a log has known: from which entry to which it counts, and when it was to be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger.service.log.keys import Keys

LOG = "log"


@dataclass(frozen=True, slots=True)
class KeySpan:
    """A key counts for entries after ``since`` (``None``: the trust root names it) and before ``ended``.

    ``role`` is ``log``, ``registrar`` or ``device``. Entries from ``suspect_from`` on may be somebody else's.
    The days of validity are those of its newest enrolment.
    """

    keyid: str
    role: str
    device: str
    since: int | None
    ended: int | None
    suspect_from: int | None
    valid_from: datetime | None
    valid_until: datetime | None


def key_spans(keys: Keys) -> tuple[list[KeySpan], int]:
    """Return every key in the order in which they came, and the log's size."""
    history, size = keys.now()
    found = [
        KeySpan(
            record.key.keyid,
            record.role.value if record.role else LOG,
            record.device,
            record.index,
            ended,
            history.suspect_from(record.key.keyid),
            record.valid_from,
            record.valid_until,
        )
        for record, ended in history.states()
    ]
    return found, size
