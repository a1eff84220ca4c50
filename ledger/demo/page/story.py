"""The story of the demo: how its files came to be, verified, and what an attacker got, as one plain value.

``Story.to_json`` is the machine's view and ``html`` the reader's; neither adds a fact. The audit report of
the same files is another thing (``core.audit``).

* The files are brought already verified: a story repeats reports, it never softens them.
* A file before and after it was sealed is one node of the lineage; ``sealed`` is its digest afterwards.
* What was committed to stays closed unless its name is in ``show``; ``hidden`` counts what stays closed.
* The names of rights holders come from an inventory that the studio brings, and only when its SHA-256 is the
  registered one.
* Registrations and grants count only when a registrar signed them (``Archive``).
* Everything is in the order of the log, then of names: the same log and files give the same document.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.digest import sha256_hex
from ledger.core.disclosure import open_disclosure
from ledger.core.fields import format_time
from ledger.core.lineage import Link, Record
from ledger.core.predicates import Dataset, Grant, Model, Step, types_of
from ledger.core.report import Outcome, Status, VerificationReport
from ledger.service.archive import Archive
from ledger.service.evidence import basis
from ledger.service.files import reading_errors
from ledger.service.studio import Studio

SPEC = "https://rakkan.org/demo-story/v1"


@dataclass(frozen=True, slots=True)
class StoryFile:
    """One delivered file. ``path`` is relative to the story; ``node`` is its digest as it was recorded."""

    path: str
    size_bytes: int
    sidecar: str | None
    node: str
    report: VerificationReport


@dataclass(frozen=True, slots=True)
class StoryGrant:
    """A grant on record. ``covers`` are digests; ``shown`` the openings that the studio chose to show."""

    grant_id: str
    index: int
    covers: tuple[str, ...]
    uses: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime | None
    shown: Mapping[str, str]
    hidden: int


@dataclass(frozen=True, slots=True)
class Trained:
    """A dataset that a model was trained on, by its digest, and the stage of training."""

    sha256: str
    stage: str


@dataclass(frozen=True, slots=True)
class StoryThing:
    """A registered dataset or model.

    ``holders`` counts works by rights holder, where the inventory was brought; ``used_by`` counts its
    files that name it. ``licensed`` says whether a grant on record held at every use that these files name;
    without any use, whether there is a grant at all.
    """

    kind: str
    name: str
    version: str
    sha256: str
    index: int
    works: int | None
    rights_holders: int | None
    training: tuple[Trained, ...]
    holders: Mapping[str, int]
    used_by: int
    licensed: bool


@dataclass(frozen=True, slots=True)
class Node:
    """One file, model or dataset of the lineage. ``kind`` is ``file``, ``model``, ``dataset`` or ``unknown``.

    ``sha256`` is the digest as recorded, ``sealed`` the digest after sealing. The rest describes the step
    that wrote a file, ``None`` where there was none; ``committed`` counts what was committed to (a prompt).
    """

    sha256: str
    name: str
    kind: str
    sealed: str | None = None
    index: int | None = None
    action: str | None = None
    task: str | None = None
    tool: str | None = None
    evidence: str | None = None
    finished: datetime | None = None
    committed: int = 0
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """A file that must not pass, tried on purpose: what was done to it, and what the answer was.

    ``outcome`` and ``check`` are what the answer has to be, and which check has to give it. ``online`` says
    whether the ledger was asked.
    """

    name: str
    title: str
    done: str
    path: str
    online: bool
    outcome: Outcome
    check: str
    report: VerificationReport

    @property
    def as_expected(self) -> bool:
        """Whether the answer is the expected one, for the expected reason."""
        wanted = Status.FAILED if self.outcome is Outcome.ALTERED else Status.UNDECIDED
        reasons = [check.name for check in self.report.checks if check.status is wanted]
        return self.report.outcome is self.outcome and self.check in reasons


@dataclass(frozen=True, slots=True)
class LogState:
    """The log as it was when the story was made. ``root`` is hex, ``checkpoint`` the signed note."""

    origin: str
    size: int
    root: str
    checkpoint: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Story:
    """The whole story. ``links`` go from a node to what it was made from."""

    studio: str
    production: str
    made: datetime
    note: str
    log: LogState
    things: tuple[StoryThing, ...]
    grants: tuple[StoryGrant, ...]
    files: tuple[StoryFile, ...]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    trials: tuple[Trial, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document: the members in the order above, their names in camel case."""
        return {"spec": SPEC, **_json(self)}

    def under(self, sha256: str) -> tuple[tuple[Node, ...], tuple[Link, ...]]:
        """Return the nodes that one node was made from, itself among them, and the links between them."""
        found = {sha256}
        queue = [sha256]
        while queue:
            child = queue.pop()
            parents = {link.parent for link in self.links if link.child == child} - found
            found |= parents
            queue += sorted(parents)
        nodes = tuple(node for node in self.nodes if node.sha256 in found)
        return nodes, tuple(link for link in self.links if link.child in found)


@dataclass(frozen=True, slots=True)
class Delivered:
    """One verified file that goes into a story."""

    path: Path
    sidecar: Path | None
    report: VerificationReport


@dataclass(frozen=True, slots=True)
class Brought:
    """What the studio adds of its own accord: a note, inventories, and the names of openings to show."""

    note: str = ""
    inventories: tuple[Path, ...] = ()
    show: Collection[str] = ("licensor",)


def story_of(
    studio: Studio, folder: Path, delivered: Sequence[Delivered], brought: Brought, trials: Sequence[Trial]
) -> Story:
    """Return the story of files in ``folder``. Raises ``UsageError("file.*")`` and the log's errors."""
    archive = Archive(studio)
    reports = [item.report for item in delivered]
    nodes, links = _lineage(archive, reports)
    recorded = {node.sealed or node.sha256: node.sha256 for node in nodes}
    things = _things(archive, dict(map(_holders, brought.inventories)), reports)
    return Story(
        studio=studio.trust.studio,
        production=studio.production,
        made=studio.clock.now(),
        note=brought.note,
        log=_log(studio),
        things=things,
        grants=_grants(studio, archive, things, brought.show),
        files=tuple(_file(item, folder, recorded) for item in delivered),
        nodes=tuple(sorted(nodes, key=lambda node: (node.index or 0, node.name, node.sha256))),
        links=tuple(sorted(links, key=lambda link: (link.child, link.parent, link.role))),
        trials=tuple(trials),
    )


def _file(item: Delivered, folder: Path, recorded: Mapping[str, str]) -> StoryFile:
    return StoryFile(
        path=item.path.relative_to(folder).as_posix(),
        size_bytes=item.path.stat().st_size,
        sidecar=item.sidecar.relative_to(folder).as_posix() if item.sidecar else None,
        node=recorded.get(item.report.sha256, item.report.sha256),
        report=item.report,
    )


def _log(studio: Studio) -> LogState:
    note = studio.log.head().checkpoint
    checkpoint = parse_checkpoint(note)
    root = checkpoint.root.hex()
    return LogState(checkpoint.origin, checkpoint.size, root, note.decode(), studio.log.verifier.vkey)


def _things(
    archive: Archive, holders: Mapping[str, Mapping[str, int]], reports: Sequence[VerificationReport]
) -> tuple[StoryThing, ...]:
    studio = archive.studio
    named: dict[str, list[bool]] = {}
    for report in reports:
        for thing in report.things:
            named.setdefault(thing.sha256, []).append(thing.licensed)
    rows = [row.index for kind in types_of(Dataset, Model) for row in studio.entries.statements(kind)]
    found = []
    for index in sorted(rows):
        subject = studio.statement(index).subjects[0]
        record = archive.recorded(subject.sha256)
        if record is not None and record.index == index:
            uses = named.get(subject.sha256, [])
            licensed = all(uses) and bool(archive.grants(subject.sha256))
            found.append(_thing(record, holders.get(subject.sha256, {}), len(uses), licensed=licensed))
    return tuple(found)


def _thing(record: Record, holders: Mapping[str, int], used_by: int, *, licensed: bool) -> StoryThing:
    subject, predicate = record.statement.subjects[0], record.statement.predicate
    dataset = predicate if isinstance(predicate, Dataset) else None
    model = predicate if isinstance(predicate, Model) else None
    registered = dataset or model
    return StoryThing(
        kind="dataset" if dataset else "model",
        name=subject.name,
        version=registered.version if registered else "",
        sha256=subject.sha256,
        index=record.index,
        works=dataset.works if dataset else None,
        rights_holders=dataset.rights_holders if dataset else None,
        training=tuple(Trained(item.sha256, item.stage.value) for item in model.training) if model else (),
        holders=holders,
        used_by=used_by,
        licensed=licensed,
    )


def _holders(inventory: Path) -> tuple[str, Mapping[str, int]]:
    """Return the inventory's digest and its count of works by rights holder."""
    with reading_errors(inventory):
        data = inventory.read_bytes()
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    return sha256_hex(data), Counter(row["rights_holder"] for row in rows)


def _grants(
    studio: Studio, archive: Archive, things: Iterable[StoryThing], show: Collection[str]
) -> tuple[StoryGrant, ...]:
    found = []
    for index in sorted({index for thing in things for index in archive.grants(thing.sha256)}):
        statement = studio.statement(index)
        grant = statement.predicate
        if isinstance(grant, Grant):
            shown = _opened(studio, grant.commitments, show)
            found.append(
                StoryGrant(
                    grant_id=grant.grant_id,
                    index=index,
                    covers=tuple(subject.sha256 for subject in statement.subjects),
                    uses=tuple(use.value for use in grant.uses),
                    valid_from=grant.valid_from,
                    valid_until=grant.valid_until,
                    shown=shown,
                    hidden=len(grant.commitments) - len(shown),
                )
            )
    return tuple(found)


def _opened(studio: Studio, commitments: tuple[str, ...], show: Collection[str]) -> Mapping[str, str]:
    texts = [studio.openings.get(digest) for digest in commitments]
    opened = [open_disclosure(text, commitments) for text in texts if text is not None]
    return {item.name: item.value for item in opened if item.name in show}


def _lineage(archive: Archive, reports: Sequence[VerificationReport]) -> tuple[list[Node], set[Link]]:
    """Return the lineage of all files together, sealed files merged with what they were sealed from."""
    names: dict[str, str] = {}
    records: dict[str, Record] = {}
    links: set[Link] = set()
    for report in reports:
        lineage = basis(archive, report.sha256, report.file).lineage
        names = lineage.names | names
        records |= lineage.records
        links.update(lineage.links)
    source = {link.child: link.parent for link in links if link.role == "sealed-from"}
    nodes = [
        _node(sha256, name, records.get(sha256), archive.sealed_as(sha256))
        for sha256, name in names.items()
        if sha256 not in source
    ]
    merged = {
        Link(source.get(link.child, link.child), source.get(link.parent, link.parent), link.role)
        for link in links
        if link.role != "sealed-from"
    }
    return nodes, merged


def _node(sha256: str, name: str, record: Record | None, sealed: str | None) -> Node:
    step = record.statement.predicate if record else None
    index = record.index if record else None
    if not isinstance(step, Step):
        kind = "model" if isinstance(step, Model) else "dataset" if isinstance(step, Dataset) else "unknown"
        return Node(sha256, name, kind, sealed, index)
    return Node(
        sha256=sha256,
        name=name,
        kind="file",
        sealed=sealed,
        index=index,
        action=step.action.value,
        task=step.place.task,
        tool=f"{step.tool.name} {step.tool.version}",
        evidence=step.evidence.value,
        finished=step.finished,
        committed=len(step.commitments),
        parameters=step.parameters,
    )


def _json(value: Any) -> Any:
    """Return a value of this module as JSON. A trial also says whether its answer was the expected one."""
    if isinstance(value, VerificationReport):
        return value.to_json()
    if is_dataclass(value):
        members = {_camel(item.name): _json(getattr(value, item.name)) for item in fields(value)}
        return members | ({"asExpected": value.as_expected} if isinstance(value, Trial) else {})
    if isinstance(value, Mapping):
        return {name: _json(value[name]) for name in sorted(value)}
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return format_time(value) if isinstance(value, datetime) else value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
