"""Audit reports from a page: asked for by a form, looked at while they are made, and fetched."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Path
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.identity import check_own_site
from api.pages.shown import shown
from api.security import need
from api.served import Production
from ledger.core.access import Action, Viewer
from ledger.core.audit.views import View
from ledger.render.coverage import size
from ledger.render.pages import verify_words
from ledger.service.report.jobs import WHOLE_TARGETS, Wanted
from ledger.wiring.reading import policy_named, policy_names

router = APIRouter(prefix="/productions/{production}/reports", tags=["pages"], include_in_schema=False)
Asker = Annotated[Viewer, need(Action.REPORT)]
_Name = Annotated[str, Form(min_length=1, max_length=200)]


@router.post("", status_code=303)
def ask_report(
    viewer: Asker,
    served: Production,
    request: Request,
    policy: _Name,
    view: Annotated[View, Form()],
    target: Annotated[str | None, Form(pattern="^[0-9a-f]{64}$")] = None,
) -> Response:
    """Have a report made: of one file, else of the whole production; and go to where it can be looked at."""
    check_own_site(request.scope)
    policy_named(served.studio, policy)
    party = viewer.party if view is View.RIGHTS_HOLDER else None
    targets = WHOLE_TARGETS if target is None else (target,)
    job = served.reports.jobs.ask(viewer, Wanted(policy, view, party, targets))
    return RedirectResponse(f"{request.url.path}/{job.identifier}", 303)


@router.get("")
def reports(viewer: Asker, served: Production, request: Request) -> Response:
    """Show the reports that this viewer may see, the newest first."""
    production = served.studio.production
    own = viewer.views(production)
    return shown(
        request,
        "reports.html.j2",
        viewer,
        production,
        jobs=served.reports.jobs.seen(viewer),
        views=[view.value for view in View if view in own and _can_have(viewer, view)],
        policies=policy_names(served.studio),
        words=verify_words,
    )


@router.get("/{job}")
def report(
    viewer: Asker, served: Production, request: Request, job: Annotated[str, Path(max_length=64)]
) -> Response:
    """Show how a report stands, and its files when it is done."""
    name, found = served.studio.production, served.reports.jobs.get(viewer, job)
    expires = served.reports.jobs.expires(found)
    values: dict[str, Any] = {"job": found, "expires": expires, "words": verify_words, "size": size}
    return shown(request, "report.html.j2", viewer, name, **values)


def _can_have(viewer: Viewer, view: View) -> bool:
    """Whether a form can ask for it: the view of a rights holder is of somebody."""
    return view is not View.RIGHTS_HOLDER or viewer.party is not None
