"""A timeline against the log: for each shot the files on record that it shows, and what nobody explains.

* Media that lies here, or in the bundle, is known by its bytes, else by its picture. What lies here and is
  not on record is unknown: its name proves nothing any more.
* Media that does not lie here is looked for by its name among the final files of the shot that the clip or
  its path names. A clip without media is a place in the production: its name, and its frames.
* A cut of an episode says so in its name, or in that of its file; a clip or a path that names another one
  goes before that. What may be in several episodes is in none of them: nothing is guessed.
* Each frame that neither way finds is absent. Nothing is dropped.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ledger.core.cut import Cut, Film, Nothing, Shot
from ledger.core.otio import MAX_BYTES, read_otio
from ledger.errors import MalformedError, UsageError
from ledger.service.clear.places import AMBIGUOUS, at_place
from ledger.service.clear.projecting import bases_of_files
from ledger.service.clear.recorded import File, Kind, Target, Unknown, by_picture, on_disk
from ledger.service.cuts.named import Named, episodes_in, finals_named, words_of
from ledger.service.cuts.stretches import stretches_of
from ledger.service.files import FileIdentity, check_unchanged, identify, read_whole, reading_errors
from ledger.service.studio import Studio

BUNDLE = ".otioz"
_CONTENT = "content.otio"
_PIECE = 1 << 20


def is_timeline(path: Path) -> bool:
    """Whether a file of this name is a timeline, and no list of targets."""
    return path.suffix.lower() in (".otio", BUNDLE)


def read_cut(path: Path) -> Cut:
    """Return what can be seen of a timeline: ``.otio``, or the one in an ``.otioz``.

    Raises ``MalformedError`` with ``cut.malformed`` or ``cut.unsupported``, and ``UsageError("file.…")``.
    """
    return read_otio(timeline_bytes(path))


def timeline_bytes(path: Path) -> bytes:
    """Return the timeline of an ``.otio``, or of the one in an ``.otioz``; no more than may be read of it.

    Raises ``MalformedError("cut.malformed")`` and ``UsageError("file.…")``.
    """
    if not _is_bundle(path):
        return read_whole(path, MAX_BYTES + 1)
    with _opened(path) as bundle, bundle.open(_CONTENT) as content:
        return content.read(MAX_BYTES + 1)


def targets_of(studio: Studio, cut: Cut, timeline: Path) -> Iterator[Target]:
    """Yield one target for each shot of the cut.

    A relative path is looked for in the bundle that the timeline is, then in its folder. The bases must have
    been caught up. Raises ``UsageError("file.…")`` and ``RefusedError("file.changed")``.
    """
    wanted = dict.fromkeys(path for shot in cut.shots for path in shot.paths())
    here = _bundled(studio, wanted, timeline) if _is_bundle(timeline) else {}
    here |= _here(studio, [path for path in wanted if path not in here], timeline.parent)
    away = {_name(path) for path in wanted if path not in here}
    sought = away or any(isinstance(shot.media, Nothing) for shot in cut.shots)
    named = finals_named(studio, away, f"{cut.name} {timeline.stem}") if sought else Named({}, {})
    for shot in cut.shots:
        if isinstance(shot.media, Nothing):
            yield _placed(studio, shot, named)
        else:
            yield _shown(studio, shot, here, named)


def _shown(studio: Studio, shot: Shot, here: Mapping[str, File | Unknown], named: Named) -> Target:
    """Return a shot by the files that it shows."""
    found, absent = list[File](), 0 if shot.numbers else 1
    lying = dict[str, File | Unknown]()
    for path in shot.paths():
        if path in here:
            lying[path] = here[path]
        elif away := named.at(_name(path), f"{shot.clip}/{path}"):
            found += away
        else:
            absent += 1 if shot.is_sequence else len(shot.numbers)
    known = [file for file in lying.values() if isinstance(file, File)]
    if isinstance(shot.media, Film) and shot.frames is not None:
        known = [part for file in known for part in stretches_of(studio, file, shot.frames)]
    unknown = tuple(file for file in lying.values() if isinstance(file, Unknown))
    if lying and not shot.is_sequence:
        absent = 0  # all of a film is here, whichever frames of it are seen
    files = (*known, *dict.fromkeys(found))
    return Target(shot.label, Kind.SHOT, files, unknown, absent, len(files) - len(known))


def _placed(studio: Studio, shot: Shot, named: Named) -> Target:
    """Return a shot without media by the place that its name is."""
    first, last = shot.frames or (-1, -1)
    found = _at(studio, f"{shot.clip}/{first}-{last}", named) if first >= 0 and shot.clip else None
    if found is None:
        return Target(shot.label, Kind.SHOT, (), absent=max(1, len(shot.numbers)))
    return Target(shot.label, Kind.SHOT, found.files, absent=found.absent, by_name=len(found.files))


def _at(studio: Studio, place: str, named: Named) -> Target | None:
    """Return what is at a place; in a cut of one episode, there."""
    said = episodes_in(named.episodes, words_of(place)) or named.of
    try:
        for text in (*(f"{episode}/{place}" for episode in said), place):
            found = at_place(studio, text)
            if found is not None:
                episodes = {file.final.episode for file in found.files if file.final}
                return found if episodes <= {None, *said} or not said else None
    except UsageError as error:
        if error.code != AMBIGUOUS:
            raise
    return None


def _here(studio: Studio, wanted: Collection[str], folder: Path) -> dict[str, File | Unknown]:
    """Return the media that lies here, by its path in the cut."""
    there = {place for place in {_folder(text) for text in wanted} if _is_there(place, folder)}
    paths = {
        text: path
        for text in wanted
        if _folder(text) in there and (path := on_disk(text, folder)) is not None
    }
    identities = {path: identify(path) for path in dict.fromkeys(paths.values())}
    bases = bases_of_files(studio, {identity.sha256 for identity in identities.values()})
    return {
        text: File(path.name, digest, bases[digest])
        if (digest := identities[path].sha256) in bases
        else _pictured(studio, path, identities[path])
        for text, path in paths.items()
    }


def _bundled(studio: Studio, wanted: Collection[str], path: Path) -> dict[str, File | Unknown]:
    """Return the media that a bundle holds, by its path in the cut: by its bytes alone."""
    digests: dict[str, str] = {}
    with _opened(path) as bundle:
        for text in set(bundle.namelist()).intersection(wanted):
            with bundle.open(text) as content:
                state = hashlib.sha256()
                while piece := content.read(_PIECE):
                    state.update(piece)
                digests[text] = state.hexdigest()
    bases = bases_of_files(studio, set(digests.values()))
    return {
        text: File(_name(text), digest, bases[digest]) if digest in bases else Unknown(_name(text), digest)
        for text, digest in digests.items()
    }


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with reading_errors(path), zipfile.ZipFile(path) as bundle:
            yield bundle
    except (zipfile.BadZipFile, zlib.error, KeyError, NotImplementedError, RuntimeError, EOFError) as error:
        raise MalformedError(
            "cut.malformed", f"{path} is no zip archive with a {_CONTENT} in it: {error}.", path=path
        ) from error


def _is_bundle(path: Path) -> bool:
    return path.suffix.lower() == BUNDLE


def _pictured(studio: Studio, path: Path, identity: FileIdentity) -> File | Unknown:
    found = by_picture(studio, path, identity.sha256)
    check_unchanged(path, identity)
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _folder(path: str) -> str:
    return path[: len(path) - len(_name(path))]


def _is_there(place: str, folder: Path) -> bool:
    """Whether there is such a folder: of most cuts none is, and each may be asked for many files."""
    return os.path.isdir(folder / place) or os.path.isdir(place or ".")  # noqa: PTH112 - never raises
