"""Our table of territories, held against ISO 3166-1 and against the shape of UN M49."""

import re
from itertools import combinations

import pycountry

from ledger.core.rights.territories import expand, known
from ledger.core.rights.territory_table import COUNTRIES, GROUPS, NOWHERE
from tests.architecture.project import ROOT

CONTINENTS = ("002", "009", "019", "142", "150")
EU = re.compile(r"<!-- eu -->\n(.*)\n<!-- end -->")


def test_our_countries_are_those_of_iso_3166() -> None:
    assert expand([]) == {country.alpha_2 for country in pycountry.countries}


def test_every_country_is_in_one_undivided_region() -> None:
    listed = [country for countries in COUNTRIES.values() for country in countries.split()]
    assert len(listed) == len(set(listed))
    assert {*listed, NOWHERE} == expand([])


def test_every_country_is_on_one_continent() -> None:
    for one, other in combinations(CONTINENTS, 2):
        assert not expand([one]) & expand([other])
    assert expand(CONTINENTS) | {NOWHERE} == expand([])


def test_every_region_has_countries_and_no_number_of_a_country() -> None:
    numbers = {country.numeric for country in pycountry.countries}
    regions = {*COUNTRIES, *GROUPS, "001"}
    assert regions.isdisjoint(numbers)
    assert all(expand([region]) for region in regions)


def test_no_country_that_was_is_known() -> None:
    gone = {country.alpha_2 for country in pycountry.historic_countries} - expand([])
    assert gone
    assert not any(map(known, gone))


def test_the_european_union_of_the_guide_is_27_states_of_europe_and_cyprus() -> None:
    page = (ROOT / "docs" / "rights" / "profiles.md").read_text(encoding="utf-8")
    found = EU.search(page)
    assert found is not None
    states = found[1].split()
    assert len(set(states)) == len(states) == 27
    assert set(states) - expand(["150"]) == {"CY"}
