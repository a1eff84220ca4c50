"""Whatever was made of whatever: the report's tables agree with the records and with each other."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.adapters.profiles import load
from ledger.core import statement as statements
from ledger.core.artifact import Role
from ledger.core.audit import Report, Table
from ledger.core.predicates.step import StepAction
from ledger.core.statement import Statement
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.report.population import of_targets
from ledger.service.report.report import make
from ledger.service.report.uses import used_in
from ledger.testing import MemoryEntryStore
from ledger.testing.bases import MemoryBasisStore
from tests.support.audited import SERVICE, model, step, thing
from tests.support.bare_studio import opened, say, studio_on
from tests.support.builders import DAY, NOW, USED

MODELS = ("alpha", "beta", "gamma")
ACTIONS = (StepAction.DRAW, StepAction.EDIT, StepAction.COMPOSITE, StepAction.GENERATE)


@dataclass(frozen=True)
class Drawn:
    """A step: what it read of the steps before it, and what it used."""

    action: StepAction
    actor: str
    shot: str
    files: int
    read: tuple[int, ...]
    models: tuple[str, ...]
    tier: str | None
    people: tuple[str, ...]
    day: int


@st.composite
def works(draw: st.DrawFn) -> tuple[Drawn, ...]:
    """Draw steps, each of which may read files of earlier ones."""
    count = draw(st.integers(1, 8))
    return tuple(
        Drawn(
            draw(st.sampled_from(ACTIONS)),
            draw(st.sampled_from(("actor:a", "actor:b"))),
            draw(st.sampled_from(("sh1", "sh2"))),
            draw(st.integers(1, 3)),
            tuple(draw(st.sets(st.integers(0, number - 1), max_size=2))) if number else (),
            tuple(sorted(draw(st.sets(st.sampled_from(MODELS), max_size=2)))),
            draw(st.sampled_from((None, None, "free", "team"))),
            tuple(sorted(draw(st.sets(st.sampled_from(("person:p", "person:q")), max_size=1)))),
            draw(st.integers(0, 9)),
        )
        for number in range(count)
    )


def names(number: int, work: Drawn) -> list[str]:
    return [f"{work.shot}.{number}.{file}.exr" for file in range(work.files)]


def stated(number: int, drawn: Sequence[Drawn]) -> Statement:
    work = drawn[number]
    read = [thing(names(other, drawn[other])[0], Role.COMPONENT) for other in work.read]
    used = [thing(name, Role.MODEL) for name in work.models]
    remote = {"service": SERVICE, "plan_tier": work.tier} if work.tier else {}
    return step(
        work.action,
        work.shot,
        *names(number, work),
        of=(*read, *used),
        actor=work.actor,
        people=work.people,
        finished=USED + work.day * DAY,
        **remote,
    )


def under(drawn: Sequence[Drawn], number: int) -> set[int]:
    """Return the step and all that are under it, by their numbers: the slow and plain way."""
    return {number}.union(*(under(drawn, other) for other in drawn[number].read))


def finals_of(drawn: Sequence[Drawn]) -> list[tuple[int, int]]:
    """Return the steps that have final files, and how many: the first one is taken by who reads it there."""
    taken = {other for work in drawn for other in work.read if drawn[other].shot == work.shot}
    counted = [(number, work.files - (number in taken)) for number, work in enumerate(drawn)]
    return [(number, files) for number, files in counted if files]


def report_of(drawn: Sequence[Drawn]) -> Report:
    entries = MemoryEntryStore()
    studio = opened(studio_on(entries, MemoryBasisStore(entries)))
    say(studio, model("alpha"))
    for number in range(len(drawn)):
        say(studio, stated(number, drawn))
    question = ask(studio, load("broadcast-jp"), Asked(at=NOW))
    return make(studio, clearer_over(see(studio), question), of_targets(studio, (".",))).report


def column(table: Table, key: str, value: str) -> dict[object, object]:
    return dict(zip(table.column(key), table.column(value), strict=True))


def on(drawn: Sequence[Drawn], finals: Sequence[tuple[int, int]], *, name: str) -> int:
    """Return how many final files rest on a model of this name, or on an unnamed one."""

    def used(number: int) -> bool:
        work = drawn[number]
        unnamed = work.action is StepAction.GENERATE and not work.models and not work.tier
        return name in work.models or (name == "unnamed" and unnamed)

    return sum(files for number, files in finals if any(map(used, under(drawn, number))))


@given(works())
def test_tables_agree_with_the_records_and_with_each_other(drawn: tuple[Drawn, ...]) -> None:
    report = report_of(drawn)
    tables = report.tables
    finals = finals_of(drawn)
    reached = set[int]().union(*(under(drawn, number) for number, _ in finals))
    files = sum(count for _, count in finals)

    assert len(tables["frames"].rows) == report.figure("found").value == files
    assert sum(tables["bases"].column("files")) == files
    assert sum(tables["shots"].column("ai")) == report.figure("ai").value
    assert sum(tables["tools"].column("steps")) == sum(tables["authorship"].column("steps")) == len(reached)
    read = {other for number in reached for other in drawn[number].read}
    taken = {other for other in read if (other, drawn[other].files) not in finals}
    assert sum(tables["authorship"].column("files")) == files + len(taken)
    counted = column(tables["models"], "name", "files")
    expected = {name: on(drawn, finals, name=name) for name in (*MODELS, "unnamed")}
    assert counted == {name: count for name, count in expected.items() if count}
    for tier in ("free", "team"):
        uses = [number for number in reached if drawn[number].tier == tier]
        resting = [count for number, count in finals if not under(drawn, number).isdisjoint(uses)]
        assert column(tables["services"], "tier", "steps").get(tier, 0) == len(uses)
        assert column(tables["services"], "tier", "files").get(tier, 0) == sum(resting)
    people = {person for number in reached for person in drawn[number].people}
    assert set(tables["people"].column("person")) == people


@given(works())
def test_figures_recount_from_the_tables(drawn: tuple[Drawn, ...]) -> None:
    report = report_of(drawn)
    for figure in report.figures:
        table = report.tables[figure.count.table]
        keys = [item.key for item in table.schema.columns]
        rows = [dict(zip(keys, row, strict=True)) for row in table.shown]
        chosen = [row for row in rows if all(row[key] == value for key, value in figure.count.where)]
        of = figure.count.of
        assert figure.value == (len(chosen) if of is None else sum(row[of] or 0 for row in chosen))
    assert report == report_of(drawn)


class Altered(MemoryEntryStore):
    """A store in which one entry was altered after the log took it."""

    entry: tuple[int, bytes] = (-1, b"")

    def envelopes_at(self, indices: Collection[int]) -> Mapping[int, bytes]:
        index, data = self.entry
        return {at: data if at == index else held for at, held in super().envelopes_at(indices).items()}


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@st.composite
def altered(draw: st.DrawFn, document: Any) -> Any:
    """Draw the document with one member, somewhere in it, that is something else or gone."""
    if not isinstance(document, dict | list) or not document or draw(st.booleans()):
        return draw(values)
    places = sorted(document) if isinstance(document, dict) else range(len(document))
    place = draw(st.sampled_from(places))
    changed = copy(document)
    changed[place] = draw(altered(document[place]))
    if isinstance(changed, dict) and draw(st.booleans()):
        del changed[place]
    return changed


STEP = stated(
    1,
    (
        Drawn(StepAction.DRAW, "actor:a", "sh1", 1, (), (), None, (), 0),
        Drawn(StepAction.GENERATE, "actor:a", "sh1", 1, (0,), ("alpha",), "team", ("person:p",), 1),
    ),
)


WHOLE = json.loads(statements.encode(STEP))


@given(altered(WHOLE["predicate"]) | st.binary())
def test_an_entry_that_was_altered_stops_no_count(changed: Any) -> None:
    store = Altered()
    studio = opened(studio_on(store, MemoryBasisStore(store)))
    index = say(studio, STEP)
    see(studio)
    payload = changed if isinstance(changed, bytes) else json.dumps({**WHOLE, "predicate": changed}).encode()
    store.entry = index, json.dumps({"payload": b64encode(payload).decode()}).encode()
    used = used_in(studio, [index])
    assert len(used.tools().rows) <= 1
    assert sum(used.authorship().column("steps")) <= 1
