"""How a log stands: the newest checkpoint, who vouches for it, what is kept, and how the log grew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ledger.core.checkpoint import MAX_SIZE, Checkpoint, parse_checkpoint
from ledger.core.cosignature import open_cosigned
from ledger.core.note import NoteVerifier, parse_note, verified_lines
from ledger.core.policy import Policy, Quorum
from ledger.errors import UsageError
from ledger.ports import CheckpointStore, Head
from ledger.service.log.public import PublicLog
from ledger.service.studio import Studio

MOST_BARS = 42
_WIDTHS = (1, 7, 28, 91, 364)
"""Days that one bar may stand for."""


class Vouched(NamedTuple):
    """A witness of the policy, and when it says that it saw this checkpoint; ``None``: it did not."""

    name: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest checkpoint of a log that has entries.

    ``keys`` are those of the log's keys that signed it; ``strangers`` are names in it whose keys are not
    known here, and count for nothing. Without a policy (``quorum`` is ``None``) nobody is asked to vouch.
    ``size`` is that of the log now; ``published`` whether the checkpoint is out.
    """

    note: bytes
    stated: Checkpoint
    keys: tuple[NoteVerifier, ...]
    witnesses: tuple[Vouched, ...]
    quorum: Quorum | None
    strangers: tuple[str, ...]
    size: int
    published: bool


def standing(studio: Studio, public: PublicLog, policy: Policy | None) -> Standing | None:
    """Return how the log stands; ``None`` for one without entries. Raises as ``PublicLog.checkpoint``."""
    head = checked_head(studio)
    if head is None:
        return None
    published = public.published()
    note = published or head.checkpoint
    asked = policy.witnesses if policy else ()
    stated, found = open_cosigned(note, studio.log.verifiers, [witness.verifier for witness in asked])
    times = {each.verifier: each.time for each in found}
    parsed = parse_note(note)
    keys = tuple(verifier for verifier, _ in verified_lines(parsed, studio.log.verifiers))
    known = {(key.name, key.key_id) for key in keys} | {(key.name, key.key_id) for key in times}
    return Standing(
        note,
        stated,
        keys,
        tuple(Vouched(each.name, _moment(times.get(each.verifier))) for each in asked),
        policy.evaluate(times.keys()) if policy else None,
        tuple(line.name for line in parsed.signatures if (line.name, line.key_id) not in known),
        head.size,
        published is not None,
    )


def checked_head(studio: Studio) -> Head | None:
    """Return the tip of the log; ``None`` for one without entries.

    A database that lost its entries is no such log: raises as ``Log.head``.
    """
    try:
        return studio.log.head()
    except UsageError as error:
        if error.code != "log.empty":
            raise
        return None


class Kept(NamedTuple):
    """A checkpoint that is kept: its size and root, and the names of those who signed it, unverified."""

    stated: Checkpoint
    names: tuple[str, ...]


def kept(checkpoints: CheckpointStore, before: int | None, limit: int) -> Sequence[Kept]:
    """Return checkpoints of sizes below ``before`` (``None``: all), the largest first, ``limit`` at most."""
    notes = checkpoints.below(MAX_SIZE if before is None else before, limit)
    found = [(parse_checkpoint(note), parse_note(note)) for note in notes]
    return [Kept(stated, tuple(line.name for line in note.signatures)) for stated, note in found]


class Bar(NamedTuple):
    """The entries that came on some days, the first of which is ``day``."""

    day: datetime
    entries: int


class Growth(NamedTuple):
    """How a log grew: bars of ``days`` days each, without a gap, the last one up to now."""

    days: int
    bars: tuple[Bar, ...]


def growth(studio: Studio, now: datetime) -> Growth | None:
    """Return how the log grew until ``now``, by days of UTC; ``None`` for a log without entries."""
    size, received = studio.entries.head().size, studio.rows.received(0)
    if received is None:
        return None
    first = received.replace(hour=0, minute=0, second=0, microsecond=0)
    whole = max(now - first, timedelta(0)).days + 1
    days = next((days for days in _WIDTHS if whole <= days * MOST_BARS), -(-whole // MOST_BARS))
    starts = [first + timedelta(days=days * number) for number in range(-(-whole // days))]
    edges = [0, *studio.rows.firsts_since(starts[1:]), size]
    return Growth(days, tuple(Bar(start, edges[n + 1] - edges[n]) for n, start in enumerate(starts)))


def _moment(seconds: int | None) -> datetime | None:
    """Return a cosignature's time; one beyond what a calendar holds is its end."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(min(seconds, _END), UTC)


_END = int(datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp())
