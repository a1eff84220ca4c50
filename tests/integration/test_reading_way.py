"""A file's way: sealed files stand with those before their seal, on every page and in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.predicates import Dataset
from ledger.core.statement import Statement
from ledger.service.reading.lineage import DEEPEST, Direction
from ledger.service.reading.lineage import Way as Asked
from ledger.service.reading.pages import Page
from ledger.service.reading.sight import Sight
from ledger.service.reading.way import Way, way
from ledger.service.studio import Studio
from tests.support.bases import component, file, made, sealed
from tests.support.builders import digest
from tests.support.reading_log import fill, readable

CREW = Sight(registry=False)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with readable(tmp_path) as opened:
        fill(
            opened,
            [
                made("plate", of=[component("scan")]),
                sealed(**{"plate.sealed": "plate"}),
                made("comp", of=[component("plate.sealed"), component("cloud")]),
                sealed(**{"comp.sealed": "comp"}),
                made("cut", of=[component("comp.sealed")]),
                Statement((file("works"),), Dataset("works", "1", 1, 1)),
            ],
        )
        yield opened


def asked(studio: Studio, name: str, direction: Direction = Direction.UP, limit: int = 100) -> list[Way]:
    """Return all pages."""
    found: list[Way] = []
    while not found or found[-1].next:
        page = Page(("way",), limit, found[-1].next if found else None)
        found.append(way(studio, digest(name), Asked(direction, DEEPEST), page, CREW))
    return found


def names(found: Way) -> list[tuple[str, str, bool]]:
    return [(stop.name, stop.kind, stop.seal is not None) for stop in found.stops]


def test_a_sealed_file_and_the_one_before_its_seal_are_one_stop(studio: Studio) -> None:
    (up,) = asked(studio, "cut")
    assert names(up) == [
        ("cut", "composite", False),
        ("comp.sealed", "composite", True),
        ("plate.sealed", "composite", True),
        ("cloud", "unknown", False),
        ("scan", "unknown", False),
    ]
    assert [(link.child, link.parent) for link in up.links] == [
        (digest("cut"), digest("comp.sealed")),
        (digest("comp.sealed"), digest("plate.sealed")),
        (digest("comp.sealed"), digest("cloud")),
        (digest("plate.sealed"), digest("scan")),
    ]


def test_downwards_it_is_the_same_way(studio: Studio) -> None:
    (down,) = asked(studio, "scan", Direction.DOWN)
    assert [stop.name for stop in down.stops] == ["scan", "plate.sealed", "comp.sealed", "cut"]
    (from_sealed,) = asked(studio, "plate.sealed", Direction.DOWN)
    assert names(from_sealed)[0] == ("plate.sealed", "composite", True)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_together_have_every_stop_and_each_its_links(studio: Studio, limit: int) -> None:
    (whole,) = asked(studio, "cut")
    pages = asked(studio, "cut", limit=limit)
    assert len(pages) > 1
    made_by = {stop.sha256: (stop.entry, stop.seal) for page in pages for stop in page.stops}
    assert {stop.sha256 for stop in whole.stops} <= made_by.keys()
    for page in pages:
        ends = {stop.sha256 for stop in page.stops}
        assert {end for link in page.links for end in (link.child, link.parent)} <= ends
    for stop in whole.stops:
        assert made_by[stop.sha256] == (stop.entry, stop.seal)


def test_who_does_not_see_the_registry_sees_no_entry_of_it(studio: Studio) -> None:
    with pytest.raises(Exception, match="knows no file"):
        asked(studio, "works")
