"""The command under each tracer: each returns how the command ended, or ``None`` if it never began."""

from __future__ import annotations

import os
import time

from ledger.hooks.trace import preload, strace
from ledger.hooks.trace.choose import place
from ledger.hooks.trace.files import Files
from ledger.hooks.trace.process import Command
from ledger.hooks.trace.roots import Roots
from ledger.hooks.trace.snapshot import Snapshot

BEAT = 0.01
"""Seconds between two looks at what strace has written."""
PATIENCE = 2.0
"""Seconds that strace may take to say that the command has ended, after it has."""
QUIET = 0.05
"""Seconds after which it has said all of a command that a signal ended: it is silent on signals."""


class Strace:
    """strace writes to a file of the spool, which is read meanwhile.

    A file and not a pipe: if this process is killed, strace goes on, and the command notices nothing.
    """

    def __init__(self, files: Files, *, seccomp: bool) -> None:
        self._files = files
        self._seccomp = seccomp
        self._path = _scratch()
        self._output = open(self._path, "xb+", buffering=0)  # noqa: SIM115 - close() is for after the record
        self._rest = b""

    def run(self, command: Command, argv: list[str]) -> int | None:
        """Run the command to its end. Raises ``OSError``."""
        pid = command.start(strace.command(self._path, argv, seccomp=self._seccomp), os.environ)
        self._trace = strace.Trace(self._files, pid, os.getcwd())
        began = time.monotonic()
        while (status := command.poll()) is None:
            self._look()
            time.sleep(min(BEAT, (time.monotonic() - began) / 20))
        until = time.monotonic() + (PATIENCE if os.WIFEXITED(status) else QUIET)
        while self._look() or (self._trace.started and not self._trace.ended):
            if time.monotonic() > until:
                break
            time.sleep(BEAT / 20)
        # Without a line, strace itself has failed: or the disk is full, and the command has run.
        never = not self._trace.started and os.WIFEXITED(status) and os.statvfs(self._path).f_bavail > 0
        return None if never else status

    def left_running(self) -> bool:
        """Whether children of the command go on."""
        return any(os.path.exists("/proc/%d" % pid) for pid in self._trace.running())

    def rest(self, files: Files) -> None:
        """Read on, into ``files``, until those have ended too."""
        self._trace.files = files
        while self._look() or self.left_running():
            time.sleep(BEAT * 20)

    def close(self) -> None:
        """Remove the trace."""
        self._output.close()
        os.unlink(self._path)

    def _look(self) -> bool:
        """Take what is new; return whether there was anything."""
        data = self._output.read(1 << 22)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                self._trace.line(line)
            except Exception:  # noqa: BLE001 - what we misread ends no command: the record counts it
                self._files.misread += 1
        return bool(data)


def under_preload(command: Command, argv: list[str], files: Files) -> int | None:
    """Run the command with our library in it."""
    library = preload.library()
    if library is None:
        return None
    log = _scratch()
    with open(log, "xb+") as noted:
        try:
            command.start(argv, preload.environment(log, library))
            status = command.wait()
            try:
                preload.read(noted.read(), files)
            except Exception:  # noqa: BLE001 - as above
                files.misread += 1
        finally:
            os.unlink(log)  # whoever goes on finds no file, and notes nothing
    return status


def under_snapshot(command: Command, argv: list[str], files: Files, roots: Roots) -> int:
    """Run the command, and look before and after."""
    before = Snapshot(roots, argv)
    started = time.time()
    command.start(argv, os.environ)
    status = command.wait()
    before.after(files, started)
    return status


def _scratch() -> str:
    return os.path.join(place(), "%d-%s" % (os.getpid(), os.urandom(8).hex()))
