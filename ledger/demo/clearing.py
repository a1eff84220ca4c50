"""What is asked about rights: what may be delivered, what may not, what hangs on a licence, whose work is in.

* The cut is cleared under a strict policy and under a broadcaster's, and the verdicts are recorded.
* The picture made with a model that has no papers is asked about in the same way, and blocked.
* What a revocation would do is calculated; nothing of it is signed.
* Two rights holders ask whether a picture of theirs is in the training data. Both get a proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from ledger.adapters.profiles import load
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.reasons import Severity, Verdict
from ledger.core.rights.inventory_proof import format_proof, verify
from ledger.core.rights.profile import Profile
from ledger.demo import cast
from ledger.demo.narrator import Narrator
from ledger.demo.page.rights import Inquiry, OnRecord, Rights
from ledger.demo.painter.works import VALLEY, paint
from ledger.demo.production import Production
from ledger.render.words import counted, day
from ledger.service.clear.clear import Cleared, clear
from ledger.service.clear.impact import WhatIf, find_thing, impact, what_if
from ledger.service.clear.question import Asked, Clearer, ask, clearer_over, see
from ledger.service.clear.recorded import Target
from ledger.service.clear.targets import resolve
from ledger.service.clear.verdicts import History, plan, record
from ledger.service.clear.why import Why, why
from ledger.service.inventory.index import Index, key_of, open_index
from ledger.service.studio import Device

TAKEN_BACK = timedelta(days=10)
"""How far back the revocation reaches that somebody supposes: to before the training."""
OF_THE_SET = 3
"""Which of the six works its rights holder asks about, counted from 0."""


def as_expected(found: Rights) -> bool:
    """Whether every answer is the one that it must be."""
    delivered = [
        side for item in found.delivered for side in (item.cleared.whole.then, item.cleared.whole.now)
    ]
    return (
        all(side.cleared and side.grade is Grade.L4 for side in delivered)
        and found.refused.cleared.whole.now.verdict is Verdict.BLOCKED
        and {after for _, after in found.supposed.moves} == {Verdict.BLOCKED}
        and [item.shown.index is not None for item in found.inquiries] == [True, False]
    )


class Clearing:
    """Asks, tells the answers, and keeps them for the page."""

    def __init__(self, production: Production, registrar: Device, tell: Narrator) -> None:
        self._production, self._studio = production, production.studio
        self._registrar, self._tell = registrar, tell
        self._delivered: tuple[OnRecord, ...] = ()

    def deliver(self, paths: Sequence[Path]) -> None:
        """Clear the files that are to be delivered under both policies, and record the verdicts."""
        self._tell.chapter("May it be delivered? For every recorded use, is there a grant?")
        self._delivered = tuple(self._deliver(load(name), paths) for name in cast.POLICIES)

    def answer(self, refused: Path) -> Rights:
        """Ask about the picture without papers, about a revocation and about two works; return it all."""
        self._tell.chapter("What a licence is worth")
        return Rights(
            delivered=self._delivered,
            refused=self._refuse(refused),
            refused_path=refused.relative_to(self._production.folders.root).as_posix(),
            supposed=self._suppose(),
            inquiries=self._inquire(),
        )

    def _clearer(self, profile: Profile) -> Clearer:
        return clearer_over(see(self._studio), ask(self._studio, profile, Asked()))

    def _resolved(self, paths: Iterable[Path]) -> tuple[Target, ...]:
        return resolve(self._studio, map(str, paths))

    def _record(self, found: Cleared) -> OnRecord:
        planned = plan(self._studio, found.clearer, found.groups, History(self._studio)).planned
        entries = record(self._studio, self._registrar, found.question.profile, planned)
        return OnRecord(found, entries)

    def _deliver(self, profile: Profile, paths: Sequence[Path]) -> OnRecord:
        clearer = self._clearer(profile)
        done = self._record(clear(clearer, self._resolved(paths)))
        whole = done.cleared.whole
        files = counted(len(done.cleared.by_file), "file")
        self._tell.verdict(
            f"{profile.name}: {files} {whole.then.verdict.value} when made, {whole.now.verdict.value} now, "
            f"grade {whole.now.grade.name}; log entry {done.entries[0]}",
            good=whole.now.cleared,
        )
        return done

    def _refuse(self, path: Path) -> Why:
        clearer = self._clearer(load(cast.POLICIES[0]))
        found = why(self._studio, clearer, self._resolved([path]))
        self._record(found.cleared)
        answer = found.cleared.whole.now
        self._tell.verdict(
            f"{path.name}, under {cast.POLICIES[0]}: {answer.verdict.value}, grade {answer.grade.name}",
            good=answer.verdict is Verdict.BLOCKED,
        )
        loud = {item.code: item for item in answer.reasons if item.severity is Severity.BLOCKED}
        for reason in sorted(loud.values(), key=lambda item: not item.path):
            self._tell.line(f"  {reason.code}: {reason.meaning}")
        return found

    def _suppose(self) -> WhatIf:
        """Calculate what would be, had the licence been revoked before the training."""
        seen = see(self._studio)
        question = ask(self._studio, load(cast.POLICIES[0]), Asked())
        thing = find_thing(self._studio, seen.facts, cast.GRANT)
        midnight = question.at.replace(hour=0, minute=0, second=0, microsecond=0)
        found = what_if(
            self._studio, seen, question, impact(self._studio, seen, thing), midnight - TAKEN_BACK
        )
        total = sum(found.moves.values())
        blocked = sum(count for (_, after), count in found.moves.items() if after is Verdict.BLOCKED)
        self._tell.line(
            f"if {cast.GRANT} were revoked with effect from {day(found.effective)}, "
            f"{blocked} of {counted(total, 'final file')} would be blocked (nothing was signed)"
        )
        return found

    def _inquire(self) -> tuple[Inquiry, ...]:
        """Answer two rights holders: one whose work was trained on, and one whose work was not."""
        folder = self._production.folders.proofs
        folder.mkdir()
        foreign = folder / "valley.png"
        paint(VALLEY, foreign)
        materials = self._production.materials
        with open_index(materials.index) as index:
            return (
                self._prove(index, materials.works[OF_THE_SET], listed=True),
                self._prove(index, foreign, listed=False),
            )

    def _prove(self, index: Index, picture: Path, *, listed: bool) -> Inquiry:
        """Write the proof, and tell whether it shows what it must: whether the picture is ``listed``."""
        proof = index.prove(key_of(str(picture)))
        target = self._production.folders.proofs / f"{picture.stem}.json"
        target.write_bytes(format_proof(proof))
        shown = verify(proof)
        name = VALLEY.title if shown.index is None else index.record(proof).work
        root = self._production.folders.root
        found = Inquiry(name, picture, target.relative_to(root).as_posix(), target.stat().st_size, shown)
        self._tell.verdict(
            f"“{name}”, is it in {cast.DATASET}? {found.answer}", good=listed == (shown.index is not None)
        )
        return found
