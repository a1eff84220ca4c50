"""Verify a file: read what it is and what it carries, ask the ledger if there is one, and judge.

Nothing here raises for what is wrong with the *file's claims*: that is what the report is for. It raises only
when there is no file to judge (``file.*``).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.core.containers.jumbf import MAX_STORE
from ledger.core.evidence import LoggedEnvelope
from ledger.core.manifest import Reading
from ledger.core.policy import Policy
from ledger.core.predicates import Seal
from ledger.core.report import VerificationReport
from ledger.core.trust import NO_LISTS, Lists, TrustRoot
from ledger.core.verify import Asked, Examined, Sighting, verify
from ledger.errors import RakkanError, UndecidedError
from ledger.ports import Anchors, ArtifactRow, ManifestCodec, PixelReader
from ledger.service import files
from ledger.service.archive import Archive
from ledger.service.evidence import basis, full_evidence
from ledger.service.files import beside
from ledger.service.log.projection import SEALED_FROM
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Also:
    """What a verifier brings besides a trust root.

    ``policy`` says how many witnesses must have cosigned the log, ``lists`` which other signers are known.
    """

    policy: Policy | None = None
    lists: Lists = NO_LISTS


NOTHING_ELSE = Also()


def verify_offline(
    codec: ManifestCodec,
    pixels: PixelReader,
    path: Path,
    trust: TrustRoot | None,
    now: datetime,
    sidecar: Path | None = None,
    also: Also = NOTHING_ELSE,
) -> VerificationReport:
    """Judge a file by itself, a trust root, and what the verifier brings: no database, no network."""
    file = examine(codec, pixels, path, anchors_of(trust, also.lists), sidecar)
    return verify(file, trust, now, policy=also.policy)


def verify_online(
    studio: Studio,
    path: Path,
    trust: TrustRoot,
    sidecar: Path | None = None,
    also: Also = NOTHING_ELSE,
) -> VerificationReport:
    """Judge a file, and ask the ledger for what it knows of its bytes and of its picture."""
    file = examine(studio.codec, studio.pixels, path, anchors_of(trust, also.lists), sidecar)
    asked = ask(studio, file.sha256, lambda: quietly(file.pixels))
    return verify(file, trust, studio.clock.now(), asked, also.policy)


def anchors_of(trust: TrustRoot | None, lists: Lists = NO_LISTS) -> Anchors:
    """Return whom a reading is to know."""
    root = trust or TrustRoot("", (), (), "", "")
    return Anchors(root.manifest_anchors, root.timestamp_anchors + lists.stamps, lists.signers)


def examine(
    codec: ManifestCodec, pixels: PixelReader, path: Path, anchors: Anchors, sidecar: Path | None
) -> Examined:
    """Read one file: its identity, its media type, its manifest. Raises ``UsageError("file.*")``."""
    # Hashing and reading the manifest both leave Python: on two cores they take the time of the longer one.
    with ThreadPoolExecutor(1) as other:
        identified = other.submit(files.identify, path)
        reading, unreadable = read_manifest(codec, path, anchors, sidecar)
        identity = identified.result()
    files.check_unchanged(path, identity)
    return Examined(
        name=path.name,
        sha256=identity.sha256,
        media_type=codec.media_type(path),
        pixels=lambda: pixels.digest(path),
        reading=reading,
        unreadable=unreadable,
    )


def ask(studio: Studio, sha256: str | None, pixels: Callable[[], str | None]) -> Asked:
    """Return what the ledger knows: by the bytes if it knows them, else by the picture."""
    archive = Archive(studio)
    rows, by = archive.rows(sha256) if sha256 else (), "bytes"
    if not rows and (picture := pixels()):
        rows, by = studio.entries.artifacts(pixels=picture), "pixels"
    sightings = tuple(
        Sighting(row.index, row.name, by) for row in reversed(rows) if row.role in ("subject", SEALED_FROM)
    )
    for row in reversed(rows):
        subject = _source(archive, row)
        record = archive.recorded(subject)
        if row.role == "subject" and record is not None:
            found = basis(archive, subject, row.name)
            return Asked(sightings, full_evidence(archive, record, found) + _seal(archive, row), subject)
    return Asked(sightings, (), None)


def quietly(pixels: Callable[[], str | None]) -> str | None:
    """Return the digest of a picture, ``None`` for a damaged one: it is known by no other."""
    try:
        return pixels()
    except RakkanError:
        return None


def _seal(archive: Archive, row: ArtifactRow) -> tuple[LoggedEnvelope, ...]:
    """Return the entry that says what the file was before it was sealed, and who may say so."""
    if not isinstance(archive.studio.statement(row.index).predicate, Seal):
        return ()
    return archive.logged([row.index, *archive.enrolments(row.index)])


def _source(archive: Archive, row: ArtifactRow) -> str:
    """Return the row's digest, or when its entry is a seal, the digest from before sealing."""
    predicate = archive.studio.statement(row.index).predicate
    return predicate.manifests[row.position].source if isinstance(predicate, Seal) else row.sha256


def read_manifest(
    codec: ManifestCodec, path: Path, anchors: Anchors, sidecar: Path | None
) -> tuple[Reading | None, RakkanError | None]:
    """Return the manifest that speaks for the file, or why there is none. Raises ``UsageError("file.*")``."""
    try:
        if sidecar is not None:
            return codec.read(path, files.read_whole(sidecar, MAX_STORE + 1), anchors), None
        return _embedded_or_beside(codec, path, anchors), None
    except UndecidedError as error:
        return None, error
    except RakkanError as error:
        if error.code.startswith(("file.malformed", "manifest.")):
            return None, error
        raise


def _embedded_or_beside(codec: ManifestCodec, path: Path, anchors: Anchors) -> Reading | None:
    """Read the manifest in the file, else the sidecar beside it: a stale one must not speak for the file."""
    sidecar = beside(path)
    if sidecar is None:
        return codec.read(path, None, anchors)
    with suppress(UndecidedError):
        embedded = codec.read(path, None, anchors)
        if embedded is not None:
            return embedded
    return codec.read(path, files.read_whole(sidecar, MAX_STORE + 1), anchors)
