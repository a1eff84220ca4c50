"""The report of a feature for programs: 130,000 frames and 1,700 shots as CSV, workbook, bills and timeline.

The bare measures are Python's own ``csv.writer`` and XlsxWriter, which write the same cells and nothing else.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from xlsxwriter import Workbook

from ledger.adapters.workbook import write_workbook
from ledger.core.artifact import Artifact
from ledger.core.audit import Report, Table
from ledger.core.audit.tables import FRAMES
from ledger.core.digest import sha256_hex
from ledger.core.otio import read_otio
from ledger.render.cyclonedx import to_cyclonedx
from ledger.render.report.csv_table import to_csv
from ledger.render.report.otio import to_otio
from ledger.render.spdx import to_spdx
from tests.bench.table import print_table
from tests.support.bills import bill
from tests.support.reports import report, shot
from tests.support.timelines import clip, data, images, span, timeline

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
FILES, SHOTS = 130_000, 1_700


@pytest.fixture(scope="module")
def frames() -> Table:
    rows = (
        (
            *(number + 1, number % SHOTS + 1, f"sq010_sh{number % SHOTS:04}_v012.{1001 + number % 76}.exr"),
            *(1001 + number % 76, "v012", sha256_hex(str(number).encode()), "bytes"),
            *("cleared", "cleared", "L3", number % 3 == 0, number % 40, number + 7),
        )
        for number in range(FILES)
    )
    return Table(FRAMES, tuple(rows))


def once_ms(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def write_csv(table: Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(to_csv(table))


def bare_csv(table: Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(table.shown)


def write_xlsx(made: Report, path: Path) -> None:
    with path.open("wb") as file:
        write_workbook(made, file)


def bare_xlsx(table: Table, path: Path) -> None:
    book = Workbook(path, {"constant_memory": True})
    sheet = book.add_worksheet()
    for number, row in enumerate(table.shown):
        sheet.write_row(number, 0, row)
    book.close()


def test_the_tables_of_a_feature(frames: Table, tmp_path: Path) -> None:
    made = replace(report([shot(1, "c")]), tables={"frames": frames})
    text, book = tmp_path / "frames.csv", tmp_path / "frames.xlsx"
    before = peak_mb()
    rows = [
        (
            "frames.csv",
            min(once_ms(lambda: write_csv(frames, text)) for _ in range(3)),
            min(once_ms(lambda: bare_csv(frames, text)) for _ in range(3)),
            4.0,
        ),
        (
            "report.xlsx",
            once_ms(lambda: write_xlsx(made, book)),
            once_ms(lambda: bare_xlsx(frames, book)),
            1.5,
        ),
    ]
    print_table(f"{FILES:,} frames, peak memory +{peak_mb() - before} MB", rows)
    for _, ours, bare, limit in rows:
        assert ours / bare < limit


def test_the_bills_and_the_timeline_of_a_feature() -> None:
    """The bare measure is writing the finished document as JSON."""
    files = (Artifact(f"sh.{n:06}.exr", sha256_hex(str(n).encode())) for n in range(FILES))
    whole = replace(bill(), subjects=tuple(files))
    clips = [
        clip(f"sh{n:04}", images("x", f"sh{n:04}.", range(1001, 1078)), span(0, 76)) for n in range(SHOTS)
    ]
    document = data(timeline(clips))
    seen = read_otio(document)
    made = report([shot(n, "c" * 76) for n in range(1, SHOTS + 1)])
    actions: dict[str, Callable[[], object]] = {
        "report.spdx.json": lambda: to_spdx(whole, "1"),
        "report.cdx.json": lambda: to_cyclonedx(whole, "1"),
        "report.otio": lambda: json.loads(to_otio(made, seen, document)),
    }
    rows = []
    for name, action in actions.items():
        rows.append((name, once_ms(action), once_ms(partial(json.dumps, action())), None))
    print_table(f"{FILES:,} files, {SHOTS:,} shots", rows)
    sys.stdout.write(f"peak memory {peak_mb()} MB\n")
