"""Profiles read back what they wrote, whatever else is in a file is refused; territories are sets."""

from collections.abc import Callable
from typing import Any, cast

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.adapters.profiles import shipped_names, shipped_text
from ledger.core import canonical
from ledger.core.fields import in_order
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.approval import ApprovalKind
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.reasons import Code, Severity
from ledger.core.predicates.scope import Media
from ledger.core.rights.profile import (
    OTHER,
    STAGES,
    ApprovalRule,
    OverrideRule,
    Principle,
    Profile,
    Trigger,
    digest,
    to_json,
)
from ledger.core.rights.profile_document import parse_profile, read_profile
from ledger.core.rights.territories import expand
from ledger.core.rights.territory_table import COUNTRIES, GROUPS
from ledger.errors import MalformedError
from tests.support.strategies import perhaps, sets, texts

SHIPPED = {name: shipped_text(name) for name in shipped_names()}
STREAMER = SHIPPED["streamer"]
TERRITORIES = (*COUNTRIES, *GROUPS, *in_order(expand([])))

codes = st.frozensets(st.sampled_from(Code), max_size=4)
some_codes = st.frozensets(st.sampled_from(Code), min_size=1, max_size=4)
some_classes = st.frozensets(st.sampled_from(Deliverable), min_size=1)
bases = st.frozensets(st.sampled_from(LegalBasis))
names = st.from_regex(r"[a-z0-9]+([.-][a-z0-9]+)*", fullmatch=True).filter(lambda name: len(name) <= 64)
media = st.lists(st.sampled_from(Media), min_size=1, unique=True).map(lambda found: tuple(sorted(found)))
some_territories = st.frozensets(st.sampled_from(TERRITORIES), min_size=1, max_size=5).map(
    lambda found: tuple(in_order(found))
)
approvals = st.builds(
    ApprovalRule, st.sampled_from(ApprovalKind), st.sampled_from(Trigger), some_classes, perhaps(texts)
)
principles = st.builds(Principle, names, texts, some_codes)
profiles = st.builds(
    Profile,
    name=names,
    summary=texts,
    version=texts,
    accepted=st.fixed_dictionaries(dict.fromkeys((*map(str, STAGES), OTHER), bases)),
    severities=st.dictionaries(st.sampled_from(Code), st.sampled_from(Severity), max_size=5),
    grades=st.dictionaries(st.sampled_from(Deliverable), st.sampled_from(Grade)),
    approvals=st.lists(approvals, max_size=3, unique=True).map(tuple),
    principles=st.lists(principles, max_size=3, unique_by=lambda item: item.id).map(tuple),
    overrides=st.builds(OverrideRule, st.integers(1, 100), codes),
    media=media,
    territories=some_territories,
    licensees=sets,
    statutes=st.frozensets(texts, max_size=2),
)
# Any JSON value, for a place in a document where another kind of value belongs.
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | texts | st.sampled_from(Code).map(str),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


def outcome(read: Callable[..., Profile], *arguments: Any) -> Profile | str:
    """Return the profile that was read, or the code of the refusal."""
    try:
        return read(*arguments)
    except MalformedError as error:
        return error.code


@given(profiles)
def test_a_profile_reads_back_from_its_entry(profile: Profile) -> None:
    data = canonical.encode(to_json(profile))
    assert read_profile(canonical.decode(data)) == profile


@given(profiles, profiles)
def test_two_profiles_have_one_digest_only_when_they_say_the_same(one: Profile, other: Profile) -> None:
    assert (digest(one) == digest(other)) == (one == other)


@given(profiles, st.data())
def test_a_document_with_a_wrong_value_is_refused_or_reads_back(
    profile: Profile, data: st.DataObject
) -> None:
    document: dict[str, Any] = to_json(profile)
    table: Any = document
    while True:
        name = data.draw(st.sampled_from(sorted(table)))
        if not isinstance(table[name], dict) or data.draw(st.booleans()):
            break
        table = table[name]
    table[name] = data.draw(values)
    found = outcome(read_profile, document)
    assert found == "profile.malformed" or to_json(cast("Profile", found)) == document


@given(st.text(max_size=200))
@example("a = " + "[" * 5000)
@example("a" + ".a" * 5000 + " = 1")
@example("a = " + "9" * 5000)
@example("a = 2026-02-30")
@example("a = 1e999")
def test_any_text_is_a_profile_or_refused(text: str) -> None:
    assert outcome(parse_profile, text, SHIPPED) == "profile.malformed"


@given(
    st.integers(0, len(STREAMER)),
    st.integers(0, 40),
    st.text(max_size=10) | st.sampled_from(["\n", "[[x]]\n"]),
)
@example(0, 0, "")
def test_a_damaged_file_is_refused_or_is_a_profile_that_reads_back(at: int, gone: int, new: str) -> None:
    found = outcome(parse_profile, STREAMER[:at] + new + STREAMER[at + gone :], SHIPPED)
    assert found == "profile.malformed" or read_profile(to_json(cast("Profile", found))) == found


territories = st.lists(st.sampled_from(TERRITORIES), max_size=6)
unknown = st.text(max_size=4).filter(lambda code: code not in (*TERRITORIES, "001"))


@given(territories, territories)
def test_what_is_excluded_is_not_there_and_what_is_left_was_included(
    include: list[str], exclude: list[str]
) -> None:
    found = expand(include, exclude)
    assert found <= expand(include)
    assert not exclude or not found & expand(exclude)
    assert expand(reversed(include), reversed(exclude)) == found


@given(territories.filter(bool), territories.filter(bool))
def test_two_lists_together_hold_what_each_holds(one: list[str], other: list[str]) -> None:
    assert expand(one + other) == expand(one) | expand(other)


@given(
    territories,
    territories,
    st.text(max_size=4).filter(lambda code: code not in TERRITORIES and code != "001"),
)
def test_an_unknown_code_never_makes_a_grant_wider(include: list[str], exclude: list[str], code: str) -> None:
    wider = expand(include, exclude)
    assert expand([*include, code], exclude) <= wider
    assert expand(include, [*exclude, code]) <= wider
