"""Random inventories: every work has one answer, it verifies, and the other answer cannot be forged."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import canonical
from ledger.core.rights.inventory import Commitment, Leaf, Record, Rows, Salts, parse_record, sample
from ledger.core.rights.inventory_proof import (
    Kind,
    format_proof,
    parse_proof,
    verify,
)
from ledger.errors import IntegrityError, MalformedError, RakkanError
from tests.support.inventory import Tree, tree

# Keys that are near one another, at both ends, and equal in all but a byte.
KEYS = st.one_of(
    st.binary(min_size=32, max_size=32),
    st.builds(
        lambda head, tail: bytes([head]) + bytes(30) + bytes([tail]),
        st.sampled_from((0, 1, 255)),
        st.integers(0, 255),
    ),
)
SETS = st.sets(KEYS, min_size=1, max_size=40)
WRONG = (IntegrityError, MalformedError)


@given(keys=SETS, other=KEYS)
def test_every_work_is_proven_in_or_not_in(keys: set[bytes], other: bytes) -> None:
    made = tree(keys)
    for sought in {*keys, other}:
        proof = made.honest(sought)
        shown = verify(proof, made.commitment)
        assert (proof.kind is Kind.MEMBER) == (sought in keys)
        if shown.index is None:
            below = None if shown.below is None else made.leaves[shown.below].key
            above = None if shown.above is None else made.leaves[shown.above].key
            assert (below or b"") < sought < (above or b"\xff" * 33)
        else:
            assert made.leaves[shown.index].key == sought


@given(keys=st.sets(KEYS, min_size=1, max_size=12), other=KEYS)
def test_no_choice_of_leaves_shows_the_opposite(keys: set[bytes], other: bytes) -> None:
    made = tree(keys)
    for sought in {*keys, other}:
        opposite = Kind.ABSENT if sought in keys else Kind.MEMBER
        choices = [(), *combinations(range(len(keys)), 1), *combinations(range(len(keys)), 2)]
        for chosen in choices:
            for order in (chosen, chosen[::-1]):
                with pytest.raises(WRONG):
                    verify(made.proof(opposite, sought, *order))


@given(keys=SETS, other=KEYS, data=st.data())
def test_a_flipped_bit_is_refused(keys: set[bytes], other: bytes, data: st.DataObject) -> None:
    made = tree(keys)
    proof = made.honest(data.draw(st.sampled_from([*sorted(keys), other])))
    text = bytearray(format_proof(proof))
    text[data.draw(st.integers(0, len(text) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        changed = parse_proof(bytes(text))
        shown = verify(changed, made.commitment)
    except RakkanError:
        return
    # What is left over says nothing else: the name is not bound, and a key may move inside its gap.
    assert shown.index == verify(proof).index
    assert changed.kind is proof.kind
    assert {leaf.key for leaf in made.leaves}.isdisjoint({changed.key} - {proof.key})
    assert changed.places == proof.places


@given(keys=SETS, other=KEYS, data=st.data())
def test_a_wrong_size_is_refused(keys: set[bytes], other: bytes, data: st.DataObject) -> None:
    made = tree(keys)
    proof = made.honest(other)
    size = data.draw(st.integers(1, 2 * len(keys) + 2).filter(lambda size: size != len(keys)))
    wrong = replace(proof, commitment=Commitment(size, made.commitment.root))
    with pytest.raises(RakkanError) as error:
        verify(wrong, made.commitment)
    assert error.value.code == "inventory.other"


@given(keys=SETS, other=KEYS)
def test_what_is_parsed_formats_back_to_the_same_bytes(keys: set[bytes], other: bytes) -> None:
    for sought in {min(keys), other}:
        proof = tree(keys).honest(sought)
        assert parse_proof(format_proof(proof)) == proof


@given(data=st.binary(max_size=200))
def test_no_bytes_break_the_parsers(data: bytes) -> None:
    for parse in (parse_proof, parse_record):
        with pytest.raises(MalformedError):
            parse(data)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cf")), min_size=1, max_size=20)
ROWS = st.lists(st.tuples(TEXT, TEXT, st.one_of(st.none(), st.just(""), TEXT)), min_size=1, max_size=20)


@given(rows=ROWS)
def test_what_the_build_writes_is_the_canonical_record(
    rows: list[tuple[str, str, str | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The fast way and `Record.encode` agree, byte for byte, and the leaf holds the digest."""
    from ledger.service.inventory.rows import Records

    path: Path = tmp_path_factory.mktemp("records") / "out"
    keys = [sha256(b"%d" % number).hexdigest() for number in range(len(rows))]
    works, holders, grants = zip(*rows, strict=True)
    with path.open("x+b") as out:
        leaves = Records(out, Salts(b"seed")).take(Rows(1, works, keys, holders, grants))
    salts = Salts(b"seed").take(len(rows))
    lines = path.read_bytes().split(b"\n")
    for number, (work, holder, grant) in enumerate(rows):
        record = Record(work, holder, grant or None, salts[32 * number : 32 * number + 32])
        assert lines[number] == record.encode() == canonical.encode(canonical.decode(lines[number]))
        assert parse_record(lines[number]) == record
        assert leaves[number].tobytes()[:64] == bytes.fromhex(keys[number]) + sha256(lines[number]).digest()


@given(size=st.integers(1, 500), root=st.binary(min_size=32, max_size=32), data=st.data())
def test_a_sample_has_no_work_twice_and_a_smaller_one_begins_it(
    size: int, root: bytes, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, size))
    drawn = sample(Commitment(size, root), count)
    assert len(set(drawn)) == count
    assert all(0 <= index < size for index in drawn)
    assert sample(Commitment(size, root), count // 2) == drawn[: count // 2]


def test_a_maker_who_does_not_sort_can_say_both_and_is_caught_by_both() -> None:
    """What docs/spec/inventory.md says that a single proof does not show."""
    keys = [bytes([number]) * 32 for number in (1, 5, 3, 7)]
    made = Tree([Leaf(item, bytes(32)) for item in keys])
    assert verify(made.proof(Kind.MEMBER, keys[1], 1)).index == 1
    assert verify(made.proof(Kind.ABSENT, keys[1], 2, 3)).index is None
