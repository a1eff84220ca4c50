"""What hangs on a thing, for somebody who is about to decide about it, as `rakkan impact` has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ledger.core.rights.profile import Profile
from ledger.errors import RakkanError
from ledger.service.clear.question import Asked
from ledger.service.reading.clearances import Supposed, impact, one_of_few
from ledger.service.studio import Studio

MOST_SHOTS = 40
_UNKNOWN = {"clear.unknown-thing", "clear.no-grant"}
_KINDS = ("dataset:", "model:", "service:", "sha256:")


@dataclass(frozen=True, slots=True)
class AtStake:
    """``shots`` are those with most files, by name; ``others`` counts the rest.

    ``moves`` are final files by the verdict now and the one then, where an end was supposed. ``state`` is
    ``known``, ``unknown`` where nothing on record has this name, or ``later`` where it cannot be said now.
    """

    state: str
    finals: int = 0
    shots: dict[str, int] = field(default_factory=dict)
    others: int = 0
    moves: tuple[tuple[str, str, int], ...] = ()


def at_stake(
    studio: Studio, thing: str, ends: datetime | None = None, policy: Profile | None = None
) -> AtStake:
    """Return what rests on a thing; with ``ends`` and ``policy``, what the end of its grants would change.

    That is asked for the moment when they would have ended, or for now if that is over.
    """
    name = next((thing.removeprefix(kind) for kind in _KINDS if thing.startswith(kind)), thing)
    supposed = None
    if ends is not None and policy is not None:
        supposed = Supposed(ends, policy, Asked(at=max(ends, studio.clock.now())))
    try:
        with one_of_few():
            found = impact(studio, name, None, supposed)
    except RakkanError as error:
        return AtStake("unknown" if error.code in _UNKNOWN else "later")
    shots = sorted(found["shots"].items(), key=lambda item: (-item[1], item[0]))
    moves = found.get("ifRevoked", {}).get("moves", [])
    return AtStake(
        "known",
        found["finals"],
        dict(sorted(shots[:MOST_SHOTS])),
        max(0, len(shots) - MOST_SHOTS),
        tuple((move["from"], move["to"], move["finals"]) for move in moves),
    )
