"""The way of a file as a picture, and a file's picture in small: against doing only the needful.

A drawing is measured against laying out its columns, which it cannot do without; a small picture against
Pillow alone, in this process, on a file that is trusted.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from ledger.render.layout import columns
from ledger.render.svg import Card, Edge, draw
from ledger.wiring.serving import PageSettings
from tests.bench.table import best_ms, print_table
from tests.e2e.conftest import Studio, found
from tests.e2e.test_pictures import address, role
from tests.support.http import UNLIMITED, answering

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]
LIMIT = 30.0
"""Of a drawing against its layout: text is escaped, character by character, and cut to its card."""
WIDE = 8
"""Files that were made in the same step's place: a column of the drawing."""


def way(size: int) -> tuple[list[Card], list[Edge]]:
    """Return cards of many kinds, so that none are folded, and what leads from one column to the next."""
    cards = [
        Card(f"{n}", "edit", "step", f"Made {n}", (f"sh020.comp.{n:04}.exr", "Nuke 15.1"), "observed")
        for n in range(size)
    ]
    edges = [
        Edge(f"{n}", f"{(n // WIDE + 1) * WIDE + other}", "component")
        for n in range(size - WIDE)
        for other in ((n + 1) % WIDE, (3 * n) % WIDE)
        if (n // WIDE + 1) * WIDE + other < size
    ]
    return cards, edges


def test_ways_are_drawn() -> None:
    rows = []
    for size in (30, 200, 1000):
        cards, edges = way(size)
        pairs = [(edge.source, edge.target) for edge in edges]
        drawn = draw(cards, edges, "t", "d", most=size)
        ours = best_ms(partial(draw, cards, edges, "t", "d", most=size), 5)
        bare = best_ms(partial(columns, [card.key for card in cards], pairs), 5)
        rows.append((f"{size} cards, {len(drawn) // 1000} kB", ours, bare, LIMIT))
        assert ours < LIMIT * bare
        assert len(drawn) < 1_600 * size
    print_table("Drawing a way", rows)


def test_pictures_are_made_small(tmp_path: Path) -> None:
    studio: Studio = found(tmp_path / "studio")
    path = studio.work / "frame.png"
    Image.effect_mandelbrot((1920, 1080), (-2, -1, 1, 1), 60).convert("RGB").save(path)
    studio.record(path)
    kept = studio.home / "pictures"
    artist = role(studio, "artist")
    with answering(studio.home, settings=(PageSettings(pictures=(studio.work,)), UNLIMITED)) as client:
        ask = partial(asked, client, address(path), artist)
        ask()
        cold = best_ms(partial(forgotten, kept, ask), 7)
        warm = best_ms(ask, 15)
    bare = best_ms(lambda: small(path), 7)
    print_table("A picture of 1920 × 1080", [("cold", cold, bare, 4.0), ("warm", warm, bare, 1.0)])
    assert cold < 4 * bare
    assert warm < bare


def forgotten(kept: Path, ask: Callable[[], None]) -> None:
    for each in kept.iterdir():
        each.unlink()
    ask()


def asked(client: TestClient, path: str, headers: dict[str, str]) -> None:
    assert client.get(path, headers=headers).status_code == 200


def small(path: Path) -> bytes:
    out = io.BytesIO()
    with Image.open(path) as image:
        image.thumbnail((320, 320))
        image.save(out, "JPEG", quality=78)
    return out.getvalue()
