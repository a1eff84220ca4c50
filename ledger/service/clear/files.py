"""Who made which bytes, who read them, and how they were sealed, as the entries so far tell.

* A seal makes nothing: who made the sealed file is who made the file before it was sealed.
* What is known of a digest is read once and kept for the next batches, until an entry of a batch says more
  about it. Every question to the store is about many digests at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.core.artifact import Role
from ledger.service.clear.store import STEPS, BasisStore, EntryRow, Kind, Link
from ledger.service.log.projection import SEALED_FROM

LINEAGE = frozenset(role.value for role in Role if role not in (Role.MODEL, Role.DATASET))
"""The roles of materials whose own basis counts."""
_SUBJECT = "subject"
_KEPT = 50_000


class Origins(NamedTuple):
    """Which steps made a file, by which seals it came from them, and whether a file there is registered."""

    steps: frozenset[int]
    seals: tuple[int, ...]
    registered: bool


@dataclass(slots=True)
class Made:
    """Which entries have these bytes as a subject.

    ``steps`` are index, position and the name there; ``seals`` are index, position and the digest of the file
    that was sealed; ``findings`` are indices.
    """

    steps: list[tuple[int, int, str]] = field(default_factory=list)
    seals: list[tuple[int, int, str]] = field(default_factory=list)
    findings: list[int] = field(default_factory=list)
    registered: bool = False


@dataclass(slots=True)
class Used:
    """Which steps read these bytes, and as what they were sealed: index, position and the new digest."""

    readers: set[int] = field(default_factory=set)
    sealed: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sealing:
    """One seal entry: its subjects and the digests before sealing, by position."""

    subjects: dict[int, Link] = field(default_factory=dict)
    sources: dict[int, str] = field(default_factory=dict)


class Files:
    """What the entries before ``stop`` say of files; ``start`` moves that on."""

    def __init__(self, store: BasisStore) -> None:
        self._store = store
        self._stop = 0
        self._made: dict[str, Made] = {}
        self._used: dict[str, Used] = {}
        self._twins: dict[str, Made] = {}
        self._entries: dict[int, EntryRow | None] = {}
        self._sealings: dict[int, Sealing] = {}

    def start(self, stop: int, rows: Iterable[EntryRow], subjects: Iterable[str]) -> None:
        """Take in a batch: its entries, and older ones that have changed, with all of their subjects."""
        self._stop = stop
        self._used, self._twins = {}, {}
        if len(self._made) > _KEPT or len(self._entries) > _KEPT:
            self._made, self._entries, self._sealings = {}, {}, {}
        for row in rows:
            self._entries[row.index] = row
        for sha256 in subjects:
            self._made.pop(sha256, None)

    def settle(self, row: EntryRow) -> None:
        """Take note of an entry's row as it is now."""
        self._entries[row.index] = row

    def entry(self, index: int) -> EntryRow | None:
        """Return the row of an entry, or ``None`` for one that means nothing for files."""
        if index not in self._entries:
            self.load_entries([index])
        return self._entries[index]

    def made(self, sha256: str) -> Made:
        """Return who made these bytes."""
        if sha256 not in self._made:
            self.load_made([sha256])
        return self._made[sha256]

    def used(self, sha256: str) -> Used:
        """Return who read these bytes."""
        if sha256 not in self._used:
            self.load_used([sha256])
        return self._used[sha256]

    def twin(self, pixels: str) -> Made:
        """Return who made a file with these pixels."""
        if pixels not in self._twins:
            self.load_twins([pixels])
        return self._twins[pixels]

    def sealing(self, index: int) -> Sealing:
        """Return what a seal entry sealed."""
        if index not in self._sealings:
            self._load_sealings([index])
        return self._sealings[index]

    def load_made(self, wanted: Collection[str]) -> None:
        """Read who made these bytes, and the bytes that they were sealed from."""
        missing = {sha256 for sha256 in wanted if sha256 not in self._made}
        while missing:
            links = self._store.links(missing, self._stop, made=True)
            self._made.update({sha256: Made() for sha256 in missing})
            self._load_of(links)
            for link in links:
                self._fold_made(self._made[link.sha256], link)
            missing = self._sources(missing, self._made)

    def load_twins(self, wanted: Collection[str]) -> None:
        """Read who made files with these pixels, and the bytes that those were sealed from."""
        missing = {pixels for pixels in wanted if pixels not in self._twins}
        if not missing:
            return
        links = self._store.twins(missing, self._stop, made=True)
        self._twins.update({pixels: Made() for pixels in missing})
        self._load_of(links)
        for link in links:
            self._fold_made(self._twins[link.pixels or ""], link)
        self.load_made(self._sources(missing, self._twins))

    def load_used(self, wanted: Collection[str]) -> None:
        """Read who read and who made these bytes; of what they were sealed as, too."""
        missing = {sha256 for sha256 in wanted if sha256 not in self._used}
        while missing:
            links = self._store.links(missing, self._stop, made=False)
            self._used.update({sha256: Used() for sha256 in missing})
            fresh = {sha256 for sha256 in missing if sha256 not in self._made}
            self._made.update({sha256: Made() for sha256 in fresh})
            self._load_of(links)
            for link in links:
                if link.sha256 in fresh:
                    self._fold_made(self._made[link.sha256], link)
                self._fold_used(self._used[link.sha256], link)
            self.load_made(self._sources(fresh, self._made))
            missing = {
                sealed
                for sha256 in missing
                for _, _, sealed in self._used[sha256].sealed
                if sealed not in self._used
            }

    def load_entries(self, indices: Iterable[int]) -> None:
        """Read the rows of these entries."""
        missing = {index for index in indices if index not in self._entries}
        if missing:
            found = self._store.entries(missing)
            self._entries.update({index: found.get(index) for index in missing})

    def origins(self, made: Made) -> Origins:
        """Return where a file came from, through its seals."""
        steps, seals, registered = {index for index, _, _ in made.steps}, list[int](), made.registered
        waiting, seen = [made] if made.seals else [], set[str]()
        while waiting:
            for index, _, source in waiting.pop().seals:
                seals.append(index)
                if source not in seen:
                    seen.add(source)
                    found = self.made(source)
                    steps.update(step for step, _, _ in found.steps)
                    registered = registered or found.registered
                    waiting.append(found)
        return Origins(frozenset(steps), tuple(seals), registered)

    def name(self, made: Made) -> str:
        """Return the first of the names that its records give it: in whatever order they came, the same."""
        sealed = (self.sealing(index).subjects[position].name for index, position, _ in made.seals)
        return min([*(name for _, _, name in made.steps), *sealed])

    def ancestors(self, sha256: str) -> list[str]:
        """Return the digest, and those of the files that it was sealed from."""
        found = [sha256]
        for each in found:
            found += [source for _, _, source in self.made(each).seals if source not in found]
        return found

    def descendants(self, sha256: str) -> list[str]:
        """Return the digest, and those of the files that were sealed from it."""
        found = [sha256]
        for each in found:
            found += [sealed for _, _, sealed in self.used(each).sealed if sealed not in found]
        return found

    def consumers_of_pixels(self, pixels: Collection[str]) -> set[int]:
        """Return the steps that read a file with any of these pixels."""
        links = [link for link in self._store.twins(pixels, self._stop, made=False) if link.role in LINEAGE]
        self.load_entries(link.index for link in links)
        return {link.index for link in links if self._kind(link.index) in STEPS}

    def subjects(self, indices: Collection[int]) -> list[Link]:
        """Return the subjects of these entries."""
        return [link for link in self._store.rows(indices) if link.role == _SUBJECT]

    def _kind(self, index: int) -> int | None:
        row = self._entries[index]
        return None if row is None else row.kind

    def _load_of(self, links: Sequence[Link]) -> None:
        """Read the rows of the links' entries, and of the seals among them what they sealed."""
        self.load_entries({link.index for link in links})
        seals = {link.index for link in links if self._kind(link.index) == Kind.SEAL}
        self._load_sealings(seals)

    def _load_sealings(self, wanted: Iterable[int]) -> None:
        missing = [index for index in wanted if index not in self._sealings]
        if not missing:
            return
        self._sealings.update({index: Sealing() for index in missing})
        for link in self._store.rows(missing):
            sealing = self._sealings[link.index]
            if link.role == SEALED_FROM:
                sealing.sources[link.position] = link.sha256
            else:
                sealing.subjects[link.position] = link

    def _fold_made(self, made: Made, link: Link) -> None:
        row = self._entries[link.index]
        if row is None or link.role != _SUBJECT:
            return
        if row.kind in STEPS:
            made.steps.append((link.index, link.position, link.name))
        elif row.kind == Kind.SEAL:
            source = self._sealings[link.index].sources[link.position]
            made.seals.append((link.index, link.position, source))
        elif row.kind == Kind.FINDING:
            made.findings.append(link.index)
        else:
            made.registered = made.registered or not row.flaw

    def _fold_used(self, used: Used, link: Link) -> None:
        row = self._entries[link.index]
        if row is None:
            return
        if link.role == SEALED_FROM:
            sealed = self._sealings[link.index].subjects[link.position]
            used.sealed.append((link.index, link.position, sealed.sha256))
        elif row.kind in STEPS and link.role in LINEAGE:
            used.readers.add(link.index)

    def _sources(self, wanted: Iterable[str], of: Mapping[str, Made]) -> set[str]:
        """Return the files that these were sealed from, of which nothing is known yet."""
        found = {source for key in wanted for _, _, source in of[key].seals}
        return {source for source in found if source not in self._made}
