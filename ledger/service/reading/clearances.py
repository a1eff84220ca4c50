"""Clear and weigh over HTTP: as ``rakkan clear`` and ``rakkan impact`` do, from what is on record alone.

* A target is a SHA-256 or a place; no file of this machine is looked at, whatever a target is called.
* Nothing is appended: a verdict on record is the registrar's to sign.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.core.rights.profile import Profile
from ledger.errors import RefusedError, UsageError
from ledger.service.clear.clear import clear
from ledger.service.clear.impact import impact as rests_on
from ledger.service.clear.impact import thing_on_record, what_if
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.clear.recorded import Target
from ledger.service.clear.targets import on_record
from ledger.service.reading.pages import caught_up
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio

MOST_TARGETS = 1_000
MOST_FILES = 10_000
"""Final files of one question."""
AT_A_TIME = 4
"""Questions of this kind that a process works on; each keeps a thread and a processor busy."""
_places = threading.BoundedSemaphore(AT_A_TIME)


@dataclass(frozen=True, slots=True)
class Supposed:
    """A revocation that nobody signed: from when on, and what would be asked then."""

    effective: datetime
    profile: Profile
    asked: Asked


@contextmanager
def one_of_few() -> Iterator[None]:
    """Work on a heavy question, or raise ``RefusedError("clear.busy")`` where enough are under way."""
    if not _places.acquire(blocking=False):
        raise RefusedError("clear.busy", "As many questions of this kind as may be are being worked on.")
    try:
        yield
    finally:
        _places.release()


def clearance(
    studio: Studio, profile: Profile, asked: Asked, texts: Sequence[str], sight: Sight
) -> dict[str, Any]:
    """Return the document of ``rakkan clear --json``, as it may be shown.

    Raises ``UsageError`` with ``clear.unknown-target``, ``clear.not-made``, ``clear.too-many``,
    ``registry.unknown-title`` or ``rights.territory``; ``RefusedError`` with ``log.behind`` or ``log.busy``.
    """
    caught_up(studio)
    question = ask(studio, profile, asked)
    clearer = clearer_over(see(studio, question.known), question)
    targets, left = list[Target](), MOST_FILES
    for text in texts:
        targets.append(_target(studio, text, left, sight))
        left -= len(targets[-1].files)
    return sight.clearance(clear(clearer, targets).to_json())


def impact(studio: Studio, thing: str, known: datetime | None, supposed: Supposed | None) -> dict[str, Any]:
    """Return the document of ``rakkan impact --json``; with ``supposed`` also what would change.

    Raises ``UsageError`` with ``clear.unknown-thing`` or ``clear.no-grant``, and as ``clearance``.
    """
    caught_up(studio)
    seen = see(studio, known)
    found = rests_on(studio, seen, thing_on_record(studio, seen.facts, thing))
    if supposed is None:
        return found.to_json()
    question = ask(studio, supposed.profile, supposed.asked)
    changed = what_if(studio, seen, question, found, supposed.effective)
    return {**found.to_json(), "ifRevoked": changed.to_json()}


def _target(studio: Studio, text: str, left: int, sight: Sight) -> Target:
    try:
        found = on_record(studio, text, left)
    except UsageError as error:
        if error.code == "clear.not-made" and not sight.registry:
            found = None  # that these bytes are registered, and as what, is the registry's
        else:
            raise
    if found is None:
        raise UsageError(
            "clear.unknown-target", "A target is neither a SHA-256 nor a place with final files.", target=text
        )
    return found
