"""Audit reports on request, made by jobs: the rules are in ``ledger.service.report.jobs``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from api.reading import PROBLEMS, Text
from api.report_files import FILE, sent
from api.routes.clearances import Delivery
from api.security import need
from api.served import Production, Served
from api.shapes.reports import ReportJob, ReportJobs
from ledger.core.access import Action, Viewer
from ledger.core.audit.views import View
from ledger.core.fields import format_time
from ledger.errors import UsageError
from ledger.service.reading.clearances import MOST_TARGETS
from ledger.service.report.jobs import WHOLE_TARGETS, Job, State, Wanted
from ledger.wiring.reading import policy_named

router = APIRouter(prefix="/v1/productions/{production}/reports", tags=["reports"], responses=PROBLEMS)
Asker = Annotated[Viewer, need(Action.REPORT)]
Id = Annotated[str, Path(max_length=64)]


class ReportWanted(Delivery):
    """A report: of which targets, by which policy, in which view. Targets are those of a clearance."""

    targets: list[Text] = Field(list(WHOLE_TARGETS), min_length=1, max_length=MOST_TARGETS)
    policy: Text = Field(examples=["streamer"])
    view: View = Field(examples=["distributor"])
    party: Text | None = Field(None, description="For the view rights-holder: whose it is.")


@router.post("", status_code=202, responses={202: {"description": "Location is where to ask for it."}})
def make_report(
    viewer: Asker, served: Production, wanted: ReportWanted, request: Request, response: Response
) -> ReportJob:
    """Have an audit report made; the answer comes at once, and says where to ask how it stands."""
    policy_named(served.studio, wanted.policy)
    asked = Wanted(wanted.policy, wanted.view, wanted.party, tuple(wanted.targets), wanted.asked())
    job = served.reports.jobs.ask(viewer, asked)
    response.headers["Location"] = f"{request.url.path}/{job.identifier}"
    return _shown(served, job)


@router.get("")
def list_reports(viewer: Asker, served: Production) -> ReportJobs:
    """List the reports that the caller may see, the newest first: each without its files."""
    found = served.reports.jobs.seen(viewer)
    return ReportJobs(reports=[_shown(served, job, files=False) for job in found])


@router.get("/{job}")
def show_report(viewer: Asker, served: Production, job: Id) -> ReportJob:
    """Say how a report stands: what is being done, or its files with their digests."""
    return _shown(served, served.reports.jobs.get(viewer, job))


@router.delete("/{job}", status_code=204)
def remove_report(viewer: Asker, served: Production, job: Id) -> None:
    """Stop a report that is being made, or forget one with its files."""
    served.reports.jobs.remove(viewer, job)


@router.get("/{job}/files/{name:path}", response_class=FileResponse, responses=FILE)
def read_report_file(viewer: Asker, served: Production, job: Id, name: str, request: Request) -> Response:
    """Send a file of a report, or the part of it that a download still lacks (`Range`)."""
    found = served.reports.jobs.get(viewer, job)
    if found.state is not State.DONE:
        raise UsageError("report.no-such-file", f"The report is {found.state.value}.")
    return sent(request, served.reports.folder.files(found.identifier), found.file(name))


def _shown(served: Served, job: Job, *, files: bool = True) -> ReportJob:
    expires = served.reports.jobs.expires(job)
    said: dict[str, Any] = {
        "id": job.identifier,
        "state": job.state.value,
        "wanted": {"party": None, "title": None, "media": [], "territories": [], "at": None, "known": None}
        | job.wanted.to_json(),
        "asker": job.asker,
        "made": format_time(job.made),
        "phase": job.phase,
        "done": job.done,
        "total": job.total,
        "ended": job.ended and format_time(job.ended),
        "expires": expires and format_time(expires),
        "error": job.error and {"code": job.error[0], "message": job.error[1]},
        "report": job.report,
        "verdict": job.verdict,
        "files": [{"name": item.name, "size": item.size, "sha256": item.sha256} for item in job.files],
    }
    return ReportJob.model_validate(said if files else {**said, "files": []})
