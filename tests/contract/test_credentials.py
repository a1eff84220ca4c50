"""What every store of credentials promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.adapters.sql.accounts import SqlCredentialStore
from ledger.core.access import Role
from ledger.core.secret_text import Kind
from ledger.service.access.store import Credential, CredentialStore
from tests.support.engines import engine_on

ROLES = {"nightfall": frozenset({Role.ARTIST, Role.LEGAL}), "*": frozenset({Role.AUDITOR})}
ONE = Credential(Kind.TOKEN, "0" * 16, "a" * 64, "絵", "token:0", ROLES, "mori", "owner", 10, 100, "{}")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CredentialStore]:
    with engine_on(request, tmp_path) as engine:
        yield SqlCredentialStore(engine)


def test_a_credential_is_kept_as_it_is_under_its_kind(store: CredentialStore) -> None:
    later = replace(ONE, identifier="1" * 16, made=11, party=None)
    store.add(later)
    store.add(ONE)
    assert store.get(Kind.TOKEN, ONE.identifier) == ONE
    assert store.get(Kind.SESSION, ONE.identifier) is None
    assert store.get(Kind.TOKEN, "2" * 16) is None
    assert list(store.made(Kind.TOKEN)) == [ONE, later]
    assert list(store.made(Kind.LINK)) == []


def test_it_ends_once_and_uses_are_counted(store: CredentialStore) -> None:
    store.add(ONE)
    assert [store.end(Kind.TOKEN, ONE.identifier, moment) for moment in (20, 30)] == [True, False]
    store.use(Kind.TOKEN, ONE.identifier, 5)
    store.use(Kind.TOKEN, ONE.identifier, 6)
    assert store.get(Kind.TOKEN, ONE.identifier) == replace(ONE, ended=20, used=6, uses=2)


def test_one_is_taken_by_one(store: CredentialStore) -> None:
    store.add(ONE)
    assert [store.take(Kind.TOKEN, ONE.identifier) for _ in range(2)] == [True, False]
    assert store.get(Kind.TOKEN, ONE.identifier) is None


def test_those_that_expired_are_swept_by_kind(store: CredentialStore) -> None:
    for kind, identifier, expires in ((Kind.TOKEN, "1", 5), (Kind.SESSION, "2", 5), (Kind.SESSION, "3", 50)):
        store.add(replace(ONE, kind=kind, identifier=identifier * 16, expires=expires))
    store.sweep(Kind.SESSION, 10)
    assert [item.identifier[0] for kind in Kind for item in store.made(kind)] == ["1", "3"]
