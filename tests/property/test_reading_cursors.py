"""A cursor is somebody else's text: it goes on where it said, or is refused, and never breaks anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.core.digest import sha256_hex
from ledger.errors import MalformedError
from ledger.service.reading.pages import Page
from tests.e2e.conftest import Studio, copied, founded
from tests.support.cleared import license_production, policy, shoot
from tests.support.reading import BASE, Reader, digest_of, reading

__all__ = ["founded"]
LISTS = ("/assets", "/steps", "/shots", "/verdicts", "/registry/grants", "/registry/models")
indices = st.integers(-1, 2**53 - 1)
parts = st.one_of(indices, st.text(), st.lists(st.one_of(indices, st.lists(indices), st.text())))


@pytest.fixture(scope="module")
def asked(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Reader, str]]:
    studio = copied(founded, tmp_path_factory.mktemp("cursors"))
    license_production(studio)
    files = shoot(studio)
    studio("clear", ".", *policy(studio), "--record")
    with reading(studio.home) as reader:
        yield reader, digest_of(files["sh010"])


@given(
    st.lists(st.one_of(indices, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
)
def test_a_place_comes_back_as_it_was(place: list[Any]) -> None:
    page = Page(("steps", 7))
    again = Page(("steps", 7), after=page.cursor(*place))
    assert again.place(*(type(part) for part in place)) == place
    with pytest.raises(MalformedError) as error:
        Page(("steps", 8), after=page.cursor(*place)).place(*(type(part) for part in place))
    assert error.value.code == "page.cursor"


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(MalformedError) as error:
        Page(("steps",), after=text).place(int)
    assert error.value.code == "page.cursor"


@given(indices, st.integers(0, 80), st.characters(min_codepoint=32, max_codepoint=126))
def test_a_changed_cursor_is_another_place_of_the_question_or_refused(
    place: int, where: int, letter: str
) -> None:
    cursor = Page(("steps",)).cursor(place)
    where %= len(cursor)
    changed = Page(("steps",), after=cursor[:where] + letter + cursor[where + 1 :])
    with suppress(MalformedError):
        (found,) = changed.place(int) or (place,)
        assert -1 <= found < 2**53


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=60), st.lists(parts, max_size=3)), st.sampled_from(LISTS))
def test_no_cursor_breaks_a_list(asked: tuple[Reader, str], forged: Any, path: str) -> None:
    reader, _ = asked
    words = path.strip("/").split("/")
    blanks = {"assets": 5, "steps": 7, "shots": 0, "verdicts": 4, "registry": 2}[words[0]]
    if isinstance(forged, list):
        try:
            forged = Page((*words, *["None"] * blanks)).cursor(*forged)
        except MalformedError:
            return  # what no JSON of ours can hold
    answer = reader.client.get(BASE + path, params={"after": forged})
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert answer.json()["code"] in ("page.cursor", "request.malformed")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.one_of(indices, st.just("x"), st.tuples(st.sampled_from(["x", "0" * 64]), indices, indices)))
)
def test_no_cursor_breaks_a_lineage(asked: tuple[Reader, str], places: list[Any]) -> None:
    reader, root = asked
    forged = Page(("lineage", root, "up", "10")).cursor(
        [list(item) if isinstance(item, tuple) else item for item in places]
    )
    answer = reader.client.get(f"{BASE}/assets/{root}/lineage", params={"after": forged})
    assert answer.status_code in (200, 400), answer.text


def test_the_forged_cursors_above_reach_the_places_that_they_are_made_for(asked: tuple[Reader, str]) -> None:
    reader, root = asked
    cursor = Page(("steps", *["None"] * 7)).cursor(10**9)
    assert reader.get("/steps", after=cursor)["steps"] == []
    cursor = Page(("lineage", root, "up", "10")).cursor([[root, 3, -1]])
    assert reader.get(f"/assets/{root}/lineage", after=cursor)["edges"]
    unknown = Page(("lineage", root, "up", "10")).cursor([[sha256_hex(b"?"), 3, -1]])
    assert reader.get(f"/assets/{root}/lineage", after=unknown)["edges"] == []
