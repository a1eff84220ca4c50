"""Trees and proofs at their edges; `tests/property/test_log_proofs.py` does the rest."""

import hashlib

import pytest

from ledger.core import merkle
from ledger.errors import IntegrityError, MalformedError, RakkanError
from tests.support.log import tree_hash

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(7)]


def node(level: int, index: int) -> bytes:
    return tree_hash(LEAVES[index << level : (index + 1) << level])


def code_of(error: pytest.ExceptionInfo[RakkanError]) -> str:
    return error.value.code


def test_the_hashes_are_those_of_the_rfc() -> None:
    assert hashlib.sha256(b"").digest() == merkle.EMPTY_ROOT
    assert merkle.leaf_hash(b"x") == hashlib.sha256(b"\x00x").digest()
    assert merkle.node_hash(b"l" * 32, b"r" * 32) == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()


def test_a_leaf_is_not_a_node() -> None:
    left, right = LEAVES[:2]
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root(()) == merkle.EMPTY_ROOT


def test_an_odd_node_is_not_duplicated() -> None:
    three = merkle.root(merkle.extend(0, (), LEAVES[:3]))
    four = merkle.root(merkle.extend(0, (), [*LEAVES[:3], LEAVES[2]]))
    assert three != four


def test_the_inclusion_proof_of_the_only_leaf_is_empty() -> None:
    assert merkle.inclusion_proof(0, 1, node) == ()
    merkle.verify_inclusion(0, 1, LEAVES[0], (), LEAVES[0])


@pytest.mark.parametrize(("index", "size"), [(7, 7), (8, 7), (-1, 7), (0, 0)])
def test_an_index_outside_the_tree_is_malformed(index: int, size: int) -> None:
    with pytest.raises(MalformedError) as error:
        merkle.verify_inclusion(index, size, LEAVES[0], (), tree_hash(LEAVES))
    assert code_of(error) == "proof.malformed"


@pytest.mark.parametrize(("index", "length"), [(7, 3), (8, 4)])
def test_an_index_outside_the_tree_is_malformed_whatever_the_proof_s_length(index: int, length: int) -> None:
    with pytest.raises(MalformedError) as error:
        merkle.verify_inclusion(index, 7, LEAVES[0], [bytes(32)] * length, tree_hash(LEAVES))
    assert code_of(error) == "proof.malformed"


@pytest.mark.parametrize("change", ["longer", "shorter", "short-hash", "long-hash"])
def test_an_inclusion_proof_of_the_wrong_shape_is_malformed(change: str) -> None:
    proof = list(merkle.inclusion_proof(2, 7, node))
    changed = {
        "longer": [*proof, proof[0]],
        "shorter": proof[:-1],
        "short-hash": [proof[0][:-1], *proof[1:]],
        "long-hash": [proof[0] + b"\0", *proof[1:]],
    }[change]
    with pytest.raises(MalformedError) as error:
        merkle.verify_inclusion(2, 7, LEAVES[2], changed, tree_hash(LEAVES))
    assert code_of(error) == "proof.malformed"


def test_a_proof_of_another_leaf_is_a_mismatch_and_shows_both_roots() -> None:
    proof = merkle.inclusion_proof(2, 7, node)
    with pytest.raises(IntegrityError) as error:
        merkle.verify_inclusion(2, 7, LEAVES[3], proof, tree_hash(LEAVES))
    assert code_of(error) == "proof.mismatch"
    assert error.value.evidence["expected"] == tree_hash(LEAVES).hex()


def test_from_the_empty_tree_only_the_empty_proof_passes() -> None:
    root = tree_hash(LEAVES)
    assert merkle.consistency_proof(0, 7, node) == ()
    merkle.verify_consistency(0, 7, (), merkle.EMPTY_ROOT, root)
    with pytest.raises(MalformedError):
        merkle.verify_consistency(0, 7, (LEAVES[0],), merkle.EMPTY_ROOT, root)
    with pytest.raises(IntegrityError):
        merkle.verify_consistency(0, 7, (), LEAVES[0], root)


def test_the_empty_tree_has_one_root() -> None:
    merkle.verify_consistency(0, 0, (), merkle.EMPTY_ROOT, merkle.EMPTY_ROOT)
    with pytest.raises(IntegrityError):
        merkle.verify_consistency(0, 0, (), merkle.EMPTY_ROOT, LEAVES[0])


def test_equal_sizes_need_equal_roots_and_no_hashes() -> None:
    root = tree_hash(LEAVES)
    merkle.verify_consistency(7, 7, (), root, root)
    with pytest.raises(IntegrityError):
        merkle.verify_consistency(7, 7, (), LEAVES[0], root)
    with pytest.raises(MalformedError):
        merkle.verify_consistency(7, 7, (root,), root, root)


@pytest.mark.parametrize(("old", "new"), [(7, 6), (-1, 6)])
def test_a_tree_does_not_shrink(old: int, new: int) -> None:
    with pytest.raises(MalformedError):
        merkle.verify_consistency(old, new, (), tree_hash(LEAVES), tree_hash(LEAVES[:6]))


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_consistency_proof_binds_both_roots(side: str) -> None:
    proof = merkle.consistency_proof(3, 7, node)
    roots = {"old": tree_hash(LEAVES[:3]), "new": tree_hash(LEAVES)}
    merkle.verify_consistency(3, 7, proof, roots["old"], roots["new"])
    roots[side] = LEAVES[0]
    with pytest.raises(IntegrityError) as error:
        merkle.verify_consistency(3, 7, proof, roots["old"], roots["new"])
    assert code_of(error) == "proof.mismatch"


def test_the_largest_sizes_verify_without_trouble() -> None:
    size = 2**63 - 1
    proof = [bytes([level]) * 32 for level in range(63)]
    computed = LEAVES[0]
    for sibling in proof[:62]:
        computed = merkle.node_hash(computed, sibling)
    computed = merkle.node_hash(computed, proof[62])
    merkle.verify_inclusion(0, size, LEAVES[0], proof, computed)
