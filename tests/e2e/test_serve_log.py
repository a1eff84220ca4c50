"""`rakkan serve` publishes its log and shows it: to a monitor, to a witness, and beside another server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.core import envelope as dsse
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.identity import parse_public_key
from ledger.core.note import parse_vkey, spki_of
from ledger.core.policy import parse_policy
from ledger.core.receipt import parse_receipt, verify_receipt
from tests.e2e.conftest import ROOT, Studio, stranger
from tests.e2e.test_cli_serve import serving
from tests.e2e.test_cli_witness import log_key, write_policy
from tests.e2e.test_cli_witness import serving as witness
from tests.support.log_server import PREFIX


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def read(url: str, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        body: bytes = answer.read()
        return body


def shown(url: str) -> int:
    return parse_checkpoint(read(f"{url}{PREFIX}/checkpoint")).size


def published(studio: Studio) -> int:
    path = studio.home / "log" / "checkpoint"
    return parse_checkpoint(path.read_bytes()).size if path.exists() else 0


def test_what_it_records_is_published_while_it_runs_and_when_it_stops(studio: Studio) -> None:
    with serving(studio) as url:
        until(lambda: published(studio) == 2)
        studio.record(studio.png())
        until(lambda: published(studio) == 3)
        until(lambda: shown(url) == 3)
        assert read(f"{url}{PREFIX}/checkpoint") == (studio.home / "log" / "checkpoint").read_bytes()
        studio.record(studio.png("last.png", 2))
    assert published(studio) == 4
    studio.ok("fsck", "--published")


@pytest.mark.slow
def test_publishing_can_be_left_to_the_command(studio: Studio) -> None:
    (studio.home / "service.toml").write_text("[publish]\nenabled = false\n")
    with serving(studio) as url:
        studio.record(studio.png())
        time.sleep(1.5)
        assert (published(studio), shown(url)) == (0, 3)
        studio.ok("publish")
        studio.record(studio.png("b.png", 2))
        assert (published(studio), shown(url)) == (3, 3)
    assert published(studio) == 3


def test_a_stranger_follows_it_with_the_key_alone(studio: Studio, tmp_path: Path) -> None:
    other = stranger(tmp_path / "stranger")
    with serving(studio) as url:
        key = parse_policy(read(f"{url}{PREFIX}/keys", Accept="text/plain")).logs[0].verifier.vkey
        assert key == log_key(studio)
        look = ("monitor", f"{url}{PREFIX}", "--key", key, "--state", tmp_path / "seen", "--json")
        assert other.ok(*look).json["finding"] == "first"
        for number in range(3):
            studio.record(studio.png(f"{number}.png", number + 7))
        until(lambda: other.ok(*look).json["kept"]["size"] == 5)
        assert other.ok(*look).json["finding"] == "same"


def test_an_auditor_reads_every_entry_with_a_token_and_a_stranger_none(
    studio: Studio, tmp_path: Path
) -> None:
    token = studio.ok("token", "create", "auditor", "--role", "auditor", "--json").json["token"]
    for number in range(3):
        studio.record(studio.png(f"{number}.png", number + 7))
    with serving(studio) as url:
        look = [f"{url}{PREFIX}", "--key", log_key(studio), "--state", tmp_path / "seen", "--entries"]
        refused = studio.process("monitor", *look)
        assert refused.returncode == 3, refused
        assert "RAKKAN_TOKEN" in refused.stderr
        done = studio.process("monitor", *look, RAKKAN_TOKEN=token)
        assert done.returncode == 0, done
        assert "5 of 5 entries are read" in done.stdout


def test_a_witness_cosigns_what_it_publishes(studio: Studio, tmp_path: Path) -> None:
    with witness(tmp_path / "w", "--log", log_key(studio), "--name", "insurer.example/w") as (key, at):
        policy = write_policy(studio, tmp_path / "policy", key, at)
        studio.ok("witness", "use", policy, "--on-failure", "closed")
        rules = parse_policy(policy.read_bytes())
        with serving(studio) as url:
            studio.record(studio.png())
            until(lambda: published(studio) == 3)
            until(lambda: shown(url) == 3)
            checkpoint, cosigned = rules.open(read(f"{url}{PREFIX}/checkpoint"))
            assert (checkpoint.size, len(cosigned)) == (3, 1)
            receipt = parse_receipt(read(f"{url}{PREFIX}/entries/2/receipt"))
            assert rules.open(receipt.checkpoint)[0] == checkpoint


@pytest.mark.slow
def test_a_witness_that_is_down_stops_no_recording_and_is_caught_up_with(
    studio: Studio, tmp_path: Path
) -> None:
    with witness(tmp_path / "w", "--log", log_key(studio), "--name", "insurer.example/w") as (key, at):
        policy = write_policy(studio, tmp_path / "policy", key, at)
        studio.ok("witness", "use", policy, "--on-failure", "closed")
    with serving(studio) as url:
        studio.record(studio.png())
        assert shown(url) == 3  # the head's: none is published
        assert published(studio) == 0
        again = (
            "--log",
            log_key(studio),
            "--name",
            "insurer.example/w",
            "--listen",
            at.removeprefix("http://"),
        )
        with witness(tmp_path / "w", *again):
            until(lambda: published(studio) == 3)


@pytest.mark.slow
def test_of_two_servers_one_publishes_and_the_other_takes_over_when_it_is_killed(studio: Studio) -> None:
    with serving(studio) as url:
        until(lambda: published(studio) == 2)
        second = subprocess.Popen(
            [sys.executable, "-m", "ledger", "serve", "--listen", "127.0.0.1:0"],
            env=studio.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert second.stdout is not None
        with second, serving(studio) as third:
            lines = [second.stdout.readline() for _ in range(2)]
            assert lines[1].startswith("listens on "), lines
            studio.record(studio.png())
            until(lambda: published(studio) == 3)
            second.send_signal(signal.SIGKILL)
            studio.record(studio.png("b.png", 2))
            until(lambda: published(studio) == 4)
            until(lambda: (shown(url), shown(third)) == (4, 4))
    assert published(studio) == 4


@pytest.mark.slow
def test_the_history_of_the_keys_leads_from_one_to_the_next(studio: Studio) -> None:
    """Whoever trusts the first key alone comes to trust the second by what the server says, checked."""
    first = parse_vkey(log_key(studio))
    studio.ok("key", "rotate")
    studio.ok("key", "rotate", "--finish")
    with serving(studio) as url:
        answer = json.loads(read(f"{url}{PREFIX}/keys"))
        old, new = answer["keys"]
        assert (old["vkey"], old["announced"]) == (first.vkey, None)
        said = new["announced"]
        entry = b64decode(said["envelope"])
        assert verify_receipt(parse_receipt(b64decode(said["receipt"])), entry, [first]).origin == first.name
        opened = dsse.decode(entry)
        dsse.verify(opened, parse_public_key(spki_of(first)))
        assert old["retired"]["index"] == said["index"] + 1
        present = parse_policy(read(f"{url}{PREFIX}/keys", Accept="text/plain"))
        assert [log.verifier.vkey for log in present.logs] == [new["vkey"]]
        present.open(read(f"{url}{PREFIX}/checkpoint"))


@pytest.mark.slow
def test_of_several_workers_one_publishes_and_all_that_they_took_is_published_at_the_end(
    studio: Studio,
) -> None:
    (studio.home / "service.toml").write_text("[workers]\ncount = 3\n")
    with serving(studio) as url:
        until(lambda: published(studio) == 2)
        for number in range(4):
            studio.record(studio.png(f"{number}.png", number + 7))
        until(lambda: published(studio) == 6)
        until(lambda: {shown(url) for _ in range(12)} == {6})
        studio.record(studio.png("last.png", 2))
    assert published(studio) == 7
    studio.ok("fsck", "--published")
