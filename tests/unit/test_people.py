"""Who somebody is by their claims: nobody, unless a rule means them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.core.access import Role
from ledger.core.people import Rule, pseudonym, roles_of
from ledger.service.access.settings import SignIn
from ledger.wiring.serving import service_settings
from tests.architecture.project import ROOT

LEADS = Rule("groups", ("supervisor",), ("nightfall",), contains="leads")
ARTISTS = Rule("groups", ("artist",), ("nightfall", "daybreak"), contains="artists")
ANN = Rule("email", ("legal",), ("*",), equals="ann@studio.example")
MORI = Rule("sub", ("rights-holder",), ("nightfall",), equals="m", party="mori")
KAWA = Rule("groups", ("rights-holder",), ("nightfall",), contains="kawa", party="kawa")
RULES = (LEADS, ARTISTS, ANN, MORI, KAWA)


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({}, {}),
        ({"groups": []}, {}),
        ({"groups": "leads"}, {}),
        ({"groups": ["leads2", "xleads"]}, {}),
        ({"groups": {"leads": 1}}, {}),
        ({"groups": ["leads"]}, {"nightfall": {"supervisor"}}),
        (
            {"groups": ["artists", "leads"]},
            {"nightfall": {"artist", "supervisor"}, "daybreak": {"artist"}},
        ),
        ({"email": "ann@studio.example"}, {}),
        ({"email": "ann@studio.example", "email_verified": False}, {}),
        ({"email": "ann@studio.example", "email_verified": "true"}, {}),
        ({"email": "ann@studio.example", "email_verified": True}, {"*": {"legal"}}),
        ({"email": ["ann@studio.example"], "email_verified": True}, {}),
        ({"email": "ANN@studio.example", "email_verified": True}, {}),
    ],
)
def test_what_the_rules_give(claims: dict[str, Any], roles: dict[str, set[str]]) -> None:
    expected = {name: frozenset(map(Role, held)) for name, held in roles.items()}
    assert roles_of(RULES, claims) == (expected, None)


def test_who_speaks_for_a_party_speaks_for_one() -> None:
    assert roles_of(RULES, {"sub": "m"}) == ({"nightfall": frozenset({Role.RIGHTS_HOLDER})}, "mori")
    assert roles_of(RULES, {"sub": "m", "groups": ["kawa"]}) == ({}, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"equals": "x", "contains": "y"},
        {"equals": "x", "claim": ""},
        {"equals": "x", "roles": ()},
        {"equals": "x", "productions": ()},
        {"equals": "x", "party": "mori"},
        {"equals": "x", "roles": ("rights-holder",)},
    ],
)
def test_a_rule_that_means_nobody_or_two_things_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        Rule(**{"claim": "sub", "roles": ("artist",), "productions": ("nightfall",), **wrong})


def test_a_pseudonym_is_of_one_person_at_one_provider() -> None:
    names = {pseudonym(issuer, sub) for issuer in ("https://a", "https://b") for sub in ("1", "2")}
    assert len(names) == 4
    assert pseudonym("https://a", "1") == pseudonym("https://a", "1")


def test_the_settings_of_the_howto_are_read(tmp_path: Path) -> None:
    page = (ROOT / "docs/howto/give-somebody-access.md").read_text(encoding="utf-8")
    block = page.split("```toml\n")[1].split("```")[0]
    (tmp_path / "service.toml").write_text(block, encoding="utf-8")
    (tmp_path / "oidc-secret").write_text("a secret")
    (tmp_path / "oidc-secret").chmod(0o600)
    found = service_settings(tmp_path).of(SignIn)
    assert [rule.roles for rule in found.people] == [("supervisor",), ("legal",)]
    assert "a secret" not in repr(found)
