"""A watch list: names that somebody has to look at when a prompt has them. It finds; it judges nothing.

* Names and texts are folded the same way: NFKC (so that full and half width are one), case, accents of Latin
  letters, hiragana for katakana; ``_``, ``-`` and the middle dot are spaces, a backslash is nothing.
* In a script without spaces (Han, kana, hangul, Thai) a name is found anywhere, and spaces beside such a
  letter do not count; elsewhere it must not touch another letter or digit. So `(by_kumo_tarou:1.2)` has
  *Kumo Tarou*, `kumotarous` has not.
* In the name of a LoRA letters run together: there a name of 5 letters or more is found anywhere.
* A hit names its entry and how it was asked for. It holds nothing of the prompt.
* Finding takes time in proportion to the text, however long the list: at each place only the names that begin
  as the text does there are tried, one look-up for each length that they have.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ledger.core.predicates.step import Evidence
from ledger.core.said import PromptRole, Said

MAX_NAME = 200
MIN_RUN_TOGETHER = 5

_SPACES = re.compile(r"[\s_\-‐-―・·=＝/]+")
_ACCENTS = re.compile(r"[\u0300-\u036f]+")
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_UNSPACED = (
    "\u0e00-\u0e7f\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_BESIDE_UNSPACED = re.compile(rf"(?<=[{_UNSPACED}]) | (?=[{_UNSPACED}])")
_STARTS = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_WORD = re.compile(rf"[^\W{_UNSPACED}]")
_LORA = re.compile(r"<(?:lora|lyco|hypernet):([^:<>\n]{1,200})")
_MANNER_BEFORE = re.compile(
    r"(?:style of|styled? (?:by|after|like)|inspired by|art by|artist|by)[\s:(\[{@]{1,4}\Z"
)
_MANNER_AFTER = re.compile(r"[\s)\]}]{0,4}(?:style|esque|(?:の|な)?(?:画風|絵柄|作風)|風|っぽい|調)")


class WatchKind(StrEnum):
    """What a name is of."""

    ARTIST = "artist"
    STYLE = "style"
    CHARACTER = "character"
    PERFORMER = "performer"
    WORK = "work"
    BRAND = "brand"


class Asked(StrEnum):
    """How a prompt asks for what was named."""

    MANNER = "manner"
    """In the style of, by, …風."""
    NAMED = "named"
    MODEL = "model"
    """The name is a part of a LoRA's or another model's name."""


@dataclass(frozen=True, slots=True)
class WatchTerm:
    """An entry. ``person`` is a performer's pseudonym in the registry, where there is one."""

    term: str
    kind: WatchKind
    aliases: tuple[str, ...] = ()
    note: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found, and how it was asked for. ``where`` is the place, ``evidence`` its class."""

    entry: WatchTerm
    asked: Asked
    where: str = ""
    evidence: Evidence = Evidence.DECLARED


def fold(text: str) -> str:
    """Return the text as names are compared: one space between words, none at the ends."""
    plain = unicodedata.normalize("NFKC", text).replace("\\", "").casefold().translate(_HIRAGANA)
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", plain)))
    return _BESIDE_UNSPACED.sub("", _SPACES.sub(" ", plain)).strip()


class _Index:
    """Names by how they begin, so that at each place of a text only those that begin so are tried."""

    def __init__(self) -> None:
        self._lengths: dict[str, set[int]] = {}
        self._names: dict[str, list[WatchTerm]] = {}

    def add(self, start: str, name: str, term: WatchTerm) -> None:
        self._lengths.setdefault(start, set()).add(len(name))
        self._names.setdefault(name, []).append(term)

    def at(self, text: str, place: int, start: str) -> Iterator[tuple[int, WatchTerm]]:
        """Yield where each name that stands at ``place`` ends, with its entries."""
        for length in self._lengths.get(start, ()):
            if place + length > len(text):
                continue
            for term in self._names.get(text[place : place + length], ()):
                yield place + length, term


class WatchList:
    """Entries, ready to be found. A name that folds to fewer than two letters is passed over."""

    def __init__(self, terms: Iterable[WatchTerm]) -> None:
        self._words, self._run_together = _Index(), _Index()
        self.size = 0
        for term in terms:
            self.size += 1
            for name in (term.term, *term.aliases):
                self._add(fold(name[:MAX_NAME]), term)

    def _add(self, name: str, term: WatchTerm) -> None:
        first = _STARTS.match(name)
        if first is None or len(name) < 2:
            return
        self._words.add(_key(name, 0, first[0]), name, term)
        together = name.replace(" ", "")
        if len(together) >= MIN_RUN_TOGETHER or not _WORD.match(name):
            self._run_together.add(together[:2], together, term)

    def find(self, prompt: str) -> tuple[Hit, ...]:
        """Return each entry that the prompt names, once, with the strongest way in which it is asked for."""
        found: dict[WatchTerm, Asked] = {}
        text = fold(_LORA.sub(" ", prompt))
        for start, end, term in self._named(text):
            asked = Asked.MANNER if _asks_for_manner(text, start, end) else Asked.NAMED
            if found.get(term) is not Asked.MANNER:
                found[term] = asked
        for tag in _LORA.findall(prompt):
            for hit in self.find_model(tag):
                found.setdefault(hit.entry, hit.asked)
        return tuple(Hit(term, asked) for term, asked in found.items())

    def find_model(self, name: str) -> tuple[Hit, ...]:
        """Return each entry whose name is in the name of a model."""
        text = fold(name[: 2 * MAX_NAME]).replace(" ", "")
        found = {
            term: None
            for place in range(len(text) - 1)
            for _, term in self._run_together.at(text, place, text[place : place + 2])
        }
        return tuple(Hit(term, Asked.MODEL) for term in found)

    def _named(self, text: str) -> Iterator[tuple[int, int, WatchTerm]]:
        for match in _STARTS.finditer(text):
            for end, term in self._words.at(text, match.start(), _key(text, match.start(), match[0])):
                if not _runs_on(text, end):
                    yield match.start(), end, term


def find_in(watch: WatchList, said: Said) -> tuple[Hit, ...]:
    """Return the entries that a file's prompts and models name, each once for each place.

    What a prompt asks to be kept out is not asked for: negative prompts are passed over.
    """
    found: dict[tuple[str, WatchTerm], Hit] = {}
    for account in said.accounts:
        hits = [hit for model in account.models for hit in watch.find_model(model.name)]
        for prompt in account.prompts:
            if prompt.role is not PromptRole.NEGATIVE:
                hits += watch.find(prompt.text)
        for hit in sorted(hits, key=lambda hit: list(Asked).index(hit.asked)):
            found.setdefault(
                (account.where, hit.entry), Hit(hit.entry, hit.asked, account.where, account.evidence)
            )
    return tuple(found.values())


def _key(text: str, start: int, first: str) -> str:
    """Return what a name is looked up by: its first word, or two letters where words have no ends."""
    return first if _WORD.match(first) else text[start : start + 2]


def _runs_on(text: str, end: int) -> bool:
    """Whether a word goes on behind ``end``."""
    return bool(_WORD.match(text[end - 1]) and _WORD.match(text[end : end + 1]))


def _asks_for_manner(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 24) : start], text[end : end + 16]
    return bool(_MANNER_BEFORE.search(before) or _MANNER_AFTER.match(after))
