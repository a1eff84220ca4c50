"""Every proof for every small tree, against the definitions of the RFC written down recursively."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import merkle, tiles
from ledger.errors import IntegrityError, MalformedError
from tests.support.log import path, proof, tree_hash

MOST = 300
LEAVES = [merkle.leaf_hash(number.to_bytes(2, "big")) for number in range(MOST)]
TILES = tiles.grow(0, lambda tile: b"", LEAVES)
SIZES = st.integers(1, MOST)


def node(level: int, index: int) -> bytes:
    return tree_hash(LEAVES[index << level : (index + 1) << level])


def from_tiles(size: int) -> tiles.TileNodes:
    return tiles.TileNodes(size, lambda tile: TILES[tile.level, tile.index])


@given(sizes=st.lists(st.integers(0, MOST), max_size=6).map(sorted))
def test_growing_in_steps_gives_the_tree(sizes: list[int]) -> None:
    size = 0
    peaks: merkle.Peaks = ()
    stored: dict[tuple[int, int], bytes] = {}
    for larger in sizes:
        leaves = LEAVES[size:larger]
        stored.update(tiles.grow(size, lambda tile: stored[tile.level, tile.index], leaves))
        peaks = merkle.extend(size, peaks, leaves)
        size = larger
        assert len(peaks) == size.bit_count()
        assert merkle.root(peaks) == tree_hash(LEAVES[:size])
        assert stored == tiles.grow(0, lambda tile: b"", LEAVES[:size])
        named = {(tile.level, tile.index): tile.width * 32 for tile in tiles.tiles_of(0, size)}
        assert named == {name: len(hashes) for name, hashes in stored.items()}


@given(before=st.integers(0, MOST), size=st.integers(0, MOST))
def test_the_new_tiles_are_those_that_growing_changes(before: int, size: int) -> None:
    before, size = sorted((before, size))
    stored = tiles.grow(0, lambda tile: b"", LEAVES[:before])
    changed = tiles.grow(before, lambda tile: stored[tile.level, tile.index], LEAVES[before:size])
    named = {(tile.level, tile.index): tile.width * 32 for tile in tiles.tiles_of(before, size)}
    assert named == {name: len(hashes) for name, hashes in changed.items()}


@given(size=SIZES, data=st.data())
def test_inclusion_proofs_are_the_rfc_s_from_either_source(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(start + 1, min(size, start + 5)))
    proofs = merkle.inclusion_proofs(start, stop, size, from_tiles(size))
    assert proofs == [tuple(path(index, LEAVES[:size])) for index in range(start, stop)]
    assert proofs == [merkle.inclusion_proof(index, size, node) for index in range(start, stop)]
    for index, found in enumerate(proofs, start):
        merkle.verify_inclusion(index, size, LEAVES[index], found, tree_hash(LEAVES[:size]))


@given(sizes=st.tuples(SIZES, SIZES).map(sorted))
def test_consistency_proofs_are_the_rfc_s_from_either_source(sizes: list[int]) -> None:
    old, new = sizes
    found = merkle.consistency_proof(old, new, from_tiles(new))
    assert found == tuple(proof(old, LEAVES[:new])) == merkle.consistency_proof(old, new, node)
    merkle.verify_consistency(old, new, found, tree_hash(LEAVES[:old]), tree_hash(LEAVES[:new]))


@pytest.mark.parametrize("size", [*range(1, 70), 127, 128, 129, 255, 256, 257, 300])
def test_every_proof_of_a_small_tree_verifies_and_no_other(size: int) -> None:
    source, root = from_tiles(size), tree_hash(LEAVES[:size])
    for index, found in enumerate(merkle.inclusion_proofs(0, size, size, source)):
        merkle.verify_inclusion(index, size, LEAVES[index], found, root)
        with pytest.raises((IntegrityError, MalformedError)):
            merkle.verify_inclusion((index + 1) % (size + 1), size, LEAVES[index], found, root)
    for old in range(size + 1):
        found = merkle.consistency_proof(old, size, source)
        merkle.verify_consistency(old, size, found, tree_hash(LEAVES[:old]), root)


@given(size=SIZES, data=st.data())
def test_a_changed_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root = tree_hash(LEAVES[:size])
    good = merkle.inclusion_proof(index, size, node)
    changed = data.draw(mangled(good))
    with pytest.raises((IntegrityError, MalformedError)):
        merkle.verify_inclusion(index, size, LEAVES[index], changed, root)


@given(sizes=st.tuples(SIZES, SIZES).map(sorted), data=st.data())
def test_a_changed_consistency_proof_is_refused(sizes: list[int], data: st.DataObject) -> None:
    old, new = sizes
    changed = data.draw(mangled(merkle.consistency_proof(old, new, node)))
    with pytest.raises((IntegrityError, MalformedError)):
        merkle.verify_consistency(old, new, changed, tree_hash(LEAVES[:old]), tree_hash(LEAVES[:new]))


@given(sizes=st.tuples(SIZES, SIZES).filter(lambda sizes: sizes[0] != sizes[1]), data=st.data())
def test_an_inclusion_proof_is_for_one_size(sizes: tuple[int, int], data: st.DataObject) -> None:
    made, asked = sizes
    index = data.draw(st.integers(0, min(sizes) - 1))
    good = merkle.inclusion_proof(index, made, node)
    with pytest.raises((IntegrityError, MalformedError)):
        merkle.verify_inclusion(index, asked, LEAVES[index], good, tree_hash(LEAVES[:asked]))


def mangled(good: merkle.Proof) -> st.SearchStrategy[merkle.Proof]:
    """Draw a proof that differs from a good one in one place."""
    longer = st.integers(0, len(good)).map(lambda at: (*good[:at], LEAVES[0], *good[at:]))
    if not good:
        return longer
    places = st.integers(0, len(good) - 1)
    flipped = st.tuples(places, st.integers(0, 255)).map(lambda drawn: _flip(good, *drawn))
    shorter = places.map(lambda at: good[:at] + good[at + 1 :])
    return st.one_of(longer, shorter, flipped)


def _flip(good: merkle.Proof, at: int, bit: int) -> merkle.Proof:
    changed = bytearray(good[at])
    changed[bit // 8] ^= 1 << bit % 8
    return (*good[:at], bytes(changed), *good[at + 1 :])
