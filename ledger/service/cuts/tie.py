"""Tie a film to the files that its frames are, and record that.

* A tie is by the digests of decoded pictures: it proves that the film shows these files, and no others. What
  made the film out of them is inferred from that.
* A film that lost anything is not tied. What its frames look like is an aid for whoever searches, and is
  never recorded.
* More files than an entry can hold are recorded as lists of frames (``core.splitting``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import StepV2
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.splitting import Name
from ledger.core.splitting import statements as split_statements
from ledger.core.tying import Range, Tie, resembling, tie
from ledger.errors import UndecidedError, UsageError
from ledger.service.cuts.stretches import decoded, stretch_name
from ledger.service.files import check_unchanged, identify
from ledger.service.record import uuid7
from ledger.service.studio import Device, Studio

_NUMBER = re.compile(r"([0-9]+)")


class Outcome(StrEnum):
    """What came of it."""

    TIED = "tied"
    """Every frame of the film is one of the files."""
    PARTLY = "partly"
    """Some frames of the film are among the files, and some are not."""
    NONE = "none"
    """No frame of the film is one of the files, though the film keeps pictures as they are."""
    LOSSY = "lossy"
    """No frame can be: the film does not keep pictures as they are."""


@dataclass(frozen=True, slots=True)
class Tied:
    """A film against files. ``likely`` is a search aid, there only where no frame is tied."""

    film: Artifact
    files: tuple[Artifact, ...]
    found: Tie
    outcome: Outcome
    likely: Tie | None = None

    @property
    def shown(self) -> tuple[Artifact, ...]:
        """Return the files whose pictures are in the film, each bytes once, in the film's order."""
        return tuple({self.files[n].sha256: self.files[n] for n in self.found.files}.values())

    def to_json(self) -> dict[str, Any]:
        """Return the document. Frames are counted from 0; ``files`` are the first and the last name."""
        return {
            "film": {"name": self.film.name, "sha256": self.film.sha256, "frames": self.found.frames},
            "outcome": self.outcome.value,
            "stretches": self._stretches(self.found),
            "holds": [_run(run.first, run.last, self.files[run.file].name) for run in self.found.holds],
            "back": list(self.found.back),
            "extra": [{"first": first, "last": last} for first, last in self.found.extra],
            "missing": [self.files[number].name for number in self.found.missing],
            "likely": self._stretches(self.likely) if self.likely else [],
        }

    def _stretches(self, found: Tie) -> list[dict[str, Any]]:
        return [
            _run(*frames, self.files[files[0]].name, self.files[files[1]].name)
            for frames, files in found.stretches
        ]


def files_in(paths: Iterable[Path], film: Path) -> tuple[Path, ...]:
    """Return the files; a folder stands for what is in it, but for the film, by the numbers in the names."""
    return tuple(
        file
        for path in paths
        for file in (sorted(_inside(path, film), key=_natural) if path.is_dir() else [path])
    )


def tie_film(studio: Studio, film: Path, files: Sequence[Path]) -> Tied:
    """Return which frames of the film are which files.

    Raises ``UsageError`` (``file.…``, ``tie.no-pictures``), ``MalformedError("file.malformed")`` for one that
    is damaged, and ``RefusedError("file.changed")``.
    """
    if not files:
        raise UsageError("tie.no-pictures", "There are no files to tie the film to.")
    whole, frames = decoded(studio, film)
    stills = [_still(studio, path) for path in files]
    found = tie(frames, [still.pixels or "" for still in stills])
    if found.complete:
        return Tied(whole, tuple(stills), found, Outcome.TIED)
    if found.runs:
        return Tied(whole, tuple(stills), found, Outcome.PARTLY)
    outcome = Outcome.NONE if studio.pixels.exact(film) else Outcome.LOSSY
    return Tied(whole, tuple(stills), found, outcome, _likely(studio, film, files))


def record_tie(studio: Studio, device: Device, tied: Tied, place: Place, tool: Tool) -> tuple[int, ...]:
    """Append the step that made the film of its frames, and return the entries, the film's own last.

    Raises ``UndecidedError("tie.incomplete")`` for a film that is not tied as a whole: the record would leave
    out what the rest was made from; and what signing and the log raise.
    """
    if tied.outcome is not Outcome.TIED:
        raise UndecidedError(
            "tie.incomplete", f"{tied.film.name} is not tied as a whole, so nothing was recorded."
        )
    now = studio.clock.now()
    device.check_clock(now)
    step = StepV2(
        step_id=str(uuid7()),
        action=StepAction.CONVERT,
        evidence=Evidence.INFERRED,
        place=place,
        started=now,
        finished=now,
        actor="actor:unnamed",
        tool=tool,
        materials=tuple(replace(file, role=Role.COMPONENT) for file in tied.shown),
    )
    signed = [
        dsse.sign(statements.encode(item), device.signer)
        for item in split_statements((tied.film,), step, _list_name(tied), lambda: str(uuid7()))
    ]
    return tuple(appended.index for appended in studio.log.append(signed))


def _list_name(tied: Tied) -> Name:
    """Return how lists of the shown files are named: by the frames of the film that show their pictures."""
    spans: dict[str | None, Range] = {}
    for run in tied.found.runs:
        pixels = tied.files[run.file].pixels
        first, last = spans.get(pixels, (run.first, run.last))
        spans[pixels] = min(first, run.first), max(last, run.last)
    shown = [spans[file.pixels] for file in tied.shown]  # files with one picture have one span

    def name(first: int, last: int) -> str:
        starts, stops = zip(*shown[first : last + 1], strict=True)
        return stretch_name(min(starts), max(stops), tied.film.name)

    return name


def _still(studio: Studio, path: Path) -> Artifact:
    identity = identify(path)
    pixels = studio.pixels.digest(path)
    check_unchanged(path, identity)
    return Artifact(path.name, identity.sha256, studio.codec.media_type(path), pixels)


def _likely(studio: Studio, film: Path, files: Sequence[Path]) -> Tie | None:
    """Return what the film's frames look like, or ``None`` where nobody can tell of each file."""
    seen = [studio.pixels.likenesses(path) for path in (film, *files)]
    whole, *stills = [found for found in seen if found]
    return resembling(whole, [still[0] for still in stills]) if len(stills) == len(files) else None


def _run(first: int, last: int, *names: str) -> dict[str, Any]:
    return {"first": first, "last": last, "files": list(names)}


def _inside(folder: Path, film: Path) -> list[Path]:
    return [
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and path.resolve() != film.resolve()
    ]


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = _NUMBER.split(path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
