"""Links that show one file to whoever holds them: the rules are in ``ledger.service.access.links``."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from api.reading import PROBLEMS
from api.security import need, public, viewer_of
from api.served import Production, service_of
from api.verifier import Verifies
from api.verify_schema import Verification
from ledger.core.access import Action, Viewer
from ledger.core.secret_text import Kind
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


class NewShare(BaseModel):
    """A link to be made: to which file, and for how many days."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"sha256": "5f" * 32, "name": "ep07", "days": 14}]}
    )

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    name: str = Field("", max_length=100, description="What its holder reads; else the file's name.")
    days: int = Field(links.DEFAULT_DAYS, ge=1, le=MAX_DAYS, description="Days until it ends.")


class Share(BaseModel):
    """A link as it is listed: never its address. ``openings`` is how often it was opened."""

    id: str
    name: str
    sha256: str
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


class Shared(BaseModel):
    """What a link shows of one file: its verification, and the verdicts that a distributor may see."""

    production: str
    sha256: str
    name: str
    expires: str
    verification: Verification
    verdicts: list[dict[str, Any]]


@router.post("", status_code=201)
def make_share(
    wanted: NewShare, served: Production, viewer: Annotated[Viewer, Depends(viewer_of)], request: Request
) -> MadeShare:
    """Make a link to what the log says of one file. The answer holds its address, shown this once."""
    credentials = service_of(request).credentials
    path, made = links.make(credentials, served.studio, viewer, wanted.sha256, wanted.days, wanted.name)
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


@opened.get("/s/{secret}", responses={410: {"description": "The link has ended."}})
@public("its secret is in the address, and it shows one file")
def open_share(secret: str, request: Request, verifier: Verifies) -> Shared:
    """Open a link. The answer is kept by no cache, and its address is told to no other site."""
    service = service_of(request)
    link = links.target_of(service.credentials, secret)
    (production,) = link.roles
    return Shared.model_validate(links.shown(link, service.production(production).studio, verifier.verifying))


def _listed(item: Credential) -> dict[str, Any]:
    return {**item.to_json(), "sha256": item.target, "openings": item.uses}
