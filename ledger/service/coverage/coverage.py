"""How much of what lies under a folder the log explains: each file is counted once, in one class.

* ``bytes``: a statement made a file of these bytes. ``pixels``: none did, but one made a file of this
  picture.
* ``used``: nobody recorded the making, and a step read it. ``unattributed``: the log does not know it.
* ``undecided``: it cannot be read, or is being written. ``Apart`` are files that nobody is asked about.
* The share is of all but those set apart. It is rounded down: 100 % means every file.
* A file is looked at by its bytes, never by its name: a copy, a renamed file and a sealed one are explained.
* What a step says of shot and day counts for what it explains; of the rest, the path and the file system.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from fractions import Fraction
from functools import cache as kept
from itertools import islice
from typing import NamedTuple

from ledger.errors import UsageError
from ledger.service.coverage.explain import Explainer, Maker, Use
from ledger.service.hashing import Hasher, Read, Unread
from ledger.service.log.keys import history
from ledger.service.places import shot_at
from ledger.service.stamps import HashCache, Stamp
from ledger.service.studio import Studio
from ledger.service.walk import Apart, Found, Undecided, walk

BATCH = 4096
"""Files that are in memory at a time, next to what is reported."""


class Class(StrEnum):
    """What the log says of a file."""

    BYTES = "bytes"
    PIXELS = "pixels"
    USED = "used"
    UNATTRIBUTED = "unattributed"
    UNDECIDED = "undecided"


EXPLAINED = (Class.BYTES, Class.PIXELS)


class Axis(StrEnum):
    """By what files are counted together."""

    SHOT = "shot"
    FOLDER = "folder"
    DEVICE = "device"
    DAY = "day"
    HOW = "how"


class How(NamedTuple):
    """How a file is explained: by a ``step`` or a ``registered`` thing, of which evidence, by which layer."""

    kind: str
    evidence: str | None
    layer: str | None


Key = str | How | None
"""The name of a group; ``None`` for the files of which it is not known."""


class Chain(NamedTuple):
    """What the server knows of a device's chain of records: missing numbers, and records that came late."""

    gaps: int
    late: int


@dataclass(slots=True)
class Count:
    """Files, and their bytes."""

    files: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        """Count one more."""
        self.files += 1
        self.bytes += size


@dataclass(slots=True)
class Tally:
    """The counts of every class."""

    counts: dict[Class, Count] = field(default_factory=lambda: {each: Count() for each in Class})

    @property
    def total(self) -> Count:
        """All of them."""
        return _sum(self.counts.values())

    @property
    def explained(self) -> Count:
        """Those that a statement explains."""
        return _sum(self.counts[each] for each in EXPLAINED)

    @property
    def open(self) -> int:
        """How many files are not explained."""
        return self.total.files - self.explained.files


class Told(NamedTuple):
    """One file that is reported by name. ``why`` is set of what is undecided or set apart."""

    path: str
    bytes: int
    day: str | None
    shot: str | None = None
    sha256: str | None = None
    use: Use | None = None
    what: Apart | Undecided | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at: a folder, what else to set apart, and how its paths name shots."""

    root: str
    ignore: Sequence[str] = ()
    place: re.Pattern[str] | None = None


@dataclass(slots=True)
class Coverage:
    """The answer. Paths are from the root, in the order of the walk.

    ``size`` is of the log that was asked. ``apart`` counts, and ``reported`` names those of them that are no
    regular files or have vanished.
    """

    root: str
    size: int
    whole: Tally = field(default_factory=Tally)
    by: dict[Axis, dict[Key, Tally]] = field(
        default_factory=lambda: {axis: defaultdict(Tally) for axis in Axis}
    )
    apart: dict[Apart, Count] = field(default_factory=lambda: {each: Count() for each in Apart})
    unattributed: list[Told] = field(default_factory=list)
    used: list[Told] = field(default_factory=list)
    undecided: list[Told] = field(default_factory=list)
    reported: list[Told] = field(default_factory=list)
    chains: Mapping[str, Chain] = field(default_factory=dict)

    def reaches(self, percent: Fraction) -> bool:
        """Whether this share of the files is explained.

        Never of no files at all (a volume may be away), nor where a folder could not be listed.
        """
        total = self.whole.total.files
        unseen = any(item.what is Undecided.UNSEEN for item in self.undecided)
        return total > 0 and not unseen and self.whole.explained.files * 100 >= percent * total


def share(part: int, whole: int) -> float | None:
    """Return a share in percent with one decimal, rounded down; ``None`` of nothing."""
    return part * 1000 // whole / 10 if whole else None


def coverage(
    studio: Studio,
    asked: Asked,
    cache: HashCache,
    told: Callable[[int, int], None] = lambda *_: None,
    chains: Mapping[str, Chain] | None = None,
) -> Coverage:
    """Look at every file under a folder, and return what the log says of them.

    ``told`` hears how many files and bytes are done. ``chains`` are by name of the device. Raises
    ``UsageError("coverage.root")`` for a root that is no folder or cannot be listed, and the log's errors.
    """
    check_root(asked.root)
    explainer = Explainer(studio, studio.entries.head().size)
    devices = {state.keyid: state.device for state in history(studio)}
    found = Coverage(asked.root, explainer.size, chains=chains or {})
    with Hasher(cache, studio.pixels) as hasher:
        counting = _Counting(asked, found, explainer, hasher, devices)
        files = walk(asked.root, asked.ignore)
        while batch := list(islice(files, BATCH)):
            counting.count(batch)
            done = _sum((found.whole.total, *found.apart.values()))
            told(done.files, done.bytes)
    return found


def check_root(root: str) -> None:
    """Return if this is a folder that can be listed. Raises ``UsageError("coverage.root")``."""
    try:
        with os.scandir(root):
            return
    except OSError as error:
        words = f"{root} cannot be walked: {error.strerror}."
        raise UsageError("coverage.root", words, path=root) from error


@dataclass(frozen=True, slots=True)
class _Counting:
    """One walk: what is asked, what has been found, and who is asked for it."""

    asked: Asked
    found: Coverage
    explainer: Explainer
    hasher: Hasher
    devices: Mapping[str, str]

    def count(self, batch: Iterable[Found]) -> None:
        """Count these files."""
        regular: list[Found] = []
        for file in batch:
            if file.what is None:
                regular.append(file)
            else:
                self._leave(file, file.what, file.why)
        read = list(self._keep(regular, self.hasher.identify([self._at(file) for file in regular])))
        makers = self.explainer.by_bytes({item.known.sha256 for _, item in read})
        rest: list[tuple[Found, Read]] = []
        for file, item in read:
            maker = makers.get(item.known.sha256)
            if maker is None:
                rest.append((file, item))
            else:
                self._add(file, item.stamp.size, Class.BYTES, maker)
        self._by_pixels(rest)

    def _by_pixels(self, files: Sequence[tuple[Found, Read]]) -> None:
        """Count files that no statement explains by their bytes."""
        looked = self.hasher.see([(self._at(file)[0], item) for file, item in files])
        seen = list(self._keep([file for file, _ in files], looked))
        pixels = {item.known.pixels for _, item in seen if item.known.pixels}
        makers = self.explainer.by_pixels(pixels)
        rest: list[tuple[Found, Read]] = []
        for file, item in seen:
            maker = makers.get(item.known.pixels or "")
            if maker is None:
                rest.append((file, item))
            else:
                self._add(file, item.stamp.size, Class.PIXELS, maker)
        digests = {item.known.sha256 for _, item in rest}
        uses = self.explainer.used(digests, {item.known.pixels for _, item in rest if item.known.pixels})
        for file, item in rest:
            self._unmade(file, item, uses.get(item.known.sha256) or uses.get(item.known.pixels or ""))

    def _keep(self, files: Sequence[Found], results: Sequence[Read | Unread]) -> Iterator[tuple[Found, Read]]:
        """Yield the files that were read, and count the others."""
        for file, result in zip(files, results, strict=True):
            if isinstance(result, Unread):
                self._leave(file, result.what, result.why)
            else:
                yield file, result

    def _leave(self, file: Found, what: Apart | Undecided, why: str) -> None:
        """Count a file of which nothing is asked, or nothing is known."""
        told = Told(file.path, file.stamp.size, _day(file), self._shot(file), what=what, why=why)
        if isinstance(what, Undecided):
            self._add(file, file.stamp.size, Class.UNDECIDED, None)
            self.found.undecided.append(told)
            return
        self.found.apart[what].add(file.stamp.size)
        if what in _NAMED:
            self.found.reported.append(told)

    def _unmade(self, file: Found, item: Read, use: Use | None) -> None:
        size, sha256 = item.stamp.size, item.known.sha256
        told = Told(file.path, size, _day(file), self._shot(file), sha256, use)
        self._add(file, size, Class.USED if use else Class.UNATTRIBUTED, None)
        (self.found.used if use else self.found.unattributed).append(told)

    def _add(self, file: Found, size: int, what: Class, maker: Maker | None) -> None:
        keys: dict[Axis, Key] = {
            Axis.SHOT: (maker and maker.shot and maker.place.words) or self._shot(file),
            Axis.FOLDER: file.path.rpartition("/")[0] or ".",
            Axis.DEVICE: maker and self.devices.get(maker.keyid, maker.keyid),
            Axis.DAY: (maker and maker.day) or _day(file),
            Axis.HOW: maker and How(maker.kind, maker.evidence, maker.layer),
        }
        self.found.whole.counts[what].add(size)
        for axis, key in keys.items():
            self.found.by[axis][key].counts[what].add(size)

    def _shot(self, file: Found) -> str | None:
        return shot_at(self.asked.place, file.path) if self.asked.place else None

    def _at(self, file: Found) -> tuple[str, Stamp]:
        return f"{self.asked.root}/{file.path}", file.stamp


_NAMED = frozenset({Apart.LINK, Apart.SPECIAL, Apart.VANISHED})
_DAY_NS = 86_400 * 10**9


def _day(file: Found) -> str | None:
    """Return the day on which the file was last written, in UTC; ``None`` where the time makes no sense."""
    return _named(file.stamp.mtime_ns // _DAY_NS) if file.stamp.inode else None


@kept
def _named(day: int) -> str | None:
    try:
        return datetime.fromtimestamp(day * 86_400, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _sum(counts: Iterable[Count]) -> Count:
    total = Count()
    for count in counts:
        total.files += count.files
        total.bytes += count.bytes
    return total
