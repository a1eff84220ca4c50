"""The preload library: built when first needed, and reading what it noted (``preload.c``)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from ledger.hooks.trace.files import Files

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "preload.c")
LOG = "RAKKAN_TRACE_LOG"


def library() -> str | None:
    """Return the built library, or ``None`` where it cannot be built. Its name holds its source's digest."""
    import hashlib

    with open(SOURCE, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:16]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    path = os.path.join(cache, "rakkan", "preload-%s-%s.so" % (os.uname().machine, digest))
    if os.path.exists(path):
        return path
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    except OSError:
        return None
    return _build(path)


def environment(log: str, built: str) -> Mapping[str, str]:
    """Return the environment of a command under the library."""
    others = os.environ.get("LD_PRELOAD")
    return {**os.environ, LOG: log, "LD_PRELOAD": built + ":" + others if others else built}


def is_dynamic(program: str) -> bool:
    """Whether a program loads libraries: only then does it load ours. A script counts by its interpreter."""
    try:
        with open(program, "rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    if head[:2] == b"#!":
        interpreter = head[2:].split(b"\n", 1)[0].split()
        return bool(interpreter) and is_dynamic(os.fsdecode(interpreter[0]))
    return head[:4] == b"\x7fELF" and (b"/ld-" in head or b"/ld64" in head)


def read(data: bytes, files: Files) -> bool:
    """Take what was noted. Returns whether the command was seen at all."""
    parts = data.split(b"\0")
    for head, first, second in zip(parts[0::3], parts[1::3], parts[2::3], strict=False):
        with contextlib.suppress(ValueError, IndexError):  # a line cut short by a full disk
            _take(head.split(), _normal(first), _normal(second), files)
    return len(parts) > 3


def _take(head: list[bytes], path: str, second: str, files: Files) -> None:
    op, time, seen = head[0], float(head[1]), [int(number) for number in head[2:7]]
    if op == b"r":
        files.read(path, time, seen)
    elif op == b"w":
        files.write(path)
    elif op in {b"u", b"c"}:
        files.update(path, time, seen, creates=op == b"c")
    elif op == b"n":
        files.rename(path, second)
    elif op == b"s":
        files.exchange(path, second)
    elif op == b"l":
        files.link(path, second)
    elif op == b"d":
        files.unlink(path)


def _normal(name: bytes) -> str:
    """Return a name without links on the way to it; the last part is as it was named."""
    if not name or name.endswith(b" (deleted)"):
        return ""
    parent, last = os.path.split(os.path.normpath(os.fsdecode(name)))
    return os.path.join(os.path.realpath(parent), last)


def _build(path: str) -> str | None:
    import shutil
    import subprocess

    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    scratch = "%s.%d" % (path, os.getpid())
    options = ["-shared", "-fPIC", "-O2", "-U_FORTIFY_SOURCE", "-fvisibility=hidden"]
    done = subprocess.run(
        [compiler, *options, "-o", scratch, SOURCE, "-ldl"], capture_output=True, check=False, timeout=60
    )
    if done.returncode:
        return None
    os.rename(scratch, path)
    return path
