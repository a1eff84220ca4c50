"""The languages of the pages: their words, and how each writes moments, numbers and places.

* The words stand in the templates and tables in English, which is the key; ``po/`` has a gettext catalogue
  for each other language. What a catalogue lacks is shown in English.
* Moments are in UTC, and say so: two people in two countries must read the same one.
* Names of territories, dates and numbers are those of Unicode's CLDR.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from gettext import c2py
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta, get_datetime_format
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from ledger.core.fields import parse_time
from ledger.render.text import visible

ENGLISH = "en"
COMPLETE = ("en", "ja")
"""The languages that a page offers: every word of theirs was read by somebody."""
LANGUAGES = (*COMPLETE, "vi", "id", "ar")
"""All that can be asked for."""


_RANGE = re.compile(
    r"[ \t]*(?P<code>[A-Za-z]{1,8})(-[A-Za-z0-9]{1,8})*[ \t]*"
    r"(;[ \t]*[qQ]=(?P<weight>0(\.[0-9]{0,3})?|1(\.0{0,3})?)[ \t]*)?"
)
"""One language of an ``Accept-Language``, with its weight."""


def N_(message: str) -> str:  # noqa: N802 - the name that every tool for gettext looks for
    """Mark a text that is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Language:
    """One language: ``code`` is BCP 47.

    ``words`` are its texts by the English ones: one, or one for each plural form; ``form`` says which of them
    a number takes.
    """

    code: str
    locale: Locale
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    form: Callable[[int], int] = field(default=lambda number: int(number != 1), repr=False)

    @property
    def name(self) -> str:
        """Return what the language calls itself."""
        return self.locale.get_language_name() or self.code

    @property
    def direction(self) -> str:
        """Return ``ltr`` or ``rtl``."""
        return str(self.locale.text_direction)

    def gettext(self, message: str, /, **values: Any) -> Markup:
        """Return a text with its values; they are data, and are escaped.

        A text of ours may hold markup. What no catalogue has came from elsewhere: it is data, too.
        """
        return self._filled(self.words.get(message, (message,))[0], values, ours=message in _ours())

    def ngettext(self, one: str, many: str, number: int, /, **values: Any) -> Markup:
        """Return the text for a number of things; ``num`` is the number as people write it."""
        found = self.words.get(one)
        text = found[self.form(number)] if found else (one, many)[number != 1]
        return self._filled(text, {"num": self.number(number), **values}, ours=one in _ours())

    def number(self, value: float) -> str:
        """Return a number as people write it."""
        return str(format_decimal(value, locale=self.locale))

    def percent(self, part: int, whole: int) -> Markup:
        """Return a share, never rounded up to all of it, nor down to none."""
        if not whole:
            return Markup("–")
        share = part / whole
        shown = min(max(share, 0.001), 0.999) if 0 < part < whole else share
        return self._written(format_percent(round(shown, 3), "#,##0.#%", self.locale))

    def moment(self, value: datetime | str | None) -> Markup:
        """Return a moment to the minute, in UTC, as a ``time`` element; a dash for none."""
        return self._time(value, lambda at: f"{self._minute(at)} UTC")

    def day(self, value: datetime | str | None) -> Markup:
        """Return a day, in UTC, as a ``time`` element; a dash for none."""
        return self._time(value, lambda at: format_date(at, "long", self.locale))

    def ago(self, value: datetime | str, now: datetime) -> Markup:
        """Return how long before ``now`` a moment was, roughly."""
        at = parse_time(value) if isinstance(value, str) else value
        return self._written(format_timedelta(at - now, add_direction=True, locale=self.locale))

    def territory(self, code: str) -> str:
        """Return the name of a country (ISO 3166-1) or region (UN M49); the code where there is none."""
        return str(self.locale.territories.get(code, visible(code)))

    @staticmethod
    def _written(text: str) -> Markup:
        # What CLDR writes may hold the marks that keep numbers the right way around among Arabic letters.
        return escape(text)

    def _minute(self, at: datetime) -> str:
        joined = str(get_datetime_format("medium", self.locale))
        day, time = format_date(at, "medium", self.locale), format_time(at, "short", UTC, self.locale)
        return joined.replace("{1}", day).replace("{0}", time)

    @staticmethod
    def _filled(text: str, values: dict[str, Any], *, ours: bool) -> Markup:
        shown = {
            key: visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
            for key, value in values.items()
        }
        if not ours:
            text = escape(visible(text))
        safe = Markup(text)  # noqa: S704 - it stands in a catalogue of this package, or was escaped just now
        return safe % shown if shown else safe.replace("%%", "%")

    def _time(self, value: datetime | str | None, words: Any) -> Markup:
        if value is None:
            return Markup("–")
        at = (parse_time(value) if isinstance(value, str) else value).astimezone(UTC)
        machine = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return Markup('<time datetime="{}">{}</time>').format(machine, words(at))


@cache
def language(code: str) -> Language:
    """Return a language of ``LANGUAGES``; English for any other code."""
    if code not in LANGUAGES or code == ENGLISH:
        return Language(ENGLISH, Locale.parse("en_GB"))  # days before months, and hours up to 24
    with (files("ledger.render.pages") / "po" / f"{code}.po").open("rb") as file:
        catalog = read_po(file, locale=code)
    words = {}
    for message in catalog:
        (one, *_), found = texts(message.id), texts(message.string)
        if one and all(found) and not message.fuzzy:
            words[one] = found
    return Language(code, Locale.parse(code), words, c2py(catalog.plural_expr))


@cache
def _ours() -> frozenset[str]:
    """Return the texts that are ours: those of a catalogue that has all of them."""
    return frozenset(language(COMPLETE[-1]).words)


def texts(message: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return a message of a catalogue as its forms: one, or what is said of one thing and of many."""
    return (message or "",) if isinstance(message, str | None) else tuple(message)


def chosen(asked: str | None, kept: str | None, accepted: str) -> Language:
    """Return the language of a reader: the one they ask for, that they chose before, or that they read.

    ``accepted`` is an ``Accept-Language`` (RFC 9110 section 12.5.4): of those that are complete, the one with
    the highest weight.
    """
    for code in (asked, kept):
        if code in LANGUAGES:
            return language(str(code))
    return language(next(_accepted(accepted), ENGLISH))


def _accepted(value: str) -> Iterator[str]:
    """Return the complete languages of a header, best first. What is malformed says nothing."""
    said = filter(None, map(_RANGE.fullmatch, value[:400].split(",")))
    weighed = [(-float(each["weight"] or 1), each["code"].lower()) for each in said]
    ranked = sorted(weighed, key=lambda item: item[0])
    yield from (code for weight, code in ranked if weight and code in COMPLETE)
