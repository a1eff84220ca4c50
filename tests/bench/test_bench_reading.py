"""Reading as the log grows: the same pages of a log of 10,000 entries and of one thirty times as large.

The bare measure of each row is the same question to the small log. Every step reads one model, so that its
users are as many as there are entries, and the frame before it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from ledger.core import canonical
from ledger.core import statement as statements
from ledger.core.artifact import Artifact, Role
from ledger.core.digest import sha256_hex
from ledger.core.merkle import leaf_hash
from ledger.core.statement import Statement
from ledger.ports import ArtifactRow, Head, StatementRow
from ledger.service.reading import files, lineage, steps
from ledger.service.reading.files import Wanted
from ledger.service.reading.lineage import Direction, Way
from ledger.service.reading.pages import Page
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio
from tests.bench.table import best_ms, print_table
from tests.support.builders import DEVICE, NOW, envelope, step
from tests.support.reading_log import readable

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
SMALL, LARGE = 10_000, int(os.environ.get("RAKKAN_BENCH_ENTRIES", "300000"))
BATCH = 10_000
LIMIT = 2.0
"""Of the large log against the small one. A tree of thirty times the rows is one level deeper, if at all."""
MODEL = sha256_hex(b"sky")
_HERE, _BEFORE = "frame-00000001.png", "frame-00000000.png"


def digest(number: int) -> str:
    return sha256_hex(name(number).encode())


def name(number: int) -> str:
    return f"frame-{number:08}.png"


def grow(studio: Studio, size: int) -> None:
    """Write as many steps as that, with their rows: the tree over them is of no interest here."""
    materials = (
        Artifact(_BEFORE, sha256_hex(_BEFORE.encode()), role=Role.PARENT),
        Artifact("sky", MODEL, role=Role.MODEL),
    )
    made = Statement((Artifact(_HERE, sha256_hex(_HERE.encode())),), step(materials=materials, step_id=_HERE))
    payload = statements.encode(made)
    signed = canonical.decode(envelope(made.predicate, subjects=made.subjects))
    for first in range(0, size, BATCH):
        with studio.entries.begin() as transaction:
            entries, rows = list[tuple[bytes, bytes]](), list[ArtifactRow]()
            for index in range(first, first + BATCH):
                here, before = (name(index).encode(), digest(index)), (name(index - 1), digest(index - 1))
                text = payload
                for old, new in (
                    (_BEFORE.encode(), before[0].encode() if index else b"frame-source.png"),
                    (_HERE.encode(), here[0]),
                    (sha256_hex(_BEFORE.encode()).encode(), before[1].encode()),
                    (sha256_hex(_HERE.encode()).encode(), here[1].encode()),
                ):
                    text = text.replace(old, b"\0" + new) if old != new else text
                data = canonical.encode(
                    {**signed, "payload": base64.b64encode(text.replace(b"\0", b"")).decode()}
                )
                entries.append((leaf_hash(data), data))
                rows += [
                    ArtifactRow(index, "subject", 0, name(index), digest(index), None),
                    ArtifactRow(index, "parent", 0, before[0], before[1], None),
                    ArtifactRow(index, "model", 1, "sky", MODEL, None),
                ]
            transaction.append(first, entries, NOW)
            kind = made.predicate.TYPE
            found = [StatementRow(index, kind, DEVICE.keyid) for index in range(first, first + BATCH)]
            transaction.project(found, rows)
            transaction.put_head(Head(first + BATCH, (), b"-"))


def questions(studio: Studio, size: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is asked of a log of this size, in its middle."""
    middle = size // 2
    page = partial(Page, ("q",), 100)

    def links(digest: str, direction: Direction, after: str | None = None) -> object:
        return lineage.lineage(studio, digest, Way(direction, 1_000), page(after), Sight())

    fan = Page(("q",)).cursor([[MODEL, 0, middle]])
    yield "a file", lambda: files.asset(studio, digest(middle), Sight())
    yield "the model that all steps used", lambda: files.asset(studio, MODEL, Sight())
    yield "100 links up", lambda: links(digest(middle), Direction.UP)
    yield "100 links down", lambda: links(digest(middle), Direction.DOWN)
    yield "100 links of the model, the first", lambda: links(MODEL, Direction.DOWN)
    yield "100 links of the model, in the middle", lambda: links(MODEL, Direction.DOWN, fan)
    at = Page(("q",)).cursor(middle)
    yield "100 steps", lambda: steps.listing(studio, steps.Wanted(), page(at))
    yield "1,000 steps for a tool", lambda: steps.listing(studio, steps.Wanted(tool="none"), page(at))
    place = Page(("q",)).cursor(middle, -1)
    yield "100 files", lambda: files.listing(studio, Wanted(), page(place), Sight())
    last = name(middle + 3)
    yield "a name in 5,000 entries", lambda: files.listing(studio, Wanted(last), page(place), Sight())


def test_pages_cost_the_same_in_a_log_thirty_times_as_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WINDOW", SMALL // 2)
    took: dict[int, dict[str, float]] = {}
    with ExitStack() as stack:
        for size in (SMALL, LARGE):
            folder = tmp_path / str(size)
            folder.mkdir()
            studio = stack.enter_context(readable(folder))
            grow(studio, size)
            took[size] = {what: best_ms(ask) for what, ask in questions(studio, size)}
    rows = [(what, took[LARGE][what], took[SMALL][what], LIMIT) for what in took[SMALL]]
    print_table(f"Reading {LARGE:,} entries against {SMALL:,}", rows)
    assert all(ours <= limit * bare + 1 for _, ours, bare, limit in rows)
