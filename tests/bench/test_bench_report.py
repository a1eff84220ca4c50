"""The audit report of an episode and of a feature, part by part: seconds, and the most memory.

`python -m pytest -m bench -s tests/bench/test_bench_report.py` prints it. Each report is made in a process
of its own (`report_parts`). The measures that it stands beside are taken in the same run: clearing the same
files, `json.dumps` of the document, and bare Ed25519 checks of as many entries.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import pytest

from tests.architecture.project import ROOT
from tests.support.feature import Feature
from tests.support.feature_home import POLICY, cut_of, made

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
EPISODE, FEATURE = Feature(400, 31_680, 60), Feature()
LIMIT_MB = 1_024


@pytest.mark.parametrize(("name", "feature"), [("an episode", EPISODE), ("a feature", FEATURE)])
def test_a_report(name: str, feature: Feature, tmp_path: Path) -> None:
    made(tmp_path / "home", feature)
    cut_of(feature, tmp_path)
    parts = run(tmp_path)
    again = run(tmp_path, "again")
    sys.stdout.write(f"\n{name}: {feature.finals:,} frames, {feature.shots:,} shots\n")
    show(parts, "clearing alone")
    sys.stdout.write("the whole again, after one grant was revoked\n")
    show(again, "make")
    checks = next(part for part in parts if "bare signature checks" in part.get("part", ""))
    entries = next(part["entries"] for part in parts if "entries" in part)
    bare = checks["cpu"] * entries / int(checks["part"].split()[0].replace(",", ""))
    judged = next(part["cpu"] for part in parts if part.get("part") == "all of them judged")
    sys.stdout.write(f"judging {entries:,} entries: {judged / bare:.2f} of as many bare signature checks\n")
    written, verified = handed_over(tmp_path)
    sys.stdout.write(f"rakkan report, every format of it and the bundle: {written:.1f} s\n")
    share = f"{verified / bare:.2f} of as many bare signature checks"
    sys.stdout.write(f"verify.pyz on the bundle: {verified:.1f} s, {share}\n")
    make = next(part for part in parts if part.get("part") == "make")
    assert make["megabytes"] < LIMIT_MB


def run(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.bench.report_parts", str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def handed_over(folder: Path) -> tuple[float, float]:
    """Write the whole report and verify its bundle, each in a process; return the processor's seconds."""
    out = folder / "out"
    cut = ("--cut", str(folder / "final.otio"), "--policy", POLICY, "--out", str(out))
    commands = (
        [sys.executable, "-m", "ledger", "report", *cut],
        [sys.executable, str(out / "verify.pyz"), str(out / "bundle.zip")],
    )
    seconds = []
    for command in commands:
        before = getrusage(RUSAGE_CHILDREN)
        environment = {**os.environ, "RAKKAN_HOME": str(folder / "home")}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
        assert done.returncode in {0, 3, 4}, done.stderr
        after = getrusage(RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return seconds[0], seconds[1]


def show(parts: list[dict[str, Any]], measure: str) -> None:
    lines = [f"{'':36} {'seconds':>9} {'cpu':>8} {'MB so far':>10} {'ratio':>8}"]
    one = next(part["cpu"] for part in parts if part.get("part") == measure)
    lines += [
        f"{part['part']:36} {part['seconds']:9.2f} {part['cpu']:8.2f} {part['megabytes']:10,.0f}"
        f" {part['cpu'] / one:8.2f}"
        for part in parts
        if "part" in part
    ]
    sys.stdout.write("\n".join(lines) + "\n")
