"""A process that is killed in the middle of a call: the call is on record all the same, and a job goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.digest import sha256_hex
from ledger.core.spooled import read_spooled
from ledger.core.spooled_call import read_call
from tests.support.provider import Provider, sealed_png, serving
from tests.support.remote import HOOKS, KEY, PROMPT, Spool, ask, rakkan_journal, rakkan_remote, words

WORKER = """
import base64, json, sys, time, urllib.request
sys.path.insert(0, sys.argv[1])
import rakkan_remote
url, stop, path = sys.argv[2:5]
def reached(point):
    if point == stop:
        print(point, flush=True)
        time.sleep(60)
body = json.dumps({"model": "painter-2", "prompt": sys.argv[5]}).encode()
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + sys.argv[6]}
with rakkan_remote.Provider("Orbit", "painter").call(place={"production": "nightfall"}) as call:
    reached("before")
    if stop == "sent":
        print("sent", flush=True)
    answer = call.send(urllib.request.Request(url + "/v1/images", body, headers))
    reached("answered")
    call.save(b"the film", path)
    reached("saved")
"""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider(picture=sealed_png(), late=2.0)) as found:
        yield found


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    return Spool(tmp_path / "spool")


def kill_at(point: str, provider: Provider, path: Path) -> None:
    """Run the worker until it says that it is there, and kill it."""
    command = [sys.executable, "-c", WORKER, str(HOOKS), provider.url, point, str(path), PROMPT, KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == point
        while point == "sent" and not provider.seen:
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    ("point", "script", "outcome", "outputs"),
    [
        ("sent", "late", "failed", 0),
        ("answered", "accept", "accepted", 0),
        ("saved", "accept", "accepted", 1),
    ],
)
def test_what_it_had_is_on_record(
    spool: Spool,
    provider: Provider,
    tmp_path: Path,
    point: str,
    script: str,
    outcome: str,
    outputs: int,
) -> None:
    provider.script = [script]
    kill_at(point, provider, tmp_path / "film.mp4")
    assert spool.records() == []
    assert KEY not in spool.in_clear()
    assert len(rakkan_journal.recover()) == 1
    record, found = spool.one()
    assert (found.outcome.value, words(found), record.failed) == (outcome, [outcome], "killed")
    assert [item.sha256 for item in record.outputs] == [sha256_hex(b"the film")] * outputs
    assert record.secrets["prompt"] == PROMPT
    assert record.place == {"production": "nightfall"}
    assert record.finished < record.captured
    assert list((spool.folder / "calls").iterdir()) == []
    assert rakkan_journal.recover() == []
    assert len(spool.records()) == 1


def test_one_that_had_sent_nothing_leaves_nothing(spool: Spool, provider: Provider, tmp_path: Path) -> None:
    kill_at("before", provider, tmp_path / "film.mp4")
    assert rakkan_journal.recover() == []
    assert spool.records() == []


def test_the_next_call_spools_what_was_left_and_the_living_are_left_alone(
    spool: Spool, provider: Provider, tmp_path: Path
) -> None:
    kill_at("answered", provider, tmp_path / "film.mp4")
    with rakkan_remote.Provider("Orbit", "painter").call() as call:
        call.send(ask(provider.url))
        assert len(spool.records()) == 1
        assert rakkan_journal.recover() == []
        assert len(spool.open_calls()) == 1
    assert [record.failed for record in spool.records()] == ["killed", None]


def test_a_job_goes_on_under_the_same_call(spool: Spool, provider: Provider, tmp_path: Path) -> None:
    provider.script = ["job"]
    kill_at("answered", provider, tmp_path / "film.mp4")
    (left,) = rakkan_journal.recover()
    call_id, job = left["call"]["id"], left["call"]["job"]
    with rakkan_remote.Provider("Orbit", "painter").call(call_id=call_id, job=job) as call:
        call.poll(f"{provider.url}/v1/videos/{job}", every=0.01)
        call.fetch(f"{provider.url}/v1/videos/{job}/content", tmp_path / "film.mp4")
    first, second = spool.records()
    assert first.call is not None
    assert second.call is not None
    begun, ended = read_call(first.call), read_call(second.call)
    assert (begun.call_id, begun.job) == (ended.call_id, ended.job) == (call_id, "job_7")
    assert (words(begun), words(ended)) == (["accepted"], [])
    assert (len(first.outputs), len(second.outputs)) == (0, 1)
    assert second.parameters["call"] == call_id


def test_a_file_that_was_being_written_is_passed_over(
    spool: Spool, provider: Provider, tmp_path: Path
) -> None:
    kill_at("answered", provider, tmp_path / "film.mp4")
    (kept,) = (spool.folder / "calls").glob("*/*.json")
    kept.with_suffix(".json.tmp").write_bytes(kept.read_bytes()[:40])
    assert len(rakkan_journal.recover()) == 1
    assert read_spooled(next((spool.folder / "new").iterdir()).read_bytes()).failed == "killed"


def test_one_that_cannot_be_read_stays_for_a_person(spool: Spool, provider: Provider, tmp_path: Path) -> None:
    kill_at("answered", provider, tmp_path / "film.mp4")
    (kept,) = (spool.folder / "calls").glob("*/*.json")
    kept.write_bytes(b"{")
    assert rakkan_journal.recover() == []
    assert kept.read_bytes() == b"{"
