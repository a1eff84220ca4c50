"""The drawings of a report: how the worst picture came to be, and one of those on the most common basis.

* From the file back, a layer at a time: to what the steps read, the models that they used, what those were
  made from and trained on. A sealed file is drawn as the one before its seal.
* Files of one layer that were made in the same way, in the same shot, are one card: a comp reads a hundred
  frames. So are those that no record explains and that one card was made from.
* What was found about a file, a model or a dataset stands on its card, and such cards are drawn first.
* At most ``MOST_STOPS`` cards are drawn; of one, as many steps are followed. ``why`` says where it is more.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.core.artifact import Role
from ledger.core.audit import Lineage, Stop, Table
from ledger.core.fields import format_time
from ledger.core.lineage import parents
from ledger.core.predicates import Dataset, Model, ModelV2, Predicate, Step, StepV2
from ledger.core.predicates.reasons import Severity
from ledger.core.predicates.step import Evidence
from ledger.core.statement import Statement
from ledger.errors import MalformedError, UsageError
from ledger.service.clear.projecting import makers_of_files
from ledger.service.clear.recorded import File
from ledger.service.report.frames import worst_shots
from ledger.service.report.ground import Ground

MOST_STOPS = 60
MOST_READ = 2_000
"""What is looked at in one layer."""


def lineages(ground: Ground, shots: Table) -> dict[str, Lineage]:
    """Return the lineages: ``worst`` where a shot is not cleared, ``common`` where its basis is another.

    None of a file under which an entry cannot be read any more: the checks of the report name that.
    """
    groups = ground.cleared.groups
    picture, number = shots.schema.place("picture"), shots.schema.place("shot")
    worst = next(iter(worst_shots(shots, 1)), None)
    shown = next((row[picture] for row in shots.shown if str(row[number]) == worst), None)
    bad = next((file for group in groups for file in group.files if file.sha256 == shown), None)
    asked = {"worst": (bad, f"It stands for shot {worst}, the one to look at first.")} if bad else {}
    common = max(groups, key=lambda group: len(group.files), default=None)
    if common is not None and (bad is None or bad.basis != common.basis):
        words = f"It rests on what most files rest on: {len(common.files):,} of them."
        asked["common"] = common.files[len(common.files) // 2], words
    found = {}
    for key, (file, why) in asked.items():
        try:
            found[key] = _Drawing(ground, _marks(ground, file)).lineage(key, file, why)
        except (MalformedError, UsageError):
            continue
    return found


def _marks(ground: Ground, file: File) -> dict[str, str]:
    """Return what speaks most against each thing under a file, now, by the thing's SHA-256."""
    found: dict[str, str] = {}
    for reason in ground.cleared.by_file[file.sha256].now.reasons:
        if reason.severity is not Severity.NOTED:
            found.setdefault(reason.sha256, reason.code.value)
    return found


class _Read(NamedTuple):
    """Something that a card was made from, and as what. ``kind`` is ``unknown`` for a file."""

    sha256: str
    name: str
    role: str
    kind: str = "unknown"
    pixels: str | None = None


@dataclass(slots=True)
class _Card:
    """A card before it is drawn: files that were made in the same way, or one thing of the registry.

    ``names`` go by digest, ``said`` is what the entries say that the card comes from, by index.
    """

    kind: str
    names: dict[str, str] = field(default_factory=dict)
    said: dict[int, Predicate] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Return the digest by which the drawing names the card."""
        return next(iter(self.names))


class _Drawing:
    """One drawing: its cards so far, the files that they stand for, and what leads from one to another."""

    def __init__(self, ground: Ground, marks: Mapping[str, str]) -> None:
        self._ground = ground
        self._marks = marks
        self._cards: list[_Card] = []
        self._by_file: dict[str, _Card] = {}
        self._links: dict[tuple[str, str, str], None] = {}
        self._more = False

    def lineage(self, key: str, file: File, why: str) -> Lineage:
        """Return the drawing of a file. ``why`` gets a sentence more where not all is drawn."""
        layer = self._layer([(None, _Read(file.sha256, file.name, "", pixels=file.pixels))])
        while layer:
            layer = self._layer([(card, read) for card in layer for read in self._read(card)])
        stops = tuple(map(self._stop, self._cards))
        if self._more:
            why = f"{why} Only what is nearest, or counts most, is drawn: there is more under it."
        return Lineage(key, file.name, file.sha256, why, stops, tuple(self._links))

    def _layer(self, reads: Sequence[tuple[_Card | None, _Read]]) -> list[_Card]:
        """Return the new cards for what these cards were made from, and note what leads to them."""
        self._more |= len(reads) > MOST_READ
        first = sorted(reads, key=lambda pair: (pair[1].sha256 not in self._marks, pair[1].kind == "unknown"))
        made = self._made([read for _, read in first[:MOST_READ]])
        fresh: dict[Hashable, _Card] = {}
        for child, read in first[:MOST_READ]:
            card = self._by_file.get(read.sha256) or self._placed(fresh, child, read, made.get(read.sha256))
            if card is not None and child is not None and card is not child:
                self._links[card.sha256, child.sha256, read.role] = None
        return list(fresh.values())

    def _placed(
        self, fresh: dict[Hashable, _Card], child: _Card | None, read: _Read, index: int | None
    ) -> _Card | None:
        """Return the card of this layer that a file or a thing belongs to; ``None``: there is no room."""
        known = self._known(read, index)
        kind, sort = _sort(read, known[1] if known else None, child)
        if sort not in fresh and len(self._cards) == MOST_STOPS:
            self._more = True
            return None
        if sort not in fresh:
            self._cards.append(fresh.setdefault(sort, _Card(kind)))
        card = self._by_file[read.sha256] = fresh[sort]
        card.names[read.sha256] = read.name
        if known:
            card.said[known[0]] = known[1]
        return card

    def _known(self, read: _Read, index: int | None) -> tuple[int, Predicate] | None:
        """Return the entry behind a file or a thing, and what it says."""
        if index is not None:
            return index, self._ground.studio.statement(index).predicate
        facts = self._ground.facts
        known = facts.model(read.sha256) or facts.dataset(read.sha256)
        return (known.index, known.predicate) if known else None

    def _made(self, reads: Sequence[_Read]) -> dict[str, int]:
        """Return the newest step that made each file by itself: by its bytes, else by its picture."""
        studio = self._ground.studio
        files = {read.sha256: read.pixels for read in reads if read.kind == "unknown"}
        found = {sha256: row.index for sha256, row in makers_of_files(studio, files, own=True).items()}
        for sha256, pixels in files.items():
            twins = studio.entries.artifacts(pixels=pixels) if pixels and sha256 not in found else ()
            makers = makers_of_files(studio, {row.sha256 for row in twins if row.role == "subject"}, own=True)
            found |= {sha256: max(row.index for row in makers.values())} if makers else {}
        return found

    def _read(self, card: _Card) -> Iterator[_Read]:
        """Yield what a card was made from."""
        self._more |= len(card.said) > MOST_STOPS
        for index in sorted(card.said)[:MOST_STOPS]:
            said = card.said[index]
            if isinstance(said, Step):
                yield from _materials(said)
            elif isinstance(said, Model):
                yield from _under(card.sha256, said)

    def _stop(self, card: _Card) -> Stop:
        """Return a card as it is drawn."""
        name, count = card.names[card.sha256], len(card.names)
        index = max(card.said, default=None)
        said = None if index is None else card.said[index]
        mark, good = self._mark(said, card.sha256)
        against = next((self._marks[sha256] for sha256 in card.names if sha256 in self._marks), None)
        if against is not None:
            mark, good = against, False
        title = name if count == 1 else f"{count} × {name}"
        return Stop(card.sha256, card.kind, title, _lines(said), mark, good, index)

    def _mark(self, said: Predicate | None, sha256: str) -> tuple[str, bool | None]:
        """Return the mark of what nothing speaks against, and whether it is a good one."""
        if said is None:
            return "no record explains it", None
        if isinstance(said, Step):
            return said.evidence.value, said.evidence is Evidence.OBSERVED or None
        grade = self._ground.grade(sha256)
        return (grade, True) if grade else ("not graded", None)


def _sort(read: _Read, said: Predicate | None, child: _Card | None) -> tuple[str, Hashable]:
    """Return the kind of a card, and what is the same for all that stand on one card of a layer."""
    match said:
        case Step():
            place = (said.place.episode, said.place.sequence, said.place.shot, said.place.task)
            return "file", (said.action, said.tool, said.evidence, *place)
        case ModelV2(service=service) if service is not None:
            return "service", read.sha256
        case Model():
            return "model", read.sha256
        case Dataset():
            return "dataset", read.sha256
        case _ if read.kind == "unknown":
            return "unknown", child.sha256 if child else ""
        case _:
            return read.kind, read.sha256


def _materials(step: Step) -> Iterator[_Read]:
    """Yield what a step read and used."""
    service = step.service.subject.sha256 if isinstance(step, StepV2) and step.service else None
    for item in step.materials:
        role = item.role or Role.REFERENCE
        kind = role.value if role in (Role.MODEL, Role.DATASET) else "unknown"
        kind = "service" if item.sha256 == service else kind
        yield _Read(item.sha256, item.name, role.value, kind, item.pixels)


def _under(sha256: str, model: Model) -> Iterator[_Read]:
    """Yield what a model was trained on, and what it was made from."""
    for above, name, role in parents(sha256, Statement((), model)):
        yield _Read(above, name, role, "model" if role.endswith(" parent") else "dataset")


def _lines(said: Predicate | None) -> tuple[str, ...]:
    """Return the lines of a card."""
    match said:
        case Step():
            words = (f"{said.action.value} · {said.tool.name} {said.tool.version}", said.place.task)
            return (*filter(None, words), format_time(said.finished))
        case ModelV2():
            licence = said.licence.expression if said.licence else None
            kind = "a remote service" if said.service else f"{said.kind.value} {said.version}"
            return tuple(filter(None, (kind, licence)))
        case Model():
            return (said.version,)
        case Dataset():
            return f"{said.works:,} works", f"{said.rights_holders:,} rights holders"
        case _:
            return ()
