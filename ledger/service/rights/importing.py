"""Bring in facts from files: first say what would be signed, then sign all of it or nothing.

* A file of facts is TOML; grants in bulk are CSV, a row each; what another tool wrote about a model or a
  dataset comes in as *declared* (docs/spec/rights-import.md).
* Facts are taken in the order in which they rest on one another, whatever their order in the files. A name
  may be used before it is stated.
* Each fact is checked against all that is stated and all that comes before it. All that is refused is
  reported at once, with reasons: nobody corrects a file one error at a time.
* What is stated already is left alone: importing twice changes nothing.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ledger.core.artifact import Artifact
from ledger.errors import MalformedError, RakkanError
from ledger.service.files import read_whole
from ledger.service.rights import models, things
from ledger.service.rights.kinds import KINDS, draft_of
from ledger.service.rights.register import Planned, plan
from ledger.service.rights.registry import present_state
from ledger.service.rights.tables import CODE, Desk, Draft, Table
from ledger.service.studio import Studio

MAX_FILE = 64 << 20
"""Bytes of a file of facts: some hundred thousand grants."""

_LISTS = ("covers", "uses", "titles", "media", "territories", "except_territories")
_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}
_FLAGS = ("exclusive", "sublicence")


@dataclass(frozen=True, slots=True)
class Fact:
    """One table of a file: what kind of fact, its keys, and where it stands.

    ``drafted`` makes the statement of what did not come as a table.
    """

    kind: str
    where: str
    keys: dict[str, Any]
    folder: Path
    zone: str = "UTC"
    drafted: Callable[[Desk], Draft] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would become of one fact: it is planned, or refused for this reason."""

    fact: Fact
    planned: Planned | None = None
    refused: RakkanError | None = None


def read_toml(path: Path) -> list[Fact]:
    """Return the facts of a file of facts. Raises ``MalformedError("rights.file")`` and ``file.…``."""
    text = _text(path)
    try:
        # Decimals stay as they were written: a weight of 0.1 has no exact binary form.
        document = tomllib.loads(text, parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _malformed(path, f"is not TOML: {error}") from error
    zone = document.pop("zone", "UTC")
    if not isinstance(zone, str):
        raise _malformed(path, "must have a text as its zone")
    found = []
    for kind, tables in document.items():
        if kind not in KINDS:
            raise _malformed(path, f"has a table {kind[:40]!r}; known are {', '.join(KINDS)}")
        if not (isinstance(tables, list) and all(isinstance(item, dict) for item in tables)):
            raise _malformed(path, f"must have its tables as [[{kind}]], with two brackets")
        found += [
            Fact(kind, f"{path.name}: {kind}[{n}]", item, path.parent, zone)
            for n, item in enumerate(tables, 1)
        ]
    return found


def read_grants_csv(path: Path) -> list[Fact]:
    """Return the grants of a CSV file, a row each. Raises ``MalformedError("rights.file")`` and ``file.…``.

    The columns are the keys of the table ``grant``. Semicolons part a list; an empty cell says nothing.
    """
    rows = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        return [
            Fact("grant", f"{path.name}: row {n}", _cells(row, path, n), path.parent)
            for n, row in enumerate(rows, 2)
        ]
    except csv.Error as error:
        raise _malformed(path, f"is not CSV: {error}") from error


def judge(studio: Studio, desk: Desk, facts: Iterable[Fact], *, anyway: bool = False) -> list[Outcome]:
    """Return what would become of each fact, in the order in which they would be signed. Signs nothing."""
    order = list(KINDS)
    ordered = sorted(facts, key=lambda fact: order.index(fact.kind))
    for fact in ordered:
        _promise(_at(desk, fact), fact)
    found, states = list[Outcome](), set[tuple[str, str]]()
    for fact in ordered:
        outcome = _judged(studio, _at(desk, fact), fact, anyway=anyway)
        found.append(_once(outcome, states))
    return found


def _once(outcome: Outcome, states: set[tuple[str, str]]) -> Outcome:
    """Refuse a second, other statement of one thing in one turn: each import would change it to and fro."""
    planned = outcome.planned
    state = present_state(planned.stated.statement) if planned else None
    if planned is None or state is None:
        return outcome
    if state in states and not planned.again:
        return Outcome(outcome.fact, refused=MalformedError(CODE, "It is stated a second time, otherwise."))
    states.add(state)
    return outcome


def _judged(studio: Studio, desk: Desk, fact: Fact, *, anyway: bool) -> Outcome:
    try:
        draft = fact.drafted(desk) if fact.drafted else draft_of(desk, fact.kind, fact.keys, fact.where)
        return Outcome(fact, plan(studio, desk, draft, anyway=anyway))
    except RakkanError as error:
        return Outcome(fact, refused=error)


def _at(desk: Desk, fact: Fact) -> Desk:
    return replace(desk, folder=fact.folder, zone=fact.zone)


def _promise(desk: Desk, fact: Fact) -> None:
    """Make the fact's name known, if it has a usable one. What is wrong with it is reported in its turn."""
    name = fact.keys.get("name" if fact.kind in ("dataset", "model") else "id")
    if not isinstance(name, str) or fact.drafted:
        return
    table = Table(fact.keys, fact.where, desk)
    try:
        artifact = _promised(table, fact.kind, name)
        if artifact and desk.registry.version(fact.kind, name, table.label("version", "1")):
            return
    except RakkanError:
        return
    desk.registry.promise(fact.kind, name, artifact, table.label("version", "1") if artifact else "")


def _promised(table: Table, kind: str, name: str) -> Artifact | None:
    """Return what a dataset's or a model's name will stand for; ``None`` for what is named by itself."""
    if kind == "dataset":
        return things.dataset_artifact(
            table, name, table.file("inventory") if table.has("inventory") else None
        )
    if kind == "model":
        weights = table.file("weights") if table.has("weights") else None
        return models.model_artifact(table, name, weights, models.read_service(table))
    return None


def _cells(row: dict[str | Any, str | Any], path: Path, number: int) -> dict[str, Any]:
    """Return the keys that a row says. Raises ``MalformedError("rights.file")``."""
    if None in row or None in row.values():
        raise _malformed(path, f"has more or fewer cells in row {number} than in the first one")
    said: dict[str, Any] = {name: text for name, text in row.items() if text}
    for name in _LISTS:
        if name in said:
            said[name] = [part.strip() for part in said[name].split(";")]
    for name in _FLAGS:
        if name in said:
            said[name] = _TRUTHS.get(said[name].lower(), said[name])
    if said.get("version", "").isdecimal():
        said["version"] = int(said["version"])
    return said


def _text(path: Path) -> str:
    data = read_whole(path, MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise _malformed(path, f"is larger than {MAX_FILE:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _malformed(path, f"is not UTF-8: {error}") from error


def _malformed(path: Path, problem: str) -> MalformedError:
    return MalformedError(CODE, f"{path.name} {problem}.", path=path)
