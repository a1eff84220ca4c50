"""The register of findings of a production: the rules are in ``ledger.service.board.findings``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.pages.of_board import BoardAsked, Clearing, Word, looked
from api.served import Production
from ledger.service.board import findings
from ledger.service.reading.pages import MAX_INDEX

router = APIRouter(prefix="/productions/{production}", tags=["pages"], include_in_schema=False)
ALL, OF_EACH = 80, 8
"""Findings on one page: of one kind, and of each kind where all kinds are there."""


class FindingsAsked(BoardAsked):
    """Which findings: of a code, in a state, of a severity; empty: all."""

    code: Word = ""
    state: Word = ""
    severity: Word = ""
    start: Annotated[int, Field(ge=0, le=MAX_INDEX)] = 0


@router.get("/findings")
def register(
    request: Request, viewer: Clearing, served: Production, asked: Annotated[FindingsAsked, Query()]
) -> Response:
    """Show everything that speaks against files, with what would mend it."""
    look = looked(request, viewer, served, asked.policy)
    found = look.board()
    if found.board is None:
        return look.waiting()
    held = found.board
    kinds = findings.kinds(held.findings, held.touched, registry=look.sight.registry)
    shown = [kind for kind in kinds if asked_for(kind, asked)]
    return look.shown(
        "board_findings.html.j2",
        found,
        kinds=shown,
        all_kinds=kinds,
        asked=asked,
        start=asked.start,
        all_of_one=ALL,
        of_each=OF_EACH,
    )


def asked_for(kind: findings.Kind, asked: FindingsAsked) -> bool:
    """Whether these findings were asked for."""
    pairs = ((asked.code, kind.code), (asked.state, kind.state), (asked.severity, kind.severity))
    return all(wanted in ("", held) for wanted, held in pairs)
