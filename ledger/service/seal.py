"""Give files their manifests, and log what they became.

The order, and what a failure at each point leaves behind:

1. read every file, find its record: nothing is written yet, and a mistake in the last file stops the first;
2. write the sealed file, or the sidecar, under a scratch name beside the target, durably: the original is
   untouched and a failure removes the scratch;
3. append one ``seal`` entry for up to ``PER_ENTRY`` files: from here on the log knows the new digests;
4. keep the manifest stores, then rename each scratch to its target. A crash before the rename leaves the
   original in place and a seal entry for bytes that nobody has; sealing again is safe and adds a new one.
   With a journal, as where the log is elsewhere, what was begun is finished instead (``begun``).

A symbolic link is followed: the file it leads to is sealed, and the link stays a link. A sidecar that lies
beside the file is replaced only when the ledger holds it; somebody else's goes into the new manifest, and one
that is about other bytes is not touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.containers.jumbf import MAX_STORE
from ledger.core.digest import sha256_hex
from ledger.core.lineage import Record
from ledger.core.manifest import ManifestPlan
from ledger.core.predicates import Seal
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.statement import Statement
from ledger.errors import RefusedError, UsageError
from ledger.ports import Anchors
from ledger.service import files
from ledger.service.archive import Archive, Known
from ledger.service.begun import Begun, BegunFile, Journal, discard, finish, refused
from ledger.service.evidence import basis
from ledger.service.files import FileIdentity, beside, sidecar_of
from ledger.service.log.sequence import Appended
from ledger.service.plan import keep_inbound, plan_of
from ledger.service.studio import Device

MUCH = MAX_STORE // 2
"""Bytes of ancestors' manifests that one file may carry."""
PER_ENTRY = 100
"""Files in one seal entry: 65,535 bytes hold about 150 with long names."""


class SealingLog(Known, Protocol):
    """What files are sealed against: a ``Studio``, or a log elsewhere (``elsewhere``)."""

    def append(self, envelope: bytes) -> Appended:
        """Append an entry, and return its index with its receipt, durable."""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """One file as sealed. ``manifest`` is the file that carries it: the target itself, or the sidecar.

    ``sha256`` (hex) is of the sealed file; ``store`` is the manifest store.
    """

    target: Path
    manifest: Path
    sha256: str
    store: bytes
    subject: Artifact
    form: Form
    appended: Appended


@dataclass(frozen=True, slots=True)
class _Ready:
    """What step 1 found out: the file to read, the file to make, and the record that explains the bytes."""

    path: Path
    target: Path
    identity: FileIdentity
    record: Record
    subject: Artifact


@dataclass(frozen=True, slots=True)
class _Written:
    """What step 2 left on disk: ``moves`` are (scratch, final) pairs, the one with the manifest last.

    ``identity`` waits until the sealed file is durable and identified.
    """

    moves: tuple[tuple[Path, Path], ...]
    target: Path
    store: bytes
    identity: Callable[[], FileIdentity]
    source: Artifact
    form: Form


def seal(
    studio: SealingLog,
    device: Device,
    paths: Sequence[Path],
    *,
    out: Path | None = None,
    timestamp_url: str | None = None,
    skip_sealed: bool = False,
    journal: Journal | None = None,
) -> list[SealedFile]:
    """Seal recorded files in place, or into the folder ``out``, and return them in the same order.

    A file named twice is sealed once; ``skip_sealed`` leaves out those that are sealed already. What an
    earlier call began with the ``journal`` is finished first, and left out, too. Raises
    ``UsageError`` (``file.*``, ``seal.not-recorded``) and ``RefusedError`` (``seal.already-sealed``,
    ``target.*``, ``key.*``, ``clock.*``) before anything has changed; when a disk or the log fails later,
    the files that are not yet sealed have not changed.
    """
    device.check_clock(studio.clock.now())
    with journal.alone() if journal else nullcontext():
        done = {item.target for item, _ in finish(studio, journal)} if journal else set()
        pairs = [(path, target) for path, target in _targets(paths, out) if target.absolute() not in done]
        ready = list(_examined(studio, pairs, skip_sealed=skip_sealed))
        sealing = _Sealing(studio, device, timestamp_url, journal)
        starts = range(0, len(ready), PER_ENTRY)
        return [item for start in starts for item in sealing.batch(ready[start : start + PER_ENTRY])]


def _targets(paths: Sequence[Path], out: Path | None) -> list[tuple[Path, Path]]:
    """Return each file with its target, once. Refuse to overwrite anything but the file being sealed."""
    found: dict[Path, tuple[Path, Path]] = {}
    names: dict[Path, Path] = {}
    for path in paths:
        with files.reading_errors(path):
            real = Path(os.path.realpath(path, strict=True))
        if real in found:
            continue
        target = out / path.name if out else (real if path.is_symlink() else path)
        for place in (target, sidecar_of(target)) if target.resolve() != real else ():
            if place.exists():
                raise RefusedError("target.exists", f"{place} is already there.", path=place)
        if names.setdefault(target, path) != path:
            raise RefusedError("target.exists", f"{names[target]} and {path} have the same name.", path=path)
        found[real] = (path, target)
    return list(found.values())


def _examined(
    studio: SealingLog, pairs: Sequence[tuple[Path, Path]], *, skip_sealed: bool
) -> Iterator[_Ready]:
    """Step 1: yield what there is to seal."""
    archive = Archive(studio)
    for (path, target), identity in zip(pairs, _identities([path for path, _ in pairs]), strict=True):
        record = archive.recorded(identity.sha256)
        if _is_sealed(archive, path, identity.sha256):
            if skip_sealed:
                continue
            raise RefusedError(
                "seal.already-sealed", f"{path} is already sealed.", path=path, sha256=identity.sha256
            )
        if record is None:
            raise UsageError(
                "seal.not-recorded", f"The log has no record of {path}.", path=path, sha256=identity.sha256
            )
        same = [item for item in record.statement.subjects if item.sha256 == identity.sha256]
        subject = next((item for item in same if item.name == path.name), same[0])
        yield _Ready(path, target, identity, record, subject)


def _identities(paths: Sequence[Path]) -> Iterator[FileIdentity]:
    """Yield the identity of each file, hashing two at a time."""
    if len(paths) == 1:
        yield files.identify(paths[0])
        return
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(files.identify, paths)


def _is_sealed(archive: Archive, path: Path, sha256: str) -> bool:
    """Whether these bytes are sealed and their manifest is where it should be.

    A sidecar that was lost, or that a crash kept from being written, is made again.
    """
    studio = archive.studio
    if archive.sealed_as(sha256) != sha256:
        return False
    sidecar = beside(path)
    if sidecar is None:
        return studio.codec.embeds(studio.codec.media_type(path))
    return files.read_whole(sidecar, MAX_STORE + 1) == studio.manifests.get(sha256)


@dataclass(frozen=True, slots=True)
class _Sealing:
    """Steps 2 to 4."""

    studio: SealingLog
    device: Device
    timestamp_url: str | None
    journal: Journal | None

    def batch(self, ready: Sequence[_Ready]) -> list[SealedFile]:
        """Seal the files of one entry."""
        written, begun = self._begin(ready)
        try:
            appended = self.studio.append(begun.envelope)
        except BaseException as error:
            if self.journal is None or refused(error):
                discard(begun)
                self._end(begun)
            raise
        try:
            for item, done in zip(ready, written, strict=True):
                files.check_unchanged(item.path, item.identity)  # the log may have taken its time
                self.studio.manifests.put(done.identity().sha256, done.store)
            for scratch, final in (move for done in written for move in done.moves):
                files.replace(scratch, final)
        except BaseException:
            if self.journal is None:
                discard(begun)
            raise
        self._end(begun)
        return [_sealed(done, appended) for done in written]

    def _begin(self, ready: Sequence[_Ready]) -> tuple[list[_Written], Begun]:
        """Write the files, sign the entry, and where there is a journal, write down what waits for it."""
        written: list[_Written] = []
        try:
            # While one file is being sealed, the one before it is flushed and identified.
            with ThreadPoolExecutor(1) as beside_us:
                archive = Archive(self.studio)
                writing = _Writing(self.studio, self.device, archive, self.timestamp_url, beside_us)
                for item in ready:
                    written.append(writing.write(item))  # noqa: PERF401 - kept for the clean-up
            statement = _statement(written, self.studio.clock.now())
            envelope = dsse.sign(statements.encode(statement), self.device.signer)
            begun = Begun(envelope, tuple(map(_begun, written)))
            if self.journal is not None:
                self.journal.begin(begun)
        except BaseException:
            for scratch, _ in (move for done in written for move in done.moves):
                files.discard(scratch)
            raise
        return written, begun

    def _end(self, begun: Begun) -> None:
        if self.journal is not None:
            self.journal.end(begun)


@dataclass(frozen=True, slots=True)
class _Writing:
    """Step 2 for one batch."""

    studio: SealingLog
    device: Device
    archive: Archive
    timestamp_url: str | None
    beside_us: Executor

    def write(self, ready: _Ready) -> _Written:
        """Write the sealed file or the sidecar under a scratch name. On an error nothing is left."""
        codec, sha256 = self.studio.codec, ready.identity.sha256
        plan = self._plan(ready)
        embeds = codec.embeds(plan.media_type)
        # The codec would keep the embedded store too, but cannot know which step brought it in.
        if embeds and (store := codec.store(ready.path)):
            plan = keep_inbound(plan, ready.record, store, None)
        if store := self._inbound_sidecar(ready, replaced=not embeds):
            plan = keep_inbound(plan, ready.record, store, sha256)
        return self._embed(plan, ready) if embeds else self._sidecar(plan, ready)

    def _plan(self, ready: _Ready) -> ManifestPlan:
        """Return the plan; where its ancestors' manifests would be too much, with their records instead."""
        for archive in (self.archive, Archive(self.studio, compact=True)):
            found = basis(archive, ready.identity.sha256, ready.subject.name)
            plan = plan_of(archive, ready.record, ready.subject, found)
            if sum(len(item.store or b"") for item in plan.ingredients) <= MUCH:
                break
        return plan

    def _embed(self, plan: ManifestPlan, ready: _Ready) -> _Written:
        codec, path, scratch = self.studio.codec, ready.path, files.scratch_beside(ready.target)
        try:
            with files.writing_errors(ready.target):
                sealed = codec.seal_file(plan, path, scratch, self.device.credential, self.timestamp_url)
            _check_size(sealed.store, ready.path)
            files.check_unchanged(path, ready.identity)
            # A writer may be quicker than the file system's clock; where the digest is known, it decides.
            if sealed.bound_sha256 not in (None, ready.subject.sha256) and codec.store(path) is None:
                raise RefusedError("file.changed", f"{path} changed while it was being sealed.", path=path)
        except BaseException:
            files.discard(scratch)
            raise
        settled = self.beside_us.submit(_settle, scratch)
        moves = ((scratch, ready.target),)
        return _Written(moves, ready.target, sealed.store, settled.result, ready.subject, Form.EMBEDDED)

    def _sidecar(self, plan: ManifestPlan, ready: _Ready) -> _Written:
        codec, identity = self.studio.codec, ready.identity
        store = codec.seal_digest(plan, identity.sha256, self.device.credential, self.timestamp_url)
        _check_size(store, ready.path)
        moves = _write_sidecar(ready, store)
        return _Written(moves, ready.target, store, lambda: identity, ready.subject, Form.SIDECAR)

    def _inbound_sidecar(self, ready: _Ready, *, replaced: bool) -> bytes | None:
        """Return the store of a sidecar that came in with these bytes.

        Raises ``RefusedError("target.exists")`` where ours would take the place of one that is about other
        bytes and that the ledger does not hold: nobody could get it back.
        """
        sidecar = beside(ready.path)
        if sidecar is None:
            return None
        store = files.read_whole(sidecar, MAX_STORE + 1)
        reading = self.studio.codec.read(ready.path, store, Anchors("", ""))
        bound = reading.active_manifest.bound_sha256 if reading else None
        if bound is not None and self.studio.manifests.get(bound) == store:
            return None  # our own: of these bytes, or of an older version under the same name
        if bound != ready.identity.sha256 and replaced:
            raise RefusedError(
                "target.exists", f"{sidecar} is a manifest of other bytes. Move it away first.", path=sidecar
            )
        return store if bound == ready.identity.sha256 else None


def _check_size(store: bytes, path: Path) -> None:
    """Return if readers will open a store of this size. Raises ``RefusedError("manifest.too-large")``."""
    if len(store) > MAX_STORE:
        raise RefusedError(
            "manifest.too-large",
            f"The manifest of {path} would be larger than any reader opens: record the step in parts.",
            path=path,
            size=len(store),
        )


def _settle(scratch: Path) -> FileIdentity:
    """Make the sealed file durable, and return what it is."""
    files.force_to_disk(scratch)
    return files.identify(scratch)


def _write_sidecar(ready: _Ready, store: bytes) -> tuple[tuple[Path, Path], ...]:
    """Write the sidecar's scratch file, and a copy of the asset when it goes to another folder."""
    manifest = sidecar_of(ready.target)
    moves = ((files.write_beside(manifest, store), manifest),)
    try:
        if ready.target.exists():
            files.check_unchanged(ready.path, ready.identity)
            return moves
        copy = files.copy_beside(ready.path, ready.target, ready.identity.sha256)
    except BaseException:
        files.discard(moves[0][0])
        raise
    return ((copy, ready.target), *moves)


def _statement(written: Sequence[_Written], now: datetime) -> Statement:
    subjects = tuple(
        Artifact(
            _unique(item.target.name, number, written),
            item.identity().sha256,
            item.source.media_type,
            item.source.pixels,
        )
        for number, item in enumerate(written)
    )
    manifests = tuple(
        SealedManifest(sha256_hex(item.store), item.source.sha256, item.form) for item in written
    )
    return Statement(subjects, Seal(now, manifests))


def _begun(done: _Written) -> BegunFile:
    embedded = done.form is Form.EMBEDDED
    return BegunFile(done.target, done.source.sha256, done.identity().sha256, embedded, done.moves)


def _sealed(done: _Written, appended: Appended) -> SealedFile:
    return SealedFile(
        target=done.target,
        manifest=done.moves[-1][1],
        sha256=done.identity().sha256,
        store=done.store,
        subject=done.source,
        form=done.form,
        appended=appended,
    )


def _unique(name: str, number: int, written: Sequence[_Written]) -> str:
    same = [n for n, item in enumerate(written) if item.target.name == name]
    return name if same[0] == number else f"{name} ({same.index(number) + 1})"
