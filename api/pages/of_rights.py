"""What the pages of the rights desk have in common: who may look, and as of which knowledge."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import Query
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from api.pages.shown import shown
from api.security import need
from api.served import Served
from ledger.core.access import Action, Viewer
from ledger.core.predicates.reasons import EXPLAINED
from ledger.core.rights.facts import Facts
from ledger.render.pages import rights_words
from ledger.render.pages.addresses import NOBODY, name_of, part_of
from ledger.render.words import USES
from ledger.service.rights.reading import facts_of

Registry = Annotated[Viewer, need(Action.READ_REGISTRY)]


def _a_day(text: str) -> str:
    day_of(text)
    return text


Day = Annotated[str, AfterValidator(_a_day), Query(max_length=10)]
"""A day such as 2026-11-22; empty: none."""


def day_of(text: str) -> datetime | None:
    """Return the last moment of a day, in UTC; ``None`` for no day. Raises ``ValueError``."""
    return datetime.combine(date.fromisoformat(text), time.max, UTC) if text else None


def name_in(part: str) -> str:
    """Return the name that a part of an address means."""
    return NOBODY if part == NOBODY else str(name_of(part))


class Desk(NamedTuple):
    """Who looks at which production, by what was known when: ``known`` is a day, empty for now."""

    request: Request
    viewer: Viewer
    served: Served
    known: str = ""

    @property
    def moment(self) -> datetime | None:
        """Return the last moment of what counts as known."""
        return day_of(self.known)

    @property
    def facts(self) -> Facts:
        """Return the registry as it was known."""
        return facts_of(self.served.studio, self.moment)

    @property
    def base(self) -> str:
        """Return the address of the production."""
        return f"/productions/{quote(self.served.studio.production, safe='')}"

    def shown(self, template: str, **values: Any) -> Response:
        """Return a page of the desk."""
        studio = self.served.studio
        common: dict[str, Any] = {
            "base": self.base,
            "desk": f"{self.base}/rights",
            "facts": self.facts,
            "words": rights_words,
            "uses_words": USES,
            "meanings": EXPLAINED,
            "known": self.known,
            "page_moment": self.moment,
            "now": studio.clock.now(),
            "part": part_of,
            "may_decide": self.viewer.may(Action.DECIDE, studio.production),
            "may_clear": self.viewer.may(Action.CLEAR, studio.production),
        }
        return shown(self.request, template, self.viewer, studio.production, **common | values)

    def onward(self, cursor: str | None) -> str | None:
        """Return the address of the next page of the list that is asked for."""
        if cursor is None:
            return None
        kept = [item for item in self.request.query_params.multi_items() if item[0] != "after"]
        return f"{self.request.url.path}?{urlencode([*kept, ('after', cursor)])}"
