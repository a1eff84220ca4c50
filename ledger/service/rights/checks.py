"""What is refused before it is signed, though its form is right: what contradicts the facts so far.

* The highest version of a grant or a consent counts, so the next one has a higher number.
* A grant ends once: the log keeps the first revocation, and a later one gives nothing back.
* Two exclusive grants of the same thing, for the same use, at the same time and place, to different people,
  cannot both be right. ``anyway`` states the second all the same; every verdict then reports the conflict.
* No model is under itself.
* No title is named as another one is, or was, or is identified by: grants name titles by any of these.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ledger.core.predicates import Consent, Grant, GrantRevocation, GrantV2, ModelV2, Title, TrainingRun
from ledger.core.predicates.grant_v2 import Exclusivity
from ledger.core.predicates.scope import Scope
from ledger.core.rights import territories
from ledger.core.statement import Statement
from ledger.errors import RefusedError
from ledger.service.rights.registry import Registry, Stated

_FOR_EVER = datetime.max.replace(tzinfo=UTC)


def check(
    registry: Registry, statement: Statement, now: datetime, *, anyway: bool = False
) -> tuple[str, ...]:
    """Return what is to be noted about a statement that nothing forbids.

    Raises ``RefusedError`` with ``registry.version``, ``registry.revoked``, ``registry.exclusive``,
    ``registry.cycle`` or ``registry.term``.
    """
    match statement.predicate:
        case GrantV2() as grant:
            _check_version(registry, "grant", grant.grant_id, grant.version)
            return (
                *_check_exclusive(registry, statement, grant, anyway=anyway),
                *_noted(registry, grant, now),
            )
        case Consent() as consent:
            _check_version(registry, "consent", consent.consent_id, consent.version)
        case GrantRevocation() as revocation:
            return _check_revocation(registry, revocation, now)
        case Title() as title:
            _check_title(registry, title)
        case ModelV2() as model:
            _check_cycle(registry, statement.subjects[0].sha256, model)
        case TrainingRun() as run if run.finished > now:
            raise RefusedError(
                "registry.term", f"The training has not finished: {run.finished:%Y-%m-%d %H:%M} UTC."
            )
        case _:
            pass
    return ()


def _check_title(registry: Registry, title: Title) -> None:
    names = {title.title_id, title.name}
    others = (other for other in registry.all_titles() if other.title_id != title.title_id)
    for other in others:
        same = names & {other.title_id, other.name}
        if same:
            words = f"{min(same)!r} names the title {other.title_id!r}: grants would take one for the other."
            raise RefusedError("registry.exists", words, title=other.title_id)


def _check_version(registry: Registry, kind: str, name: str, version: int) -> None:
    newest = max((_version(item) for item in registry.stated(kind, name)), default=0)
    if version <= newest:
        raise RefusedError(
            "registry.version",
            f"The {kind} {name!r} is on record as version {newest}, saying something else; the next is "
            f"{newest + 1}, and this one says {version}.",
            version=newest,
        )


def _version(stated: Stated) -> int:
    predicate = stated.statement.predicate
    return predicate.version if isinstance(predicate, GrantV2 | Consent) else 0  # grant/v1 has no number


def _noted(registry: Registry, grant: GrantV2, now: datetime) -> tuple[str, ...]:
    notes = []
    if registry.stated("revocation", grant.grant_id):
        notes.append(f"The grant {grant.grant_id!r} was revoked, and no version gives it back.")
    if grant.valid_until is not None and grant.valid_until <= now:
        notes.append(f"The grant {grant.grant_id!r} has already ended.")
    return tuple(notes)


def _check_revocation(registry: Registry, revocation: GrantRevocation, now: datetime) -> tuple[str, ...]:
    name = revocation.grant_id
    for earlier in registry.stated("revocation", name):
        predicate = earlier.statement.predicate
        if isinstance(predicate, GrantRevocation):
            raise RefusedError(
                "registry.revoked",
                f"The grant {name!r} was revoked with effect of {predicate.effective:%Y-%m-%d}.",
            )
    if revocation.effective < now:
        since = f"{revocation.effective:%Y-%m-%d %H:%M} UTC"
        return (f"It reaches back to {since}: what was made since is judged anew.",)
    return ()


# --- exclusive grants --------------------------------------------------------------------------------------


def _check_exclusive(
    registry: Registry, statement: Statement, grant: GrantV2, *, anyway: bool
) -> tuple[str, ...]:
    if grant.exclusivity is not Exclusivity.EXCLUSIVE:
        return ()
    for subject in statement.subjects:
        for stated in registry.grants(subject.sha256):
            other = stated.statement.predicate
            if isinstance(other, GrantV2) and _conflict(registry, grant, other):
                holder = other.assignee or "nobody named"
                words = f"{subject.name} is exclusively {holder}'s already, by the grant {other.grant_id!r}."
                if not anyway:
                    raise RefusedError("registry.exclusive", words, grant=other.grant_id)
                return (words,)
    return ()


def _conflict(registry: Registry, new: GrantV2, other: GrantV2) -> bool:
    return (
        other.grant_id != new.grant_id
        and other.exclusivity is Exclusivity.EXCLUSIVE
        and other.assignee != new.assignee
        and other.version == max(map(_version, registry.stated("grant", other.grant_id)))
        and bool(set(other.uses) & set(new.uses))
        and new.valid_from < _end(registry, other)
        and other.valid_from < (new.valid_until or _FOR_EVER)
        and _overlap(new.scope, other.scope)
    )


def _end(registry: Registry, grant: Grant) -> datetime:
    stated = (item.statement.predicate for item in registry.stated("revocation", grant.grant_id))
    revoked = [item.effective for item in stated if isinstance(item, GrantRevocation)]
    return min([grant.valid_until or _FOR_EVER, *revoked])


def _overlap(one: Scope, other: Scope) -> bool:
    pairs = ((one.titles, other.titles), (one.media, other.media))
    if any(ours and theirs and not set(ours) & set(theirs) for ours, theirs in pairs):
        return False
    return bool(
        territories.expand(one.territories, one.except_territories)
        & territories.expand(other.territories, other.except_territories)
    )


# --- the lineage of models ---------------------------------------------------------------------------------


def _check_cycle(registry: Registry, sha256: str, model: ModelV2) -> None:
    """Refuse a model that its own parents were made from."""
    queue, seen = [parent.sha256 for parent in model.parents], set[str]()
    while queue:
        at = queue.pop()
        if at == sha256:
            raise RefusedError(
                "registry.cycle", f"The model {model.name!r} is among the models that it was made from."
            )
        above = registry.model(at) if at not in seen else None
        seen.add(at)
        queue += [parent.sha256 for parent in above.parents] if isinstance(above, ModelV2) else []
