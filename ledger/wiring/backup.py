"""A copy of a studio's home, made while it is in use: what `rakkan restore` needs, and nothing that leaks.

    backup.json        what is here: every file with its size and SHA-256; the log, its size, the time
    ledger.sqlite      the database in one state (``ledger.pgdump`` for PostgreSQL)
    home/              settings, trust root, certificates, manifests, policies, alarms; keys only if asked
    checkpoints/       what the log's key had signed (``last-signed``) and published when the copy was begun

* Both checkpoints are read before the database: neither is ever ahead of the copy.
* Private keys are left out. Asked for, they are taken as they lie, if every one is encrypted.
* A backup appears whole or not at all, and is on disk when ``back_up`` returns.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger.adapters.files import FileLastSigned
from ledger.adapters.home import Home, check_new_folder
from ledger.adapters.sql.copying import copy_database
from ledger.core.fields import format_time
from ledger.errors import RakkanError, RefusedError
from ledger.service.files import identify, write_new, writing_errors
from ledger.wiring import SystemClock, database_url, publication
from ledger.wiring.state import BACKED_UP

SPEC = "https://rakkan.org/backup/v1"
MANIFEST = "backup.json"
HOME, CHECKPOINTS = "home", "checkpoints"
FILES = ("studio.json", "trust.json", "service.toml", "witness.policy", "witnesses.json", "report.secret")
FOLDERS = ("certificates", "manifests", "alarms", "webhook-alarms", "inventories", "reports")


def back_up(home: Home, target: Path, *, keys: bool) -> dict[str, Any]:
    """Write a backup into a folder that is not there yet or empty; return what ``backup.json`` holds.

    Raises ``RefusedError`` with ``target.…``, or ``backup.keys`` where keys are asked for and one is not
    encrypted; ``home.*``; what the database raises.
    """
    settings = home.settings()
    check_new_folder(target)
    if keys:
        _check_encrypted(home.folder / "keys")
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    with writing_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch.mkdir(mode=0o700)
        try:
            _checkpoints(home, scratch / CHECKPOINTS)
            copy_database(database_url(home), scratch)
            _copy_home(home.folder, scratch / HOME, keys=keys)
            document = {
                "spec": SPEC,
                "at": format_time(SystemClock().now().replace(microsecond=0)),
                "origin": settings.origin,
                "production": settings.production,
                "keys": keys,
                "files": {name: _identity(scratch / name) for name in sorted(_names(scratch))},
            }
            write_new(scratch / MANIFEST, f"{json.dumps(document, indent=2)}\n".encode())
            sync(scratch)
            scratch.rename(target)
            sync_folder(target.parent)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        write_new(home.folder / BACKED_UP, f"{document['at']}\n".encode())
    return document


def sync(folder: Path) -> None:
    """Force everything under a folder to disk."""
    for path in sorted(folder.rglob("*")):
        sync_folder(path)
    sync_folder(folder)


def sync_folder(path: Path) -> None:
    """Force one file or folder to disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _checkpoints(home: Home, folder: Path) -> None:
    from ledger.service.log.publish import CHECKPOINT

    folder.mkdir()
    signed = FileLastSigned(home.last_signed).read()
    try:
        published = publication(home).get(CHECKPOINT)
    except RakkanError:
        published = None  # a store that is away stops no backup; `restore` asks again
    for name, note in (("last-signed", signed), ("published", published)):
        if note is not None:
            (folder / name).write_bytes(note)


def _copy_home(source: Path, target: Path, *, keys: bool) -> None:
    target.mkdir()
    for name in FILES:
        if (source / name).exists():
            shutil.copy2(source / name, target / name)
    for name in (*FOLDERS, *(("keys",) if keys else ())):
        if (source / name).exists():
            shutil.copytree(source / name, target / name)


def _names(folder: Path) -> Iterator[str]:
    yield from (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _identity(path: Path) -> dict[str, Any]:
    if path.stat().st_size == 0:
        return {"size": 0, "sha256": _EMPTY}
    found = identify(path)
    return {"size": found.size_bytes, "sha256": found.sha256}


_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def _check_encrypted(folder: Path) -> None:
    for path in sorted(folder.rglob("*.pem")):
        if b"ENCRYPTED" not in path.read_bytes().partition(b"\n")[0]:
            raise RefusedError("backup.keys", f"{path} is not encrypted.", path=path)
