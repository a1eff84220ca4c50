"""Starting a command, waiting for it, and ending as it ended."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Mapping
from types import FrameType

FORWARDED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)


class Command:
    """A process that gets the signals which are sent to us. What a terminal sends, it gets by itself."""

    def __init__(self) -> None:
        self._pid = 0
        self._early: list[int] = []
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # who ignores it learns no exit code
        for number in FORWARDED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._forward)

    def start(self, argv: list[str], environment: Mapping[str, str]) -> int:
        """Start it, with Python's own changes to the signals undone; return its id. Raises ``OSError``."""
        # Not subprocess: it would close the files that the command inherits, and takes long to load.
        pid = os.posix_spawnp(argv[0], argv, environment, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
        self._pid = pid
        for number in self._early:
            os.kill(pid, number)
        return pid

    def wait(self) -> int:
        """Return how it ended, as ``os.waitpid`` has it."""
        status = os.waitpid(self._pid, 0)[1]
        self._pid = 0
        return status

    def poll(self) -> int | None:
        """Return how it ended, or ``None`` as long as it runs."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if not pid:
            return None
        self._pid = 0
        return status

    def _forward(self, number: int, frame: FrameType | None) -> None:
        if not self._pid:
            self._early.append(number)
        elif number not in FROM_TERMINAL or not _in_foreground():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)


def go_to_background() -> bool:
    """Split off a process without terminal or streams. Returns whether this is that process."""
    if os.fork():
        return False
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in range(3):
        os.dup2(nowhere, handle)
    return True


def code_of(status: int) -> int:
    """Return the exit code as a shell has it."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def end_as(status: int) -> int:
    """Return the exit code of a command that ended so. If a signal ended it, it ends this process, too."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the command's own dump is the one of interest
        with contextlib.suppress(OSError):  # SIGKILL has no handler
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    return code_of(status)


def in_words(status: int) -> str | None:
    """Return how a command failed, or ``None``."""
    if os.WIFSIGNALED(status):
        return "signal %d" % os.WTERMSIG(status)
    return "exit %d" % os.WEXITSTATUS(status) if os.WEXITSTATUS(status) else None


def _in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
