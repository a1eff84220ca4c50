"""The languages of the pages: their words, and how each writes moments, numbers and places.

* The words stand in the templates and tables in English, which is the key; ``po/`` has a gettext catalogue
  for each other language. What a catalogue lacks is shown in English.
* Moments are in UTC, and say so: two people in two countries must read the same one.
* Names of territories, dates and numbers are those of Unicode's CLDR.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup

from ledger.core.fields import parse_time
from ledger.render.text import visible

ENGLISH = "en"
COMPLETE = ("en", "ja")
"""The languages that a page offers: every word of theirs was read by somebody."""
LANGUAGES = (*COMPLETE, "vi", "id", "ar")
"""All that can be asked for."""


def N_(message: str) -> str:  # noqa: N802 - the name that every tool for gettext looks for
    """Mark a text that is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Language:
    """One language: ``code`` is BCP 47."""

    code: str
    locale: Locale
    catalog: Catalog | None

    @property
    def name(self) -> str:
        """Return what the language calls itself."""
        return self.locale.get_display_name() or self.code

    @property
    def direction(self) -> str:
        """Return ``ltr`` or ``rtl``."""
        return str(self.locale.text_direction)

    def gettext(self, message: str, /, **values: Any) -> Markup:
        """Return a text with its values; they are data, and are escaped. The text itself may hold markup."""
        return self._filled(self._found(message) or message, values)

    def ngettext(self, one: str, many: str, number: int, /, **values: Any) -> Markup:
        """Return the text for a number of things; ``num`` is the number as people write it."""
        found = self._plural(one, number) if self.catalog else None
        text = found or (one if number == 1 else many)
        return self._filled(text, {"num": self.number(number), **values})

    def number(self, value: float) -> str:
        """Return a number as people write it."""
        return str(format_decimal(value, locale=self.locale))

    def percent(self, part: int, whole: int) -> str:
        """Return a share, never rounded up to all of it, nor down to none."""
        if not whole:
            return "–"
        share = part * 100 / whole
        shown = min(max(share, 0.1), 99.9) if 0 < part < whole else share
        return f"{format_decimal(round(shown, 1), locale=self.locale)} %"

    def moment(self, value: datetime | str | None) -> Markup:
        """Return a moment to the minute, in UTC, as a ``time`` element; a dash for none."""
        return self._time(value, lambda at: f"{format_datetime(at, 'medium', UTC, self.locale)} UTC")

    def day(self, value: datetime | str | None) -> Markup:
        """Return a day, in UTC, as a ``time`` element; a dash for none."""
        return self._time(value, lambda at: format_date(at, "long", self.locale))

    def ago(self, value: datetime | str, now: datetime) -> str:
        """Return how long before ``now`` a moment was, roughly."""
        at = parse_time(value) if isinstance(value, str) else value
        return str(format_timedelta(at - now, add_direction=True, locale=self.locale))

    def territory(self, code: str) -> str:
        """Return the name of a country (ISO 3166-1) or region (UN M49); the code where there is none."""
        return str(self.locale.territories.get(code, visible(code)))

    def _found(self, message: str) -> str | None:
        found = self.catalog.get(message) if self.catalog else None
        text = found.string if found and not found.fuzzy else None
        return text if isinstance(text, str) and text else None

    def _plural(self, one: str, number: int) -> str | None:
        found = self.catalog.get(one) if self.catalog else None
        if found is None or found.fuzzy or not isinstance(found.string, list | tuple):
            return None
        return found.string[self.locale_plural(number)] or None

    def locale_plural(self, number: int) -> int:
        """Return which form of a catalogue's plural a number takes."""
        return _plural_forms(self.code, number)

    @staticmethod
    def _filled(text: str, values: dict[str, Any]) -> Markup:
        shown = {
            key: visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
            for key, value in values.items()
        }
        # The texts are ours, from the templates and the catalogues; only values come from outside.
        return Markup(text) % shown if shown else Markup(text.replace("%%", "%"))  # noqa: S704

    def _time(self, value: datetime | str | None, words: Any) -> Markup:
        if value is None:
            return Markup("–")
        at = (parse_time(value) if isinstance(value, str) else value).astimezone(UTC)
        machine = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return Markup('<time datetime="{}">{}</time>').format(machine, words(at))


@cache
def language(code: str) -> Language:
    """Return a language of ``LANGUAGES``; English for any other code."""
    known = code if code in LANGUAGES else ENGLISH
    catalog = None
    if known != ENGLISH:
        with (files("ledger.render.pages") / "po" / f"{known}.po").open("rb") as file:
            catalog = read_po(file, locale=known)
    return Language(known, Locale.parse(known), catalog)


def chosen(asked: str | None, kept: str | None, accepted: str) -> Language:
    """Return the language of a reader: the one they ask for, that they chose before, or that they read.

    ``accepted`` is an ``Accept-Language`` (RFC 9110 section 12.5.4): of those that are complete, the one with
    the highest weight.
    """
    for code in (asked, kept):
        if code in LANGUAGES:
            return language(str(code))
    return language(next(_accepted(accepted), ENGLISH))


def _accepted(field: str) -> Iterator[str]:
    weighed = []
    for item in field[:200].split(","):
        tag, _, weight = item.strip().partition(";q=")
        try:
            code = Locale.parse(tag, sep="-").language
            weighed.append((-float(weight or 1), code))
        except (ValueError, UnknownLocaleError):
            continue
    yield from (code for _, code in sorted(weighed, key=lambda item: item[0]) if code in COMPLETE)


def _plural_forms(code: str, number: int) -> int:
    if code == "ar":
        tags = ["zero", "one", "two", "few", "many", "other"]
        return tags.index(Locale.parse(code).plural_form(number))
    return 0 if code in {"ja", "vi", "id"} else int(number != 1)
