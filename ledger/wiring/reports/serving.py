"""Making the reports that were asked for while a service runs: one at a time for each production.

* Of all the processes that serve a log, the one that holds the lease makes them, each in a process of its own
  (``job``): no request waits for a report. The lease ends with its holder, and the process with it.
* A job that was under way when the server ended is begun anew by the next one: only time is lost.
* A job that was removed, takes too long, or fills the room that results may take, is stopped.
"""

from __future__ import annotations

import json
import logging
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import ledger
from ledger.adapters.home import Home
from ledger.adapters.report_jobs import ReportFolder
from ledger.errors import RakkanError
from ledger.ports import Lease
from ledger.service.report.jobs import Job, Jobs, ReportSettings, Result, State
from ledger.service.studio import Studio
from ledger.wiring.outside import leased
from ledger.wiring.reports.job import job_folder

_LOG = logging.getLogger("rakkan.reports")
_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from ledger.wiring.reports.job import main; main()"
_SWEEP = 60.0
_LOOK = 2.0
_GLANCE = 0.2
_Said = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reports:
    """A production's reports: who may do what with the jobs, and where their files are."""

    jobs: Jobs
    folder: ReportFolder


class _StoppedError(Exception):
    """A job is stopped: ``code`` says why, and is empty where there is nobody to tell."""

    def __init__(self, code: str = "", words: str = "") -> None:
        self.code, self.words = code, words


class Reporting:
    """Makes the queued reports of one production from a thread of its own, from ``start`` to ``close``."""

    def __init__(self, home: Home, reports: Reports, lease: Lease) -> None:
        self._home = home
        self._reports = reports
        self._lease = lease
        self._swept = float("-inf")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def start(self) -> None:
        """Begin, with what is left from before."""
        self._thread.start()

    def close(self) -> None:
        """Stop what is under way; it is begun anew by the next one."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._reports.jobs.settings.poll.total_seconds()):
            try:
                self._sweep()
                waiting = self._reports.folder.open()
                if waiting and self._lease.take():
                    self._make(waiting[0])
            except (RakkanError, OSError) as error:
                _LOG.warning("Reports wait: %s", error)

    def _sweep(self) -> None:
        if time.monotonic() - self._swept > _SWEEP:
            self._swept = time.monotonic()
            self._reports.jobs.sweep()

    def _make(self, job: Job) -> None:
        """Make one report, and keep what became of it."""
        files = self._reports.folder.files(job.identifier)
        shutil.rmtree(
            files, ignore_errors=True
        )  # what is there was not finished, or nobody wrote that it was
        job = replace(job, state=State.RUNNING, phase="starting", done=0, total=0)
        try:
            self._keep(job)
            job = self._watched(job)
        except _StoppedError as stop:
            shutil.rmtree(files, ignore_errors=True)
            if not stop.code:
                return
            job = replace(job, state=State.FAILED, error=(stop.code, stop.words))
        self._keep(replace(job, phase="", ended=self._reports.jobs.clock.now().replace(microsecond=0)))

    def _watched(self, job: Job) -> Job:
        """Return the job as it stands when its process has ended well. Raises ``_StoppedError``."""
        root = str(Path(ledger.__file__).parents[1])
        command = [sys.executable, "-I", "-c", _BOOT, root, str(self._home.folder.absolute()), job.identifier]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
        ) as process:
            said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
            listener = threading.Thread(target=_listen, args=(process.stdout, said), daemon=True)
            listener.start()
            try:
                for item in self._heard(job, said):
                    if "error" in item:
                        raise _StoppedError(*item["error"])
                    if "result" in item:
                        return _done(job, item["result"])
                    job = replace(
                        job, phase=item["phase"], done=item.get("done", 0), total=item.get("total", 0)
                    )
                    self._keep(job)
            finally:
                process.kill()
                listener.join()  # it has read to the end before the pipe is closed
        raise _StoppedError("report.stopped", "The process that made it ended without a word.")

    def _heard(self, job: Job, said: queue.SimpleQueue[str | None]) -> Iterator[_Said]:
        """Yield what the process says, the last of what it said at a time. Raises ``_StoppedError``."""
        settings = self._reports.jobs.settings
        end, look = time.monotonic() + settings.longest.total_seconds(), time.monotonic() + _LOOK
        while True:
            if self._stopped.is_set() or not self._reports.folder.place(job.identifier).exists():
                raise _StoppedError
            if time.monotonic() > end:
                raise _StoppedError("report.stopped", f"It took longer than {settings.longest}.")
            if time.monotonic() > look:
                look = time.monotonic() + _LOOK
                if self._reports.folder.size() > settings.max_bytes:
                    raise _StoppedError("report.full", "It takes more room than is left for reports.")
            try:
                line = said.get(timeout=_GLANCE)
                while not said.empty() and (newer := said.get()) is not None:
                    line = newer
            except queue.Empty:
                continue
            if line is None:
                return
            yield json.loads(line)

    def _keep(self, job: Job) -> None:
        if not self._reports.folder.change(job):
            raise _StoppedError


def _listen(lines: Iterable[str], said: queue.SimpleQueue[str | None]) -> None:
    for line in lines:
        said.put(line)
    said.put(None)


def _done(job: Job, result: _Said) -> Job:
    files = tuple(Result(**item) for item in result["files"])
    made = replace(job, state=State.DONE, report=result["report"], verdict=result["verdict"], files=files)
    return replace(made, done=0, total=0)


@contextmanager
def reporting(home: Home, studio: Studio, settings: ReportSettings) -> Iterator[Reports]:
    """Make the reports that are asked for, for as long as the block runs, where the settings say so."""
    folder = job_folder(home)
    found = Reports(Jobs(studio.production, folder, studio.clock, settings), folder)
    if not settings.enabled:
        yield found
        return
    with leased(home, "reports") as lease:
        making = Reporting(home, found, lease)
        try:
            making.start()
            yield found
        finally:
            making.close()
