"""Try a draft of a policy on the whole production, beside another one or the verdicts on record.

Nothing is signed or appended: what a draft would say is no verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.core.predicates.reasons import Verdict
from ledger.core.rights.profile import Profile
from ledger.service.clear.clear import Cleared, clear, tally
from ledger.service.clear.places import WHOLE
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.clear.targets import resolve
from ledger.service.clear.verdicts import History
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Trial:
    """``moves`` counts files by the verdict that they have ``against`` and under the draft, now.

    Files without a verdict on record count under ``None``. ``against`` is a profile's name, or ``None``.
    """

    cleared: Cleared
    against: str | None
    moves: Mapping[tuple[Verdict | None, Verdict], int]

    @property
    def different(self) -> int:
        """Return how many files have another verdict under the draft."""
        return sum(count for (before, after), count in self.moves.items() if before not in (None, after))

    def to_json(self) -> dict[str, Any]:
        """Return the document: as of ``clear``, and what differs."""
        moves = [
            {"against": before.value if before else None, "draft": after.value, "files": count}
            for (before, after), count in self.moves.items()
        ]
        return {
            **self.cleared.to_json(),
            "counts": tally(item.now for item in self.cleared.by_file.values()),
            "against": self.against,
            "different": self.different,
            "moves": moves,
        }


def try_profile(studio: Studio, draft: Profile, other: Profile | None) -> Trial:
    """Return what a draft says of every final file, and what another profile or the record says."""
    seen = see(studio)
    targets = resolve(studio, [WHOLE])
    cleared = clear(clearer_over(seen, ask(studio, draft, Asked())), targets)
    if other is None:
        held = _recorded(studio, cleared.by_file)
    else:
        beside = clear(clearer_over(seen, ask(studio, other, Asked())), targets).by_file
        held = {sha256: clearance.now.verdict for sha256, clearance in beside.items()}
    moves = Counter(
        (held.get(sha256), clearance.now.verdict) for sha256, clearance in cleared.by_file.items()
    )
    in_order = dict(sorted(moves.items(), key=lambda item: (item[0][0] or "", item[0][1])))
    return Trial(cleared, other.name if other else None, in_order)


def _recorded(studio: Studio, files: Iterable[str]) -> dict[str, Verdict]:
    """Return the newest verdict on record of each file that has one, whatever policy it is by."""
    history = History(studio)
    found = {sha256: history.about(sha256) for sha256 in files}
    return {sha256: recorded.verdict.now.verdict for sha256, recorded in found.items() if recorded}
