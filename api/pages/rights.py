"""The rights desk, for reading: what is registered, what it permits, what rests on it, and what ends soon."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.pages.decisions import waiting_for
from api.pages.of_rights import Day, Desk, Registry, name_in
from api.reading import Digest, Name
from api.security import need
from api.served import Production
from ledger import __version__
from ledger.core.access import Action
from ledger.render.cyclonedx import to_cyclonedx
from ledger.render.odrl import to_odrl
from ledger.render.pages.addresses import shot_address
from ledger.render.pages.relatives import DRAWN, drawing
from ledger.render.pages.timeline import Plan, timeline
from ledger.render.spdx import to_spdx
from ledger.service.clear.question import Asked, ask
from ledger.service.desk.bills import bill_of_model
from ledger.service.desk.first import DAYS, first_page
from ledger.service.desk.graded import Grader
from ledger.service.desk.hanging import Hanging
from ledger.service.desk.names import name_sheet
from ledger.service.desk.sheets import dataset_sheet, grant_sheet, grants_page, model_sheet
from ledger.service.desk.shelves import Shelf, matches, page_of, search, shelved
from ledger.service.reading.pages import MAX_CURSOR, Page, caught_up
from ledger.service.rights.lineage import glance
from ledger.service.rights.reading import facts_of
from ledger.wiring.reading import policy_named, policy_names

router = APIRouter(prefix="/productions/{production}/rights", tags=["pages"], include_in_schema=False)
Text = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str, Query(max_length=MAX_CURSOR)]
Within = Annotated[int, Field(ge=1, le=36_500)]
PAGE = 50
"""Rows of a list."""


@router.get("")
def desk(
    request: Request, viewer: Registry, served: Production, within: Within = DAYS[1], q: Text = ""
) -> Response:
    """Show the desk: what ends soon, what was revoked, what nobody has looked at; or what a search finds."""
    studio, shown = served.studio, Desk(request, viewer, served)
    if q.strip():
        rows = search(studio, facts_of(studio), q, studio.clock.now())
        return shown.shown("rights_found.html.j2", q=q, rows=rows[:PAGE], count=len(rows))
    profile = policy_named(studio, policy_names(studio)[0])
    first, waiting = (
        first_page(studio, within, profile),
        sum(not each.proposal.declined for each in waiting_for(served, viewer)),
    )
    return shown.shown("rights.html.j2", first=first, days=DAYS, shelves=Shelf, waiting=waiting)


@router.get("/all/{shelf}")
def shelf_page(
    request: Request, viewer: Registry, served: Production, shelf: Shelf, q: Text = "", after: Cursor = ""
) -> Response:
    """List everything of one kind, page by page."""
    studio = served.studio
    caught_up(studio)
    facts, at = facts_of(studio), studio.clock.now()
    rows = [row for row in shelved(studio, facts, shelf, at) if matches(row, q)]
    shown, following = page_of(rows, Page(("shelf", shelf.value, q), PAGE, after or None))
    hanging = Hanging(studio, facts)
    files = {row.id: hanging.count(item.sha256 for item in row.stated.subjects) for row in shown}
    desk = Desk(request, viewer, served)
    return desk.shown(
        "rights_list.html.j2",
        shelf=shelf,
        rows=shown,
        files=files,
        count=len(rows),
        q=q,
        following=desk.onward(following),
    )


@router.get("/models/{sha256}")
def model(
    request: Request,
    viewer: Registry,
    served: Production,
    sha256: Digest,
    known: Day = "",
    policy: Text = "",
) -> Response:
    """Show a model: its family, its training, its grants, its grade and why, and where it is used."""
    studio, page = served.studio, Desk(request, viewer, served, known)
    caught_up(studio)
    sheet, facts, now = model_sheet(studio, sha256, page.moment), page.facts, studio.clock.now()
    names = policy_names(studio)
    profile = policy_named(studio, policy or names[0])
    graded = Grader(facts, ask(studio, profile, Asked(known=page.moment))).model(sha256)
    reviews = {item.sha256: facts.review(item.sha256, now) for item in sheet.family.relatives}
    return page.shown(
        "rights_model.html.j2",
        sheet=sheet,
        sha256=sha256,
        graded=graded,
        policy=profile.name,
        policies=names,
        grants=[glance(item, now) for item in sheet.around.grants],
        standings={key: item.predicate.standing.value if item else None for key, item in reviews.items()},
        drawing=drawing,
        shot_address=shot_address,
        drawn=DRAWN,
    )


@router.get("/models/{sha256}/bill/{form}", dependencies=[need(Action.READ_REGISTRY)])
def bill(served: Production, sha256: Digest, form: Literal["cyclonedx", "spdx", "odrl"]) -> Response:
    """Return the model's bill of materials, to be kept as a file."""
    found = bill_of_model(served.studio, sha256)
    document = {
        "cyclonedx": lambda: to_cyclonedx(found, __version__),
        "spdx": lambda: to_spdx(found, __version__),
        "odrl": lambda: to_odrl(found),
    }[form]()
    name = f"model-{sha256[:12]}.{form}.json"
    return JSONResponse(document, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/datasets/{sha256}")
def dataset(
    request: Request,
    viewer: Registry,
    served: Production,
    sha256: Digest,
    known: Day = "",
    after: Cursor = "",
) -> Response:
    """Show a dataset: its inventory, who permits what and when, as of any day, and what was trained on it."""
    studio, page = served.studio, Desk(request, viewer, served, known)
    caught_up(studio)
    sheet, now = dataset_sheet(studio, sha256, page.moment), studio.clock.now()
    question = ask(studio, policy_named(studio, policy_names(studio)[0]), Asked(known=page.moment))
    held, following = grants_page(sheet.around.grants, Page(("grants", sha256, known), PAGE, after or None))
    return page.shown(
        "rights_dataset.html.j2",
        sheet=sheet,
        sha256=sha256,
        grade=Grader(page.facts, question).dataset(sha256),
        policy=question.profile.name,
        plan=Plan(
            sheet.around.grants,
            now,
            page.moment,
            [run.predicate.started for run in sheet.runs],
            sheet.around.uses.moments,
        ),
        timeline=timeline,
        shot_address=shot_address,
        grants=held,
        glances=[glance(item, now) for item in held],
        following=page.onward(following),
    )


@router.get("/grants/{name:path}")
def grant(request: Request, viewer: Registry, served: Production, name: Name, known: Day = "") -> Response:
    """Show a grant: what it permits, to whom, where and until when; its versions, and what rests on it."""
    studio, page = served.studio, Desk(request, viewer, served, known)
    caught_up(studio)
    sheet = grant_sheet(studio, name_in(name), page.moment)
    plan = Plan([item for item, _ in sheet.held], studio.clock.now(), page.moment)
    return page.shown("rights_grant.html.j2", sheet=sheet, plan=plan, timeline=timeline)


@router.get("/all/{shelf}/{name:path}")
def under_a_name(
    request: Request,
    viewer: Registry,
    served: Production,
    shelf: Literal["parties", "titles", "services", "works", "consents"],
    name: Name,
) -> Response:
    """Show a party, a title, a service with its terms, a work, or a consent."""
    caught_up(served.studio)
    sheet = name_sheet(served.studio, Shelf(shelf), name_in(name))
    desk = Desk(request, viewer, served)
    works = {item.predicate.work_id for item in desk.facts.works.values()}
    return desk.shown(f"rights_{sheet.shelf.value}.html.j2", sheet=sheet, most=PAGE, works_named=works)
