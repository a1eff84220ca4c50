"""Facts of the registry as lines for a person: a model's tree, grants, and what is about to be signed.

Every text in them may be a stranger's: whoever prints a line escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ledger.core.predicates import GrantV2
from ledger.core.predicates.grant_v2 import Exclusivity
from ledger.core.statement import Statement
from ledger.service.rights.lineage import GrantGlance, InForce

if TYPE_CHECKING:
    from ledger.core.predicates import Grant
    from ledger.service.rights.importing import Outcome
    from ledger.service.rights.lineage import Branch


def tree_lines(tree: Branch) -> Iterator[str]:
    """Yield the lines of a model's tree: first what it gave, then what it is, then its grants."""
    yield from _branch(tree, "", "")


def _branch(branch: Branch, first: str, rest: str) -> Iterator[str]:
    relation = f"{branch.relation}: " if branch.relation else ""
    known = not branch.what.startswith("unknown")
    said = [branch.what, branch.evidence, *(_looked_at(branch) if known else ())]
    yield f"{first}{relation}{branch.name} ({', '.join(filter(None, said))})"
    inner = rest + ("│  " if branch.children else "   ")
    for note in branch.notes:
        yield f"{inner}{note}"
    for item in branch.grants:
        yield f"{inner}grant {_glance(item)}"
    if known and not branch.grants:
        yield f"{inner}no grant on record"
    for n, child in enumerate(branch.children, 1):
        last = n == len(branch.children)
        yield from _branch(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def _looked_at(branch: Branch) -> tuple[str, str]:
    return branch.licence or "no licence named", branch.standing or "not reviewed"


def grant_lines(grants: Iterable[GrantGlance]) -> Iterator[str]:
    """Yield two lines for each grant."""
    for item in grants:
        yield _glance(item)
        yield f"    covers {', '.join(subject.name for subject in item.covers)}{_scope(item.grant)}"


def _glance(item: GrantGlance) -> str:
    return f"{item.grant.grant_id}: {', '.join(item.grant.uses)}; {item.state.value}, {_term(item)}"


def _term(item: GrantGlance) -> str:
    grant = item.grant
    first, zone = _day(grant.valid_from), "UTC"
    if isinstance(grant, GrantV2) and grant.term:
        first, zone = grant.term.first.isoformat(), grant.term.zone
        if grant.term.end and item.end == grant.valid_until:
            return f"from {first} up to and without {grant.term.end} ({zone})"
    return f"from {first} ({zone})" + (f" up to {_moment(item.end)} UTC" if item.end else ", without an end")


def _scope(grant: Grant) -> str:
    if not isinstance(grant, GrantV2):
        return ""
    scope = grant.scope
    parts = [
        f"{name} {', '.join(values)}"
        for name, values in (
            ("titles", scope.titles),
            ("media", scope.media),
            ("territories", scope.territories),
            ("not in", scope.except_territories),
        )
        if values
    ]
    return "".join(f"; {part}" for part in parts)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


# --- what a file would state -------------------------------------------------------------------------------


def outcome_lines(outcome: Outcome, *, applied: bool) -> Iterator[str]:
    """Yield what became, or would become, of one fact: a line, and below it what it says and what to note."""
    if outcome.refused is not None:
        yield f"refused  {outcome.fact.where}: {outcome.refused}"
        yield f"         what to do: {outcome.refused.hint}"
    if outcome.planned is None:
        return
    draft, index = outcome.planned.draft, outcome.planned.stated.index
    entry = f", entry {index}" if index is not None else ""
    word = "signed " if applied else "would sign"
    if outcome.planned.again:
        yield f"{'on record' if entry else 'as above'}  {outcome.fact.where}{entry}"
        return
    yield f"{word}  {outcome.fact.where}{entry}"
    yield f"         {said_of(Statement(draft.subjects, draft.predicate))}"
    if draft.secrets:
        yield f"         as salted digests only: {', '.join(draft.secrets)}"
    for note in outcome.planned.notes:
        yield f"         note: {note}"


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return what became, or would become, of one fact. Its secrets are named, not shown."""
    found: dict[str, Any] = {"where": outcome.fact.where, "kind": outcome.fact.kind}
    if outcome.refused is not None:
        return found | {"state": "refused", "error": outcome.refused.to_json()}
    if outcome.planned is None:
        return found
    draft = outcome.planned.draft
    return found | {
        "state": "on-record" if outcome.planned.again else "new",
        "index": outcome.planned.stated.index,
        "subjects": [subject.to_json() for subject in draft.subjects],
        "predicate": draft.predicate.to_json(),
        "committed": sorted(draft.secrets),
        "notes": list(outcome.planned.notes),
    }


def said_of(statement: Statement) -> str:
    """Return what a statement says, in one line: what it is about, then its members but for secrets."""
    predicate = statement.predicate
    names = [subject.name for subject in statement.subjects]
    if isinstance(predicate, GrantV2):
        uses = ", ".join(predicate.uses)
        return f"{predicate.grant_id}: {uses} of {', '.join(names)}{_terms(predicate)}"
    said = predicate.to_json()
    members = (
        f"{_spaced(name)} {_plain(value)}"
        for name, value in said.items()
        if name not in _LEFT_OUT and not (name in _NAMES and value in names)
    )
    return "; ".join([", ".join(names), *members])


_LEFT_OUT = frozenset({"recorded", "_sd"})
_NAMES = frozenset({"name", "partyId", "titleId", "workId", "person"})
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _terms(grant: GrantV2) -> str:
    """Return when, where and on which terms a grant holds: only what is not the usual thing."""
    glance = GrantGlance(grant, (), InForce.YES, grant.valid_until, 0)
    basis = grant.legal_basis.value + (f" {grant.statute}" if grant.statute else "")
    parties = [f"from {grant.assigner}"] if grant.assigner else []
    parties += [f"to {grant.assignee}"] if grant.assignee else []
    parts = [
        _term(glance) + _scope(grant),
        f"basis {basis}",
        " ".join(parties),
        "exclusive" if grant.exclusivity is Exclusivity.EXCLUSIVE else "",
        "may be passed on" if grant.sublicence else "",
        f"credit “{grant.attribution}”" if grant.attribution else "",
        f"on expiry {grant.on_expiry.value}, on revocation {grant.on_revocation.value}",
        f"version {grant.version}",
    ]
    return "".join(f"; {part}" for part in parts if part)


def _spaced(name: str) -> str:
    """Return the name of a member as words: ``rightsHolders`` is rights holders."""
    return re.sub(r"[A-Z]", lambda match: f" {match[0].lower()}", name)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{_spaced(name)} {_plain(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"{text[:12]}…" if _SHA256.fullmatch(text) else text
