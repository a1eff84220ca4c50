"""``service-call/v1``: a remote service was asked for something, and this is how it went.

* A call is one wish and all the attempts at it: that the provider throttled three of them is no gap, and that
  it refused a legitimate one stands on record.
* ``accepted`` is the provider's answer, not a judgement: no member says whether a refusal was right.
* The call's request and prompt are not here; commitments to them are. Nor is any key.
* Of more than ``MAX_RUNS`` attempts, those in a row that ended alike stand as one run (``summarised``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, ClassVar

from ledger.core.artifact import Artifact, named
from ledger.core.fields import Fields, format_time, in_order, present
from ledger.core.predicates.capture import Capture, read_capture
from ledger.core.predicates.model_v2 import Service, read_service
from ledger.core.predicates.step import Evidence, Place, read_place

MAX_RUNS = 50
MAX_OUTPUTS = 256
"""More than this would not fit into an entry together with the runs; the step names them all."""
_CODE = re.compile(r"[!-~]{1,128}")


class CallOutcome(StrEnum):
    """How an attempt, or a whole call, ended."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    """Too many requests, or too much for the account's plan."""
    REFUSED = "refused"
    """The provider named its policy."""
    FAILED = "failed"
    """Anything else: the network, an error of the provider or of the request, no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Attempts in a row that ended alike, ``count`` of them, begun from ``at`` to ``until``.

    ``status`` is HTTP's, ``code`` the provider's own word, ``request_id`` the provider's name for the first.
    ``took`` is the time to the answers and ``waited`` that before the next attempts, in milliseconds.
    """

    at: datetime
    outcome: CallOutcome
    count: int = 1
    until: datetime | None = None
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    took: int = 0
    waited: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            at=format_time(self.at),
            until=self.until and format_time(self.until),
            count=self.count if self.count > 1 else None,
            outcome=self.outcome.value,
            status=self.status,
            code=self.code,
            requestId=self.request_id,
            took=self.took or None,
            waited=self.waited or None,
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """The saved terms that the studio worked under, by the SHA-256 (hex) of the document."""

    sha256: str
    fetched: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCall:
    """One call. ``attempts`` counts all of them by outcome; ``runs`` holds at most ``MAX_RUNS``.

    ``account`` and ``actor`` are pseudonyms. ``model`` is what the provider said had answered, in its words;
    ``job`` its name for what it does later. ``outputs`` are SHA-256 (hex), sorted; none where nothing came.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/service-call/v1"

    call_id: str
    outcome: CallOutcome
    service: Service
    place: Place
    actor: str
    started: datetime
    finished: datetime
    evidence: Evidence
    attempts: tuple[tuple[CallOutcome, int], ...]
    runs: tuple[Run, ...]
    plan_tier: str | None = None
    account: str | None = None
    terms: Terms | None = None
    model: str | None = None
    job: str | None = None
    outputs: tuple[str, ...] = ()
    capture: Capture | None = None
    commitments: tuple[str, ...] = ()

    @property
    def subject(self) -> Artifact:
        """Return how statements name the call: ``call <id>``, by the digest of its URN."""
        return call_subject(self.call_id)

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        terms = self.terms and {"sha256": self.terms.sha256, "fetched": format_time(self.terms.fetched)}
        return present(
            callId=self.call_id,
            outcome=self.outcome.value,
            service=self.service.to_json(),
            place=self.place.to_json(),
            actor=self.actor,
            started=format_time(self.started),
            finished=format_time(self.finished),
            evidence=self.evidence.value,
            attempts={outcome.value: count for outcome, count in self.attempts},
            runs=[run.to_json() for run in self.runs],
            planTier=self.plan_tier,
            account=self.account,
            terms=terms,
            modelStated=self.model,
            job=self.job,
            outputs=in_order(self.outputs),
            capture=self.capture and self.capture.to_json(),
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> ServiceCall:
        """Take the predicate's fields."""
        service = read_service(fields)
        if service is None:
            raise fields.error("service", "is missing")
        found = cls(
            call_id=fields.text("callId"),
            outcome=fields.choice("outcome", CallOutcome),
            service=service,
            place=read_place(fields.sub("place")),
            actor=fields.text("actor"),
            started=fields.time("started"),
            finished=fields.time("finished"),
            evidence=fields.choice("evidence", Evidence),
            attempts=_read_attempts(fields),
            runs=tuple(
                read_run(Fields(item, f"predicate.runs[{n}]")) for n, item in enumerate(fields.items("runs"))
            ),
            plan_tier=fields.optional_text("planTier"),
            account=fields.optional_text("account"),
            terms=_read_terms(fields.sub("terms")) if fields.has("terms") else None,
            model=fields.optional_text("modelStated"),
            job=fields.optional_text("job"),
            outputs=_read_outputs(fields),
            capture=read_capture(fields.sub("capture")) if fields.has("capture") else None,
            commitments=fields.commitments("_sd"),
        )
        _check(found, fields)
        return found


def call_subject(call_id: str) -> Artifact:
    """Return how statements name a call."""
    return replace(named("call", call_id), name=f"call {call_id}")


def counted(runs: Iterable[Run]) -> tuple[tuple[CallOutcome, int], ...]:
    """Return how many attempts ended in which way, without the ways in which none did."""
    found: Counter[CallOutcome] = Counter()
    for run in runs:
        found[run.outcome] += run.count
    return tuple((outcome, found[outcome]) for outcome in CallOutcome if found[outcome])


def summarised(attempts: Sequence[Run]) -> tuple[Run, ...]:
    """Return at most ``MAX_RUNS`` runs.

    Up to that many attempts stand each by itself. Of more, those in a row with the same outcome, status and
    code become one run; of more runs than that, the first and the last half stand.
    """
    if len(attempts) <= MAX_RUNS:
        return tuple(attempts)
    runs = [
        _joined(list(group))
        for _, group in groupby(attempts, lambda run: (run.outcome, run.status, run.code))
    ]
    if len(runs) <= MAX_RUNS:
        return tuple(runs)
    return (*runs[: MAX_RUNS // 2], *runs[-(MAX_RUNS // 2) :])


def read_run(fields: Fields) -> Run:
    """Take a run's fields."""
    found = Run(
        at=fields.time("at"),
        until=fields.optional_time("until"),
        count=_number(fields, "count", 2, 1),
        **read_answer(fields),
    )
    if (found.until is None) != (found.count == 1) or (found.until and found.until < found.at):
        raise fields.error("until", "goes with a count, and is not earlier than at")
    fields.end()
    return found


def read_answer(fields: Fields) -> dict[str, Any]:
    """Take what an attempt says of its answer: arguments of ``Run`` by name."""
    return {
        "outcome": fields.choice("outcome", CallOutcome),
        "status": _number(fields, "status", 100, None),
        "code": _word(fields, "code"),
        "request_id": _word(fields, "requestId"),
        "took": _number(fields, "took", 1, 0),
        "waited": _number(fields, "waited", 1, 0),
    }


def _joined(runs: Sequence[Run]) -> Run:
    if len(runs) == 1:
        return runs[0]
    return replace(
        runs[0],
        until=max(run.until or run.at for run in runs),  # a clock may have been set back
        count=sum(run.count for run in runs),
        took=sum(run.took for run in runs),
        waited=sum(run.waited for run in runs),
    )


def _number(fields: Fields, name: str, least: int, absent: Any) -> Any:
    if not fields.has(name):
        return absent
    found = fields.take(name, int)
    if found < least:
        raise fields.error(name, f"must be at least {least}, or be left out")
    return found


def _word(fields: Fields, name: str) -> str | None:
    found = fields.optional_text(name)
    if found is not None and not _CODE.fullmatch(found):
        raise fields.error(name, "must be 1 to 128 characters of ASCII without a space")
    return found


def _read_attempts(fields: Fields) -> tuple[tuple[CallOutcome, int], ...]:
    if not fields.has("attempts"):
        return ()
    members = fields.sub("attempts")
    found = tuple((item, _number(members, item, 1, 0)) for item in CallOutcome if members.has(item))
    members.end()
    if not found:
        raise fields.error("attempts", "must not be an empty object: leave it out")
    return found


def _read_terms(fields: Fields) -> Terms:
    found = Terms(fields.sha256("sha256"), fields.time("fetched"))
    fields.end()
    return found


def _read_outputs(fields: Fields) -> tuple[str, ...]:
    found = fields.distinct("outputs")
    if len(found) > MAX_OUTPUTS:
        raise fields.error("outputs", f"must be at most {MAX_OUTPUTS}")
    for item in found:
        Fields({"item": item}, "predicate.outputs").sha256("item")
    return found


def _check(found: ServiceCall, fields: Fields) -> None:
    if found.finished < found.started:
        raise fields.error("finished", "is earlier than started")
    if len(found.runs) > MAX_RUNS:
        raise fields.error("runs", f"must be at most {MAX_RUNS}")
    told, counts = dict(counted(found.runs)), dict(found.attempts)
    if any(count > counts.get(outcome, 0) for outcome, count in told.items()):
        raise fields.error("attempts", "must count every attempt of the runs")
    if len(found.runs) < MAX_RUNS and told != counts:
        raise fields.error("runs", f"must be of all attempts, where there are fewer than {MAX_RUNS}")
    if found.outputs and found.outcome is not CallOutcome.ACCEPTED:
        raise fields.error("outputs", "go with a call that was accepted")
