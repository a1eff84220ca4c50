"""Comparing a publication with the database, byte for byte.

* Every tile and bundle that the published checkpoint promises is compared. So is each one that the next
  publication would write: one that is there already and the same is harmless, another one would stop it.
* What lies there under other names (older partial tiles) is promised by nobody and not looked at.
* A file that differs where the database itself is damaged is judged by the tree that the root explains.
* What cannot be reached stays undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ledger.core.merkle import HASH_SIZE, leaf_hash
from ledger.core.tiles import Tile, decode_bundle, encode_bundle, tiles_of
from ledger.errors import MalformedError, RakkanError
from ledger.ports import PublishedLog
from ledger.service.log.fsck.tree import Tree, width_of


@dataclass(frozen=True, slots=True)
class Suspect:
    """A published file that is not what the database gives; ``found`` is ``None`` for one that is missing."""

    path: str
    tile: Tile
    bundle: bool
    found: bytes | None


@dataclass
class Comparison:
    """A publication of ``promised`` entries beside a database of ``size``."""

    publication: PublishedLog
    promised: int
    size: int
    suspects: list[Suspect] = field(default_factory=list)
    files: int = 0
    early: int = 0
    unexplained: int = 0
    unreachable: RakkanError | None = None

    def compare(self, index: int, hashes: bytes, entries: Sequence[bytes]) -> None:
        """Compare what is published of tile ``index`` of level 0 and of its entry bundle."""
        for tile, promised in self._tiles(0, index):
            # Without all hashes an entry is missing, and nothing that is published can be the same.
            whole = len(hashes) >= tile.width * HASH_SIZE
            expected = encode_bundle(entries[: tile.width]) if whole else b""
            self._compare(tile, expected, promised=promised, bundle=True)
            self._compare(tile, hashes[: tile.width * HASH_SIZE], promised=promised, bundle=False)

    def compare_above(self, tree: Tree) -> None:
        """Compare what is published of the tiles above level 0."""
        for tile in tiles_of(0, self.size):
            if tile.level == 0:
                continue
            hashes = tree.tile(tile.level, tile.index)
            self.unexplained += hashes is None
            for wanted, promised in self._tiles(tile.level, tile.index):
                if hashes is not None:
                    self._compare(wanted, hashes[: wanted.width * HASH_SIZE], promised=promised, bundle=False)

    def bad(self, bottom: Callable[[int], bytes | None]) -> Iterator[Suspect]:
        """Yield the files that are damaged or missing.

        ``bottom`` returns the true hashes of a tile of level 0, or ``None`` when nothing explains it.
        """
        for suspect in self.suspects:
            if suspect.tile.level or not _fits(suspect, bottom(suspect.tile.index)):
                yield suspect

    def _tiles(self, level: int, index: int) -> Iterator[tuple[Tile, bool]]:
        """Yield the widths of a tile that are published or will be, as far as the database holds them."""
        promised = width_of(self.promised, level, index)
        held = width_of(self.size, level, index)
        if 0 < promised <= held:
            yield Tile(level, index, promised), True
        if promised < held:
            yield Tile(level, index, held), False

    def _compare(self, tile: Tile, expected: bytes, *, promised: bool, bundle: bool) -> None:
        if self.unreachable is not None:
            return
        path = tile.bundle_path if bundle else tile.path
        try:
            found = self.publication.get(path)
        except RakkanError as error:
            self.unreachable = error
            return
        if found == expected:
            self.files += promised
            self.early += not promised
        elif promised or found is not None:
            self.suspects.append(Suspect(path, tile, bundle, found))


def _fits(suspect: Suspect, true: bytes | None) -> bool:
    """Whether a file of level 0 is sound after all: then it is the database that is damaged."""
    if suspect.found is None or true is None:
        return False
    try:
        hashes = suspect.found
        if suspect.bundle:
            hashes = b"".join(leaf_hash(entry) for entry in decode_bundle(suspect.found))
    except MalformedError:
        return False
    return hashes == true[: suspect.tile.width * HASH_SIZE]
