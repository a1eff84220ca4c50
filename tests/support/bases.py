"""Statements projected without a log: rows as a log would hold them, and short names for what is in them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from ledger.core.artifact import Artifact, Role
from ledger.core.envelope import Envelope, Signature
from ledger.core.predicates import Seal
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.predicates.step import StepAction
from ledger.core.rights.basis import Item
from ledger.core.statement import Statement
from ledger.ports import EntryStore
from ledger.service.clear.batch import Taken
from ledger.service.clear.projecting import Projector
from ledger.service.clear.store import BasisStore, unpack
from ledger.service.log.projection import rows
from tests.support.builders import digest, step

_SIGNED = Envelope(b"", (Signature("device", b""),))
SEALED = datetime(2026, 3, 2, tzinfo=UTC)


def file(word: str, role: Role | None = None, pixels: str | None = None) -> Artifact:
    """Return a file of this name, whose bytes are the name's, too."""
    return Artifact(word, digest(word), pixels=pixels and digest(pixels), role=role)


def made(*subjects: str, of: Iterable[Artifact] = (), **changes: Any) -> Statement:
    """Return a step that made these files of those: no generation, so that it rests on nothing else."""
    changes.setdefault("action", StepAction.COMPOSITE)
    return Statement(tuple(map(file, subjects)), step(materials=tuple(of), **changes))


def component(word: str, pixels: str | None = None) -> Artifact:
    """Return a file as a step's visible material."""
    return file(word, Role.COMPONENT, pixels)


def sealed(**sources: str) -> Statement:
    """Return a seal of several files: the new one's name, and the one that it was sealed from."""
    manifests = (
        SealedManifest(digest(f"store {name}"), digest(source), Form.EMBEDDED)
        for name, source in sources.items()
    )
    return Statement(tuple(map(file, sources)), Seal(SEALED, tuple(manifests)))


def hold(entries: EntryStore, statements: Sequence[Statement], first: int = 0) -> None:
    """Write the rows of the statements, as appending them would."""
    found = [rows(index, _SIGNED, statement) for index, statement in enumerate(statements, first)]
    with entries.begin() as transaction:
        transaction.project([row for row, _ in found], [row for _, many in found for row in many])


def projector(store: BasisStore, statements: Sequence[Statement]) -> Projector:
    """Return a projector over these entries."""
    return Projector(store, lambda index: statements[index])


def project(store: BasisStore, entries: EntryStore, *statements: Statement) -> None:
    """Write the statements' rows and project them in one batch."""
    hold(entries, statements)
    taken = [Taken(index, statement) for index, statement in enumerate(statements)]
    assert projector(store, statements).project(taken)


def items_of(store: BasisStore, basis: int) -> frozenset[Item]:
    """Return the items of a basis."""
    return frozenset(store.items(unpack(store.members([basis])[basis])).values())


def bases(store: BasisStore, *indices: int) -> list[frozenset[Item]]:
    """Return the bases of these steps."""
    found = store.entries(indices)
    return [items_of(store, found[index].basis) for index in indices]
