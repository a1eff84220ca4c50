"""Overrides, reviews, approvals and revocations from a page: typed, looked at as they will be signed, signed.

What is typed comes along from step to step: nothing of it is kept here. The rules are in
``ledger.service.rights.deciding``.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.forms import Typed, text
from api.pages.decisions import WORDS
from api.pages.shown import shown
from api.pages.signing import (
    Decider,
    form_of,
    hindrance,
    new_form,
    raw_of,
    registrar_of,
    renewed,
    said_in,
)
from api.reading import Asked
from api.served import Production, Served
from ledger.core.access import Viewer
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.reasons import EXPLAINED, Code
from ledger.core.predicates.review import Standing
from ledger.errors import RefusedError
from ledger.render.pages.decisions import HINDRANCES, NOT_SO, REFUSED, command
from ledger.service.reading.at_stake import AtStake, at_stake
from ledger.service.rights import decisions
from ledger.service.rights.deciding import Plan, plan, sign, thing_named
from ledger.service.rights.decisions import decisions_at, decisions_of
from ledger.service.rights.forms import FIELDS, table_of
from ledger.service.rights.importing import Fact
from ledger.service.rights.proposals import Listed
from ledger.wiring.reading import policies_shipped, policy_named, policy_names
from ledger.wiring.rights import readers

router = APIRouter(prefix="/productions/{production}/rights/decisions", include_in_schema=False)
Kind = Literal["override", "review", "approve", "revoke"]
_FACTS = {"override": "override", "review": "review", "approve": "approval", "revoke": "revocation"}


class Prefilled(Asked):
    """What a link to a form may fill in."""

    code: str = Field("", max_length=60)
    thing: str = Field("", max_length=1024)
    grant: str = Field("", max_length=1024)
    lang: str = Field("", max_length=20)


@router.get("/{kind}")
def begin(
    request: Request, viewer: Decider, served: Production, kind: Kind, filled: Annotated[Prefilled, Query()]
) -> Response:
    """Show the form, with what the link says."""
    today = served.studio.clock.now().date().isoformat()
    thing, _ = thing_named(served.studio, filled.thing.strip())
    said = filled.model_dump(exclude={"lang", "thing"})
    people = "two" if _policies(served, 2) else "one"
    typed = FormData({"zone": "UTC", "since": today, "thing": thing, "people": people, **said})
    return _sheet(request, viewer, served, kind, typed)


@router.post("/{kind}")
def go_on(request: Request, viewer: Decider, served: Production, kind: Kind, typed: Typed) -> Response:
    """Take one step: look at what would be signed, go back to change it, or sign it."""
    registrar, form, step = registrar_of(request, served), form_of(typed, viewer), text(typed, "step")
    if proposing(kind, typed):
        form = served.proposals.first_form(form)
    fact = Fact(_FACTS[kind], kind, table_of(kind, _values(typed), form.people), Path())

    def made() -> Plan:
        return plan(served.studio, readers(), [fact], form, Path(), frozenset())

    if step == "change":
        return _sheet(request, viewer, served, kind, typed)
    if step == "sign" and not _meant(kind, typed):
        return _confirm(request, viewer, served, kind, typed, made(), status=400)
    if step == "sign":
        desk, expected = f"/productions/{served.studio.production}/rights", text(typed, "expected")
        try:
            if form.first is not None:
                proposal = served.proposals.propose(registrar, form, _values(typed), expected)
                return RedirectResponse(f"{desk}/proposals/{proposal.id}", 303)
            done = sign(served.studio, registrar, form, made, expected)
            return RedirectResponse(f"{desk}/decisions?done={done[0]}", 303)
        except RefusedError as error:
            if error.code != "decide.changed":
                raise
    found = made()
    if found.refused or found.others:
        return _sheet(request, viewer, served, kind, typed, found)
    return _confirm(request, viewer, served, kind, typed, found, status=409 if step == "sign" else 200)


def proposing(kind: Kind, typed: FormData) -> bool:
    """Whether somebody else is to confirm it."""
    return kind == "override" and text(typed, "people") != "one"


def _meant(kind: Kind, typed: FormData) -> bool:
    """Whether somebody who ends a grant has typed its name again."""
    return kind != "revoke" or text(typed, "again").strip() == text(typed, "grant").strip()


def _values(typed: FormData) -> dict[str, str]:
    return {name: text(typed, name) for name in FIELDS}


def _sheet(
    request: Request,
    viewer: Viewer,
    served: Served,
    kind: Kind,
    typed: FormData,
    found: Plan | None = None,
) -> Response:
    """Return the form with what was typed: all of it, whatever came between."""
    refused = next((item.refused for item in found.outcomes if item.refused), None) if found else None
    others = found.others if found else ()
    status = 409 if others else 400 if refused else 200
    now, told = served.studio.clock.now(), {item.index for item in others}
    values = _values(typed)
    return shown(
        request,
        "deciding.html.j2",
        viewer,
        served.studio.production,
        status,
        kind=kind,
        typed=values,
        form=new_form(served, viewer),
        hindered=HINDRANCES.get(hindrance(request, served)),
        command=command(kind, values, viewer.name),
        refused=refused and REFUSED.get(refused.code, NOT_SO),
        error=refused,
        others=decisions_at(served.studio, told, now),
        waiting=_waiting(served, viewer, kind, values),
        earlier=[each for each in _earlier(served, kind, values, now) if each.index not in told],
        stake=_stake(served, kind, values),
        name=thing_named(served.studio, values["thing"])[1],
        may_open=False,
        **_choices(served, values["code"]),
        **WORDS,
    )


def _confirm(
    request: Request,
    viewer: Viewer,
    served: Served,
    kind: Kind,
    typed: FormData,
    found: Plan,
    *,
    status: int,
) -> Response:
    """Return what will be signed, in words and as it is."""
    (outcome,) = found.outcomes
    if outcome.planned is None:
        return _sheet(request, viewer, served, kind, typed, found)
    draft, values = outcome.planned.draft, _values(typed)
    ends = getattr(draft.predicate, "effective", None)
    return shown(
        request,
        "deciding_confirm.html.j2",
        viewer,
        served.studio.production,
        status,
        kind=kind,
        typed=values,
        form=form_of(typed, viewer) if status == 200 else renewed(served, form_of(typed, viewer)),
        plan=found,
        planned=outcome.planned,
        said=said_in(outcome.planned),
        raw=raw_of(outcome.planned),
        proposing=proposing(kind, typed),
        stake=_stake(served, kind, values, ends),
        policies=policies_shipped(),
        changed=status == 409,
        unmeant=status == 400,
        **WORDS,
    )


def _waiting(served: Served, viewer: Viewer, kind: Kind, values: dict[str, str]) -> list[Listed]:
    """Return what was proposed and not decided yet about the things that the form is about."""
    name = thing_named(served.studio, values["thing"])[1]
    return [
        each
        for each in (served.proposals.listed(viewer.name) if kind == "override" else ())
        if (each.proposal.typed.get("code"), each.name) == (values["code"], name)
    ]


def _earlier(served: Served, kind: Kind, values: dict[str, str], now: datetime) -> list[decisions.Decision]:
    """Return what was decided before about the things that the form is about."""
    name = thing_named(served.studio, values["thing"])[1].rpartition(":")[2]
    code = values["code"] if kind == "override" else ""
    asked = decisions.Asked(_FACTS[kind], thing=name, code=code)
    return decisions_of(served.studio, asked, now)[0][:5] if name and kind != "revoke" else []


def _stake(
    served: Served, kind: Kind, values: dict[str, str], ends: datetime | None = None
) -> AtStake | None:
    thing = values["grant"] if kind == "revoke" else values["thing"].partition(",")[0].strip()
    if not thing or kind == "approve":
        return None
    policy = policy_named(served.studio, values["policy"]) if ends and values["policy"] else None
    return at_stake(served.studio, thing, ends, policy)


def _policies(served: Served, people: int) -> list[str]:
    """Return the policies that count an override only if so many people accept it."""
    studio = served.studio
    found = (policy_named(studio, name) for name in policy_names(studio))
    return [item.name for item in found if item.overrides.approvers >= people]


def _choices(served: Served, code: str) -> dict[str, Any]:
    """Return what the selects offer, and what the policies say of overriding this finding."""
    policies = policies_shipped()
    return {
        "explained": EXPLAINED.get(Code(code)) if code in tuple(Code) else None,
        "policies": policies,
        "two": _policies(served, 2),
        "more": _policies(served, 3),
        "never": [item.name for item in policies if code in item.overrides.never],
        "standings": tuple(Standing),
        "approvals": tuple(ApprovalKind),
        "decided": tuple(Decision),
    }
