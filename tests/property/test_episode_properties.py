"""Episodes: what is signed with one reads back, what was signed without stays as it is, none is mixed up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.predicates.step import Place as Where
from ledger.core.statement import Statement
from ledger.errors import UsageError
from ledger.service.clear.places import at_place, known_places
from ledger.service.clear.store import Final
from ledger.service.places import Place
from ledger.service.studio import Studio
from ledger.testing.bases import MemoryBasisStore
from tests.support.builders import digest, step

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Zs"]), min_size=1)
SOME = st.none() | TEXTS
NAMES = st.sampled_from([None, "ep01", "ep02", "sq010", "sh010", "1001"])
PLACES = st.builds(Place, NAMES, NAMES, NAMES)
FRAME = 1001


@given(st.builds(Where, TEXTS, sequence=SOME, shot=SOME, task=SOME, version=SOME, episode=SOME))
def test_a_place_reads_back_and_says_nothing_of_an_episode_that_it_has_not(place: Where) -> None:
    made = Statement((Artifact("a", digest("a")),), replace(step(), place=place))
    data = statements.encode(made)
    assert statements.decode(data) == made
    assert ("episode" in json.loads(data)["predicate"]["place"]) == (place.episode is not None)


class Made(MemoryBasisStore):
    """The final files of some places, one in each, and nothing under them."""

    def __init__(self, places: list[Place]) -> None:
        self._places = places

    def finals_at(self, where: Any) -> Iterator[Final]:
        asked = Place(where.episode, where.sequence, where.shot)
        for number, place in enumerate(self._places):
            fits = all(name is None or name == found for name, found in zip(asked, place, strict=True))
            if fits and (where.frames is None or where.frames[0] <= FRAME <= where.frames[1]):
                about = number, 0, f"{number:064x}", "comp.exr", 0, place.sequence, place.shot
                yield Final(*about, "comp", "v1", FRAME, FRAME, place.episode)

    def members(self, bases: Any) -> dict[int, bytes]:
        return dict.fromkeys(bases, b"")


def studio(places: list[Place]) -> Studio:
    return cast("Studio", SimpleNamespace(production="nightfall", bases=Made(places)))


def found(places: list[Place], text: str) -> list[Place] | str:
    """Return where the files were made that a text means, or the code of the refusal."""
    try:
        target = at_place(studio(places), text)
    except UsageError as error:
        return error.code
    return [] if target is None else [file.final.place for file in target.files if file.final]


@given(st.lists(PLACES, min_size=1, max_size=6, unique=True), st.lists(NAMES, min_size=1, max_size=4))
def test_no_text_means_two_episodes(places: list[Place], names: list[str | None]) -> None:
    text = "/".join(name or "-" for name in names)
    got = found(places, text)
    assert got == "clear.ambiguous" or len({place.episode for place in got if isinstance(place, Place)}) <= 1


@given(st.lists(PLACES.filter(lambda place: None not in place), min_size=1, max_size=6, unique=True))
def test_a_shot_of_an_episode_is_found_by_its_words_or_refused(places: list[Place]) -> None:
    for place in places:
        assert found(places, place.words) in ([place], "clear.ambiguous")


TWO = [
    Place(f"ep0{n}", sequence, shot)
    for n in (1, 2)
    for sequence, shot in (("sq010", "sh010"), ("sq010", "sh020"))
]
OLD = Place(None, "sq010", "sh010")


@pytest.mark.parametrize(
    ("places", "text", "expected"),
    [
        (TWO, ".", TWO),
        (TWO, "ep01", TWO[:2]),
        (TWO, "ep02/.", TWO[2:]),
        (TWO, "nightfall/ep02/sq010", TWO[2:]),
        (TWO, "ep02/sq010/.", TWO[2:]),
        (TWO, "ep02/sh020", TWO[3:]),
        (TWO, "ep02/sq010/sh020/1001-1005", TWO[3:]),
        (TWO, "ep02/sh020/1001", TWO[3:]),
        (TWO, "ep02/sh020/1002", []),
        (TWO, "ep03/sq010/sh020", []),
        (TWO, "sq010/sh020", "clear.ambiguous"),
        (TWO, "sh020", "clear.ambiguous"),
        (TWO, "-/sh020", []),
        (TWO[:2], "sq010/sh020", TWO[1:2]),
        ([*TWO, OLD], "sq010/sh010", [OLD]),
        ([*TWO, OLD], "-/sq010/sh010", [OLD]),
        ([*TWO, OLD], "-/.", []),
        ([*TWO, OLD], "-", [OLD]),
        ([*TWO, Place("ep01", None, "sh010")], "ep01/-/sh010", [Place("ep01", None, "sh010")]),
        ([*TWO, Place(None, "ep01", "sh010")], "ep01", "clear.ambiguous"),
        ([*TWO, Place(None, "ep01", "sh010")], "-/ep01", [Place(None, "ep01", "sh010")]),
        ([*TWO, Place(None, "ep01", "sh010")], "ep01/.", TWO[:2]),
    ],
)
def test_places_as_they_are_written(places: list[Place], text: str, expected: list[Place] | str) -> None:
    assert found(places, text) == expected


def test_an_episode_is_among_what_may_have_been_meant() -> None:
    assert {"ep01/.", "ep02/sq010/sh010", "sh020"} <= set(known_places(studio(TWO)))
