"""Signed notes (c2sp.org/signed-note): a text, a blank line, and one line for each signature.

* The text is UTF-8 without control characters except the newline, and ends with one.
* A signature line is ``— <key name> <base64(key id || signature)>``. It covers the text with its final
  newline, without the blank line.
* The key id is the first 4 bytes of SHA-256(name || 0x0A || type || public key). Type 0x01 is Ed25519, the
  type of a log's own key. Other types are other classes with the shape of ``Verifier`` (``cosignature``).
* A line by an unknown key is ignored. A line by a known key (same name and id) must verify, or the note is
  refused. A note without one valid line by a known key is refused: as undecided, for it proves nothing.
* What does not format back to the same bytes is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ledger.core.encoding import decode_base64, encode_base64
from ledger.errors import IntegrityError, MalformedError, UndecidedError

MAX_NOTE = 1_000_000
"""Bytes. The Go implementation refuses longer notes too."""

MAX_SIGNATURES = 100
"""Lines. The specification asks for at least 16; the Go implementation takes 100."""

_ED25519 = b"\x01"
_SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")
_KEY_ID_SIZE = 4
_PUBLIC_KEY_SIZE = 32
_PREFIX = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^+\s\x00-\x1f\ud800-\udfff]+")
_VKEY = re.compile(r"(?P<name>[^+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/=]+)")


class MessageSigner(Protocol):
    """The part of ``ports.Signer`` that notes need. The key must be Ed25519."""

    @property
    def public_key(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""


class Verifier(Protocol):
    """A public key of any signature type, under the name it signs notes with."""

    @property
    def name(self) -> str:
        """The name in the signature line."""

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before a signature by this key."""

    @property
    def vkey(self) -> str:
        """The key as text: ``<name>+<key id in hex>+<base64(type || public key)>``."""

    def verify(self, text: str, signature: bytes) -> None:
        """Return if ``signature`` is this key's over the text; else ``IntegrityError("note.signature")``."""


AnyVerifier = TypeVar("AnyVerifier", bound=Verifier)


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """An Ed25519 public key (32 raw bytes) under the name it signs notes with."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before a signature by this key."""
        return key_id(self.name, _ED25519 + self.public_key)

    @property
    def vkey(self) -> str:
        """The key as text: ``<name>+<key id in hex>+<base64(type || public key)>``."""
        return format_vkey(self.name, _ED25519 + self.public_key)

    def verify(self, text: str, signature: bytes) -> None:
        """Return if ``signature`` is this key's over the text; else ``IntegrityError("note.signature")``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise IntegrityError("note.signature", "A signature is wrong.", key=self.vkey) from error


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private key under the name it signs notes with."""

    name: str
    key: MessageSigner

    @property
    def verifier(self) -> NoteVerifier:
        """The public half. Raises ``MalformedError("key.malformed")`` for another kind of key."""
        return verifier_of(self.name, self.key.public_key)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who, the 4-byte key id, and the signature bytes (unverified)."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note as parsed: its text with the final newline, and its signature lines in order."""

    text: str
    signatures: tuple[NoteSignature, ...]


def verifier_of(name: str, spki: bytes) -> NoteVerifier:
    """Return the verifier of a DER SubjectPublicKeyInfo. Raises ``MalformedError("key.malformed")``."""
    if not spki.startswith(_SPKI_ED25519) or len(spki) != len(_SPKI_ED25519) + _PUBLIC_KEY_SIZE:
        raise MalformedError("key.malformed", "A note is signed with an Ed25519 key.", name=name)
    return NoteVerifier(check_name(name), spki[len(_SPKI_ED25519) :])


def spki_of(verifier: NoteVerifier) -> bytes:
    """Return the verifier's key as DER SubjectPublicKeyInfo: the inverse of ``verifier_of``."""
    return _SPKI_ED25519 + verifier.public_key


def parse_vkey(text: str) -> NoteVerifier:
    """Return the verifier that a vkey text of type 0x01 describes.

    Raises ``MalformedError("key.malformed")`` for another form, another key type than Ed25519, or a key id
    that does not belong to the name and key.
    """
    name, typed = split_vkey(text)
    if typed[:1] != _ED25519 or len(typed) != 1 + _PUBLIC_KEY_SIZE:
        raise MalformedError("key.malformed", "This is not the vkey of an Ed25519 key.", text=text[:200])
    return NoteVerifier(name, typed[1:])


def split_vkey(text: str) -> tuple[str, bytes]:
    """Return a vkey's name, and its signature type with the public key. Raises as ``parse_vkey``."""
    match = _VKEY.fullmatch(text)
    typed = decode_base64(match["key"]) if match else None
    if match is None or not typed or not _NAME.fullmatch(match["name"]):
        raise MalformedError("key.malformed", "This is not a vkey.", text=text[:200])
    expected = format_vkey(match["name"], typed)
    if expected != text:
        raise MalformedError(
            "key.malformed", "The key id is not that of the key.", id=match["id"], expected=expected
        )
    return match["name"], typed


def format_vkey(name: str, typed: bytes) -> str:
    """Return the vkey of a name and a signature type with its public key; the inverse of ``split_vkey``."""
    return f"{name}+{key_id(name, typed).hex()}+{encode_base64(typed)}"


def key_id(name: str, typed: bytes) -> bytes:
    """Return the 4 bytes that stand before a signature by this key (signature type || public key)."""
    return hashlib.sha256(name.encode() + b"\n" + typed).digest()[:_KEY_ID_SIZE]


def check_name(name: str) -> str:
    """Return the name if a key may have it. Raises ``MalformedError("key.malformed")``."""
    if not _NAME.fullmatch(name):
        raise MalformedError("key.malformed", "A key name has no spaces and no plus sign.", name=name)
    return name


def parse_note(data: bytes) -> Note:
    """Return the note, its signatures unverified. Raises ``MalformedError("note.malformed")``."""
    if len(data) > MAX_NOTE:
        raise _malformed("it is too long", size=len(data))
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise _malformed("it is not UTF-8") from error
    text, blank, lines = whole.rpartition("\n\n")
    text += "\n"
    if not blank or not lines.endswith("\n"):
        raise _malformed("it has no blank line before its signatures, or is cut short")
    if _CONTROL.search(whole):
        raise _malformed("it contains a control character")
    note = Note(text, parse_lines(lines))
    if format_note(note) != data:
        raise _malformed("it does not format back to the same bytes")
    return note


def parse_lines(text: str) -> tuple[NoteSignature, ...]:
    """Return signature lines, each ended by a newline. Raises ``MalformedError("note.malformed")``."""
    if not text.endswith("\n"):
        raise _malformed("its signature lines are cut short")
    rows = text[:-1].split("\n")
    if len(rows) > MAX_SIGNATURES:
        raise _malformed("it has too many signatures", count=len(rows))
    return tuple(_parse_line(row) for row in rows)


def format_note(note: Note) -> bytes:
    """Return the note as bytes; the exact inverse of ``parse_note``."""
    return f"{note.text}\n{format_lines(note.signatures)}".encode()


def format_lines(signatures: Sequence[NoteSignature]) -> str:
    """Return the signature lines as text; the exact inverse of ``parse_lines``."""
    return "".join(
        f"{_PREFIX}{line.name} {encode_base64(line.key_id + line.signature)}\n" for line in signatures
    )


def sign_note(text: str, signers: Sequence[NoteSigner]) -> bytes:
    """Return the text signed by each signer in turn.

    Raises ``MalformedError("note.malformed")`` for a text that no note may have, and
    ``MalformedError("key.malformed")`` for a signer whose key is not Ed25519.
    """
    if not text.endswith("\n") or _CONTROL.search(text) or not signers:
        raise _malformed("its text must end with a newline, be free of control characters and be signed")
    ids = [signer.verifier.key_id for signer in signers]
    message = text.encode()
    lines = (
        NoteSignature(signer.name, key_id, signer.key.sign(message))
        for signer, key_id in zip(signers, ids, strict=True)
    )
    return format_note(Note(text, tuple(lines)))


def open_note(data: bytes, verifiers: Sequence[AnyVerifier]) -> tuple[str, tuple[AnyVerifier, ...]]:
    """Return the note's text and the verifiers whose signature it carries, at least one.

    Raises ``MalformedError("note.malformed")``, ``IntegrityError("note.signature")`` when a known key's
    signature is wrong, or ``UndecidedError("key.unknown")`` when no known key signed.
    """
    note = parse_note(data)
    signed = tuple(verifier for verifier, _ in verified_lines(note, verifiers))
    if not signed:
        names = ", ".join(line.name for line in note.signatures)
        raise UndecidedError("key.unknown", "No known key signed this note.", signed_by=names)
    return note.text, signed


def verified_lines(
    note: Note, verifiers: Sequence[AnyVerifier]
) -> tuple[tuple[AnyVerifier, NoteSignature], ...]:
    """Return the lines by these keys, in the note's order. Lines by other keys are ignored.

    Raises ``IntegrityError("note.signature")`` when one of these keys' signatures is wrong.
    """
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    found = []
    for line in dict.fromkeys(note.signatures):  # a line a hundred times over costs one verification
        verifier = known.get((line.name, line.key_id))
        if verifier is not None:
            verifier.verify(note.text, line.signature)
            found.append((verifier, line))
    return tuple(found)


def _parse_line(row: str) -> NoteSignature:
    name, _, encoded = row.removeprefix(_PREFIX).partition(" ")
    raw = decode_base64(encoded)
    if not row.startswith(_PREFIX) or not _NAME.fullmatch(name) or raw is None or len(raw) <= _KEY_ID_SIZE:
        raise _malformed("a signature line is wrong", line=row[:200])
    return NoteSignature(name, raw[:_KEY_ID_SIZE], raw[_KEY_ID_SIZE:])


def _malformed(why: str, **evidence: object) -> MalformedError:
    return MalformedError("note.malformed", f"This is not a signed note: {why}.", **evidence)
