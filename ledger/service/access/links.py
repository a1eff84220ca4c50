"""Links that show one file's verification and verdicts, or one report, to whoever holds them, until they end.

* A link shows what the log says of one file, as a distributor may see it, and nothing else: no work, no
  registry, no other file. It cannot be used as a token, and a token not as a link.
* A link to a report shows it in the view that it was made in, which is one that a distributor may have: a
  link goes from hand to hand. It ends with the report.
* Each opening is counted; who opens it is not asked and not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import quote

from ledger.core.access import Role, Viewer, views_of
from ledger.core.digest import parse_sha256
from ledger.core.secret_text import Kind
from ledger.errors import RefusedError, UsageError
from ledger.service.access.credentials import DAY, Credentials, Wanted
from ledger.service.access.store import Credential
from ledger.service.reading import verdicts
from ledger.service.reading.pages import MOST, Page
from ledger.service.reading.sight import sight_of
from ledger.service.report.jobs import Job, Jobs, State
from ledger.service.studio import Studio
from ledger.service.verifying import Verifying

DEFAULT_DAYS = 30
PATH = "/s/"
REPORT = "report:"
"""Begins the target of a link to a report."""


def make(
    credentials: Credentials, studio: Studio, maker: Viewer, sha256: str, days: int, label: str = ""
) -> tuple[str, Credential]:
    """Return the path of a new link, which is shown once, and what is kept of it.

    Raises ``digest.malformed``, ``UsageError("asset.unknown")`` for a file that the log knows nothing of, and
    what ``Credentials.make`` raises.
    """
    rows = studio.entries.artifacts(sha256=parse_sha256(sha256))
    if not rows:
        raise UsageError("asset.unknown", "The log knows nothing of this file.", sha256=sha256)
    roles = {studio.production: frozenset({Role.DISTRIBUTOR})}
    wanted = Wanted(Kind.LINK, label or rows[-1].name[:100], roles, days * DAY, target=sha256)
    text, made = credentials.make(wanted, maker)
    return PATH + text, made


def make_for_report(
    credentials: Credentials, jobs: Jobs, maker: Viewer, identifier: str, days: int, label: str = ""
) -> tuple[str, Credential]:
    """Return the path of a new link to a report that is done, and what is kept of it.

    Raises what ``Jobs.get`` raises, ``report.no-such-file`` for one that is not done, ``report.view`` for one
    in a view that no link shows, and what ``Credentials.make`` raises.
    """
    job = jobs.get(maker, identifier)
    roles = {jobs.production: frozenset({Role.DISTRIBUTOR})}
    if job.wanted.view not in views_of(Role.DISTRIBUTOR):
        words = f"A link shows no report in the view {job.wanted.view.value}."
        raise RefusedError("report.view", words, view=job.wanted.view.value)
    if job.state is not State.DONE:
        raise UsageError("report.no-such-file", f"The report is {job.state.value}.")
    name = label or job.report or identifier
    wanted = Wanted(Kind.LINK, name, roles, days * DAY, target=f"{REPORT}{identifier}")
    text, made = credentials.make(wanted, maker)
    return PATH + text, made


def report_of(link: Credential, jobs: Jobs) -> Job:
    """Return the report that a link shows. Raises ``RefusedError("share.ended")`` when it is gone."""
    job = jobs.store.get(link.target.removeprefix(REPORT))
    if job is None or job.state is not State.DONE:
        raise RefusedError("share.ended", "The report that this link showed is no longer kept.")
    return job


def shown_report(link: Credential, jobs: Jobs, text: str) -> dict[str, Any]:
    """Return what a link to a report shows, for a program: its files, each with its address."""
    job = report_of(link, jobs)
    files = [{**asdict(item), "path": f"{PATH}{text}/files/{quote(item.name)}"} for item in job.files]
    return {
        "production": jobs.production,
        "name": link.label,
        "expires": link.to_json()["expires"],
        "report": {
            "report": job.report,
            "view": job.wanted.view.value,
            "verdict": job.verdict,
            "files": files,
        },
    }


def about(link: Credential) -> dict[str, str]:
    """Return what a link is to: a file's ``sha256``, or a ``report``."""
    if link.target.startswith(REPORT):
        return {"report": link.target.removeprefix(REPORT)}
    return {"sha256": link.target}


def target_of(credentials: Credentials, text: str) -> Credential:
    """Return the link whose text this is, and count the opening. Raises as ``held``."""
    return _found(credentials.opened, text)


def held(credentials: Credentials, text: str) -> Credential:
    """Return the link whose text this is.

    Raises ``UsageError("share.unknown")``, and ``RefusedError("share.ended")`` to who holds one that ended.
    """
    return _found(partial(credentials.show, Kind.LINK), text)


def _found(ask: Callable[[str], Credential], text: str) -> Credential:
    try:
        return ask(text)
    except RefusedError as error:
        if error.code == "access.ended":
            raise RefusedError("share.ended", "This link has ended.") from None
        raise UsageError("share.unknown", "There is no such link.") from None


def shown(link: Credential, studio: Studio, verifying: Verifying) -> dict[str, Any]:
    """Return what the link shows, for a program."""
    viewer = Viewer(link.holder, link.roles)
    sight = sight_of(viewer, studio.production)
    try:
        found = verdicts.history(studio, link.target, Page(("share", link.target), MOST), sight).to_json()
    except UsageError as error:
        if error.code != "verdict.none":
            raise
        found = {"verdicts": []}  # recorded, and not judged yet
    return {
        "production": studio.production,
        "sha256": link.target,
        "name": link.label,
        "expires": link.to_json()["expires"],
        "verification": verifying.digests(link.target, None).to_json(viewer),
        "verdicts": found["verdicts"],
    }
