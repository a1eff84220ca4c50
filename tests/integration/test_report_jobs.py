"""The jobs of reports: their records, their limits, and what stops them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.adapters.report_jobs import FILES, RECORD, ReportFolder
from ledger.core.access import ANYBODY, Role, Viewer
from ledger.core.audit.views import View
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.scope import Media
from ledger.errors import RakkanError
from ledger.service.clear.question import Asked
from ledger.service.report.jobs import Job, Jobs, ReportSettings, Result, State, Wanted
from ledger.testing import FixedClock
from ledger.wiring import home_at, open_studio
from ledger.wiring.reports.job import job_folder
from ledger.wiring.reports.serving import Reports, reporting
from tests.e2e.conftest import ROOT, Studio, copied, founded, shot_once
from tests.support.service import until

__all__ = ["founded", "shot_once"]
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WANTED = Wanted("broadcast-jp", View.STUDIO)
PRODUCER = Viewer("person:1", {"nightfall": frozenset({Role.PRODUCER})})


def job(number: int = 1, **changes: object) -> Job:
    made = Job(identifier=f"{number:032x}", wanted=WANTED, asker="person:1", made=NOON)
    return replace(made, **changes)  # type: ignore[arg-type]  # any field, by its name


@pytest.fixture
def folder(tmp_path: Path) -> ReportFolder:
    return ReportFolder(tmp_path / "reports")


def jobs(folder: ReportFolder, **settings: object) -> Jobs:
    return Jobs("nightfall", folder, FixedClock(NOON), ReportSettings(**settings))  # type: ignore[arg-type]  # by name


def code_of(store: Jobs, viewer: Viewer = PRODUCER, wanted: Wanted = WANTED) -> str:
    with pytest.raises(RakkanError) as error:
        store.ask(viewer, wanted)
    return error.value.code


def test_what_was_asked_first_is_made_first_within_one_second_too(folder: ReportFolder) -> None:
    store = jobs(folder, each=20)
    asked = []
    for number in range(8):
        store = replace(store, clock=FixedClock(NOON + timedelta(microseconds=number)))
        asked.append(store.ask(PRODUCER, WANTED))
    assert [each.identifier for each in folder.open()] == [each.identifier for each in asked]
    assert {each.wanted.asked.at for each in asked} == {NOON}, "the moment of the question has whole seconds"


def test_a_record_comes_back_whole(folder: ReportFolder) -> None:
    asked = Asked(Deliverable.MARKETING, "T-1", (Media.STREAMING,), ("JP", "KR"), NOON, NOON)
    full = job(
        wanted=Wanted("house", View.RIGHTS_HOLDER, "mori", ("sq010", "sh020"), asked),
        state=State.DONE,
        phase="hashing",
        done=3,
        total=9,
        ended=NOON,
        error=("a.b", "why"),
        report="R-1",
        verdict="cleared",
        files=(Result("tables/shots.csv", 7, "5f" * 32),),
    )
    for one in (job(2), full):
        folder.add(one)
        assert folder.get(one.identifier) == one
    assert folder.all() == [full, job(2)]
    assert folder.open() == [job(2)]
    assert folder.change(replace(job(2), state=State.FAILED))
    assert folder.open() == []


@pytest.mark.parametrize("name", ["..", "", "x", "0" * 31, "0" * 33, "0" * 31 + "G", f"../{'0' * 32}"])
def test_no_identifier_leads_out_of_the_folder(folder: ReportFolder, name: str) -> None:
    folder.add(job())
    (folder.place(job().identifier).parent.parent / RECORD).write_text("{}")
    assert folder.get(name) is None


def test_what_is_removed_comes_not_back(folder: ReportFolder) -> None:
    folder.add(job())
    folder.files(job().identifier).mkdir()
    (folder.files(job().identifier) / "report.json").write_text("{}")
    folder.remove(job().identifier)
    folder.remove(job().identifier)
    assert not folder.change(replace(job(), state=State.RUNNING))
    assert (folder.all(), folder.size()) == ([], 0)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 1}', "null", '{"state": "done"}'])
def test_a_damaged_record_is_none_and_hides_no_other(folder: ReportFolder, text: str) -> None:
    folder.add(job(1))
    folder.add(job(2))
    (folder.place(job(1).identifier) / RECORD).write_text(text)
    assert folder.get(job(1).identifier) is None
    assert folder.all() == folder.open() == [job(2)]


def test_the_limits_of_asking(folder: ReportFolder) -> None:
    assert code_of(jobs(folder, enabled=False)) == "report.off"
    assert code_of(jobs(folder), ANYBODY) == "report.view"
    few = jobs(folder, queue=2, each=1)
    first = few.ask(PRODUCER, WANTED)
    assert first.wanted.asked.at == NOON
    assert code_of(few) == "report.full"
    few.ask(replace(PRODUCER, name="person:2"), WANTED)
    assert code_of(few, replace(PRODUCER, name="person:3")) == "report.full"
    full = jobs(folder, max_bytes=10)
    assert code_of(full) == "report.full"


def test_results_are_kept_for_so_long(folder: ReportFolder) -> None:
    store = jobs(folder, keep=timedelta(days=1))
    for number, ended in ((1, NOON - timedelta(days=1)), (2, NOON - timedelta(hours=23)), (3, None)):
        folder.add(job(number, state=State.DONE if ended else State.QUEUED, ended=ended))
    with pytest.raises(RakkanError) as error:
        store.get(PRODUCER, job(1).identifier)
    assert error.value.code == "report.unknown"
    store.sweep()
    assert [one.identifier for one in folder.all()] == [job(2).identifier, job(3).identifier]


@pytest.fixture
def home(shot_once: Studio, tmp_path: Path) -> Studio:
    return copied(shot_once, tmp_path / "home")


def finished(reports: Reports, viewer: Viewer = PRODUCER, wanted: Wanted = WANTED) -> Job:
    identifier = reports.jobs.ask(viewer, wanted).identifier
    until(lambda: not reports.jobs.get(viewer, identifier).open)
    return reports.jobs.get(viewer, identifier)


@pytest.fixture
def serving(home: Studio) -> Iterator[Studio]:
    """A home whose folder of reports is clean at the end."""
    yield home
    assert [path.name for path in (home.home / "report-jobs").iterdir() if path.name.startswith(".")] == []


def quick(**settings: object) -> ReportSettings:
    return ReportSettings(poll=timedelta(milliseconds=20), **settings)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"longest": timedelta(milliseconds=1)}, "report.stopped"), ({"max_bytes": 4_000}, "report.full")],
)
def test_what_costs_too_much_is_stopped(
    serving: Studio, monkeypatch: pytest.MonkeyPatch, limit: dict[str, object], code: str
) -> None:
    monkeypatch.setattr("ledger.wiring.reports.serving._LOOK", 0.01)
    place = home_at(serving.home)
    with open_studio(place) as studio, reporting(place, studio, quick(**limit)) as reports:
        found = finished(reports)
        assert (found.state, found.error and found.error[0]) == (State.FAILED, code)
        assert not reports.folder.files(found.identifier).exists()


@pytest.mark.slow
def test_one_that_was_under_way_is_begun_anew_and_a_half_one_is_never_shown(serving: Studio) -> None:
    place = home_at(serving.home)
    folder = job_folder(place)
    running = job(state=State.RUNNING, phase="writing", done=3, total=4)
    folder.add(running)
    left = folder.files(running.identifier)
    left.mkdir()
    (left / "half").write_text("half")
    (left.with_name(f".{FILES}.part")).mkdir()
    with open_studio(place) as studio, reporting(place, studio, quick()) as reports:
        until(lambda: not reports.jobs.get(PRODUCER, running.identifier).open)
        found = reports.jobs.get(PRODUCER, running.identifier)
    assert found.state is State.DONE
    assert "half" not in {item.name for item in found.files}
    assert {path.name for path in folder.place(running.identifier).iterdir()} == {RECORD, FILES}


def test_a_closed_service_stops_its_job_at_once_and_keeps_it(serving: Studio) -> None:
    place = home_at(serving.home)
    with open_studio(place) as studio:
        with reporting(place, studio, quick()) as reports:
            identifier = reports.jobs.ask(PRODUCER, WANTED).identifier
            until(lambda: reports.jobs.get(PRODUCER, identifier).state is State.RUNNING)
            begun = time.monotonic()
        assert time.monotonic() - begun < 10
        left = reports.jobs.get(PRODUCER, identifier)
        assert left.state is State.RUNNING
        assert not reports.folder.files(identifier).exists()


@pytest.mark.slow
def test_two_servers_make_each_report_once(serving: Studio) -> None:
    place = home_at(serving.home)
    with (
        open_studio(place) as studio,
        reporting(place, studio, quick()) as reports,
        reporting(place, studio, quick()) as others,
    ):
        found = [finished(reports), finished(others)]
        assert [one.state for one in found] == [State.DONE, State.DONE]


def test_the_process_ends_with_its_server(serving: Studio) -> None:
    place = home_at(serving.home)
    folder = job_folder(place)
    folder.add(job())
    boot = "import sys; sys.path.insert(0, sys.argv[1]); from ledger.wiring.reports.job import main; main()"
    command = [sys.executable, "-I", "-c", boot, str(ROOT), str(serving.home), job().identifier]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(30) == 1
    assert said["phase"]
    shutil.rmtree(folder.place(job().identifier))
