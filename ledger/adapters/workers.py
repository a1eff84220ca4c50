"""A service's processes: one that watches, and workers that answer on sockets they share.

* A worker that dies is replaced. One that says nothing for ``HUNG`` seconds is killed, and replaced.
* Five deaths in a minute are a crash loop: everything stops with ``server.crash-loop``.
* A worker that cannot start stops everything, with its own error: it would fail the same way again.
* SIGTERM or SIGINT: workers take nothing new, end what they have, and go. The second one: they end at once,
  after the commit of what waits. What has not gone after ``grace`` and ten seconds more is killed.
* SIGHUP: each worker is replaced in turn, the new one answering before the old one goes.
* Workers whose watcher was killed stop by themselves.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from socket import socket
from typing import Any

from ledger import errors
from ledger.errors import RakkanError, RefusedError

HUNG = 60.0
STARTING = 120.0
EXTRA = 10.0
_TICK = 0.2
_LOOP = 5
_WITHIN = 60.0
LOG = logging.getLogger("rakkan.workers")
_SPAWN = multiprocessing.get_context("spawn")

Work = Callable[..., None]


class Line:
    """A worker's end: what it tells the one that watches. ``alive`` within each ``HUNG`` seconds."""

    def __init__(self, pipe: Connection, sockets: Sequence[socket]) -> None:
        self._pipe = pipe
        self.sockets = list(sockets)

    def alive(self) -> None:
        """Say that this worker answers requests; the first time it is taken for started."""
        with suppress(OSError):
            self._pipe.send(None)

    def failed(self, error: RakkanError) -> None:
        """Say why this worker cannot start."""
        shown = {name: str(value) for name, value in error.evidence.items()}
        self._pipe.send((type(error).__name__, error.code, error.message, shown))

    def when_told(self, stop: Callable[[], None], at_once: Callable[[], None]) -> None:
        """Call these from another thread when told to; ``stop`` also once the one that watches is gone."""

        def listen() -> None:
            with suppress(EOFError, OSError):
                self._pipe.recv()
                stop()
                self._pipe.recv()
                at_once()
                return
            stop()

        threading.Thread(target=listen, name="told by the watcher", daemon=True).start()


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    heard: float
    started: bool = False

    def hear(self, now: float) -> RakkanError | None:
        """Read what it said; return why it could not start."""
        with suppress(EOFError, OSError):
            while self.pipe.poll():
                said = self.pipe.recv()
                self.heard, self.started = now, self.started or said is None
                if said is not None:
                    kind, code, message, evidence = said
                    error: RakkanError = getattr(errors, kind)(code, message, **evidence)
                    return error
        return None

    def wait_until_started(self) -> RakkanError | None:
        """Wait until it answers; return why it does not."""
        while not self.started:
            wait([self.process.sentinel, self.pipe], _TICK)
            if error := self.hear(time.monotonic()):
                return error
            if not self.process.is_alive() or time.monotonic() - self.heard > STARTING:
                return RefusedError("server.crash-loop", "A new worker ended before it could answer.")
        return None

    def tell(self) -> None:
        """Tell it to stop; told again, to stop at once."""
        with suppress(OSError):
            self.pipe.send(None)


class Watcher:
    """Runs ``work``, a function that a new Python finds by its name, in several processes.

    ``ended`` is told the process id of each worker that has ended.
    """

    def __init__(
        self,
        work: Work,
        arguments: tuple[Any, ...],
        sockets: Sequence[socket],
        ended: Callable[[int], None],
    ) -> None:
        self._make = (work, arguments)
        self._ended = ended
        self._sockets = list(sockets)
        self._workers: list[_Worker] = []
        self._deaths: list[float] = []
        self._signals: list[int] = []
        self._told = 0

    def run(self, count: int, grace: float) -> None:
        """Return after a clean stop. ``grace`` is in seconds.

        Raises the ``RakkanError`` of a worker that cannot start, and ``RefusedError("server.crash-loop")``.
        """
        with self._listening():
            self._workers = [self._start() for _ in range(count)]
            try:
                while not self._told:
                    self._turn(grace)
            finally:
                self._stop(grace)

    def _turn(self, grace: float) -> None:
        wait([item for worker in self._workers for item in (worker.process.sentinel, worker.pipe)], _TICK)
        now = time.monotonic()
        for place, worker in enumerate(self._workers):
            if error := worker.hear(now):
                raise error
            if worker.process.is_alive() and now - worker.heard > (HUNG if worker.started else STARTING):
                worker.process.kill()
                worker.process.join()
            if not worker.process.is_alive():
                self._count_death(now, worker)
                self._close(worker)
                self._workers[place] = self._start()
        for number in self._taken():
            if number == signal.SIGHUP:
                self._replace_each(grace)
            else:
                self._told += 1

    def _start(self) -> _Worker:
        ours, theirs = _SPAWN.Pipe()
        work, arguments = self._make
        process = _SPAWN.Process(target=_run, args=(work, arguments, theirs, self._sockets), daemon=False)
        process.start()
        theirs.close()
        return _Worker(process, ours, time.monotonic())

    def _count_death(self, now: float, worker: _Worker) -> None:
        LOG.error("A worker ended with %s; another one takes its place.", worker.process.exitcode)
        self._deaths = [moment for moment in self._deaths if now - moment < _WITHIN] + [now]
        if len(self._deaths) >= _LOOP:
            raise RefusedError(
                "server.crash-loop",
                f"{_LOOP} workers ended within a minute, the last one with {worker.process.exitcode}.",
                exit=worker.process.exitcode,
            )

    def _replace_each(self, grace: float) -> None:
        for place, old in enumerate(self._workers):
            new = self._start()
            if error := new.wait_until_started():
                # The old ones go on: a mistake in the settings must not end the service.
                LOG.error("The workers were not replaced: %s", error)
                new.process.kill()
                self._close(new)
                return
            self._workers[place] = new
            old.tell()
            old.process.join(grace + EXTRA)
            old.process.kill()
            self._close(old)
        LOG.warning("The workers were replaced.")

    def _stop(self, grace: float) -> None:
        for shared in self._sockets:  # else callers would wait on a socket that nobody reads
            shared.close()
        told, end = 0, time.monotonic() + grace + EXTRA
        while alive := [worker for worker in self._workers if worker.process.is_alive()]:
            self._told += len([number for number in self._taken() if number != signal.SIGHUP])
            wanted = max(self._told, 1)
            for worker in alive:
                for _ in range(told, wanted):
                    worker.tell()
                if time.monotonic() > end:
                    worker.process.kill()
            told = wanted
            wait([worker.process.sentinel for worker in alive], _TICK)
        for worker in self._workers:
            self._close(worker)

    def _close(self, worker: _Worker) -> None:
        worker.process.join()
        worker.pipe.close()
        self._ended(worker.process.pid or 0)

    def _taken(self) -> list[int]:
        taken, self._signals[:] = list(self._signals), []
        return taken

    @contextmanager
    def _listening(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        # Only a list grows in the handler: it runs between any two steps of the loop.
        before = {
            number: signal.signal(number, lambda got, _: self._signals.append(got)) for number in numbers
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _run(work: Work, arguments: tuple[Any, ...], pipe: Connection, sockets: list[socket]) -> None:
    """Be a worker."""
    # Ctrl-C and a closing terminal reach every process; the one that watches tells us in its own way.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    work(Line(pipe, sockets), *arguments)
