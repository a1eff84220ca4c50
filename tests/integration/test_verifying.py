"""What the server makes of the word of a process that a hostile file has taken over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from ledger.adapters.isolation import Limits, Workers
from ledger.core.access import ANYBODY
from ledger.service.studio import Studio
from ledger.service.verifying import Upload, Verifying
from ledger.wiring import home_at, open_studio
from tests.architecture.project import ROOT
from tests.e2e.conftest import Shot
from tests.e2e.conftest import founded as founded  # noqa: PLC0414 - a fixture that `shot` asks for
from tests.e2e.conftest import licensed as licensed  # noqa: PLC0414 - the same
from tests.e2e.conftest import shot as shot  # noqa: PLC0414 - the same
from tests.support.verifying import codes, statuses

Json = dict[str, Any]


class Possessed:
    """Workers in which every file does what the test says."""

    def __init__(self, workers: Workers, **job: Any) -> None:
        self._workers = workers
        self._job = job

    def run(self, job: Json, folder: Path, answer: Callable[[Json], Json]) -> Json:
        return self._workers.run({**job, **self._job}, folder, answer)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers("tests.support.hostile_work", {}, Limits(200 << 20, cpu=2, seconds=3)) as started:
        yield started


@pytest.fixture(scope="module")
def studio(shot: Shot) -> Iterator[Studio]:
    with open_studio(home_at(shot.studio.home)) as opened:
        yield opened


@pytest.fixture
def upload(shot: Shot, tmp_path: Path) -> Upload:
    data = shot.files["png"].read_bytes()
    (tmp_path / "upload.png").write_bytes(data)
    return Upload(tmp_path, "upload.png", sha256(data).hexdigest(), "a.png")


def judged(studio: Studio, workers: Workers, upload: Upload, **job: Any) -> Json:
    return Verifying([studio], Possessed(workers, **job)).file(upload).to_json(ANYBODY)


@pytest.mark.parametrize(
    ("do", "code"),
    [
        ("crash", "verify.crashed"),
        ("allocate", "verify.too-costly"),
        ("sleep", "verify.timeout"),
        ("say_no_json", "verify.crashed"),
    ],
)
def test_a_file_that_breaks_its_reader_is_undecided(
    studio: Studio, workers: Workers, upload: Upload, do: str, code: str
) -> None:
    answer = judged(studio, workers, upload, do=do)
    assert (answer["outcome"], code in codes(answer)) == ("undecided", True)
    assert (
        statuses(answer)["ledger"] == statuses(answer)["log"] == "passed"
    )  # its digest is known all the same


PLAIN: Json = {
    "spec": "x",
    "file": "a.png",
    "sha256": "",
    "outcome": "proven",
    "verdict": "Proven!",
    "signer": None,
    "log": None,
    "checks": [{"check": "claim", "title": "t", "status": "failed", "words": "w", "codes": []}],
    "named": [],
    "steps": [],
    "facts": {},
}


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 64},
        {"file": "another.png"},
        {"checks": "none"},
        {"checks": []},
        {"checks": [{"check": "claim"}]},
        {"facts": []},
        {"more": 1},
        {"named": [{"kind": "model"}]},
        {"signer": 5},
        {"steps": [None]},
    ],
)
def test_a_report_that_is_none_is_a_crash(
    studio: Studio, workers: Workers, upload: Upload, changes: Json
) -> None:
    said = {**PLAIN, "sha256": upload.sha256, **changes}
    answer = judged(studio, workers, upload, do="say", words={"full": said, "public": said})
    assert "verify.crashed" in codes(answer)
    assert answer["file"] == "a.png"


def test_outcome_and_verdict_are_never_taken_over(studio: Studio, workers: Workers, upload: Upload) -> None:
    said = {**PLAIN, "sha256": upload.sha256}
    answer = judged(studio, workers, upload, do="say", words={"full": said, "public": said})
    assert (answer["outcome"], answer["verdict"]) == ("altered", "Altered: w")


def test_what_it_says_is_bounded_and_without_power(studio: Studio, workers: Workers, upload: Upload) -> None:
    check = {"check": "claim", "title": "t", "status": "undecided", "words": "\x1b[2J\u202e" * 50_000}
    said = {**PLAIN, "sha256": upload.sha256, "checks": [{**check, "codes": ["x"] * 5000}] * 3}
    answer = judged(studio, workers, upload, do="say", words={"full": said, "public": said})
    text = json.dumps(answer, ensure_ascii=False)
    assert not set(text) & {"\x1b", "\u202e"}
    assert len(answer["checks"][0]["codes"]) == 1000
    assert len(answer["checks"][0]["words"]) < 20_000


def test_it_learns_of_few_other_files(studio: Studio, workers: Workers, upload: Upload) -> None:
    answer = judged(studio, workers, upload, do="ask_without_end")
    assert "verify.crashed" in codes(answer)


PROGRAM = """
import sys, json
from pathlib import Path
from ledger.adapters.isolation import Limits, Workers
with Workers("tests.support.hostile_work", {}, Limits(200 << 20, cpu=2, seconds=3)) as workers:
    folder = Path(sys.argv[1])
    found = {
        "answer": workers.run({"do": "say", "words": {"a": 1}}, folder, lambda _: {}),
        "read": workers.run({"do": "read_elsewhere", "path": sys.argv[2]}, folder, lambda _: {})["tried"],
        "net": workers.run({"do": "connect", "port": 9}, folder, lambda _: {})["tried"],
        "refused": workers.refused,
    }
print(json.dumps(found))
"""


@pytest.mark.skipif(which("unshare") is None, reason="unshare is not installed")
@pytest.mark.parametrize("spaces", [True, False], ids=["namespaces allowed", "as in a container: refused"])
def test_it_holds_for_an_ordinary_user(tmp_path: Path, *, spaces: bool) -> None:
    """Where the kernel lets nobody make namespaces, the rest holds, and what is missing is named."""
    (tmp_path / "job").mkdir()
    (tmp_path / "secret").write_text("secret")
    python = [sys.executable, "-c", PROGRAM, str(tmp_path / "job"), str(tmp_path / "secret")]
    none = "echo 0 > /proc/sys/user/max_user_namespaces && "
    command = ["unshare", "-U", "-r", "sh", "-c", ("" if spaces else none) + 'exec "$@"', "sh", *python]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if "unshare failed" in ended.stderr:
        pytest.skip("this machine lets nobody make a user namespace")
    found = json.loads(ended.stdout)
    assert found["answer"] == {"a": 1}
    assert ("namespaces" in found["refused"]) is not spaces
    if "landlock" not in found["refused"]:
        assert found["read"] == "PermissionError"
    if "seccomp" not in found["refused"]:
        assert found["net"] == "PermissionError"
