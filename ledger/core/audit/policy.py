"""The policy of a report as a table: every rule of the profile, so that nobody has to look for the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.core.audit import Table
from ledger.core.audit.tables import POLICY
from ledger.core.predicates.reasons import Code
from ledger.core.rights.profile import Profile, to_json


def policy_table(profile: Profile) -> Table:
    """Return the rules: what the profile says, and for every code that it is silent about what holds then."""
    return Table(POLICY, tuple((n, *rule) for n, rule in enumerate(_rules(profile), 1)))


def _rules(profile: Profile) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    document = to_json(profile)
    yield "summary", None, (profile.summary,)
    for use, held in sorted(document["accepted"].items()):
        yield "accepted legal basis", use, tuple(held) or ("none",)
    for name in ("licensees", "statutes"):
        if document.get(name):
            yield name, None, tuple(document[name])
    for deliverable, grade in sorted(document.get("grades", {}).items()):
        yield "lowest grade", deliverable, (grade,)
    for code in Code:
        yield "severity", code.value, (profile.severity(code).name.lower(),)
    for rule in document.get("approvals", ()):
        yield "approval", rule["kind"], _said(rule)
    for principle in document.get("principles", ()):
        yield "principle", principle["id"], (principle["text"], *principle["codes"])
    yield "overrides", None, _said(document["overrides"])


def _said(rule: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{name}: {', '.join(value) if isinstance(value, list) else value}" for name, value in rule.items()
    )
