"""The files that a question is asked of: final files on record, or those of a population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from ledger.core.fields import present
from ledger.core.rights.facts import Facts
from ledger.service.clear.projecting import items_of
from ledger.service.clear.store import Final, Where
from ledger.service.log.keys import history
from ledger.service.questions.origin import NOBODY, OUTSIDE, Origin, brought_by, origin_of, vendor_of
from ledger.service.report.population import Frame, Population
from ledger.service.studio import Studio

T = TypeVar("T")
BATCH = 1_000
NO_EPISODE, NO_SHOT = "no episode on record", "no shot on record"
_DIGITS = 15


class File(NamedTuple):
    """A final file. ``index`` and ``position`` are its place in the log, -1 where it has none.

    ``party`` is who brought it in, of one that was brought in as it is.
    """

    index: int  # type: ignore[assignment]  # nobody asks a file for tuple.index
    position: int
    sha256: str
    name: str
    shot: str
    task: str | None
    frames: tuple[int, int] | None
    origin: Origin
    party: str | None
    episode: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the members that every answer has of a file."""
        frames = self.frames and {"first": self.frames[0], "last": self.frames[1]}
        return present(
            sha256=self.sha256,
            name=self.name,
            entry=self.index if self.index >= 0 else None,
            shot=self.shot or None,
            task=self.task,
            frames=frames,
        )


@dataclass(slots=True)
class Bases:
    """What bases say of files, each looked at once."""

    studio: Studio
    facts: Facts
    _known: dict[int, tuple[Origin, str | None]] = field(default_factory=dict)

    def of(self, numbers: Collection[int]) -> Mapping[int, tuple[Origin, str | None]]:
        """Return origin and party by the number of the basis."""
        fresh = {number for number in numbers if number not in self._known}
        for number, items in items_of(self.studio.bases, fresh).items() if fresh else ():
            self._known[number] = origin_of(items, self.facts), brought_by(items, self.facts)
        return self._known


def on_record(studio: Studio, facts: Facts, where: Where) -> Iterator[File]:
    """Yield the final files of a place, each once, in the order of the log. One walk over the final files."""
    return of_finals(studio, facts, studio.bases.finals_at(where))


def of_finals(studio: Studio, facts: Facts, finals: Iterable[Final]) -> Iterator[File]:
    """Yield these final files, each once, in their order."""
    bases, seen = Bases(studio, facts), set[int]()
    for some in in_batches(finals):
        known = bases.of({final.basis for final in some})
        for final in some:
            # So many digits tell any two files of a production apart, and are kept at a tenth of the cost.
            digits = int(final.sha256[:_DIGITS], 16)
            if digits not in seen:
                seen.add(digits)
                yield _file(final, *known[final.basis])


def of_population(population: Population, facts: Facts) -> Iterator[File]:
    """Yield the files of a population, shot by shot; one that no record explains is ``unknown``."""
    for shot in population.shots:
        for frame in shot.frames:
            yield _of_frame(frame, shot.place.words, facts)


@dataclass(frozen=True, slots=True)
class Makers:
    """Who recorded the making of files."""

    studio: Studio
    devices: Mapping[str, str]

    def of(self, files: Sequence[File]) -> Iterator[tuple[File, str, str]]:
        """Yield each file with the device that recorded its making, and its vendor."""
        keys = self.studio.rows.keyids({file.index for file in files if file.index >= 0})
        for file in files:
            keyid = keys.get(file.index)
            device = self.devices.get(keyid, keyid[:16]) if keyid else NOBODY
            yield file, device, file.party or (vendor_of(device) if keyid else NOBODY)


def makers(studio: Studio) -> Makers:
    """Return who has recorded in this log."""
    return Makers(studio, {key.keyid: key.device for key in history(studio)})


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield the items in lists of ``BATCH``, so that the database is asked for many at a time."""
    left = iter(items)
    while some := list(islice(left, BATCH)):
        yield some


def unnamed(file: File) -> File:
    """Return a file without the name of who it came from."""
    return file if file.party is None else file._replace(party=OUTSIDE)


def groups(counts: Mapping[str, int], most: int) -> dict[str, Any]:
    """Return the largest groups by name and files, and what the others come to."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = ordered[most:]
    return {
        "groups": [{"name": name, "files": files} for name, files in ordered[:most]],
        "others": {"groups": len(rest), "files": sum(files for _, files in rest)},
    }


def shots_of(files: Iterable[File]) -> Counter[str]:
    """Return how many of the files are in each shot."""
    return Counter(file.shot or NO_SHOT for file in files)


def _file(final: Final, origin: Origin, party: str | None) -> File:
    frames = None if final.first is None or final.last is None else (final.first, final.last)
    about = final.index, final.position, final.sha256, final.name
    return File(*about, final.place.words, final.task, frames, origin, party, final.episode)


def _of_frame(frame: Frame, shot: str, facts: Facts) -> File:
    origin = Origin.UNKNOWN if frame.basis is None else origin_of(frame.basis, facts)
    party = None if frame.basis is None else brought_by(frame.basis, facts)
    index = -1 if frame.entry is None else frame.entry
    frames = None if frame.frame is None else (frame.frame, frame.frame)
    return File(index, -1, frame.sha256, frame.name, shot, None, frames, origin, party, frame.episode)
