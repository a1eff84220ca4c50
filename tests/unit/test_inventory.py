"""Named defects of an inventory's proofs and records: each is refused, under its own code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from ledger.core import canonical
from ledger.core.rights.inventory import Commitment, Leaf, Record, Salts, parse_record, sample
from ledger.core.rights.inventory_proof import (
    InventoryProof,
    Kind,
    format_proof,
    parse_proof,
    verify,
    verify_record,
)
from ledger.errors import RakkanError, UndecidedError
from tests.architecture.project import ROOT
from tests.support.inventory import Tree, tree

KEYS = [bytes([10 * number]) * 32 for number in range(1, 8)]
BETWEEN, BELOW, ABOVE = b"\x25" * 32, b"\x01" * 32, b"\xf0" * 32
SEVEN = tree(KEYS)
MEMBER, ABSENT = SEVEN.honest(KEYS[2]), SEVEN.honest(BETWEEN)


def code(proof: InventoryProof, expected: Commitment | None = None) -> str:
    with pytest.raises(RakkanError) as error:
        verify(proof, expected)
    return error.value.code


def test_a_member_and_three_kinds_of_absence() -> None:
    assert verify(MEMBER).index == 2
    gaps = [verify(SEVEN.honest(sought)) for sought in (BELOW, BETWEEN, ABOVE)]
    assert [(gap.below, gap.above) for gap in gaps] == [(None, 0), (2, 3), (6, None)]


def test_an_inventory_of_one_work() -> None:
    one = tree([BETWEEN])
    assert verify(one.honest(BETWEEN)).index == 0
    assert verify(one.honest(BELOW)).above == 0
    assert verify(one.honest(ABOVE)).below == 0


@pytest.mark.parametrize(("size", "root"), [(0, bytes(32)), (-1, bytes(32)), (2**53, bytes(32)), (1, b"")])
def test_no_inventory_is_empty_or_without_a_root(size: int, root: bytes) -> None:
    with pytest.raises(RakkanError) as error:
        Commitment(size, root)
    assert error.value.code == "inventory.proof"


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(SEVEN.proof(Kind.ABSENT, BETWEEN, 1, 3), id="neighbours with a work between them"),
        pytest.param(SEVEN.proof(Kind.ABSENT, KEYS[2], 1, 3), id="neighbours round the work itself"),
        pytest.param(SEVEN.proof(Kind.ABSENT, BETWEEN, 3, 2), id="neighbours the wrong way round"),
        pytest.param(SEVEN.proof(Kind.ABSENT, BETWEEN, 3, 4), id="neighbours elsewhere"),
        pytest.param(SEVEN.proof(Kind.ABSENT, KEYS[2], 2, 3), id="the work is the lower neighbour"),
        pytest.param(SEVEN.proof(Kind.ABSENT, KEYS[3], 2, 3), id="the work is the upper neighbour"),
        pytest.param(SEVEN.proof(Kind.ABSENT, BETWEEN), id="no leaves"),
        pytest.param(SEVEN.proof(Kind.ABSENT, BETWEEN, 2), id="one leaf in the middle"),
        pytest.param(SEVEN.proof(Kind.ABSENT, BETWEEN, 0), id="above the first leaf"),
        pytest.param(SEVEN.proof(Kind.ABSENT, BETWEEN, 6), id="below the last leaf"),
        pytest.param(SEVEN.proof(Kind.ABSENT, KEYS[0], 0), id="the work is the first leaf"),
        pytest.param(SEVEN.proof(Kind.ABSENT, BETWEEN, 1, 2, 3), id="three leaves"),
        pytest.param(SEVEN.proof(Kind.MEMBER, BETWEEN, 2), id="another work's leaf"),
        pytest.param(SEVEN.proof(Kind.MEMBER, KEYS[2], 2, 2), id="the leaf twice"),
        pytest.param(SEVEN.proof(Kind.MEMBER, KEYS[2]), id="a member without a leaf"),
        pytest.param(replace(MEMBER, kind=Kind.ABSENT), id="a membership called absence"),
        pytest.param(replace(ABSENT, kind=Kind.MEMBER), id="an absence called membership"),
    ],
)
def test_leaves_that_do_not_show_it(forged: InventoryProof) -> None:
    assert code(forged) == "inventory.unproven"


def moved(proof: InventoryProof, by: int) -> InventoryProof:
    """The same leaves and hashes under other indices: neighbours by name only."""
    return replace(proof, places=tuple(replace(place, index=place.index + by) for place in proof.places))


@pytest.mark.parametrize(
    ("forged", "expected"),
    [
        pytest.param(moved(ABSENT, 1), "proof.mismatch", id="indices moved"),
        pytest.param(moved(MEMBER, -3), "proof.malformed", id="an index below the first"),
        pytest.param(
            replace(
                SEVEN.proof(Kind.ABSENT, KEYS[2], 1, 3),
                places=(SEVEN.place(1), replace(SEVEN.place(3), index=2)),
            ),
            "proof.mismatch",
            id="a gap hidden by a false index",
        ),
        pytest.param(
            replace(MEMBER, places=(replace(SEVEN.place(3), leaf=SEVEN.leaves[2], index=2),)),
            "proof.mismatch",
            id="another leaf's hashes",
        ),
        pytest.param(
            replace(MEMBER, places=(replace(SEVEN.place(2), leaf=Leaf(KEYS[2], bytes(32))),)),
            "proof.mismatch",
            id="another record",
        ),
        pytest.param(
            replace(MEMBER, places=(replace(SEVEN.place(2), path=SEVEN.place(2).path[:-1]),)),
            "proof.malformed",
            id="a hash too few",
        ),
        pytest.param(
            replace(MEMBER, commitment=Commitment(700, SEVEN.commitment.root)),
            "proof.malformed",
            id="another size",
        ),
        pytest.param(
            replace(MEMBER, commitment=Commitment(7, bytes(32))), "proof.mismatch", id="another root"
        ),
    ],
)
def test_leaves_that_are_not_in_the_tree(forged: InventoryProof, expected: str) -> None:
    assert code(forged) == expected


def test_a_size_that_ends_early_proves_no_absence() -> None:
    """With a smaller size the last leaf but one would be the last; the hashes then do not fit."""
    short = Commitment(6, SEVEN.commitment.root)
    assert code(replace(SEVEN.proof(Kind.ABSENT, KEYS[6], 5), commitment=short)) in {
        "proof.malformed",
        "proof.mismatch",
    }


def test_another_dataset_s_proof_is_undecided() -> None:
    other = tree(KEYS[1:])
    with pytest.raises(UndecidedError) as error:
        verify(other.honest(KEYS[0]), SEVEN.commitment)
    assert error.value.code == "inventory.other"
    assert verify(MEMBER, SEVEN.commitment).index == 2


# --- the text ----------------------------------------------------------------------------------------------

Change = Callable[[Any], object]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda it: it.pop("root"), "inventory.proof", id="no root"),
        pytest.param(lambda it: it.update(more=1), "inventory.proof", id="a member too many"),
        pytest.param(
            lambda it: it.update(format="rakkan-inventory-proof/2"), "inventory.proof", id="version 2"
        ),
        pytest.param(lambda it: it.update(kind="perhaps"), "inventory.proof", id="another kind"),
        pytest.param(lambda it: it.update(size=0), "inventory.proof", id="size 0"),
        pytest.param(lambda it: it.update(size=True), "inventory.proof", id="size true"),
        pytest.param(lambda it: it.update(key="AB" * 32), "digest.malformed", id="capitals"),
        pytest.param(lambda it: it.update(leaves=[]), "inventory.proof", id="an empty list of leaves"),
        pytest.param(lambda it: it.update(leaves=[7]), "inventory.proof", id="a leaf that is no object"),
        pytest.param(lambda it: it.update(dataset="a\nb"), "inventory.proof", id="a name of two lines"),
        pytest.param(
            lambda it: it["leaves"][0].update(hashes=["AAAA"]), "inventory.proof", id="a short hash"
        ),
        pytest.param(lambda it: it["leaves"][0].update(hashes=["?"]), "inventory.proof", id="no base64"),
    ],
)
def test_a_proof_in_another_form(change: Change, expected: str) -> None:
    document = canonical.decode(format_proof(MEMBER))
    change(document)
    with pytest.raises(RakkanError) as error:
        parse_proof(canonical.encode(document))
    assert error.value.code == expected


def test_a_proof_in_another_layout() -> None:
    with pytest.raises(RakkanError) as error:
        parse_proof(format_proof(MEMBER) + b"\n")
    assert error.value.code == "json.not-canonical"


def test_the_text_of_a_proof_does_not_change() -> None:
    """A published format: what is written today is read for ever."""
    assert sha256(format_proof(ABSENT)).hexdigest() == (
        "3deb974e92ada14b8556adc0cea7b1e0885b6b21cb87eee649433246078cd704"
    )


def test_the_example_of_the_specification_is_a_proof() -> None:
    page = (ROOT / "docs" / "spec" / "inventory.md").read_text(encoding="utf-8")
    example = canonical.parse(page.split("```")[1].encode())
    shown = verify(parse_proof(canonical.encode(example)))
    assert (shown.proof.kind, shown.below, shown.above) == (Kind.ABSENT, 2, None)


# --- records -----------------------------------------------------------------------------------------------

RECORD = Record("plate.png", "森　太郎", "G-1", "0" * 32)


def with_record(record: Record) -> Tree:
    return Tree([Leaf(BETWEEN, sha256(record.encode()).digest())])


def test_a_record_opens_its_own_leaf_only() -> None:
    shown = verify(with_record(RECORD).honest(BETWEEN))
    assert verify_record(shown, RECORD.encode()) == RECORD
    for other in (replace(RECORD, grant=None), replace(RECORD, salt="1" * 32), replace(RECORD, work="x")):
        with pytest.raises(RakkanError) as error:
            verify_record(shown, other.encode())
        assert error.value.code == "inventory.other-record"


def test_what_is_absent_has_no_record() -> None:
    with pytest.raises(RakkanError) as error:
        verify_record(verify(with_record(RECORD).honest(BELOW)), RECORD.encode())
    assert error.value.code == "inventory.other-record"


@pytest.mark.parametrize(
    "document",
    [{"work": "a", "rights_holder": "b"}, {**canonical.decode(RECORD.encode()), "more": "x"}, ["work"]],
)
def test_a_record_in_another_form(document: object) -> None:
    with pytest.raises(RakkanError) as error:
        parse_record(canonical.encode(document))
    assert error.value.code == "inventory.record"


def test_salts_do_not_depend_on_how_many_are_taken_at_once() -> None:
    one = Salts(b"seed").take(9000)
    many = Salts(b"seed")
    assert "".join(many.take(count) for count in (1, 4095, 4, 4900)) == one
    assert len({one[at : at + 32] for at in range(0, len(one), 32)}) == 9000
    assert Salts(b"other").take(9000) != one


def test_the_sample_of_a_root_does_not_change() -> None:
    """Anybody can draw it again (docs/spec/inventory.md)."""
    drawn = sample(Commitment(1000, bytes(32)), 4)
    label = b"rakkan inventory sample\n" + bytes(32) + (1000).to_bytes(8, "big")
    assert drawn == tuple(
        int.from_bytes(sha256(label + turn.to_bytes(8, "big")).digest(), "big") % 1000 for turn in range(4)
    )
