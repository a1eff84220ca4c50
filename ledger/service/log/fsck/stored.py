"""Which side is wrong: entries, tiles and projections, judged by the tree that the root explains."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.core.checkpoint import Checkpoint
from ledger.core.merkle import HASH_SIZE, leaf_hash
from ledger.core.tiles import WIDTH, Tile
from ledger.ports import EntryStore, Head, StoredEntry
from ledger.service.log.fsck.reading import Reading
from ledger.service.log.fsck.report import Finding, Mend, failed, passed, undecided
from ledger.service.log.fsck.tree import Tree, split, width_of

_ATTEMPTS = 100
TABLES = {"entry": "entries", "statement": "statements", "artifact": "artifacts"}


@dataclass
class TileRows:
    """The rows of the tile table: those above level 0, and the first one that has a wrong place or length."""

    above: dict[tuple[int, int], bytes] = field(default_factory=dict)
    odd: tuple[int, int, str] | None = None


def read_tiles(store: EntryStore, size: int) -> TileRows:
    """Read every row. A log that grows meanwhile may have more tiles, and longer ones."""
    rows = TileRows()
    for level, index, hashes in store.tiles():
        if level > 0:
            rows.above[level, index] = hashes
        if len(hashes) > width_of(size, level, index) * HASH_SIZE and rows.odd is None:
            newer = max(size, store.head().size)
            width = width_of(newer, level, index)
            if len(hashes) > width * HASH_SIZE:
                words = "is longer than the log" if width else "is one that the log has not"
                rows.odd = (level, index, words)
    return rows


def find_beyond(store: EntryStore, size: int) -> tuple[str, int] | None:
    """Return the check of the table that holds a row outside the log, and the size that it was compared with.

    A log may grow between the two looks. The answer is ``None`` too when it never holds still.
    """
    for _ in range(_ATTEMPTS):
        table = store.beyond(size)
        newer = store.head().size
        if table is None or newer <= size:
            return None if table is None else (TABLES[table], size)
        size = newer
    return None


@dataclass
class Stock:
    """The database's side, read; and the tree that the signed root explains."""

    store: EntryStore
    truth: Checkpoint
    reading: Reading
    tiles: TileRows
    beyond: tuple[str, int] | None
    tree: Tree

    def bottom(self, index: int) -> bytes | None:
        """Return the true hashes of a tile of level 0, or ``None`` when nothing explains it."""
        expected = self.tree.expected(0, index)
        if expected is None:
            return None
        if self.reading.kept[index] == expected:
            return self.store.tile(0, index)[: width_of(self.truth.size, 0, index) * HASH_SIZE]
        if self.reading.computed[index] == expected:
            return b"".join(leaf_hash(item.envelope) for item in self._chunk(index))
        return None

    def bad_entry(self) -> tuple[int, str, str] | None:
        """Return the first entry that is not what was signed: its index, a code, words."""
        found = [self._bad_leaf(), self._bad_chunk()]
        if self.reading.missing is not None:
            at = self.reading.missing
            found.append((at, "entries.missing", f"Entry {at} is missing."))
        return min((item for item in found if item is not None), default=None)

    def bad_tile(self) -> tuple[str, str, str] | None:
        """Return the first tile that is not what the root explains: its path, a code, words."""
        size = self.truth.size
        for index, kept in enumerate(self.reading.kept):
            expected = self.tree.expected(0, index)
            if kept != (self.reading.computed[index] if expected is None else expected):
                return _tile_words(Tile(0, index, width_of(size, 0, index)), missing=not kept)
        level = 1
        while size >> 8 * level:
            for index in range(-(-(size >> 8 * level) // WIDTH)):
                tile = Tile(level, index, width_of(size, level, index))
                true = self.tree.tile(level, index)
                stored = self.tiles.above.get((level, index), b"")[: tile.width * HASH_SIZE]
                if true is not None and stored != true:
                    return _tile_words(tile, missing=len(stored) < len(true))
            level += 1
        if self.tiles.odd is not None:
            level, index, words = self.tiles.odd
            path = Tile(level, index, WIDTH).path
            return path, "tiles.extra", f"The stored tile {level}/{index} ({path}) {words}."
        return None

    def _bad_leaf(self) -> tuple[int, str, str] | None:
        at = self.reading.leaf
        if at is None:
            return None
        index = at // WIDTH
        if self.reading.computed[index] == self.tree.expected(0, index):
            words = f"The leaf hash stored beside entry {at} is not that of its bytes; the bytes are sound."
            return at, "entries.leaf-hash", words
        return at, "entries.changed", f"The bytes of entry {at} are not those of its leaf hash."

    def _bad_chunk(self) -> tuple[int, str, str] | None:
        """Return the first entry under the first tile that the entries do not fold to."""
        for index, computed in enumerate(self.reading.computed):
            expected = self.tree.expected(0, index)
            # An entry that is missing here has its own finding, and hides no other chunk.
            if computed == expected or len(chunk := self._chunk(index)) < width_of(self.truth.size, 0, index):
                continue
            if expected is None:
                words = "The entries do not lead to the signed root, and no tile tells which one is wrong."
                return index * WIDTH, "entries.unexplained", words
            return self._differing(index, chunk)
        return None

    def _differing(self, index: int, chunk: list[StoredEntry]) -> tuple[int, str, str]:
        first, true = index * WIDTH, self.bottom(index)
        leaf = self.reading.leaf
        if true is None and leaf is not None and leaf // WIDTH == index:
            return leaf, "entries.changed", f"The bytes of entry {leaf} are not those of its leaf hash."
        if true is None:
            words = f"One of the entries {first} to {first + len(chunk) - 1} is not the one that was signed."
            return first, "entries.changed", words
        pairs = zip(chunk, split(true), strict=True)
        # Where an index of the database is damaged, a second look may find the entries sound.
        at = next((item.index for item, leaf in pairs if leaf_hash(item.envelope) != leaf), first)
        return at, "entries.changed", f"Entry {at} is not the one that was signed."

    def _chunk(self, index: int) -> list[StoredEntry]:
        first = index * WIDTH
        return list(self.store.stored(first, first + width_of(self.truth.size, 0, index)))


def judge_database(store: EntryStore) -> Finding:
    """Return what the engine underneath says of its own files: a damaged index hides rows from look-ups."""
    complaint = store.damage()
    if complaint is None:
        return passed("database", "Its own check has no complaint.")
    words = f"Its own check says: {complaint.splitlines()[0]}."
    return failed("database", words, Mend.REINDEX, "log.corrupt", "database.damaged")


def judge_entries(stock: Stock) -> Finding:
    """Return whether every entry is there and the one that was signed."""
    bad = stock.bad_entry()
    if bad is not None:
        _, code, words = bad
        return failed("entries", words, Mend.RESTORE, "log.corrupt", code)
    if stock.beyond is not None and stock.beyond[0] == "entries":
        words = f"The table entry holds a row outside the {stock.beyond[1]} entries that the head states."
        return failed("entries", words, Mend.RESTORE, "log.corrupt", "entries.beyond")
    return passed("entries", f"{stock.reading.read} entries lead to the signed root.")


def judge_tiles(stock: Stock) -> Finding:
    """Return whether every stored tile is what the entries give, and there is no other."""
    bad = stock.bad_tile()
    if bad is not None:
        _, code, words = bad
        return failed("tiles", words, Mend.REBUILD, "log.corrupt", code)
    return passed("tiles", f"Sound tiles: {len(stock.reading.kept) + len(stock.tiles.above)}.")


def judge_rows(stock: Stock, name: str, bad: tuple[int, str] | None) -> Finding:
    """Return whether the rows of a projection are what the entries give."""
    if bad is not None:
        words = f"Entry {bad[0]}: {bad[1]}."
        return failed(name, words, Mend.REBUILD, "log.corrupt", f"{name}.changed")
    if stock.beyond is not None and stock.beyond[0] == name:
        words = f"The table holds a row outside the {stock.beyond[1]} entries of the log."
        return failed(name, words, Mend.REBUILD, "log.corrupt", f"{name}.beyond")
    if stock.reading.leaf is not None or stock.reading.missing is not None:
        words = "The rows of the sound entries are right; those of the damaged ones cannot be computed."
        return undecided(name, words, Mend.FIRST, "log.corrupt")
    return passed(name, "Every row is what its entry gives, and no other row is there.")


def peaks_of_head(head: Head) -> tuple[bytes, ...]:
    """Return the head's peaks, if each has the length of a hash."""
    return head.peaks if all(len(peak) == HASH_SIZE for peak in head.peaks) else ()


def _tile_words(tile: Tile, *, missing: bool) -> tuple[str, str, str]:
    what = "missing or too short" if missing else "not what the entries and the signed root give"
    code = "tiles.missing" if missing else "tiles.changed"
    return tile.path, code, f"The stored tile {tile.level}/{tile.index} ({tile.path}) is {what}."
