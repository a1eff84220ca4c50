"""What stating facts needs from the edge: readers of lists, of licences and of other tools' files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import UsageError
from ledger.wiring import database_url
from ledger.wiring.inventory import read_list

if TYPE_CHECKING:
    from datetime import datetime

    from ledger.adapters.home import Home
    from ledger.core.rights.declared import SignatureReport
    from ledger.service.access.credentials import Credentials
    from ledger.service.inventory.index import Header
    from ledger.service.rights.importing import Fact
    from ledger.service.rights.proposals import Proposals
    from ledger.service.rights.tables import Readers
    from ledger.service.studio import Studio


def readers() -> Readers:
    """Return the readers that the registry's use cases work with."""
    from ledger.service.rights.tables import Readers

    return Readers(_index, _licence)


@contextmanager
def open_proposals(home: Home, studio: Studio, credentials: Credentials) -> Iterator[Proposals]:
    """Open what waits for a second person, for as long as the block runs. Raises ``home.*``, ``database.*``.

    ``credentials`` are those by which people are known.
    """
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.proposals import SqlProposalStore
    from ledger.service.rights.proposals import Proposals

    engine = open_database(database_url(home))
    try:
        yield Proposals(studio, SqlProposalStore(engine, studio.log.origin), credentials, readers())
    finally:
        engine.dispose()


def _index(source: Path, dataset: str, target: Path) -> Header:
    """Build the index of a list of works. What sorts it is loaded when there is a list."""
    from ledger.service.inventory.build import build

    return build(read_list(source), source, dataset, target, lambda *_: None)


def _licence(text: str) -> str | None:
    """Return the normalised expression. The library is loaded when there is one to read."""
    from ledger.adapters.intake.licences import normalise

    return normalise(text)


def verify_signed_model(
    signature: Path, root: Path, at: datetime, *, public_key: Path | None = None, roots: Path | None = None
) -> SignatureReport:
    """Compare a model with its OpenSSF signature; the key and the certificates are files in PEM.

    Raises ``MalformedError`` with ``intake.malformed`` or ``key.malformed``, and ``UsageError("file.…")``.
    """
    from ledger.adapters.intake.model_signing import verify_model_signature
    from ledger.service.files import reading_errors

    pems = []
    for path in (public_key, roots):
        with reading_errors(path or signature):
            pems.append(path.read_bytes() if path else None)
    with reading_errors(signature):
        return verify_model_signature(signature, root, at, public_key_pem=pems[0], roots_pem=pems[1])


def read_facts(
    path: Path, weights: Path | None = None, name: str | None = None
) -> tuple[list[Fact], tuple[str, ...]]:
    """Return the facts that a file holds, and notes about it: TOML, CSV, or any format that intake reads.

    Raises ``MalformedError`` with ``rights.file``, ``intake.malformed`` or ``intake.unknown-format``, and
    ``UsageError`` with ``file.…`` or ``rights.weights``.
    """
    from ledger.service.files import reading_errors
    from ledger.service.rights.importing import read_grants_csv, read_toml

    suffix = path.suffix.lower()
    if suffix in (".toml", ".csv"):
        if weights or name:
            raise UsageError("rights.weights", f"{path.name} names its models and their weights itself.")
        return (read_toml(path) if suffix == ".toml" else read_grants_csv(path)), ()
    from ledger.adapters.intake import read_declared
    from ledger.service.rights.declared import facts_of_declared

    with reading_errors(path):
        declared = read_declared(path)
    return facts_of_declared(declared, path, weights, name)
