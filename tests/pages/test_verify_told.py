"""What everybody is told of how a file was made: what the file itself brings, and no entry more."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.core.access import ANYBODY, EVERY, Role, Viewer
from ledger.core.predicates import Step
from ledger.service.ancestry import ancestry
from ledger.service.studio import Studio
from ledger.service.verify_job import Json
from ledger.service.verifying import Answer, Verifying
from ledger.wiring import home_at, open_studio
from tests.support.demo import Demo

CREW = Viewer("person:producer", {EVERY: frozenset({Role.PRODUCER})})
ARTIST = Viewer("person:artist", {EVERY: frozenset({Role.ARTIST})})


class Nobody:
    """Examines nothing: only digests are asked about."""

    def run(self, job: Json, folder: Path, answer: object) -> Json:
        raise AssertionError((job, folder, answer))


@pytest.fixture(scope="module")
def studio(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("told") / "home"
    shutil.copytree(demo.untouched / "home", home)
    with open_studio(home_at(home)) as found:
        yield found


@pytest.fixture(scope="module")
def answer(studio: Studio, demo: Demo) -> Answer:
    """The answer about a finished frame's digest: no file was brought."""
    final = (demo.untouched / "files" / "sh020.final.1001.png").read_bytes()
    return Verifying([studio], Nobody()).digests(sha256(final).hexdigest(), None)


def envelopes(studio: Studio) -> dict[int, bytes]:
    return dict(studio.entries.envelopes_at(range(studio.entries.head().size)))


def test_who_brings_nothing_is_told_nothing(answer: Answer) -> None:
    assert ancestry(answer, ANYBODY) is None


def test_an_entry_that_the_log_does_not_hold_counts_for_nothing(studio: Studio, answer: Answer) -> None:
    forged = [held.replace(b"signatures", b"signatureS") for held in envelopes(studio).values()]
    for lies in ((b"", b"{}", b"\xff" * 99), tuple(forged)):
        assert ancestry(replace(answer, brought=lies), ANYBODY) is None


def test_an_entry_tells_what_it_says_and_leads_to_no_other(studio: Studio, answer: Answer) -> None:
    steps = {
        index: held
        for index, held in envelopes(studio).items()
        if isinstance(studio.statement(index).predicate, Step)
    }
    (own,) = [
        held
        for index, held in steps.items()
        if answer.asked.subject in {item.sha256 for item in studio.statement(index).subjects}
    ]
    told = ancestry(replace(answer, brought=(own,)), ANYBODY)
    assert told is not None
    assert [stop.kind for stop in told.stops] == ["composite", "unknown", "unknown", "unknown"]
    others = tuple(held for held in steps.values() if held != own)
    assert ancestry(replace(answer, brought=others[:1]), ANYBODY) is None


def test_the_crew_sees_the_way_and_only_who_may_the_registry(answer: Answer) -> None:
    told, without = ancestry(answer, CREW), ancestry(answer, ARTIST)
    assert told is not None
    assert without is not None
    assert {stop.kind for stop in told.stops} >= {"model", "dataset", "generate", "composite"}
    assert {stop.registered for stop in told.stops} == {None, "models", "datasets"}
    assert {stop.registered for stop in without.stops} == {None}
    assert "dataset" not in {stop.kind for stop in without.stops}


def test_who_holds_all_of_it_sees_the_same_way_as_the_crew(studio: Studio, answer: Answer) -> None:
    everything = replace(answer, brought=tuple(envelopes(studio).values()))
    told, known = ancestry(everything, ANYBODY), ancestry(answer, CREW)
    assert told is not None
    assert known is not None
    assert {stop.sha256 for stop in told.stops} == {stop.sha256 for stop in known.stops}
    assert {link[:3] for link in told.links} == {link[:3] for link in known.links}
