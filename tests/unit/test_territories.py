"""Territories are sets of countries: what a code holds, and what is refused when somebody writes one down."""

import pytest

from ledger.core.rights.territories import asked, check, expand, known
from ledger.errors import UsageError

EASTERN_ASIA = {"CN", "HK", "JP", "KP", "KR", "MN", "MO", "TW"}


def test_a_country_is_itself() -> None:
    assert expand(["JP"]) == {"JP"}


def test_a_region_is_its_countries() -> None:
    assert expand(["030"]) == EASTERN_ASIA


def test_a_region_of_regions_is_all_of_them() -> None:
    assert expand(["003"]) == expand(["021", "013", "029"])
    assert {"US", "MX", "JM"} <= expand(["003"])
    assert "BR" not in expand(["003"])


def test_nothing_included_is_the_world() -> None:
    assert expand([]) == expand(["001"])
    assert len(expand([])) == 249


def test_the_world_except_a_region_and_a_country() -> None:
    assert expand(["001"], ["030", "US"]) == expand([]) - EASTERN_ASIA - {"US"}
    assert expand([], ["JP"]) == expand([]) - {"JP"}


def test_what_overlaps_counts_once() -> None:
    assert expand(["030", "JP", "142"]) == expand(["142"])


def test_an_unknown_code_that_is_included_adds_nothing() -> None:
    assert expand(["JP", "ZZ"]) == {"JP"}
    assert expand(["ZZ"]) == frozenset()


def test_an_unknown_code_that_is_excluded_leaves_nothing() -> None:
    assert expand(["001"], ["ZZ"]) == frozenset()


def test_a_delivery_to_nobody_knows_where_is_never_covered() -> None:
    assert asked(["JP", "ZZ"]) == {"JP", "ZZ"}
    assert not asked(["ZZ"]) <= expand(["001"])
    assert asked([]) == expand([])


def test_antarctica_is_in_the_world_alone() -> None:
    assert "AQ" in expand(["001"])
    assert not any("AQ" in expand([region]) for region in ("002", "003", "009", "019", "142", "150"))


@pytest.mark.parametrize("code", ["jp", "JPN", "392", "830", "000", "XK", "EU", "UK", "", "Japan", "0" * 99])
def test_what_is_no_code_is_refused_when_it_is_written(code: str) -> None:
    assert not known(code)
    for include, exclude in (([code], []), (["001"], [code])):
        with pytest.raises(UsageError) as caught:
            check(include, exclude)
        assert caught.value.code == "rights.territory"


@pytest.mark.parametrize(("code", "word"), [("EU", "name the states"), ("UK", "GB"), ("XK", "Kosovo")])
def test_a_code_that_contracts_do_use_is_refused_with_its_reason(code: str, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        check([code])


@pytest.mark.parametrize(
    ("include", "exclude"),
    [
        (["JP"], ["JP"]),
        (["JP"], ["142"]),
        (["030"], ["150", "142"]),
        ([], ["001"]),
    ],
)
def test_a_territory_of_which_nothing_is_left_is_refused(include: list[str], exclude: list[str]) -> None:
    with pytest.raises(UsageError, match="No territory is left") as caught:
        check(include, exclude)
    assert caught.value.code == "rights.territory"


def test_what_is_checked_is_what_is_expanded() -> None:
    assert check(["142"], ["030"]) == expand(["142"], ["030"])
