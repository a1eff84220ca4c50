"""The pictures of a report: of the shots and of the files whose way is shown, where the files lie at hand.

* A file is looked for by the name that its record has, and taken only for its bytes: those that are in the
  report, or those of the same file after it was sealed.
* The worst shots come first, and there are at most ``MOST``: a report is no contact sheet.
* A picture is never a reason to fail. What does not lie here, or does not decode, has none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from ledger.core.audit import Report
from ledger.errors import RefusedError, UsageError
from ledger.service.archive import Archive
from ledger.service.files import check_unchanged, identify
from ledger.service.report.population import Population
from ledger.service.report.report import Made
from ledger.service.studio import Studio

MOST = 60
FOLDER = "thumbnails"

Small = Callable[[Path], bytes | None]
"""Returns a picture file in small, as JPEG; ``None`` where it cannot be decoded."""


def pictured(
    studio: Studio, made: Made, files: Iterable[Path], folders: Iterable[Path], small: Small
) -> Made:
    """Return the report with its pictures: of these files, and of those at any depth in these folders."""
    found: dict[str, bytes] = {}
    wanted = list(islice(dict.fromkeys(_wanted(made.report)), MOST))
    for sha256, path in _at_hand(studio, wanted, chain(files, _walked(folders)), made.report):
        if sha256 not in found and (data := small(path)) is not None:
            found[sha256] = data
    names = {sha256: f"{FOLDER}/{sha256}.jpg" for sha256 in wanted if sha256 in found}
    return replace(made, report=replace(made.report, pictures=names), thumbnails=found)


def lying(population: Population, texts: Iterable[str], timeline: Path | None) -> Iterator[Path]:
    """Yield where the files may lie that a population was given by: a timeline's media, and targets."""
    shots = population.cut.shots if population.cut and timeline else ()
    for text in dict.fromkeys(path for shot in shots for path in shot.paths()):
        yield Path(timeline.parent if timeline else "", text)
        yield Path(text)
    yield from map(Path, texts)


def _wanted(report: Report) -> Iterator[str]:
    """Yield the digests of what a picture says more about than words, the worst shots first."""
    shots = report.tables["shots"]
    by_shot = dict(zip(map(str, shots.column("shot")), shots.column("picture"), strict=True))
    stops = (stop.sha256 for way in report.lineages.values() for stop in way.stops if stop.kind == "file")
    for sha256 in (*(by_shot[key] for key in report.worst), *stops, *by_shot.values()):
        if sha256 is not None:
            yield sha256


def _names(studio: Studio, report: Report, wanted: Sequence[str]) -> set[str]:
    """Return the names that files with these digests have."""
    frames = report.tables["frames"]
    asked = set(wanted)
    named = zip(frames.column("sha256"), frames.column("name"), strict=True)
    found = {_last(name) for sha256, name in named if sha256 in asked}
    return found | {_last(row.name) for sha256 in wanted for row in studio.entries.artifacts(sha256=sha256)}


def _at_hand(
    studio: Studio, wanted: Sequence[str], files: Iterable[Path], report: Report
) -> Iterator[tuple[str, Path]]:
    """Yield each wanted digest with a file of these bytes, or of the bytes that were sealed from them."""
    archive = Archive(studio)
    names = _names(studio, report, wanted)
    known: dict[str, set[str]] = {}
    for sha256 in wanted:
        for digest in {sha256, archive.sealed_as(sha256) or sha256}:
            known.setdefault(digest, set()).add(sha256)
    for path in files:
        if path.name in names:
            with suppress(UsageError, RefusedError, ValueError):  # gone, unreadable, being written, no path
                identity = identify(path)
                for sha256 in sorted(known.get(identity.sha256, ())):
                    yield sha256, path
                check_unchanged(path, identity)


def _walked(folders: Iterable[Path]) -> Iterator[Path]:
    for top in folders:
        for folder, under, names in os.walk(top):
            under.sort()
            yield from (Path(folder, name) for name in sorted(names))


def _last(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]
