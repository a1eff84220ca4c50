"""One report that was asked for over HTTP, made in a process of its own, which the server starts.

* It says what it does on standard output, one JSON object in a line; the last one holds the result or the
  error. What anything else prints goes to standard error.
* It ends with the server: when its standard input closes, whoever started it is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ledger.adapters.home import Home
from ledger.adapters.report_jobs import ReportFolder
from ledger.core.audit.views import Reader
from ledger.errors import RakkanError
from ledger.service.files import identify
from ledger.service.report.jobs import Job, Result

Tell = Callable[..., None]
_NICE = 10
FOLDER = "report-jobs"


def main() -> None:
    """Make the report of the job that the arguments name: the home's folder, and the identifier."""
    folder, identifier = sys.argv[-2:]
    os.nice(_NICE)
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    with os.fdopen(os.dup(1), "w") as line:
        os.dup2(2, 1)

        def tell(**said: Any) -> None:
            print(json.dumps(said), file=line, flush=True)

        try:
            from ledger.wiring import home_at

            place = home_at(Path(folder))
            job = job_folder(place).get(identifier)
            if job is not None:
                tell(result=make_report(place, job, tell))
        except RakkanError as error:
            tell(error=[error.code, error.message])


def make_report(place: Home, job: Job, tell: Tell) -> dict[str, Any]:
    """Write the report of a job into its folder; return its identifier, verdict and files."""
    from ledger.service.clear.projecting import catch_up
    from ledger.service.clear.question import ask, clearer_over, still
    from ledger.service.report.population import of_recorded
    from ledger.service.report.report import check_time, make
    from ledger.wiring import open_studio
    from ledger.wiring.reading import policy_named
    from ledger.wiring.reports import write
    from ledger.wiring.reports.draft import Order
    from ledger.wiring.reports.standing import standing

    wanted, target = job.wanted, job_folder(place).files(job.identifier)
    reader = Reader(wanted.view, wanted.party)

    def writing(done: int, total: int) -> None:
        tell(phase="writing", done=done, total=total)

    with open_studio(place) as opened:
        size = opened.entries.head().size
        catch_up(opened, lambda done: tell(phase="reading the log", done=done, total=size))
        policy = policy_named(opened, wanted.policy)
        with still(opened, wanted.asked.known) as (studio, seen):
            clearer = clearer_over(seen, ask(studio, policy, wanted.asked))
            check_time(studio, clearer.question)
            population = of_recorded(studio, wanted.targets)
            tell(phase="judging", total=sum(len(shot.frames) for shot in population.shots))
            stands = standing(place, opened, clearer, population, reader, issue=False)
            made = make(studio, clearer, population, stands.beside)
        written = write(place, opened, made, Order(reader), target, stands, writing)
    names = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    files = []
    for done, name in enumerate(names):
        tell(phase="hashing", done=done, total=len(names))
        identity = identify(target / name)
        files.append(asdict(Result(name, identity.size_bytes, identity.sha256)))
    report = written.report
    return {"report": report.head.identifier, "verdict": report.verdict_now, "files": files}


def job_folder(place: Home) -> ReportFolder:
    """Return the jobs of a home. Not among its issued reports, which are kept: these can be made again."""
    return ReportFolder(place.folder / FOLDER)


def _end_with_the_server() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
