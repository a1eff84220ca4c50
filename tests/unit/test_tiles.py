"""The static files of a log: their names, their cut, and what is folded from them."""

import pytest

from ledger.core import merkle, tiles
from ledger.core.tiles import Tile
from ledger.errors import MalformedError
from tests.support.log import tree_hash

LEAVES = [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(700)]


def built(size: int) -> dict[tuple[int, int], bytes]:
    return tiles.grow(0, lambda tile: b"", LEAVES[:size])


def nodes(size: int, stored: dict[tuple[int, int], bytes]) -> tiles.TileNodes:
    return tiles.TileNodes(size, lambda tile: stored.get((tile.level, tile.index), b""))


@pytest.mark.parametrize(
    ("path", "tile", "entries"),
    [
        ("tile/0/000", Tile(0, 0, 256), False),
        ("tile/0/x001/x234/067", Tile(0, 1234067, 256), False),
        ("tile/1/x001/000.p/1", Tile(1, 1000, 1), False),
        ("tile/63/999.p/255", Tile(63, 999, 255), False),
        ("tile/entries/x273/112.p/112", Tile(0, 273112, 112), True),
        ("tile/entries/000", Tile(0, 0, 256), True),
    ],
)
def test_a_path_names_a_tile_and_back(path: str, tile: Tile, entries: bool) -> None:
    assert tiles.parse_path(path) == tiles.TilePath(tile, entries)
    assert (tile.bundle_path if entries else tile.path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/0",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/00/001",
        "tile/64/001",
        "tile/-1/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001.p",
        "tile/0/001/",
        "/tile/0/001",
        "tile/0/../001",
        "tile/0/٠٠١",
        "tile/0/001\n",
        "tile/8/0/001",
        "tile/entries/001.p/300",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/" + "x999/" * 40 + "999",
    ],
)
def test_another_spelling_is_refused(path: str) -> None:
    with pytest.raises(MalformedError) as error:
        tiles.parse_path(path)
    assert error.value.code == "tile.malformed"


def test_the_specification_s_size_has_the_specification_s_tiles() -> None:
    """tlog-tiles gives 70,000 entries as its example."""
    found = list(tiles.tiles_of(0, 70_000))
    assert [tile for tile in found if tile.level == 0][-1] == Tile(0, 273, 112)
    assert [tile for tile in found if tile.level == 1] == [Tile(1, 0, 256), Tile(1, 1, 17)]
    assert [tile for tile in found if tile.level == 2] == [Tile(2, 0, 1)]
    assert len(found) == 274 + 2 + 1


def test_a_full_tile_has_one_hash_above_it() -> None:
    assert list(tiles.tiles_of(0, 256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]


def test_only_changed_tiles_are_new() -> None:
    assert list(tiles.tiles_of(300, 300)) == []
    assert list(tiles.tiles_of(0, 0)) == []
    assert list(tiles.tiles_of(300, 301)) == [Tile(0, 1, 45)]
    assert list(tiles.tiles_of(300, 512)) == [Tile(0, 1, 256), Tile(1, 0, 2)]


def test_a_partial_tile_is_not_hashed_upward() -> None:
    assert set(built(255)) == {(0, 0)}
    assert set(built(256)) == {(0, 0), (1, 0)}
    assert built(257)[1, 0] == tree_hash(LEAVES[:256])


def test_a_bundle_is_lengths_and_bytes() -> None:
    assert tiles.encode_bundle([b"ab", b"", b"c"]) == b"\x00\x02ab\x00\x00\x00\x01c"
    assert tiles.decode_bundle(b"\x00\x02ab\x00\x00\x00\x01c") == (b"ab", b"", b"c")


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x01ab", b"\x00\x00" * 257], ids=repr
)
def test_a_damaged_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError) as error:
        tiles.decode_bundle(data)
    assert error.value.code == "tile.malformed"


def test_an_entry_has_at_most_65535_bytes() -> None:
    assert len(tiles.encode_bundle([bytes(65_535)])) == 65_537
    with pytest.raises(MalformedError) as error:
        tiles.encode_bundle([bytes(65_536)])
    assert error.value.code == "envelope.too-large"


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 513, 700])
def test_the_nodes_of_tiles_are_those_of_the_tree(size: int) -> None:
    source = nodes(size, built(size))
    for level in range(size.bit_length()):
        for index in range(size >> level):
            assert source(level, index) == tree_hash(LEAVES[index << level : (index + 1) << level])


def test_a_tile_that_has_grown_still_serves_the_older_size() -> None:
    later = built(700)
    assert merkle.node_over(0, 300, nodes(300, later)) == tree_hash(LEAVES[:300])
    grown = tiles.grow(300, lambda tile: later[tile.level, tile.index], LEAVES[300:310])
    assert grown == {(0, 1): built(310)[0, 1]}


@pytest.mark.parametrize("cut", [b"", bytes(32 * 43), bytes(32 * 44 - 1), bytes(32 * 44 + 1)])
def test_a_short_or_ragged_tile_is_refused(cut: bytes) -> None:
    stored = built(300) | {(0, 1): cut}
    with pytest.raises(MalformedError) as error:
        merkle.node_over(0, 300, nodes(300, stored))
    assert error.value.code == "tile.malformed"
    with pytest.raises(MalformedError):
        tiles.grow(300, lambda tile: stored[tile.level, tile.index], LEAVES[300:301])


def test_a_proof_from_ten_million_entries_reads_six_tiles_at_most() -> None:
    """Enough of the tree is made up to count the reads; the hashes do not matter."""
    read: set[Tile] = set()

    def reader(tile: Tile) -> bytes:
        read.add(tile)
        return bytes(32 * tile.width)

    merkle.inclusion_proof(1_234_567, 10_000_000, tiles.TileNodes(10_000_000, reader))
    assert len(read) <= 6
