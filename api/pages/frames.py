"""One file with its way: the rules are in ``ledger.service.reading`` (``frame``, ``way``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.pages.shown import shown
from api.reading import Asked, Digest, Text
from api.security import need
from api.served import Production, Served
from ledger.core.access import Action, Viewer
from ledger.core.predicates.reasons import EXPLAINED
from ledger.errors import UsageError
from ledger.render.pages import lineage
from ledger.render.pages.label import STATES
from ledger.service.clear.question import Asked as Question
from ledger.service.labels.shown import on_files
from ledger.service.reading import frame as frames
from ledger.service.reading.lineage import DEEPEST, Direction
from ledger.service.reading.lineage import Way as Along
from ledger.service.reading.pages import MAX_CURSOR, Page
from ledger.service.reading.sight import Sight, sight_of
from ledger.service.reading.way import Stop, Way, way
from ledger.wiring.reading import policy_in_use, policy_named, policy_names

router = APIRouter(prefix="/productions/{production}", tags=["pages"], include_in_schema=False)
LINKS = 120
"""Links of a file's way on one page; the last entry may have more, and then its stops come in parts."""


class FrameAsked(Asked):
    """Which way, from which cursor on, and under which policy the file is judged now."""

    direction: Direction = Direction.UP
    after: str | None = Field(None, max_length=MAX_CURSOR)
    part: int = Field(1, ge=1, le=100)
    policy: Text | None = None
    lang: str | None = None


@router.get("/frames/{sha256}")
def frame(
    request: Request,
    viewer: Annotated[Viewer, need(Action.READ_WORK)],
    served: Production,
    sha256: Digest,
    asked: Annotated[FrameAsked, Query()],
) -> Response:
    """Show one file as the crew sees it."""
    studio, production = served.studio, served.studio.production
    sight = sight_of(viewer, production)
    found = frames.frame(studio, sha256, sight)
    page = Page(("way", found.sha256, asked.direction.value), LINKS, asked.after)
    whole = way(studio, found.sha256, Along(asked.direction, DEEPEST), page, sight)
    along, more = whole.part(asked.part, LINKS + 1)
    base = f"/productions/{quote(production, safe='')}"
    may_clear = viewer.may(Action.CLEAR, production)
    return shown(
        request,
        "frame.html.j2",
        viewer,
        production,
        frame=found,
        way=along,
        up=asked.direction is Direction.UP,
        branches=lineage.listed(along),
        drawn=partial(lineage.picture, along, href=leads(base)),
        small=small_of(base),
        nothing=lambda _: "",
        compared=_files_before(along, found.sha256),
        words=lineage,
        explained={code.value: each for code, each in EXPLAINED.items()},
        computed=_computed(served, found, asked.policy, sight) if may_clear else None,
        policies=policy_names(studio) if may_clear else (),
        labels=on_files(studio, served.labels, {found.sha256, sha256}, titles=True),
        label_states=STATES,
        base=base,
        onward=_onward(asked, along, more=more),
        first=asked.after is None and asked.part == 1,
        may_open=viewer.may(Action.OPEN_DISCLOSURES, production),
        may_prove=viewer.may(Action.READ_PROOFS, production),
    )


def _onward(asked: FrameAsked, along: Way, *, more: bool) -> str:
    """Return where the way goes on: with the next part of this piece, else with the next piece."""
    where = {"direction": asked.direction.value}
    if more:
        where |= {"part": str(asked.part + 1)} | ({"after": asked.after} if asked.after else {})
    elif along.next:
        where["after"] = along.next
    else:
        return ""
    return f"?{urlencode(where)}#way"


def _computed(served: Served, found: frames.Frame, named: str | None, sight: Sight) -> frames.Computed | None:
    """Return the answer now: of the named policy, else of the newest verdict on record, as it was asked."""
    studio = served.studio
    newest = found.recorded[0] if found.recorded else None
    if named is not None or newest is None:
        policy, question = policy_named(studio, named or policy_in_use(studio)), Question()
    else:
        said = newest["policy"]
        try:
            policy = policy_named(studio, said["digest"]["sha256"])
        except UsageError:
            policy = policy_named(studio, said["name"])
        question = frames.asked_as(newest)
    return frames.computed(studio, policy, question, found.sha256, sight)


def _files_before(along: Way, sha256: str) -> set[str]:
    """Return the files that this one was made from directly: what it can be compared with."""
    near = {link.parent for link in along.links if link.child == sha256}
    return {stop.sha256 for stop in along.stops if stop.sha256 in near and stop.step is not None}


def leads(base: str) -> Callable[[Stop], str]:
    """Return where a stop's card leads: what is registered to the registry, all else to its own page."""

    def href(stop: Stop) -> str:
        place = f"rights/{stop.registered}" if stop.registered else "frames"
        return f"{base}/{place}/{stop.sha256}"

    return href


def small_of(base: str) -> Callable[[Stop], str]:
    """Return where a stop's picture is, if it is a file that a record explains."""

    def address(stop: Stop) -> str:
        is_file = stop.kind not in {"model", "service", "dataset", "unknown"}
        return f"{base}/pictures/{stop.sha256}.jpg?w=320" if is_file else ""

    return address
