"""`rakkan report` and what it must not be made of: it says why, and leaves nothing half-written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.core.audit.document import read
from tests.e2e.conftest import ROOT, Studio, snapshot
from tests.support.cleared import place, policy
from tests.support.mishaps import RECORD, mounted
from tests.support.timelines import clip, images, span, timeline, written

WHOLE = ("--production", "nightfall", "--policy", "broadcast-jp")
NAMES = (
    "夜明けの街_最終.1001.png",
    "đêm rằm tháng tám.1001.png",
    "ليل-المدينة.1001.png",
    "🎬.1001.png",
    "=HYPERLINK(1)+cmd.1001.png",
    "<script>alert(1)<-script>.1001.png",
    "-rf.1001.png",
    "'; DROP TABLE entry;.1001.png",
    '"#]$ @import.1001.png',
    f"{'x' * 200}.1001.png",
)


def reporting(studio: Studio, *options: object, seed: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ledger", "report", *map(str, options)],
        env={**studio.environment(), "PYTHONHASHSEED": str(seed)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def parts(folder: Path) -> list[Path]:
    """Return what is there of reports that are being written."""
    return list(folder.glob(".*.part"))


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def test_a_production_without_a_final_file(studio: Studio) -> None:
    studio.fails("report.empty", "report", *WHOLE, "--out", studio.work / "out")


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("report.production", ("--production", "dawn", "--policy", "broadcast-jp")),
        ("clear.unknown-target", ("sq999", "--policy", "broadcast-jp")),
        ("profile.unknown", ("--production", "nightfall", "--policy", "nobody's")),
        ("report.future", (*WHOLE, "--at", "2999-01-01T00:00:00Z")),
        ("registry.unknown-title", (*WHOLE, "--title", "T-99")),
        ("rights.territory", (*WHOLE, "--territory", "XX")),
    ],
)
def test_a_question_that_has_no_answer(nightfall: Studio, code: str, options: tuple[str, ...]) -> None:
    nightfall.fails(code, "report", *options, "--out", nightfall.work / "out")


def test_what_is_asked_for_must_be_one_thing(nightfall: Studio) -> None:
    for options in ((), ("sh010", "--production", "nightfall")):
        result = nightfall("report", *options, "--policy", "broadcast-jp", "--out", nightfall.work / "out")
        assert (result.code, result.out) == (2, "")
    result = nightfall("report", *WHOLE, "--view", "rights-holder", "--out", nightfall.work / "out")
    assert result.code == 2
    assert not (nightfall.work / "out").exists()


def test_a_policy_of_a_later_version_than_this_program_knows(nightfall: Studio) -> None:
    file = nightfall.work / "later.toml"
    file.write_text('extends = "broadcast-jp"\nname = "later"\nversion = "9"\n[royalties]\nrate = "0.1"\n')
    nightfall.fails(
        "profile.malformed",
        "report",
        "--production",
        "nightfall",
        "--policy",
        file,
        "--out",
        nightfall.work / "out",
    )


def test_a_policy_that_was_put_on_record_later_than_what_is_to_be_known(nightfall: Studio) -> None:
    nightfall.ok("clear", ".", *policy(nightfall), "--record")
    early = ("--at", "2026-02-01T00:00:00Z", "--known", "2026-02-01T00:00:00Z")
    out = nightfall.work / "out"
    options = ("--production", "nightfall", *policy(nightfall), *early, "--out", out)
    nightfall.fails("report.future", "report", *options)


@pytest.mark.parametrize(
    ("code", "made"),
    [
        ("report.empty", lambda: timeline([])),
        ("report.empty", lambda: timeline([clip("sh010", None, span(1001, 0))])),
        (
            "cut.malformed",
            lambda: timeline([clip("sh010", images("", "a.", range(1, 10_000_002)), span(1, 10_000_001))]),
        ),
    ],
)
def test_a_cut_of_no_frame_and_one_of_too_many(nightfall: Studio, code: str, made: Callable[[], Any]) -> None:
    cut = written(made(), nightfall.work / "cut.otio")
    options = ("--cut", cut, "--policy", "broadcast-jp", "--out", nightfall.work / "out")
    nightfall.fails(code, "report", *options)


def test_a_cut_that_is_none(nightfall: Studio) -> None:
    out = nightfall.work / "out"
    nightfall.fails("file.missing", "report", "--cut", "no.otio", "--policy", "broadcast-jp", "--out", out)
    cut = nightfall.work / "cut.otio"
    cut.write_bytes(b"[" * 100_000)
    nightfall.fails("cut.malformed", "report", "--cut", cut, "--policy", "broadcast-jp", "--out", out)


def test_what_is_there_already_stays(nightfall: Studio) -> None:
    folder, file, link = (nightfall.work / name for name in ("folder", "file", "link"))
    folder.mkdir()
    (folder / "mine").write_text("precious")
    file.write_text("precious")
    link.symlink_to(nightfall.work / "elsewhere")
    for taken in (folder, file, link):
        nightfall.fails("target.exists", "report", *WHOLE, "--out", taken)


def test_a_folder_that_cannot_be_written(nightfall: Studio) -> None:
    folder = nightfall.work / "mount"
    folder.mkdir()
    with mounted(folder, "size=64k"):
        nightfall.fails("target.no-space", "report", *WHOLE, "--out", folder / "out")
        assert list(folder.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        nightfall.fails("target.not-writable", "report", *WHOLE, "--out", folder / "out")
    nightfall.fails("target.not-writable", "report", *WHOLE, "--out", nightfall.work / "house.toml" / "out")


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_who_is_interrupted_leaves_no_report_and_can_begin_anew(nightfall: Studio, kind: int) -> None:
    out = nightfall.work / "out"
    running = reporting(nightfall, *WHOLE, "--out", out)
    while not parts(nightfall.work):
        assert running.poll() is None, running.communicate()
        time.sleep(0.002)
    running.send_signal(kind)
    _, said = running.communicate()
    assert not out.exists()
    assert "Traceback" not in said
    assert bool(parts(nightfall.work)) == (kind == signal.SIGKILL)
    assert nightfall("report", *WHOLE, "--out", out).code in {0, 3, 4}
    assert not parts(nightfall.work)
    assert read(document(out)).view == "studio"


def test_two_at_once_are_the_same_report_and_share_a_new_secret(nightfall: Studio) -> None:
    at = ("--at", "2026-11-01T00:00:00Z", "--view", "public")
    folders = [nightfall.work / name for name in ("one", "two")]
    running = [reporting(nightfall, *WHOLE, *at, "--out", to, seed=n) for n, to in enumerate(folders)]
    said = [each.communicate()[1] for each in running]
    assert {each.returncode for each in running} <= {0, 3, 4}, said
    one, two = (snapshot(folder) for folder in folders)
    signed = {"report.pdf", "bundle.zip"}  # a signature says when it was made
    assert [name for name in one if one[name] != two[name] and name not in signed] == []
    assert one.keys() == two.keys()
    assert '{"_sd"' in (folders[0] / "report.json").read_text()
    assert (nightfall.home / "report.secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_two_at_once_into_one_folder_do_not_mix(nightfall: Studio) -> None:
    out = nightfall.work / "out"
    running = [reporting(nightfall, *WHOLE, "--out", out) for _ in range(2)]
    ended = [(each.communicate()[1], each.returncode) for each in running]
    refused = [said for said, code in ended if code == 2]
    assert len(refused) == 1
    assert "[report.busy]" in refused[0] or "[target.exists]" in refused[0]
    assert read(document(out)).figure("found").value == 3
    assert not parts(nightfall.work)


def test_names_in_every_script_and_hostile_ones(nightfall: Studio) -> None:
    for number, name in enumerate(NAMES):
        path = nightfall.png(name, 100 + number)
        nightfall.ok("record", *RECORD, *place("sh090"), "--", path)
    out = nightfall.work / "out"
    assert nightfall("report", "sq010/sh090", "--policy", "broadcast-jp", "--out", out).code == 4
    report = read(document(out))
    assert set(report.tables["frames"].column("name")) == set(NAMES)
    assert "<script>alert" not in (out / "report.html").read_text()
    rows = (out / "tables" / "frames.csv").read_text().splitlines()
    assert not [field for row in rows for field in row.split(",") if field.startswith(("=", "-", "+", "@"))]
