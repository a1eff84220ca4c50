"""The trust root: the few things a stranger must be given before anything can be proven to them.

One JSON file (docs/spec/trust-root.md): whose manifests are believed (a certificate), whose time stamps,
which log keys, and which registrar keys may admit devices. All else is found in the sealed file itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ledger.core import canonical
from ledger.core.encoding import encode_base64
from ledger.core.fields import Fields, present
from ledger.core.identity import parse_public_key
from ledger.core.note import NoteVerifier, parse_vkey, spki_of
from ledger.errors import MalformedError

SPEC = "https://rakkan.org/trust-root/v1"


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """``logs`` are C2SP verifier keys, ``registrars`` DER SubjectPublicKeyInfo, the anchors PEM text."""

    studio: str
    logs: tuple[str, ...]
    registrars: tuple[bytes, ...]
    manifest_anchors: str
    timestamp_anchors: str

    def log_verifiers(self, origin: str) -> tuple[NoteVerifier, ...]:
        """Return the keys of the log of this name, as they verify checkpoints."""
        return tuple(found for found in map(parse_vkey, self.logs) if found.name == origin)

    def log_keys(self, origin: str) -> tuple[bytes, ...]:
        """Return the keys of the log of this name, DER SubjectPublicKeyInfo."""
        return tuple(map(spki_of, self.log_verifiers(origin)))


@dataclass(frozen=True, slots=True)
class Lists:
    """Trust lists of others, as PEM text: of who signs manifests, each under its name; of who stamps times.

    A signer whom only such a list knows is known, and has no part in this studio.
    """

    signers: tuple[tuple[str, str], ...] = ()
    stamps: str = ""


NO_LISTS = Lists()


def read_list(data: bytes) -> str:
    """Return a trust list's certificates as PEM text. Raises ``MalformedError("trust.malformed")``."""
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise MalformedError("trust.malformed", "The trust list holds no PEM certificates.") from error
    return "".join(item.public_bytes(Encoding.PEM).decode() for item in found)


def format_trust(trust: TrustRoot) -> bytes:
    """Return the file's text, laid out for a person to read."""
    document = present(
        spec=SPEC,
        studio=trust.studio,
        logs=list(trust.logs),
        registrars=[encode_base64(spki) for spki in trust.registrars],
        manifestAnchors=_lines(trust.manifest_anchors),
        timestampAnchors=_lines(trust.timestamp_anchors),
    )
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def parse_trust(data: bytes) -> TrustRoot:
    """Return the trust root. Raises ``MalformedError("trust.malformed")``, ``json.*``, ``key.malformed``."""
    fields = Fields(canonical.parse(data), code="trust.malformed")
    if fields.text("spec") != SPEC:
        raise fields.error("spec", f"must be {SPEC}")
    trust = TrustRoot(
        fields.text("studio"),
        fields.texts("logs"),
        tuple(
            Fields({"key": item}, "registrars", "trust.malformed").base64("key")
            for item in fields.items("registrars")
        ),
        _pem(fields, "manifestAnchors"),
        _pem(fields, "timestampAnchors"),
    )
    fields.end()
    for spki in trust.registrars:
        parse_public_key(spki)
    for vkey in trust.logs:
        parse_vkey(vkey)
    if not (trust.logs and trust.registrars):
        raise MalformedError("trust.malformed", "A trust root names at least one log and one registrar.")
    return trust


def _lines(pem: str) -> list[str]:
    return [line for line in pem.splitlines() if line.strip()]


def _pem(fields: Fields, name: str) -> str:
    """Return the certificates as PEM text; ``""`` when there are none."""
    pem = "".join(f"{line}\n" for line in fields.texts(name))
    try:
        if pem:
            x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise fields.error(name, "must hold PEM certificates, line by line") from error
    return pem
