"""The Merkle tree of RFC 9162 section 2.1 (the same as RFC 6962), without storage.

* A leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right), an empty tree SHA-256("").
* A tree of n leaves splits at the largest power of two below n; an odd node is never duplicated.
* A tree is carried as its size and its *peaks*: the roots of its perfect subtrees, largest first. There are
  as many peaks as the size has one-bits.
* Proofs are made from a *node source*: ``node(level, index)`` is the root of the perfect subtree over the
  leaves ``index * 2**level`` up to ``(index + 1) * 2**level``. Only subtrees inside the tree are asked for.
* Every hash is 32 bytes. Proofs are ordered from the leaf to the root.
* A consistency proof from the empty tree is empty and passes: tlog-witness requires it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from ledger.errors import IntegrityError, MalformedError

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

Peaks = tuple[bytes, ...]
Proof = tuple[bytes, ...]
NodeSource = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry), 32 bytes (RFC 9162 section 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), 32 bytes (RFC 9162 section 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def extend(size: int, peaks: Peaks, leaf_hashes: Iterable[bytes]) -> Peaks:
    """Return the peaks of the tree of ``size`` leaves with ``leaf_hashes`` added at its end.

    ``peaks`` must belong to ``size``: one for each one-bit.
    """
    stack = list(peaks)
    for leaf in leaf_hashes:
        node, carry = leaf, size
        while carry & 1:
            node = sha256(b"\x01" + stack.pop() + node).digest()
            carry >>= 1
        stack.append(node)
        size += 1
    return tuple(stack)


def root(peaks: Peaks) -> bytes:
    """Return the root over the peaks; ``EMPTY_ROOT`` when there are none."""
    if not peaks:
        return EMPTY_ROOT
    result = peaks[-1]
    for peak in reversed(peaks[:-1]):
        result = node_hash(peak, result)
    return result


def peaks_of(start: int, stop: int, node: NodeSource) -> Peaks:
    """Return the peaks over the leaves ``start <= i < stop``.

    ``start`` must be a multiple of the largest power of two that fits into ``stop - start``: 0, or a split
    point of a tree.
    """
    found = []
    for level in range((stop - start).bit_length() - 1, -1, -1):
        if (stop - start) >> level & 1:
            found.append(node(level, start >> level))
            start += 1 << level
    return tuple(found)


def inclusion_proofs(start: int, stop: int, size: int, node: NodeSource) -> list[Proof]:
    """Return the inclusion proof of each leaf ``start <= i < stop`` in the tree of ``size`` leaves.

    RFC 9162 section 2.1.3.1. Neighbours share the upper part of their proofs, so a batch costs little more
    than its longest proof. ``0 <= start < stop <= size`` must hold.
    """
    proofs: list[Proof] = []
    pending: list[tuple[int, int, Proof]] = [(0, size, ())]
    while pending:
        low, high, above = pending.pop()
        if high - low == 1:
            proofs.append(above)
            continue
        middle = low + split(high - low)
        if stop > middle:
            pending.append((middle, high, (node_over(low, middle, node), *above)))
        if start < middle:
            pending.append((low, middle, (node_over(middle, high, node), *above)))
    return proofs


def inclusion_proof(index: int, size: int, node: NodeSource) -> Proof:
    """Return the inclusion proof of leaf ``index`` in the tree of ``size`` leaves. ``index < size``."""
    return inclusion_proofs(index, index + 1, size, node)[0]


def consistency_proof(old: int, new: int, node: NodeSource) -> Proof:
    """Return the proof that the tree of ``old`` leaves is a prefix of the tree of ``new`` leaves.

    RFC 9162 section 2.1.4.1; empty when ``old`` is 0 or equals ``new``. ``0 <= old <= new`` must hold.
    """
    if old == 0:
        return ()
    proof: list[bytes] = []
    low, high = 0, new
    while high != old:
        middle = low + split(high - low)
        if old <= middle:
            proof.append(node_over(middle, high, node))
            high = middle
        else:
            proof.append(node_over(low, middle, node))
            low = middle
    if low > 0:
        # The old tree's last subtree is not the whole old tree, so the verifier does not have its hash yet.
        proof.append(node_over(low, high, node))
    return tuple(reversed(proof))


def node_over(start: int, stop: int, node: NodeSource) -> bytes:
    """Return the Merkle tree hash over the leaves ``start <= i < stop``, aligned as in ``peaks_of``."""
    width = stop - start
    if width & (width - 1) == 0 < width:
        level = width.bit_length() - 1
        return node(level, start >> level)
    return root(peaks_of(start, stop, node))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], tree_root: bytes) -> None:
    """Return if ``leaf`` (a leaf hash) is leaf ``index`` of the tree of ``size`` leaves with this root.

    RFC 9162 section 2.1.3.2. Raises ``MalformedError("proof.malformed")`` when the number or length of the
    hashes cannot be right for this index and size, and ``IntegrityError("proof.mismatch")`` when they lead
    to another root.
    """
    _check_root(inclusion_root(index, size, leaf, proof), tree_root, index=index, size=size)


def inclusion_root(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to from a leaf hash.

    It proves nothing before somebody trusted has stated that root. Raises ``MalformedError`` as
    ``verify_inclusion``.
    """
    if not 0 <= index < size:
        raise MalformedError("proof.malformed", "The index is not in the tree.", index=index, size=size)
    inner = (index ^ (size - 1)).bit_length()
    _check_shape(proof, inner + (index >> inner).bit_count())
    computed = leaf
    for level, sibling in enumerate(proof):
        # Above ``inner`` the path runs along the right edge: every sibling there is on the left.
        if level >= inner or index >> level & 1:
            computed = node_hash(sibling, computed)
        else:
            computed = node_hash(computed, sibling)
    return computed


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Return if the tree of ``old`` leaves with ``old_root`` is a prefix of the other one.

    RFC 9162 section 2.1.4.2, and tlog-witness for ``old == 0``: the proof is empty and ``old_root`` is that
    of the empty tree. Raises as ``verify_inclusion`` does.
    """
    if not 0 <= old <= new:
        raise MalformedError("proof.malformed", "The older tree is the larger one.", old=old, new=new)
    if old in {0, new}:
        _check_shape(proof, 0)
        _check_root(old_root, EMPTY_ROOT if old == 0 else new_root, old=old, new=new)
        _check_root(new_root, EMPTY_ROOT if new == 0 else new_root, old=old, new=new)
        return
    last = old - 1
    skipped = (old & -old).bit_length() - 1
    inner = (last ^ (new - 1)).bit_length()
    whole = old == 1 << skipped
    _check_shape(proof, (not whole) + inner - skipped + (last >> inner).bit_count())
    seed, path = (old_root, proof) if whole else (proof[0], proof[1:])
    old_side = new_side = seed
    for level, sibling in enumerate(path, start=skipped):
        if level >= inner or last >> level & 1:
            old_side = node_hash(sibling, old_side)
            new_side = node_hash(sibling, new_side)
        else:
            new_side = node_hash(new_side, sibling)
    _check_root(old_side, old_root, old=old, new=new)
    _check_root(new_side, new_root, old=old, new=new)


def split(width: int) -> int:
    """Return the largest power of two below ``width`` (RFC 9162 section 2.1.1). ``width >= 2``."""
    return 1 << (width - 1).bit_length() - 1


def _check_shape(proof: Sequence[bytes], length: int) -> None:
    if len(proof) != length or any(len(item) != HASH_SIZE for item in proof):
        raise MalformedError(
            "proof.malformed", "The proof has another shape than needed.", expected=length, got=len(proof)
        )


def _check_root(computed: bytes, expected: bytes, **evidence: object) -> None:
    if computed != expected:
        raise IntegrityError(
            "proof.mismatch",
            "The proof leads to another root.",
            computed=computed.hex(),
            expected=expected.hex(),
            **evidence,
        )
