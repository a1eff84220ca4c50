"""Receipts: read strictly, and verified with nothing but the entry and a key."""

import base64
import dataclasses

import pytest

from ledger.core import merkle
from ledger.core.note import NoteVerifier
from ledger.core.receipt import MAX_PROOF, Receipt, format_receipt, parse_receipt, verify_receipt
from ledger.errors import IntegrityError, MalformedError, UndecidedError
from ledger.testing import SeedSigner
from tests.support.log import ORIGIN, entries, new_log

ENTRIES = entries(11)
LOG = new_log()
RECEIPTS = [appended.receipt for appended in LOG.append(ENTRIES)]
GOOD = format_receipt(RECEIPTS[5])
HASH = base64.b64encode(bytes(32)).decode()


def test_a_receipt_reads_as_the_specification_says() -> None:
    lines = GOOD.decode().split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 5"]
    hashes = lines[2 : lines.index("")]
    assert [base64.b64decode(line) for line in hashes] == list(RECEIPTS[5].proof)
    assert "\n".join(lines[lines.index("") + 1 :]).encode() == RECEIPTS[5].checkpoint


@pytest.mark.parametrize("index", range(11))
def test_every_receipt_verifies_and_formats_back(index: int) -> None:
    data = format_receipt(RECEIPTS[index])
    receipt = parse_receipt(data)
    assert receipt == RECEIPTS[index]
    assert verify_receipt(receipt, ENTRIES[index], [LOG.verifier]).size == 11


def test_the_only_entry_of_a_log_has_a_receipt_without_hashes() -> None:
    log = new_log()
    (appended,) = log.append([b"only"])
    data = format_receipt(appended.receipt)
    assert data.startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + ORIGIN.encode())
    assert verify_receipt(parse_receipt(data), b"only", [log.verifier]).size == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"),
        ("c2sp.org/tlog-proof@v1\n", ""),
        ("index 5\n", ""),
        ("index 5", "index 05"),
        ("index 5", "index -5"),
        ("index 5", "index  5"),
        ("index 5", "index 5 "),
        ("index 5", "index ٥"),
        ("index 5", f"index {'9' * 5000}"),
        ("index 5", "Index 5"),
        ("index 5", "extra AAAA\nindex 5"),
        ("index 5\n", f"index 5\n{HASH[:-1]}\n"),
        ("index 5\n", "index 5\nAAAA\n"),
        ("index 5\n", "index 5\n" + f"{HASH}\n" * MAX_PROOF),
        ("index 5\n", "index 5\r\n"),
        ("\n\n", "\n"),
        ("index 5\n", "index 5\n\n"),
        ("\n\n", "\n\n\n"),
    ],
)
def test_what_is_no_receipt_is_malformed(old: str, new: str) -> None:
    data = GOOD.decode().replace(old, new, 1).encode()
    assert data != GOOD
    with pytest.raises(MalformedError):
        parse_receipt(data)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xff\n\n", b"c2sp.org/tlog-proof@v1\nindex 5\n"], ids=repr)
def test_a_stump_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError) as error:
        parse_receipt(data)
    assert error.value.code == "receipt.malformed"


def test_the_extra_line_is_refused_by_name() -> None:
    with pytest.raises(MalformedError, match="extra") as error:
        parse_receipt(GOOD.replace(b"index", b"extra AAAA\nindex", 1))
    assert error.value.code == "receipt.malformed"


def test_another_entry_does_not_verify() -> None:
    with pytest.raises(IntegrityError) as error:
        verify_receipt(RECEIPTS[5], ENTRIES[6], [LOG.verifier])
    assert error.value.code == "proof.mismatch"


def test_another_index_does_not_verify() -> None:
    with pytest.raises(IntegrityError) as error:
        verify_receipt(dataclasses.replace(RECEIPTS[5], index=4), ENTRIES[5], [LOG.verifier])
    assert error.value.code == "proof.mismatch"


def test_an_index_beyond_the_tree_is_malformed() -> None:
    with pytest.raises(MalformedError) as error:
        verify_receipt(dataclasses.replace(RECEIPTS[5], index=11), ENTRIES[5], [LOG.verifier])
    assert error.value.code == "proof.malformed"


def test_a_missing_hash_is_malformed() -> None:
    short = dataclasses.replace(RECEIPTS[5], proof=RECEIPTS[5].proof[:-1])
    with pytest.raises(MalformedError) as error:
        verify_receipt(short, ENTRIES[5], [LOG.verifier])
    assert error.value.code == "proof.malformed"


def test_a_node_is_no_entry() -> None:
    """The second preimage that the leaf prefix is there to stop."""
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES]
    shorter = Receipt(2, RECEIPTS[5].proof[1:], RECEIPTS[5].checkpoint)
    with pytest.raises((IntegrityError, MalformedError)):
        verify_receipt(shorter, leaves[4] + leaves[5], [LOG.verifier])


def test_another_key_with_the_log_s_name_does_not_verify() -> None:
    imposter = new_log()
    imposter_verifier = NoteVerifier(ORIGIN, SeedSigner("imposter").public_key[-32:])
    assert imposter.verifier != imposter_verifier
    with pytest.raises(UndecidedError) as error:
        verify_receipt(RECEIPTS[5], ENTRIES[5], [imposter_verifier])
    assert error.value.code == "key.unknown"
