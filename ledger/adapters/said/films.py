"""The texts in OpenEXR's headers, through its library, and in films, through ffprobe.

* Of an EXR only the headers are read. Attributes that are no texts say nothing about the making.
* ffprobe is told the format that the first bytes have, and opens local files only.
* Where ffprobe is missing or gives up, a note says so.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from shutil import which

from ledger.adapters.images import exr
from ledger.adapters.images.ffmpeg import DEMUXERS
from ledger.adapters.said.carried import MAX_TOTAL, Carried
from ledger.adapters.said.draft import items, loose_object, members

FILMS = {kind: DEMUXERS[kind] for kind in DEMUXERS if not kind.startswith("image/")}
_SECONDS = 20


def take_exr(path: Path, carried: Carried) -> None:
    """Take the texts of each part's header."""
    try:
        found = exr.texts(path)
    except (RuntimeError, ValueError, TypeError) as error:
        carried.notes.add(f"the EXR's header cannot be read: {error}")
        return
    for number, key, value in found:
        carried.add(f"EXR part {number} attribute" if number else "EXR attribute", key, value)


def take_film(path: Path, media_type: str, carried: Carried) -> None:
    """Take the tags of the film and of its streams."""
    program = which("ffprobe")
    if program is None:
        carried.notes.add("ffprobe is not installed: the film's tags were not read")
        return
    command = [program, "-v", "error", "-protocol_whitelist", "file", "-f", FILMS[media_type]]
    command += ["-export_xmp", "1"] if FILMS[media_type] == "mov" else []
    command += ["-show_entries", "format_tags:stream_tags", "-of", "json", "-i", f"file:{path}"]
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, stdin=subprocess.DEVNULL, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        carried.notes.add(f"ffprobe did not end within {_SECONDS} seconds: the film's tags were not read")
        return
    found = loose_object(done.stdout[:MAX_TOTAL].decode("utf-8", "replace"))
    if done.returncode != 0 or not found:
        carried.notes.add("ffprobe cannot read the film's tags")
    for key, value in members(members(found.get("format")).get("tags")).items():
        carried.add("film", key, str(value))
    for number, stream in enumerate(items(found.get("streams"))):
        for key, value in members(members(stream).get("tags")).items():
            carried.add(f"film stream {number}", key, str(value))
