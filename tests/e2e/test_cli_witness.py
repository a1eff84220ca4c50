"""`rakkan witness` and `rakkan alarm`: one command for an insurer, one for a studio, and a fork."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.cosignature import parse_cosigner
from ledger.core.note import parse_vkey
from ledger.core.policy import parse_policy
from tests.e2e.conftest import ROOT, Studio, codes, copied


def log_key(studio: Studio) -> str:
    key = json.loads(studio.trust.read_text())["logs"][0]
    assert isinstance(key, str)
    return key


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[tuple[str, str]]:
    """Run `rakkan witness serve`; yields the vkey and the URL that it prints, and ends it as systemd does."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "ledger",
            "witness",
            "serve",
            "--home",
            home,
            "--listen",
            "127.0.0.1:0",
            *arguments,
        ],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAKKAN_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        first, second = process.stdout.readline(), process.stdout.readline()
        assert first.startswith("Witness "), (first, process.communicate())
        yield first.removeprefix("Witness ").strip(), second.rpartition(" ")[2].strip()
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


def write_policy(studio: Studio, path: Path, key: str, url: str) -> Path:
    path.write_text(f"log {log_key(studio)}\nwitness insurer {key} {url}\nquorum insurer\n")
    return path


def test_an_insurer_vouches_for_a_studio_until_it_forks(studio: Studio, tmp_path: Path) -> None:
    home, policy = tmp_path / "w", tmp_path / "studio.policy"
    twin = copied(studio, tmp_path / "twin")
    with serving(home, "--log", log_key(studio), "--name", "insurer.example/w") as (key, url):
        assert parse_cosigner(key).name == "insurer.example/w"
        for one in (studio, twin):
            result = one.ok(
                "witness", "use", write_policy(studio, policy, key, url), "--on-failure", "closed"
            )
            assert result.out == "rakkan publish now asks 1 witness.\n"
        studio.record(studio.png())
        assert "Cosigned by insurer.\n" in studio.ok("publish").out
        published = (studio.home / "log" / "checkpoint").read_bytes()
        assert parse_policy(policy.read_bytes()).open(published)[0].size == 3
        held = urllib.request.urlopen(
            f"{url}/{sha256(parse_vkey(log_key(studio)).name.encode()).hexdigest()}/checkpoint"
        )
        assert held.read() == published

        twin.ok("enrol", "laptop")
        fork = twin("publish")
        assert (fork.code, fork.error) == (1, "witness.fork"), fork
        assert "The evidence is in " in fork.err
        assert not (twin.home / "log" / "checkpoint").exists()
    check_the_alarm(twin, published)
    (kept,) = (home / "alarms").iterdir()
    assert (kept / "held.checkpoint").read_bytes() == published
    assert (kept / "refused.checkpoint").read_bytes() != published


def check_the_alarm(twin: Studio, published: bytes) -> None:
    """Nothing is published while the alarm is open; its folder holds both signed checkpoints."""
    stopped = twin("publish")
    assert (stopped.code, stopped.error) == (2, "log.alarm")
    (alarm,) = twin.ok("alarm", "list", "--json").json["open"]
    assert f"while an alarm is open: {alarm}." in stopped.err
    assert Path(alarm, "theirs.checkpoint").read_bytes() == published
    assert Path(alarm, "ours.checkpoint").read_bytes() != published
    assert twin.ok("alarm", "list").out == f"{alarm}\n"
    assert twin("alarm", "close", "nothing", "--why", "x").error == "alarm.unknown"
    twin.ok("alarm", "close", Path(alarm).name, "--why", "two copies of one studio were in use")
    assert twin.ok("alarm", "list").out == "No alarm is open.\n"
    assert twin("publish").error == "witness.quorum"


def test_a_witness_that_is_gone_stops_a_closed_log_and_not_an_open_one(
    studio: Studio, tmp_path: Path
) -> None:
    home, policy = tmp_path / "w", tmp_path / "studio.policy"
    with serving(home, "--log", log_key(studio), "--algorithm", "ml-dsa-44") as (key, url):
        studio.ok("witness", "use", write_policy(studio, policy, key, url), "--on-failure", "closed")
        studio.ok("publish")
    assert studio.ok("witness", "key", "--home", home).out == f"{key}\n"
    assert stat.S_IMODE((home / "witness.pem").stat().st_mode) == 0o600
    before = (studio.home / "log" / "checkpoint").read_bytes()
    studio.record(studio.png())
    closed = studio("publish")
    assert (closed.code, closed.error) == (3, "witness.quorum")
    assert (studio.home / "log" / "checkpoint").read_bytes() == before

    studio.ok("witness", "use", policy, "--on-failure", "open")
    opened = studio("publish")
    assert (opened.code, opened.out.splitlines()[1]) == (0, "Cosigned by nobody.")
    assert "warning: below the quorum; missing insurer" in opened.err

    with serving(home, "--log", log_key(studio), "--algorithm", "ml-dsa-44") as (again, url):
        assert again == key
        studio.ok("witness", "use", write_policy(studio, policy, key, url), "--on-failure", "open")
        assert "Cosigned by insurer.\n" in studio.ok("publish").out
    assert parse_policy(policy.read_bytes()).open((studio.home / "log" / "checkpoint").read_bytes())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "policy.malformed"),
        ("quorum none", "policy.malformed"),
        ("log {log}\nwitness w {witness}\nquorum w\n", "policy.malformed"),
        ("log {log}\nwitness w {witness} ftp://x/\nquorum w\n", "policy.malformed"),
        ("log {other}\nwitness w {witness} http://127.0.0.1:1/\nquorum w\n", "policy.malformed"),
    ],
    ids=["empty", "cut", "no-url", "not-http", "another-log"],
)
def test_a_policy_that_cannot_be_followed_is_refused(
    studio: Studio, tmp_path: Path, text: str, code: str
) -> None:
    from ledger.core.note import NoteSigner
    from ledger.testing import SeedSigner
    from tests.support.witness import cosigner_key

    keys = {
        "log": log_key(studio),
        "witness": cosigner_key("w").verifier.vkey,
        "other": NoteSigner("other.example", SeedSigner("o")).verifier.vkey,
    }
    path = tmp_path / "studio.policy"
    path.write_text(text.format(**keys))
    studio.fails(code, "witness", "use", path, "--on-failure", "open")
    assert not (studio.home / "witnesses.json").exists()
    studio.fails("file.missing", "witness", "use", tmp_path / "nothing", "--on-failure", "open")


def test_damaged_witness_settings_publish_nothing(studio: Studio, tmp_path: Path) -> None:
    policy = tmp_path / "studio.policy"
    policy.write_text("quorum none\n")
    studio.ok("witness", "use", policy, "--on-failure", "open")
    assert studio.ok("publish").out.endswith("Cosigned by nobody.\n")
    settings = (studio.home / "witnesses.json").read_text()
    for text in (
        "{",
        settings.replace("open", "ajar"),
        settings.replace("v1", "v2"),
        settings.replace("}", ',"x":1}'),
    ):
        (studio.home / "witnesses.json").write_text(text)
        studio.fails("home.malformed", "publish")
    (studio.home / "witnesses.json").write_text(settings)
    (studio.home / "witness.policy").unlink()
    studio.fails("home.malformed", "publish")


def test_what_serve_refuses_before_it_listens(studio: Studio, tmp_path: Path) -> None:
    home, log = tmp_path / "w", log_key(studio)
    serve = ("witness", "serve", "--home", home, "--listen", "127.0.0.1:0", "--log")
    studio.fails("key.malformed", *serve, "nonsense")
    studio.fails("key.missing", "witness", "key", "--home", home)
    for listen in ("7080", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x", "192.0.2.1:1"):
        result = studio("witness", "serve", "--home", home, "--log", log, "--listen", listen)
        assert (result.code, "--listen" in result.err) == (2, True), result
    made = studio.ok("witness", "key", "--home", home).out
    assert made.startswith("rakkan-witness/")
    studio.fails("witness.key", *serve, log, "--name", "another.example")
    studio.fails("witness.key", *serve, log, "--algorithm", "ml-dsa-44")
    (home / "witness.pem").chmod(0o644)
    studio.fails("key.permissions", *serve, log)
    (home / "witness.pem").chmod(0o600)
    (home / "witness.vkey").write_text(f"{log}\n")
    studio.fails("key.malformed", *serve, log)


def test_a_verifier_may_ask_for_witnesses(studio: Studio, tmp_path: Path) -> None:
    """Files that were sealed through a witness meet the verifier's own policy; others are undecided."""
    policy = tmp_path / "insurer.policy"
    lonely = studio.sealed("lonely.png", seed=1)
    with serving(tmp_path / "w", "--log", log_key(studio)) as (key, url):
        studio.ok("witness", "use", write_policy(studio, policy, key, url), "--on-failure", "open")
        watched = studio.sealed("watched.png", seed=2)
    result = studio("seal", studio.record(studio.png("after.png", 3)))
    assert (result.code, result.err) == (0, "")  # an open log goes on without its witness
    for path, code in ((watched, 0), (lonely, 3), (studio.work / "after.png", 3)):
        assert studio.verify(path).code == 0
        asked = studio.verify(path, "--policy", policy)
        assert asked.code == code, (path.name, asked.out)
        assert ("witness.quorum" in codes(asked)) == bool(code)


def test_a_closed_log_s_missing_witness_stops_nobody_s_sealing(studio: Studio, tmp_path: Path) -> None:
    with serving(tmp_path / "w", "--log", log_key(studio)) as (key, url):
        pass
    policy = write_policy(studio, tmp_path / "studio.policy", key, url)
    studio.ok("witness", "use", policy, "--on-failure", "closed")
    path = studio.record(studio.png())
    result = studio("seal", path)
    assert result.code == 0
    assert "warning: no witness vouches for these receipts" in result.err
    assert studio.verify(path).code != 1
