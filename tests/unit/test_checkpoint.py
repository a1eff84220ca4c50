"""Checkpoints: what they state, and whose they are."""

import base64

import pytest

from ledger.core.checkpoint import (
    MAX_SIZE,
    Checkpoint,
    format_body,
    open_checkpoint,
    parse_body,
    parse_checkpoint,
    sign_checkpoint,
)
from ledger.core.merkle import EMPTY_ROOT
from ledger.core.note import NoteSigner, sign_note
from ledger.errors import IntegrityError, MalformedError, UndecidedError
from ledger.testing import SeedSigner

ROOT = bytes(range(32))
LOG = NoteSigner("ledger.example/a", SeedSigner("a"))
OTHER = NoteSigner("ledger.example/b", SeedSigner("b"))
WITNESS = NoteSigner("witness.example", SeedSigner("w"))
SIGNED = sign_checkpoint(LOG.name, 7, ROOT, [LOG])


def body(size: str = "7", root: str = base64.b64encode(ROOT).decode(), origin: str = LOG.name) -> str:
    return f"{origin}\n{size}\n{root}\n"


def test_the_body_is_three_lines() -> None:
    assert format_body(Checkpoint(LOG.name, 7, ROOT)) == body()
    assert parse_body(body()) == Checkpoint(LOG.name, 7, ROOT)


def test_the_empty_log_has_a_checkpoint() -> None:
    text = body("0", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    assert parse_body(text) == Checkpoint(LOG.name, 0, EMPTY_ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        body()[:-1],
        body() + "\n",
        body() + "extension\n",
        body("07"),
        body("-7"),
        body("+7"),
        body("7 "),
        body("7.0"),
        body("٧"),
        body(""),
        body("0"),
        body(str(MAX_SIZE + 1)),
        body("9" * 5000),
        body(origin=""),
        body(root=""),
        body(root=base64.b64encode(ROOT[:31]).decode()),
        body(root=base64.b64encode(ROOT + b"\0").decode()),
        body(root=base64.urlsafe_b64encode(b"\xff" * 32).decode()),
        body(root=base64.b64encode(ROOT).decode().replace("=", "")),
        body(root=base64.b64encode(ROOT).decode()[:-2] + "9="),
        "\r\n".join(body().splitlines()) + "\r\n",
    ],
    ids=range(22),
)
def test_another_body_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError) as error:
        parse_body(text)
    assert error.value.code == "checkpoint.malformed"


def test_the_largest_size_is_read() -> None:
    assert parse_body(body(str(MAX_SIZE))).size == MAX_SIZE


def test_a_checkpoint_opens_with_the_log_s_key() -> None:
    assert open_checkpoint(SIGNED, [LOG.verifier]) == Checkpoint(LOG.name, 7, ROOT)
    assert parse_checkpoint(SIGNED) == Checkpoint(LOG.name, 7, ROOT)


def test_witnesses_may_sign_too() -> None:
    signed = sign_checkpoint(LOG.name, 7, ROOT, [LOG, WITNESS])
    assert open_checkpoint(signed, [LOG.verifier, WITNESS.verifier]).size == 7
    assert open_checkpoint(signed, [LOG.verifier]).size == 7


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    signed = sign_note(body(), [WITNESS])
    with pytest.raises(UndecidedError) as error:
        open_checkpoint(signed, [LOG.verifier, WITNESS.verifier])
    assert error.value.code == "key.unknown"


def test_one_log_cannot_sign_for_another() -> None:
    signed = sign_note(body(), [OTHER])
    with pytest.raises(UndecidedError) as error:
        open_checkpoint(signed, [LOG.verifier, OTHER.verifier])
    assert error.value.code == "key.unknown"


def test_a_checkpoint_of_an_unknown_log_says_so() -> None:
    with pytest.raises(UndecidedError) as error:
        open_checkpoint(SIGNED, [OTHER.verifier])
    assert error.value.code == "checkpoint.origin"
    assert error.value.evidence["origin"] == LOG.name


@pytest.mark.parametrize("old", [b"\n7\n", b"AAEC"])
def test_a_changed_checkpoint_is_refused(old: bytes) -> None:
    changed = SIGNED.replace(old, {b"\n7\n": b"\n8\n", b"AAEC": b"AAED"}[old])
    assert changed != SIGNED
    with pytest.raises(IntegrityError) as error:
        open_checkpoint(changed, [LOG.verifier])
    assert error.value.code == "note.signature"


def test_the_log_s_own_key_must_sign() -> None:
    with pytest.raises(MalformedError) as error:
        sign_checkpoint(LOG.name, 7, ROOT, [WITNESS])
    assert error.value.code == "checkpoint.origin"


@pytest.mark.parametrize(
    ("size", "root"), [(-1, ROOT), (MAX_SIZE + 1, ROOT), (0, ROOT), (7, ROOT[:31]), (7, ROOT + b"\0")]
)
def test_an_impossible_checkpoint_is_not_signed(size: int, root: bytes) -> None:
    with pytest.raises(MalformedError) as error:
        sign_checkpoint(LOG.name, size, root, [LOG])
    assert error.value.code == "checkpoint.malformed"


def test_signing_twice_gives_the_same_bytes() -> None:
    assert sign_checkpoint(LOG.name, 7, ROOT, [LOG]) == SIGNED
