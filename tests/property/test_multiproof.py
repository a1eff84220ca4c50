"""One proof for many entries: it leads to the root for these entries alone, and every receipt is in it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.merkle import inclusion_proof, leaf_hash, node_over, verify_inclusion
from ledger.core.multiproof import multiproof, multiproof_root, path_of
from ledger.core.tiles import TileNodes, grow
from ledger.errors import MalformedError

LEAVES = [leaf_hash(b"%d" % number) for number in range(700)]
SIZES = st.integers(1, len(LEAVES))


def nodes(size: int) -> TileNodes:
    tiles = grow(0, lambda _: b"", LEAVES[:size])
    return TileNodes(size, lambda tile: tiles[tile.level, tile.index])


@st.composite
def chosen(draw: st.DrawFn) -> tuple[int, list[int]]:
    size = draw(SIZES)
    return size, sorted(draw(st.sets(st.integers(0, size - 1), max_size=40)))


@given(chosen())
def test_it_leads_to_the_root(case: tuple[int, list[int]]) -> None:
    size, indices = case
    node = nodes(size)
    row = b"".join(multiproof(indices, size, node))
    found = multiproof_root(size, ((index, LEAVES[index]) for index in indices), row)
    assert found == node_over(0, size, node)


@given(chosen().filter(lambda case: bool(case[1])))
def test_each_inclusion_proof_can_be_read_out_of_it(case: tuple[int, list[int]]) -> None:
    size, indices = case
    node = nodes(size)
    row = b"".join(multiproof(indices, size, node))
    hashes: dict[tuple[int, int], bytes] = {}

    def seen(low: int, high: int, found: bytes) -> None:
        hashes[low, high] = found

    root = multiproof_root(size, ((index, LEAVES[index]) for index in indices), row, seen)
    for index in indices:
        path = path_of(index, size, lambda low, high: hashes[low, high])
        assert path == inclusion_proof(index, size, node)
        verify_inclusion(index, size, LEAVES[index], path, root)


@given(chosen().filter(lambda case: bool(case[1])), st.data())
def test_another_leaf_or_place_does_not(case: tuple[int, list[int]], data: st.DataObject) -> None:
    size, indices = case
    node = nodes(size)
    row = b"".join(multiproof(indices, size, node))
    leaves = [(index, LEAVES[index]) for index in indices]
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = [*leaves[:at], (leaves[at][0], leaf_hash(b"another")), *leaves[at + 1 :]]
    assert multiproof_root(size, other, row) != node_over(0, size, node)
    with suppress(MalformedError):
        assert multiproof_root(size, [*leaves[:at], *leaves[at + 1 :]], row) != node_over(0, size, node)


@given(chosen(), st.sampled_from(["short", "long"]))
def test_a_row_of_another_length_is_refused(case: tuple[int, list[int]], change: str) -> None:
    size, indices = case
    row = b"".join(multiproof(indices, size, nodes(size)))
    if change == "short" and not row:
        return
    bad = row[:-1] if change == "short" else row + b"\0"
    with pytest.raises(MalformedError):
        multiproof_root(size, ((index, LEAVES[index]) for index in indices), bad)


def test_leaves_out_of_order_are_refused() -> None:
    row = b"".join(multiproof([2, 5], 8, nodes(8)))
    for leaves in ([5, 2], [2, 2, 5], [2, 5, 9]):
        with pytest.raises(MalformedError):
            multiproof_root(8, ((index, LEAVES[index % 8]) for index in leaves), row)
