"""What is around every page: where one is, who one is, in which language."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ledger.core.digest import sha256_hex
from ledger.render import svg
from ledger.render.pages.addresses import part_of
from ledger.render.pages.languages import COMPLETE, Language, language
from ledger.render.report import ink
from ledger.render.text import visible


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go: its address, its name (a key of the catalogues), and whether one is there."""

    href: str
    name: str
    here: bool = False


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one page. ``viewer`` is ``None`` for somebody whom nobody knows.

    ``assets`` are the addresses of style sheet and scripts, by name. ``pictures`` says that there may
    be pictures of recorded files for this viewer. ``query`` is what followed the question
    mark, without the language.
    """

    language: Language
    path: str
    query: tuple[tuple[str, str], ...]
    studio: str
    assets: dict[str, str]
    places: tuple[Place, ...] = ()
    production: str | None = None
    inner: tuple[Place, ...] = ()
    viewer: str | None = None
    roles: tuple[str, ...] = ()
    pictures: bool = False
    can_sign_in: bool = field(default=True)

    @property
    def way_in(self) -> str:
        """Return where one signs in, to come back here: but never with a link's secret in the address."""
        return "/sign-in" if self.path.startswith("/s/") else f"/sign-in?{urlencode({'to': self.path})}"

    @property
    def languages(self) -> list[tuple[str, str, str]]:
        """Return code, own name and address of each language that is offered."""
        shown = dict.fromkeys((*COMPLETE, self.language.code))
        return [
            (code, language(code).name, f"{self.path}?{urlencode([*self.query, ('lang', code)])}")
            for code in shown
        ]


def page(template: str, shell: Shell, **values: Any) -> str:
    """Return a page of ``templates/pages``."""
    found = _environment(shell.language.code).get_template(f"pages/{template}")
    return found.render(shell=shell, **values)


@cache
def style() -> str:
    """Return the style sheet of every page: that of the reports, and more."""
    load = _environment("en").get_template
    parts = [load(name).render() for name in ("base.css", "report/report.css", "pages/pages.css")]
    dark = f"@media screen and (prefers-color-scheme:dark){{{ink.DARK}}}"
    return "\n".join([*parts, svg.STYLE, dark])


class _Translating(Environment):
    """An environment with what the extension for translations adds to it."""

    newstyle_gettext: bool


@cache
def _environment(code: str) -> Environment:
    spoken = language(code)
    environment = _Translating(
        loader=PackageLoader("ledger.render"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    # Values inside a translated text are data as everywhere: so these, and not the extension's own.
    environment.newstyle_gettext = True
    environment.globals |= {"gettext": spoken.gettext, "ngettext": spoken.ngettext, "_": spoken.gettext}
    environment.globals |= {"looks": ink.VERDICTS, "grades": ink.GRADES, "spoken": spoken}
    environment.filters |= {
        "day": spoken.day,
        "moment": spoken.moment,
        "number": spoken.number,
        "part": part_of,
        "territory": spoken.territory,
        "token": token,
        "ticked": ticked,
    }
    return environment


def token(value: str) -> str:
    """Return a short name for a value that may be anything, fit for an ``id``."""
    return f"t{sha256_hex(value.encode('utf-8', 'surrogatepass'))[:12]}"


def ticked(text: str) -> Markup:
    """Return a sentence of ours with what stands between backticks as code."""
    code = Markup('<code dir="ltr">{}</code>')
    parts = escape(text).split("`")  # every second one stood between two of them
    return Markup("").join(code.format(part) if n % 2 else part for n, part in enumerate(parts))


def _shown(value: Any) -> Any:
    """Show the invisible in everything but what is markup already."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
