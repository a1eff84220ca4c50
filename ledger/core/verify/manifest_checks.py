"""The checks that rest on the C2PA manifest: bytes, claim, signer, time, ancestry.

The library's one-word state is not used: it says ``Trusted`` above a tampered parent. Every status code is
sorted here instead, by what it proves:

* a hash or a signature that does not fit is *failed*;
* an unknown signer, an expired or revoked certificate, an algorithm we cannot run, and what was not at hand
  (a remote manifest) is *undecided*;
* a time stamp that does not fit its signature leaves the time undecided, though C2PA only mentions it;
* a failure code that this version does not know counts as failed: what cannot be named is not waved through.

The codes are those of C2PA 2.4 §15.2, the CAWG identity assertion, and what c2pa-rs adds to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ledger.core.manifest import Finding, ManifestFacts, Reading
from ledger.core.report import SIGNER_LISTED, Check, Status

MANIFEST_ANCHORS = "urn:rakkan:trust:manifest"
"""Name of the trust root's claim-signing anchors, as the codec gives them to the library."""
LISTS = "urn:rakkan:trust:list:"
"""How the names of trust lists from outside begin, as the codec gives them to the library."""
CLAIM_SIGNING_EKUS = frozenset({"1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36"})
"""C2PA claim signing, emailProtection, documentSigning (C2PA 2.4 §14.5.1)."""

_BINDINGS = (
    "assertion.dataHash.",
    "assertion.bmffHash.",
    "assertion.boxesHash.",
    "assertion.collectionHash.",
    "assertion.multiAssetHash.",
)
_MATCHES = frozenset(
    {
        "assertion.dataHash.match",
        "assertion.bmffHash.match",
        "assertion.boxesHash.match",
        "assertion.collectionHash.match",
    }
)
"""What says that the whole asset is bound. ``multiAssetHash.match`` speaks of one part only."""
_SIGNER = ("signingCredential.", "cawg.")
_TIME = ("timeStamp.", "timeOfSigning.", "claimSignature.outsideValidity")
_ANCESTRY = ("ingredient.",)
_MISPLACED_TIME = frozenset({"timeStamp.mismatch", "timeStamp.malformed"})
_UNDECIDED = frozenset(
    {
        # who signed, and until when they could
        "signingCredential.untrusted",
        "signingCredential.invalid",
        "signingCredential.expired",
        "signingCredential.ocsp.revoked",
        "signingCredential.ocsp.unknown",
        "signingCredential.ocsp.inaccessible",
        "signingCredential.ocsp.skipped",
        "claimSignature.outsideValidity",
        # when
        "timeOfSigning.outsideValidity",
        "timeStamp.untrusted",
        "timeStamp.outsideValidity",
        "timeStamp.credentialInvalid",
        # what this reader cannot compute
        "algorithm.unsupported",
        "algorithm.deprecated",
        # what was not brought
        "assertion.inaccessible",
        "manifest.inaccessible",
        "manifest.unknownProvenance",
        "manifest.structuredText.noManifest",
        "manifest.structuredText.noResolutionPath",
        "ingredient.unknownProvenance",
        "ingredient.unvalidated",
        # whom an identity assertion names (CAWG): the same, for its own signer
        "cawg.identity.credential_revoked",
        "cawg.identity.sig_type.unknown",
        "cawg.ica.did_unavailable",
        "cawg.ica.invalid_alg",
        "cawg.ica.untrusted_issuer",
        "cawg.ica.valid_from.invalid",
        "cawg.ica.valid_from.missing",
        "cawg.ica.valid_until.invalid",
        "cawg.x509.algorithm.unsupported",
        "cawg.x509.credential.invalid",
        "cawg.x509.credential.untrusted",
        "cawg.x509.signature.outside_validity",
    }
)
"""Failure codes that are no evidence of alteration. ``ingredient.unvalidated`` is our own word."""


def severity(findings: Iterable[Finding]) -> Status:
    """Return the worst of these failure codes: failed, undecided, or passed when there is none."""
    worst = Status.PASSED
    for finding in findings:
        if finding.code not in _UNDECIDED:
            return Status.FAILED
        worst = Status.UNDECIDED
    return worst


def codes(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the codes, each once, in order."""
    return tuple(dict.fromkeys(finding.code for finding in findings))


def check_bytes(reading: Reading) -> Check:
    """Whether the file's bytes are those that the manifest was bound to."""
    failures = [finding for finding in reading.failure if finding.code.startswith(_BINDINGS)]
    matches = [finding for finding in reading.success if finding.code in _MATCHES]
    title = "The bytes are unchanged since sealing"
    if failures:
        words = "The file's bytes are not the bytes that were sealed."
        return Check("bytes", title, severity(failures), words, codes(failures))
    if not matches:
        words = "The manifest does not bind the file's bytes, so they cannot be compared."
        return Check("bytes", title, Status.UNDECIDED, words)
    return Check(
        "bytes", title, Status.PASSED, "Every byte is as it was when the file was sealed.", codes(matches)
    )


def check_claim(reading: Reading) -> Check:
    """Whether the manifest's own statements are as they were signed."""
    others = _BINDINGS + _SIGNER + _TIME + _ANCESTRY
    failures = [item for item in reading.failure if not item.code.startswith(others)]
    title = "The manifest is intact"
    if failures:
        status = severity(failures)
        words = (
            "The manifest was changed after it was signed, or was never validly signed."
            if status is Status.FAILED
            else "A part of the manifest could not be checked here."
        )
        return Check("claim", title, status, words, codes(failures))
    if "claimSignature.validated" not in codes(reading.success):
        return Check("claim", title, Status.UNDECIDED, "The manifest's signature could not be checked.")
    return Check(
        "claim",
        title,
        Status.PASSED,
        "Its statements are exactly as they were signed.",
        ("claimSignature.validated",),
    )


def check_signer(reading: Reading) -> Check:
    """Whether the trust root knows who signed, for this purpose."""
    title = "The signer is known"
    signer = reading.active_manifest.signer
    name = f"“{signer.common_name}” of “{signer.organization}”" if signer else "an unreadable certificate"
    failures = [finding for finding in reading.failure if finding.code.startswith(_SIGNER)]
    if severity(failures) is Status.FAILED:
        return Check(
            "signer",
            title,
            Status.FAILED,
            f"What the manifest says about its signer, {name}, contradicts itself.",
            codes(failures),
        )
    listed = list_of(reading)
    if reading.trust_list != MANIFEST_ANCHORS and listed is None:
        words = f"Signed by {name}, whom the given trust root does not know. That is no evidence of forgery."
        return Check("signer", title, Status.UNDECIDED, words, codes(failures))
    if failures:
        words = f"The certificate of {name} cannot be relied on: {failures[0].explanation}."
        return Check("signer", title, Status.UNDECIDED, words, codes(failures))
    if signer is None or not CLAIM_SIGNING_EKUS.intersection(signer.ekus):
        words = f"The certificate of {name} was not issued for signing manifests."
        return Check("signer", title, Status.UNDECIDED, words, ("signingCredential.invalid",))
    if listed is not None:
        words = f"Signed by {name}, known to the list “{listed}”, not to the given trust root."
        return Check("signer", title, Status.UNDECIDED, words, (SIGNER_LISTED,))
    return Check(
        "signer",
        title,
        Status.PASSED,
        f"Signed by {name}, known to the trust root.",
        ("signingCredential.trusted",),
    )


def list_of(reading: Reading) -> str | None:
    """Return the name of the list from outside that knows the signer; ``None`` where none does."""
    found = reading.trust_list or ""
    return found.removeprefix(LISTS) if found.startswith(LISTS) else None


def check_time(reading: Reading, now: datetime) -> Check:
    """Whether the signature's moment is vouched for, or need not be yet."""
    title = "The time of sealing holds"
    failures = [finding for finding in reading.failure if finding.code.startswith(_TIME)]
    if failures:
        status = severity(failures)
        words = (
            "The time stamp does not fit the signature."
            if status is Status.FAILED
            else "Nothing says that the certificate was valid when it signed."
        )
        return Check("time", title, status, words, codes(failures))
    signer, moment = reading.active_manifest.signer, reading.active_manifest.signed_at
    if moment is not None and "timeStamp.trusted" in codes(reading.success):
        words = f"A trusted time stamp authority saw the signature at {moment:%Y-%m-%d %H:%M:%S} UTC."
        return Check("time", title, Status.PASSED, words, ("timeStamp.trusted",))
    found = codes(item for item in reading.informational if item.code.startswith(_TIME))
    if _MISPLACED_TIME.intersection(found):
        words = "The manifest carries a time stamp that is damaged or belongs to another signature."
        return Check("time", title, Status.UNDECIDED, words, found)
    if signer is None or signer.not_after is None or signer.not_before is None:
        return Check("time", title, Status.UNDECIDED, "The certificate's validity could not be read.", found)
    if not signer.not_before <= now < signer.not_after:
        words = (
            "The certificate is not valid today, and no trusted time stamp says that it was when it signed."
        )
        return Check("time", title, Status.UNDECIDED, words, found)
    until = f"{signer.not_after:%Y-%m-%d}"
    words = f"No trusted time stamp; none is needed while the certificate is valid, until {until}."
    return Check("time", title, Status.PASSED, words, found)


def check_ancestry(reading: Reading) -> Check:
    """Whether everything that the file was made from was intact when it was used."""
    title = "What it was made from was intact"
    bad = list(_ancestor_failures(reading))
    own = [finding for finding in reading.failure if finding.code.startswith(_ANCESTRY)]
    failures = [finding for _, finding in bad] + own + list(reading.deltas)
    if failures:
        names = "; ".join(dict.fromkeys(f"“{name}”" for name, _ in bad)) or "An ancestor"
        status = severity(failures)
        verb = (
            "did not match its own manifest"
            if status is Status.FAILED
            else "was signed by somebody unknown here, or could not be checked"
        )
        return Check("ancestry", title, status, f"{names} {verb}.", codes(failures))
    count = len(reachable_manifests(reading)) - 1
    several = f"{count} ancestors with manifests of their own, each found intact."
    words = {
        0: "No ancestor carries a manifest.",
        1: "One ancestor with a manifest of its own, found intact.",
    }
    return Check("ancestry", title, Status.PASSED, words.get(count, several))


def reachable_manifests(reading: Reading) -> list[ManifestFacts]:
    """Return the active manifest first, then those it leads to; others in the store speak for nothing."""
    found: dict[str, ManifestFacts] = {}
    queue = [reading.active]
    while queue:
        label = queue.pop()
        if label in found or label not in reading.manifests:
            continue
        found[label] = reading.manifests[label]
        queue += [item.manifest for item in found[label].ingredients if item.manifest]
    return list(found.values())


def _ancestor_failures(reading: Reading) -> Iterator[tuple[str, Finding]]:
    for facts in reachable_manifests(reading):
        for ingredient in facts.ingredients:
            for finding in ingredient.failures:
                yield ingredient.title, finding
            if ingredient.manifest and not ingredient.validated:
                yield (
                    ingredient.title,
                    Finding("ingredient.unvalidated", ingredient.manifest, "no results were recorded"),
                )
            if ingredient.manifest and ingredient.manifest not in reading.manifests:
                yield (
                    ingredient.title,
                    Finding("ingredient.manifest.missing", ingredient.manifest, "not in the store"),
                )
