"""Record a step: what was written, from what, with which tool. One signed entry, one receipt.

* Every output is read once for its SHA-256, and decoded once for its pixel digest where something here can.
* Prompts and names go in as commitments; their openings are stored apart, before the entry, so that no entry
  ever commits to something nobody can open.
* A material is given as a file, or as the name or digest of a registered model or dataset. A remote service
  is one, too: a model that nobody has the weights of.
"""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from ledger.core.artifact import Artifact, Role
from ledger.core.containers.jumbf import MAX_STORE
from ledger.core.disclosure import SALT_BYTES, commit
from ledger.core.predicates import StepV2
from ledger.core.predicates.model_v2 import Service
from ledger.core.predicates.step import Evidence, Place, Step, StepAction, Tool
from ledger.core.trust import TrustRoot
from ledger.errors import MalformedError, RakkanError, RefusedError, UsageError
from ledger.ports import Anchors, ManifestCodec, ManifestStore, OpeningStore
from ledger.service.files import beside, check_name, check_unchanged, identify, read_whole
from ledger.service.log.sequence import Appended
from ledger.service.studio import Device, Studio

SKEW = timedelta(minutes=5)
"""How far the clock of the machine that did the work may be ahead of the one that records it."""
BOUND = ("assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match")


@dataclass(frozen=True, slots=True)
class Used:
    """A material: a file by its path, or anything by its name and SHA-256 (hex)."""

    role: Role
    path: Path | None = None
    name: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What a hook, or a person at a shell, says of a step. ``secrets`` are committed to, never written.

    ``service`` ran it remotely, on an account with this plan; ``people`` are the pseudonyms of those whose
    likeness or voice went in.
    """

    action: StepAction
    tool: Tool
    place: Place
    started: datetime
    finished: datetime
    actor: str
    evidence: Evidence
    used: tuple[Used, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    service: Service | None = None
    plan_tier: str | None = None
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """The entry, and the artifacts it is about."""

    appended: Appended
    subjects: tuple[Artifact, ...]
    step: Step


def record(studio: Studio, device: Device, work: Work, outputs: Sequence[Path]) -> Recorded:
    """Sign and append the step that wrote ``outputs``; durable on return.

    Raises ``UsageError`` (``record.nothing``, ``rights.name``, ``file.*``) before anything is written,
    ``RefusedError`` when
    the device may not sign now, and the log's own errors.
    """
    if not outputs:
        raise UsageError("record.nothing", "A step that wrote nothing has no subject.")
    for person in (work.actor, *work.people):
        check_pseudonym(person)
    device.check_clock(studio.clock.now())
    _check_time(device, work, studio.clock.now())
    subjects = _distinct(tuple(describe(studio, path) for path in outputs))
    materials = tuple(_material(studio, used) for used in work.used)
    if work.service is not None:
        materials += (replace(work.service.subject, role=Role.MODEL),)
    step = StepV2(
        step_id=str(uuid7()),
        action=work.action,
        evidence=work.evidence,
        place=work.place,
        started=work.started,
        finished=work.finished,
        actor=work.actor,
        tool=work.tool,
        materials=materials,
        parameters=dict(work.parameters),
        commitments=keep_secrets(studio.openings, work.secrets),
        service=work.service,
        plan_tier=work.plan_tier,
        people=work.people,
    )
    return Recorded(studio.state(device.signer, subjects, step), subjects, step)


def describe(studio: Studio, path: Path, role: Role | None = None) -> Artifact:
    """Return a file as statements name it.

    Raises ``UsageError("file.*")``, and for what a step wrote (no ``role``) ``file.wrong-extension`` and
    ``file.malformed``.
    """
    identity = identify(path)
    media_type = studio.codec.media_type(path)
    if role is None:  # what somebody else delivered may be named as they like
        check_name(path, media_type)
    try:
        pixels = studio.pixels.digest(path)
    except MalformedError:
        if role is None:
            raise
        pixels = None  # it was used all the same
    check_unchanged(path, identity)
    return Artifact(path.name, identity.sha256, media_type, pixels, role)


def keep_secrets(openings: OpeningStore, secrets: Mapping[str, str]) -> tuple[str, ...]:
    """Commit to each name and value, keep the openings durably, and return the digests for ``_sd``."""
    disclosures = [commit(os.urandom(SALT_BYTES), name, value) for name, value in secrets.items()]
    if disclosures:
        openings.put({item.digest: item.text for item in disclosures})
    # Sorted, so that the order does not tell which digest is the prompt (RFC 9901 §4.2.4.1).
    return tuple(sorted(item.digest for item in disclosures))


def check_pseudonym(text: str) -> str:
    """Return what stands for a person, unless it looks like the name or the address of one.

    It enters the log in the clear, for ever. Raises ``UsageError("rights.name")``.
    """
    if re.search(r"[\s@]", text):
        raise UsageError(
            "rights.name", f"{text!r} looks like a name: give a pseudonym, such as actor:legal-2."
        )
    return text


def uuid7() -> uuid.UUID:
    """Return a time-ordered identifier (RFC 9562 §5.7); the standard library has none before Python 3.14."""
    value = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def _material(studio: Studio, used: Used) -> Artifact:
    if used.path is not None:
        material = describe(studio, used.path, used.role)
        keep_manifest(studio.manifests, studio.codec, studio.trust, used.path, material.sha256)
        return material
    if used.name is None or used.sha256 is None:
        raise RefusedError("record.nothing", "A material needs a file, or a name and a digest.")
    return Artifact(used.name, used.sha256, role=used.role)


def keep_manifest(
    manifests: ManifestStore, codec: ManifestCodec, trust: TrustRoot, path: Path, sha256: str
) -> None:
    """Keep the manifest that a material came with, so that sealing what is made from it does not lose it.

    One that is damaged, or about other bytes, says nothing about this file and is left where it is.
    """
    if manifests.get(sha256) is not None:
        return
    anchors = Anchors(trust.manifest_anchors, trust.timestamp_anchors)
    try:
        sidecar = beside(path)
        store = codec.store(path) or (read_whole(sidecar, MAX_STORE + 1) if sidecar else None)
        reading = codec.read(path, store, anchors) if store else None
    except RakkanError:
        return
    if store and reading and any(item.code in BOUND for item in reading.success):
        manifests.put(sha256, store)


def _check_time(device: Device, work: Work, now: datetime) -> None:
    """Refuse a step that nobody could verify later: done before the enrolment, or not yet."""
    if work.finished > now + SKEW:
        raise UsageError(
            "statement.field",
            f"The step cannot have finished at {work.finished:%Y-%m-%d %H:%M}: that is still to come.",
        )
    if work.finished < device.enrolled_from:
        raise RefusedError(
            "key.not-valid",
            f"The step finished at {work.finished:%Y-%m-%d %H:%M}, before the device “{device.name}” was "
            f"enrolled at {device.enrolled_from:%Y-%m-%d %H:%M}: the device cannot vouch for it.",
            device=device.name,
        )


def _distinct(subjects: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    names = [subject.name for subject in subjects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError("record.nothing", f"Two outputs are named {twice[0]}: record them as two steps.")
    return subjects
