"""The program that runs: where it is, what it is called, and its version."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from typing import Any

from ledger.hooks import rakkan_capture
from ledger.hooks.trace.choose import place
from ledger.hooks.trace.files import stamp_of

ASKED = {
    "blender": "--version",
    "convert": "-version",
    "ffmpeg": "-version",
    "magick": "-version",
    "mogrify": "-version",
    "oiiotool": "--version",
    "python": "--version",
    "python3": "--version",
}
"""How a tool that we know says its version."""
_VERSION = re.compile(r"(?:^|[ v])([0-9]+\.[0-9][\w.+~-]*)")


def find(name: str) -> str:
    """Return the program's path, as a shell finds it. Raises ``OSError``: none, or not to be executed."""
    if os.sep in name:
        candidates = [name]
    else:
        candidates = [os.path.join(folder or ".", name) for folder in os.get_exec_path()]
    files = [path for path in candidates if os.path.isfile(path)]
    for path in files:
        if os.access(path, os.X_OK):
            return path
    found = candidates if os.sep in name and os.path.isdir(name) else files
    number = errno.EACCES if found else errno.ENOENT
    raise OSError(number, os.strerror(number), name)


def described(program: str, said: str | None) -> dict[str, Any]:
    """Return the tool as records name it; what the user said of it goes first."""
    path = os.path.realpath(program)
    if said is not None:
        name, _, version = said.rpartition(" ")
        return {"name": name or said, "version": version if name else "unknown", "path": path}
    name = os.path.basename(program)
    return {"name": name, "version": _version(name, path), "path": path}


def _version(name: str, path: str) -> str:
    """Return what the tool says, asked once for each state of its file."""
    if name not in ASKED:
        return "unknown"
    known = {}
    with contextlib.suppress(OSError):
        memory = os.path.join(place(), "versions.json")
        key = json.dumps([path, stamp_of(path)])
        with contextlib.suppress(OSError, ValueError), open(memory, encoding="utf-8") as file:
            known = json.load(file)
        if key not in known:
            known[key] = _ask(path, ASKED[name])
            scratch = "%s.%d" % (memory, os.getpid())
            with open(scratch, "w", encoding="utf-8") as file:
                json.dump(known, file)
            os.rename(scratch, memory)
        return str(known[key])
    return "unknown"


def _ask(path: str, option: str) -> str:
    import subprocess

    try:
        said = subprocess.run(
            [path, option], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    found = _VERSION.search(said.stdout.decode("utf-8", "replace"))
    return found[1] if found else "unknown"


def production_refuses(paths: list[str]) -> str | None:
    """Return why a production that one of these paths belongs to allows no work now, or ``None``."""
    try:
        for path in paths:
            rakkan_capture.check(rakkan_capture.production_of(path))
    except rakkan_capture.CaptureRefusedError as refused:
        return str(refused)
    return None
