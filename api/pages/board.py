"""The board of a production, and the productions there are: the rules are in ``ledger.service.board``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.following import following_of
from api.pages.of_board import BoardAsked, Clearing, Looked, Word, looked
from api.served import Production
from ledger.render.pages.strips import WHOLE
from ledger.service.board import findings, glances, shots
from ledger.service.board.activity import Happenings, happenings
from ledger.service.board.shots import Filters
from ledger.service.reading.pages import Page

router = APIRouter(prefix="/productions/{production}", tags=["pages"], include_in_schema=False)
SHOTS, EPISODES, SEQUENCES, WORST, KINDS, NEWEST = 50, 60, 40, 5, 5, 8
"""How many of each the board shows at once."""


class ShotsAsked(BoardAsked):
    """Which shots: see ``service.board.shots.Filters``."""

    episode: Word = ""
    sequence: Word = ""
    verdict: Word = ""
    grade: Word = ""
    model: Word = ""
    evidence: Word = ""
    text: Word = ""

    def filters(self) -> Filters:
        """Return the same as the use case takes it."""
        return Filters(**{name: getattr(self, name) for name in Filters.__slots__})


@router.get("")
def board(
    request: Request, viewer: Clearing, served: Production, asked: Annotated[ShotsAsked, Query()]
) -> Response:
    """Show how the whole production stands."""
    look = looked(request, viewer, served, asked.policy)
    found = look.board()
    if found.board is None:
        return look.waiting()
    held, filters = found.board, asked.filters()
    page = Page(("board", look.profile.name, *vars_of(filters)), SHOTS, asked.after or None)
    episodes = shots.episodes(held)
    groups = shots.sequences(held, filters.episode or None) if filters.episode or not episodes else []
    return look.shown(
        "board.html.j2",
        found,
        filters=filters,
        filtered=any(vars_of(filters)),
        shots=shots.select(held, filters, page),
        whole=shots.joined(held.lines),
        whole_width=WHOLE,
        counted=shots.counted(held),
        evidence=shots.evidence(held),
        groups=groups[:SEQUENCES],
        more_groups=max(0, len(groups) - SEQUENCES),
        episodes=episodes[:EPISODES],
        more_episodes=max(0, len(episodes) - EPISODES),
        worst=shots.worst(held, WORST),
        models=sorted({name for line in held.lines for name in line.models})[:200],
        kinds=findings.kinds(held.findings, held.touched, registry=look.sight.registry),
        kinds_of=partial(findings.kinds, held.findings, registry=False),
        most_kinds=KINDS,
        since=glances.since_friday(served.studio),
        delivered=glances.delivered(served.studio, (line.place for line in held.lines)),
        log=glances.log_state(served.studio, served.public),
        newest=_newest(look),
        newest_most=NEWEST,
    )


def vars_of(filters: Filters) -> tuple[str, ...]:
    """Return what is asked for, in order."""
    return tuple(getattr(filters, name) for name in filters.__slots__)


def _newest(look: Looked) -> Happenings:
    studio = look.served.studio
    source = following_of(look.request).hubs[studio.production].source
    return happenings(studio, source, look.viewer, Page(("activity",), NEWEST))
