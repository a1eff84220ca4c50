"""Keys and what they may sign, at which point of the log.

Rules:

* a key's name (keyid) is the SHA-256 of its DER SubjectPublicKeyInfo; the keyid inside an envelope is a hint
  that finds the key and never decides anything;
* the trust root pins the registrars' keys; every other key is admitted by an enrolment that a registrar
  already known *at that index* signed;
* a registrar signs enrolments, datasets, models and grants; a device signs steps and seals: a stolen
  workstation cannot grant itself a licence;
* an enrolment counts for entries after its index, and for statements made within its validity. The newest one
  before the entry decides the role; a step made before a renewal and logged after it (a spool) falls into the
  validity of the older one, so that one still counts for it;
* evidence may be incomplete: that no enrolment *at hand* covers a statement is undecided. That the enrolment
  at hand forbids it (a device granting a licence) is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from ledger.core.digest import sha256_hex
from ledger.core.predicates import Dataset, Enrolment, Grant, Model, Predicate, Seal, Step
from ledger.core.predicates.enrolment import KeyRole
from ledger.errors import IntegrityError, MalformedError, RefusedError, UndecidedError

MAY_SIGN: dict[KeyRole, tuple[type, ...]] = {
    KeyRole.REGISTRAR: (Enrolment, Dataset, Model, Grant, Seal),
    KeyRole.DEVICE: (Step, Seal),
}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 or ECDSA P-256 public key, as DER SubjectPublicKeyInfo."""

    spki: bytes
    _key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey

    @property
    def keyid(self) -> str:
        """SHA-256 (hex) of the SubjectPublicKeyInfo."""
        return sha256_hex(self.spki)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the signature is good. Raises ``IntegrityError("envelope.signature")``."""
        try:
            if isinstance(self._key, ed25519.Ed25519PublicKey):
                self._key.verify(signature, message)
            else:
                self._key.verify(signature, message, ec.ECDSA(SHA256()))
        except InvalidSignature as error:
            raise IntegrityError(
                "envelope.signature", "The signature does not fit the key and the bytes.", keyid=self.keyid
            ) from error


def parse_public_key(spki: bytes) -> PublicKey:
    """Return the key. Raises ``MalformedError("key.malformed")`` for any other algorithm or encoding."""
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("key.malformed", "Not a DER SubjectPublicKeyInfo.") from error
    if not isinstance(key, ed25519.Ed25519PublicKey) and not (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        raise MalformedError("key.malformed", "The key is neither Ed25519 nor P-256.")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise MalformedError("key.malformed", "The key does not format back to the same bytes.")
    return PublicKey(spki, key)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key that the log admitted.

    ``index`` is its enrolment's; ``None`` for a registrar that the trust root pins.
    """

    key: PublicKey
    role: KeyRole
    device: str
    valid_from: datetime | None
    valid_until: datetime | None
    certificate: str | None
    index: int | None

    def covers(self, moment: datetime | None) -> bool:
        """Whether the moment is in the validity: always, where one of the two has no times."""
        if moment is None or self.valid_from is None or self.valid_until is None:
            return True
        return self.valid_from <= moment < self.valid_until


class KeyHistory:
    """The keys of one log, growing as enrolments are admitted in the order of the log."""

    def __init__(self, registrars: tuple[bytes, ...]) -> None:
        self._records: dict[str, list[KeyRecord]] = {}
        for spki in registrars:
            key = parse_public_key(spki)
            self._records[key.keyid] = [
                KeyRecord(key, KeyRole.REGISTRAR, "registrar", None, None, None, None)
            ]

    def find(self, keyid: str, index: int, moment: datetime | None = None) -> KeyRecord:
        """Return the newest record of the key before ``index``.

        With a ``moment``, an older record of the same role that covers it comes before a newer one that does
        not. Raises ``UndecidedError``: ``key.unknown`` for a key without a record, ``key.not-valid`` for one
        whose records at hand are all newer than the entry. Neither proves anything.
        """
        records = self._records.get(keyid)
        if not records:
            raise UndecidedError(
                "key.unknown", "The log, as far as it is at hand, has no such key.", keyid=keyid
            )
        earlier = [record for record in records if record.index is None or record.index < index]
        if not earlier:
            raise UndecidedError(
                "key.not-valid",
                "The entry is older than the enrolments of its key that are at hand.",
                keyid=keyid,
                index=index,
            )
        newest = earlier[-1]
        fits = (item for item in reversed(earlier) if item.role is newest.role and item.covers(moment))
        return next(fits, newest)

    def certificates(self, keyid: str) -> frozenset[str]:
        """Return the SHA-256 (hex) of every claim certificate that the key was enrolled with."""
        return frozenset(item.certificate for item in self._records.get(keyid, ()) if item.certificate)

    def admit(self, enrolment: Enrolment, index: int) -> None:
        """Add the enrolled key, or renew it. The caller has judged the enrolment's own signature."""
        key = parse_public_key(enrolment.public_key)
        record = KeyRecord(
            key,
            enrolment.role,
            enrolment.device,
            enrolment.valid_from,
            enrolment.valid_until,
            enrolment.certificate,
            index,
        )
        self._records.setdefault(key.keyid, []).append(record)


def check_may_sign(record: KeyRecord, predicate: Predicate) -> None:
    """Return if the key may sign this statement.

    Raises ``RefusedError("key.not-valid")`` when its role forbids it, and ``UndecidedError("key.not-valid")``
    when the statement was made outside the record's validity: another enrolment may cover it.
    """
    evidence = {"keyid": record.key.keyid, "device": record.device}
    if not isinstance(predicate, MAY_SIGN[record.role]):
        words = f"A {record.role.value} key may not sign {predicate.TYPE}."
        raise RefusedError("key.not-valid", words, **evidence)
    if not record.covers(stated_time(predicate)):
        words = "The statement was made outside the validity of its key, by the enrolments at hand."
        raise UndecidedError("key.not-valid", words, **evidence)


def stated_time(predicate: Predicate) -> datetime | None:
    """Return the moment at which the signer says it acted, where the predicate says so."""
    if isinstance(predicate, Step):
        return predicate.finished
    if isinstance(predicate, Seal):
        return predicate.sealed
    return None
