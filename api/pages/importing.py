"""Facts from files: sent, looked at as they would be signed, and signed, all of them or none.

Files wait for the decision in a folder of the form, which every worker reaches (``ledger.adapters.kept``). No
path that stands in them leads out of it.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.forms import MOST_BYTES, MOST_FILES, Sent, files, text
from api.pages.decisions import WORDS
from api.pages.shown import shown
from api.pages.signing import Decider, form_of, hindrance, new_form, registrar_of, renewed
from api.served import Production, Served
from ledger.adapters.kept import KeptFiles
from ledger.core.access import Viewer
from ledger.errors import RakkanError, RefusedError, UsageError
from ledger.render.pages.decisions import HINDRANCES, NOT_SO, REFUSED
from ledger.service.rights.deciding import Form, Plan, plan, sign, signed_by
from ledger.service.rights.decisions import decisions_at
from ledger.wiring.rights import read_facts, readers

router = APIRouter(prefix="/productions/{production}/rights/import", include_in_schema=False)
FOLDER = "imports"
"""Where files wait, in the studio's folder."""


@router.get("")
def begin(request: Request, viewer: Decider, served: Production) -> Response:
    """Ask for files."""
    return _ask(request, viewer, served)


@router.post("")
def go_on(request: Request, viewer: Decider, served: Production, sent: Sent) -> Response:
    """Take files and show what they would state; or sign what was shown."""
    registrar, form = registrar_of(request, served), form_of(sent, viewer)
    kept = KeptFiles(served.home.folder / FOLDER)
    if text(sent, "step") != "sign":
        try:
            names = _keep(kept, form, sent)
            found = _plan(served, kept, form, names)
            if found.refused or not found.fresh:  # there is nothing that could be signed
                kept.drop(form.by, form.number)
            return _look(request, viewer, served, form, names, found, 409 if found.others else 200)
        except RakkanError as error:
            kept.drop(form.by, form.number)
            if error.code.startswith(("request.", "log.")):
                raise
            return _ask(request, viewer, served, error)
    names = tuple(str(name) for name in sent.getlist("facts"))
    try:
        done = sign(
            served.studio, registrar, form, lambda: _plan(served, kept, form, names), text(sent, "expected")
        )
    except RakkanError as error:
        # Another request of this very form may have signed it, and taken its files away.
        done = signed_by(served.studio, form)
        if not done and error.code != "decide.changed":
            raise
    if not done:
        return _look(request, viewer, served, form, names, _plan(served, kept, form, names), 409)
    kept.drop(form.by, form.number)
    where = f"/productions/{served.studio.production}/rights/decisions?done={done[-1]}"
    return RedirectResponse(where, 303)


def _keep(kept: KeptFiles, form: Form, sent: FormData) -> tuple[str, ...]:
    """Keep what was sent; return the names of the files that hold facts."""
    facts, documents = files(sent, "facts"), files(sent, "documents")
    if not facts:
        raise UsageError("file.empty", "No file was sent.")
    kept.drop(form.by, form.number)  # sent again: what comes last counts
    kept.keep(form.by, form.number, {**documents, **facts})
    return tuple(facts)


def _plan(served: Served, kept: KeptFiles, form: Form, names: tuple[str, ...]) -> Plan:
    """Read the kept files, and say what would become of them. Raises as reading and planning do."""
    folder = kept.find(form.by, form.number)
    lent = frozenset(path.name for path in folder.iterdir()) if folder else frozenset[str]()
    if folder is None or not lent.issuperset(names):
        raise RefusedError("decide.gone", "The files that were sent with this form are not kept any more.")
    facts = [fact for name in names for fact in read_facts(folder / name)[0]]
    with TemporaryDirectory(prefix="rakkan-") as scratch:
        return plan(served.studio, readers(), facts, form, Path(scratch), lent)


def _ask(request: Request, viewer: Viewer, served: Served, error: RakkanError | None = None) -> Response:
    return shown(
        request,
        "importing.html.j2",
        viewer,
        served.studio.production,
        400 if error else 200,
        form=new_form(served, viewer),
        hindered=HINDRANCES.get(hindrance(request, served)),
        refused=error and REFUSED.get(error.code, NOT_SO),
        error=error,
        megabytes=MOST_BYTES >> 20,
        most=MOST_FILES,
    )


def _look(
    request: Request,
    viewer: Viewer,
    served: Served,
    form: Form,
    names: tuple[str, ...],
    found: Plan,
    status: int,
) -> Response:
    return shown(
        request,
        "importing_look.html.j2",
        viewer,
        served.studio.production,
        status,
        form=form if status == 200 else renewed(served, form),
        facts=names,
        plan=found,
        changed=status == 409,
        others=decisions_at(served.studio, [item.index for item in found.others], served.studio.clock.now()),
        refusals=REFUSED,
        not_so=NOT_SO,
        may_open=False,
        **WORDS,
    )
