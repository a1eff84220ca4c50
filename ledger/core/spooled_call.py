"""The account of a call to a remote service, as a record in the spool holds it (``docs/spec/capture.md``).

What the provider said is kept as its words; nothing here judges it. ``stated`` makes the statement of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.core.fields import Fields, in_order
from ledger.core.predicates.capture import Capture, Layer
from ledger.core.predicates.service_call import (
    MAX_OUTPUTS,
    CallOutcome,
    Run,
    ServiceCall,
    Terms,
    counted,
    read_answer,
    summarised,
)
from ledger.core.predicates.step import Evidence, Place
from ledger.core.spooled import CODE, Spooled, read_time


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledCall:
    """One call. ``attempts`` stand each by itself, in the order in which they began."""

    call_id: str
    outcome: CallOutcome
    attempts: tuple[Run, ...] = ()
    account: str | None = None
    terms: Terms | None = None
    model: str | None = None
    job: str | None = None


def read_call(value: Mapping[str, Any]) -> SpooledCall:
    """Return the account that is a record's member ``call``.

    Raises ``MalformedError("capture.malformed")``.
    """
    fields = Fields(value, "call", CODE)
    items: list[Any] = fields.take("attempts", list) if fields.has("attempts") else []
    found = SpooledCall(
        call_id=fields.text("id"),
        outcome=fields.choice("outcome", CallOutcome),
        attempts=tuple(_attempt(Fields(item, f"call.attempts[{n}]", CODE)) for n, item in enumerate(items)),
        account=fields.optional_text("account"),
        terms=_terms(fields.sub("terms")) if fields.has("terms") else None,
        model=fields.optional_text("model"),
        job=fields.optional_text("job"),
    )
    fields.end()
    return found


def stated(
    spooled: Spooled,
    call: SpooledCall,
    *,
    place: Place,
    actor: str,
    outputs: Iterable[str] = (),
    capture: Capture | None = None,
    commitments: tuple[str, ...] = (),
) -> ServiceCall:
    """Return what a device states of a call; its ``subject`` is the statement's.

    ``outputs`` are the SHA-256 (hex) of what the record names; of more than ``MAX_OUTPUTS``, none is named.
    Raises ``MalformedError("capture.malformed")`` for a record without a service, and for one that has
    outputs of a call that was not accepted.
    """
    fields = Fields({}, code=CODE)
    made = in_order(outputs)
    if spooled.service is None:
        raise fields.error("service", "is missing: a call goes to one")
    if spooled.outputs and call.outcome is not CallOutcome.ACCEPTED:
        raise fields.error("outputs", "go with a call that was accepted")
    return ServiceCall(
        call_id=call.call_id,
        outcome=call.outcome,
        service=spooled.service,
        place=place,
        actor=actor,
        started=spooled.started.replace(microsecond=0),
        finished=spooled.finished.replace(microsecond=0),
        evidence=Evidence.DECLARED if spooled.layer is Layer.DECLARE else Evidence.OBSERVED,
        attempts=counted(call.attempts),
        runs=summarised(call.attempts),
        plan_tier=spooled.plan_tier,
        account=call.account,
        terms=call.terms,
        model=call.model,
        job=call.job,
        outputs=tuple(made) if len(made) <= MAX_OUTPUTS else (),
        capture=capture,
        commitments=commitments,
    )


def _attempt(fields: Fields) -> Run:
    found = Run(at=read_time(fields, "at").replace(microsecond=0), **read_answer(fields))
    fields.end()
    return found


def _terms(fields: Fields) -> Terms:
    found = Terms(fields.sha256("sha256"), read_time(fields, "fetched").replace(microsecond=0))
    fields.end()
    return found
