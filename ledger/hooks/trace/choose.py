"""Which tracer this machine has: tried once after each start of it, and remembered in the spool."""

from __future__ import annotations

import json
import os

from ledger.hooks import rakkan_capture
from ledger.hooks.trace import preload, strace

STRACE_SECCOMP, STRACE, PRELOAD, SNAPSHOT, NONE = "strace-seccomp", "strace", "preload", "snapshot", "none"
CHOICES = ("auto", "strace", PRELOAD, SNAPSHOT, NONE)


def tracer(wanted: str, program: str) -> str:
    """Return the tracer to use for a program: what is wanted, or else the best that works here.

    What is wanted and does not work here is ``none``: whoever asks for one tracer gets no other in its name.
    """
    if wanted in {SNAPSHOT, NONE}:
        return wanted
    if wanted == PRELOAD:
        return PRELOAD if _preloads(program) else NONE
    found = _strace()
    if found is None and wanted == "auto":
        return PRELOAD if _preloads(program) else SNAPSHOT
    return found or NONE


def place() -> str:
    """Return the folder in the spool that is ours, made if it is not there."""
    path = os.path.join(rakkan_capture.folder(), "trace")
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def _preloads(program: str) -> bool:
    return preload.is_dynamic(program) and preload.library() is not None


def _strace() -> str | None:
    """Return how strace works here. A process that is traced already cannot be traced again."""
    if _is_traced():
        return None
    path = os.path.join(place(), "strace.json")
    boot = rakkan_capture.boot()
    try:
        with open(path, encoding="ascii") as file:
            known = json.load(file)
        if boot is not None and known["boot"] == boot:
            return known["works"] or None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    works = next((name for name in (STRACE_SECCOMP, STRACE) if _works(seccomp=name == STRACE_SECCOMP)), None)
    scratch = "%s.%d" % (path, os.getpid())
    with open(scratch, "w", encoding="ascii") as file:
        json.dump({"boot": boot, "works": works}, file)
    os.rename(scratch, path)
    return works


def _is_traced() -> bool:
    try:
        with open("/proc/self/status", "rb") as file:
            return b"\nTracerPid:\t0\n" not in file.read()
    except OSError:
        return True


def _works(*, seccomp: bool) -> bool:
    """Whether strace traces a program here, without a word on standard error."""
    import subprocess

    try:
        done = subprocess.run(
            strace.command("/dev/null", ["true"], seccomp=seccomp),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and not done.stderr
