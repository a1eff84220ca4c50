"""A report from a process that a hostile file may have taken over: read strictly, bounded, escaped.

* Only the members of a report, each of its type; outcome and verdict are computed again from the checks;
* every text is cut to a length that our own reports stay under, and its control characters are escaped.
"""

from __future__ import annotations

from typing import Any

from ledger.core.fields import Fields
from ledger.core.report import Check, NamedGrant, NamedStep, NamedThing, Status, VerificationReport
from ledger.core.text import escaped

MAX_TEXT = 2_000
"""Characters of one text, before escaping."""
MAX_ITEMS = 1_000
"""Of each list."""
_CODE = "verify.crashed"


def read_report(value: Any) -> VerificationReport:
    """Return the report. Raises ``MalformedError("verify.crashed")`` for anything else."""
    fields = Fields(value, "report", _CODE)
    for computed in ("spec", "outcome", "verdict"):
        fields.take(computed, str)
    facts = fields.take("facts", dict)
    found = VerificationReport(
        file=_text(fields, "file"),
        sha256=_text(fields, "sha256"),
        checks=tuple(_check(item) for item in _items(fields, "checks")),
        things=tuple(_thing(item) for item in _items(fields, "named")),
        steps=tuple(_step(item) for item in _items(fields, "steps")),
        signer=_text_or_none(fields, "signer"),
        log=_text_or_none(fields, "log"),
        facts={shown(str(name)): shown(str(text)) for name, text in list(facts.items())[:MAX_ITEMS]},
    )
    fields.end()
    if not found.checks:
        raise fields.error("checks", "must hold one at least")
    return found


def shown(text: str) -> str:
    """Return a stranger's text at a bounded length, without characters that do something."""
    return escaped(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…").replace("\n", "\\n")


def _check(value: Any) -> Check:
    fields = Fields(value, "report.checks", _CODE)
    found = Check(
        name=_text(fields, "check"),
        title=_text(fields, "title"),
        status=fields.choice("status", Status),
        words=_text(fields, "words"),
        codes=_texts(fields, "codes"),
    )
    fields.end()
    return found


def _thing(value: Any) -> NamedThing:
    fields = Fields(value, "report.named", _CODE)
    licensed = fields.take("licensed", bool)
    found = NamedThing(
        kind=_text(fields, "kind"),
        name=_text_or_none(fields, "name") or "",
        sha256=_text_or_none(fields, "sha256") or "",
        index=_index_or_none(fields),
        grants=tuple(_grant(item) for item in _items(fields, "grants")),
        stages=_texts(fields, "stages"),
        covered=licensed,
    )
    fields.end()
    return found


def _grant(value: Any) -> NamedGrant:
    fields = Fields(value, "report.named.grants", _CODE)
    found = NamedGrant(
        _text(fields, "grantId"),
        _texts(fields, "uses"),
        fields.take("index", int),
        fields.take("inTerm", bool),
    )
    fields.end()
    return found


def _step(value: Any) -> NamedStep:
    fields = Fields(value, "report.steps", _CODE)
    index = fields.take("index", int)
    names = ("action", "tool", "device", "finished", "evidence")
    found = NamedStep(index, *(_text(fields, name) for name in names))
    fields.end()
    return found


def _index_or_none(fields: Fields) -> int | None:
    found = fields.take("index", object)
    if found is not None and type(found) is not int:
        raise fields.error("index", "must be a number or null")
    return found


def _text(fields: Fields, name: str) -> str:
    return shown(fields.take(name, str))


def _text_or_none(fields: Fields, name: str) -> str | None:
    found = fields.take(name, object)
    if found is not None and not isinstance(found, str):
        raise fields.error(name, "must be a text or null")
    return None if found is None else shown(found)


def _texts(fields: Fields, name: str) -> tuple[str, ...]:
    found = fields.take(name, list)[:MAX_ITEMS]
    if not all(isinstance(item, str) for item in found):
        raise fields.error(name, "must hold texts")
    return tuple(map(shown, found))


def _items(fields: Fields, name: str) -> list[Any]:
    found: list[Any] = fields.take(name, list)
    return found[:MAX_ITEMS]
