"""Calls to a provider that throttles, refuses, breaks and is late: what is sent, received and recorded."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from ledger.core.digest import sha256_hex
from ledger.core.predicates.service_call import CallOutcome
from tests.support.provider import Provider, sealed_png, serving
from tests.support.remote import (
    BODY,
    KEY,
    NIGHTFALL,
    PROMPT,
    Spool,
    ask,
    rakkan_capture,
    rakkan_remote,
    words,
)
from tests.support.sealing import workshop


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    rakkan_capture.faults.clear()
    return Spool(tmp_path / "spool")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setattr("rakkan_attempts.FIRST_PAUSE", 0.02)
    with serving(Provider(picture=sealed_png())) as found:
        yield found


def orbit(**changes: Any) -> Any:
    known = {"plan": "enterprise", "account": "account:2c41", "tool": ("shotgen", "1.2"), "attempts": 5}
    return rakkan_remote.Provider("Orbit", "painter", **{**known, **changes})


def picture(answer: Any) -> bytes:
    return base64.b64decode(answer.json()["data"][0]["b64_json"])


def film(provider: Provider) -> None:
    with orbit().call() as call:
        call.send(ask(provider.url))
        call.poll(provider.url + "/v1/videos/job_7", every=0.01, patience=0.05)


def test_a_throttled_call_is_one_call_with_one_key_and_one_record(
    spool: Spool, provider: Provider, tmp_path: Path
) -> None:
    provider.script = ["throttle:0", "busy:0", "break", "drop", "accept"]
    with orbit().call(place=NIGHTFALL) as call:
        call.save(picture(call.send(ask(provider.url))), tmp_path / "sh0020.png")
    record, found = spool.one()
    assert words(found) == ["throttled", "throttled", "failed", "failed", "accepted"]
    assert [attempt.status for attempt in found.attempts] == [429, 503, 500, None, 200]
    assert [attempt.request_id for attempt in found.attempts] == ["req_1", "req_2", "req_3", None, "req_5"]
    assert all(attempt.waited for attempt in found.attempts[:-1])
    assert found.attempts[0].code == "rate_limit_exceeded"
    assert found.outcome is CallOutcome.ACCEPTED
    assert found.model == "painter-2-2026-01-15"
    assert (found.account, record.plan_tier) == ("account:2c41", "enterprise")
    assert record.place == NIGHTFALL
    assert (len(provider.sent_keys()), set(provider.taken.values())) == (1, {1})
    assert record.secrets["idempotency-key"] in provider.sent_keys()
    assert record.parameters == {"call": found.call_id, "model": "painter-2", "size": "1024x1024", "n": "1"}
    assert record.secrets["prompt"] == PROMPT
    assert record.secrets["request"] == sha256_hex(json.dumps(BODY).encode())
    assert rakkan_capture.faults == []
    assert spool.open_calls() == []


def test_the_providers_own_manifest_survives(spool: Spool, provider: Provider, tmp_path: Path) -> None:
    provider.script = ["accept", "url"]
    with orbit().call() as call:
        call.save(picture(call.send(ask(provider.url))), tmp_path / "inline.png")
        made = call.send(ask(provider.url, n=2)).json()["data"][0]["url"]
        call.fetch(made, tmp_path / "fetched.png")
    record, _ = spool.one()
    for path, output in zip((tmp_path / "inline.png", tmp_path / "fetched.png"), record.outputs, strict=True):
        assert path.read_bytes() == provider.picture
        assert (output.path, output.sha256) == (str(path), sha256_hex(provider.picture))
        assert output.stamp == tuple(rakkan_capture.stamp(path.stat()))
        reading = workshop().codec.read(path, None, workshop().anchors)
        assert reading is not None
    assert len(provider.sent_keys()) == 2  # two wishes never share a key


def test_a_wrongly_refused_request_is_on_record(spool: Spool, provider: Provider) -> None:
    provider.script = ["refuse"]
    with pytest.raises(rakkan_remote.NotMadeError) as error, orbit().call(place=NIGHTFALL) as call:
        call.send(ask(provider.url))
    assert error.value.outcome == "refused"
    record, found = spool.one()
    assert (words(found), found.outcome, record.outputs) == (["refused"], CallOutcome.REFUSED, ())
    assert (found.attempts[0].status, found.attempts[0].code) == (400, "moderation_blocked")
    assert found.attempts[0].request_id == "req_1"
    assert record.failed == "NotMadeError"
    assert "rejected by our safety system" in record.secrets["refusal"]


@pytest.mark.parametrize("said", ["refuse", "reject", "spent", "throttle:0", "half", "nonsense", "accept"])
def test_no_key_stands_anywhere_and_no_prompt_in_the_clear(
    spool: Spool, provider: Provider, tmp_path: Path, said: str
) -> None:
    provider.script = [said]
    ended = (rakkan_remote.NotMadeError, HTTPException, ZeroDivisionError)
    with suppress(*ended), orbit().call() as call:
        call.send(ask(provider.url + "/v2?key=" + KEY))
        raise ZeroDivisionError(PROMPT)
    assert len(spool.records()) == 1
    everything = b"".join(path.read_bytes() for path in spool.folder.rglob("*") if path.is_file())
    assert KEY.encode() not in everything
    assert b"CANARY-PROMPT" in everything
    assert "CANARY" not in spool.in_clear()
    assert provider.url not in spool.in_clear()


@pytest.mark.parametrize(
    ("said", "outcome", "attempts"),
    [
        ("reject", "failed", 1),
        ("spent", "throttled", 1),
        ("refuse", "refused", 1),
        ("throttle:0", "throttled", 5),
    ],
)
def test_what_cannot_help_is_not_sent_again(
    spool: Spool, provider: Provider, said: str, outcome: str, attempts: int
) -> None:
    provider.script = [said]
    with pytest.raises(rakkan_remote.NotMadeError) as error, orbit().call() as call:
        call.send(ask(provider.url))
    assert error.value.outcome == outcome
    assert words(spool.one()[1]) == [outcome] * attempts


def test_no_answer_at_all_is_recorded(spool: Spool, provider: Provider) -> None:
    provider.script = ["drop", "half"]
    with pytest.raises(HTTPException), orbit(attempts=2).call() as call:
        call.send(ask(provider.url))
    record, found = spool.one()
    assert (words(found), found.outcome.value) == (["failed", "failed"], "failed")
    assert record.failed is not None


def test_a_late_answer_is_asked_for_again_under_the_same_key(spool: Spool, provider: Provider) -> None:
    provider.script = ["late", "accept"]
    with orbit().call() as call:
        assert call.send(ask(provider.url), timeout=0.2).status == 200
    time.sleep(provider.late)  # the late one ends as well
    assert words(spool.one()[1]) == ["failed", "accepted"]
    assert len(provider.sent_keys()) == 1


def test_what_may_have_been_done_is_not_asked_for_again_without_a_key(
    spool: Spool, provider: Provider
) -> None:
    provider.script = ["throttle:0", "break", "accept"]
    with pytest.raises(rakkan_remote.NotMadeError), orbit(key_header=None).call() as call:
        call.send(ask(provider.url))
    assert words(spool.one()[1]) == ["throttled", "failed"]
    assert all("idempotency-key" not in headers for _, _, headers in provider.seen)


def test_the_time_is_bounded(spool: Spool, provider: Provider) -> None:
    provider.script = ["throttle:0", "throttle:1"]
    began = time.monotonic()
    with pytest.raises(rakkan_remote.NotMadeError), orbit(attempts=1000, patience=2.5).call() as call:
        call.send(ask(provider.url))
    assert time.monotonic() - began < 2.5 + 5  # what a busy machine adds
    found = spool.one()[1]
    assert 2 <= len(found.attempts) <= 4
    assert all(run.waited >= 1000 for run in found.attempts[1:-1])
    provider.script = ["throttle:3600"]  # an hour is not waited for
    with pytest.raises(rakkan_remote.NotMadeError), orbit().call() as call:
        call.send(ask(provider.url))
    assert time.monotonic() - began < 2.5 + 10


def test_a_job_is_asked_after_until_its_film_is_there(
    spool: Spool, provider: Provider, tmp_path: Path
) -> None:
    provider.script = ["throttle:0", "job"]
    provider.jobs = ["queued", "429", "in_progress", "completed"]
    with orbit().call(place=NIGHTFALL) as call:
        job = call.send(ask(provider.url)).json()["id"]
        call.poll(f"{provider.url}/v1/videos/{job}", every=0.01)
        call.fetch(f"{provider.url}/v1/videos/{job}/content", tmp_path / "sh0020.mp4")
    record, found = spool.one()
    assert (found.job, found.model, found.outcome.value) == ("job_7", "film-2-2026-01", "accepted")
    assert words(found) == ["throttled", "accepted", "throttled"]  # the last one is of a question
    assert [output.sha256 for output in record.outputs] == [sha256_hex(provider.picture)]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("failed:moderation_blocked", "refused"), ("failed:oom", "failed"), ("canceled", "failed")],
)
def test_a_job_that_comes_to_nothing(spool: Spool, provider: Provider, said: str, outcome: str) -> None:
    provider.script, provider.jobs = ["job"], ["queued", said]
    with pytest.raises(rakkan_remote.NotMadeError) as error:
        film(provider)
    found = spool.one()[1]
    assert (error.value.outcome, found.outcome.value, words(found)) == (
        outcome,
        outcome,
        ["accepted", outcome],
    )


def test_a_job_that_still_runs_is_accepted(spool: Spool, provider: Provider) -> None:
    provider.script, provider.jobs = ["job"], ["in_progress"]
    with pytest.raises(TimeoutError):
        film(provider)
    found = spool.one()[1]
    assert (found.outcome.value, found.job) == ("accepted", "job_7")


def test_a_film_that_was_cut_off_is_fetched_again(spool: Spool, provider: Provider, tmp_path: Path) -> None:
    provider.script = ["half", "half", "whole"]
    with orbit().call() as call:
        call.fetch(provider.url + "/cut.mp4", tmp_path / "film.mp4")
    record, found = spool.one()
    assert (tmp_path / "film.mp4").read_bytes() == provider.picture
    assert (words(found), len(record.outputs)) == (["failed", "failed"], 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "spool"]


def test_the_terms_of_the_day_are_named(spool: Spool, provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "terms.html").write_text("All is yours.")
    with orbit(terms=tmp_path / "terms.html").call() as call:
        call.send(ask(provider.url))
    terms = spool.one()[1].terms
    assert terms is not None
    assert terms.sha256 == sha256_hex(b"All is yours.")


def test_terms_that_are_gone_stop_nothing(spool: Spool, provider: Provider, tmp_path: Path) -> None:
    with orbit(terms=tmp_path / "none.html").call() as call:
        call.send(ask(provider.url))
    assert spool.one()[1].terms is None
    assert "FileNotFoundError" in rakkan_capture.faults[0]


def test_a_call_in_which_nothing_was_sent_leaves_nothing(spool: Spool) -> None:
    with orbit().call() as call:
        call.secret("prompt", PROMPT)
    assert spool.records() == []
    assert spool.open_calls() == []


def test_capture_switched_off_still_repeats_and_writes_nothing(
    spool: Spool, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAKKAN_CAPTURE", "0")
    provider.script = ["throttle:0", "accept"]
    with orbit().call() as call:
        assert call.send(ask(provider.url)).status == 200
    assert not spool.folder.exists()


def test_a_spool_that_cannot_be_written_stops_nothing(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    with orbit().call() as call:
        call.save(picture(call.send(ask(provider.url))), tmp_path / "sh0020.png")
    assert (tmp_path / "sh0020.png").read_bytes() == provider.picture
    assert rakkan_capture.faults != []


def test_a_production_that_refuses_pays_for_no_call_without_a_record(
    spool: Spool, provider: Provider
) -> None:
    spool.folder.mkdir()
    production = {"name": "nightfall", "roots": ["/show"], "policy": "refuse"}
    (spool.folder / "settings.json").write_text(json.dumps({"productions": [production]}))
    with pytest.raises(rakkan_capture.CaptureRefusedError), orbit().call(place=NIGHTFALL) as call:
        call.send(ask(provider.url))
    assert provider.seen == []


def test_what_cannot_be_saved_is_said_and_leaves_nothing(
    spool: Spool, provider: Provider, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError), orbit().call() as call:
        call.save(picture(call.send(ask(provider.url))), tmp_path / "nowhere" / "sh0020.png")
    record, found = spool.one()
    assert (found.outcome.value, record.outputs, record.failed) == ("accepted", (), "FileNotFoundError")
