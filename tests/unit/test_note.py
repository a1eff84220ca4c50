"""Signed notes: the official vectors, and every way in which a note is refused."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.core import note
from ledger.errors import IntegrityError, MalformedError, RakkanError, UndecidedError
from ledger.testing import SeedSigner

# The example of c2sp.org/signed-note.
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
""".encode()
# golang.org/x/mod/sumdb/note, note_test.go.
NEUMANN_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
NEUMANN_NOTE = f"""{NEUMANN_TEXT}
— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
""".encode()

ALICE = note.NoteSigner("alice", SeedSigner("alice"))
BOB = note.NoteSigner("bob", SeedSigner("bob"))
TEXT = "text\n"


class GoKey:
    """A key in Go's text form."""

    def __init__(self, text: str) -> None:
        seed = base64.b64decode(text.rpartition("+KEY+")[2].split("+", 2)[2])[1:]
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def code_of(error: pytest.ExceptionInfo[RakkanError]) -> str:
    return error.value.code


def test_the_example_of_the_specification_opens() -> None:
    verifier = note.parse_vkey(FOO)
    assert note.open_note(FOO_NOTE, [verifier]) == ("This is an example message.\n", (verifier,))


def test_go_s_note_opens_and_signing_gives_the_same_bytes() -> None:
    signer = note.NoteSigner("PeterNeumann", GoKey(NEUMANN_KEY))
    assert signer.verifier.vkey == NEUMANN
    assert note.sign_note(NEUMANN_TEXT, [signer]) == NEUMANN_NOTE
    assert note.open_note(NEUMANN_NOTE, [note.parse_vkey(NEUMANN)])[0] == NEUMANN_TEXT


def test_the_key_id_binds_name_type_and_key() -> None:
    verifier = ALICE.verifier
    assert verifier.key_id == hashlib.sha256(b"alice\n\x01" + verifier.public_key).digest()[:4]


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "alice",
        FOO.replace("530d903a", "530d903b"),
        FOO.replace("530d903a", "530D903A"),
        FOO.replace("example.com/foo", "example.com/fop"),
        FOO.replace("example.com/foo", ""),
        FOO.replace("example.com/foo", "example com"),
        FOO + "\n",
        " " + FOO,
        FOO[:-1],
        FOO[:-1] + "l",
        FOO + "=",
        FOO.replace("+Aeky", "+Auky"),
        FOO.replace("example.com/foo", "\ud800"),
    ],
)
def test_another_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedError) as error:
        note.parse_vkey(vkey)
    assert code_of(error) == "key.malformed"


def test_a_vkey_formats_back() -> None:
    assert note.parse_vkey(FOO).vkey == FOO


def test_only_an_ed25519_key_signs_notes() -> None:
    public = generate_private_key(SECP256R1()).public_key()
    with pytest.raises(MalformedError) as error:
        note.verifier_of("alice", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert code_of(error) == "key.malformed"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x00b", "\ud800"])
def test_a_key_name_that_no_note_can_carry_is_refused(name: str) -> None:
    with pytest.raises(MalformedError) as error:
        note.sign_note(TEXT, [note.NoteSigner(name, SeedSigner("alice"))])
    assert code_of(error) == "key.malformed"


@pytest.mark.parametrize("text", ["", "no newline", "tab\there\n", "nul\0\n", "return\r\n"])
def test_a_text_that_no_note_can_carry_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as error:
        note.sign_note(text, [ALICE])
    assert code_of(error) == "note.malformed"


def test_a_note_needs_a_signer() -> None:
    with pytest.raises(MalformedError):
        note.sign_note(TEXT, [])


@pytest.mark.parametrize("text", ["\n", "a\n\n", "\n\n\n", "a\n\nb\n", "日本語 — x\n"])
def test_the_last_blank_line_parts_text_and_signatures(text: str) -> None:
    signed = note.sign_note(text, [ALICE, BOB])
    assert note.open_note(signed, [ALICE.verifier])[0] == text
    assert note.format_note(note.parse_note(signed)) == signed


def test_unknown_keys_are_ignored() -> None:
    signed = note.sign_note(TEXT, [BOB, ALICE])
    assert note.open_note(signed, [ALICE.verifier]) == (TEXT, (ALICE.verifier,))


def test_the_same_name_with_another_key_is_unknown() -> None:
    other = note.NoteSigner("alice", SeedSigner("mallory"))
    signed = note.sign_note(TEXT, [other, ALICE])
    assert note.open_note(signed, [ALICE.verifier])[1] == (ALICE.verifier,)


def test_a_known_key_that_signed_wrongly_rejects_the_note_in_spite_of_a_good_one() -> None:
    signed = note.parse_note(note.sign_note(TEXT, [ALICE, BOB]))
    line = signed.signatures[0]
    wrong = note.NoteSignature(line.name, line.key_id, bytes(64))
    tampered = note.format_note(note.Note(TEXT, (wrong, signed.signatures[1])))
    assert note.open_note(tampered, [BOB.verifier])[0] == TEXT
    with pytest.raises(IntegrityError) as error:
        note.open_note(tampered, [ALICE.verifier, BOB.verifier])
    assert code_of(error) == "note.signature"


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_of_another_length_is_wrong(length: int) -> None:
    line = note.NoteSignature("alice", ALICE.verifier.key_id, bytes(length))
    data = note.format_note(note.Note(TEXT, (line,)))
    with pytest.raises((IntegrityError, MalformedError)):
        note.open_note(data, [ALICE.verifier])


@pytest.mark.parametrize("known", [[], [BOB.verifier]])
def test_without_a_known_key_the_note_is_refused(known: list[note.NoteVerifier]) -> None:
    with pytest.raises(UndecidedError) as error:
        note.open_note(note.sign_note(TEXT, [ALICE]), known)
    assert code_of(error) == "key.unknown"


def test_the_same_line_many_times_over_is_one_signature() -> None:
    signed = note.parse_note(note.sign_note(TEXT, [ALICE]))
    repeated = note.format_note(note.Note(TEXT, signed.signatures * 3))
    assert note.open_note(repeated, [ALICE.verifier])[1] == (ALICE.verifier,)


def test_a_changed_text_is_refused() -> None:
    with pytest.raises(IntegrityError) as error:
        note.open_note(FOO_NOTE.replace(b"an example", b"no example"), [note.parse_vkey(FOO)])
    assert code_of(error) == "note.signature"


LINE = "— alice " + base64.b64encode(bytes(68)).decode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"text\n",
        b"text\n\n",
        f"text\n{LINE}\n".encode(),
        f"text\n\n{LINE}".encode(),
        f"\n{LINE}\n".encode(),
        f"text\n\n{LINE}\n\n".encode(),
        f"text\n\n{LINE} \n".encode(),
        f"text\n\n {LINE}\n".encode(),
        f"text\n\n{LINE}\nrest\n".encode(),
        f"text\n\n{LINE}\r\n".encode(),
        f"te\txt\n\n{LINE}\n".encode(),
        f"text\n\n{LINE.replace('—', '-')}\n".encode(),
        f"text\n\n{LINE.replace('— ', '—')}\n".encode(),
        f"text\n\n{LINE.replace('— ', '—  ')}\n".encode(),
        f"text\n\n{LINE.replace('alice ', 'alice  ')}\n".encode(),
        f"text\n\n{LINE.replace('alice', 'al+ice')}\n".encode(),
        "text\n\n{}\n".format(LINE.replace("alice", "al\u2003ice")).encode(),
        f"text\n\n{LINE.replace('=', '')}\n".encode(),
        f"text\n\n{LINE.replace('A=', 'B=')}\n".encode(),
        "text\n\n— alice AAAA\n".encode(),
        "text\n\n— alice AAAAAA==\n".encode(),
        f"text\xff\n\n{LINE}\n".encode("latin-1", errors="replace"),
        f"{'x' * note.MAX_NOTE}\n\n{LINE}\n".encode(),
        f"text\n\n{(LINE + chr(10)) * (note.MAX_SIGNATURES + 1)}".encode(),
    ],
    ids=range(26),
)
def test_what_is_no_note_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError) as error:
        note.parse_note(data)
    assert code_of(error) == "note.malformed"


def test_the_line_those_cases_are_made_of_is_a_good_one() -> None:
    assert note.parse_note(f"text\n\n{LINE}\n".encode()).signatures == (
        note.NoteSignature("alice", bytes(4), bytes(64)),
    )


def test_sixteen_signatures_are_accepted() -> None:
    signers = [note.NoteSigner(f"witness{number}", SeedSigner(str(number))) for number in range(16)]
    assert len(note.open_note(note.sign_note(TEXT, signers), [s.verifier for s in signers])[1]) == 16
