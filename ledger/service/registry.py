"""Register datasets, models and grants: what a frame may later be said to rest on.

Each is an entry signed by the registrar. A dataset or a model also gets its own C2PA manifest, a sidecar
bound to the SHA-256 of its inventory or weights, which every frame made with it carries as an ingredient.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ledger.core.artifact import Artifact
from ledger.core.digest import parse_sha256
from ledger.core.predicates import Dataset, Grant, Model
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model import Training
from ledger.errors import MalformedError, RefusedError, UsageError
from ledger.service.files import check_unchanged, identify, read_whole
from ledger.service.log.sequence import Appended
from ledger.service.record import keep_secrets
from ledger.service.studio import Device, Studio

COLUMNS = ("work", "sha256", "rights_holder")


@dataclass(frozen=True, slots=True)
class Registered:
    """The entry of a registered thing, and how statements name it."""

    appended: Appended
    artifact: Artifact


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant says. ``secrets`` (the licensor's name, the contract's text) are committed to only."""

    grant_id: str
    uses: tuple[Use, ...]
    valid_from: datetime
    valid_until: datetime | None
    secrets: Mapping[str, str]


def register_dataset(
    studio: Studio, registrar: Device, name: str, version: str, inventory: Path
) -> Registered:
    """Register a dataset by its inventory, a CSV with the columns ``work``, ``sha256``, ``rights_holder``.

    Raises ``MalformedError("registry.inventory")`` naming the line, ``RefusedError("registry.exists")``.
    """
    registrar.check_clock(studio.clock.now())
    identity = identify(inventory)
    works, holders = count_inventory(read_whole(inventory))
    check_unchanged(inventory, identity)
    artifact = _named(studio, Dataset.TYPE, Artifact(name, identity.sha256, "text/csv"))
    predicate = Dataset(name, version, works, holders)
    return Registered(studio.state(registrar.signer, (artifact,), predicate), artifact)


def register_model(
    studio: Studio, registrar: Device, name: str, version: str, weights: Path, training: Sequence[Training]
) -> Registered:
    """Register a model by its weights and by what it was trained on, as far as that is known.

    Raises ``RefusedError("registry.exists")`` and the errors of reading a file.
    """
    registrar.check_clock(studio.clock.now())
    weighed = Artifact(name, identify(weights).sha256, "application/octet-stream")
    artifact = _named(studio, Model.TYPE, weighed)
    return Registered(
        studio.state(registrar.signer, (artifact,), Model(name, version, tuple(training))), artifact
    )


def register_grant(studio: Studio, registrar: Device, about: Sequence[Artifact], terms: Terms) -> Appended:
    """Record that a rights holder permits ``terms.uses`` of these datasets and models.

    Raises ``MalformedError("statement.…")`` for terms that make no sense, ``RefusedError("clock.…")``.
    """
    registrar.check_clock(studio.clock.now())
    commitments = keep_secrets(studio.openings, terms.secrets)
    grant = Grant(terms.grant_id, terms.uses, terms.valid_from, terms.valid_until, commitments)
    subjects = tuple(Artifact(item.name, item.sha256) for item in about)
    return studio.state(registrar.signer, subjects, grant)


def find(studio: Studio, kind: type[Dataset | Model], name: str) -> Artifact:
    """Return the registered dataset or model of this name or SHA-256.

    Raises ``UsageError`` with ``record.unknown-dataset`` or ``record.unknown-model``.
    """
    code = "record.unknown-dataset" if kind is Dataset else "record.unknown-model"
    for row in reversed(studio.entries.statements(kind.TYPE)):
        subject = studio.statement(row.index).subjects[0]
        if name in (subject.name, subject.sha256):
            return subject
    raise UsageError(code, f"No {kind.__name__.lower()} named {name!r} is registered.", name=name)


def find_any(studio: Studio, name: str) -> Artifact:
    """Return the registered dataset, or else model, of this name or SHA-256.

    Raises ``UsageError("record.unknown-dataset")``.
    """
    for kind in (Dataset, Model):
        with suppress(UsageError):
            return find(studio, kind, name)
    raise UsageError(
        "record.unknown-dataset", f"No dataset or model named {name!r} is registered.", name=name
    )


def count_inventory(data: bytes) -> tuple[int, int]:
    """Return how many works and how many distinct rights holders an inventory lists.

    Raises ``MalformedError("registry.inventory")`` with the line number.
    """
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        return _count(rows)
    except (UnicodeDecodeError, csv.Error) as error:
        raise MalformedError("registry.inventory", f"The inventory is not CSV in UTF-8: {error}.") from error


def _count(rows: csv.DictReader[str]) -> tuple[int, int]:
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise MalformedError("registry.inventory", f"The inventory has no column {missing[0]!r}.")
    works: set[str] = set()
    holders: set[str] = set()
    for row in rows:
        sha256 = _checked_row(row, rows.line_num)
        if sha256 in works:
            raise MalformedError(
                "registry.inventory", f"Line {rows.line_num} lists a work a second time.", sha256=sha256
            )
        works.add(sha256)
        holders.add(row["rights_holder"])
    if not works:
        raise MalformedError("registry.inventory", "The inventory lists no work.")
    return len(works), len(holders)


def _checked_row(row: Mapping[str, str | None], line: int) -> str:
    empty = [column for column in COLUMNS if not row[column]]
    if empty:
        raise MalformedError("registry.inventory", f"Line {line} has no {empty[0]}.", line=line)
    try:
        return parse_sha256(row["sha256"] or "")
    except MalformedError as error:
        raise MalformedError("registry.inventory", f"Line {line} has no SHA-256.", line=line) from error


def _named(studio: Studio, predicate_type: str, artifact: Artifact) -> Artifact:
    """Return the artifact, if its name is free or already its own. Raises ``registry.exists``."""
    for row in studio.entries.statements(predicate_type):
        known = studio.statement(row.index).subjects[0]
        if known.name == artifact.name and known.sha256 != artifact.sha256:
            raise RefusedError(
                "registry.exists",
                f"{artifact.name!r} is already registered with other bytes.",
                sha256=known.sha256,
            )
    return artifact
