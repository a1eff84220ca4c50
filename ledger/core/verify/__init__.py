"""The verdict on a file, from the file, the trust root and nothing else (docs/spec/report.md).

* Nothing here reads a disk, a clock or a network: the caller brings what it read, and what the ledger said if
  it could be asked. What was not brought is undecided, never failed.
* The checks are independent: each looks at its own evidence, and none is skipped because another failed.
* The record is *about this file* when the digest it recorded is the SHA-256 of these bytes, or is the hash
  that the manifest binds and the bytes have, or when the decoded pixels are the recorded ones; failing these,
  when the sealer, who is the device that recorded the step, says so under its signature. Where several
  records name the digest, one that is about the file is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ledger.core.artifact import Artifact
from ledger.core.evidence import LoggedEnvelope, read_evidence
from ledger.core.fields import format_time
from ledger.core.manifest import LEDGER_ENTRY, Reading
from ledger.core.policy import Policy
from ledger.core.predicates import Dataset, Model, Seal, Step
from ledger.core.report import FOUND_BY_PIXELS, Check, Status, VerificationReport
from ledger.core.trust import TrustRoot
from ledger.core.verify import manifest_checks as on_manifest
from ledger.core.verify.history_checks import check_history
from ledger.core.verify.ledger_checks import Judged, Ledger, check_log, check_statement, examine
from ledger.core.verify.licence_checks import check_grants, check_materials, named_steps, named_things
from ledger.core.verify.public import for_anybody
from ledger.errors import MalformedError, RakkanError

LOSSLESS = frozenset({"image/png", "image/x-exr", "image/bmp", "image/gif", "image/x-dpx"})
"""Formats whose samples every decoder reproduces exactly (docs/spec/pixels.md). TIFF may hold JPEG."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One file as it was read. ``unreadable`` says why there is no reading, when the cause was an error."""

    name: str
    sha256: str
    media_type: str
    pixels: Callable[[], str | None]
    reading: Reading | None
    unreadable: RakkanError | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """An entry of the ledger that knows this file: by its ``bytes``, or only by its ``pixels``.

    By its ``manifest``, where there is nothing else at hand.
    """

    index: int
    name: str
    by: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the ledger answered: the entries that know the file, and the evidence it has for them."""

    sightings: tuple[Sighting, ...]
    evidence: tuple[LoggedEnvelope, ...]
    subject: str | None


def verify(
    file: Examined,
    trust: TrustRoot | None,
    now: datetime,
    asked: Asked | None = None,
    policy: Policy | None = None,
) -> VerificationReport:
    """Return the full report. ``asked`` is ``None`` when no ledger was asked (offline).

    ``policy`` is the verifier's own: how many witnesses must have cosigned the log.
    """
    root, file = trust or TrustRoot("", (), (), "", ""), _checked(file)
    offered = brought_by(file.reading) + (asked.evidence if asked else ())
    return _report(file, root, now, examine(offered, root, policy), asked)


def verify_for_all(
    file: Examined, root: TrustRoot, now: datetime, asked: Asked
) -> tuple[VerificationReport, VerificationReport]:
    """Return the full report, and the one for somebody who may not read the registry (``public``)."""
    file = _checked(file)
    brought = brought_by(file.reading)
    ledger = examine(brought + asked.evidence, root)
    full = _report(file, root, now, ledger, asked)
    own = _report(file, root, now, ledger.among(brought), None)
    return full, for_anybody(full, own)


def _report(
    file: Examined, root: TrustRoot, now: datetime, ledger: Ledger, asked: Asked | None
) -> VerificationReport:
    things = named_things(ledger, now)
    subject, record = _check_subject(file, ledger, asked)
    checks = [
        *_manifest_checks(file, now),
        check_log(ledger),
        check_statement(ledger),
        subject,
        check_history(ledger),
        check_materials(things, ledger),
        check_grants(things, ledger),
    ]
    if asked is not None:
        checks.append(_check_ledger(asked))
    signer = file.reading.active_manifest.signer if file.reading else None
    return VerificationReport(
        file=file.name,
        sha256=file.sha256,
        checks=tuple(checks),
        things=things,
        steps=named_steps(ledger),
        signer=f"{signer.common_name}, {signer.organization}" if signer else None,
        log=record.entry.origin if record else None,
        facts=_facts(file, root),
    )


def _checked(file: Examined) -> Examined:
    """Return the file; one whose reading lacks the manifest it calls active becomes one without a reading."""
    if file.reading is None or file.reading.active in file.reading.manifests:
        return file
    error = MalformedError("manifest.malformed", "The manifest store does not hold its active manifest.")
    return replace(file, reading=None, unreadable=error)


def brought_by(reading: Reading | None) -> tuple[LoggedEnvelope, ...]:
    """Return the entries in every manifest that the file leads to, its own first. None is verified.

    A damaged assertion is left out; the check on the log then says that none was brought.
    """
    found: list[LoggedEnvelope] = []
    for facts in on_manifest.reachable_manifests(reading) if reading else []:
        try:
            found += read_evidence(facts.assertions[LEDGER_ENTRY]).entries
        except (KeyError, RakkanError):
            continue
    return tuple(found)


def _manifest_checks(file: Examined, now: datetime) -> list[Check]:
    if file.reading is not None:
        return [
            on_manifest.check_bytes(file.reading),
            on_manifest.check_claim(file.reading),
            on_manifest.check_signer(file.reading),
            on_manifest.check_time(file.reading, now),
            on_manifest.check_ancestry(file.reading),
        ]
    code = file.unreadable.code if file.unreadable else "verify.no-manifest"
    words = (
        file.unreadable.message
        if file.unreadable
        else "The file carries no manifest, and no sidecar was given."
    )
    return [Check("claim", "The manifest is intact", Status.UNDECIDED, words, (code,))]


def _check_subject(file: Examined, ledger: Ledger, asked: Asked | None) -> tuple[Check, Judged | None]:
    """Return the check, and the record that it is about."""
    title = "The record is about this file"
    subject = subject_of(file.reading) or (asked.subject if asked else None)
    found = [
        (_tie(file, artifact, record, ledger), artifact, record)
        for record in ledger.of(Step, Dataset, Model)
        for artifact in record.entry.statement.subjects
        if artifact.sha256 == subject
    ]
    if not found:
        words = "No proven record of this file is at hand."
        return Check("subject", title, Status.UNDECIDED, words, ("receipt.missing",)), None
    (status, words), artifact, record = min(found, key=lambda item: _TIES.index(item[0][0]))
    entry = f"Entry {record.entry.index}"
    check = Check("subject", title, status, f"{entry}, “{artifact.name}”: {words}", plain=f"{entry}: {words}")
    return check, record


_TIES = (Status.PASSED, Status.FAILED, Status.UNDECIDED)
"""Which of several records of one digest is shown: the first of these that any of them comes to."""


def subject_of(reading: Reading | None) -> str | None:
    """Return the digest under which the file was recorded, as its own manifest says; no ancestor's counts."""
    try:
        return read_evidence(reading.active_manifest.assertions[LEDGER_ENTRY]).subject if reading else None
    except (KeyError, RakkanError):
        return None


def _tie(file: Examined, artifact: Artifact, record: Judged, ledger: Ledger) -> tuple[Status, str]:
    """Compare what was recorded with this file: by digest, else by picture, else by the sealer's word."""
    reading = file.reading
    if file.sha256 == artifact.sha256:
        return Status.PASSED, "the recorded bytes are these bytes."
    if reading and reading.active_manifest.bound_sha256 == artifact.sha256 and _binds_everything(reading):
        return Status.PASSED, "without its manifest, the file is byte for byte what was recorded."
    if _sealed_from(file.sha256, artifact.sha256, record, ledger):
        return Status.PASSED, "so says the device that recorded it, in the log: it sealed it to these bytes."
    pixels = _pixels(file) if artifact.pixels else None
    if pixels and pixels == artifact.pixels:
        return Status.PASSED, "its picture is, sample for sample, the one recorded."
    if pixels and file.media_type in LOSSLESS:
        return Status.FAILED, "its picture is not the one recorded."
    # Elsewhere another decoder may give other samples: that alone is no evidence against the sealer's word.
    return _tie_by_word(reading, record)


def _sealed_from(sha256: str, source: str, record: Judged, ledger: Ledger) -> bool:
    """Whether the recording device's own entry says that it sealed the recorded file to these bytes."""
    return any(
        subject.sha256 == sha256 and made.source == source
        for item in ledger.of(Seal)
        if item.signer.key.keyid == record.signer.key.keyid
        and isinstance(seal := item.entry.statement.predicate, Seal)
        for subject, made in zip(item.entry.statement.subjects, seal.manifests, strict=True)
    )


def _tie_by_word(reading: Reading | None, record: Judged) -> tuple[Status, str]:
    if reading is None or on_manifest.check_bytes(reading).status is not Status.PASSED:
        return Status.UNDECIDED, "these are neither the recorded bytes nor the sealed ones."
    signer = reading.active_manifest.signer
    if signer and signer.certificate_sha256 in record.certificates:
        words = "so says the device that recorded it, under its signature; sealing rewrote the bytes."
        return Status.PASSED, words
    return Status.UNDECIDED, "sealing rewrote the bytes, and nothing here can compare the content."


def _pixels(file: Examined) -> str | None:
    try:
        return file.pixels()
    except RakkanError:
        return None


def _binds_everything(reading: Reading) -> bool:
    """Whether the data hash holds and leaves out nothing but the manifest itself."""
    found = on_manifest.codes((*reading.success, *reading.informational, *reading.failure))
    return (
        "assertion.dataHash.match" in found
        and "assertion.dataHash.additionalExclusionsPresent" not in found
        and on_manifest.check_bytes(reading).status is Status.PASSED
    )


def _check_ledger(asked: Asked) -> Check:
    title = "The ledger knows the file"
    if not asked.sightings:
        words = "The ledger has no entry with these bytes or this picture."
        return Check("ledger", title, Status.UNDECIDED, words, ("log.no-such-entry",))
    first = asked.sightings[0]
    if first.by == "manifest":
        head, tail = (
            "The manifest is about ",
            f"entry {first.index}; whether a file is that, only the file can tell.",
        )
        return Check("ledger", title, Status.UNDECIDED, f"{head}“{first.name}”, {tail}", (), head + tail)
    if first.by == "pixels":
        head, tail = "The bytes are unknown, but the picture is that of ", f"entry {first.index}: "
        tail += "its manifest was removed or it was saved again."
        words, plain = f"{head}“{first.name}”, {tail}", head + tail
        return Check("ledger", title, Status.UNDECIDED, words, (FOUND_BY_PIXELS,), plain)
    words, plain = (
        f"These bytes are “{first.name}”, entry {first.index}.",
        f"These bytes are entry {first.index}.",
    )
    return Check("ledger", title, Status.PASSED, words, ("ledger.bytes",), plain)


def _facts(file: Examined, root: TrustRoot) -> dict[str, str]:
    facts = {"mediaType": file.media_type}
    if file.reading is None:
        return facts
    signer, stamped = file.reading.active_manifest.signer, file.reading.active_manifest.signed_at
    known = root.studio if file.reading.trust_list == on_manifest.MANIFEST_ANCHORS else None
    found = {
        "manifest": file.reading.active,
        "c2paState": file.reading.state,
        "form": "embedded" if file.reading.embedded else "sidecar",
        "remoteManifest": file.reading.remote_url,
        "trustList": known or on_manifest.list_of(file.reading),
        "certificateSerial": signer and signer.serial,
        "certificatePurposes": signer and " ".join(signer.ekus),
        "timeStamp": stamped and format_time(stamped),
    }
    return facts | {name: value for name, value in found.items() if value}
