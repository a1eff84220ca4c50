"""The library's report as a ``Reading``: every manifest, every ingredient, every code.

* The one-word state hides a tampered ancestor (facts/c2pa.md, fact 3), so the failures that each ingredient's
  maker recorded are kept next to the failures found now;
* who signed is read from the certificate itself; the library's own words stand in only where the certificate
  cannot be read (a compressed manifest);
* the library lets a time stamp anchor vouch for claims, and a certificate made for time stamps sign them
  (fact 6): such a signer is turned into ``signingCredential.untrusted`` here;
* binary values stay base64 text, as the library prints them; only the data hash is turned into hex.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from ledger.adapters.c2pa_codec.definition import TIMESTAMP_TRUST_URI, Json
from ledger.core.containers import cose, jumbf
from ledger.core.containers.layout import Range
from ledger.core.manifest import Finding, IngredientFacts, ManifestFacts, Reading, SignerFacts
from ledger.errors import MalformedError

DATA_HASH = "c2pa.hash.data"
_INGREDIENT = "c2pa.ingredient"
_UNREADABLE = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What a certificate that is none raises."""
_CLAIM_PURPOSES = {
    "1.3.6.1.4.1.62558.2.1",  # C2PA claim signing
    "1.3.6.1.5.5.7.3.4",  # e-mail protection
    "1.3.6.1.5.5.7.3.36",  # document signing (RFC 9336)
    "1.3.6.1.4.1.311.76.59.1.9",  # Microsoft's C2PA signing
}


_SUCCESS = (".match", ".validated", ".trusted", ".insideValidity", ".accessible", ".notRevoked")
"""How the status codes of success end (C2PA 2.4, §15.2.1)."""

_FRAME = 12
"""Bytes around a store in a chunk, box or tag of the formats that our own walk does not know."""


def reading(
    report: Json, store: bytes, framing: Sequence[Range] | None, *, embedded: bool, remote_url: str | None
) -> Reading:
    """Return the reading of a detailed report and the raw store it is about.

    ``framing`` says where in the file the store and what is around it lie, ``None`` where nobody knows.
    """
    try:
        found = _reading(report, store, embedded=embedded, remote_url=remote_url)
        found = _without_loose_binding(found, len(store), framing)
        return found if _signer_may_claim(found) else _distrusted(found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # The library passes assertions on as they are: a hostile one may have any shape.
        raise MalformedError("manifest.malformed", "The manifest's content has no sensible shape.") from error


def _reading(report: Json, store: bytes, *, embedded: bool, remote_url: str | None) -> Reading:
    signatures = {manifest.label: manifest.signature for manifest in jumbf.manifests(store)}
    manifests = {
        label: _manifest(label, manifest, signatures.get(label, b""))
        for label, manifest in report["manifests"].items()
    }
    results = report["validation_results"]
    active = results["activeManifest"]
    return Reading(
        active=report["active_manifest"],
        manifests=manifests,
        success=_findings(active.get("success")),
        informational=_findings(active.get("informational")),
        failure=_findings(active.get("failure")),
        deltas=tuple(
            finding
            for delta in results.get("ingredientDeltas") or ()
            for finding in _findings(delta["validationDeltas"].get("failure"))
        ),
        state=report["validation_state"],
        trust_list=results.get("trustListUri"),
        embedded=embedded,
        remote_url=remote_url,
    )


def _without_loose_binding(found: Reading, store_size: int, framing: Sequence[Range] | None) -> Reading:
    """Forget the bound hash where the binding leaves out more than the manifest itself.

    The library reports a second excluded range, but not one that is too long or lies beside the manifest: the
    hash would then speak for a part of the file only.
    """
    facts = found.active_manifest
    data_hash = facts.assertions.get(DATA_HASH)
    ranges = data_hash.get("exclusions") or [] if isinstance(data_hash, dict) else []
    spans = [(int(item["start"]), int(item["start"]) + int(item["length"])) for item in ranges]
    if not found.embedded:
        tight = not spans
    elif framing is None:
        tight = sum(stop - start for start, stop in spans) <= store_size + _FRAME
    else:
        around = (min(start for start, _ in framing), max(stop for _, stop in framing))
        tight = all(around[0] <= start and stop <= around[1] for start, stop in spans)
        tight &= around[1] - around[0] == sum(stop - start for start, stop in framing)
    if tight:
        return found
    return replace(found, manifests={**found.manifests, found.active: replace(facts, bound_sha256=None)})


def _signer_may_claim(found: Reading) -> bool:
    signer = found.active_manifest.signer
    purposes = set(signer.ekus) if signer is not None else set()
    return found.trust_list != TIMESTAMP_TRUST_URI and (not purposes or bool(purposes & _CLAIM_PURPOSES))


def _distrusted(found: Reading) -> Reading:
    """Return the reading with its signer's trust taken back."""
    trusted = [item for item in found.success if item.code == "signingCredential.trusted"]
    failures = (
        Finding("signingCredential.untrusted", item.url, "trusted for time stamps only, not for claims")
        for item in trusted
    )
    return replace(
        found,
        success=tuple(item for item in found.success if item not in trusted),
        failure=(*found.failure, *failures),
        state="Valid" if found.state == "Trusted" else found.state,
        trust_list=None,
    )


def _findings(items: Iterable[Mapping[str, Any]] | None) -> tuple[Finding, ...]:
    return tuple(
        Finding(str(item["code"]), str(item.get("url") or ""), str(item.get("explanation") or ""))
        for item in items or ()
    )


def _manifest(label: str, manifest: Json, signature: bytes) -> ManifestFacts:
    claim, assertions = manifest["claim"], manifest["assertion_store"]
    said = manifest.get("signature") or {}
    return ManifestFacts(
        label=label,
        title=str(claim.get("dc:title") or ""),
        generator=_generator(claim),
        signer=_signer(signature, said),
        signed_at=_time(said.get("time")),
        assertions=assertions,
        ingredients=tuple(
            _ingredient(value)
            for name, value in assertions.items()
            if name.split(".v", 1)[0].startswith(_INGREDIENT)
        ),
        bound_sha256=bound_sha256(assertions.get(DATA_HASH)),
    )


def _generator(claim: Json) -> str:
    """Return the claim generator as ``name version``; claims of version 1 have a list, or only a sentence."""
    info = claim.get("claim_generator_info")
    if isinstance(info, list):
        info = info[0] if info else None
    if isinstance(info, dict):
        return " ".join(str(info[key]) for key in ("name", "version") if info.get(key))
    return str(claim.get("claim_generator") or "")


def _signer(signature: bytes, said: Json) -> SignerFacts | None:
    der = cose.leaf_certificate(signature)
    if der is not None:
        with suppress(*_UNREADABLE), warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # a stranger's serial number
            return _certificate(x509.load_der_x509_certificate(der), der)
    if not said:
        return None
    return SignerFacts(
        common_name=str(said.get("common_name") or ""),
        organization=str(said.get("issuer") or ""),
        certificate_sha256=None,
        serial=said.get("cert_serial_number"),
        not_before=None,
        not_after=None,
        ekus=(),
    )


def _certificate(leaf: x509.Certificate, der: bytes) -> SignerFacts:
    try:
        purposes = tuple(
            oid.dotted_string for oid in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        )
    except x509.ExtensionNotFound:
        purposes = ()
    return SignerFacts(
        common_name=_name(leaf, NameOID.COMMON_NAME),
        organization=_name(leaf, NameOID.ORGANIZATION_NAME),
        certificate_sha256=sha256(der).hexdigest(),
        serial=str(leaf.serial_number),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        ekus=purposes,
    )


def _name(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = leaf.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def bound_sha256(data_hash: Any) -> str | None:
    """Return the data hash as hex where it is a SHA-256, else ``None``."""
    if not isinstance(data_hash, dict) or data_hash.get("alg", "sha256") != "sha256":
        return None
    try:
        digest = base64.b64decode(data_hash["hash"], validate=True)
    except (KeyError, TypeError, binascii.Error):
        return None
    return digest.hex() if len(digest) == 32 else None


def _ingredient(value: Json) -> IngredientFacts:
    """Return the facts of an ingredient assertion of version 1, 2 or 3."""
    manifest = value.get("activeManifest") or value.get("c2pa_manifest") or {}
    url = manifest.get("url") if isinstance(manifest, dict) else None
    return IngredientFacts(
        title=str(value.get("dc:title") or ""),
        relationship=str(value.get("relationship") or ""),
        manifest=None
        if url is None
        else url.removeprefix("self#jumbf=").removeprefix("/c2pa/").split("/", 1)[0],
        data_types=tuple(
            str(kind["type"]) for kind in value.get("dataTypes") or value.get("data_types") or ()
        ),
        failures=_recorded_failures(value),
        validated=value.get("validationResults") is not None or value.get("validationStatus") is not None,
    )


def _recorded_failures(value: Json) -> tuple[Finding, ...]:
    results = value.get("validationResults") or {}
    failures = list(_findings((results.get("activeManifest") or {}).get("failure")))
    for delta in results.get("ingredientDeltas") or ():
        failures += _findings(delta["validationDeltas"].get("failure"))
    # Version 1 and 2 keep one flat list. Few writers set `success` in it, so the code decides.
    flat = value.get("validationStatus") or ()
    failures += [
        finding for finding, item in zip(_findings(flat), flat, strict=True) if not _is_success(finding, item)
    ]
    return tuple(failures)


def _is_success(finding: Finding, item: Json) -> bool:
    return item.get("success") is not False and finding.code.endswith(_SUCCESS)
