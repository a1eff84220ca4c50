"""Which files are final: no other step of their shot read them, nor what was sealed from them.

* A step of another shot, or of none, takes nothing out of a shot: a blocked frame does not leave it because a
  scrap elsewhere, or the edit, has read it. What was made in no shot is final until anybody reads it.
* A sealed file stands for the one that it was sealed from. Of several, the newest does.
* What a final file rests on is what any file of these bytes does: the bases of all steps that made it, what
  is wrong with the seals on the way, and that the makers disagree, where they do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ledger.core.artifact import Artifact
from ledger.service.clear.files import Files
from ledger.service.clear.graph import fork
from ledger.service.clear.interning import Interner
from ledger.service.clear.store import EntryRow, FinalRow, Kind

Places = set[tuple[int, int]]


def finals(
    files: Files, interner: Interner, touched: Collection[str], start: int
) -> tuple[Places, list[FinalRow]]:
    """Return what is to be removed and then added for files whose makers, readers, seals or bases changed.

    What is removed lies in entries before ``start``: later ones have no rows yet.
    """
    files.load_used(touched)
    family = {
        other for sha256 in touched for each in files.descendants(sha256) for other in files.ancestors(each)
    }
    files.load_used(family)
    files.load_entries(
        index
        for sha256 in family
        for index in (*files.used(sha256).readers, *(step for step, _, _ in files.made(sha256).steps))
    )
    gone: Places = set()
    found: list[FinalRow] = []
    for sha256 in sorted(family):
        chain = files.descendants(sha256)
        readers = set[int]().union(*(files.used(each).readers for each in chain))
        for index, position, name in files.made(sha256).steps:
            if index < start:
                gone.add((index, position))
            if not any(_takes(files, reader, index) for reader in readers - {index}):
                digest, known_as = _newest(files, sha256, name)
                basis = _basis(files, interner, digest)
                found.append(FinalRow(index, position, digest, known_as, basis))
    return gone, sorted(found)


def outdated(files: Files, read: Iterable[tuple[int, Iterable[Artifact]]], start: int) -> Places:
    """Return where the files that these steps read were made, in entries before ``start``."""
    return {
        (index, position)
        for step, materials in read
        for material in materials
        for sha256 in files.ancestors(material.sha256)
        for index, position, _ in files.made(sha256).steps
        if index != step and index < start and _takes(files, step, index)
    }


def _takes(files: Files, reader: int, maker: int) -> bool:
    """Whether a file that ``maker`` made is not final any more, since ``reader`` read it."""
    read, made = files.entry(reader), files.entry(maker)
    if made is None or made.shot is None or read is None:
        return True
    return read.place == made.place


def _basis(files: Files, interner: Interner, sha256: str) -> int:
    """Return the number of the basis of a file that a step made."""
    made = files.made(sha256)
    steps, seals, _ = files.origins(made)
    rows = [row for row in map(files.entry, steps) if row is not None]
    bases = frozenset(row.basis for row in rows)
    flawed = [row for row in map(files.entry, seals) if row is not None and row.flaw]
    if len(bases) == 1 and not flawed:
        return next(iter(bases))
    items = {number for row in flawed for number in interner.members(row.basis)}
    if len({interner.essence(basis) for basis in made_by(rows)}) > 1:
        items.add(interner.item(fork(sha256, files.name(made))))
    return interner.union(bases, frozenset(items))


def made_by(rows: Collection[EntryRow]) -> frozenset[int]:
    """Return the bases of the steps that made a file: not of those that only handed it on, if others did."""
    makers = [row.basis for row in rows if row.kind != Kind.HANDED]
    return frozenset(makers or (row.basis for row in rows))


def _newest(files: Files, sha256: str, name: str) -> tuple[str, str]:
    """Return the digest and the name of the file as it was last sealed."""
    seen: set[str] = set()
    while sha256 not in seen:
        seen.add(sha256)
        sealed = files.used(sha256).sealed
        if sealed:
            index, position, sha256 = max(sealed)
            name = files.sealing(index).subjects[position].name
    return sha256, name
