"""``CredentialStore`` on SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, select, update

from ledger.adapters.sql import tables
from ledger.adapters.sql.engine import dialect_of, write
from ledger.adapters.sql.faults import translated
from ledger.core.access import Role
from ledger.core.secret_text import Kind
from ledger.service.access.store import Credential

_table, _row = tables.credential, tables.credential.c


class SqlCredentialStore:
    """The credentials in a SQL database. See ``service.access.store.CredentialStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._dialect = dialect_of(engine)
        self._single = self._dialect.single(engine)

    def add(self, credential: Credential) -> None:
        """Keep a new credential, durable on return."""
        with write(self._engine) as connection:
            self._dialect.insert(connection, _table, [_values(credential)])

    def get(self, kind: Kind, identifier: str) -> Credential | None:
        """Return the credential, or ``None``."""
        found = self._read(_is(kind, identifier))
        return found[0] if found else None

    def made(self, kind: Kind) -> Sequence[Credential]:
        """Return every credential of this kind, the oldest first."""
        return self._read(_row.kind == kind.value)

    def end(self, kind: Kind, identifier: str, moment: int) -> bool:
        """End it, durable on return; whether it had not ended yet."""
        change = update(_table).where(_is(kind, identifier), _row.ended.is_(None)).values(ended=moment)
        with write(self._engine) as connection:
            return connection.execute(change).rowcount == 1

    def use(self, kind: Kind, identifier: str, day: int) -> None:
        """Note one more use, on this day."""
        change = update(_table).where(_is(kind, identifier)).values(used=day, uses=_row.uses + 1)
        with write(self._engine) as connection:
            connection.execute(change)

    def take(self, kind: Kind, identifier: str) -> bool:
        """Remove it, durable on return; ``True`` for exactly one of those who try."""
        with write(self._engine) as connection:
            return connection.execute(delete(_table).where(_is(kind, identifier))).rowcount == 1

    def sweep(self, kind: Kind, before: int) -> None:
        """Remove those of this kind that expired before this moment."""
        with write(self._engine) as connection:
            connection.execute(delete(_table).where(_row.kind == kind.value, _row.expires < before))

    def _read(self, condition: ColumnElement[bool]) -> list[Credential]:
        query = select(_table).where(condition).order_by(_row.made, _row.identifier)
        with translated(self._dialect), self._single.begin() as connection:
            return [_credential(row) for row in connection.execute(query).all()]


def _is(kind: Kind, identifier: str) -> ColumnElement[bool]:
    return (_row.identifier == identifier) & (_row.kind == kind.value)


def _values(item: Credential) -> tuple[object, ...]:
    roles = json.dumps({name: sorted(held) for name, held in item.roles.items()})
    return (
        item.identifier,
        item.kind.value,
        item.digest,
        item.label,
        item.holder,
        roles,
        item.party,
        item.maker,
        item.made,
        item.expires,
        item.target,
        item.ended,
        item.used,
        item.uses,
    )


def _credential(row: Any) -> Credential:
    return Credential(
        Kind(row.kind),
        row.identifier,
        row.digest,
        row.label,
        row.holder,
        {name: frozenset(map(Role, held)) for name, held in json.loads(row.roles).items()},
        row.party,
        row.maker,
        row.made,
        row.expires,
        row.target,
        row.ended,
        row.used,
        row.uses,
    )
