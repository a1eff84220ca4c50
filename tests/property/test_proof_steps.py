"""The steps that a page draws: they lead to the root of the RFC's own definition, each over what it names."""

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.merkle import Proof, leaf_hash, verify_consistency, verify_inclusion
from ledger.core.proof_steps import Join, consistency_steps, inclusion_steps
from tests.support.log import entries, path, proof, tree_hash

LEAVES = [leaf_hash(entry) for entry in entries(300)]
HUGE = st.integers(1, 2**40)


def adjoining(steps: tuple[Join, ...], low: int, high: int) -> bool:
    """Whether each step takes what the one before it made, beginning with these leaves."""
    for step in steps:
        ours = (step.middle, step.high) if step.given_left else (step.low, step.middle)
        if ours != (low, high):
            return False
        low, high = step.low, step.high
    return True


@given(st.integers(1, 300), st.data())
def test_each_step_is_the_hash_over_the_leaves_that_it_names(size: int, data: st.DataObject) -> None:
    index, leaves = data.draw(st.integers(0, size - 1)), LEAVES[:size]
    steps = inclusion_steps(index, size, leaves[index], path(index, leaves))
    assert adjoining(steps, index, index + 1)
    for step in steps:
        assert step.left == tree_hash(leaves[step.low : step.middle])
        assert step.right == tree_hash(leaves[step.middle : step.high])
    assert (steps[-1].result if steps else leaves[index]) == tree_hash(leaves)
    assert [step.given for step in steps] == path(index, leaves)


@given(st.integers(1, 40), st.data())
def test_the_last_step_is_the_root_that_pymerkle_computes(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries(size):
        tree.append_entry(entry)
    steps = inclusion_steps(index, size, LEAVES[index], path(index, LEAVES[:size]))
    assert (steps[-1].result if steps else LEAVES[index]) == tree.get_root()


@given(HUGE, st.data())
def test_a_tree_of_a_million_million_leaves_has_a_step_for_each_hash(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    steps = inclusion_steps(index, size, LEAVES[0], given_hashes(index, size))
    assert adjoining(steps, index, index + 1)
    root = steps[-1].result if steps else LEAVES[0]
    verify_inclusion(index, size, LEAVES[0], [step.given for step in steps], root)


def given_hashes(index: int, size: int) -> Proof:
    """Return as many hashes as a proof of this shape has."""
    inner = (index ^ (size - 1)).bit_length()
    return tuple(LEAVES[: inner + (index >> inner).bit_count()])


@given(st.integers(2, 300), st.data())
def test_two_trees_are_led_to_from_the_same_hashes(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    leaves, hashes = LEAVES[:new], proof(old, LEAVES[:new])
    before, root = tree_hash(leaves[:old]), tree_hash(leaves)
    verify_consistency(old, new, hashes, before, root)
    of_old, of_new = consistency_steps(old, new, hashes, before)
    assert of_new[-1].result == root
    assert of_new[-1].high == new
    assert adjoining(of_new, of_new[0].low if not of_new[0].given_left else of_new[0].middle, old)
    if of_old:
        assert (of_old[-1].result, of_old[-1].low, of_old[-1].high) == (before, 0, old)
        assert adjoining(of_old, of_old[0].middle, old)
    for step in (*of_old, *of_new):
        assert step.left == tree_hash(leaves[step.low : step.middle])
        assert step.right == tree_hash(leaves[step.middle : step.high])


def test_another_number_of_hashes_is_no_path() -> None:
    with pytest.raises(ValueError, match="zip"):
        inclusion_steps(3, 7, LEAVES[3], LEAVES[:2])
    with pytest.raises(ValueError, match="zip"):
        consistency_steps(3, 7, LEAVES[:2], LEAVES[0])
