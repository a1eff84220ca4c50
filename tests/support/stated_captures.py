"""Valid statements that devices make by themselves, each small and changeable: see `stated`."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from ledger.core.predicates import (
    LostRecord,
    ServiceCall,
)
from ledger.core.predicates.capture import Capture, Event, Layer
from ledger.core.predicates.lost_record import LossReason
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import Service
from ledger.core.predicates.service_call import CallOutcome, Run, Terms
from ledger.core.predicates.step import Evidence
from tests.support.builders import DAY, FRAME, INVENTORY, START, USED, commitment, digest, step

RECORDED = START + 20 * DAY
"""When the studio came to know what it registers: before the model was used."""
LEARNED = USED + 30 * DAY
"""When it came to know what happened later."""

TRAINED = (Training("plates", INVENTORY, TrainingStage.FOCUSED),)
SERVICE = Service("Orbit", "Painter", "2026-01-15")


def lost_record(**changes: Any) -> LostRecord:
    capture = Capture(
        sequence=7,
        previous=digest("the one before"),
        layer=Layer.APP,
        hook="agent 1",
        event=Event.SAVE,
        captured=RECORDED,
    )
    base = LostRecord(reason=LossReason.SUPERSEDED, finished=RECORDED, capture=capture, files=("a.exr",))
    return replace(base, **changes)


def service_call(**changes: Any) -> ServiceCall:
    """Return a call that was throttled three times in a row, failed once, and was then accepted."""
    began = USED - timedelta(minutes=5)
    throttled = Run(
        at=began,
        until=began + timedelta(seconds=9),
        count=3,
        outcome=CallOutcome.THROTTLED,
        status=429,
        code="rate_limit_exceeded",
        request_id="req_7Kq1",
        took=412,
        waited=9120,
    )
    failed = Run(at=began + timedelta(seconds=10), outcome=CallOutcome.FAILED, took=30000, waited=2100)
    accepted = Run(at=began + timedelta(seconds=43), outcome=CallOutcome.ACCEPTED, status=200, took=31400)
    base = ServiceCall(
        call_id="6f1d2a4e-8a34-4a6a-9c55-0f6a3d3f7f10",
        outcome=CallOutcome.ACCEPTED,
        service=SERVICE,
        place=step().place,
        actor="actor:9f3b6c52",
        started=began,
        finished=USED,
        evidence=Evidence.OBSERVED,
        attempts=((CallOutcome.ACCEPTED, 1), (CallOutcome.THROTTLED, 3), (CallOutcome.FAILED, 1)),
        runs=(throttled, failed, accepted),
        plan_tier="enterprise",
        account="account:2c41",
        terms=Terms(digest("terms"), RECORDED),
        model="painter-2026-01-15",
        job="job_51",
        outputs=(FRAME,),
        capture=Capture(
            sequence=412,
            previous=digest("record 411"),
            layer=Layer.APP,
            hook="remote 1",
            event=Event.SAVE,
            captured=USED,
        ),
        commitments=(commitment("idempotency-key"), commitment("prompt")),
    )
    return replace(base, **changes)


def refused_call(**changes: Any) -> ServiceCall:
    """Return a call that the provider refused by its policy."""
    refused = Run(at=USED, outcome=CallOutcome.REFUSED, status=400, code="moderation_blocked", took=180)
    ended = service_call(
        outcome=CallOutcome.REFUSED,
        attempts=((CallOutcome.REFUSED, 1),),
        runs=(refused,),
        model=None,
        job=None,
        outputs=(),
    )
    return replace(ended, **changes)
