"""What changed since a moment: the rules are in ``ledger.service.board.changed``."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.following import following_of
from api.pages.of_board import BoardAsked, Clearing, Word, looked
from api.served import Production
from ledger.core.fields import format_time, parse_time
from ledger.errors import MalformedError
from ledger.service.board.activity import told
from ledger.service.board.changed import changed
from ledger.service.board.glances import moments
from ledger.service.capture.devices import chains
from ledger.service.reading.clearances import one_of_few

router = APIRouter(prefix="/productions/{production}", tags=["pages"], include_in_schema=False)

ROWS = 60
"""Rows of each list on the page."""


class ChangesAsked(BoardAsked):
    """Since a day, or a moment in UTC; empty: since last Friday, 18:00."""

    since: Word = ""


@router.get("/changes")
def changes(
    request: Request, viewer: Clearing, served: Production, asked: Annotated[ChangesAsked, Query()]
) -> Response:
    """Show what changed since a moment."""
    look, studio = looked(request, viewer, served, asked.policy), served.studio
    quick = moments(studio)
    since = _moment(asked.since, studio.clock.now()) if asked.since else quick["friday"]
    now, then = look.board(), look.board(since)
    if now.board is None or then.board is None:
        return look.waiting()
    with one_of_few():
        found = changed(studio, since, then.board, now.board)
    source = following_of(request).hubs[studio.production].source
    ended = {index: told(studio, source, viewer, [index]) for _, index in found.ended}
    return look.shown(
        "board_changes.html.j2",
        now,
        found=found,
        facts=told(studio, source, viewer, found.facts) if look.sight.registry else [],
        ended=[(moment, each) for moment, index in found.ended for each in ended[index]],
        devices=[chain for chain in chains(studio) if not chain.sound],
        quick={name: format_time(moment) for name, moment in quick.items()},
        asked_since=format_time(since),
        day=since.date().isoformat(),
        today=studio.clock.now().date().isoformat(),
        most=ROWS,
    )


def _moment(text: str, now: datetime) -> datetime:
    """Return the moment that a day (its beginning, UTC) or a moment names; it is not to come.

    Raises ``MalformedError("request.malformed")``.
    """
    try:
        found = parse_time(text) if "T" in text else datetime.combine(date.fromisoformat(text), time(), UTC)
    except (ValueError, MalformedError) as error:
        raise MalformedError("request.malformed", "since is no day and no moment in UTC.") from error
    return min(found, now)
