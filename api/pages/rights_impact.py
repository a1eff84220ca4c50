"""Before a grant is revoked: what rests on it, and which frames would have another verdict."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.pages.of_rights import Day, Desk
from api.security import need
from api.served import Production
from ledger.core.access import Action, Viewer
from ledger.render.pages.addresses import shot_address
from ledger.render.pages.strips import WHOLE, Strip, strip
from ledger.render.report.ink import VERDICTS
from ledger.service.desk.hanging import by_shot
from ledger.service.desk.weighing import MOST_SHOTS, Run, counts, resting, weighed
from ledger.service.reading.clearances import one_of_few
from ledger.wiring.reading import policy_named, policy_names

router = APIRouter(prefix="/productions/{production}/rights", tags=["pages"], include_in_schema=False)
Clearing = Annotated[Viewer, need(Action.CLEAR)]
Thing = Annotated[str, Query(alias="grant", max_length=1024)]
Named = Annotated[str, Query(max_length=200)]


@router.get("/impact", dependencies=[need(Action.READ_REGISTRY)])
def impact(
    request: Request,
    viewer: Clearing,
    served: Production,
    thing: Thing = "",
    day: Annotated[Day, Query(alias="from")] = "",
    policy: Named = "",
) -> Response:
    """Show what rests on a grant or a thing; with a day, also what would change if its grants ended then."""
    studio, page = served.studio, Desk(request, viewer, served)
    names = policy_names(studio)
    profile = policy_named(studio, policy or names[0])
    found = change = None
    if thing.strip():
        with one_of_few():
            if day:
                change = weighed(
                    studio, thing, datetime.combine(date.fromisoformat(day), time.min, UTC), profile
                )
            found = change.found if change else resting(studio, thing)
    return page.shown(
        "rights_impact.html.j2",
        asked=thing,
        day=day,
        policy=profile.name,
        policies=names,
        found=found,
        change=change,
        counts=counts,
        strip=_strip,
        found_in=by_shot(found.finals)[:MOST_SHOTS] if found else [],
        commands=[_command(name, day) for name in change.changed.grants] if change else [],
        shot_address=shot_address,
    )


def _strip(runs: Sequence[Run]) -> Strip:
    return strip([part for verdict, count in runs for part in (VERDICTS[verdict.value].key, count)], WHOLE)


def _command(grant_id: str, day: str) -> str:
    """Return the command that revokes a grant; what a name holds stays one word of a shell."""
    return f"rakkan grant revoke --effective {day} -- {shlex.quote(grant_id)}"
