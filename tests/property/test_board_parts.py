"""What a board is drawn from and addressed by, for whatever comes in: strips, and the names of shots."""

from __future__ import annotations

import re
from itertools import groupby
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from ledger.render.pages.addresses import name_of, part_of, shot_address
from ledger.render.pages.strips import strip
from ledger.service.places import Place

NAMES = (
    st.none() | st.text(max_size=20) | st.sampled_from(["-", ".", "..", "%", "%2F", "a/b", "/", "", "%25"])
)
FRAMES = st.lists(st.sampled_from("crbu"), min_size=1, max_size=400)
BOX = re.compile(r"M(\d+) ([\d.]+)h(\d+)v([\d.]+)h-(\d+)z")


@given(NAMES, NAMES)
def test_every_name_of_a_shot_has_an_address_of_its_own(one: str | None, two: str | None) -> None:
    part = part_of(one)
    assert name_of(unquote(part)) == one
    assert "/" not in part
    assert unquote(part) not in {"", ".", ".."}  # a browser would take such a part away
    assert (part_of(one) == part_of(two)) == (one == two)
    assert shot_address("p/q", Place(None, one, two)).count("/") == 5
    inside = shot_address("p/q", Place(one, two, two))
    assert inside.count("/") == (5 if one is None else 6)
    assert (inside == shot_address("p/q", Place(two, one, one))) == (one == two)


@given(FRAMES, st.integers(1, 90))
def test_each_column_of_a_strip_is_filled_once_and_the_worst_is_seen(frames: list[str], most: int) -> None:
    coded = tuple(part for letter, run in groupby(frames) for part in (letter, len(list(run))))
    drawn = strip(coded, most)
    assert drawn.width == min(len(frames), most)
    assert {letter for letter in "crbu" if f'class="{letter}"' in drawn.paths} == set(frames)
    columns = [0.0] * drawn.width
    for at, top, wide, high, back in BOX.findall(drawn.paths):
        assert wide == back
        assert 0 <= float(top) <= float(top) + float(high) <= 64.2
        for column in range(int(at), int(at) + int(wide)):
            columns[column] += float(high)
    assert all(0 < high <= 64.4 for high in columns)
