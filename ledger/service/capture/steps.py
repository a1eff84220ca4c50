"""From what a hook left to what the device signs: files by their bytes, secrets as commitments.

* No digest is invented. A file that is not in the state in which the hook saw it has been superseded: the
  hook's own digest stands where there is one, else its name is all that is said of it.
* A step all of whose outputs are gone becomes a lost record: the chain says that it was.
* A step that no entry can hold becomes several (``core.splitting``). A remote call and a training
  run have a statement of their own beside it.
* What a person typed, wrote or is called leaves the device as a salted digest only; the login becomes a
  pseudonym that means nothing elsewhere.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from ledger.core import splitting
from ledger.core.artifact import Artifact, Role
from ledger.core.disclosure import RESERVED, SALT_BYTES, commit
from ledger.core.fields import in_order
from ledger.core.predicates import Captured, StepV2, TrainingRun
from ledger.core.predicates.capture import Capture, Event, Layer
from ledger.core.predicates.lost_record import LossReason
from ledger.core.predicates.model import Training
from ledger.core.predicates.service_call import CallOutcome
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.spooled import Spooled, SpooledFile, SpooledTool, printable_name
from ledger.core.spooled_call import SpooledCall, read_call, stated
from ledger.core.watch import WatchList
from ledger.service.capture.clocks import Now, corrected, correction
from ledger.service.capture.drafts import Draft, lost
from ledger.service.capture.store import Identities, Waiting
from ledger.service.capture.training import Datasets
from ledger.service.capture.words import MOST, Reader, findings, words_of
from ledger.service.record import uuid7
from ledger.service.stamps import Known, Stamp

EVIDENCE = {Layer.SHARE: Evidence.INFERRED, Layer.DECLARE: Evidence.DECLARED}
"""Every other layer saw it happen."""
SLACK = timedelta(seconds=2)
"""How much later than the step a file may have been written that came without a stamp."""
NOT_SHOWN = (Role.MODEL, Role.DATASET)
"""Inputs that nobody sees in the work: their pixels identify nothing."""
UNSEEN = frozenset({"misread", "fault"})
"""Parameters by which a hook says that it may have missed files; so does a ``trace`` of ``none``."""
TRAINING = "training"
"""The parameter by which a hook says that the run trained a model."""


@dataclass(frozen=True, slots=True)
class Production:
    """What the agent knows of one production.

    ``roots`` are real paths. ``place`` is what the paths under a root say. ``seal`` holds the events after
    which files are sealed, ``watch`` the names to look for in prompts.
    """

    name: str
    datasets: Datasets
    roots: tuple[str, ...] = ()
    place: re.Pattern[str] | None = None
    seal: frozenset[Event] = frozenset()
    watch: WatchList | None = None

    def under(self, path: str) -> str | None:
        """Return the rest of a path that lies under one of the roots, else ``None``."""
        roots = (root.rstrip("/") + "/" for root in self.roots)
        return next((path.removeprefix(root) for root in roots if path.startswith(root)), None)


@dataclass(frozen=True, slots=True)
class _Made:
    """One record with its files identified; ``brought`` are the paths of its materials and their SHA-256."""

    record: Spooled
    production: Production
    subjects: tuple[Artifact, ...]
    materials: tuple[Artifact, ...]
    brought: tuple[tuple[str, str], ...]
    capture: Capture
    started: datetime
    finished: datetime


class Drafting:
    """Makes drafts of records. ``secret`` is the device's own, for pseudonyms; ``reader`` reads files."""

    def __init__(self, identities: Identities, secret: bytes, reader: Reader) -> None:
        self._identities = identities
        self._secret = secret
        self._reader = reader

    def read(self, records: Iterable[Spooled]) -> None:
        """Read the files of all these records together."""
        records = list(records)
        inputs = [item for record in records for item in record.inputs]
        read = [item.path for item in inputs if item.role in NOT_SHOWN]
        tools = [record.tool.path for record in records if record.tool.path and not record.tool.sha256]
        shown = [item.path for item in inputs if item.role not in NOT_SHOWN]
        shown += [item.path for record in records for item in record.outputs]
        files = [item for record in records for item in (*record.inputs, *record.outputs)]
        states = {Stamp(*item.stamp) for item in files if item.stamp is not None}
        self._identities.read(filter(None, (*read, *tools)), filter(None, shown), states)

    def drafts(self, production: Production, record: Spooled, waiting: Waiting, now: Now) -> Sequence[Draft]:
        """Return what a record states, in the order in which it is to be signed.

        ``waiting`` is the record as the hook wrote it. Raises ``MalformedError`` with ``capture.malformed``,
        ``statement.field`` or ``envelope.too-large``.
        """
        made = self._identified(production, record, now)
        found: list[Draft] = []
        call = _call_of(record)
        if call is not None:
            found.append(self._call(made, call))
        if made.subjects:
            found += self._steps(made)
        elif record.outputs or UNSEEN & record.parameters.keys() or record.parameters.get("trace") == "none":
            subject = Artifact(f"record {waiting.number}", sha256(waiting.data).hexdigest())
            reason = LossReason.SUPERSEDED if record.outputs else LossReason.UNSEEN
            found.append(lost(subject, reason, made.capture))
        return found

    def _identified(self, production: Production, record: Spooled, now: Now) -> _Made:
        off = correction(record, now)
        started, finished = (
            corrected(moment, record.captured, off) for moment in (record.started, record.finished)
        )
        missed: list[str] = []
        superseded: list[str] = []
        subjects = [self._artifact(item, record.finished, superseded) for item in record.outputs]
        materials = [self._artifact(item, record.finished, missed) for item in record.inputs]
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
        return _Made(
            record,
            production,
            _distinct(subjects),
            _materials(materials, record),
            tuple(
                (item.path, material.sha256)
                for item, material in zip(record.inputs, materials, strict=True)
                if material is not None and item.path and item.role not in NOT_SHOWN
            ),
            capture,
            _whole(min(started, finished)),
            _whole(finished),
        )

    def _call(self, made: _Made, told: SpooledCall) -> Draft:
        record, openings = made.record, _commit(made.record, {})
        call = stated(
            replace(record, started=made.started, finished=made.finished),
            told,
            place=_place(made),
            actor=self._actor(record.user),
            outputs=[item.sha256 for item in made.subjects],
            capture=made.capture,
            commitments=tuple(sorted(openings)),
        )
        return Draft((call.subject,), call, made.capture, openings)

    def _steps(self, made: _Made) -> list[Draft]:
        record = made.record
        words = words_of(record, made.subjects, self._reader)
        openings = _commit(record, words.secrets)
        materials, attested = _datasets(made)
        step = StepV2(
            step_id=record.record_id,
            # Weights that come out of pictures are made from them; no model generated anything.
            action=StepAction.CONVERT if TRAINING in record.parameters else record.action,
            evidence=EVIDENCE.get(record.layer, Evidence.OBSERVED),
            place=_place(made),
            started=made.started,
            finished=made.finished,
            actor=self._actor(record.user),
            tool=self._tool(record.tool),
            materials=materials,
            parameters={**words.parameters, **_parameters(record)},
            commitments=tuple(sorted(openings)),
            service=record.service,
            plan_tier=record.plan_tier if record.service else None,
            people=tuple(in_order(record.people)),
            capture=made.capture,
        )
        due = tuple(item.path for item in record.outputs if made.production.under(item.path) is not None)
        whole = made.subjects[0].name

        def name(first: int, last: int) -> str:
            return f"files {first + 1} to {last + 1} under {whole}"

        parts = splitting.statements(made.subjects, step, name, lambda: str(uuid7()))
        drafts = [Draft(part.subjects, _captured(part.predicate), made.capture) for part in parts]
        seal = due if record.event in made.production.seal else ()
        drafts[-1] = replace(drafts[-1], openings=openings, seal=seal, brought=made.brought)
        watch = made.production.watch
        asked = findings(words, watch, made.subjects[:MOST], made.capture, made.finished) if watch else ()
        return [*drafts, *_attested(made, attested), *asked]

    def _artifact(self, item: SpooledFile, finished: datetime, without: list[str]) -> Artifact | None:
        """Return the file as statements name it, or ``None`` after putting its name into ``without``."""
        known = self._known(item, finished)
        name = printable_name(item.name) if item.name else item.shown
        if known is not None:
            return Artifact(name, known.sha256, known.media_type, known.pixels, item.role)
        if item.sha256 is not None:
            return Artifact(name, item.sha256, role=item.role)
        without.append(item.shown)
        return None

    def _known(self, item: SpooledFile, finished: datetime) -> Known | None:
        """Return what the file is, if it is still what the hook saw."""
        found = self._identities.identify(item.path) if item.path else None
        if item.stamp is None:
            return found[0] if found and found[1].mtime_ns / 1e9 <= (finished + SLACK).timestamp() else None
        if found is not None and (found[1] == item.stamp or found[0].sha256 == item.sha256):
            return found[0]
        return self._identities.remembered(Stamp(*item.stamp))

    def _tool(self, tool: SpooledTool) -> Tool:
        found = self._identities.identify(tool.path) if tool.path and tool.sha256 is None else None
        return Tool(tool.name, tool.version, found[0].sha256 if found else tool.sha256)

    def _actor(self, user: str | None) -> str:
        if user is None:
            return "actor:unnamed"
        name = user.encode("utf-8", "surrogatepass")
        return f"actor:{hmac.new(self._secret, name, sha256).hexdigest()[:12]}"


def _call_of(record: Spooled) -> SpooledCall | None:
    """Return the account of the record's call to a service, also of one that brought nothing."""
    if record.call is not None:
        return read_call(record.call)
    if record.service is None or record.outputs:
        return None
    return SpooledCall(
        call_id=record.record_id, outcome=CallOutcome.FAILED if record.failed else CallOutcome.ACCEPTED
    )


def _captured(predicate: object) -> Captured:
    if isinstance(predicate, StepV2):
        return predicate
    raise TypeError(f"a step was split into {type(predicate).__name__}")


def _datasets(made: _Made) -> tuple[tuple[Artifact, ...], tuple[Training, ...]]:
    """Return the materials, what a training run read as datasets, and what is to be attested of it."""
    if TRAINING not in made.record.parameters:
        return made.materials, ()
    read = [item for item in made.materials if item.role is Role.DATASET]
    others = tuple(item for item in made.materials if item.role is not Role.DATASET)
    materials, attested = made.production.datasets.gather(read)
    return (*others, *materials), attested


def _attested(made: _Made, attested: tuple[Training, ...]) -> list[Draft]:
    """Return the attestation for each file of weights: an attestation is about one."""
    trainer = made.production.datasets.trainer
    if not attested or trainer is None:
        return []
    run = TrainingRun(trainer, made.started, made.finished, Evidence.OBSERVED, attested, made.capture)
    return [Draft((subject,), run, made.capture) for subject in made.subjects]


def _commit(record: Spooled, more: Mapping[str, str]) -> dict[str, str]:
    """Return the openings of the record's secrets, by digest; the login is one of them."""
    secrets = {**record.secrets, **more, **({"user": record.user} if record.user else {})}
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
    """Return the subjects, the same once; one whose name another one has gets a number."""
    names: dict[str, int] = {}
    kept = []
    for item in dict.fromkeys(item for item in found if item is not None):
        times = names[item.name] = names.get(item.name, 0) + 1
        kept.append(item if times == 1 else replace(item, name=f"{item.name} ({times})"))
    return tuple(kept)


def _place(made: _Made) -> Place:
    return Place(**{**_from_path(made), **made.record.place, "production": made.production.name})


def _from_path(made: _Made) -> dict[str, str]:
    """Return what the path of the first output says, by the production's pattern."""
    pattern, outputs = made.production.place, made.record.outputs
    rest = made.production.under(outputs[0].path) if pattern is not None and outputs else None
    match = pattern.match(rest) if pattern is not None and rest is not None else None
    return {name: printable_name(value) for name, value in match.groupdict().items()} if match else {}


def _parameters(record: Spooled) -> dict[str, str]:
    """Return the parameters as a statement can hold them, and how the tool ended, if badly."""
    given = {**record.parameters, **({"failed": record.failed} if record.failed else {})}
    return {printable_name(name): printable_name(value) for name, value in given.items() if name and value}


def _paired(text: str) -> str:
    """Return the text without halves of surrogate pairs, which no UTF-8 can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
