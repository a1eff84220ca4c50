"""The tables of words that pages look keys up in have every key that the core can hand them."""

from __future__ import annotations

from ledger.core.access import Role
from ledger.core.predicates import PREDICATES
from ledger.render.pages.log_words import KINDS
from ledger.render.pages.words import ROLES
from ledger.service.reading.told import kind_of


def test_every_kind_of_entry_has_words() -> None:
    assert {kind_of(predicate_type) for predicate_type in PREDICATES} - set(KINDS) == set()


def test_every_role_has_words() -> None:
    assert set(ROLES) == {role.value for role in Role}
