"""Cosignatures: the bytes that the specification lays down, and what is refused."""

import base64
import struct
from typing import Any

import pytest

from ledger.core.checkpoint import open_checkpoint, sign_checkpoint
from ledger.core.cosignature import (
    CosignatureSigner,
    CosignatureVerifier,
    open_cosigned,
    parse_cosigner,
    time_of,
)
from ledger.core.note import Note, NoteSignature, NoteSigner, format_note, parse_note, parse_vkey
from ledger.errors import IntegrityError, MalformedError, UndecidedError
from ledger.testing import SeedSigner
from tests.support.witness import cosigner_key

# The example of c2sp.org/tlog-cosignature. Its keys are not published.
EXAMPLE = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeO\
oRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ\
qhf5nNo0xUe+mbIUBkBIfZ+qnA==
""".encode()
TEXT = parse_note(EXAMPLE).text
TIME = 1679315147
KINDS = pytest.mark.parametrize("post_quantum", [False, True], ids=["ed25519", "ml-dsa-44"])
LOG = NoteSigner("ledger.example/a", SeedSigner("a"))
SIGNED = parse_note(sign_checkpoint(LOG.name, 7, bytes(range(32)), [LOG]))


class Recorder:
    """A key that keeps what it is asked to sign."""

    def __init__(self, public_key: bytes) -> None:
        self.public_key = public_key
        self.message = b""

    def sign(self, message: bytes) -> bytes:
        self.message = message
        return bytes(64)


def cosigned(*keys: CosignatureSigner, time: int = TIME) -> bytes:
    lines = tuple(key.cosign(SIGNED.text, time) for key in keys)
    return format_note(Note(SIGNED.text, SIGNED.signatures + lines))


def test_the_time_of_the_specification_s_example() -> None:
    assert time_of(parse_note(EXAMPLE).signatures[1].signature) == TIME


def test_the_ed25519_message_is_that_of_the_specification() -> None:
    key = Recorder(SeedSigner("w").public_key)
    line = CosignatureSigner("witness.example.com/w1", key).cosign(TEXT, TIME)
    assert key.message.decode() == (
        "cosignature/v1\n"
        "time 1679315147\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    assert line.signature == struct.pack(">Q", TIME) + bytes(64)


def test_the_ml_dsa_message_is_that_of_the_specification() -> None:
    """`label[12]`, name, timestamp, origin, start, end, hash: RFC 8446 section 3, big-endian."""
    name, origin = "witness.example.com/w1", "example.com/behind-the-sofa"
    key = Recorder(cosigner_key("w", post_quantum=True).key.public_key)
    CosignatureSigner(name, key).cosign(TEXT, TIME)
    assert key.message == (
        b"subtree/v1\n\0"
        + bytes([22])
        + name.encode()
        + struct.pack(">Q", TIME)
        + bytes([27])
        + origin.encode()
        + struct.pack(">QQ", 0, 20852163)
        + base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    )


@KINDS
def test_a_cosignature_verifies_and_tells_its_time(post_quantum: bool) -> None:
    key = cosigner_key("w", post_quantum=post_quantum)
    checkpoint, found = open_cosigned(cosigned(key), [LOG.verifier], [key.verifier])
    assert checkpoint.size == 7
    assert [(item.verifier, item.time) for item in found] == [(key.verifier, TIME)]
    assert len(key.cosign(SIGNED.text, TIME).signature) == 8 + (2420 if post_quantum else 64)


@KINDS
@pytest.mark.parametrize("position", [0, 7, 8, -1])
def test_a_changed_time_or_signature_refuses_the_note(post_quantum: bool, position: int) -> None:
    key = cosigner_key("w", post_quantum=post_quantum)
    line = key.cosign(SIGNED.text, TIME)
    signature = bytearray(line.signature)
    signature[position] ^= 1
    wrong = NoteSignature(line.name, line.key_id, bytes(signature))
    data = format_note(Note(SIGNED.text, (*SIGNED.signatures, wrong)))
    with pytest.raises(IntegrityError) as error:
        open_cosigned(data, [LOG.verifier], [key.verifier])
    assert error.value.code == "note.signature"
    assert open_cosigned(data, [LOG.verifier], [])[1] == ()


@KINDS
@pytest.mark.parametrize("time", [0, 2**63])
def test_a_time_that_no_cosignature_may_have_is_refused(post_quantum: bool, time: int) -> None:
    key = cosigner_key("w", post_quantum=post_quantum)
    with pytest.raises(ValueError, match="no cosignature"):
        key.cosign(SIGNED.text, time)
    line = key.cosign(SIGNED.text, TIME)
    signature = struct.pack(">Q", time) + line.signature[8:]
    with pytest.raises(IntegrityError):
        key.verifier.verify(SIGNED.text, signature)


@pytest.mark.parametrize("signature", [b"", bytes(8), struct.pack(">Q", TIME), bytes(72)])
def test_a_cosignature_of_another_length_is_wrong(signature: bytes) -> None:
    with pytest.raises(IntegrityError):
        cosigner_key("w").verifier.verify(SIGNED.text, signature)


def test_of_two_cosignatures_by_one_witness_the_newest_counts() -> None:
    key = cosigner_key("w")
    lines = tuple(key.cosign(SIGNED.text, time) for time in (TIME, TIME + 9, TIME + 1))
    data = format_note(Note(SIGNED.text, SIGNED.signatures + lines))
    ((_, found),) = [(0, item) for item in open_cosigned(data, [LOG.verifier], [key.verifier])[1]]
    assert found.time == TIME + 9


@KINDS
def test_a_witness_never_stands_in_for_the_log(post_quantum: bool) -> None:
    """Not even one whose name is the log's origin."""
    whole = cosigner_key("w", post_quantum=post_quantum)
    key = CosignatureSigner(LOG.name, whole.key)
    data = format_note(Note(SIGNED.text, (key.cosign(SIGNED.text, TIME),)))
    stranger = NoteSigner(LOG.name, SeedSigner("stranger"))
    with pytest.raises(UndecidedError) as error:
        open_cosigned(data, [stranger.verifier], [key.verifier])
    assert error.value.code == "key.unknown"
    with pytest.raises(UndecidedError) as error:
        open_checkpoint(data, [key.verifier])
    assert error.value.code == "checkpoint.origin"


def test_an_ed25519_key_signs_the_two_types_differently() -> None:
    """The log's type and the witness's type have other key ids and other messages under one key."""
    log, witness = LOG.verifier, CosignatureSigner(LOG.name, LOG.key).verifier
    assert log.public_key == witness.public_key
    assert log.key_id != witness.key_id
    with pytest.raises(IntegrityError):
        witness.verify(SIGNED.text, SIGNED.signatures[0].signature)


@KINDS
def test_a_vkey_reads_back_and_only_as_a_witness_s(post_quantum: bool) -> None:
    verifier = cosigner_key("w", post_quantum=post_quantum).verifier
    assert parse_cosigner(verifier.vkey) == verifier
    with pytest.raises(MalformedError):
        parse_vkey(verifier.vkey)
    with pytest.raises(MalformedError) as error:
        parse_cosigner(LOG.verifier.vkey)
    assert error.value.code == "key.malformed"


@pytest.mark.parametrize("size", [0, 31, 33, 1311, 1313])
@pytest.mark.parametrize("kind", [b"\x04", b"\x06"])
def test_a_key_of_another_length_is_refused(kind: bytes, size: int) -> None:
    with pytest.raises(MalformedError):
        parse_cosigner(CosignatureVerifier("w", kind, bytes(size)).vkey)


def test_a_key_that_is_no_point_verifies_nothing() -> None:
    verifier = CosignatureVerifier("w", b"\x04", b"\x02" + bytes(31))
    with pytest.raises(IntegrityError):
        verifier.verify(SIGNED.text, struct.pack(">Q", TIME) + bytes(64))


def test_other_kinds_of_keys_and_names_do_not_cosign() -> None:
    spki = bytearray(SeedSigner("w").public_key)
    spki[8] ^= 1
    for name, public in (("w", bytes(spki)), ("a b", SeedSigner("w").public_key)):
        with pytest.raises(MalformedError) as error:
            _ = CosignatureSigner(name, Recorder(public)).verifier
        assert error.value.code == "key.malformed"


def test_only_checkpoints_are_cosigned() -> None:
    with pytest.raises(MalformedError):
        cosigner_key("w").cosign("some text\n", TIME)


def test_a_name_of_more_than_255_bytes_does_not_fit_ml_dsa() -> None:
    key = CosignatureSigner("w" * 256, cosigner_key("w", post_quantum=True).key)
    with pytest.raises(ValueError, match="too long"):
        key.cosign(SIGNED.text, TIME)


# --- another implementation ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def aics() -> Any:
    return pytest.importorskip("aics_tlog", reason="aics-tlog (locks/judges.txt) is not installed")


def test_aics_accepts_our_cosignature(aics: Any) -> None:
    key = cosigner_key("w")
    vkey = aics.parse_vkey(key.verifier.vkey)
    assert vkey == aics.cosignature_vkey(key.name, key.verifier.public_key)
    note = aics.parse_note(cosigned(key))
    result = aics.verify_checkpoint(
        note,
        aics.parse_vkey(LOG.verifier.vkey),
        policy=aics.WitnessPolicy(1, (vkey,)),
        expected_origin=LOG.name,
    )
    assert (result.ok, result.cosignature_count, result.timestamps) == (True, 1, {key.name: TIME})
    assert not aics.verify_checkpoint(
        aics.parse_note(cosigned()), aics.parse_vkey(LOG.verifier.vkey), policy=aics.WitnessPolicy(1, (vkey,))
    ).ok


def test_we_accept_theirs(aics: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    _, line = aics.sign_cosignature(private, "w.example", TIME, LOG.name, 7, bytes(range(32)))
    verifier = parse_cosigner(aics.format_vkey(aics.cosignature_vkey("w.example", private.public_key())))
    ours = NoteSignature(line.name, line.key_id, line.signature)
    data = format_note(Note(SIGNED.text, (*SIGNED.signatures, ours)))
    assert open_cosigned(data, [LOG.verifier], [verifier])[1][0].time == TIME
