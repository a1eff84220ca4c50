"""What those find who are not shown a board: verdicts on record, and the reports that they asked for."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.identity import check_own_site
from api.pages.of_board import BoardAsked
from api.pages.shown import shown
from api.reading import Text
from api.security import need
from api.served import Production
from ledger.core.access import Action, Viewer
from ledger.core.audit.views import View
from ledger.render.pages import board_words
from ledger.service.reading import verdicts
from ledger.service.reading.pages import Page
from ledger.service.reading.sight import sight_of
from ledger.service.report.jobs import State, Wanted
from ledger.wiring.reading import policy_named, policy_names

router = APIRouter(prefix="/productions/{production}", tags=["pages"], include_in_schema=False)
Reader = Annotated[Viewer, need(Action.READ_VERDICTS)]
Asker = Annotated[Viewer, need(Action.REPORT)]
VERDICTS = 50


@router.get("/verdicts")
def list_verdicts(
    request: Request, viewer: Reader, served: Production, asked: Annotated[BoardAsked, Query()]
) -> Response:
    """Show the newest verdict on record for each file and question."""
    studio = served.studio
    page = Page(("verdicts-page",), VERDICTS, asked.after or None)
    sight = sight_of(viewer, studio.production)
    found = verdicts.listing(studio, verdicts.Wanted(), page, sight)
    return shown(
        request,
        "verdicts.html.j2",
        viewer,
        studio.production,
        found=found,
        first=not asked.after,
        sight=sight,
    )


@router.get("/reports")
def list_reports(request: Request, viewer: Asker, served: Production) -> Response:
    """Show the reports that the viewer had made, and let them ask for another one."""
    production = served.studio.production
    own = viewer.views(production)
    return shown(
        request,
        "reports.html.j2",
        viewer,
        production,
        base=_base(production),
        jobs=served.reports.jobs.seen(viewer),
        done=State.DONE,
        views=[view.value for view in View if view in own and _can_have(viewer, view)],
        policies=policy_names(served.studio),
        words=board_words,
    )


@router.post("/reports", status_code=303)
def make_report(
    request: Request,
    viewer: Asker,
    served: Production,
    policy: Annotated[Text, Form()],
    view: Annotated[View, Form()],
) -> Response:
    """Have a report of the whole production made."""
    check_own_site(request.scope)
    policy_named(served.studio, policy)
    party = viewer.party if view is View.RIGHTS_HOLDER else None
    served.reports.jobs.ask(viewer, Wanted(policy, view, party))
    return RedirectResponse(f"{_base(served.studio.production)}/reports", 303)


def _can_have(viewer: Viewer, view: View) -> bool:
    """Whether a form can ask for it: the view of a rights holder is of somebody."""
    return view is not View.RIGHTS_HOLDER or viewer.party is not None


def _base(production: str) -> str:
    return f"/productions/{quote(production, safe='')}"
