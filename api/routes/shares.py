"""Links that show one file or one report to their holders: the rules are in ``service.access.links``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from api.reading import PROBLEMS
from api.report_files import FILE, sent
from api.security import need, public, viewer_of
from api.served import Production, service_of
from api.shapes.base import Shape
from api.verifier import Verifier
from api.verify_schema import Verification
from ledger.core.access import Action, Viewer
from ledger.core.secret_text import Kind
from ledger.errors import UsageError
from ledger.service.access import links
from ledger.service.access.credentials import MAX_DAYS
from ledger.service.access.store import Credential

router = APIRouter(
    prefix="/v1/productions/{production}/shares",
    tags=["access"],
    responses=PROBLEMS,
    dependencies=[need(Action.SHARE)],
)
opened = APIRouter(tags=["access"], responses={404: PROBLEMS[404]})
GONE: dict[int | str, dict[str, Any]] = {410: {"description": "The link has ended."}}


class NewShare(BaseModel):
    """A link to be made: to which file or which report, and for how many days."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"sha256": "5f" * 32, "name": "ep07", "days": 14}]}
    )

    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    report: str | None = Field(None, pattern="^[0-9a-f]{32}$", description="A report's job, which is done.")
    name: str = Field("", max_length=100, description="What its holder reads; else the file's name.")
    days: int = Field(links.DEFAULT_DAYS, ge=1, le=MAX_DAYS, description="Days until it ends.")


class Share(BaseModel):
    """A link as it is listed: never its address. ``openings`` is how often it was opened."""

    id: str
    name: str
    sha256: str | None
    report: str | None
    maker: str
    made: str
    expires: str
    revoked: str | None
    openings: int


class MadeShare(Share):
    """A link that was just made, with its address on this server: shown this once."""

    path: str


class Shares(BaseModel):
    """The links of the production."""

    shares: list[Share]


class SharedFile(Shape):
    """A file of a report that a link shows: its address on this server."""

    name: str
    size: int
    sha256: str
    path: str


class SharedReport(Shape):
    """A report that a link shows."""

    report: str
    view: str
    verdict: str
    files: list[SharedFile]


class Shared(BaseModel):
    """What a link shows: of a file its verification and a distributor's verdicts; or a report."""

    production: str
    sha256: str | None = None
    name: str
    expires: str
    verification: Verification | None = None
    verdicts: list[dict[str, Any]] = Field(default_factory=list)
    report: SharedReport | None = None


@router.post("", status_code=201)
def make_share(
    wanted: NewShare, served: Production, viewer: Annotated[Viewer, Depends(viewer_of)], request: Request
) -> MadeShare:
    """Make a link to what the log says of a file, or to a report. The answer holds its address, this once."""
    credentials, about = service_of(request).credentials, (wanted.days, wanted.name)
    if (wanted.sha256 is None) == (wanted.report is None):
        raise UsageError("request.malformed", "A link is to a file or to a report.")
    if wanted.report is not None:
        jobs = served.reports.jobs
        path, made = links.make_for_report(credentials, jobs, viewer, wanted.report, *about)
    else:
        path, made = links.make(credentials, served.studio, viewer, wanted.sha256 or "", *about)
    return MadeShare.model_validate({"path": path, **_listed(made)})


@router.get("")
def list_shares(production: str, _: Production, request: Request) -> Shares:
    """List the links of this production, the oldest first."""
    found = service_of(request).credentials.made(Kind.LINK, production)
    return Shares(shares=[Share.model_validate(_listed(item)) for item in found])


@router.delete("/{identifier}", status_code=204)
def revoke_share(production: str, identifier: str, _: Production, request: Request) -> None:
    """End a link now."""
    service_of(request).credentials.revoke(Kind.LINK, identifier, production)


def opened_link(secret: str, request: Request, verifier: Verifier) -> dict[str, Any]:
    """Return what a link shows, as ``Shared``, and count the opening. Raises as ``links.target_of``."""
    service = service_of(request)
    link = links.target_of(service.credentials, secret)
    (production,) = link.roles
    served = service.production(production)
    if link.target.startswith(links.REPORT):
        return links.shown_report(link, served.reports.jobs, secret)
    return links.shown(link, served.studio, verifier.verifying)


@opened.get(
    "/s/{secret}/files/{name:path}",
    response_class=FileResponse,
    responses={**GONE, **FILE},
)
@public("its secret is in the address, and it shows one report")
def open_shared_file(secret: str, name: str, request: Request) -> Response:
    """Send a file of the report that a link shows; not counted as an opening."""
    service = service_of(request)
    link = links.held(service.credentials, secret)
    (production,) = link.roles
    reports = service.production(production).reports
    job = links.report_of(link, reports.jobs)
    return sent(request, reports.folder.files(job.identifier), job.file(name))


def _listed(item: Credential) -> dict[str, Any]:
    named = links.about(item)
    return {**item.to_json(), "sha256": None, "report": None, **named, "openings": item.uses}
