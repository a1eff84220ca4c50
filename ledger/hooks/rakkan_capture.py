"""What a hook calls: one file, nothing but the standard library, Python 3.9 or newer, Linux, macOS, Windows.

A record is one small JSON file in the spool (``docs/spec/capture.md``). Writing it takes about a millisecond;
the agent does everything else later, out of the tool's way.

* The record is durable before ``spool`` returns, and appears under its name in one step.
* Its number is the device's next one, taken under a lock together with the rename: a number without a record
  is a record that was lost or taken away, and the agent says so.
* Nothing here ever raises into the tool, or waits longer than ``PATIENCE``. What fails is counted
  (``faults``), takes a number all the same, and so shows.
* The exception is a production whose policy is ``refuse``: there ``check`` and ``spool`` raise
  ``CaptureRefusedError``, because that show would rather have no work than work without a record.

    with rakkan_capture.Step("edit", tool=("grade", "2.1"), place={"shot": "sh010"}) as step:
        step.reads("plate.exr", role="parent")
        step.writes("graded.exr")

``RAKKAN_SPOOL`` names the spool; ``RAKKAN_CAPTURE=0`` turns capturing off.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from typing import Self

F = TypeVar("F", bound="Callable[..., Any]")

FORMAT = 1
PATIENCE = 0.05
"""Seconds that a hook may wait for another one to take its number."""
INLINE_BYTES = 4 << 20
"""What a tool wrote is hashed at once up to this size: it may be gone when the agent comes."""
MAX_RECORD = 4 << 20
SILENT_AGENT = 120
"""Seconds without a heartbeat after which a production with the policy ``refuse`` stops."""

faults: list[str] = []
"""Why records of this process could not be written, one line each."""


class CaptureRefusedError(RuntimeError):
    """The production wants no work without a record, and a record is not possible now."""


def folder() -> str:
    """Return the spool's folder, whether it exists or not."""
    named = os.environ.get("RAKKAN_SPOOL")
    if named:
        return named
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "rakkan", "spool")


def enabled() -> bool:
    """Whether this process captures at all."""
    return os.environ.get("RAKKAN_CAPTURE", "1") != "0"


def settings() -> dict[str, Any]:
    """Return what the agent tells hooks: productions, their roots and policies; ``{}`` without one."""
    path = os.path.join(folder(), "settings.json")
    with contextlib.suppress(OSError, ValueError, TypeError, RecursionError), open(path, "rb") as file:
        return dict(json.load(file))
    return {}


def production_of(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the settings of the production whose roots hold this path, or ``None``."""
    real = os.path.realpath(path)
    return next((one for one in productions() if any(is_under(real, root) for root in one["roots"])), None)


def productions() -> list[dict[str, Any]]:
    """Return the productions of the settings; none where they are not of their form."""
    with contextlib.suppress(KeyError, TypeError):
        found = settings()["productions"]
        sound = all(isinstance(text, str) for one in found for text in (one["name"], *one["roots"]))
        return found if sound and all(isinstance(one["roots"], list) for one in found) else []
    return []


def is_under(path: str, root: str) -> bool:
    """Whether a real path is that of the root, or of something in it."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def file(path: str | os.PathLike[str], role: str | None = None, name: str | None = None) -> dict[str, Any]:
    """Return a file as records name it: by absolute path, with what the file system says of it now.

    A file that was written (no ``role``) and is small enough is hashed here. ``name`` is the registered name
    of a model or dataset, where the tool knows it.
    """
    found: dict[str, Any] = {"path": os.path.abspath(os.fspath(path))}
    found.update({key: value for key, value in (("role", role), ("name", name)) if value is not None})
    with contextlib.suppress(OSError):
        before = os.stat(found["path"])
        if not stat.S_ISREG(before.st_mode):
            return found
        if role is None and before.st_size <= INLINE_BYTES:
            import hashlib

            with open(found["path"], "rb") as opened:
                digest = hashlib.sha256(opened.read()).hexdigest()
            if stamp(os.stat(found["path"])) == stamp(before):
                found["sha256"] = digest
        found["stamp"] = stamp(before)
    return found


def stamp(status: os.stat_result) -> list[int]:
    """Return what tells two states of a file apart: device, inode, size, and both times in nanoseconds."""
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def check(production: Mapping[str, Any] | None) -> None:
    """Return if work may begin. Raises ``CaptureRefusedError`` for a production that refuses (see above)."""
    if production is None or production.get("policy") != "refuse":
        return
    place = folder()
    try:
        silent = time.time() - os.stat(os.path.join(place, "heartbeat")).st_mtime
    except OSError:
        silent = SILENT_AGENT + 1
    if silent > SILENT_AGENT or not os.access(place, os.W_OK):
        raise CaptureRefusedError(
            "Production %s allows no work without a record, and Rakkan's agent does not run: rakkan doctor."
            % production.get("name")
        )


def spool(record: Mapping[str, Any]) -> str | None:
    """Write a record and return its path; ``None`` when capturing is off or the record could not be written.

    What every record has (number, boot, clocks, user) is added here. Raises only ``CaptureRefusedError``.
    """
    if not enabled():
        return None
    try:
        return _spool(dict(record))
    except Exception as error:
        fault(error)
        first = os.getcwd()
        with contextlib.suppress(KeyError, IndexError, TypeError):
            first = os.fspath(record["outputs"][0]["path"])
        production = production_of(first)
        if production is not None and production.get("policy") == "refuse":
            raise CaptureRefusedError("The record could not be written: %s." % error) from error
        return None


def fault(error: Exception) -> None:
    """Count what a hook could not do, take a number for the lost record, and say why in ``faults.log``."""
    faults.append("%s: %s" % (type(error).__name__, error))
    with contextlib.suppress(Exception):
        place = folder()
        os.makedirs(place, mode=0o700, exist_ok=True)  # this may be the device's first record
        with _numbered(place) as number:
            pass
        with open(os.path.join(place, "faults.log"), "a", encoding="utf-8") as log:
            log.write("%s number %d: %s\n" % (now(), number, faults[-1]))


class Step:
    """One step, as a context: what is read and written inside is recorded at its end, also when it fails.

    ``action`` is one of generate, edit, composite, draw, render, convert, import; ``tool`` a name and a
    version; ``place`` any of production, episode, sequence, shot, task, version, frames (first, last).
    ``event`` says whether this is a ``save``, a ``publish`` or a ``final``.
    """

    def __init__(
        self,
        action: str,
        tool: tuple[str, str],
        place: Mapping[str, Any] | None = None,
        event: str = "save",
        hook: tuple[str, str] = ("python", "1"),
        **more: Any,
    ) -> None:
        self.record: dict[str, Any] = {
            "hook": {"name": hook[0], "version": hook[1]},
            "layer": "app",
            "event": event,
            "action": action,
            "tool": {"name": tool[0], "version": str(tool[1])},
            "place": dict(place or {}),
            "outputs": [],
            "inputs": [],
            "parameters": {},
            "secrets": {},
        }
        self.record.update(more)

    def __enter__(self) -> Self:
        self.record["started"] = now()
        return self

    def reads(self, path: str | os.PathLike[str], role: str = "reference", name: str | None = None) -> None:
        """Name a file that goes in: parent, component, reference, control, inpaint, model or dataset."""
        self.record["inputs"].append(file(path, role, name))

    def writes(self, path: str | os.PathLike[str]) -> None:
        """Name a file that comes out. It is looked at when the step ends."""
        self.record["outputs"].append({"path": os.path.abspath(os.fspath(path))})

    def parameter(self, name: str, value: object) -> None:
        """Give a parameter that anybody may read, such as a seed."""
        self.record["parameters"][name] = str(value)

    def secret(self, name: str, value: object) -> None:
        """Give what is committed to and never written into the log, such as a prompt."""
        self.record["secrets"][name] = str(value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.record["finished"] = now()
        if kind is not None:
            self.record["failed"] = kind.__name__
        with contextlib.suppress(Exception):
            self.record["outputs"] = [file(item["path"]) for item in self.record["outputs"]]
        if self.record["outputs"] or kind is None:
            spool(self.record)


def recorded(
    action: str, tool: tuple[str, str], writes: str, reads: Iterable[tuple[str, str]] = (), **more: Any
) -> Callable[[F], F]:
    """Decorate a function that makes files: ``writes`` and ``reads`` name the arguments that are paths.

    @rakkan_capture.recorded("edit", ("grade", "2.1"), writes="target", reads=[("source", "parent")])
    def grade(source, target): ...
    """
    import inspect

    def decorate(function: F) -> F:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            bound = signature.bind(*arguments, **named)
            bound.apply_defaults()
            with Step(action, tool, **more) as made:
                for name, role in reads:
                    for path in _paths(bound.arguments[name]):
                        made.reads(path, role)
                for path in _paths(bound.arguments[writes]):
                    made.writes(path)
                return function(*arguments, **named)

        return cast("F", call)

    return decorate


def now() -> str:
    """Return the time of day as records have it: RFC 3339, UTC, microseconds."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def boot() -> str | None:
    """Return what names this run of the machine, or ``None`` where the system has no such name."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as found:
            return found.read().strip()
    except OSError:
        return None


def _paths(value: Any) -> Sequence[str | os.PathLike[str]]:
    return [value] if isinstance(value, (str, os.PathLike)) else list(value)


def complete(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with what every record has, where it does not say so itself."""
    import getpass

    return {
        "rakkan": FORMAT,
        "id": os.urandom(16).hex(),
        "captured": now(),
        "monotonic": time.monotonic(),
        "boot": boot(),
        "user": getpass.getuser(),
        "pid": os.getpid(),
        **record,
    }


def _spool(record: dict[str, Any]) -> str:
    place, name = folder(), os.urandom(16).hex()
    record = complete(record)
    # Surrogates stand for bytes of a name that are not UTF-8; ASCII carries them as escapes.
    data = json.dumps(record, ensure_ascii=True).encode("ascii")
    if len(data) > MAX_RECORD:
        raise ValueError("a record of %d bytes" % len(data))
    for each in ("tmp", "new"):
        os.makedirs(os.path.join(place, each), mode=0o700, exist_ok=True)
    scratch = os.path.join(place, "tmp", name)
    try:
        _write(scratch, data)
    except OSError:
        os.unlink(scratch)  # what is half written takes the room that is missing
        _free_reserve(place)
        _write(scratch, data)
    with _numbered(place) as number:
        target = os.path.join(place, "new", "%016d-%s.json" % (number, name))
        os.rename(scratch, target)
    _force_folder(os.path.dirname(target))
    return target


def _write(path: str, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _force_folder(path: str) -> None:
    if sys.platform == "win32":  # a folder cannot be opened there, and a rename is durable without it
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _free_reserve(place: str) -> None:
    """Give up a piece of the space that the agent keeps for the day on which the disk is full."""
    reserve = os.path.join(place, "reserve")
    names = sorted(os.listdir(reserve))
    if not names:
        raise OSError(errno.ENOSPC, "the disk is full, and the reserve is used up")
    os.unlink(os.path.join(reserve, names[0]))


@contextlib.contextmanager
def _numbered(place: str) -> Iterator[int]:
    """Take the device's next number, and hold the lock until the block ends. 0 stands for no number.

    The number is on disk before the record has it: a crash in between leaves a gap, never a second record of
    the same number.
    """
    handle = os.open(os.path.join(place, "number"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        number = 0
        if _locked(handle):
            text = os.read(handle, 32).strip()
            number = int(text) + 1 if text.isdigit() else 1
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, b"%020d\n" % number)  # always as long: it needs no space on a full disk
            os.fsync(handle)
        yield number
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Whether the lock was got in time. It ends with the file."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            _lock(handle)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        else:
            return True


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
