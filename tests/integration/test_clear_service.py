"""Clearing on real parts, with a clock that can be set: expiry, what was known when, causes, large bases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.adapters.home import Home
from ledger.adapters.profiles import load
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.predicates import GrantRevocation, Party, Step, VerdictResult
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Verdict
from ledger.core.statement import Statement
from ledger.core.tiles import MAX_ENTRY
from ledger.errors import RefusedError
from ledger.service.clear.clear import Cleared, clear
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.clear.recheck import recheck
from ledger.service.clear.targets import resolve
from ledger.service.clear.verdicts import PAYLOAD_BYTES, History, fit, plan, record
from ledger.service.studio import Device
from ledger.service.studio import Studio as Opened
from ledger.testing import FixedClock
from ledger.wiring import open_device, open_studio
from tests.e2e.conftest import Studio, copied, founded
from tests.support.builders import step
from tests.support.cleared import FACTS, license_production, shoot

__all__ = ["founded"]
DAY = timedelta(days=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
END = TODAY + 2 * DAY


class Nightfall:
    """The production of `tests.support.cleared`, opened at any moment."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.home = Home(studio.home, None)
        self.policy = studio.work / "house.toml"

    @contextmanager
    def at(self, moment: datetime) -> Iterator[Opened]:
        with open_studio(self.home, FixedClock(moment)) as opened:
            yield opened

    @property
    def registrar(self) -> Device:
        return open_device(self.home, "registrar")

    def clear(
        self, opened: Opened, *targets: str, at: datetime | None = None, known: datetime | None = None
    ) -> Cleared:
        question = ask(opened, load(str(self.policy)), Asked(at=at, known=known))
        clearer = clearer_over(see(opened, question.known), question)
        return clear(clearer, resolve(opened, targets or ["."]))

    def record(self, opened: Opened, *targets: str) -> tuple[int, ...]:
        found = self.clear(opened, *targets)
        planned = plan(opened, found.clearer, found.groups, History(opened)).planned
        return record(opened, self.registrar, found.question.profile, planned)


@pytest.fixture(scope="module")
def made_once(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A production whose grant ends the day after tomorrow. Never written to."""
    studio = copied(founded, tmp_path_factory.mktemp("cleared"))
    ending = FACTS.replace("from = 2026-01-01\n", f"from = 2026-01-01\nuntil = {END:%Y-%m-%d}\n", 1)
    license_production(studio, ending)
    shoot(studio)
    return studio


@pytest.fixture
def nightfall(made_once: Studio, tmp_path: Path) -> Nightfall:
    return Nightfall(copied(made_once, tmp_path / "nightfall"))


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def test_a_grant_that_ends_changes_the_verdict_and_its_entry_is_the_cause(nightfall: Nightfall) -> None:
    with nightfall.at(soon()) as opened:
        nightfall.record(opened)
    with nightfall.at(END - DAY) as opened:
        (before,) = recheck(opened)
    assert (before.judged, before.plan.planned) == (0, ())
    with nightfall.at(END + DAY) as opened:
        (after,) = recheck(opened)
        causes = {item.verdict.change.cause for item in after.plan.planned if item.verdict.change}
        (cause,) = causes
        assert opened.statement(cause).predicate.TYPE.endswith("/grant/v2")
        record(opened, nightfall.registrar, after.profile, after.plan.planned)
        (again,) = recheck(opened)
    assert {item.verdict.now.verdict for item in after.plan.planned} == {Verdict.NEEDS_REVIEW}
    assert {item.verdict.then.verdict for item in after.plan.planned} == {Verdict.CLEARED}
    assert again.plan.planned == ()


def test_what_is_changed_is_told_apart_from_what_was_so_all_along(nightfall: Nightfall) -> None:
    with nightfall.at(END + DAY) as opened:
        found = nightfall.clear(opened, "sh020")
    assert (found.whole.then.verdict, found.whole.now.verdict) == (Verdict.CLEARED, Verdict.NEEDS_REVIEW)
    assert {item.reason.code for item in found.changed} == {"GRANT_NOT_IN_FORCE"}


def test_the_answer_as_known_then_is_not_the_one_as_known_now(nightfall: Nightfall) -> None:
    before = soon()
    with nightfall.at(before + DAY) as opened:
        revoke(opened, nightfall.registrar, effective=datetime(2026, 2, 1, tzinfo=UTC))
        as_known = nightfall.clear(opened, "sh020", known=before, at=before)
        now = nightfall.clear(opened, "sh020", at=before)
    assert (as_known.whole.then.verdict, now.whole.then.verdict) == (Verdict.CLEARED, Verdict.BLOCKED)
    assert not as_known.learned
    assert {item.reason.code for item in now.learned} == {"GRANT_REVOKED"}


def test_the_cause_is_found_among_facts_that_changed_nothing(nightfall: Nightfall) -> None:
    with nightfall.at(soon()) as opened:
        nightfall.record(opened)
        noise(opened, nightfall.registrar, "before")
        cause = revoke(opened, nightfall.registrar, effective=datetime(2026, 2, 1, tzinfo=UTC))
        noise(opened, nightfall.registrar, "after")
        (found,) = recheck(opened)
    changes = [item.verdict.change for item in found.plan.planned]
    assert [item.cause for item in changes if item] == [cause, cause]


def test_a_verdict_for_a_day_to_come_is_looked_at_for_that_day(nightfall: Nightfall) -> None:
    with nightfall.at(soon()) as opened:
        found = nightfall.clear(opened, "sh020", at=END + 5 * DAY)
        planned = plan(opened, found.clearer, found.groups, History(opened)).planned
        record(opened, nightfall.registrar, found.question.profile, planned)
        (again,) = recheck(opened)
    assert planned[0].verdict.now.verdict is Verdict.NEEDS_REVIEW
    assert again.plan.planned == ()


def test_a_log_that_has_grown_meanwhile_takes_no_verdict(nightfall: Nightfall) -> None:
    with nightfall.at(soon()) as opened:
        found = nightfall.clear(opened)
        noise(opened, nightfall.registrar, "meanwhile")
        see(opened)
        with pytest.raises(RefusedError) as raised:
            plan(opened, found.clearer, found.groups, History(opened))
    assert raised.value.code == "log.fenced"


def test_the_frames_of_a_long_shot_share_few_entries(nightfall: Nightfall) -> None:
    device = open_device(nightfall.home, "workstation")
    with nightfall.at(soon()) as opened:
        for first in range(0, 900, 150):
            frames = range(first, first + 150)
            subjects = tuple(
                Artifact(f"long.{number % 300:04d}.exr", sha256_hex(str(number).encode()))
                for number in frames
            )
            opened.state(device.signer, subjects, shot_of(opened))
        indices = nightfall.record(opened, "long")
        stated = [opened.statement(index) for index in indices]
        assert max(len(opened.entries.envelope(index)) for index in indices) <= MAX_ENTRY
    digests = [subject.sha256 for statement in stated for subject in statement.subjects]
    assert len(digests) == len(set(digests)) == 900
    assert len(indices) < 12
    assert {len(item.predicate.basis) for item in stated if isinstance(item.predicate, VerdictResult)} == {64}


def test_a_verdict_fits_into_an_entry_whatever_its_reasons(nightfall: Nightfall) -> None:
    with nightfall.at(END + DAY) as opened:
        answer = nightfall.clear(opened, "sh020").whole.now
        (found,) = plan_of(nightfall, opened)
    reason = answer.reasons[0]
    names = [f"{number:04d}" + "彩" * 1000 for number in range(400)]
    wide = tuple(
        replace(reason, name=name, detail="長" * 2000, path=(f"model {name}",) * 99, grants=(name,))
        for name in names
    )
    large = fit(replace(answer, reasons=wide))
    assert len(large.reasons) + large.omitted == 400
    assert fit(large) == large
    payload = statements.encode(
        Statement((Artifact("frame", "0" * 64),), replace(found, then=large, now=large))
    )
    assert len(payload) <= PAYLOAD_BYTES
    assert isinstance(statements.decode(payload).predicate, VerdictResult)


def plan_of(nightfall: Nightfall, opened: Opened) -> list[VerdictResult]:
    found = nightfall.clear(opened, "sh020")
    return [item.verdict for item in plan(opened, found.clearer, found.groups, History(opened)).planned]


def shot_of(opened: Opened) -> Step:
    base = step()
    moment = opened.clock.now().replace(microsecond=0)
    place = replace(base.place, production="nightfall", shot="long", frames=(1, 900))
    return replace(
        base, materials=(), place=place, started=moment, finished=moment, parameters={}, commitments=()
    )


def revoke(opened: Opened, registrar: Device, effective: datetime) -> int:
    grant = see(opened).facts.grants_named("G-7")[0]
    predicate = GrantRevocation("G-7", effective, opened.clock.now().replace(microsecond=0))
    return opened.state(registrar.signer, grant.stated.subjects, predicate).index


def noise(opened: Opened, registrar: Device, word: str) -> None:
    """State what no answer depends on."""
    for number in range(3):
        moment = opened.clock.now().replace(microsecond=0)
        party = Party(f"{word}-{number}", PartyKind.ORGANISATION, moment, word)
        opened.state(registrar.signer, (party.subject,), party)
