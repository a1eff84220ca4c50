"""The languages of the pages: their catalogues are whole, and what they write is fit to be shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.rights.territory_table import COUNTRIES, GROUPS, NOWHERE, WORLD
from ledger.render.pages.languages import COMPLETE, ENGLISH, LANGUAGES, Language, chosen, language
from ledger.render.text import visible
from tests.support.catalogs import (
    FOLDER,
    TRANSLATED,
    catalogue,
    said,
    translations_in,
    updated,
)

TRANSLATED_WHOLLY = [code for code in COMPLETE if code != ENGLISH]
SAME_IN_JAPANESE = {"SNS", "SHA-256", "LoRA", "ControlNet", "VAE"}
"""What Japanese writes in Latin letters too."""
KEPT = re.compile(r"%\(\w+\)[a-z]|%%|</?\w[^>]*>|`[^`]*`|https?://\S+")
"""What a translation must hold as the English text does: values, markup, commands."""
SPOKEN = [language(code) for code in LANGUAGES]
every_language = pytest.mark.parametrize("spoken", SPOKEN, ids=lambda spoken: spoken.code)


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_holds_what_the_pages_say_and_nothing_else(code: str) -> None:
    kept = (FOLDER / f"{code}.po").read_bytes()
    assert kept == updated(code, translations_in(code)), "run: python -m tests.support.catalogs"


@pytest.mark.parametrize("code", TRANSLATED_WHOLLY)
def test_a_language_that_is_offered_says_everything(code: str) -> None:
    assert sorted(map(str, said() - set(translations_in(code)))) == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_keeps_values_markup_and_commands(code: str) -> None:
    wrong = []
    for message, translation in translations_in(code).items():
        wanted = {tuple(sorted(KEPT.findall(text))) for text in message}
        # Where a form is for one number alone, it need not say the number.
        wanted |= {tuple(part for part in each if part != "%(num)s") for each in wanted}
        found = {tuple(sorted(KEPT.findall(text))) for text in translation}
        if not all(translation) or not found <= wanted:
            wrong.append((message, translation))
    assert wrong == []
    assert [each.id for each in catalogue(code) if each.fuzzy and each.id] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_counted_thing_has_every_form_of_its_language(code: str) -> None:
    forms = catalogue(code).num_plurals
    counted = {one: found for one, found in translations_in(code).items() if len(one) > 1}
    assert {one: found for one, found in counted.items() if len(found) != forms} == {}


def test_japanese_is_japanese() -> None:
    latin = {text for found in translations_in("ja").values() for text in found if text.isascii()}
    assert latin <= SAME_IN_JAPANESE


def test_plural_forms_are_those_of_the_language() -> None:
    tags = ("zero", "one", "two", "few", "many", "other")
    arabic = Locale.parse("ar")
    numbers = range(1_000)
    assert [language("ar").form(n) for n in numbers] == [tags.index(arabic.plural_form(n)) for n in numbers]
    assert {language(code).form(n) for code in ("ja", "vi", "id") for n in numbers} == {0}


@given(st.text() | st.from_regex(r"[a-zA-Z*,;=q. 0-9-]*", fullmatch=True))
def test_whatever_a_browser_says_there_is_a_language(header: str) -> None:
    assert chosen(header, header, header).code in LANGUAGES


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("JA-jp", "ja"),
        ("ja-Hira-JP", "ja"),
        ("fr, ja;q=0.9, en;q=0.8", "ja"),
        ("en;q=0.8, ja;q=0.9", "ja"),
        ("en, ja", "en"),
        ("ja;q=0", "en"),
        ("ja ; Q=0.5 , en;q=0.4", "ja"),
        ("ja;q=nan", "en"),
        ("ja;q=2", "en"),
        ("*", "en"),
        ("ar", "en"),
        ("x," * 1_000 + "ja", "en"),
    ],
)
def test_the_language_that_a_reader_likes_best_is_chosen(header: str, code: str) -> None:
    assert chosen(None, None, header).code == code


def test_what_somebody_asks_for_goes_before_what_they_chose_before() -> None:
    assert chosen("ar", "ja", "en").code == "ar"
    assert chosen(None, "vi", "en").code == "vi"
    assert chosen("xx", "yy", "ja").code == "ja"


def test_each_language_calls_itself_by_its_own_name() -> None:
    assert [spoken.name for spoken in SPOKEN] == ["English", "日本語", "Tiếng Việt", "Indonesia", "العربية"]


@every_language
def test_every_territory_has_a_name(spoken: Language) -> None:
    codes = {NOWHERE, WORLD, *COUNTRIES, *GROUPS, *" ".join(COUNTRIES.values()).split()}
    names = {code: spoken.territory(code) for code in codes}
    assert [code for code, name in names.items() if name == code or visible(name) != name] == []


def test_a_territory_that_nobody_knows_is_shown_as_it_is_written() -> None:
    assert language("ja").territory("Q\u202eZ") == "Q\ufffdZ"


@every_language
@given(at=st.datetimes(timezones=st.just(UTC)), now=st.datetimes(timezones=st.just(UTC)))
def test_moments_are_written_in_every_language(spoken: Language, at: datetime, now: datetime) -> None:
    shown = spoken.moment(at)
    assert f'-{at:%m-%dT%H:%M:%S}Z"' in shown
    assert shown.endswith(" UTC</time>")
    assert spoken.day(at)
    assert spoken.ago(at, now)


@every_language
@given(whole=st.integers(1, 10**9), data=st.data())
def test_a_share_is_never_rounded_to_all_or_nothing(
    spoken: Language, whole: int, data: st.DataObject
) -> None:
    part = data.draw(st.integers(0, whole))
    shown = spoken.percent(part, whole)
    assert (shown == spoken.percent(0, 1)) == (part == 0)
    assert (shown == spoken.percent(1, 1)) == (part == whole)


@every_language
def test_values_are_data_in_every_text(spoken: Language) -> None:
    hostile = "<b>\u202e"
    assert spoken.gettext("%(x)s", x=hostile) == "&lt;b&gt;\ufffd"
    assert spoken.ngettext("%(num)s file", "%(num)s files", 1_000).startswith(spoken.number(1_000))


def test_what_no_catalogue_has_is_data() -> None:
    for code in LANGUAGES:
        assert language(code).gettext("<b>x</b> 100%%") == "&lt;b&gt;x&lt;/b&gt; 100%"
        assert "<b>" not in language(code).ngettext("<b>one", "<b>many", 2)
        assert language(code).gettext("Sign in") != ""
