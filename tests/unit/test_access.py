"""The table of roles: deny by default, and what is public is public."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from ledger.core.access import ANYBODY, EVERY, MEANINGS, PUBLIC, Action, Role, Viewer, roles_for


@pytest.mark.parametrize("action", Action)
def test_each_action_is_explained_and_somebody_may_do_it(action: Action) -> None:
    assert MEANINGS[action]
    assert roles_for(action)


@pytest.mark.parametrize("action", Action)
def test_who_is_nobody_may_do_what_is_public_only(action: Action) -> None:
    assert ANYBODY.may(action, "nightfall") == (action in PUBLIC)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", sorted(set(Action) - PUBLIC))
def test_a_role_counts_on_its_production_only(role: Role, action: Action) -> None:
    viewer = Viewer("token:1", {"nightfall": frozenset({role})})
    assert viewer.may(action, "nightfall") == (role in roles_for(action))
    assert not viewer.may(action, "daybreak")
    assert Viewer("token:2", {EVERY: frozenset({role})}).may(action, "daybreak") == (
        role in roles_for(action)
    )


def test_the_page_says_what_the_table_says() -> None:
    folder = Path(__file__).resolve().parents[2] / "docs/reference"
    make = runpy.run_path(str(folder / "generate.py"))["access_page"]
    assert (folder / "access.md").read_text(encoding="utf-8") == make(), "run docs/reference/generate.py"
