"""DSSE v1 envelopes in one byte form (docs/spec/entry.md). Their bytes are the log's leaves.

* canonical JSON with exactly ``payload``, ``payloadType``, ``signatures``; of those each ``keyid``, ``sig``;
* standard base64, padded; at least one signature, no keyid twice;
* at most 65,535 bytes: the entry bundle's length field has two bytes (C2SP tlog-tiles);
* a known key whose signature fails rejects the whole envelope; an unknown key is ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from ledger.core import canonical
from ledger.core.encoding import decode_base64, encode_base64
from ledger.core.fields import Fields
from ledger.core.identity import PublicKey
from ledger.errors import MalformedError, UndecidedError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 65_535
# Whatever is of this form and holds good base64 is canonical, and every device writes it.
_USUAL = re.compile(
    rf'\{{"payload":"([^"]*)","payloadType":"{re.escape(PAYLOAD_TYPE)}",'
    r'"signatures":\[\{"keyid":"([0-9a-f]{64})","sig":"([^"]*)"\}\]\}'
)


class _Signer(Protocol):
    @property
    def keyid(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature: the signer's own name for its key, and the raw signature bytes."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """The payload as signed, and who signed it."""

    payload: bytes
    signatures: tuple[Signature, ...]


def pae(payload: bytes) -> bytes:
    """Return the bytes that are signed: DSSE v1 pre-authentication encoding. Lengths count bytes."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def sign(payload: bytes, *signers: _Signer) -> bytes:
    """Return the envelope's bytes. Raises ``MalformedError("envelope.too-large")``."""
    message = pae(payload)
    return encode(
        Envelope(payload, tuple(Signature(signer.keyid, signer.sign(message)) for signer in signers))
    )


def encode(envelope: Envelope) -> bytes:
    """Return the envelope's one byte form. Raises ``MalformedError("envelope.too-large")``."""
    data = canonical.encode(
        {
            "payload": encode_base64(envelope.payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": signature.keyid, "sig": encode_base64(signature.sig)}
                for signature in envelope.signatures
            ],
        }
    )
    _check_size(data)
    return data


def decode(data: bytes) -> Envelope:
    """Return the envelope, its signatures unchecked.

    Raises ``MalformedError``: ``envelope.too-large``, ``envelope.malformed``, ``envelope.payload-type``,
    ``envelope.unsigned``, ``json.*``.
    """
    _check_size(data)
    return _usual(data.decode("latin-1")) or _any(data)


def _usual(text: str) -> Envelope | None:
    """Return the envelope if it is of the usual form, with one signature: a third of the work."""
    found = _USUAL.fullmatch(text)
    if found is None:
        return None
    payload, sig = decode_base64(found[1]), decode_base64(found[3])
    return None if payload is None or sig is None else Envelope(payload, (Signature(found[2], sig),))


def _any(data: bytes) -> Envelope:
    fields = Fields(canonical.decode(data), code="envelope.malformed")
    payload = fields.base64("payload")
    if (kind := fields.text("payloadType")) != PAYLOAD_TYPE:
        raise MalformedError("envelope.payload-type", f"The payload type is {kind!r}.")
    signatures = tuple(_read_signature(item, n) for n, item in enumerate(fields.take("signatures", list)))
    fields.end()
    if not signatures:
        raise MalformedError("envelope.unsigned", "The envelope has no signature.")
    if len({signature.keyid for signature in signatures}) != len(signatures):
        raise MalformedError("envelope.malformed", "Two signatures name the same key.")
    return Envelope(payload, signatures)


def verify(envelope: Envelope, key: PublicKey) -> None:
    """Return if ``key`` signed the envelope.

    Raises ``UndecidedError("envelope.unsigned")`` when it carries no signature by this key, and
    ``IntegrityError("envelope.signature")`` when it does and that signature is wrong.
    """
    for signature in envelope.signatures:
        if signature.keyid == key.keyid:
            key.verify(signature.sig, pae(envelope.payload))
            return
    raise UndecidedError("envelope.unsigned", "The envelope has no signature by this key.", keyid=key.keyid)


def _read_signature(value: object, number: int) -> Signature:
    fields = Fields(value, f"signatures[{number}]", "envelope.malformed")
    found = Signature(fields.text("keyid"), fields.base64("sig"))
    fields.end()
    return found


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise MalformedError(
            "envelope.too-large",
            f"The envelope has {len(data):,} bytes; the limit is {MAX_BYTES:,}.",
            size=len(data),
        )
