"""From what a hook left to what the device signs: files by their bytes, secrets as commitments.

* No digest is invented. A file that is not in the state in which the hook saw it has been superseded: the
  hook's own digest stands where there is one, else its name goes into ``missed``.
* A step all of whose outputs are gone becomes a lost record: the chain says that it was.
* What a person typed, wrote or is called leaves the device as a salted digest only; the login becomes a
  pseudonym that means nothing elsewhere.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from ledger.core.artifact import Artifact, Role
from ledger.core.disclosure import RESERVED, SALT_BYTES, commit
from ledger.core.fields import in_order
from ledger.core.predicates import Captured, LostRecord, StepV2
from ledger.core.predicates.capture import Capture, Event, Layer
from ledger.core.predicates.lost_record import LossReason
from ledger.core.predicates.step import Evidence, Place, Tool
from ledger.core.spooled import Spooled, SpooledFile, SpooledTool, printable_name
from ledger.ports import Known
from ledger.service.capture.clocks import Now, corrected, correction
from ledger.service.capture.store import Identities, Waiting

EVIDENCE = {Layer.SHARE: Evidence.INFERRED, Layer.DECLARE: Evidence.DECLARED}
"""Every other layer saw it happen."""
AGENT = "agent 1"
SLACK = timedelta(seconds=2)
"""How much later than the step a file may have been written that came without a stamp."""


@dataclass(frozen=True, slots=True)
class Production:
    """What the agent knows of one production.

    ``roots`` are real paths. ``place`` is a pattern such as ``{sequence}/{shot}/{task}`` for what lies under
    a root. ``seal`` holds the events after which files are sealed.
    """

    name: str
    roots: tuple[str, ...] = ()
    place: str | None = None
    seal: frozenset[Event] = frozenset()

    def holds(self, path: str) -> bool:
        """Whether the path lies under one of the roots."""
        return any(path == root or path.startswith(root.rstrip("/") + "/") for root in self.roots)


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement without its place in the chain; ``openings`` are those of its commitments by digest."""

    subjects: tuple[Artifact, ...]
    predicate: Captured
    capture: Capture
    openings: Mapping[str, str]
    seal: tuple[str, ...] = ()


class Drafting:
    """Makes drafts of records. ``secret`` is the device's own, for pseudonyms."""

    def __init__(self, identities: Identities, secret: bytes) -> None:
        self._identities = identities
        self._secret = secret

    def read(self, records: Iterable[Spooled]) -> None:
        """Read the files of all these records together."""
        records = list(records)
        read = [item.path for record in records for item in record.inputs]
        tools = [record.tool.path for record in records if record.tool.path and not record.tool.sha256]
        written = [item.path for record in records for item in record.outputs]
        self._identities.read(filter(None, (*read, *tools)), filter(None, written))

    def draft(self, production: Production, record: Spooled, waiting: Waiting, now: Now) -> Draft:
        """Return what a record states. ``waiting`` is the record as the hook wrote it."""
        off = correction(record, now)
        started, finished = (
            corrected(moment, record.captured, off) for moment in (record.started, record.finished)
        )
        missed: list[str] = []
        superseded: list[str] = []
        subjects = _distinct(self._artifact(item, record.finished, superseded) for item in record.outputs)
        materials = tuple(self._artifact(item, record.finished, missed) for item in record.inputs)
        capture = Capture(
            sequence=0,
            previous=None,
            layer=record.layer,
            hook=record.hook,
            event=record.event,
            captured=_whole(record.captured + off),
            clock_off=round(off.total_seconds()),
            missed=tuple(in_order(missed)),
            superseded=tuple(in_order(superseded)),
        )
        if not subjects:
            subject = Artifact(f"record {waiting.number}", _digest(waiting.data))
            return _draft_lost(subject, LossReason.SUPERSEDED, capture)
        openings = _commit(record)
        step = StepV2(
            step_id=record.record_id,
            action=record.action,
            evidence=EVIDENCE.get(record.layer, Evidence.OBSERVED),
            place=_place(production, record),
            started=_whole(min(started, finished)),
            finished=_whole(finished),
            actor=self._actor(record.user),
            tool=self._tool(record.tool),
            materials=_materials(materials, record),
            parameters=_parameters(record),
            commitments=tuple(sorted(openings)),
            service=record.service,
            plan_tier=record.plan_tier if record.service else None,
            people=tuple(in_order(record.people)),
            capture=capture,
        )
        due = record.event in production.seal
        return Draft(
            subjects, step, capture, openings, tuple(item.path for item in record.outputs) if due else ()
        )

    def _artifact(self, item: SpooledFile, finished: datetime, missed: list[str]) -> Artifact | None:
        """Return the file as statements name it, or ``None`` after putting its name into ``missed``."""
        known = self._known(item, finished)
        if known is None and item.sha256 is None:
            missed.append(item.shown)
            return None
        if known is None:
            return Artifact(item.name or item.shown, item.sha256 or "", None, None, item.role)
        return Artifact(item.name or item.shown, known.sha256, known.media_type, known.pixels, item.role)

    def _known(self, item: SpooledFile, finished: datetime) -> Known | None:
        """Return what the file is, if it is still what the hook saw."""
        found = self._identities.identify(item.path) if item.path else None
        if found is None:
            return None
        known, stamp = found
        if item.stamp is not None:
            return known if stamp == item.stamp or known.sha256 == item.sha256 else None
        return known if stamp.mtime_ns / 1e9 <= (finished + SLACK).timestamp() else None

    def _tool(self, tool: SpooledTool) -> Tool:
        found = self._identities.identify(tool.path) if tool.path and tool.sha256 is None else None
        return Tool(tool.name, tool.version, found[0].sha256 if found else tool.sha256)

    def _actor(self, user: str | None) -> str:
        if user is None:
            return "actor:unnamed"
        name = user.encode("utf-8", "surrogatepass")
        return f"actor:{hmac.new(self._secret, name, sha256).hexdigest()[:12]}"


def lost(reason: LossReason, first: int, last: int, now: datetime) -> Draft:
    """Return the draft that says that the records of these numbers are lost, both ends included."""
    numbers = f"{first}" if first == last else f"{first} to {last}"
    subject = Artifact(f"record {numbers}", _digest(f"urn:rakkan:spool:{first}-{last}".encode()))
    capture = Capture(
        sequence=0, previous=None, layer=Layer.APP, hook=AGENT, event=Event.SAVE, captured=_whole(now)
    )
    return _draft_lost(subject, reason, capture)


def numbered(draft: Draft, sequence: int, previous: str | None) -> Captured:
    """Return the draft's predicate with its place in the chain."""
    return replace(draft.predicate, capture=replace(draft.capture, sequence=sequence, previous=previous))


def _draft_lost(subject: Artifact, reason: LossReason, capture: Capture) -> Draft:
    predicate = LostRecord(
        reason=reason, finished=capture.captured, capture=capture, files=capture.superseded
    )
    return Draft((subject,), predicate, capture, {})


def _commit(record: Spooled) -> dict[str, str]:
    """Return the openings of the record's secrets, by digest; the login is one of them."""
    secrets = {**record.secrets, **({"user": record.user} if record.user else {})}
    found = [
        commit(os.urandom(SALT_BYTES), f"{name}." if name in RESERVED else name, _paired(value))
        for name, value in secrets.items()
    ]
    return {item.digest: item.text for item in found}


def _materials(found: Iterable[Artifact | None], record: Spooled) -> tuple[Artifact, ...]:
    """Return the materials, each once; a service that ran the step is one of them."""
    kept = [item for item in found if item is not None]
    if record.service is not None:
        kept.append(replace(record.service.subject, role=Role.MODEL))
    return tuple(dict.fromkeys(kept))


def _distinct(found: Iterable[Artifact | None]) -> tuple[Artifact, ...]:
    """Return the subjects, the same bytes once; one whose name another one has gets a number."""
    names: dict[str, int] = {}
    kept = []
    for item in dict.fromkeys(item for item in found if item is not None):
        times = names[item.name] = names.get(item.name, 0) + 1
        kept.append(item if times == 1 else replace(item, name=f"{item.name} ({times})"))
    return tuple(kept)


def _place(production: Production, record: Spooled) -> Place:
    found = _from_path(production, record) | dict(record.place)
    return Place(**{**found, "production": production.name})


def _from_path(production: Production, record: Spooled) -> dict[str, str]:
    """Return what the path of the first output says, by the production's pattern."""
    if production.place is None or not record.outputs:
        return {}
    path = record.outputs[0].path
    root = next((root for root in production.roots if path.startswith(root.rstrip("/") + "/")), None)
    if root is None:
        return {}
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(production.place))
    match = re.match(pattern + "/", path[len(root.rstrip("/")) + 1 :])
    return {name: printable_name(value) for name, value in match.groupdict().items()} if match else {}


def _parameters(record: Spooled) -> dict[str, str]:
    """Return the parameters as a statement can hold them, and how the tool ended, if badly."""
    given = {**record.parameters, **({"failed": record.failed} if record.failed else {})}
    return {printable_name(name): printable_name(value) for name, value in given.items() if name and value}


def _paired(text: str) -> str:
    """Return the text without halves of surrogate pairs, which no UTF-8 can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
