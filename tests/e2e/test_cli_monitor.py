"""`rakkan monitor` as a client, an insurer or a licensor runs it: on a machine that has only the key."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.checkpoint import Checkpoint, parse_checkpoint
from ledger.core.note import format_lines, parse_note
from tests.e2e.conftest import ROOT, Result, Studio, copied, stranger
from tests.support.web import serve_folder
from tests.support.witness import cosigner_key


class Watch:
    """A stranger who follows the studio's published log over HTTP."""

    def __init__(self, studio: Studio, folder: Path, url: str) -> None:
        self.studio = studio
        self.state = folder / "state"
        self.url = url
        self.other = stranger(folder / "stranger")
        self.arguments = ["monitor", url, "--key", key_of(studio), "--state", str(self.state)]

    def __call__(self, *options: object) -> Result:
        return self.other(*self.arguments, *options)

    def json(self, *options: object) -> dict[str, object]:
        result = self(*options, "--json")
        assert result.code == 0, result.err
        answer: dict[str, object] = result.json
        return answer

    def publish(self, count: int = 1) -> None:
        for number in range(count):
            self.studio.record(self.studio.png(f"{time.monotonic_ns()}-{number}.png", time.monotonic_ns()))
        self.studio.ok("publish")

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "ledger", *self.arguments, *options],
            env=self.other.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def checkpoint(folder: Path) -> Checkpoint:
    return parse_checkpoint((folder / "checkpoint").read_bytes())


def key_of(studio: Studio) -> str:
    key: str = json.loads(studio.trust.read_bytes())["logs"][0]
    return key


@pytest.fixture
def watch(studio: Studio, tmp_path: Path) -> Iterator[Watch]:
    studio.ok("publish")
    with serve_folder(studio.home / "log") as url:
        yield Watch(studio, tmp_path, url)


def test_a_log_is_followed(watch: Watch) -> None:
    first = watch()
    assert first.code == 0
    assert first.out.endswith(": 2 entries. Nothing to compare with yet.\n")
    assert watch().out.endswith(": 2 entries, as before.\n")
    watch.publish()
    grown = watch("--entries").out.splitlines()
    assert grown[0].endswith(": 3 entries; the 2 of before are its beginning (proven).")
    assert grown[1] == "3 of 3 entries are read, and are those that the log signed."
    assert (watch.state / "checkpoint").read_bytes() == (watch.studio.home / "log/checkpoint").read_bytes()
    assert not watch.other.home.exists()


def test_a_program_gets_the_same_answer(watch: Watch) -> None:
    answer = watch.json("--entries")
    seen = {"size": 2, "root": checkpoint(watch.state).root.hex()}
    assert answer == {
        "origin": key_of(watch.studio).split("+")[0],
        "finding": "first",
        "seen": seen,
        "kept": seen,
        "unproven": 0,
        "entriesChecked": 2,
        "quorum": None,
    }
    assert watch.json()["finding"] == "same"


def test_a_folder_is_followed_without_a_server(watch: Watch) -> None:
    folder = watch.studio.home / "log"
    for place in (str(folder), folder.as_uri()):
        result = watch.other("monitor", place, "--key", key_of(watch.studio), "--state", watch.state)
        assert result.code == 0


def test_a_split_view_ends_with_1_and_evidence(watch: Watch, tmp_path: Path) -> None:
    """The studio keeps a copy of its home, and goes on in two ways."""
    twin = copied(watch.studio, tmp_path / "twin")
    watch.publish(2)
    assert watch().code == 0
    before = (watch.state / "checkpoint").read_bytes()
    twin.record(twin.png("other.png", 7))
    twin.record(twin.png("more.png", 8))
    twin.record(twin.png("yet more.png", 9))
    shutil.rmtree(twin.home / "log")
    twin.ok("publish")
    with serve_folder(twin.home / "log") as url:
        result = watch.other("monitor", url, *watch.arguments[2:])
        told = watch.other("monitor", url, *watch.arguments[2:], "--json")
        loop = watch.other("monitor", url, *watch.arguments[2:], "--every", "60")
    assert (result.code, result.error, result.out) == (1, "log.conflict", "")
    assert (told.code, loop.code) == (1, 1)
    evidence = json.loads(told.err)["error"]["evidence"]
    folder = watch.state / evidence["evidence"]
    assert (folder / "older.checkpoint").read_bytes() == before
    assert (folder / "newer.checkpoint").read_bytes() == (twin.home / "log/checkpoint").read_bytes()
    assert (watch.state / "checkpoint").read_bytes() == before


def test_who_cannot_be_reached_is_not_accused(watch: Watch) -> None:
    result = watch.other("monitor", "http://127.0.0.1:1", *watch.arguments[2:])
    assert (result.code, result.error) == (3, "http.unavailable")
    assert not watch.state.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("https://log.example", "--state", "s"), 2, ""),
        (("https://log.example", "--key", "garbage", "--state", "s"), 2, "key.malformed"),
        (("ftp://log.example", "--key", "{key}", "--state", "s"), 2, "http.url"),
        (("https://log.example", "--key", "{key}"), 2, ""),
        (("https://log.example", "--key", "{key}", "--state", "s", "--every", "0"), 2, ""),
        (("https://log.example", "--key", "{key}", "--state", "s", "--policy", "no-file"), 2, "file.missing"),
        (("no-such-folder", "--key", "{key}", "--state", "s"), 3, "monitor.incomplete"),
    ],
)
def test_what_cannot_be_done_is_said(
    founded: Studio, tmp_path: Path, arguments: tuple[str, ...], code: int, error: str
) -> None:
    other = stranger(tmp_path / "stranger")
    result = other("monitor", *(item.format(key=key_of(founded)) for item in arguments))
    assert (result.code, result.out) == (code, "")
    assert not error or result.error == error
    assert "Traceback" not in result.err
    assert list(other.work.iterdir()) == []


def test_the_key_of_another_log_decides_nothing(watch: Watch, elsewhere: Studio) -> None:
    result = watch.other("monitor", watch.url, "--key", key_of(elsewhere), "--state", watch.state)
    assert (result.code, result.error) == (3, "checkpoint.origin")


def test_a_policy_says_who_must_have_cosigned(watch: Watch, tmp_path: Path) -> None:
    witness, rules = cosigner_key("w"), tmp_path / "policy"
    rules.write_text(f"log {key_of(watch.studio)}\nwitness w {witness.verifier.vkey}\nquorum w\n")
    arguments = ("monitor", watch.url, "--policy", rules, "--state", watch.state)
    result = watch.other(*arguments)
    assert result.code == 3
    assert result.out.endswith("Cosigned by nobody: not enough for the policy.\n")
    assert watch.other(*arguments, "--json").json["quorum"] == {"met": False, "signed": [], "missing": ["w"]}
    published = watch.studio.home / "log" / "checkpoint"
    note = parse_note(published.read_bytes())
    published.write_bytes(published.read_bytes() + format_lines([witness.cosign(note.text, 1)]).encode())
    result = watch.other(*arguments)
    assert result.code == 0
    assert result.out.endswith("Cosigned by w: enough for the policy.\n")


# --- until stopped -----------------------------------------------------------------------------------------


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_loop_ends_cleanly_when_it_is_stopped(watch: Watch, number: signal.Signals, code: int) -> None:
    process = watch.start("--every", "1", "--entries")
    try:
        assert "First sight of" in lines(process, 2)[0]
        watch.publish()
        while "3 entries; the 2 of before" not in lines(process, 2)[0]:
            assert process.poll() is None
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == code
    assert err.strip() == ("Stopped." if code else "")
    assert watch().out.endswith(": 3 entries, as before.\n")


def test_a_loop_outlasts_a_server_that_is_away(watch: Watch) -> None:
    """The folder vanishes and comes back; then it is not the log any more, which ends the loop."""
    log = watch.studio.home / "log"
    process = watch.start("--every", "1")
    try:
        lines(process, 1)
        (log / "checkpoint").rename(log / "away")
        assert process.stderr is not None
        assert process.stderr.readline().startswith("cannot decide: No checkpoint is published there.")
        (log / "away").rename(log / "checkpoint")
        assert lines(process, 1)[0].endswith("as before.\n")
        (watch.state / "checkpoint").write_bytes(b"garbage")
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 2
    assert "[monitor.state]" in err
