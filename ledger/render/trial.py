"""What a draft of a policy would say, and what would differ, in plain lines; see ``clearance``."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.render.clearance import cleared
from ledger.render.reasons import TONES, WORDS, Line
from ledger.render.words import counted
from ledger.service.clear.trial import Trial


def tried(found: Trial) -> Iterator[Line]:
    """Yield the answer by the draft, and the differences."""
    yield from cleared(found.cleared)
    yield "", ""
    against = found.against or "the verdicts on record"
    files = counted(len(found.cleared.by_file), "file")
    yield f"Against {against}: {found.different:,} of {files} differ.", "head"
    for (before, after), count in found.moves.items():
        if before is None:
            yield f"  {counted(count, 'file')} without a verdict on record: {WORDS[after]}", "dim"
        elif before is not after:
            yield (
                f"  {counted(count, 'file')} {WORDS[before]} there: {WORDS[after]} by the draft",
                TONES[after],
            )
    yield "Nothing was signed. This is a trial, not a verdict.", "dim"
