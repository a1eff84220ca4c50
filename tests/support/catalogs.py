"""The words of the pages, gathered into the catalogues: ``python -m tests.support.catalogs [--check]``.

* Words stand in the templates (``_``, ``trans``), in tables (``N_``), and in tables of the core that the
  pages show translated.
* What is translated stays; what the pages no longer say goes. Nothing is guessed from what looks alike.
* The files hold neither dates nor lines of code: a difference between two of them is one of words.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from ledger.core import access
from ledger.core.audit import views
from ledger.core.predicates.reasons import EXPLAINED
from ledger.render import words
from ledger.render.pages.languages import COMPLETE, ENGLISH, LANGUAGES, texts
from ledger.render.report import ink

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "ledger" / "render" / "pages" / "po"
TRANSLATED = tuple(code for code in LANGUAGES if code != ENGLISH)
_AS_RENDERED = {
    "newstyle_gettext": "true",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "extensions": "jinja2.ext.do",
    "silent": "false",
}
_ONE = "nplurals=1; plural=0;"
_PLURALS = {
    "ja": _ONE,
    "vi": _ONE,
    "id": _ONE,
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : "
    "n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
}
_UNREAD = (
    "Made without a speaker: nobody who reads this language has reviewed it. Shown for ?lang={code} only.\n"
)
_HEADER = """# The pages of Rakkan in the language "{code}". See docs/howto/translate-the-pages.md.
{note}msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
Message = tuple[str, ...]


def said() -> set[Message]:
    """Return everything that the pages say, in English; singular and plural of what is counted.

    What is also said of one thing without counting it is the singular of the same message, as gettext has it.
    """
    found = {*_templates(), *_marked(), *((text,) for text in _tables())}
    counted = {message[0] for message in found if len(message) > 1}
    return {message for message in found if len(message) > 1 or message[0] not in counted}


def catalogue(code: str) -> Catalog:
    """Return the catalogue of a language, as it is kept."""
    with (FOLDER / f"{code}.po").open("rb") as file:
        return read_po(file, locale=code)


def updated(code: str, translations: dict[Message, Message]) -> bytes:
    """Return a catalogue of what the pages say now, with the translations that still belong to it."""
    made = Catalog(locale=code, charset="utf-8")
    made.mime_headers = [("Plural-Forms", _PLURALS[code])]
    for message in said():
        found = translations.get(message, ())
        if len(message) > 1:
            made.add(message, found)
        else:
            made.add(message[0], "".join(found))
    buffer = BytesIO()
    write_po(buffer, made, width=110, no_location=True, omit_header=True, sort_output=True)
    note = "" if code in COMPLETE else f"# {_UNREAD.format(code=code)}"
    header = _HEADER.format(code=code, note=note, plurals=_PLURALS[code])
    return header.encode() + buffer.getvalue()


def translations_in(code: str) -> dict[Message, Message]:
    """Return what is translated, by what was said in English."""
    found = {texts(each.id): texts(each.string) for each in catalogue(code) if each.id}
    return {message: string for message, string in found.items() if any(string)}


def _templates() -> Iterator[Message]:
    for path in sorted((ROOT / "ledger/render/templates/pages").glob("*.j2")):
        found = extract_from_file("jinja2.ext.babel_extract", path, options=_AS_RENDERED)
        yield from (texts(message) for _, message, _, _ in found)


def _marked() -> Iterator[Message]:
    keywords = {"N_": None, "gettext": None, "ngettext": (1, 2)}
    for folder in ("api", "ledger"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if b"render.pages.languages import" in path.read_bytes():
                found = extract_from_file("python", path, keywords=keywords)
                yield from (texts(message) for _, message, _, _ in found)


def _tables() -> Iterator[str]:
    for explained in EXPLAINED.values():
        yield from (explained.meaning, explained.mend)
    for looks in (ink.VERDICTS, ink.GRADES, ink.EVIDENCE):
        yield from (look.word for look in looks.values())
    yield from words.USES.values()
    yield from access.MEANINGS.values()
    yield from views.MEANINGS.values()


def main(arguments: list[str]) -> int:
    """Bring the catalogues up to date; with ``--check`` only say which are not. Return the exit status."""
    stale = []
    for code in TRANSLATED:
        kept = translations_in(code)
        path, made = FOLDER / f"{code}.po", updated(code, kept)
        if path.read_bytes() != made:
            stale.append(path.name)
            if "--check" not in arguments:
                path.write_bytes(made)
        sys.stdout.write(f"{path.name}: {len(said() - kept.keys())} messages are not translated\n")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
