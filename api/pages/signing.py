"""What every page has in common that signs: the form's number, the registrar's key, and what hinders it."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Annotated, Any

from starlette.datastructures import FormData
from starlette.requests import Request

from api.forms import text
from api.security import need
from api.served import Served
from ledger.core.access import Action, Viewer
from ledger.core.predicates.decided import FORM
from ledger.errors import MalformedError, RakkanError, RefusedError
from ledger.service.reading.pages import MAX_INDEX, size_of
from ledger.service.rights.deciding import Form
from ledger.service.rights.proposals import SECOND
from ledger.service.rights.register import Planned
from ledger.service.studio import Device
from ledger.wiring import REGISTRAR, open_device

Decider = Annotated[Viewer, need(Action.DECIDE)]


def new_form(served: Served, viewer: Viewer) -> Form:
    """Return a new sheet, shown with the log as it is."""
    return Form(secrets.token_hex(16), size_of(served.studio), viewer.name)


def renewed(served: Served, form: Form) -> Form:
    """Return the same sheet, shown again with the log as it is now."""
    return replace(form, seen=size_of(served.studio))


def form_of(typed: FormData, viewer: Viewer) -> Form:
    """Return the sheet that was sent. Raises ``MalformedError("request.malformed")``."""
    number, seen = text(typed, "form"), text(typed, "seen")
    if not FORM.fullmatch(number) or not (seen.isascii() and seen.isdigit()) or int(seen[:20]) > MAX_INDEX:
        raise MalformedError("request.malformed", "The form lacks its number, or the log's size.")
    return Form(number, int(seen), viewer.name)


def said_in(planned: Planned) -> dict[str, Any]:
    """Return what would be signed, member by member: no commitments, and nobody who is only to come."""
    said = {name: value for name, value in planned.draft.predicate.to_json().items() if name != "_sd"}
    if "approvers" in said:
        said["approvers"] = [each for each in said["approvers"] if each != SECOND]
    return said


def raw_of(planned: Planned) -> str:
    """Return the statement that would be signed, as JSON for people."""
    draft = planned.draft
    document = {
        "subject": [subject.to_json() for subject in draft.subjects],
        "predicateType": draft.predicate.TYPE,
        "predicate": draft.predicate.to_json(),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def registrar_of(request: Request, served: Served) -> Device:
    """Return whose key signs. Raises ``RefusedError`` with ``decide.off`` or ``decide.no-key``."""
    if not request.app.state.pages.decisions:
        raise RefusedError("decide.off", "This server does not sign what people decide in pages.")
    try:
        return open_device(served.home, REGISTRAR)
    except RakkanError as error:
        raise RefusedError("decide.no-key", "This server cannot use the registrar's key.") from error


def hindrance(request: Request, served: Served) -> str:
    """Return why nothing can be signed here: a code; empty where it can."""
    try:
        registrar_of(request, served)
    except RefusedError as error:
        return error.code
    return ""
