"""One shot, its frames before one's eyes: the rules are in ``ledger.service.board.shot``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.pages.of_board import BoardAsked, Clearing, Looked, looked
from api.reading import Name
from api.served import Production
from ledger.render.pages.addresses import name_of
from ledger.render.pages.label import STATES
from ledger.service.board import findings, shot
from ledger.service.labels.shown import on_files
from ledger.service.places import Place
from ledger.service.reading.clearances import one_of_few
from ledger.service.reading.pages import Page

router = APIRouter(prefix="/productions/{production}/shots", tags=["pages"], include_in_schema=False)
FILES = 120
"""Files of a shot on one page."""


@router.get("/{sequence}/{name}")
def show_shot(
    request: Request,
    viewer: Clearing,
    served: Production,
    sequence: Name,
    name: Name,
    asked: Annotated[BoardAsked, Query()],
) -> Response:
    """Show the final files of a shot, each with its verdict, and how they came to be."""
    place = Place(None, name_of(sequence), name_of(name))
    return _shown(looked(request, viewer, served, asked.policy), place, asked)


@router.get("/{episode}/{sequence}/{name}")
def show_shot_of_episode(
    request: Request,
    viewer: Clearing,
    served: Production,
    episode: Name,
    sequence: Name,
    name: Name,
    asked: Annotated[BoardAsked, Query()],
) -> Response:
    """Show the same of a shot of an episode."""
    place = Place(name_of(episode), name_of(sequence), name_of(name))
    return _shown(looked(request, viewer, served, asked.policy), place, asked)


def _shown(look: Looked, place: Place, asked: BoardAsked) -> Response:
    served, page = look.served, Page(("shot", look.profile.name, *place), FILES, asked.after or None)
    with one_of_few():
        found = shot.show(served.studio, look.profile, place, page)
    kinds = findings.kinds(found.findings, registry=look.sight.registry)
    files = {file.frame.sha256 for file in found.files}
    labels = on_files(look.served.studio, look.served.labels, files, titles=look.sight.work)
    return look.shown("board_shot.html.j2", found=found, kinds=kinds, labels=labels, label_states=STATES)
