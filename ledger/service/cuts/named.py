"""The final files of a production by their names: for media that a cut shows and that does not lie here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
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
    """``finals`` by their names, then by the key of their shots; ``bases`` are what each rests on."""

    finals: Mapping[str, Mapping[str | None, list[Final]]]
    bases: Mapping[int, frozenset[Item]]

    def at(self, name: str, said: str) -> list[File]:
        """Return the files of this name that lie where the clip or its path says, in the order of the log.

        One whose shot nobody names may be another shot's file of the same name: it is left out.
        """
        by_shot = self.finals.get(name)
        if by_shot is None:
            return []
        spoken = _spoken(said)
        placed = [final for shot in (None, *spoken) for final in by_shot.get(shot, ())]
        nearer = [final for final in placed if final.sequence and key_of(final.sequence) in spoken]
        return [
            File(final.name, final.sha256, self.bases[final.basis], None, final)
            for final in sorted(nearer or placed, key=lambda final: final[:2])
        ]


def finals_named(studio: Studio, names: Collection[str]) -> Named:
    """Return the production's final files with these names. The bases must have been caught up."""
    finals: dict[str, dict[str | None, list[Final]]] = {}
    bases = set[int]()
    for final in studio.bases.finals_at(Where()) if names else ():
        if final.name in names:
            shot = None if final.shot is None else key_of(final.shot)
            finals.setdefault(final.name, {}).setdefault(shot, []).append(final)
            bases.add(final.basis)
    return Named(finals, items_of(studio.bases, bases))


@lru_cache(4096)
def key_of(place: str) -> str:
    """Return what the name of a place is found by: lower case, from its first word to its last one."""
    text = place.lower()
    words = [found.span() for found in _WORD.finditer(text)]
    return text[words[0][0] : words[-1][1]] if words else text


def _spoken(said: str) -> frozenset[str]:
    """Return every stretch of whole words of a text, in lower case: with what stands between the words."""
    text = said.lower()
    words = [found.span() for found in _WORD.finditer(text)]
    return frozenset(
        text[start:stop] for n, (start, _) in enumerate(words) for _, stop in words[n : n + MAX_WORDS]
    )
