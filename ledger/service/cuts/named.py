"""The final files of a production by their names: for media that a cut shows and that does not lie here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ledger.core.rights.basis import Item
from ledger.service.clear.projecting import items_of
from ledger.service.clear.recorded import File
from ledger.service.clear.store import Final, Where
from ledger.service.studio import Studio

MAX_WORDS = 6
"""Words that the name of a shot may have and be found in what a clip or its path says."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Named:
    """``finals`` by their names, then by the key of their shots; ``bases`` are what each rests on.

    ``episodes`` are those of the production, ``of`` the ones that the cut is of as it says itself.
    """

    finals: Mapping[str, Mapping[str | None, list[Final]]]
    bases: Mapping[int, frozenset[Item]]
    episodes: frozenset[str] = frozenset()
    of: frozenset[str] = frozenset()

    def at(self, name: str, said: str) -> list[File]:
        """Return the files of this name that lie where the clip or its path says, in the order of the log.

        One whose shot nobody names may be another shot's file of the same name: it is left out. So it is
        where several episodes have such a shot, and neither clip nor path nor cut says which one is meant.
        """
        by_shot = self.finals.get(name)
        if by_shot is None:
            return []
        spoken = words_of(said)
        placed = [final for shot in (None, *spoken) for final in by_shot.get(shot, ())]
        nearer = [final for final in placed if final.sequence and key_of(final.sequence) in spoken]
        return [
            File(final.name, final.sha256, self.bases[final.basis], None, final)
            for final in sorted(self._in_one_episode(nearer or placed, spoken), key=lambda final: final[:2])
        ]

    def _in_one_episode(self, finals: list[Final], spoken: frozenset[str]) -> list[Final]:
        said = episodes_in(self.episodes, spoken) or self.of
        if said:
            return [final for final in finals if final.episode in said]
        outside = [final for final in finals if final.episode is None]
        return outside or (finals if len({final.episode for final in finals}) == 1 else [])


def finals_named(studio: Studio, names: Collection[str], cut: str) -> Named:
    """Return the production's final files with these names. The bases must have been caught up.

    ``cut`` is what a cut says of itself: its names.
    """
    finals: dict[str, dict[str | None, list[Final]]] = {}
    bases, episodes = set[int](), set[str]()
    for final in studio.bases.finals_at(Where()):
        if final.episode is not None:
            episodes.add(final.episode)
        if final.name in names:
            shot = None if final.shot is None else key_of(final.shot)
            finals.setdefault(final.name, {}).setdefault(shot, []).append(final)
            bases.add(final.basis)
    known = frozenset(episodes)
    return Named(finals, items_of(studio.bases, bases), known, episodes_in(known, words_of(cut)))


def episodes_in(episodes: Iterable[str], spoken: Collection[str]) -> frozenset[str]:
    """Return those of the episodes that are named in what was said."""
    return frozenset(name for name in episodes if key_of(name) in spoken)


@lru_cache(4096)
def key_of(place: str) -> str:
    """Return what the name of a place is found by: lower case, from its first word to its last one."""
    text = place.lower()
    words = [found.span() for found in _WORD.finditer(text)]
    return text[words[0][0] : words[-1][1]] if words else text


def words_of(said: str) -> frozenset[str]:
    """Return every stretch of whole words of a text, in lower case: with what stands between the words."""
    text = said.lower()
    words = [found.span() for found in _WORD.finditer(text)]
    return frozenset(
        text[start:stop] for n, (start, _) in enumerate(words) for _, stop in words[n : n + MAX_WORDS]
    )
