"""The QR codes that we draw, read by a reader of others': small, printed, and with a stain."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import ImageDraw

from ledger.adapters import qr
from tests.support.codes import codes, on_paper

ADDRESS = "https://ledger.studio-yoimachi.example/label/moonrise/moonrise-tv"


@pytest.mark.parametrize(
    ("address", "millimetres", "margin"),
    [
        (ADDRESS, 18, qr.QUIET),
        (ADDRESS, 18, 0),
        ("https://ledger.example/label/夜想曲/جزيرة", 25, qr.QUIET),
        (f"https://ledger.example/label/moonrise/{'x' * 200}", 43, qr.QUIET),
    ],
)
def test_a_printed_code_leads_to_its_address(
    tmp_path: Path, address: str, millimetres: int, margin: int
) -> None:
    assert codes(on_paper(qr.svg(address, margin), tmp_path, millimetres)) == [address]


def test_a_stain_on_a_twentieth_of_it_hides_nothing(tmp_path: Path) -> None:
    whole = on_paper(qr.svg(ADDRESS, qr.QUIET), tmp_path, 43)
    width, side = whole.width, int(whole.width * 0.05**0.5 * 0.8)
    chance = random.Random(1)
    for _ in range(10):
        stained = whole.copy()
        # Right of and below the three corners by which a reader finds a code.
        x, y = (chance.randrange(int(width * 0.36), int(width * 0.88) - side) for _ in "xy")
        ImageDraw.Draw(stained).rectangle((x, y, x + side, y + side), fill=chance.choice((0, 255)))
        assert codes(stained) == [ADDRESS]


def test_where_no_code_is_none_is_read(tmp_path: Path) -> None:
    blank = on_paper(b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>', tmp_path, 25)
    assert codes(blank) == []
