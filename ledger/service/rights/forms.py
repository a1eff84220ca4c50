"""What is typed into a form, as the table that docs/spec/rights-import.md describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FIELDS = (
    *("thing", "code", "grant", "expires", "effective", "from", "until", "since", "zone", "titles"),
    *("reason", "people", "standing", "source", "kind", "decision", "by", "reference", "policy"),
)
"""Everything that a form may hold."""

_MEMBERS = {
    "override": ("code", "expires", "zone", "reason"),
    "review": ("standing", "since", "zone", "source"),
    "approve": ("kind", "decision", "by", "from", "until", "zone", "reference"),
    "revoke": ("grant", "effective", "zone", "reason"),
}


def table_of(kind: str, typed: Mapping[str, str], people: Sequence[str]) -> dict[str, Any]:
    """Return the table of a form: ``override``, ``review``, ``approve`` or ``revoke``.

    ``people`` decide it: they accept an override, and the first of them made a review. White space that a
    field for long texts has is one space: a fact has no lines.
    """
    said = {name: " ".join(value.split()) for name, value in typed.items()}
    found: dict[str, Any] = {name: said[name] for name in _MEMBERS[kind] if said.get(name)}
    if kind != "revoke":
        found["about"] = _parts(said.get("thing", ""))
    if kind in ("override", "approve") and said.get("titles"):
        found["titles"] = _parts(said["titles"])
    if kind == "override":
        found["approvers"] = list(people)
    if kind == "review":
        found["reviewer"] = people[0]
    if kind in ("review", "approve") and said.get("reason"):
        found["note"] = said["reason"]
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
