"""Reports that are made on request: who may ask for which, what a job holds, and how many there may be.

* Which view somebody may have is ``core.access.Viewer.views``. A rights holder has that of their own party.
* Who does not read the work (a client, a rights holder) asks for the whole production as a final deliverable,
  now: by asking for other moments, territories or single files they would learn terms of contracts, and what
  the log knows, bit by bit. They see their own jobs and nobody else's.
* No target is looked for on the server's disk: a target is a SHA-256 or a place.
* A job that somebody may not see is a job that is not there. Its identifier is random, 128 bits.
* The moment that *now* means is fixed when it is asked: a job that is begun anew answers the same question.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Protocol

from ledger.core.access import Action, Viewer
from ledger.core.audit.views import View
from ledger.core.fields import format_time, parse_time, present
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.scope import Media
from ledger.errors import RefusedError, UsageError
from ledger.ports import Clock
from ledger.service.clear.places import WHOLE
from ledger.service.clear.question import Asked

WHOLE_TARGETS = (WHOLE,)
ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """``[reports]``: reports that the service makes on request, one at a time for each production."""

    enabled: Annotated[bool, "whether this service makes them"] = True
    queue: Annotated[int, "jobs of a production that wait or are under way"] = 20
    each: Annotated[int, "of these, jobs of one viewer"] = 3
    keep: Annotated[timedelta, "how long a result is kept"] = timedelta(days=7)
    max_bytes: Annotated[int, "what all results of a production may take"] = 20 << 30
    longest: Annotated[timedelta, "what one report may take"] = timedelta(hours=2)
    poll: Annotated[timedelta, "how often it is looked for something to do"] = timedelta(milliseconds=500)

    def __post_init__(self) -> None:
        if min(self.queue, self.each, self.max_bytes) <= 0 or not self.longest:
            raise ValueError("has a limit that lets nothing through")


class State(StrEnum):
    """How a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: of what, by which policy, for which delivery, in which view."""

    policy: str
    view: View
    party: str | None = None
    targets: tuple[str, ...] = WHOLE_TARGETS
    asked: Asked = field(default_factory=Asked)

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        asked = self.asked
        return present(
            targets=list(self.targets),
            policy=self.policy,
            view=self.view.value,
            party=self.party,
            deliverable=asked.deliverable.value,
            title=asked.title,
            media=[item.value for item in asked.media],
            territories=list(asked.territories),
            at=asked.at and format_time(asked.at),
            known=asked.known and format_time(asked.known),
        )

    @classmethod
    def read(cls, said: dict[str, Any]) -> Wanted:
        """Return what ``to_json`` wrote."""
        at, known = said.get("at"), said.get("known")
        asked = Asked(
            Deliverable(said["deliverable"]),
            said.get("title"),
            tuple(map(Media, said.get("media", ()))),
            tuple(said.get("territories", ())),
            at and parse_time(at),
            known and parse_time(known),
        )
        return cls(said["policy"], View(said["view"]), said.get("party"), tuple(said["targets"]), asked)


@dataclass(frozen=True, slots=True)
class Result:
    """One file of a report: its name below the report's folder, its size and its SHA-256 (hex)."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One report that was asked for, at the moment ``made``.

    ``phase`` says what is being done, ``done`` of ``total`` how far that is. ``error`` is code and message of
    what failed; ``report`` the report's own identifier, ``verdict`` its verdict now.
    """

    identifier: str
    wanted: Wanted
    asker: str
    made: datetime
    state: State = State.QUEUED
    phase: str = ""
    done: int = 0
    total: int = 0
    ended: datetime | None = None
    error: tuple[str, str] | None = None
    report: str | None = None
    verdict: str | None = None
    files: tuple[Result, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it waits or is under way."""
        return self.state in (State.QUEUED, State.RUNNING)

    def file(self, name: str) -> Result:
        """Return one of its files. Raises ``UsageError("report.no-such-file")``."""
        for item in self.files:
            if item.name == name:
                return item
        raise UsageError("report.no-such-file", "The report has no such file.", name=name[:200])


class JobStore(Protocol):
    """The jobs of one production, with their files. May be used by several threads and processes."""

    def all(self) -> Sequence[Job]:
        """Return every job, the oldest first."""

    def get(self, identifier: str) -> Job | None:
        """Return a job, or ``None``."""

    def open(self) -> Sequence[Job]:
        """Return the jobs that wait or are under way, the oldest first."""

    def add(self, job: Job) -> None:
        """Keep a new job, durable on return."""

    def change(self, job: Job) -> bool:
        """Replace a job, durable on return; ``False`` for one that was removed meanwhile."""

    def remove(self, identifier: str) -> None:
        """Forget a job with its files."""

    def size(self) -> int:
        """Return how many bytes all files take."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """What viewers may do with the jobs of a production."""

    production: str
    store: JobStore
    clock: Clock
    settings: ReportSettings

    def ask(self, viewer: Viewer, wanted: Wanted) -> Job:
        """Return a new job, queued, durable.

        Raises ``RefusedError`` with ``report.view`` for what the viewer may not have, ``report.off``, and
        ``report.full`` where enough are waiting, or results take all the room there is.
        """
        if not self.settings.enabled:
            raise RefusedError("report.off", "This server makes no reports.")
        wanted = _allowed(viewer, self.production, wanted)
        waiting = self.store.open()
        own = sum(job.asker == viewer.name for job in waiting)
        if len(waiting) >= self.settings.queue or own >= self.settings.each:
            words = f"{len(waiting)} reports are waiting, {own} of them yours."
            raise RefusedError("report.full", words, waiting=len(waiting), own=own, retry_after=60)
        if self.store.size() >= self.settings.max_bytes:
            raise RefusedError("report.full", "The reports that are kept take all the room that they may.")
        now = self.clock.now()
        at = wanted.asked.at or now.replace(microsecond=0)
        wanted = replace(wanted, asked=replace(wanted.asked, at=at))
        job = Job(identifier=secrets.token_hex(ID_BYTES), wanted=wanted, asker=viewer.name, made=now)
        self.store.add(job)
        return job

    def seen(self, viewer: Viewer) -> list[Job]:
        """Return the jobs that the viewer may see, the newest first."""
        return [job for job in reversed(self.store.all()) if self._may_see(viewer, job)]

    def get(self, viewer: Viewer, identifier: str) -> Job:
        """Return a job. Raises ``UsageError("report.unknown")`` for one that the viewer may not see, too."""
        job = self.store.get(identifier)
        if job is None or not self._may_see(viewer, job) or self._expired(job):
            raise UsageError("report.unknown", "There is no such report.")
        return job

    def remove(self, viewer: Viewer, identifier: str) -> None:
        """Stop a job that is under way, and forget it with its files. Raises as ``get``."""
        self.store.remove(self.get(viewer, identifier).identifier)

    def sweep(self) -> None:
        """Forget what was kept for long enough."""
        for job in self.store.all():
            if self._expired(job):
                self.store.remove(job.identifier)

    def expires(self, job: Job) -> datetime | None:
        """Return when a job is forgotten; ``None`` while it is open."""
        return None if job.ended is None else job.ended + self.settings.keep

    def _expired(self, job: Job) -> bool:
        end = self.expires(job)
        return end is not None and end <= self.clock.now()

    def _may_see(self, viewer: Viewer, job: Job) -> bool:
        if job.wanted.view not in viewer.views(self.production):
            return False
        return viewer.may(Action.READ_WORK, self.production) or job.asker == viewer.name


def _allowed(viewer: Viewer, production: str, wanted: Wanted) -> Wanted:
    """Return what the viewer gets: what they ask for, for their own party. Raises ``report.view``."""
    if wanted.view not in viewer.views(production):
        words = f"{viewer.name} may not have the view {wanted.view.value}."
        raise RefusedError("report.view", words, view=wanted.view.value)
    if viewer.may(Action.READ_WORK, production):
        return _with_party(wanted, wanted.party)
    if wanted.targets != WHOLE_TARGETS or wanted.asked != Asked():
        words = "Who does not read the work asks for the whole production, as the policy has it, and now."
        raise RefusedError("report.view", words)
    if wanted.party not in (None, viewer.party):
        raise RefusedError("report.view", f"{viewer.name} does not speak for {wanted.party}.")
    return _with_party(wanted, viewer.party if wanted.view is View.RIGHTS_HOLDER else wanted.party)


def _with_party(wanted: Wanted, party: str | None) -> Wanted:
    if (party is not None) != (wanted.view is View.RIGHTS_HOLDER):
        raise UsageError("request.malformed", "A party goes with the view rights-holder, and with no other.")
    return replace(wanted, party=party)
