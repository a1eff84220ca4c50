"""Put a hook where its tool looks for it, look whether it is there, and take it away again.

* A file appears whole or not at all. Nothing is overwritten that is not ours, or was changed since: beside
  the files lies a receipt (``rakkan-NAME.json``) with their digests.
* Hooks in one place share ``rakkan_capture.py``: it stays until the last of them goes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import ledger
from ledger.core.digest import sha256_hex
from ledger.errors import UsageError
from ledger.hooks import rakkan_capture
from ledger.hooks.catalogue import HOOKS, Hook
from ledger.service.files import make_folder, write_new

_OLDEST = (3, 9)
_ABOUT = (
    "import json, sys, sysconfig; print(json.dumps([sys.version_info[:2], sysconfig.get_path('purelib')]))"
)
_LOADED = "import sys; print(getattr(sys.modules.get('{0}'), '__file__', None))"
_IMPORTED = "import {0}; print({0}.__file__)"


class State(StrEnum):
    """How a hook stands in a place."""

    MISSING = "missing"
    CURRENT = "current"
    OLDER = "older"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Installation:
    """A hook in a place; nothing is read or written before it is asked for."""

    hook: Hook
    place: Path

    @property
    def receipt(self) -> Path:
        """Where it is written down what was installed. It is there if the hook is."""
        return _receipt(self.hook, self.place)

    def state(self) -> State:
        """Return how it stands. An unfinished installation counts as missing or older."""
        found = {self._state_of(target, data) for target, data in self.hook.content().items()}
        if State.CHANGED in found:
            return State.CHANGED
        if not self.receipt.exists():
            return State.MISSING
        return State.CURRENT if found == {State.CURRENT} else State.OLDER

    def install(self, *, dry_run: bool = False) -> list[Path]:
        """Write what is not there as it should be, and return it.

        Raises ``UsageError`` with ``hooks.taken`` (and has written nothing) or ``target.not-writable``.
        """
        content = self.hook.content()
        states = {target: self._state_of(target, data) for target, data in content.items()}
        self._refuse([target for target, state in states.items() if state is State.CHANGED])
        missing = [target for target, state in states.items() if state is not State.CURRENT]
        if not dry_run:
            digests = {target: sha256_hex(data) for target, data in content.items()}
            said = json.dumps({"rakkan": ledger.__version__, "files": digests}, indent=2) + "\n"
            with _writing(self.place):
                for target in missing:
                    _write(self.place / target, content[target])
                _write(self.receipt, said.encode())
        return [self.place / target for target in missing]

    def remove(self, *, dry_run: bool = False) -> list[Path]:
        """Take away what no other hook of the place needs, and return it.

        Raises ``UsageError`` with ``hooks.taken`` (and has removed nothing) or ``target.not-writable``.
        """
        content = self.hook.content()
        needed = {target for hook in HOOKS if hook is not self.hook for target in _written(hook, self.place)}
        ours = [target for target in reversed(content) if target not in needed]  # .pth before what it imports
        states = {target: self._state_of(target, content[target]) for target in ours}
        self._refuse([target for target, state in states.items() if state is State.CHANGED])
        found = [self.place / target for target, state in states.items() if state is not State.MISSING]
        found += [self.receipt] if self.receipt.exists() else []
        if not dry_run:
            with _writing(self.place):
                for path in found:
                    path.unlink()
        return found

    def _state_of(self, target: str, data: bytes) -> State:
        try:
            found = (self.place / target).read_bytes()
        except FileNotFoundError:
            return State.MISSING
        except OSError:
            return State.CHANGED
        if found == data:
            return State.CURRENT
        digest = sha256_hex(found)
        ours = any(_written(hook, self.place).get(target) == digest for hook in HOOKS)
        return State.OLDER if ours else State.CHANGED

    def _refuse(self, taken: list[str]) -> None:
        if taken:
            path = self.place / taken[0]
            raise UsageError("hooks.taken", f"{path} was not written by Rakkan, or changed since.", path=path)


def packages_of(python: str) -> Path:
    """Return the folder of packages of a Python.

    Raises ``UsageError("hooks.python")`` for what is none, or too old.
    """
    try:
        version, folder = json.loads(_answer(python, _ABOUT))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UsageError("hooks.python", f"{python} is no Python: {error}.", python=python) from error
    if tuple(version) < _OLDEST:
        raise UsageError("hooks.python", f"{python} is Python {version[0]}.{version[1]}.", python=python)
    return Path(folder)


def sees(python: str, installed: Installation) -> bool:
    """Whether a Python, when it starts, has the hook that lies in this place."""
    asked = (_LOADED if installed.hook.start else _IMPORTED).format(installed.hook.module)
    try:
        found = _answer(python, asked).strip()
    except (OSError, subprocess.SubprocessError):
        return False
    return Path(found).resolve().parent == installed.place.resolve()


def spool_is_writable() -> bool:
    """Whether a hook of this user could write a record now."""
    folder = Path(rakkan_capture.folder()).absolute()
    while not folder.exists():
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK)


def agent_is_alive() -> bool:
    """Whether the agent has shown itself lately."""
    with suppress(OSError):
        beat = (Path(rakkan_capture.folder()) / "heartbeat").stat().st_mtime
        return time.time() - beat <= rakkan_capture.SILENT_AGENT
    return False


def _receipt(hook: Hook, place: Path) -> Path:
    return place / f"rakkan-{hook.name}.json"


def _written(hook: Hook, place: Path) -> dict[str, str]:
    """Return the digests of the files that were written for a hook in a place, by their paths in it."""
    try:
        files = json.loads(_receipt(hook, place).read_bytes())["files"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return files if isinstance(files, dict) else {}


def _answer(python: str, code: str) -> str:
    # Started elsewhere, because with -c a Python looks for modules in the folder where it starts.
    command = [str(Path(shutil.which(python) or python).absolute()), "-c", code]
    return subprocess.run(command, cwd=os.sep, capture_output=True, text=True, timeout=60, check=True).stdout


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError("target.not-writable", f"{place}: {error.strerror}.", path=place) from error


def _write(path: Path, data: bytes) -> None:
    make_folder(path.parent)
    write_new(path, data)
