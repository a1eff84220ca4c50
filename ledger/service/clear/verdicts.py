"""Verdicts as entries: what was answered, for which files, by which policy, in the light of which tree.

* One entry for the files with one basis; more where they do not fit into one.
* The policy comes first: its profile is in the log before any verdict that names it.
* Who asks the same again gets the same entry: a verdict is appended when there is none for the file yet, or
  when the newest one says something else. Then the new one names it, and the entry that made the difference.
* A file that is known by its picture only gets no verdict on record: its bytes are not in the log.
* What does not fit is counted (``omitted``), and the same is left out every time. The moments of reasons
  are no difference: they move with the clock.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.fields import MAX_TEXT, Fields
from ledger.core.predicates import PolicyProfile, VerdictResult
from ledger.core.predicates.answer import Answer, Reason
from ledger.core.predicates.delivery import Delivery
from ledger.core.predicates.verdict import Change
from ledger.core.rights import basis as bases
from ledger.core.rights import profile as profiles
from ledger.core.rights.clearance import VERSION, Clearance
from ledger.core.rights.profile import Profile
from ledger.core.rights.profile_document import read_profile
from ledger.core.statement import Statement
from ledger.errors import RefusedError, UsageError
from ledger.service.archive import Archive
from ledger.service.clear.cause import Causes
from ledger.service.clear.clear import Group, timeless
from ledger.service.clear.question import Clearer, Question
from ledger.service.clear.recorded import File, Target
from ledger.service.studio import Device, Studio

REASONS_BYTES = 10_000
"""Of the reasons of one answer, as canonical JSON."""
PAYLOAD_BYTES = 48_000
"""Of a statement: base64 in its envelope makes 64,000 of these, and an entry holds 65,535."""
PATH = 12
"""How many steps of a reason's path are written down: its beginning and its end."""
SHORT = 120
"""Characters of a name that a reason holds."""
GRANTS = 5
"""How many of the grants that were looked at are named."""
AT_ONCE = 200
"""Entries in one transaction."""

_SUBJECT_BYTES = len(canonical.encode(Artifact("", "0" * 64).to_json())) + len(',"name":,')
"""Of a subject in a statement, but for its name."""
Asked = tuple[str, Delivery]
"""What a verdict answers: the digest of the policy, and the delivery."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A verdict that the log holds, signed by a registrar. ``files`` are the digests that it is about."""

    index: int
    verdict: VerdictResult
    subjects: tuple[Artifact, ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """A verdict that is to be signed. ``previous`` is the one that it changes, if there is one."""

    subjects: tuple[Artifact, ...]
    verdict: VerdictResult
    previous: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What recording would append, and for how many files the newest verdict stands, by its entry."""

    planned: tuple[Planned, ...]
    unchanged: Mapping[int, int]


class History:
    """The verdicts of a log: the newest one for each file, policy and delivery."""

    def __init__(self, studio: Studio) -> None:
        archive = Archive(studio)
        self._newest: dict[Asked, dict[str, Recorded]] = defaultdict(dict)
        for row in studio.entries.statements(VerdictResult.TYPE):
            found = read(archive, row.index)
            if found is not None:
                held = self._newest[found.verdict.policy_sha256, found.verdict.delivery]
                held.update((subject.sha256, found) for subject in found.subjects)

    def asked(self) -> Sequence[Asked]:
        """Return every policy and delivery that there is a verdict for, the oldest first."""
        return tuple(self._newest)

    def of(self, asked: Asked) -> Mapping[str, Recorded]:
        """Return the newest verdict for each file, by its digest."""
        return self._newest.get(asked, {})

    def about(self, sha256: str) -> Recorded | None:
        """Return the newest verdict for a file, whatever it answers."""
        found = [held[sha256] for held in self._newest.values() if sha256 in held]
        return max(found, key=lambda item: item.index, default=None)


def plan(studio: Studio, clearer: Clearer, groups: Iterable[Group], history: History) -> Plan:
    """Return the verdicts that these answers come to, where the log does not hold them yet.

    Raises ``RefusedError("log.fenced")`` when the bases are no longer those of the tree that was judged.
    """
    if studio.bases.mark().size != clearer.size:
        raise RefusedError("log.fenced", "The log has grown while the files were judged.")
    asked = (profiles.digest(clearer.question.profile), clearer.question.delivery)
    newest, causes = history.of(asked), Causes(studio, clearer)
    planned: list[Planned] = []
    unchanged: dict[int, int] = defaultdict(int)
    for group in groups:
        fitted = Clearance(fit(group.clearance.then), fit(group.clearance.now))
        digest = bases.digest(group.basis)
        by_bytes = [file for file in group.files if file.pixels is None]
        for previous, files in _by_previous(by_bytes, newest):
            if previous is not None and _same(previous.verdict, digest, fitted):
                unchanged[previous.index] += len(files)
                continue
            cause = None
            if previous is not None:
                cause = causes.find(previous.verdict, digest, group.basis, files[0])
            change = Change(previous.index, cause) if previous is not None and cause is not None else None
            verdict = _verdict(studio, clearer, digest, fitted, change)
            planned += [Planned(chunk, verdict, previous) for chunk in _chunks(files, verdict)]
    return Plan(tuple(planned), dict(unchanged))


def record(
    studio: Studio, registrar: Device, profile: Profile, planned: Sequence[Planned]
) -> tuple[int, ...]:
    """Append the policy, where the log has it not, and the verdicts; return the indices of the verdicts.

    Raises ``RefusedError`` when the registrar may not sign now, and the log's own errors. What was appended
    before an error stays, and is found the next time.
    """
    registrar.check_clock(studio.clock.now())
    if planned and profiles.digest(profile) not in policies(studio):
        moment = studio.clock.now().replace(microsecond=0)
        policy = PolicyProfile(profile.name, moment, profiles.to_json(profile))
        studio.state(registrar.signer, (policy.subject,), policy)
    indices: list[int] = []
    for first in range(0, len(planned), AT_ONCE):
        some = planned[first : first + AT_ONCE]
        payloads = [statements.encode(Statement(item.subjects, item.verdict)) for item in some]
        appended = studio.log.append([dsse.sign(payload, registrar.signer) for payload in payloads])
        indices += [item.index for item in appended]
    return tuple(indices)


def policies(studio: Studio) -> dict[str, PolicyProfile]:
    """Return the profiles in the log that a registrar signed, by digest, in the order of the log."""
    found, archive = {}, Archive(studio)
    for row in studio.entries.statements(PolicyProfile.TYPE):
        predicate = studio.statement(row.index).predicate
        if isinstance(predicate, PolicyProfile) and archive.by_registrar(row.index):
            found[predicate.subject.sha256] = predicate
    return found


def policy(studio: Studio, sha256: str) -> Profile:
    """Return a profile of the log by its digest. Raises ``UsageError("profile.unknown")``."""
    stated = policies(studio).get(sha256)
    if stated is None:
        raise UsageError("profile.unknown", f"The log has no policy profile {sha256[:12]}….", sha256=sha256)
    return read_profile(stated.profile)


def question_on_record(
    studio: Studio, targets: Iterable[Target], at: datetime | None, known: datetime | None
) -> Question | None:
    """Return what the newest verdict about any of these files answers, if there is one."""
    archive = Archive(studio)
    found = [newest_about(archive, file.sha256) for target in targets for file in target.files]
    newest = max((item for item in found if item), key=lambda item: item.index, default=None)
    if newest is None:
        return None
    profile = policy(studio, newest.verdict.policy_sha256)
    return Question(profile, newest.verdict.delivery, at or studio.clock.now(), known)


def newest_about(archive: Archive, sha256: str) -> Recorded | None:
    """Return the newest verdict about a file, whatever it answers; reads no verdict about others."""
    for row in reversed(archive.rows(sha256)):
        if isinstance(archive.studio.statement(row.index).predicate, VerdictResult):
            found = read(archive, row.index)
            if found is not None:
                return found
    return None


def read(archive: Archive, index: int) -> Recorded | None:
    """Return the verdict in an entry, if a registrar signed it.

    The log took the entry as a well-formed statement. There are thousands of these, and to prove its form
    again takes ten times as long as to check the signature and take out what is needed.
    """
    if not archive.by_registrar(index):
        return None
    document = json.loads(archive.studio.envelope(index).payload)
    subjects = (Artifact(item["name"], item["digest"]["sha256"]) for item in document["subject"])
    return Recorded(index, VerdictResult.read(Fields(document["predicate"], "predicate")), tuple(subjects))


def fit(answer: Answer) -> Answer:
    """Return the answer as an entry holds it: long texts and paths cut, the mildest reasons left out."""
    kept, room = list[Reason](), REASONS_BYTES
    for reason in map(_shortened, answer.reasons):
        room -= len(canonical.encode(reason.to_json())) + 1
        if room < 0:
            break
        kept.append(reason)
    return replace(answer, reasons=tuple(kept), omitted=answer.omitted + len(answer.reasons) - len(kept))


def essence(answer: Answer) -> tuple[object, ...]:
    """Return what two answers are compared by: all but the moments of their reasons."""
    return (answer.verdict, answer.grade, answer.levels, answer.omitted, tuple(map(timeless, answer.reasons)))


def _shortened(reason: Reason) -> Reason:
    """Return the reason in less than ``REASONS_BYTES``: the worst one must fit, for it makes the verdict."""
    path = tuple(_cut(item, SHORT) for item in reason.path)
    if len(path) > PATH:
        half = PATH // 2
        path = (*path[:half], f"… {len(path) - PATH + 1} more …", *path[1 - half :])
    detail = _cut(reason.detail, 2 * SHORT) if reason.detail else None
    grants = tuple(item for item in reason.grants if len(item) <= SHORT)[:GRANTS]
    return replace(reason, name=_cut(reason.name, SHORT), path=path, detail=detail, grants=grants)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _same(verdict: VerdictResult, digest: str, fitted: Clearance) -> bool:
    return (
        verdict.engine == VERSION
        and verdict.basis == digest
        and essence(verdict.then) == essence(fitted.then)
        and essence(verdict.now) == essence(fitted.now)
    )


def _by_previous(
    files: Sequence[File], newest: Mapping[str, Recorded]
) -> Iterator[tuple[Recorded | None, list[File]]]:
    found: dict[int, list[File]] = defaultdict(list)
    recorded: dict[int, Recorded | None] = {}
    for file in files:
        previous = newest.get(file.sha256)
        key = -1 if previous is None else previous.index
        recorded[key] = previous
        found[key].append(file)
    return ((recorded[key], held) for key, held in found.items())


def _verdict(
    studio: Studio, clearer: Clearer, digest: str, fitted: Clearance, change: Change | None
) -> VerdictResult:
    question = clearer.question
    return VerdictResult(
        engine=VERSION,
        policy=question.profile.name,
        policy_sha256=profiles.digest(question.profile),
        recorded=studio.clock.now().replace(microsecond=0),
        valid_at=question.at.replace(microsecond=0),
        size=clearer.size,
        root=clearer.root,
        basis=digest,
        delivery=question.delivery,
        then=fitted.then,
        now=fitted.now,
        change=change,
    )


def _chunks(files: Sequence[File], verdict: VerdictResult) -> Iterator[tuple[Artifact, ...]]:
    """Yield the files as subjects, as many at once as an entry holds. Names in a statement are distinct."""
    empty = len(canonical.encode(verdict.to_json()))
    chunk: dict[str, Artifact] = {}
    room = PAYLOAD_BYTES - empty
    for file in files:
        name = file.name if file.name not in chunk else f"{file.name[: MAX_TEXT - 67]} ({file.sha256})"
        subject = Artifact(name, file.sha256)
        size = _SUBJECT_BYTES + len(canonical.encode(name))
        if chunk and size > room:
            yield tuple(chunk.values())
            chunk, room = {}, PAYLOAD_BYTES - empty
            subject = Artifact(file.name, file.sha256)
        chunk[subject.name] = subject
        room -= size
    if chunk:
        yield tuple(chunk.values())
