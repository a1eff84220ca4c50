"""Bases of random records in random order, against a definition that knows neither order nor batches.

The records are mostly nonsense: files made of each other, sealed in circles, found fault with before anybody
made them. Nothing is looked up or kept here: each question is answered by walking over all the records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import Finding, Predicate, Seal, Step
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.predicates.step import Evidence, Place, StepAction
from ledger.core.rights.basis import (
    TIMELESS,
    Item,
    ItemKind,
    finding_item,
    guides,
    is_lineage,
    own_items,
    unexplained,
)
from ledger.core.statement import Statement
from ledger.service.clear.batch import Taken
from ledger.service.clear.store import Where
from ledger.testing import MemoryEntryStore
from ledger.testing.bases import MemoryBasisStore
from tests.support.bases import SEALED, bases, hold, items_of, projector
from tests.support.builders import NOW, digest, model, step

WORDS = [f"file {n}" for n in range(7)]
PLACELESS = Place("nightfall")
words = st.sampled_from(WORDS)
pictures = st.none() | st.sampled_from([digest(f"picture {n}") for n in range(3)])
named = st.builds(
    lambda word, mark, pixels: Artifact(word + mark, digest(word), pixels=pixels),
    words,
    st.sampled_from(["", " renamed"]),
    pictures,
)
several = st.lists(named, min_size=1, max_size=2, unique_by=lambda item: item.name).map(tuple)
materials = st.builds(lambda item, role: replace(item, role=role), named, st.sampled_from(Role))
steps = st.builds(
    lambda of, evidence, action, place: step(
        materials=tuple(of), evidence=evidence, action=action, place=place
    ),
    st.lists(materials, max_size=3),
    st.sampled_from([Evidence.OBSERVED, Evidence.DECLARED]),
    st.sampled_from([StepAction.IMPORT, StepAction.EDIT]),
    st.sampled_from(
        [
            Place("nightfall", "sq010", "sh0010"),
            Place("nightfall", "sq010", "sh0020"),
            Place("nightfall", "sq010", "sh0020", episode="ep02"),
            PLACELESS,
        ]
    ),
)
findings = st.builds(
    lambda number, state: Finding(
        f"F-{number}", FindingKind.STYLE_REFERENCE, state, "lint", Evidence.INFERRED, NOW
    ),
    st.integers(0, 2),
    st.sampled_from(FindingState),
)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    predicate: Predicate | None = draw(st.one_of(steps, steps, steps, findings, st.just(None)))
    subjects = draw(several)
    if predicate is None and draw(st.booleans()):
        return Statement(subjects[:1], model())
    if predicate is None:
        sources = [digest(draw(words)) for _ in subjects]
        manifests = (SealedManifest(digest("store"), source, Form.EMBEDDED) for source in sources)
        return Statement(subjects, Seal(SEALED, tuple(manifests)))
    return Statement(subjects, predicate)


def timeless(basis: frozenset[Item]) -> frozenset[Item]:
    return frozenset(item._replace(slot=TIMELESS) for item in basis)


class Records:
    """All the records, and what follows from them."""

    def __init__(self, taken: Sequence[Taken]) -> None:
        self.all = taken
        self.steps = [each for each in taken if isinstance(each.statement.predicate, Step)]
        self.seals = [each for each in taken if isinstance(each.statement.predicate, Seal)]

    def materials(self, index: int) -> list[Artifact]:
        predicate = self.all[index].statement.predicate
        assert isinstance(predicate, Step)
        return [material for material in predicate.materials if is_lineage(material)]

    def sealings(self) -> list[tuple[int, int, Artifact, str]]:
        """Return index, position, the sealed file, and the digest that it had before."""
        return [
            (seal.index, position, subject, manifest.source)
            for seal in self.seals
            if isinstance(seal.statement.predicate, Seal)
            for position, (subject, manifest) in enumerate(
                zip(seal.statement.subjects, seal.statement.predicate.manifests, strict=True)
            )
        ]

    def before(self, files: set[str]) -> set[str]:
        """Return the files and all that they were sealed from."""
        more = {source for _, _, subject, source in self.sealings() if subject.sha256 in files}
        return files if more <= files else self.before(files | more)

    def after(self, files: set[str]) -> set[str]:
        """Return the files and all that was sealed from them."""
        more = {subject.sha256 for _, _, subject, source in self.sealings() if source in files}
        return files if more <= files else self.after(files | more)

    def makers(self, files: set[str]) -> set[int]:
        return {
            each.index
            for each in self.steps
            for subject in each.statement.subjects
            if subject.sha256 in self.before(files)
        }

    def broken_seals(self, files: set[str]) -> set[Item]:
        found = [index for index, _, subject, _ in self.sealings() if subject.sha256 in self.before(files)]
        return {invalid(self.all[index]) for index in found if self.all[index].flaw}

    def sources(self, material: Artifact) -> tuple[set[int], set[Item]]:
        """Return the steps that made a material, and what is to be said of it besides."""
        makers, items = self._sources(material)
        imports = {maker for maker in makers if guides(material) and self._bare_import(maker)}
        for maker in imports:
            items |= {item for item in self._own(maker) if item.kind is not ItemKind.IMPORT}
        return makers - imports, items

    def _bare_import(self, index: int) -> bool:
        predicate = self.all[index].statement.predicate
        assert isinstance(predicate, Step)
        return predicate.action is StepAction.IMPORT and not self.materials(index)

    def _sources(self, material: Artifact) -> tuple[set[int], set[Item]]:
        own = {material.sha256}
        makers, items = self.makers(own), self.broken_seals(own)
        if makers or material.pixels is None:
            return makers, items
        twins = {
            (subject.sha256, isinstance(each.statement.predicate, Step), each.index)
            for each in (*self.steps, *self.seals)
            for subject in each.statement.subjects
            if subject.pixels == material.pixels
        }
        makers = {index for _, is_step, index in twins if is_step}
        for index, position, subject, source in self.sealings():
            if subject.pixels == material.pixels:
                assert position < 2
                makers |= self.makers({source})
                items |= self.broken_seals({source})
                items |= {invalid(self.all[index])} if self.all[index].flaw else set()
        return makers, items

    def explained(self, material: Artifact) -> bool:
        makers = self._sources(material)[0]
        return bool(makers) and not (guides(material) and any(map(self._bare_import, makers)))

    @cached_property
    def under(self) -> dict[int, set[int]]:
        """Return the steps under each step, itself only where it is in a circle."""
        direct = {
            each.index: set[int]().union(*(self.sources(item)[0] for item in self.materials(each.index)))
            for each in self.steps
        }
        found = {index: set(makers) for index, makers in direct.items()}
        for _ in direct:
            found = {
                index: makers.union(*(found[maker] for maker in makers)) for index, makers in found.items()
            }
        return found

    def circle(self, index: int) -> frozenset[int]:
        mutual = {other for other in self.under[index] if index in self.under[other]}
        return frozenset({index, *mutual})

    @cached_property
    def bases(self) -> dict[int, frozenset[Item]]:
        found: dict[int, frozenset[Item]] = {}
        for each in sorted(self.steps, key=lambda each: len(self.under[each.index] | {each.index})):
            circle = self.circle(each.index)
            found[each.index] = frozenset[Item]().union(*(self._of(one, circle, found) for one in circle))
        return found

    def _of(
        self, index: int, circle: frozenset[int], known: Mapping[int, frozenset[Item]]
    ) -> frozenset[Item]:
        """Return what one step of a circle brings into it."""
        items = set(self._own(index))
        predicate = self.all[index].statement.predicate
        assert isinstance(predicate, Step)
        for material in self.materials(index):
            makers, more = self.sources(material)
            items |= more
            if not self.explained(material):
                items.add(unexplained(material, predicate))
            outside = {known[maker] for maker in makers - circle}
            items = items.union(*outside)
            if makers & circle:
                items.add(Item(ItemKind.CYCLE, material.sha256, material.name))
            if len(set(map(timeless, outside))) + bool(makers & circle) > 1:
                items.add(Item(ItemKind.FORK, material.sha256, material.name))
        return frozenset(items)

    def _own(self, index: int) -> set[Item]:
        each = self.all[index]
        assert isinstance(each.statement.predicate, Step)
        items = set(own_items(each.statement.subjects, each.statement.predicate))
        items |= {invalid(each)} if each.flaw else set()
        files = self.after({subject.sha256 for subject in each.statement.subjects})
        for other in self.all:
            said = other.statement.predicate
            if isinstance(said, Finding):
                subjects = other.statement.subjects
                items |= {finding_item(item, said) for item in subjects if item.sha256 in files}
        return items

    def finals(self) -> set[tuple[int, int, str, frozenset[Item]]]:
        return {
            (each.index, position, newest.sha256, self.basis_of(newest))
            for each in self.steps
            for position, subject in enumerate(each.statement.subjects)
            if not any(
                self._takes(reader, each.index) for reader in self._readers(subject.sha256) - {each.index}
            )
            for newest in [self._newest(subject, set())]
        }

    def _takes(self, reader: int, maker: int) -> bool:
        read, made = (self._place(index) for index in (reader, maker))
        names = ("episode", "sequence", "shot")
        return made.shot is None or all(getattr(read, name) == getattr(made, name) for name in names)

    def _place(self, index: int) -> Place:
        predicate = self.all[index].statement.predicate
        assert isinstance(predicate, Step)
        return predicate.place

    def basis_of(self, file: Artifact) -> frozenset[Item]:
        own = {file.sha256}
        found = {self.bases[maker] for maker in self.makers(own)}
        items = frozenset[Item]().union(self.broken_seals(own), *found)
        names = [
            subject.name
            for each in (*self.steps, *self.seals)
            for subject in each.statement.subjects
            if subject.sha256 == file.sha256
        ]
        ways = set(map(timeless, found))
        return items | ({Item(ItemKind.FORK, file.sha256, min(names))} if len(ways) > 1 else set())

    def _readers(self, sha256: str) -> set[int]:
        files = self.after({sha256})
        return {
            each.index
            for each in self.steps
            if files & {material.sha256 for material in self.materials(each.index)}
        }

    def _newest(self, file: Artifact, seen: set[str]) -> Artifact:
        found = [
            (index, position, subject)
            for index, position, subject, source in self.sealings()
            if source == file.sha256
        ]
        if not found or file.sha256 in seen:
            return file
        return self._newest(max(found, key=lambda each: each[:2])[2], seen | {file.sha256})


def invalid(taken: Taken) -> Item:
    subject = taken.statement.subjects[0]
    return Item(ItemKind.INVALID, subject.sha256, subject.name, taken.flaw)


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Taken], list[int], set[int]]:
    """Draw judged entries, the sizes of batches, and whose flaws are found only at the end."""
    stated = draw(st.lists(statements(), min_size=1, max_size=9))
    taken = [
        Taken(index, statement, draw(st.sampled_from(["", "", "", "key.suspect"])))
        for index, statement in enumerate(stated)
    ]
    cuts = draw(st.lists(st.integers(1, len(taken)), max_size=3))
    return taken, sorted({*cuts, len(taken)}), draw(st.sets(st.integers(0, len(taken) - 1)))


@given(logs())
def test_bases_are_what_the_records_say_in_whatever_order_they_come(
    log: tuple[list[Taken], list[int], set[int]],
) -> None:
    taken, cuts, late = log
    entries = MemoryEntryStore()
    store = MemoryBasisStore(entries)
    hold(entries, [each.statement for each in taken])
    projecting = projector(store, [each.statement for each in taken])
    start = 0
    for stop in cuts:
        now = [each._replace(flaw="") if each.index in late else each for each in taken[start:stop]]
        assert projecting.project(now)
        start = stop
    assert projecting.project([], {index: taken[index].flaw for index in late if taken[index].flaw})
    records = Records(taken)
    indices = [each.index for each in records.steps]
    assert dict(zip(indices, bases(store, *indices), strict=True)) == records.bases
    finals = {
        (row.index, row.position, row.sha256, items_of(store, row.basis)) for row in store.finals_at(Where())
    }
    assert finals == records.finals()
