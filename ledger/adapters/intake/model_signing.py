"""OpenSSF model signing v1.0: a Sigstore bundle around an in-toto statement of the digest of every file.

* The signature is checked with a public key, or with a certificate that leads to a given root. A key is ECDSA
  on P-256, P-384 or P-521, with the SHA-2 of its size.
* A signature by somebody else's key, a certificate that leads nowhere, and a keyless signature (it needs
  Fulcio and Rekor) are *undecided*. Only the right key over other bytes is *failed*.
* Every file below the folder is compared, signed or not, except those that the signed statement leaves out
  and the signature itself. Links are followed only where the statement says that they were.
* A verified signature says who wrote these digests down. It says nothing of training, and nothing of rights.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ledger.adapters.intake.certificates import Signer, chain_signer, key_signer
from ledger.adapters.intake.json_text import load_json
from ledger.adapters.intake.signed_files import Resource, Scope, compare
from ledger.adapters.intake.values import Facts, Notes, malformed
from ledger.core import envelope as dsse
from ledger.core.digest import sha256_hex
from ledger.core.fields import Fields
from ledger.core.report import Status
from ledger.core.rights.declared import Declared, DeclaredModel, SignatureReport
from ledger.errors import MalformedError

FORMAT = "model-signing"
MAX_BYTES = 64 << 20
BUNDLE = "application/vnd.dev.sigstore.bundle"
BUNDLE_V03 = f"{BUNDLE}.v0.3+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a signature's file holds. ``certificates`` are DER, the signer's first; ``hint`` names a key."""

    payload: bytes
    signature: bytes
    certificates: tuple[bytes, ...]
    keyless: bool
    hint: str | None
    model: str
    root_sha256: str
    scope: Scope
    resources: tuple[Resource, ...]


def is_model_signature(document: object) -> bool:
    """Whether a JSON document is a Sigstore bundle."""
    return isinstance(document, dict) and str(document.get("mediaType")).startswith(BUNDLE)


def read_model_signature(document: object, source_sha256: str) -> Declared:
    """Return what the statement names, unverified. Raises ``MalformedError("intake.malformed")``."""
    bundle = _read_bundle(document)
    notes = Notes()
    notes.add("the signature has not been verified: that takes the signer's key and the files")
    facts = Facts({"root": bundle.root_sha256, "files": str(len(bundle.resources))})
    for resource in bundle.resources:
        facts.put(f"file {resource.name}", f"{resource.algorithm}:{resource.digest}")
    single = bundle.resources[0] if len(bundle.resources) == 1 else None
    weights = single.digest if single and single.algorithm == "sha256" else None
    model = DeclaredModel(bundle.model, sha256=weights, facts=facts)
    return Declared(FORMAT, source_sha256, (model,), notes=notes.lines())


def verify_model_signature(
    signature: Path,
    root: Path,
    at: datetime,
    *,
    public_key_pem: bytes | None = None,
    roots_pem: bytes | None = None,
) -> SignatureReport:
    """Compare the model in ``root`` (a folder, or one file) with its signature.

    With ``public_key_pem`` that key must have signed; with ``roots_pem`` a certificate that leads to one of
    these at the moment ``at``; with neither the signature stays undecided. The files are compared either way.

    Raises ``MalformedError`` with ``intake.malformed`` for what is no such bundle, with ``key.malformed`` for
    what is no such key or certificate, and ``OSError``.
    """
    bundle = _read_bundle(load_json(_read(signature), "the bundle"))
    signer = _signer(bundle, at, public_key_pem, roots_pem)
    status, words = _check(bundle, signer)
    files = compare(root, bundle.scope, bundle.resources, signature)
    return SignatureReport(
        status,
        bundle.model,
        bundle.root_sha256,
        signer.name if status is Status.PASSED else None,
        files,
        words,
    )


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise malformed("the bundle", f"is larger than {MAX_BYTES:,} bytes")
    return data


def _signer(bundle: Bundle, at: datetime, key_pem: bytes | None, roots_pem: bytes | None) -> Signer:
    if key_pem is not None:
        return key_signer(key_pem)
    if bundle.keyless:
        return Signer(None, None, "a keyless signature needs Fulcio and Rekor, which were not asked")
    if not bundle.certificates:
        return Signer(None, None, "the bundle names a key, and no public key was given")
    if roots_pem is None:
        return Signer(None, None, "the bundle holds a certificate, and no root certificate was given")
    return chain_signer(bundle.certificates, roots_pem, at)


def _check(bundle: Bundle, signer: Signer) -> tuple[Status, tuple[str, ...]]:
    if signer.key is None:
        return Status.UNDECIDED, (signer.words,)
    if signer.signed(bundle.signature, dsse.pae(bundle.payload)):
        return Status.PASSED, ()
    if bundle.hint is not None and bundle.hint not in signer.hints:
        return Status.UNDECIDED, ("another key than the given one is named as the signer's",)
    return Status.FAILED, ("the signature does not fit the key and the statement",)


def _read_bundle(document: object) -> Bundle:
    try:
        return _bundle(document)
    except MalformedError as error:
        if error.code == "intake.malformed":
            raise
        raise malformed("the bundle:", error.message) from error


def _bundle(document: object) -> Bundle:
    fields = Fields(document, code="intake.malformed")
    if fields.text("mediaType") != BUNDLE_V03:
        raise fields.error("mediaType", f"must be {BUNDLE_V03}")
    envelope = fields.sub("dsseEnvelope")
    payload, signature = _envelope(envelope)
    certificates, keyless, hint = _material(fields.sub("verificationMaterial"))
    statement = Fields(load_json(payload, "the statement"), "statement", "intake.malformed")
    model, root_sha256, scope, resources = _statement(statement)
    return Bundle(payload, signature, certificates, keyless, hint, model, root_sha256, scope, resources)


def _envelope(envelope: Fields) -> tuple[bytes, bytes]:
    payload = envelope.base64("payload")
    if envelope.text("payloadType") != dsse.PAYLOAD_TYPE:
        raise envelope.error("payloadType", f"must be {dsse.PAYLOAD_TYPE}")
    signatures = envelope.items("signatures")
    if len(signatures) != 1:
        raise envelope.error("signatures", "must be one")
    return payload, Fields(signatures[0], "dsseEnvelope.signatures[0]", "intake.malformed").base64("sig")


def _material(material: Fields) -> tuple[tuple[bytes, ...], bool, str | None]:
    """Return the certificates, whether the signature is keyless, and the hint at a key."""
    if material.has("certificate"):  # v0.3 keeps a keyless signer's own certificate alone
        return (), True, None
    if material.has("x509CertificateChain"):
        items = material.sub("x509CertificateChain").items("certificates")
        place = "verificationMaterial.x509CertificateChain.certificates"
        fields = [Fields(item, f"{place}[{n}]", "intake.malformed") for n, item in enumerate(items)]
        return tuple(item.base64("rawBytes") for item in fields), False, None
    return (), False, material.sub("publicKey").optional_text("hint")


def _statement(statement: Fields) -> tuple[str, str, Scope, tuple[Resource, ...]]:
    if statement.text("_type") != STATEMENT or statement.text("predicateType") != PREDICATE:
        raise statement.error("predicateType", f"must be {PREDICATE}, in a {STATEMENT}")
    subjects = statement.items("subject")
    if len(subjects) != 1:
        raise statement.error("subject", "must be one")
    subject = Fields(subjects[0], "statement.subject[0]", "intake.malformed")
    predicate = statement.sub("predicate")
    resources = tuple(_resources(predicate))
    root_sha256 = subject.sub("digest").sha256("sha256")
    if sha256_hex(b"".join(bytes.fromhex(item.digest) for item in resources)) != root_sha256:
        raise statement.error("subject", "is not the digest of the resources' digests")
    return subject.text("name"), root_sha256, _scope(predicate.sub("serialization")), resources


def _resources(predicate: Fields) -> list[Resource]:
    found: dict[str, Resource] = {}
    for number, item in enumerate(predicate.items("resources")):
        fields = Fields(item, f"statement.predicate.resources[{number}]", "intake.malformed")
        resource = Resource(fields.text("name"), fields.text("algorithm"), fields.text("digest"))
        path = PurePosixPath(resource.name)
        if path.is_absolute() or ".." in path.parts or str(path) != resource.name:
            raise fields.error("name", "must be a path below the folder")
        if resource.name in found:
            raise fields.error("name", "stands there twice")
        if not _is_hex(resource.digest):
            raise fields.error("digest", "must be hexadecimal")
        found[resource.name] = resource
    return list(found.values())


def _is_hex(text: str) -> bool:
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def _scope(serialization: Fields) -> Scope:
    method = serialization.text("method")
    links: Any = serialization.take("allow_symlinks", bool) if serialization.has("allow_symlinks") else False
    ignored = serialization.texts("ignore_paths")
    return Scope(whole_files=method == "files", links=links, ignored=ignored)
