"""API tokens of one production: the rules are in ``ledger.service.access.credentials``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from api.security import need, viewer_of
from api.served import Production, service_of
from api.shapes.base import Shape
from ledger.core.access import Action, Role, Viewer
from ledger.core.secret_text import Kind
from ledger.service.access.credentials import DAY, DEFAULT_DAYS, MAX_DAYS, Wanted

router = APIRouter(
    prefix="/v1/productions/{production}/tokens",
    tags=["access"],
    # Before the production is looked up: who may not know of it is not told whether it exists.
    dependencies=[need(Action.MANAGE_TOKENS)],
)


class NewToken(BaseModel):
    """A token to be made: roles on this production that the maker holds itself."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "dailies-bot", "roles": ["supervisor"]}]}
    )

    name: str = Field(min_length=1, max_length=100, description="Whose it is. Shown in lists.")
    roles: list[Role] = Field(min_length=1, max_length=len(Role))
    days: int = Field(DEFAULT_DAYS, ge=1, le=MAX_DAYS, description="Days until it ends.")
    party: str | None = Field(None, max_length=200, description="Whom a rights holder speaks for.")


class Token(Shape):
    """A token as it is listed. Its text is kept nowhere."""

    id: str
    name: str
    holder: str
    roles: dict[str, list[Role]]
    party: str | None
    maker: str
    made: str
    expires: str
    revoked: str | None
    last_used: str | None = Field(description="The day of its last use.")


class MadeToken(Token):
    """A token that was just made, with its text: shown this once."""

    token: str


class Tokens(BaseModel):
    """The tokens that hold a role on the production."""

    tokens: list[Token]


@router.post("", status_code=201)
def make_token(
    wanted: NewToken,
    production: str,
    _: Production,
    viewer: Annotated[Viewer, Depends(viewer_of)],
    request: Request,
) -> MadeToken:
    """Make a token. The answer holds its text, which is shown this once."""
    held = {production: frozenset(wanted.roles)}
    text, made = service_of(request).credentials.make(
        Wanted(Kind.TOKEN, wanted.name, held, wanted.days * DAY, wanted.party), viewer
    )
    return MadeToken.model_validate({"token": text, **made.to_json()})


@router.get("")
def list_tokens(production: str, _: Production, request: Request) -> Tokens:
    """List the tokens that hold a role on this production, with what they hold here."""
    found = service_of(request).credentials.made(Kind.TOKEN, production)
    return Tokens(tokens=[Token.model_validate(item.on(production).to_json()) for item in found])


@router.delete("/{identifier}", status_code=204)
def revoke_token(production: str, identifier: str, _: Production, request: Request) -> None:
    """End a token now, and whatever was made with it; not one that holds for other productions, too."""
    service_of(request).credentials.revoke(Kind.TOKEN, identifier, production)
