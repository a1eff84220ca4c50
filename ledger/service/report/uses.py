"""How often, when and by whom things were used under a population: counted, step by step.

Only the counts are kept: a feature takes no more room than its tools, services, models and people do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ledger.core.audit import Row, Table
from ledger.core.audit.tables_of_things import AUTHORSHIP, TOOLS
from ledger.core.predicates.step import Evidence, StepAction
from ledger.core.rights.basis import ItemKind
from ledger.service.clear.store import BasisStore, unpack
from ledger.service.report.steps import Told, told
from ledger.service.studio import Studio

MOST_ENTRIES = 50
"""Steps that a row names. Of more, it names the first and the last."""
MODELS = (ItemKind.MODEL, ItemKind.SERVICE)
_GENERATE = StepAction.GENERATE.value


@dataclass(slots=True)
class Uses:
    """Steps: how many, from when to when, and in which entries."""

    steps: int = 0
    first: str | None = None
    last: str | None = None
    _held: set[int] = field(default_factory=set)
    _ends: tuple[int, int] = (-1, -1)

    def add(self, step: Told) -> None:
        """Count a step."""
        self.steps += 1
        self.first = min(self.first or step.finished, step.finished)
        self.last = max(self.last or step.finished, step.finished)
        first, last = self._ends
        self._ends = (step.index if first < 0 else min(first, step.index), max(last, step.index))
        if len(self._held) <= MOST_ENTRIES:
            self._held.add(step.index)

    @property
    def entries(self) -> tuple[int, ...]:
        """Return the entries, ascending: all of them, or the first and the last of many."""
        return tuple(sorted(self._held)) if len(self._held) <= MOST_ENTRIES else self._ends

    def merged(self, other: Uses) -> Uses:
        """Return both together, of which no step is in the other."""
        ends = [end for each in (self._ends, other._ends) for end in each if end >= 0]
        return Uses(
            self.steps + other.steps,
            min(filter(None, (self.first, other.first)), default=None),
            max(filter(None, (self.last, other.last)), default=None),
            self._held | other._held,
            (min(ends), max(ends)) if ends else (-1, -1),
        )


@dataclass(slots=True)
class _Tool:
    """One program in one version."""

    uses: Uses = field(default_factory=Uses)
    actions: set[str] = field(default_factory=set)
    evidence: Counter[str] = field(default_factory=Counter)
    generative: bool = False
    programs: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Work:
    """What one actor did: one kind of action for one task."""

    uses: Uses = field(default_factory=Uses)
    with_model: int = 0
    files: set[int] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    evidence: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Used:
    """What the steps under a population used.

    ``generated`` are the entries of the steps that generate, ``handed`` of those that published files or
    delivered them. ``models`` and ``datasets`` go by digest, ``services`` by digest and plan tier, ``people``
    by pseudonym.
    """

    models: dict[str, Uses] = field(default_factory=lambda: defaultdict(Uses))
    datasets: dict[str, Uses] = field(default_factory=lambda: defaultdict(Uses))
    services: dict[tuple[str, str], Uses] = field(default_factory=lambda: defaultdict(Uses))
    people: dict[str, Uses] = field(default_factory=lambda: defaultdict(Uses))
    generated: set[int] = field(default_factory=set)
    handed: set[int] = field(default_factory=set)
    _tools: dict[str, _Tool] = field(default_factory=lambda: defaultdict(_Tool))
    _works: dict[tuple[str, str, str], _Work] = field(default_factory=lambda: defaultdict(_Work))
    _handed: list[tuple[Told, bool]] = field(default_factory=list)

    def tools(self) -> Table:
        """Return the programs."""
        return Table(TOOLS, tuple(_tool_row(name, tool) for name, tool in sorted(self._tools.items())))

    def authorship(self) -> Table:
        """Return what people did: by steps whose signatures hold, and that did more than hand files on."""
        rows = sorted(self._works.items())
        return Table(AUTHORSHIP, tuple(_work_row(n, *row) for n, row in enumerate(rows, 1)))

    def take(self, steps: Sequence[Told], store: BasisStore, known: _Bases) -> None:
        """Count steps, and the files that they wrote."""
        known.learn(store, {step.basis for step in steps})
        for step in steps:
            self._take(step, on_model=known.on_model(step.basis))

    def _take(self, step: Told, *, on_model: bool) -> None:
        for sha256 in set(step.models):
            self.models[sha256].add(step)
        for sha256 in set(step.datasets):
            self.datasets[sha256].add(step)
        if step.service is not None:
            self.services[step.service, step.tier].add(step)
        for person in step.people:
            self.people[person].add(step)
        if step.action == _GENERATE:
            self.generated.add(step.index)
        if step.handed:
            self.handed.add(step.index)
        tool = self._tools[step.tool]
        tool.uses.add(step)
        tool.actions.add(step.action)
        tool.evidence[step.evidence] += 1
        tool.generative |= bool(step.models or step.service)
        tool.programs |= {step.program} if step.program else set()
        if step.handed:
            self._handed.append((step, on_model))
        else:
            self._credit(step, on_model=on_model)

    def settle(self) -> None:
        """Count the steps that published files or delivered them as work, where no other step made those."""
        made = set[int]().union(*(work.files for work in self._works.values()))
        for step, on_model in self._handed:
            if not made.issuperset(step.made):
                self._credit(step, on_model=on_model)

    def _credit(self, step: Told, *, on_model: bool) -> None:
        if step.flaw:
            return
        work = self._works[step.actor, step.task or "", step.action]
        work.uses.add(step)
        work.with_model += on_model
        work.files.update(step.made)
        work.places |= {step.place} if step.place else set()
        work.evidence.add(step.evidence)


@dataclass(slots=True)
class _Bases:
    """Which bases hold a model or a service, by their numbers; items and bases are read once."""

    _items: dict[int, bool] = field(default_factory=dict)
    _bases: dict[int, bool] = field(default_factory=dict)

    def learn(self, store: BasisStore, bases: Iterable[int]) -> None:
        """Read the bases of which nothing is known yet."""
        members = store.members({number for number in bases if number not in self._bases})
        held = {number: unpack(packed) for number, packed in members.items()}
        missing = {item for items in held.values() for item in items if item not in self._items}
        self._items |= {number: item.kind in MODELS for number, item in store.items(missing).items()}
        self._bases |= {number: any(self._items[item] for item in items) for number, items in held.items()}

    def on_model(self, basis: int) -> bool:
        """Whether files with this basis rest on a model or a service."""
        return self._bases.get(basis, False)


def used_in(studio: Studio, steps: Sequence[int]) -> Used:
    """Return what these steps used. The bases must be caught up to the last of them."""
    used, known = Used(), _Bases()
    for piece in told(studio, steps):
        used.take(piece, studio.bases, known)
    used.settle()
    return used


def _tool_row(name: str, tool: _Tool) -> Row:
    uses = tool.uses
    return (
        name,
        tuple(sorted(tool.actions)),
        uses.steps,
        *(tool.evidence[evidence] for evidence in Evidence),
        tool.generative,
        uses.first,
        uses.last,
        tuple(sorted(tool.programs)),
        uses.entries,
    )


def _work_row(number: int, key: tuple[str, str, str], work: _Work) -> Row:
    actor, task, action = key
    weakest = [evidence.value for evidence in Evidence if evidence in work.evidence][-1]
    uses = work.uses
    return (
        number,
        actor,
        task or None,
        action,
        uses.steps,
        work.with_model,
        len(work.files),
        len(work.places),
        weakest,
        uses.first,
        uses.last,
        uses.entries,
    )
