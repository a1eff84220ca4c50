"""``JobStore`` in a folder: each job is a folder of its own, with its record and, once made, its report.

* A record is replaced whole. A job that is removed is renamed first: it is gone in one moment, whatever is
  still being written into it.
* What is left of a removal that was cut short is cleared away by the next one.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.core.fields import format_time, parse_time, present
from ledger.errors import RakkanError
from ledger.service.files import read_whole, write_new, writing_errors
from ledger.service.report.jobs import Job, Result, State, Wanted

RECORD = "job.json"
FILES = "files"
MAX_RECORD = 64 << 20
_ID = re.compile(r"[0-9a-f]{32}")
_GONE = ".gone-"
_OPEN = "open"
"""Marks a job that waits or is under way: records may be long."""


class ReportFolder:
    """The jobs in a folder, which is made with the first one. See ``service.report.jobs.JobStore``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> Sequence[Job]:
        """Return every job, the oldest first."""
        return self._marked(RECORD)

    def get(self, identifier: str) -> Job | None:
        """Return a job, or ``None``, also for one whose record is damaged: it can be asked for again."""
        record = self._folder / identifier / RECORD
        if not _ID.fullmatch(identifier) or not record.is_file():
            return None
        try:
            return _read(json.loads(read_whole(record, MAX_RECORD)))
        except (RakkanError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def open(self) -> Sequence[Job]:
        """Return the jobs that wait or are under way, the oldest first: a few looks at the disk."""
        return [job for job in self._marked(_OPEN) if job.open]

    def add(self, job: Job) -> None:
        """Keep a new job."""
        place = self.place(job.identifier)
        with writing_errors(place):
            place.mkdir(mode=0o700, parents=True)
        self._write(job)
        write_new(place / _OPEN, b"")

    def change(self, job: Job) -> bool:
        """Replace a job; ``False`` for one that was removed meanwhile."""
        place = self.place(job.identifier)
        try:
            self._write(job)
        except RakkanError:
            if place.is_dir():
                raise
            return False
        if not job.open:
            (place / _OPEN).unlink(missing_ok=True)
        return True

    def remove(self, identifier: str) -> None:
        """Forget a job with its files."""
        with suppress(FileNotFoundError):
            self.place(identifier).rename(self._folder / f"{_GONE}{identifier}")
        for left in self._folder.glob(f"{_GONE}*"):
            shutil.rmtree(left, ignore_errors=True)

    def size(self) -> int:
        """Return how many bytes all files take."""
        return sum(
            size
            for folder, _, names in os.walk(self._folder)
            for size in map(_size, (Path(folder) / name for name in names))
        )

    def _marked(self, name: str) -> list[Job]:
        """Return the jobs whose folders hold such a file."""
        found = (self.get(mark.parent.name) for mark in self._folder.glob(f"*/{name}"))
        return sorted((job for job in found if job is not None), key=lambda job: (job.made, job.identifier))

    def _write(self, job: Job) -> None:
        write_new(self.place(job.identifier) / RECORD, json.dumps(_document(job)).encode())

    def place(self, identifier: str) -> Path:
        """Return the folder of a job."""
        return self._folder / identifier

    def files(self, identifier: str) -> Path:
        """Return the folder where a job's report is, or will be."""
        return self.place(identifier) / FILES


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _document(job: Job) -> dict[str, Any]:
    said = {name: getattr(job, name) for name in ("phase", "done", "total", "report", "verdict", "error")}
    return present(
        id=job.identifier,
        wanted=job.wanted.to_json(),
        asker=job.asker,
        made=job.made.isoformat(),  # to the microsecond: several a second are made in the order of asking
        state=job.state.value,
        ended=job.ended and format_time(job.ended),
        files=[asdict(item) for item in job.files],
        **said,
    )


def _read(said: dict[str, Any]) -> Job:
    ended: datetime | None = parse_time(said["ended"]) if "ended" in said else None
    error = said.get("error")
    return Job(
        identifier=said["id"],
        wanted=Wanted.read(said["wanted"]),
        asker=said["asker"],
        made=datetime.fromisoformat(said["made"]),
        state=State(said["state"]),
        phase=said.get("phase", ""),
        done=said.get("done", 0),
        total=said.get("total", 0),
        ended=ended,
        error=(error[0], error[1]) if error else None,
        report=said.get("report"),
        verdict=said.get("verdict"),
        files=tuple(Result(**item) for item in said.get("files", ())),
    )
