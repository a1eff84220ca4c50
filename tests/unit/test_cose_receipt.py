"""COSE Receipts: what their signature covers, and what it does not."""

import dataclasses
from pathlib import Path

import pytest

from ledger.core import cbor
from ledger.core.checkpoint import Checkpoint
from ledger.core.cose_receipt import (
    CoseReceipt,
    Inclusion,
    format_cose_receipt,
    key_of,
    parse_cose_receipt,
    verify_cose_consistency,
    verify_cose_inclusion,
)
from ledger.core.note import NoteSigner
from ledger.errors import IntegrityError, MalformedError, RakkanError, UndecidedError
from ledger.testing import SeedSigner
from tests.architecture.project import ROOT as ROOT_FOLDER
from tests.vectors.log import generate as log
from tests.vectors.receipts import generate
from tests.vectors.receipts.generate import HERE, KEY, LOG, OLD, ORIGIN, ROOT, SIZE

ENTRY = log.ENTRIES[77]
FILES = sorted(HERE.glob("*.cose"))
INCLUSION = parse_cose_receipt((HERE / "good-inclusion.cose").read_bytes())
CONSISTENCY = parse_cose_receipt((HERE / "good-consistency.cose").read_bytes())
BEFORE, AFTER = Checkpoint(ORIGIN, OLD, log._root(OLD)), Checkpoint(ORIGIN, SIZE, ROOT)
WELL_FORMED = {
    "bad-hash-changed": "receipt.signature",
    "bad-hash-missing": "proof.malformed",
    "bad-another-index": "receipt.signature",
    "bad-index-beyond-the-tree": "proof.malformed",
    "bad-another-root-signed": "receipt.signature",
    "bad-another-key": "key.unknown",
}
"""The bad receipts whose defect is not their form."""


def code(receipt: CoseReceipt, entry: bytes = ENTRY) -> str:
    with pytest.raises(RakkanError) as error:
        verify_cose_inclusion(receipt, entry, [LOG.verifier])
    return error.value.code


def test_the_generator_gives_these_files() -> None:
    assert {path.name: path.read_bytes() for path in FILES} == generate.vectors()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_good_is_accepted_and_bad_is_refused_for_its_defect(path: Path) -> None:
    data, name = path.read_bytes(), path.stem
    if name == "good-consistency":
        verify_cose_consistency(parse_cose_receipt(data), BEFORE, AFTER, [LOG.verifier])
    elif name == "good-inclusion":
        assert verify_cose_inclusion(parse_cose_receipt(data), ENTRY, [LOG.verifier]) == ROOT
    elif name in WELL_FORMED:
        assert code(parse_cose_receipt(data)) == WELL_FORMED[name]
    else:
        with pytest.raises(MalformedError) as error:
            parse_cose_receipt(data)
        assert error.value.code == "receipt.malformed"


def test_the_page_shows_the_good_receipt() -> None:
    page, good = (ROOT_FOLDER / "docs" / "spec" / "receipt.md").read_text(), HERE / "good-inclusion.cose"
    assert f"{good.name}`, {len(good.read_bytes())} bytes" in page
    assert f"{{ 1: -8, 4: '{INCLUSION.key}', 395: 1 }}" in page
    assert f"[300, 77, [h'{INCLUSION.proof.path[0].hex()[:8]}…'" in page


def test_another_entry_is_not_in_the_log() -> None:
    assert code(INCLUSION, log.ENTRIES[78]) == "receipt.signature"


def test_the_key_id_names_the_log_and_is_signed() -> None:
    assert LOG.verifier.vkey.startswith(f"{INCLUSION.key}+")
    renamed = NoteSigner("ledger.example/second", KEY)
    moved = dataclasses.replace(INCLUSION, key=key_of(renamed.verifier))
    with pytest.raises(IntegrityError) as error:
        verify_cose_inclusion(moved, ENTRY, [renamed.verifier])
    assert error.value.code == "receipt.signature"


def test_a_size_of_the_same_shape_passes_for_it_is_not_signed() -> None:
    """RFC 9942 signs the root alone; the spec page says so, and where the size is signed."""
    proof = INCLUSION.proof
    assert isinstance(proof, Inclusion)
    other = dataclasses.replace(INCLUSION, proof=dataclasses.replace(proof, size=SIZE - 1))
    assert verify_cose_inclusion(other, ENTRY, [LOG.verifier]) == ROOT


def test_a_checkpoint_s_signature_is_none_of_a_receipt() -> None:
    """The same key signs both; neither message can be taken for the other."""
    text = f"{ORIGIN}\n{SIZE}\n"
    for message in (text.encode(), ROOT, cbor.encode(["Signature1", b"", b"", ROOT])):
        assert code(dataclasses.replace(INCLUSION, signature=KEY.sign(message))) == "receipt.signature"


def test_inclusion_is_not_consistency() -> None:
    with pytest.raises(MalformedError) as error:
        verify_cose_consistency(INCLUSION, BEFORE, AFTER, [LOG.verifier])
    assert error.value.code == "receipt.malformed"
    assert code(CONSISTENCY) == "receipt.malformed"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (dataclasses.replace(BEFORE, root=bytes(32)), AFTER, "proof.mismatch"),
        (BEFORE, dataclasses.replace(AFTER, root=bytes(32)), "receipt.signature"),
        (dataclasses.replace(BEFORE, size=OLD - 1), AFTER, "receipt.malformed"),
        (BEFORE, dataclasses.replace(AFTER, size=SIZE + 1), "receipt.malformed"),
    ],
)
def test_a_receipt_between_other_trees_is_refused(old: Checkpoint, new: Checkpoint, expected: str) -> None:
    with pytest.raises(RakkanError) as error:
        verify_cose_consistency(CONSISTENCY, old, new, [LOG.verifier])
    assert error.value.code == expected


def test_an_unknown_key_is_undecided() -> None:
    stranger = NoteSigner(ORIGIN, SeedSigner("stranger")).verifier
    with pytest.raises(UndecidedError) as error:
        verify_cose_inclusion(INCLUSION, ENTRY, [stranger])
    assert error.value.code == "key.unknown"


def test_a_receipt_longer_than_any_is_refused_unread() -> None:
    long = dataclasses.replace(INCLUSION, key="a" * 20_000 + "+00000000")
    with pytest.raises(MalformedError):
        parse_cose_receipt(format_cose_receipt(long))
