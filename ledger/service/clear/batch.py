"""One batch of entries: which bases it adds, and which older ones it changes.

* A record may come late: what makes, seals, registers or finds fault with bytes that older steps read changes
  the bases of those steps, and of all that was made of them. Each of them is put together anew, from the
  entries themselves, so the order in which records came leaves no trace.
* Bytes that no step made are looked for by their pixels.
* Every finding about a file is in its basis, whoever stated it: what it weighs is decided at evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ledger.core.artifact import Artifact
from ledger.core.predicates import Dataset, Finding, Model, Seal, Step
from ledger.core.rights.basis import (
    Item,
    ItemKind,
    finding_item,
    guides,
    hands_on,
    is_bare_import,
    is_lineage,
    own_items,
    slot_of,
    unexplained,
)
from ledger.core.statement import Statement
from ledger.service.clear.files import Files, Origins
from ledger.service.clear.final import finals, outdated
from ledger.service.clear.graph import Node, Source, settle
from ledger.service.clear.interning import Interner
from ledger.service.clear.store import STEPS, BasisStore, Changes, EntryRow, Kind

Read = Callable[[int], Statement]
Seen = tuple[str, str | None]
"""A file by the digests of its bytes and of its pixels, which one record may lack and another one have."""
_UNSETTLED = -1


class Taken(NamedTuple):
    """An entry as judged: ``flaw`` is the code of what is wrong with its signature, ``""`` for nothing."""

    index: int  # type: ignore[assignment]  # nobody asks a row for tuple.index
    statement: Statement
    flaw: str = ""


class Batch:
    """Works out what a batch changes. ``read`` returns the statement of an older entry."""

    def __init__(self, store: BasisStore, files: Files, interner: Interner, read: Read) -> None:
        self._store, self._files, self._interner, self._read = store, files, interner, read
        self._statements: dict[int, Statement] = {}
        self._read_by: dict[int, list[Artifact]] = {}
        self._findings: dict[int, frozenset[Item]] = {}
        self._start = 0

    def changes(self, start: int, taken: Sequence[Taken], flaws: Mapping[int, str]) -> Changes:
        """Return what the entries from ``start`` on change, all of which are ``taken``.

        ``flaws`` are the codes of what is wrong with older entries, as far as that is known only now.
        """
        self._start, stop = start, start + len(taken)
        self._statements = {each.index: each.statement for each in taken}
        self._read_by = {}
        self._interner.start()
        rows = {each.index: row for each in taken if (row := self._row(each)) is not None}
        older = [self._flawed(row, flaws[row.index]) for row in self._store.entries(flaws).values()]
        heard = {*self._subjects(rows), *self._subjects(row.index for row in older)}
        self._files.start(stop, [*rows.values(), *older], {sha256 for sha256, _ in heard})
        dirty = self._dirty(heard, rows, older)
        rows |= {row.index: row for row in older}
        rows |= {index: row for index in dirty - rows.keys() if (row := self._files.entry(index))}
        steps = [index for index, row in rows.items() if row.kind in STEPS]
        settled = settle(self._nodes(steps, rows), self._known, self._interner)
        return self._changed(rows, settled, {sha256 for sha256, _ in heard}, steps)

    def _changed(
        self, rows: Mapping[int, EntryRow], settled: Mapping[int, int], heard: Iterable[str], steps: list[int]
    ) -> Changes:
        changes = Changes(self._interner.new_items, self._interner.new_bases)
        for index, row in rows.items():
            after = row._replace(basis=settled.get(index, row.basis))
            if index >= self._start:
                changes.entries.append(after)
            else:
                changes.changed.append(after)
            self._files.settle(after)
        touched = {*heard, *(sha256 for sha256, _ in self._subjects(steps))}
        changes.gone, changes.finals = finals(self._files, self._interner, touched, self._start)
        read = ((index, self._lineage(index)) for index in steps if index >= self._start)
        changes.gone |= outdated(self._files, read, self._start)
        return changes

    # --- the entries themselves ---------------------------------------------------------------------------

    def _row(self, taken: Taken) -> EntryRow | None:
        index, predicate = taken.index, taken.statement.predicate
        if isinstance(predicate, Step):
            place = predicate.place
            first, last = place.frames or (None, None)
            where = (place.sequence, place.shot, place.task, place.version, first, last)
            kind, slot = Kind.HANDED if hands_on(predicate) else Kind.STEP, slot_of(predicate.finished)
            return EntryRow(index, kind, _UNSETTLED, taken.flaw, *where, slot, place.episode)
        if isinstance(predicate, Finding):
            found = frozenset(finding_item(subject, predicate) for subject in taken.statement.subjects)
            self._findings[index] = found
            return EntryRow(index, Kind.FINDING, self._interned(found), taken.flaw)
        if isinstance(predicate, Seal):
            return EntryRow(index, Kind.SEAL, self._interned(self._invalid(index, taken.flaw)), taken.flaw)
        if isinstance(predicate, Dataset | Model):
            return EntryRow(index, Kind.REGISTERED, self._interned(frozenset()), taken.flaw)
        return None

    def _flawed(self, row: EntryRow, flaw: str) -> EntryRow:
        """Return the row of an older entry in which a flaw was found only now."""
        if row.kind == Kind.SEAL:
            return row._replace(flaw=flaw, basis=self._interned(self._invalid(row.index, flaw)))
        return row._replace(flaw=flaw)

    def _invalid(self, index: int, flaw: str) -> frozenset[Item]:
        if not flaw:
            return frozenset()
        subject = self._statement(index).subjects[0]
        return frozenset({Item(ItemKind.INVALID, subject.sha256, subject.name, flaw)})

    def _interned(self, items: frozenset[Item]) -> int:
        return self._interner.union(frozenset(), self._interner.numbers(items))

    def _statement(self, index: int) -> Statement:
        if index not in self._statements:
            self._statements[index] = self._read(index)
        return self._statements[index]

    def _subjects(self, indices: Iterable[int]) -> Iterator[Seen]:
        """Yield the digests of the entries' subjects, of bytes and of pixels."""
        for index in indices:
            for subject in self._statement(index).subjects:
                yield subject.sha256, subject.pixels

    def _step(self, index: int) -> Step:
        predicate = self._statement(index).predicate
        if not isinstance(predicate, Step):
            raise TypeError(index)
        return predicate

    def _lineage(self, index: int) -> list[Artifact]:
        if index not in self._read_by:
            self._read_by[index] = [item for item in self._step(index).materials if is_lineage(item)]
        return self._read_by[index]

    # --- which older steps may change ---------------------------------------------------------------------

    def _dirty(
        self, heard: Collection[Seen], rows: Mapping[int, EntryRow], older: Sequence[EntryRow]
    ) -> set[int]:
        """Return the older steps whose bases the batch may change."""
        fresh = {row.index for row in older if row.kind in STEPS}
        fresh |= self._found_fault_with(
            index for index, row in rows.items() if row.kind in {Kind.FINDING, Kind.SEAL}
        )
        dirty = set(fresh)
        waiting = {*heard}
        while waiting or fresh:
            waiting |= {*self._subjects(fresh)}
            fresh = {index for index in self._readers(waiting) if index < self._start} - dirty
            dirty |= fresh
            waiting = set()
        return dirty

    def _found_fault_with(self, findings_and_seals: Iterable[int]) -> set[int]:
        """Return the older steps that made what a finding is about, also as it was sealed."""
        subjects = [sha256 for sha256, _ in self._subjects(findings_and_seals)]
        self._files.load_used(subjects)
        found: set[int] = set()
        for sha256 in subjects:
            if any(self._files.made(each).findings for each in self._files.descendants(sha256)):
                found |= self._files.origins(self._files.made(sha256)).steps
        return {maker for maker in found if maker < self._start}

    def _readers(self, files: Collection[Seen]) -> set[int]:
        """Return the steps that read these files, or what was sealed from them, by bytes or by pixels."""
        digests = {sha256 for sha256, _ in files}
        self._files.load_used(digests)
        readers: set[int] = set()
        pixels = {seen for _, seen in files if seen}
        for sha256 in digests:
            for each in self._files.descendants(sha256):
                used = self._files.used(each)
                readers |= used.readers
                for index, position, _ in used.sealed:
                    seen = self._files.sealing(index).subjects[position].pixels
                    pixels |= {seen} if seen else set()
        return readers | self._files.consumers_of_pixels(pixels)

    # --- the graph ----------------------------------------------------------------------------------------

    def _nodes(self, steps: Sequence[int], rows: Mapping[int, EntryRow]) -> dict[int, Node]:
        origins = self._origins(material for index in steps for material in self._lineage(index))
        makers = frozenset[int]().union(*(found.steps for found in origins.values()))
        self._files.load_entries(makers)
        known = {row.basis for maker in makers if (row := self._files.entry(maker)) is not None}
        self._interner.load(known - {_UNSETTLED})
        own = {index: self._own(index, rows[index].flaw) for index in steps}
        added = {
            index: [*self._unexplained(index, origins), *self._guiding(index, origins)] for index in steps
        }
        self._interner.learn(item for some in (own, added) for items in some.values() for item in items)
        return {
            index: Node(
                self._interner.numbers([*own[index], *added[index]]),
                tuple(
                    self._source(each, origins[each]._replace(steps=self._shown(each, origins[each])))
                    for each in self._lineage(index)
                ),
            )
            for index in steps
        }

    def _origins(self, materials: Iterable[Artifact]) -> dict[Artifact, Origins]:
        """Return where the materials came from: by their bytes, else by their pixels."""
        wanted = set(materials)
        self._files.load_made({material.sha256 for material in wanted})
        found = {each: self._files.origins(self._files.made(each.sha256)) for each in wanted}
        lost = {
            each: each.pixels for each, by_bytes in found.items() if not _explained(by_bytes) and each.pixels
        }
        self._files.load_twins(lost.values())
        for each, pixels in lost.items():
            twin = self._files.origins(self._files.twin(pixels))
            found[each] = twin._replace(seals=found[each].seals + twin.seals)
        return found

    def _own(self, index: int, flaw: str) -> frozenset[Item]:
        """Return what a step adds by itself, and what was found about the files that it made."""
        statement = self._statement(index)
        items = own_items(statement.subjects, self._step(index)) | self._invalid(index, flaw)
        for subject in statement.subjects:
            for sha256 in self._files.descendants(subject.sha256):
                for finding in self._files.made(sha256).findings:
                    items |= {item for item in self._found(finding) if item.sha256 == sha256}
        return items

    def _found(self, finding: int) -> frozenset[Item]:
        if finding not in self._findings:
            row = self._files.entry(finding)
            numbers = self._interner.members(row.basis) if row else ()
            self._findings[finding] = frozenset(self._store.items(numbers).values())
        return self._findings[finding]

    def _unexplained(self, index: int, origins: Mapping[Artifact, Origins]) -> Iterator[Item]:
        for material in self._lineage(index):
            if not _explained(origins[material]):
                yield unexplained(material, self._step(index))

    def _shown(self, material: Artifact, origins: Origins) -> frozenset[int]:
        """Return the makers whose bases count: for what only guided the work, not the import of it."""
        if not guides(material):
            return origins.steps
        return frozenset(maker for maker in origins.steps if not is_bare_import(self._step(maker)))

    def _guiding(self, index: int, origins: Mapping[Artifact, Origins]) -> Iterator[Item]:
        """Yield what the imports of guiding files bring in, save the question whether they may be shown."""
        for material in self._lineage(index):
            imports = origins[material].steps - self._shown(material, origins[material])
            if imports:
                yield unexplained(material, self._step(index))
            for maker in imports:
                row = self._files.entry(maker)
                items = self._own(maker, row.flaw if row else "")
                yield from (item for item in items if item.kind is not ItemKind.IMPORT)

    def _source(self, material: Artifact, origins: Origins) -> Source:
        items: frozenset[int] = frozenset()
        for seal in origins.seals:
            row = self._files.entry(seal)
            if row is not None and row.flaw:
                items |= frozenset(self._interner.members(row.basis))
        return Source(material.sha256, material.name, origins.steps, items, self._handed(origins.steps))

    def _handed(self, makers: frozenset[int]) -> frozenset[int]:
        """Return those of several makers that only handed the file on."""
        rows = [row for row in map(self._files.entry, makers) if row is not None] if len(makers) > 1 else []
        handed = frozenset(row.index for row in rows if row.kind == Kind.HANDED)
        return handed if handed < makers else frozenset()

    def _known(self, maker: int) -> int:
        row = self._files.entry(maker)
        if row is None:
            raise KeyError(maker)
        return row.basis


def _explained(origins: Origins) -> bool:
    # That somebody registered it says nothing about showing it: its grants are asked, as for any other file.
    return bool(origins.steps)
