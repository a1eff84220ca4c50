"""Who somebody is here, by what an identity provider says of them.

* Nobody is anything unless a rule says so. Several rules may fit; what they give adds up.
* ``contains`` holds for a claim that is a list with exactly this text, ``equals`` for one that is exactly it.
* An address counts only while the provider says that it was verified (``email_verified`` is ``true``).
* Who speaks for a party does so for one: rules that name two leave the person with neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from ledger.core.access import Role
from ledger.core.digest import sha256_hex

GIVEN = Literal[
    "artist", "supervisor", "producer", "legal", "auditor", "distributor", "rights-holder", "operator"
]


@dataclass(frozen=True, slots=True)
class Rule:
    """A claim, what it must be, and what that makes somebody."""

    claim: Annotated[str, "such as groups, email or sub"]
    roles: Annotated[tuple[GIVEN, ...], "what it makes them"]
    productions: Annotated[tuple[str, ...], "where; * is everywhere"]
    contains: Annotated[str, "the list holds this text"] = ""
    equals: Annotated[str, "it is this text"] = ""
    party: Annotated[str, "whom a rights holder speaks for"] = ""

    def __post_init__(self) -> None:
        if bool(self.contains) == bool(self.equals):
            raise ValueError("must say either contains or equals")
        if not self.claim or not self.roles or not self.productions:
            raise ValueError("must name a claim, roles and productions")
        if ("rights-holder" in self.roles) != bool(self.party):
            raise ValueError("must name the party of a rights-holder, and of nobody else")

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Whether the claims are those of somebody whom the rule means."""
        value = claims.get(self.claim)
        if self.claim == "email" and claims.get("email_verified") is not True:
            return False
        if self.contains:
            return isinstance(value, list) and self.contains in value
        return isinstance(value, str) and value == self.equals


def roles_of(
    rules: Iterable[Rule], claims: Mapping[str, Any]
) -> tuple[dict[str, frozenset[Role]], str | None]:
    """Return the roles by production, and the party; no roles for whom no rule means."""
    fitting = [rule for rule in rules if rule.fits(claims)]
    parties = {rule.party for rule in fitting if rule.party}
    found: dict[str, frozenset[Role]] = {}
    for rule in fitting:
        if rule.party and len(parties) > 1:
            continue
        for production in rule.productions:
            found[production] = found.get(production, frozenset()) | frozenset(map(Role, rule.roles))
    return found, parties.pop() if len(parties) == 1 else None


def pseudonym(issuer: str, subject: str) -> str:
    """Return what stands for a person in logs and entries: the same at each sign-in, and no name."""
    return "person:" + sha256_hex(f"{issuer}\n{subject}".encode())[:16]
