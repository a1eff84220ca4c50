"""What the pages of a board have in common: who may look, under which policy, and what there is to show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlencode

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from api.pages.decisions import waiting_for
from api.pages.shown import roles_on, shown
from api.security import need
from api.served import Served
from ledger.core.access import Action, Role, Viewer
from ledger.core.predicates.reasons import EXPLAINED
from ledger.core.rights.profile import Profile
from ledger.render.pages import board_words
from ledger.render.pages.addresses import shot_address
from ledger.render.pages.strips import strip
from ledger.render.words import USES
from ledger.service.board.board import Board
from ledger.service.board.keeping import Found
from ledger.service.places import Place
from ledger.service.reading.pages import MAX_CURSOR, size_of
from ledger.service.reading.sight import Sight, sight_of
from ledger.wiring.reading import policy_in_use, policy_named, policy_names

Clearing = Annotated[Viewer, need(Action.CLEAR)]
Word = Annotated[str, Field(max_length=1024)]
AGAIN = 3
"""Seconds after which a page that waits for a board looks again."""


class BoardAsked(BaseModel):
    """What may follow the question mark of a page of the board. Empty: what the production says."""

    policy: Word = ""
    after: Annotated[str, Field(max_length=MAX_CURSOR)] = ""


class Looked(NamedTuple):
    """Who looks at which production, under which policy."""

    request: Request
    viewer: Viewer
    served: Served
    profile: Profile

    @property
    def sight(self) -> Sight:
        """Return what the viewer may read."""
        return sight_of(self.viewer, self.served.studio.production)

    def board(self, known: datetime | None = None) -> Found:
        """Return the board. Raises as ``Boards.get``."""
        return self.served.boards.get(self.profile, known)

    def shown(self, template: str, kept: Found | None = None, **values: Any) -> Response:
        """Return a page about a board, or one that says that it is being computed and looks again."""
        production = self.served.studio.production
        if kept is not None:
            values |= {"board": kept.board, "behind": kept.behind, "newer": self._newer(kept.board)}
        values |= {
            "base": f"/productions/{quote(production, safe='')}",
            "policy": self.profile.name,
            "policies": policy_names(self.served.studio),
            "address": self._address(),
            "href": self._href,
            "draw": strip,
            "words": board_words,
            "explained": EXPLAINED,
            "uses": USES,
            "sight": self.sight,
            "waiting": {
                (each.proposal.typed.get("code"), each.name): each.proposal.id
                for each in waiting_for(self.served, self.viewer)
                if not each.proposal.declined
            },
            "may_decide": Role.LEGAL.value in roles_on(self.viewer, production),
        }
        return shown(self.request, template, self.viewer, production, **values)

    def waiting(self) -> Response:
        """Return the page that says that the board is being computed, and looks again by itself."""
        answer = self.shown("board_waiting.html.j2")
        answer.status_code = 202
        answer.headers["Refresh"] = str(AGAIN)
        return answer

    def _newer(self, board: Board | None) -> int:
        return size_of(self.served.studio) - board.size if board else 0

    def _address(self) -> Callable[[Place], str]:
        production = self.served.studio.production
        asked = self.request.query_params.get("policy")
        query = f"?{urlencode({'policy': asked})}" if asked else ""
        return lambda place: shot_address(production, place) + query

    def _href(self, path: str = "", **changes: str | int) -> str:
        """Return this page's address, or that of another one of the board, with other questions."""
        kept = {} if path else {k: v for k, v in self.request.query_params.items() if k != "after"}
        policy = self.request.query_params.get("policy", "")
        asked = {key: value for key, value in ({"policy": policy} | kept | changes).items() if value}
        place = path or self.request.url.path
        return f"{place}?{urlencode(asked)}" if asked else place


def looked(request: Request, viewer: Viewer, served: Served, policy: str) -> Looked:
    """Return who looks at what. Raises ``UsageError("profile.unknown")``."""
    name = policy or policy_in_use(served.studio)
    return Looked(request, viewer, served, policy_named(served.studio, name))
