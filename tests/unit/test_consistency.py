"""Whether one checkpoint continues another, judged by somebody who holds both."""

import dataclasses

import pytest

from ledger.core.checkpoint import Checkpoint, sign_checkpoint
from ledger.core.consistency import compare
from ledger.core.merkle import EMPTY_ROOT
from ledger.core.witness import Request, format_request
from ledger.errors import IntegrityError, MalformedError, RakkanError, UndecidedError
from tests.vectors.log import generate as log
from tests.vectors.receipts.generate import CONSISTENCY, HERE, LOG, OLD, ORIGIN, ROOT, SIZE

BEFORE, AFTER = Checkpoint(ORIGIN, OLD, log._root(OLD)), Checkpoint(ORIGIN, SIZE, ROOT)
NOTE = sign_checkpoint(ORIGIN, SIZE, ROOT, [LOG])
TEXT = format_request(Request(OLD, CONSISTENCY.path, NOTE))
COSE = (HERE / "good-consistency.cose").read_bytes()
KEYS = [LOG.verifier]


@pytest.mark.parametrize("proof", [TEXT, COSE], ids=["text", "cose"])
def test_both_forms_of_proof_prove(proof: bytes) -> None:
    assert compare(BEFORE, AFTER, proof, KEYS) == CONSISTENCY.path


def test_one_size_with_two_roots_is_a_fork_and_needs_no_proof() -> None:
    with pytest.raises(IntegrityError) as error:
        compare(dataclasses.replace(AFTER, root=bytes(32)), AFTER, None, KEYS)
    assert error.value.code == "log.conflict"
    assert error.value.evidence["new"] == ROOT.hex()


@pytest.mark.parametrize("old", [AFTER, Checkpoint(ORIGIN, 0, EMPTY_ROOT)], ids=["the same", "empty"])
def test_the_same_tree_and_the_empty_one_need_no_proof(old: Checkpoint) -> None:
    assert compare(old, AFTER, None, KEYS) == ()


def test_two_sizes_without_a_proof_are_undecided() -> None:
    with pytest.raises(UndecidedError) as error:
        compare(BEFORE, AFTER, None, KEYS)
    assert error.value.code == "proof.missing"


def test_two_logs_are_undecided() -> None:
    with pytest.raises(UndecidedError) as error:
        compare(dataclasses.replace(BEFORE, origin="ledger.example/second"), AFTER, TEXT, KEYS)
    assert error.value.code == "checkpoint.origin"


def test_a_smaller_checkpoint_is_no_fork() -> None:
    """Somebody gave them in the wrong order."""
    with pytest.raises(MalformedError) as error:
        compare(AFTER, BEFORE, None, KEYS)
    assert error.value.code == "proof.malformed"


@pytest.mark.parametrize("proof", [TEXT, COSE], ids=["text", "cose"])
def test_a_tree_that_was_rewritten_does_not_continue(proof: bytes) -> None:
    with pytest.raises(IntegrityError) as error:
        compare(dataclasses.replace(BEFORE, root=bytes(32)), AFTER, proof, KEYS)
    assert error.value.code == "proof.mismatch"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request(OLD - 1, CONSISTENCY.path, NOTE), "proof.malformed"),
        (Request(OLD, CONSISTENCY.path, sign_checkpoint(ORIGIN, SIZE, bytes(32), [LOG])), "proof.malformed"),
        (Request(OLD, CONSISTENCY.path[1:], NOTE), "proof.malformed"),
        (Request(OLD, (bytes(32), *CONSISTENCY.path[1:]), NOTE), "proof.mismatch"),
    ],
    ids=["another old size", "another new root", "a hash missing", "a hash changed"],
)
def test_a_proof_of_something_else_is_refused(request_: Request, code: str) -> None:
    with pytest.raises(RakkanError) as error:
        compare(BEFORE, AFTER, format_request(request_), KEYS)
    assert error.value.code == code


@pytest.mark.parametrize("proof", [b"", b"old 1", b"\xd2", b"\xd2\x84", TEXT[:-1], COSE[:-1]], ids=repr)
def test_what_is_no_proof_is_malformed(proof: bytes) -> None:
    with pytest.raises(MalformedError):
        compare(BEFORE, AFTER, proof, KEYS)
