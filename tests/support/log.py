"""A log to test with: in memory or in a folder, and the tree as the RFC writes it down."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from ledger.adapters.files import DirectoryPublication, FileLastSigned
from ledger.adapters.sql.engine import open_database
from ledger.adapters.sql.schema import upgrade
from ledger.adapters.sql.store import SqlEntryStore, create_log
from ledger.core.digest import sha256_hex
from ledger.core.merkle import EMPTY_ROOT, node_hash
from ledger.ports import ArtifactRow, EntryStore, StatementRow
from ledger.service.log.guard import LastSigned
from ledger.service.log.sequence import Log
from ledger.testing import AdmitAll, FixedClock, MemoryEntryStore, MemoryLastSigned, SeedSigner

ORIGIN = "ledger.example/nightfall"
KEY = SeedSigner("log")
TYPE = "https://example.org/test/v1"


def entries(count: int, name: str = "entry") -> list[bytes]:
    """Return distinct entries."""
    return [f"{name} {number}".encode() for number in range(count)]


def project(index: int, envelope: bytes) -> tuple[StatementRow, list[ArtifactRow]]:
    """Project an entry onto one subject and one material named after it; `invalid…` is no entry."""
    if envelope.startswith(b"invalid"):
        raise ValueError(envelope)
    digest = sha256_hex(envelope)
    rows = [
        ArtifactRow(index, "subject", 0, f"frame {index}", digest, sha256_hex(b"pixels" + envelope)),
        ArtifactRow(index, "plate", 0, "plate", sha256_hex(b"plate"), None),
    ]
    return StatementRow(index, TYPE, KEY.keyid), rows


def new_log(store: EntryStore | None = None, last_signed: LastSigned | None = None) -> Log:
    """Return a log; in memory where nothing else is given."""
    store = MemoryEntryStore() if store is None else store
    last_signed = MemoryLastSigned() if last_signed is None else last_signed
    return Log(store, [KEY], ORIGIN, FixedClock(), AdmitAll(project), last_signed)


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.db'}"


@contextmanager
def database(folder: Path, busy_seconds: float = 5.0) -> Iterator[Engine]:
    """Open the folder's database, made when it is not there, with the log `ORIGIN` in it."""
    if not (folder / "ledger.db").exists():
        upgrade(url(folder))
    with opened(url(folder), busy_seconds) as engine:
        yield engine


@contextmanager
def opened(address: str, busy_seconds: float = 5.0) -> Iterator[Engine]:
    """Open a database of the current schema, with the log `ORIGIN` in it."""
    engine = open_database(address, busy_seconds)
    try:
        create_log(engine, ORIGIN)
        yield engine
    finally:
        engine.dispose()


@contextmanager
def postgres_log(address: str, last_signed: LastSigned | None = None) -> Iterator[Log]:
    """Open the log in a PostgreSQL database: see the fixture `postgres_url`."""
    with opened(address) as engine:
        yield new_log(SqlEntryStore(engine, ORIGIN), last_signed)


@contextmanager
def sqlite_log(folder: Path) -> Iterator[Log]:
    """Open the log that the folder holds."""
    with database(folder) as engine:
        yield new_log(SqlEntryStore(engine, ORIGIN), FileLastSigned(folder / "last-signed"))


def engine_of(log: Log) -> Engine:
    """Return the database under a log that `sqlite_log` or `postgres_log` opened."""
    assert isinstance(log.store, SqlEntryStore)
    return log.store._engine


def publication(folder: Path) -> DirectoryPublication:
    return DirectoryPublication(folder / "public")


def tree_hash(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, over leaf hashes."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162 section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*path(index - k, leaves[k:]), tree_hash(leaves[:k])]


def proof(old: int, leaves: list[bytes]) -> list[bytes]:
    """PROOF of RFC 9162 section 2.1.4.1, for 0 < old <= the number of leaves."""
    return _subproof(old, leaves, whole=True)


def _subproof(old: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    k = _split(len(leaves))
    if old <= k:
        return [*_subproof(old, leaves[:k], whole=whole), tree_hash(leaves[k:])]
    return [*_subproof(old - k, leaves[k:], whole=False), tree_hash(leaves[:k])]


def _split(width: int) -> int:
    k = 1
    while k * 2 < width:
        k *= 2
    return k
