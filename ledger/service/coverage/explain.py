"""Which statement explains a file: what the log says of many digests, in few questions.

* A step that wrote the bytes explains them; so does the registration of a dataset, a model or a work, and a
  training run. A verdict, a grant or a consent about a file does not say how it was made.
* A seal makes nothing: behind a sealed file stands whatever explains the file before.
* Of several statements the strongest evidence counts, then the best layer of capture, then the oldest entry.
* A file that steps only read was *used*: nobody recorded who made it.
* Entries were read strictly when they were admitted. Here eight members of each are wanted, of hundreds of
  thousands of entries, and only those are looked at.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ledger.core.predicates import Dataset, Model, Seal, Step, TrainingRun, Work, types_of
from ledger.core.predicates.capture import Layer
from ledger.core.predicates.step import Evidence
from ledger.errors import IntegrityError
from ledger.service.clear.store import Link
from ledger.service.log.projection import SEALED_FROM
from ledger.service.places import Place
from ledger.service.studio import Studio

_STEPS, _SEALS = frozenset(types_of(Step)), frozenset(types_of(Seal))
_REGISTERED = frozenset(types_of(Dataset, Model, Work, TrainingRun))
_NO_USE = frozenset({"subject", SEALED_FROM})
_RESEALED = 16
"""How often a file may have been sealed again."""
_EVIDENCE = {kind.value: rank for rank, kind in enumerate(Evidence)}
_LAYERS = {layer.value: rank for rank, layer in enumerate(Layer)}
_KEPT = 50_000
"""Entries whose few members are kept: of a step over many frames each file asks again."""


class Maker(NamedTuple):
    """The statement that explains a file, as far as coverage asks.

    ``kind`` is ``step`` or ``registered``. ``day`` is when the step finished (``2026-11-22``, UTC). What the
    statement does not say is ``None``.
    """

    entry: int
    kind: str
    keyid: str
    evidence: str | None = None
    layer: str | None = None
    episode: str | None = None
    sequence: str | None = None
    shot: str | None = None
    task: str | None = None
    day: str | None = None

    @property
    def place(self) -> Place:
        """Return which shot the statement is about."""
        return Place(self.episode, self.sequence, self.shot)


class Use(NamedTuple):
    """A step that read a file, and in which role."""

    entry: int
    role: str


@dataclass(frozen=True, slots=True)
class _Seal:
    """What the files of a seal were before, by position."""

    sources: tuple[str, ...]


@dataclass(slots=True)
class Explainer:
    """Asks one log, as of when it was made."""

    studio: Studio
    size: int
    _kept: dict[int, Maker | _Seal | None] = field(default_factory=dict)

    def by_bytes(self, digests: Collection[str]) -> dict[str, Maker]:
        """Return who made the files with these SHA-256, where anybody did."""
        wanted = set(digests)
        return self._made(self.studio.bases.links(wanted, self.size, made=True), "sha256")

    def by_pixels(self, pixels: Collection[str]) -> dict[str, Maker]:
        """Return who made a file with these pixels, where anybody did."""
        wanted = set(pixels)
        return self._made(self.studio.bases.twins(wanted, self.size, made=True), "pixels")

    def used(self, digests: Collection[str], pixels: Collection[str]) -> dict[str, Use]:
        """Return, by SHA-256 or pixels, the first step that read such a file."""
        bases = self.studio.bases
        links = [
            *bases.links(set(digests), self.size, made=False),
            *bases.twins(set(pixels), self.size, made=False),
        ]
        found: dict[str, Use] = {}
        for link in sorted(links, key=lambda link: (link.index, link.role, link.position)):
            if link.role not in _NO_USE:
                for digest in (link.sha256, link.pixels):
                    if digest is not None:
                        found.setdefault(digest, Use(link.index, link.role))
        return found

    def _made(self, links: Iterable[Link], column: str) -> dict[str, Maker]:
        """Return the best maker for each digest of the column, through seals to the files before."""
        found: dict[str, Maker] = {}
        waiting = [(getattr(link, column), link) for link in links]
        for _ in range(_RESEALED):
            said = self._look({link.index for _, link in waiting})
            before: dict[str, list[str]] = {}
            for digest, link in waiting:
                match said.get(link.index):
                    case Maker() as maker:
                        found[digest] = min(found.get(digest, maker), maker, key=_rank)
                    case _Seal(sources):
                        before.setdefault(sources[link.position], []).append(digest)
            if not before:
                break
            links = self.studio.bases.links(set(before), self.size, made=True)
            waiting = [(digest, link) for link in links for digest in before[link.sha256]]
        return found

    def _look(self, indices: Collection[int]) -> Mapping[int, Maker | _Seal | None]:
        missing = [index for index in indices if index not in self._kept]
        if missing:
            if len(self._kept) + len(missing) > _KEPT:
                self._kept.clear()
                missing = list(indices)
            entries = self.studio.entries.envelopes_at(missing)
            self._kept.update((index, _said(index, envelope)) for index, envelope in entries.items())
        return self._kept


def _rank(maker: Maker) -> tuple[int, int, int]:
    evidence = _EVIDENCE.get(maker.evidence or "", len(_EVIDENCE))
    return evidence, _LAYERS.get(maker.layer or "", len(_LAYERS)), maker.entry


def _said(index: int, envelope: bytes) -> Maker | _Seal | None:
    """Return the few members of an entry; ``None`` for one that explains no file."""
    try:
        outer = json.loads(envelope)
        statement = json.loads(b64decode(outer["payload"]))
        kind, said = statement["predicateType"], statement["predicate"]
        if kind in _SEALS:
            return _Seal(tuple(item["source"] for item in said["manifests"]))
        if kind in _STEPS or kind in _REGISTERED:
            return _maker(index, outer["signatures"][0]["keyid"], said, step=kind in _STEPS)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise IntegrityError("log.corrupt", "An entry is no statement.", index=index) from error
    return None


def _maker(index: int, keyid: str, said: Mapping[str, Any], *, step: bool) -> Maker:
    place = said.get("place", {})
    moment = said.get("finished") or said.get("recorded")
    return Maker(
        index,
        "step" if step else "registered",
        keyid,
        said.get("evidence"),
        said.get("capture", {}).get("layer"),
        place.get("episode"),
        place.get("sequence"),
        place.get("shot"),
        place.get("task"),
        moment[:10] if moment else None,
    )
