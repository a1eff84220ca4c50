"""The evidence bundle of an episode and of a feature: written and verified, against bare signature checks.

`python -m pytest -m bench -s tests/bench/test_bench_bundle.py` prints it. Both
happen in processes of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.project import ROOT
from tests.support.feature import Feature
from tests.support.feature_home import cut_of, made

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]
LIMIT_MB = 1_024
MOST = 8
"""How many bare signature checks the judging of an entry may take: it is read strictly and hashed as well."""


@pytest.mark.parametrize(
    ("name", "feature"), [("an episode", Feature(400, 31_680, 60)), ("a feature", Feature())]
)
def test_a_bundle(name: str, feature: Feature, tmp_path: Path) -> None:
    made(tmp_path / "home", feature)
    cut_of(feature, tmp_path)
    written, verified = run(tmp_path, "write"), run(tmp_path, "verify")
    parts = {part["part"]: part for part in (*written, *verified) if "part" in part}
    (size,) = (part["bytes"] for part in written if "bytes" in part)
    (count,) = (part["entries"] for part in verified if "entries" in part)
    bare = next(part["cpu"] / 5_000 for key, part in parts.items() if "bare" in key)
    ratio = parts["entries alone"]["cpu"] / count / bare
    sys.stdout.write(f"\n{name}: {feature.finals:,} frames, {count:,} entries, {size / 1e6:,.0f} MB\n")
    for key, part in parts.items():
        sys.stdout.write(
            f"{key:30} {part['cpu']:8.2f} s of a processor {part['megabytes']:8,.0f} MB so far\n"
        )
    sys.stdout.write(
        f"{count / parts['entries alone']['cpu']:,.0f} entries/s; {ratio:.1f} bare checks each\n"
    )
    assert ratio < MOST
    assert parts["verify"]["megabytes"] < LIMIT_MB


def run(folder: Path, action: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.bench.bundle_parts", str(folder), action]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
