"""Verdicts over a `Story`: `report` verifies its sealed frame; each test changes one thing in it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ledger.core.evidence import Evidence, LoggedEnvelope
from ledger.core.manifest import Reading
from ledger.core.report import Check, Status, VerificationReport
from ledger.core.trust import TrustRoot
from ledger.core.verify import Asked, verify
from tests.support.builders import (
    FRAME,
    GOOD,
    NOW,
    Story,
    examined,
    manifest,
    reading,
)

P, F, U = Status.PASSED, Status.FAILED, Status.UNDECIDED
STORY = Story()
WITHOUT_DATA_HASH = tuple(code for code in GOOD if code != "assertion.dataHash.match")


def report(
    read: Reading | None,
    trust: TrustRoot | None = STORY.trust,
    now: datetime = NOW,
    asked: Asked | None = None,
    **changes: Any,
) -> VerificationReport:
    return verify(examined(read, **changes), trust, now, asked)


def of_manifest(name: str, **changes: Any) -> Check:
    """Return one check of a file whose manifest and evidence are good, but for the reading's changes."""
    return report(reading(manifest("active", STORY.whole), **changes)).check(name)


def of_evidence(name: str, entries: Sequence[LoggedEnvelope], trust: TrustRoot = STORY.trust) -> Check:
    return report(reading(manifest("active", Evidence(FRAME, tuple(entries)))), trust).check(name)


def told(*extra: Callable[[Story], object], trust: TrustRoot = STORY.trust) -> VerificationReport:
    """Return the report on a story that went on; each step of the plot may append to the log."""
    story = Story()
    for plot in extra:
        plot(story)
    return report(reading(manifest("active", story.evidence())), trust)


def never() -> str:
    raise AssertionError("the picture was decoded for nothing")
