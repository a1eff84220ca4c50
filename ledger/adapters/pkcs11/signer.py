"""A private key in a token, as a signer.

* Every signature is checked against the token's public key before it leaves. A token that answers nonsense
  would otherwise put it into the log, and a faulty Ed25519 signature also gives the key away.
* The public half is found by CKA_ID, which the two halves of a pair share (PKCS#11 §4.9). A label is only
  what somebody typed.
* A key that is made here is sensitive and not extractable: it has no backup but the token's own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ledger.adapters.pkcs11.tokens import Session, library, with_session
from ledger.adapters.pkcs11.uri import Pkcs11Uri
from ledger.core.identity import PublicKey, parse_public_key
from ledger.errors import IntegrityError, MalformedError, UsageError

_ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")
_P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
# CKA_EC_PARAMS: by object identifier, or by name (PrintableString), as PKCS#11 3.0 §2.3.5 also allows.
_ED25519 = (bytes.fromhex("06032b6570"), b"\x13\x0cedwards25519")
_P256 = (bytes.fromhex("06082a8648ce3d030107"),)


class Pkcs11Signer:
    """A key in a token. Implements ``ports.Signer`` for Ed25519 and P-256; may be used from many threads.

    Opening it logs in and finds the key. ``pin`` is the user's, for a URI that names no file of its own. This
    and ``sign`` raise ``RefusedError`` with ``pkcs11.token`` (not there, or failing) or ``pkcs11.pin`` (none,
    wrong, or locked), and ``UsageError`` with ``pkcs11.driver`` or ``pkcs11.key``.
    """

    def __init__(self, uri: Pkcs11Uri, pin: str | None) -> None:
        self._uri = uri
        self._pin = pin
        self._held: tuple[Session, Any] = (None, None)
        self._key = with_session(uri, pin, lambda session: _public_key(session, self._private(session)))

    @property
    def public_key(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo."""
        return self._key.spki

    @property
    def keyid(self) -> str:
        """SHA-256 (hex) of the public key."""
        return self._key.keyid

    def sign(self, message: bytes) -> bytes:
        """Return the signature, checked: 64 bytes for Ed25519, DER for ECDSA with SHA-256.

        Raises ``IntegrityError("pkcs11.signature")`` when it is not by the key that this signer began with.
        """
        return with_session(self._uri, self._pin, lambda session: self._checked(session, message))

    def _checked(self, session: Session, message: bytes) -> bytes:
        signature = self._signed(session, message)
        try:
            # Here, in the block that no fork interrupts: a child could wait for ever for a lock of OpenSSL's.
            self._key.verify(signature, message)
        except IntegrityError as error:
            words = "The token's signature does not fit its public key."
            raise IntegrityError("pkcs11.signature", words, keyid=self.keyid) from error
        return signature

    def _signed(self, session: Session, message: bytes) -> bytes:
        private, mechanism = self._private(session), library().Mechanism
        if self._key.spki.startswith(_ED25519_SPKI):
            return bytes(private.sign(message, mechanism=mechanism.EDDSA))
        # Of a digest, answered as r || s: every token has it, and not every one CKM_ECDSA_SHA256.
        pair = private.sign(sha256(message).digest(), mechanism=mechanism.ECDSA)
        half = len(pair) // 2
        return encode_dss_signature(int.from_bytes(pair[:half]), int.from_bytes(pair[half:]))

    def _private(self, session: Session) -> Any:
        if self._held[0] is not session:  # a handle lives as long as its session
            self._held = (session, _private_key(session, self._uri))
        return self._held[1]


def find_or_make(uri: Pkcs11Uri, pin: str | None) -> tuple[Pkcs11Signer, bool]:
    """Return the signer of this key, and whether it was made just now: Ed25519, never to leave the token.

    Raises as ``Pkcs11Signer`` does.
    """
    made = with_session(uri, pin, lambda session: _make(session, uri))
    return Pkcs11Signer(uri, pin), made


def public_key_of(parameters: bytes, point: bytes) -> PublicKey:
    """Return the key that CKA_EC_PARAMS and CKA_EC_POINT describe.

    The point may be raw (PKCS#11 3.0), or wrapped in a DER OCTET STRING or BIT STRING: tokens differ. Raises
    ``UsageError("pkcs11.key")`` for a curve other than Ed25519 and P-256, or a point that is not on it.
    """
    if parameters in _ED25519:
        prefix, size = _ED25519_SPKI, 32
    elif parameters in _P256:
        prefix, size = _P256_SPKI, 65
    else:
        raise UsageError("pkcs11.key", "The key is neither Ed25519 nor P-256.", parameters=parameters.hex())
    wrapped = (b"", bytes([0x04, size]), bytes([0x03, size + 1, 0x00]))
    if len(point) < size or point[:-size] not in wrapped:
        raise UsageError("pkcs11.key", "The token gives the public key in no known form.", point=point.hex())
    try:
        return parse_public_key(prefix + point[-size:])
    except MalformedError as error:
        raise UsageError("pkcs11.key", "The public key is not on its curve.", point=point.hex()) from error


def _named(uri: Pkcs11Uri) -> dict[Any, Any]:
    held = library().Attribute
    found = {held.CLASS: library().ObjectClass.PRIVATE_KEY, held.LABEL: uri.object, held.ID: uri.id}
    return {name: value for name, value in found.items() if value is not None}


def _objects(session: Session, template: dict[Any, Any]) -> list[Any]:
    pkcs11 = library()
    # Asked first, and for nothing but an answer: a search that begins on a dead session writes a traceback of
    # the library's to standard error.
    with suppress(pkcs11.RandomNoRNG, pkcs11.FunctionNotSupported):
        session.generate_random(64)
    return list(session.get_objects(template))


def _private_key(session: Session, uri: Pkcs11Uri) -> Any:
    found = _objects(session, _named(uri))
    if len(found) != 1:
        words = f"holds {len(found)} such keys: name one by its id" if found else "holds no such key"
        raise UsageError("pkcs11.key", f"The token {words}.", token=session.token.label)
    return found[0]


def _public_key(session: Session, private: Any) -> PublicKey:
    held = library().Attribute
    same = {held.CLASS: library().ObjectClass.PUBLIC_KEY, held.ID: private[held.ID]}
    found = _objects(session, same)
    if len(found) != 1:
        words = f"The token holds {len(found)} public keys with the private key's id; one is needed."
        raise UsageError("pkcs11.key", words, token=session.token.label)
    if private[held.KEY_TYPE] not in (library().KeyType.EC, library().KeyType.EC_EDWARDS):
        raise UsageError("pkcs11.key", "The key is not on an elliptic curve.", token=session.token.label)
    return public_key_of(found[0][held.EC_PARAMS], found[0][held.EC_POINT])


def _make(session: Session, uri: Pkcs11Uri) -> bool:
    """Make the key where there is none, and return whether it was made."""
    if _objects(session, _named(uri)):
        return False
    pkcs11, token = library(), session.token
    held, generate = pkcs11.Attribute, pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
    if generate not in token.slot.get_mechanisms():
        raise UsageError("pkcs11.key", "The token cannot make Ed25519 keys.", token=token.label)
    writing = token.open(rw=True)  # shares the login
    try:
        curve = {held.EC_PARAMS: _ED25519[0]}
        writing.create_domain_parameters(pkcs11.KeyType.EC_EDWARDS, curve, local=True).generate_keypair(
            mechanism=generate,
            store=True,
            label=uri.object,
            id=uri.id or os.urandom(16),
            private_template={held.SENSITIVE: True, held.EXTRACTABLE: False, held.PRIVATE: True},
        )
    finally:
        writing.close()
    return True
