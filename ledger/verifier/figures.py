"""The report against itself, and against the entries: each number counted again, each row where it says.

* A figure is counted again from its table, unless this view hides what it would be counted by.
* Shots and bases are counted again from the frames.
* An entry that a row names is in the bundle; where it is shown, the file of the row is one of its subjects,
  or was sealed from one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ledger.core.audit import Count, Hidden, Kind, Report, Table, counted
from ledger.core.audit.bundle import Manifest
from ledger.errors import IntegrityError
from ledger.verifier.evidence import Entries
from ledger.verifier.outcome import Check

_STATES = ("cleared", "needs_review", "blocked")
_MADE = ("bytes", "name")


def files_by_entry(report: Report) -> Mapping[int, set[str]]:
    """Return, by entry, the files of the table ``frames`` that it is said to have made."""
    table = report.tables["frames"]
    entry, sha256, known = (table.schema.place(key) for key in ("entry", "sha256", "known"))
    found: dict[int, set[str]] = defaultdict(set)
    for row in table.shown:
        if row[entry] is not None and row[known] in _MADE:
            found[row[entry]].add(row[sha256])
    return found


def check_head(report: Report, manifest: Manifest, check: Check) -> None:
    """Hold what the report says it is against what the bundle is. Raises ``IntegrityError``."""
    head = report.head
    stated = (head.identifier, report.view, head.origin)
    if stated != (manifest.report, manifest.view, manifest.origin) or head.size > manifest.size:
        raise IntegrityError("bundle.other-report", "The report is not the one that MANIFEST.json names.")
    check.say(f"Report {head.identifier} of {head.scope}, view {report.view}, as of {head.at}.")
    check.say(f"It says: {report.verdict_now} now, {report.verdict_then} when made.")


def check_figures(report: Report, check: Check) -> None:
    """Count every figure again."""
    hidden = 0
    for figure in report.figures:
        if _hides(report.tables[figure.count.table], figure.count):
            hidden += 1
            continue
        found = counted(report.tables, figure.count)
        if found != figure.value:
            check.mark(
                IntegrityError(
                    "bundle.figure", f"{figure.title}: {figure.value} is stated, {found} are there."
                )
            )
    check.say(f"{len(report.figures) - hidden} figures were counted again.")
    if hidden:
        check.say(f"{hidden} are of the whole report, of which this view hides a part.")


def check_counts(report: Report, check: Check) -> None:
    """Count the shots and the bases again from the frames."""
    frames = [_cells(report.tables["frames"], row) for row in report.tables["frames"].shown]
    by_shot: dict[Any, Counter[str]] = defaultdict(Counter)
    for cells in frames:
        states = by_shot[cells["shot"]]
        states.update(("frames", str(cells["now"]), str(cells["known"]), "ai" if cells["ai"] else ""))
    for cells in (_cells(report.tables["shots"], row) for row in report.tables["shots"].shown):
        states = by_shot[cells["shot"]]
        for key in ("frames", "unknown", "absent", "ai", *_STATES):
            if cells[key] != states[key]:
                check.mark(
                    IntegrityError(
                        "bundle.figure", f"Shot {cells['shot']}: {key} says {cells[key]}, not {states[key]}."
                    )
                )
    # A file may stand in several shots: a cut shows it twice, or two shots were given the same bytes.
    files = Counter(basis for basis, _ in {(cells["basis"], cells["sha256"]) for cells in frames})
    bases = {row[0]: _cells(report.tables["bases"], row) for row in report.tables["bases"].shown}
    for number, cells in bases.items():
        if cells["files"] < files[number]:
            check.mark(
                IntegrityError(
                    "bundle.figure", f"Basis {number} has more files among the frames than it says."
                )
            )
    for cells in frames:
        basis = bases.get(cells["basis"])
        if basis is not None and any(basis[key] != cells[key] for key in ("then", "now", "grade")):
            check.mark(
                IntegrityError("bundle.figure", f"Frame {cells['row']} has another verdict than its basis.")
            )
    check.say(
        f"Held against each other: frames {len(frames):,}, shots {len(by_shot):,}, bases {len(bases):,}."
    )


def check_rows(report: Report, entries: Entries, check: Check) -> None:
    """Look for the entry that each row is said to come from."""
    rows = 0
    for key, index in _named(report):
        rows += 1
        if index not in entries.listed:
            check.mark(
                IntegrityError(
                    "bundle.no-entry", f"Table {key} names entry {index}, which is not in the bundle."
                )
            )
    check.say(f"Entries that rows name: {rows:,}.")


def check_files(report: Report, entries: Entries, check: Check) -> None:
    """Look for each file among the subjects of the entry that is said to have made it."""
    looked = 0
    for index, files in files_by_entry(report).items():
        if index not in entries.shown:
            continue
        for sha256 in files:
            looked += 1
            if not _made(sha256, entries.made.get(index, set()), entries.sources):
                check.mark(
                    IntegrityError("bundle.other-file", f"Entry {index} says nothing of the file {sha256}.")
                )
    check.say(f"Files that were looked for in the entry of their row: {looked:,}.")


def _made(sha256: str, subjects: set[str], sources: Mapping[str, set[str]]) -> bool:
    """Whether the file, or what it was sealed from, is one of the subjects."""
    pending, seen = [sha256], set()
    while pending:
        digest = pending.pop()
        if digest in subjects:
            return True
        if digest not in seen:
            seen.add(digest)
            pending += sources.get(digest, ())
    return False


def _named(report: Report) -> Iterator[tuple[str, int]]:
    for key, table in report.tables.items():
        places = [n for n, column in enumerate(table.schema.columns) if column.kind is Kind.ENTRIES]
        for row in table.shown:
            yield from ((key, index) for place in places for index in row[place] or ())
    for index in files_by_entry(report):
        yield "frames", index


def _hides(table: Table, count: Count) -> bool:
    """Whether this view hides a part of what is counted."""
    if len(table.shown) != len(table.rows):
        return True
    keys = [key for key, _ in count.where] + ([count.of] if count.of else [])
    return any(isinstance(cell, Hidden) for key in keys for cell in table.column(key))


def _cells(table: Table, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column.key: cell for column, cell in zip(table.schema.columns, row, strict=True)}
