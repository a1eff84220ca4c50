"""What a report is of: every file that was asked for, shot by shot, and every frame that no file has.

* With a timeline the shots are those of the cut, in its order, with their timecodes. Else they are the
  places in the production where the files were made, by name.
* A shot is its episode, its sequence and its name together. What is in two shots is in both.
* A frame that two files of one shot have, in different versions, is *in two versions*: both are in the
  report, and it says that somebody has to decide.
* Nothing that was asked for is left out: what is absent or unexplained has a row as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ledger.core import canonical
from ledger.core.cut import Cut, timecode
from ledger.core.digest import sha256_hex
from ledger.core.otio import read_otio
from ledger.core.rights.basis import Item
from ledger.errors import UsageError
from ledger.service.clear.places import WHOLE
from ledger.service.clear.projecting import makers_of_files
from ledger.service.clear.recorded import Kind, Target
from ledger.service.clear.store import EntryRow, Final, Where
from ledger.service.clear.targets import on_record, resolve
from ledger.service.cuts.resolve import targets_of, timeline_bytes
from ledger.service.places import Place
from ledger.service.studio import Studio

_NUMBER = re.compile(r"[0-9]+")
_NOWHERE = Place()


class Known:
    """How a file of the population is known."""

    BYTES = "bytes"
    PIXELS = "pixels"
    NAME = "name"
    UNKNOWN = "unknown"


class Frame(NamedTuple):
    """One file. ``basis`` is ``None`` where no record explains it."""

    name: str
    sha256: str
    known: str
    basis: frozenset[Item] | None
    frame: int | None
    version: str | None
    entry: int | None
    episode: str | None = None


@dataclass(slots=True)
class Shot:
    """One shot: its name, its ``place`` in the production, its timecodes in the cut, its files in order.

    ``absent`` counts the frames that were asked for and that no file has.
    """

    name: str
    place: Place
    timecodes: tuple[str, str] | None = None
    frames: list[Frame] = field(default_factory=list)
    absent: int = 0

    @property
    def doubles(self) -> dict[int, list[Frame]]:
        """Return the frames that are there in more than one version, by number."""
        found: dict[int, list[Frame]] = {}
        for item in self.frames:
            if item.frame is not None:
                found.setdefault(item.frame, []).append(item)
        return {
            number: held
            for number, held in found.items()
            if len({item.version for item in held}) > 1 and len({item.sha256 for item in held}) > 1
        }


@dataclass(frozen=True, slots=True)
class Population:
    """``targets`` are what is cleared, ``scope`` the same in words.

    ``cut`` is what can be seen of the timeline, ``timeline`` its file: OpenTimelineIO's JSON.
    """

    scope: str
    shots: tuple[Shot, ...]
    targets: tuple[Target, ...]
    cut: Cut | None = None
    timeline: bytes | None = None

    @property
    def digest(self) -> str:
        """Return the SHA-256 (hex) of the list of all that was asked for."""
        listed = [
            [
                shot.name,
                shot.place.words,
                list(shot.timecodes or ()),
                shot.absent,
                [item[:2] for item in shot.frames],
            ]
            for shot in self.shots
        ]
        return sha256_hex(canonical.encode(listed))


def of_cut(studio: Studio, timeline: Path) -> Population:
    """Return what a timeline shows. Raises what ``read_cut`` and ``targets_of`` raise.

    Raises ``UsageError("report.empty")`` for one in which nothing can be seen.
    """
    document = timeline_bytes(timeline)
    cut = read_otio(document)
    if not cut.shots:
        raise UsageError("report.empty", f"{timeline} shows no picture.", path=timeline)
    targets = tuple(targets_of(studio, cut, timeline))
    shots = []
    makers = _makers(studio, targets)
    for shown, target in zip(cut.shots, targets, strict=True):
        found = list(_frames(target, makers))
        codes = timecode(shown.record.start, cut.rate), timecode(shown.record.stop, cut.rate)
        place = next((place for place, _ in found if place != _NOWHERE), _NOWHERE)
        frames = [frame for _, frame in found]
        shots.append(Shot(shown.clip or shown.media.label, place, codes, frames, target.absent))
    return Population(f"the cut {cut.name or timeline.name}", tuple(shots), targets, cut, document)


def of_targets(studio: Studio, texts: Sequence[str]) -> Population:
    """Return what these targets stand for (``clear.targets``). Raises what ``resolve`` raises.

    Raises ``UsageError("report.empty")`` for a production without a final file.
    """
    if list(texts) == [WHOLE] and next(studio.bases.finals_at(Where()), None) is None:
        raise UsageError("report.empty", f"{studio.production} has no final file on record.")
    return _of(studio, texts, resolve(studio, texts))


def of_recorded(studio: Studio, texts: Sequence[str]) -> Population:
    """Return what these SHA-256s and places stand for, whatever lies on this machine's disk.

    Raises ``UsageError`` with ``clear.unknown-target``, ``clear.not-made`` or ``report.empty``.
    """
    found = []
    for text in texts:
        target = on_record(studio, text)
        if target is None and text != WHOLE:
            words = "A target is neither a SHA-256 nor a place with final files."
            raise UsageError("clear.unknown-target", words, target=text)
        found += [target] if target else []
    return _of(studio, texts, tuple(found))


def _of(studio: Studio, texts: Sequence[str], targets: tuple[Target, ...]) -> Population:
    makers = _makers(studio, targets)
    shots: dict[Place | str, Shot] = {}
    for target in targets:
        places = set[Place]()
        for place, frame in _frames(target, makers):
            shots.setdefault(place, Shot(place.words or "no shot named", place)).frames.append(frame)
            places.add(place)
        if target.absent:
            where = places.pop() if len(places) == 1 else Place(shot=target.text)
            shots.setdefault(target.text, Shot(target.text, where)).absent += target.absent
    for shot in shots.values():
        shot.frames.sort(
            key=lambda item: (item.frame is None, item.frame or 0, item.name, item.version or "")
        )
    if not shots:
        raise UsageError("report.empty", f"{studio.production} has no final file on record.")
    ordered = sorted(shots.values(), key=lambda shot: (shot.place.words, shot.name))
    return Population(scope_of(studio.production, texts), tuple(ordered), targets)


def scope_of(production: str, texts: Sequence[str]) -> str:
    """Return in words what a report of these targets is of."""
    match texts:
        case [text] if text == WHOLE:
            return f"the production {production}"
        case [text] if text.count("/") == 1 and text.endswith(f"/{WHOLE}"):
            return f"the episode {text[:-2]}"
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def _makers(studio: Studio, targets: Iterable[Target]) -> dict[str, EntryRow]:
    """Return the newest step that made each file that was not found by its place."""
    asked = (file for target in targets for file in target.files)
    known = {file.sha256 for file in asked if file.pixels is None and file.final is None}
    return makers_of_files(studio, known)


def _frames(target: Target, makers: Mapping[str, EntryRow]) -> Iterator[tuple[Place, Frame]]:
    """Yield each file of a target once for each place. Of several rows of it there, the newest counts."""
    by_name = {file.sha256 for file in target.files[len(target.files) - target.by_name :]}
    placed = ((file, file.final or makers.get(file.sha256)) for file in target.files)
    each = {(file.sha256, step.place if step else _NOWHERE): (file, step) for file, step in placed}
    for (_, place), (file, step) in each.items():
        how = Known.PIXELS if file.pixels else Known.BYTES
        if target.kind is Kind.SHOT and file.sha256 in by_name:
            how = Known.NAME
        number, version = number_of(file.name, step), step.version if step else None
        entry = step.index if step else None
        yield place, Frame(file.name, file.sha256, how, file.basis, number, version, entry, place.episode)
    for unknown in target.unknown:
        number = number_of(unknown.name, None)
        yield _NOWHERE, Frame(unknown.name, unknown.sha256, Known.UNKNOWN, None, number, None, None)


def number_of(name: str, step: Final | EntryRow | None) -> int | None:
    """Return a file's frame: that of its step, if it is one, else the last number in its name that fits."""
    if step and step.first is not None and step.first == step.last:
        return step.first
    found = [int(part) for part in _NUMBER.findall(name.rpartition(".")[0]) if len(part) < 10]
    if step and step.first is not None and step.last is not None:
        found = [number for number in found if step.first <= number <= step.last]
    return found[-1] if found else None
