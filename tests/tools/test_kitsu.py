"""The listener at a real Kitsu server: live, after an outage, refused; and the verdicts that it writes."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ledger.core.artifact import Role
from ledger.core.predicates.capture import Event, Layer
from ledger.core.predicates.step import StepAction
from ledger.core.spooled import Spooled, read_spooled
from tests.support.demo import rakkan, run_once
from tests.support.kitsu import EMAIL, PASSWORD, Kitsu, running
from tests.support.postgres import PostgresServer
from tests.support.tools import ROOT

pytestmark = pytest.mark.tools
LISTENER = ROOT / "ledger/hooks/kitsu.py"
PATIENCE = 120

MAKE = """
project = gazu.project.new_project("Nightfall")
sequence = gazu.shot.new_sequence(project, "sq010")
shot = gazu.shot.new_shot(project, sequence, "sh020", frame_in=1001, frame_out=1010)
kind = gazu.asset.get_asset_type_by_name("Props") or gazu.asset.all_asset_types()[0]
asset = gazu.asset.new_asset(project, kind, "lamp")
def kind_of(entity):
    return next(t for t in gazu.task.all_task_types() if t["for_entity"] == entity)
task_type = gazu.task.get_task_type_by_name("Compositing")
def shot_of(series, name):
    sequence = gazu.shot.new_sequence(series, "sq010", episode=gazu.shot.new_episode(series, name))
    return gazu.shot.new_shot(series, sequence, "sh020", frame_in=1001, frame_out=1010)
series = gazu.project.new_project("Tides", production_type="tvshow")
episodes = {name: gazu.task.new_task(shot_of(series, name), task_type)["id"] for name in ("ep01", "ep02")}
result = {
    **episodes,
    "shot": gazu.task.new_task(shot, task_type)["id"],
    "asset": gazu.task.new_task(asset, kind_of("Asset"))["id"],
}
"""
PUBLISH = """
task = gazu.task.get_task(sys.argv[1])
status = gazu.task.get_task_status_by_short_name("wfa")
result = []
for path in sys.argv[2:]:
    comment, preview = gazu.task.publish_preview(task, status, comment="", preview_file_path=path)
    result.append(preview["id"])
"""
APPROVE = """
task = gazu.task.get_task(sys.argv[1])
gazu.task.add_comment(task, gazu.task.get_task_status_by_short_name("done"), "final")
result = None
"""


@dataclass
class Site:
    """The server with a production, and where one listener of it keeps its things."""

    kitsu: Kitsu
    tasks: dict[str, str]
    folder: Path

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    def publish(self, *pictures: Path, task: str = "shot") -> list[str]:
        found: list[str] = self.kitsu.gazu(PUBLISH, self.tasks[task], *map(str, pictures))
        return found

    def picture(self, number: int) -> Path:
        path = self.folder / f"comp.{number}.png"
        said = PngInfo()
        said.add_text("parameters", "Kitsu keeps no such chunk")
        Image.effect_noise((64, 48), number).convert("RGB").save(path, pnginfo=said)
        return path

    def environment(self, **more: str) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("RAKKAN", "PYTHON"))}
        said = {
            "KITSU_HOST": self.kitsu.url,
            "KITSU_EVENT_HOST": self.kitsu.events_url,
            "KITSU_EMAIL": EMAIL,
            "KITSU_PASSWORD": PASSWORD,
            "RAKKAN_SPOOL": str(self.spool),
        }
        return own | said | more

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a listener as a studio runs it, with gazu. What it says is in `log`."""
        with (self.folder / "log").open("a") as log:
            command = [str(self.kitsu.python), str(LISTENER), *options]
            return subprocess.Popen(command, env=self.environment(), stderr=log, text=True)

    def once(
        self, *options: str, python: str = sys.executable, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Catch up, with a Python that has no gazu."""
        return subprocess.run(
            [python, str(LISTENER), "--once", *options],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def records(self) -> list[Spooled]:
        return [read_spooled(path.read_bytes()) for path in sorted((self.spool / "new").glob("*.json"))]

    def cursor(self) -> None:
        """Start at this moment: what was published by other tests is no concern of this one."""
        assert self.once().returncode == 0
        for path in (self.spool / "new").glob("*.json"):
            path.unlink()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("kitsu")
    with running(folder / "server", postgres_server) as kitsu:
        yield Site(kitsu, kitsu.gazu(MAKE), folder)


@pytest.fixture
def site(server: Site, tmp_path: Path) -> Site:
    found = Site(server.kitsu, server.tasks, tmp_path)
    found.cursor()
    return found


def until(holds: Callable[[], bool], site: Site) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, site.log
        time.sleep(0.2)


def end(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


def pixels(path: Path | str) -> bytes:
    with Image.open(path) as picture:
        return picture.convert("RGB").tobytes()


def previews_of(records: list[Spooled]) -> list[str]:
    return [record.parameters["kitsu.previews"] for record in records]


def test_a_publish_is_recorded_live_and_after_an_outage_each_once(site: Site) -> None:
    follower = site.start("--every", "600")  # so that only the live event can be what wakes it
    try:
        until(lambda: (site.folder / "kitsu/state.json").exists() and "live" in site.log, site)
        (first,) = site.publish(site.picture(1))
        until(lambda: len(site.records()) == 1, site)
    finally:
        assert end(follower) == 0
    missed = site.publish(site.picture(2), site.picture(3))
    follower = site.start("--every", "600")
    try:
        until(lambda: len(site.records()) >= 3, site)
    finally:
        assert end(follower) == 0
    assert site.once().returncode == 0
    assert previews_of(site.records()) == [first, *missed]


def test_the_record_says_what_was_published_and_where(site: Site) -> None:
    uploaded = site.picture(4)
    (preview,) = site.publish(uploaded)
    assert site.once().returncode == 0
    (record,) = site.records()
    assert (record.hook, record.layer, record.event) == ("kitsu 1", Layer.SHARE, Event.PUBLISH)
    assert (record.action, record.tool.name) == (StepAction.CONVERT, "Kitsu")
    place = dict(record.place)
    assert re.fullmatch(r"v\d{3}", place.pop("version"))
    assert place == {
        "production": "Nightfall",
        "sequence": "sq010",
        "shot": "sh020",
        "task": "Compositing",
        "frames": (1001, 1010),
    }
    (kept,), (note,) = record.inputs, record.outputs
    assert (kept.role, Path(kept.path).name) == (Role.PARENT, f"{preview}.png")
    assert Path(kept.path).read_bytes() != uploaded.read_bytes(), "Kitsu writes the picture anew"
    assert pixels(kept.path) == pixels(uploaded)
    written = Path(note.path).read_bytes()
    assert note.sha256 == hashlib.sha256(written).hexdigest()
    assert json.loads(written)["previews"][0]["id"] == preview
    assert EMAIL.encode() not in written


def test_an_asset_is_no_shot(site: Site) -> None:
    site.publish(site.picture(5), task="asset")
    assert site.once().returncode == 0
    (record,) = site.records()
    assert set(record.place) == {"production", "task", "version"}
    assert record.parameters["kitsu.entity"] == "lamp"


def test_a_final_status_is_recorded_with_the_last_revision(site: Site) -> None:
    *_, last = site.publish(site.picture(6), site.picture(7))
    site.kitsu.gazu(APPROVE, site.tasks["shot"])
    assert site.once("--final", "done,fin").returncode == 0
    *_, record = site.records()
    assert [each.event for each in site.records()] == [Event.PUBLISH, Event.PUBLISH, Event.FINAL]
    assert (record.parameters["kitsu.previews"], record.parameters["kitsu.status"]) == (last, "done")


def test_a_file_that_lies_in_the_production_is_the_input_itself(site: Site) -> None:
    uploaded, elsewhere = site.picture(8), site.folder / "secret"
    elsewhere.write_bytes(b"not of the production")
    roots = [{"name": "nightfall", "roots": [str(uploaded)], "policy": "spool"}]
    (site.spool / "settings.json").write_text(json.dumps({"productions": roots}))
    mine, theirs = site.publish(uploaded, site.picture(9))
    for preview, path in ((mine, uploaded), (theirs, elsewhere)):
        site.kitsu.call("PUT", f"data/preview-files/{preview}", {"data": {"path": str(path)}})
    assert site.once().returncode == 0
    assert [Path(record.inputs[0].path).name for record in site.records()] == [uploaded.name, f"{theirs}.png"]


def test_a_deleted_preview_is_said_and_passed_over(site: Site) -> None:
    gone, kept = site.publish(site.picture(10), site.picture(11))
    site.kitsu.gazu("gazu.client.delete('data/preview-files/' + sys.argv[1]); result = None", gone)
    done = site.once()
    assert (done.returncode, previews_of(site.records())) == (0, [kept])
    assert "passed over" in done.stderr


def test_a_long_list_is_read_page_by_page(site: Site) -> None:
    published = site.publish(*(site.picture(number) for number in range(20, 24)))
    small = "import sys, kitsu; kitsu.PAGE = 2; sys.exit(kitsu.main(['--once']))"
    environment = site.environment(PYTHONPATH=str(LISTENER.parent))
    subprocess.run([sys.executable, "-c", small], env=environment, check=True)
    assert previews_of(site.records()) == published


def test_a_crash_before_the_cursor_was_written_gives_a_record_of_the_same_id(site: Site) -> None:
    before = (site.folder / "kitsu/state.json").read_bytes()
    site.publish(site.picture(12))
    assert site.once().returncode == 0
    (site.folder / "kitsu/state.json").write_bytes(before)
    assert site.once().returncode == 0
    first, second = site.records()
    assert (first.record_id, first.outputs[0].sha256) == (second.record_id, second.outputs[0].sha256)


def test_a_server_that_is_away_is_waited_for_and_nothing_is_lost(site: Site) -> None:
    (preview,) = site.publish(site.picture(13))
    site.kitsu.stop()
    try:
        follower = site.start("--every", "1")
        until(lambda: "does not answer" in site.log, site)
        assert follower.poll() is None
    finally:
        site.kitsu.start()
    try:
        until(lambda: len(site.records()) == 1, site)
    finally:
        assert end(follower) == 0
    assert previews_of(site.records()) == [preview]


def test_a_server_that_is_away_ends_a_single_run_with_three(site: Site) -> None:
    (site.folder / "kitsu/state.json").unlink()
    done = site.once(KITSU_HOST="http://127.0.0.1:9")
    assert (done.returncode, "does not answer" in done.stderr) == (3, True), done.stderr


def test_a_wrong_password_is_said_without_being_shown(site: Site) -> None:
    done = site.once(KITSU_PASSWORD="a wrong secret")
    assert done.returncode == 2
    assert "refuses this email and password" in done.stderr
    assert "a wrong secret" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"KITSU_HOST": ""}, "address is missing"),
        ({"KITSU_HOST": "kitsu.example"}, "must be a URL"),
        ({"KITSU_PASSWORD": ""}, "KITSU_TOKEN, or KITSU_EMAIL"),
        ({"KITSU_TOKEN": "e30.e30.e30"}, "does not accept KITSU_TOKEN"),
        ({"RAKKAN_CAPTURE": "0"}, "nothing would be recorded"),
    ],
)
def test_what_somebody_has_to_mend_ends_with_two(site: Site, more: dict[str, str], says: str) -> None:
    done = site.once(**more)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_credentials_come_from_a_private_file_only(site: Site) -> None:
    said = {"host": site.kitsu.url, "email": EMAIL, "password": PASSWORD}
    private = site.folder / "kitsu.json"
    private.write_text(json.dumps(said))
    nothing = {"KITSU_HOST": "", "KITSU_EMAIL": "", "KITSU_PASSWORD": ""}
    private.chmod(0o644)
    refused = site.once("--credentials", str(private), **nothing)
    assert (refused.returncode, "chmod 600" in refused.stderr) == (2, True)
    private.chmod(0o600)
    assert site.once("--credentials", str(private), **nothing).returncode == 0


def test_another_server_needs_another_state(site: Site) -> None:
    done = site.once(KITSU_HOST=site.kitsu.url.replace("127.0.0.1", "localhost"))
    assert (done.returncode, "another --state" in done.stderr) == (2, True)


def test_the_verdict_is_written_where_kitsu_shows_it(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    demo = run_once(tmp_path_factory.getbasetemp())
    command = site.folder / "bin/rakkan"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ledger "$@"\n')
    command.chmod(0o755)
    cleared = next(demo.folder.glob("files/sh020.final.1006.png"))
    known, unknown = site.publish(cleared, site.picture(14))
    site.kitsu.call("PUT", f"data/preview-files/{known}", {"data": {"ours": 1}})
    more = {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "RAKKAN_HOME": str(demo.folder / "home"),
    }
    wrong = site.once("--policy", "no-such-policy", **more)
    assert (wrong.returncode, "profile.unknown" in wrong.stderr) == (2, True), wrong.stderr
    done = site.once("--policy", "strict-authorised-only", "--comment", **more)
    assert done.returncode == 0, done.stderr
    data = site.kitsu.call("GET", f"data/preview-files/{known}")["data"]
    assert data["ours"] == 1
    assert data["rakkan"]["verdict"] == {"then": "cleared", "now": "cleared"}
    assert data["rakkan"]["grade"] == "L4"
    assert data["rakkan"]["policy"].startswith("strict-authorised-only ")
    assert not (site.kitsu.call("GET", f"data/preview-files/{unknown}")["data"] or {}).get("rakkan")
    comments = site.kitsu.call("GET", f"data/tasks/{site.tasks['shot']}/comments")
    assert [c["text"] for c in comments if c["text"].startswith("Rakkan")] == [
        f"Rakkan: cleared (grade L4, policy {data['rakkan']['policy']})"
    ]


def test_the_record_of_a_publish_changes_no_verdict(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    demo = run_once(tmp_path_factory.getbasetemp())
    home = shutil.copytree(demo.folder / "home", site.folder / "home")
    site.publish(demo.folder / "files/sh020.final.1006.png")
    assert site.once().returncode == 0
    (record,) = site.records()
    picture, note = record.inputs[0].path, record.outputs[0].path
    what = ("--action", record.action.value, "--parent", picture, "--shot", "sh020", "--tool", "Kitsu 1")
    done = rakkan("record", note, *what, home=home)
    assert done.returncode == 0, done.stderr
    asked = rakkan("clear", picture, "--policy", "strict-authorised-only", "--json", home=home)
    (target,) = json.loads(asked.stdout)["targets"]
    assert target["verdict"] == {"then": "cleared", "now": "cleared"}
    reasons = json.loads(
        rakkan("clear", note, "--policy", "strict-authorised-only", "--json", home=home).stdout
    )["reasons"]
    # The command line declares; nothing else is wrong with the note: its picture is explained by its pixels.
    assert {reason["code"] for reason in reasons} == {"GRADE_BELOW_POLICY", "WEAK_EVIDENCE"}


def test_two_episodes_of_a_series_have_the_same_shot(site: Site) -> None:
    for number, episode in enumerate(("ep01", "ep02"), 90):
        site.publish(site.picture(number), task=episode)
    assert site.once().returncode == 0
    places = [record.place for record in site.records()]
    assert [place["episode"] for place in places] == ["ep01", "ep02"]
    assert {(place["production"], place["sequence"], place["shot"]) for place in places} == {
        ("Tides", "sq010", "sh020")
    }
    assert not any("kitsu.episode" in record.parameters for record in site.records())
