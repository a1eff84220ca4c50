"""Running a command under a tracer, and leaving its record in the spool."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any

from ledger.hooks import rakkan_capture
from ledger.hooks.trace import choose, process, record, tool, tracers
from ledger.hooks.trace.files import Files, stamp_of
from ledger.hooks.trace.roots import Roots, named

REFUSED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
"""Exit codes of our own, as env and nohup have them."""


def run(argv: list[str], chosen: Mapping[str, str]) -> int:
    """Run a command and return its exit code. Where a signal ended it, this process ends by the same one."""
    try:
        program = tool.find(argv[0])
    except OSError as error:
        code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        return _say(code, "%s: %s" % (argv[0], error.strerror))
    refused = tool.production_refuses([os.getcwd(), *named(argv)])
    if refused is not None:
        return _say(REFUSED, refused)
    if not rakkan_capture.enabled():
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it
        os.execv(program, argv)  # noqa: S606 - what the user asked for
    one = _Run(argv, program, chosen)
    try:
        status = one.go()
    except OSError as error:
        one.leave()
        return _say(NOT_EXECUTABLE, "%s: %s" % (argv[0], error.strerror))
    try:
        one.spool(status)
    except rakkan_capture.CaptureRefusedError as error:
        return _say(process.end_as(status) or REFUSED, error)
    one.leave()
    return process.end_as(status)


class _Run:
    """One command. What is seen of it comes together here."""

    def __init__(self, argv: list[str], program: str, chosen: Mapping[str, str]) -> None:
        self._argv = argv
        self._program = program
        self._chosen = chosen
        self._command = process.Command()
        self._roots = Roots(argv)
        self._files = Files(self._roots.want)
        self._strace: tracers.Strace | None = None
        self._tracer = choose.NONE
        self._started = rakkan_capture.now()

    def go(self) -> int:
        """Run the command to its end and return how it ended. Raises ``OSError`` if it cannot begin."""
        wanted = self._chosen.get("tracer") or os.environ.get("RAKKAN_TRACER", "auto")
        with contextlib.suppress(OSError):
            self._tracer = choose.tracer(wanted, self._program)
        self._inherit()
        status = self._traced()
        if status is None:
            self._tracer = choose.NONE
            self._command.start(self._argv, os.environ)
            status = self._command.wait()
        return status

    def _traced(self) -> int | None:
        if self._tracer in {choose.STRACE_SECCOMP, choose.STRACE}:
            with contextlib.suppress(OSError):
                self._strace = tracers.Strace(self._files, seccomp=self._tracer == choose.STRACE_SECCOMP)
                return self._strace.run(self._command, self._argv)
        elif self._tracer == choose.PRELOAD:
            return tracers.under_preload(self._command, self._argv, self._files)
        elif self._tracer == choose.SNAPSHOT:
            return tracers.under_snapshot(self._command, self._argv, self._files, self._roots)
        return None

    def _inherit(self) -> None:
        """Take the files that the command gets as its standard input and output."""
        for handle in (0, 1):
            with contextlib.suppress(OSError):
                path = os.readlink("/proc/self/fd/%d" % handle)
                stamp = stamp_of(path)
                if stamp is not None and handle == 0:
                    self._files.read(path, time.time(), stamp)
                elif stamp is not None:
                    self._files.inherit(path, stamp)

    def spool(self, status: int) -> None:
        """Leave the record. Raises only ``CaptureRefusedError``."""
        failed = process.in_words(status)
        parameters = {"trace": self._tracer, "exitCode": str(process.code_of(status))}
        self._spool(self._files, {"failed": failed, "parameters": parameters})

    def leave(self) -> None:
        """Remove the trace; before, wait in the background for what the command left running."""
        if self._strace is None:
            return
        waits = self._strace.left_running()
        if waits and not process.go_to_background():
            return
        if waits:
            later = Files(self._roots.want)
            self._strace.rest(later)
            with contextlib.suppress(rakkan_capture.CaptureRefusedError):  # nobody is left to be refused
                self._spool(later, {"parameters": {"trace": self._tracer, "background": "1"}})
        self._strace.close()
        if waits:
            os._exit(0)

    def _spool(self, files: Files, more: dict[str, Any]) -> None:
        base = {
            "hook": {"name": "run", "version": "1"},
            "layer": "run",
            "event": self._chosen.get("event", "save"),
            "action": self._chosen.get("action", "convert"),
            "tool": tool.described(self._program, self._chosen.get("tool")),
            "started": self._started,
            "finished": rakkan_capture.now(),
            "secrets": {"argv": json.dumps(self._argv)},
            **more,
        }
        if files.misread:
            base["parameters"]["misread"] = str(files.misread)
        seen = self._tracer != choose.NONE and not files.misread
        try:
            record.spool(files, self._roots, base, self._chosen, always=not seen)
        except rakkan_capture.CaptureRefusedError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of ours must show in the spool, not in the command
            base["parameters"]["fault"] = type(error).__name__
            rakkan_capture.spool(base)


def _say(code: int, what: object) -> int:
    sys.stderr.write("rakkan run: %s\n" % what)
    return code
