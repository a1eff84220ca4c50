"""The log, to be looked at: what was signed, who vouches for it, and each proof step by step.

What everybody may have over HTTP everybody may look at: checkpoints, hashes, proofs, and the log's own keys.
What entries say, and how fast work goes, is for whoever may read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.pages.shown import shown
from api.security import need
from api.served import Production, Served
from ledger.core.access import Action, Viewer
from ledger.core.checkpoint import MAX_SIZE
from ledger.render.pages import log_charts, proof
from ledger.render.pages.log_words import KEY_ROLES, KEY_TROUBLE, KINDS
from ledger.service.access.settings import AccessSettings
from ledger.service.capture.devices import chains
from ledger.service.log.explaining import grown, proven
from ledger.service.log.key_spans import LOG, key_spans
from ledger.service.log.keys import log_keys
from ledger.service.log.standing import checked_head, growth, kept, standing
from ledger.service.reading import told
from ledger.service.reading.sight import sight_of
from ledger.service.reading.sought import MAX_TEXT, MOST, sought
from ledger.wiring.outside import alarms, witnessing

router = APIRouter(prefix="/productions/{production}/log", tags=["pages"], include_in_schema=False)
Anybody = Annotated[Viewer, need(Action.READ_PROOFS)]
Crew = Annotated[Viewer, need(Action.READ_WORK)]
Size = Annotated[int, Query(ge=0, le=MAX_SIZE)]
Index = Annotated[int, Path(ge=0, lt=MAX_SIZE)]
Start = Annotated[int, Query(ge=0, le=MAX_SIZE)]
PAGE, KEYS = 25, 80
"""Checkpoints, and keys or devices, on a page."""


@router.get("")
def overview(
    request: Request,
    viewer: Anybody,
    served: Production,
    find: Annotated[str | None, Query(max_length=MAX_TEXT)] = None,
    before: Size | None = None,
) -> Response:
    """Show how the log stands; with ``find``, the entries that are looked for."""
    studio = served.studio
    if find is not None and find.strip():
        return _found(request, viewer, served, find)
    kept_ones = kept(studio.checkpoints, before, PAGE + 1)
    policy = witnessing(served.home, studio)
    private = viewer.may(Action.READ_WORK, studio.production)
    now = standing(studio, served.public, policy.policy if policy else None)
    return shown(
        request,
        "log.html.j2",
        viewer,
        studio.production,
        now=now,
        last=studio.rows.received(now.stated.size - 1) if private and now else None,
        alarm=bool(alarms(served.home).open()),
        kept=kept_ones[:PAGE],
        older=f"?before={kept_ones[PAGE - 1].stated.size}" if len(kept_ones) > PAGE else None,
        first=before is None,
        growth=growth(studio, studio.clock.now()) if private and before is None else None,
        draw=log_charts.bars,
        address=_address(request, served),
        **_about(served, viewer),
    )


def _found(request: Request, viewer: Viewer, served: Served, text: str) -> Response:
    studio = served.studio
    sight = sight_of(viewer, studio.production)
    entries = sought(studio, served.devices.keys, text, sight)
    base = f"/productions/{studio.production}/log/entries"
    if len(entries) == 1:
        return RedirectResponse(f"{base}/{entries[0]}", 303)
    lines = [(index, told.line(studio, index, sight)) for index in entries]
    return shown(
        request,
        "log_found.html.j2",
        viewer,
        studio.production,
        200 if lines else 404,
        text=text,
        lines=lines,
        kinds=KINDS,
        all=len(entries) < MOST,
        **_about(served, viewer),
    )


@router.get("/entries/{index}")
def entry(request: Request, viewer: Anybody, served: Production, index: Index) -> Response:
    """Show an entry's proof, and what it says to whoever may read that."""
    studio = served.studio
    head = checked_head(studio)
    size = head.size if head else 0
    if index >= size:
        values = {"index": index, "size": size, **_about(served, viewer)}
        return shown(request, "log_beyond.html.j2", viewer, studio.production, 404, **values)
    found = proven(studio, index)
    sight = sight_of(viewer, studio.production)
    whole = (
        told.told(studio, served.devices.keys, index)
        if viewer.may(Action.READ_ENTRIES, studio.production)
        else None
    )
    return shown(
        request,
        "log_entry.html.j2",
        viewer,
        studio.production,
        index=index,
        size=size,
        proven=found,
        told=whole,
        line=None if whole else told.line(studio, index, sight),
        received=studio.rows.received(index) if sight.work else None,
        sight=sight,
        kinds=KINDS,
        trouble=KEY_TROUBLE,
        roles=KEY_ROLES,
        draw=proof.path,
        words=proof.Words,
        script=proof.script(found.leaf, found.steps),
        address=_address(request, served),
        **_about(served, viewer),
    )


@router.get("/consistency")
def consistency(request: Request, viewer: Anybody, served: Production, old: Size, new: Size) -> Response:
    """Show that the log at one size continues the log at another one; in either order."""
    studio = served.studio
    old, new = sorted((old, new))
    head = checked_head(studio)
    size = head.size if head else 0
    if new > size or not size:
        values = {"index": new, "size": size, **_about(served, viewer)}
        return shown(request, "log_beyond.html.j2", viewer, studio.production, 404, **values)
    return shown(
        request,
        "log_consistency.html.j2",
        viewer,
        studio.production,
        grown=grown(studio, old, new),
        draw=proof.path,
        names=proof.Words,
        address=_address(request, served),
        **_about(served, viewer),
    )


@router.get("/keys")
def keys(request: Request, viewer: Anybody, served: Production, start: Start = 0) -> Response:
    """Show which key counted from which entry to which: the log's own, and all for whoever may read work."""
    studio = served.studio
    found, size = key_spans(served.devices.keys)
    everybody = viewer.may(Action.READ_WORK, studio.production)
    shown_keys = [key for key in found if everybody or key.role == LOG]
    own = {each.verifier.vkey: each for each in log_keys(studio)}
    return shown(
        request,
        "log_keys.html.j2",
        viewer,
        studio.production,
        keys=shown_keys[start : start + KEYS],
        more=_more(shown_keys, start),
        vkeys=own,
        everybody=everybody,
        size=size,
        roles=KEY_ROLES,
        draw=log_charts.spans,
        **_about(served, viewer),
    )


@router.get("/devices")
def devices(request: Request, viewer: Crew, served: Production, start: Start = 0) -> Response:
    """Show what the log knows of each device's own chain of records."""
    found = chains(served.studio)
    return shown(
        request,
        "log_devices.html.j2",
        viewer,
        served.studio.production,
        chains=found[start : start + KEYS],
        more=_more(found, start),
        **_about(served, viewer),
    )


def _more(items: Sequence[object], start: int) -> str | None:
    """Return where the next page begins; ``None`` at the end."""
    return f"?start={start + KEYS}" if len(items) > start + KEYS else None


def _about(served: Served, viewer: Viewer) -> dict[str, Any]:
    """Return what every page of the log shows around it."""
    production = served.studio.production
    may = viewer.may(Action.READ_WORK, production)
    return {"origin": served.studio.log.origin, "base": f"/productions/{production}", "may_work": may}


def _address(request: Request, served: Served) -> str:
    """Return where programs read this log."""
    settings: AccessSettings = request.app.state.access
    host = settings.public_url or str(request.base_url).rstrip("/")
    return f"{host}/v1/productions/{quote(served.studio.production)}/log"
