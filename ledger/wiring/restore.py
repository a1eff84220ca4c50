"""Bringing a backup back, without ever letting the log sign what contradicts an older signature.

* Everything is verified before anything is touched: each file's SHA-256, the database, and that its head is
  signed by the log's key.
* The newest checkpoint that anybody still has (the home's own record, the backup's, the publication's, a
  witness's) becomes the record ``last-signed``. A database behind it can be read; the log refuses to sign
  until `rakkan recover` has brought the missing entries back.
* The new home is made beside the old one and takes its place in one step. Interrupted before it, nothing has
  happened; after it, all has. The old home stays beside it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from ledger.adapters.exchange import put_in_place
from ledger.adapters.files import FileLastSigned
from ledger.adapters.home import Home
from ledger.adapters.sql.copying import POSTGRES, SQLITE, check_copy
from ledger.core import canonical
from ledger.core.checkpoint import Checkpoint, open_checkpoint
from ledger.core.fields import Fields
from ledger.errors import IntegrityError, MalformedError, RakkanError, RefusedError, UsageError
from ledger.service.files import identify, read_whole, writing_errors
from ledger.wiring import home_at, publication
from ledger.wiring.backup import CHECKPOINTS, HOME, MANIFEST, SPEC, sync, sync_folder

_MAX = 64 << 20
_LEFT = (SQLITE, f"{SQLITE}-wal", f"{SQLITE}-shm", f"{SQLITE}-journal", f"{SQLITE}.writer", "last-signed")


@dataclass(frozen=True, slots=True)
class Restorable:
    """A verified backup: how many entries it holds, how many were signed, and by whose account."""

    folder: Path
    size: int
    signed: int
    witness: str

    @property
    def behind(self) -> int:
        """How many entries were signed that the backup does not hold."""
        return max(0, self.signed - self.size)


def inspect(home: Home, folder: Path) -> Restorable:
    """Return what restoring this backup would come to; changes nothing.

    Raises ``backup.malformed``, ``IntegrityError("backup.damaged")``, ``log.corrupt``, ``UsageError`` with
    ``restore.other`` for another studio's home, ``restore.in-use`` or ``restore.postgres``.
    """
    origin = _verified(folder)
    if (folder / POSTGRES).exists():
        raise UsageError("restore.postgres", "This is the backup of a PostgreSQL database.", path=folder)
    if (home.folder / "studio.json").exists() and home.settings().origin != origin:
        raise UsageError("restore.other", f"{home.folder} holds another log than this backup.", origin=origin)
    _check_not_in_use(home.database)
    check_copy(folder / SQLITE)
    head = _head(folder, origin)
    known = {name: found for name, note in _notes(home, folder) if (found := _opened(folder, origin, note))}
    name, newest = max(known.items(), key=lambda item: item[1].size, default=("nobody", head))
    same = [who for who, one in known.items() if one.size == head.size and one.root != head.root]
    if same:
        words = f"{same[0]} holds another root for the size of this backup: one of them is forged."
        raise IntegrityError("log.conflict", words, size=head.size)
    return Restorable(folder, head.size, newest.size, name)


def restore(home: Home, backup: Restorable) -> Path | None:
    """Put the backup in the home's place; return where the old home is now, if there was one.

    Raises ``RefusedError("target.…")``; then the home is as it was.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    staged = home.folder.with_name(f"{home.folder.name}.before-{stamp}-{os.getpid()}")
    there = home.folder.exists()
    with writing_errors(home.folder):
        home.folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            _stage(home, backup.folder, staged)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        put_in_place(staged, home.folder)
        sync_folder(home.folder.parent)
    return staged if there else None


def _stage(home: Home, folder: Path, staged: Path) -> None:
    """Make the new home: what the old one has, over it what the backup has, and the newest record."""
    staged.mkdir(mode=0o700)
    if home.folder.exists():
        # Links: the publication may be large, and none of our files is ever changed in its place.
        ignored = shutil.ignore_patterns(*_LEFT)
        shutil.copytree(home.folder, staged, copy_function=_linked, ignore=ignored, dirs_exist_ok=True)
    for path in sorted((folder / HOME).rglob("*")):
        target = staged / path.relative_to(folder / HOME)
        if path.is_dir():
            target.mkdir(mode=0o700, exist_ok=True)
        else:
            target.unlink(missing_ok=True)
            shutil.copy2(path, target)
    shutil.copyfile(folder / SQLITE, staged / SQLITE)
    (staged / SQLITE).chmod(0o600)
    record = FileLastSigned(staged / "last-signed")
    origin = home_at(staged).settings().origin
    for _, note in _notes(home, folder):
        if _opened(folder, origin, note):
            record.write(note)
    sync(staged)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _verified(folder: Path) -> str:
    """Return the origin that a backup is of, once every file in it is as its manifest says."""
    manifest = folder / MANIFEST
    try:
        fields = Fields(canonical.parse(read_whole(manifest, _MAX)), code="backup.malformed")
        if fields.text("spec") != SPEC:
            raise fields.error("spec", f"must be {SPEC}")
        origin, _, _ = fields.text("origin"), fields.text("production"), fields.text("at")
        fields.take("keys", bool)
        files = fields.take("files", dict)
        fields.end()
    except MalformedError as error:
        raise MalformedError("backup.malformed", f"{manifest}: {error.message}", path=manifest) from error
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(found ^ {*files, MANIFEST}):
        words = "is missing from the backup" if name in files else "is not in the backup's list"
        raise IntegrityError("backup.damaged", f"{name} {words}.", path=folder / name)
    for name, said in files.items():
        _check_file(folder, name, said)
    return origin


def _check_file(folder: Path, name: str, said: Any) -> None:
    path, parts = folder / name, PurePosixPath(name).parts
    if not isinstance(said, Mapping) or ".." in parts or path.is_symlink():
        raise MalformedError("backup.malformed", f"{name} cannot be in a backup.", path=path)
    size = path.stat().st_size
    if size != said.get("size") or (size and identify(path).sha256 != said.get("sha256")):
        raise IntegrityError("backup.damaged", f"{name} was changed since the backup was made.", path=path)


def _head(folder: Path, origin: str) -> Checkpoint:
    """Return what the copied database's head states, signed by the log's key."""
    from tempfile import TemporaryDirectory

    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.store import SqlEntryStore

    with TemporaryDirectory() as scratch:  # opening a database makes files beside it
        copy = Path(scratch) / SQLITE
        shutil.copyfile(folder / SQLITE, copy)
        engine = open_database(f"sqlite:///{copy}")
        try:
            head = SqlEntryStore(engine, origin).head()
        finally:
            engine.dispose()
    found = _opened(folder, origin, head.checkpoint)
    if found is None or found.size != head.size:
        raise IntegrityError("log.corrupt", "The head of the copied database is not signed by the log's key.")
    return found


def _opened(folder: Path, origin: str, note: bytes) -> Checkpoint | None:
    """Return what a checkpoint states; ``None`` for one that the log's key did not sign."""
    trust = home_at(folder / HOME).trust()
    with suppress(RakkanError):
        return open_checkpoint(note, trust.log_verifiers(origin))
    return None


def _notes(home: Home, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every checkpoint of the log that can be had, with who has it."""
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.service.log.publish import CHECKPOINT
    from ledger.wiring.outside import witnesses_of

    restored = home_at(folder / HOME)
    for name in ("last-signed", "published"):
        with suppress(FileNotFoundError):
            yield f"the backup's {name} checkpoint", (folder / CHECKPOINTS / name).read_bytes()
    kept = FileLastSigned(home.last_signed).read()
    if kept is not None:
        yield "the record last-signed", kept
    place = home if (home.folder / "studio.json").exists() else restored
    with suppress(RakkanError):
        note = publication(place).get(CHECKPOINT)
        if note is not None:
            yield "the publication", note
    policy = WitnessSettings(restored.folder).read()
    for witness in witnesses_of(policy[0]) if policy else ():
        with suppress(RakkanError):
            cosigned = witness.checkpoint(restored.settings().origin)
            if cosigned is not None:
                yield f"the witness {witness.name}", cosigned


def _check_not_in_use(database: Path) -> None:
    """Return if no process that we can see has the database open: it would go on with the old one."""
    try:
        wanted = database.stat()
    except FileNotFoundError:
        return
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            found = link.stat()
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                pid = link.parts[2]
                words = f"Process {pid} has the database open: stop it first."
                raise RefusedError("restore.in-use", words, pid=pid)
