"""A report is of one moment of the log: what others record and catch up meanwhile is in none of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.adapters.home import Home
from ledger.adapters.profiles import load
from ledger.core.artifact import Artifact
from ledger.core.predicates import StepV2
from ledger.core.statement import Statement
from ledger.errors import UsageError
from ledger.service.clear.question import Asked, Seen, ask, clearer_over, see, still
from ledger.service.report.population import of_targets
from ledger.service.report.report import Made, check_time, make
from ledger.service.studio import Studio
from ledger.wiring import open_studio
from tests.support.builders import digest
from tests.support.feature_home import AT, POLICY, Kept, append


@pytest.fixture
def home(small: Kept, tmp_path: Path) -> Home:
    shutil.copytree(small.home.folder, tmp_path / "home")
    return Home(tmp_path / "home", None)


def made(studio: Studio, seen: Seen) -> Made:
    clearer = clearer_over(seen, ask(studio, load(POLICY), Asked(at=AT)))
    return make(studio, clearer, of_targets(studio, (".",)))


def work_on(home: Home, small: Kept) -> None:
    """Paint over the first frame of a shot, and add one; in the same shot, so the one before is taken."""
    with open_studio(home) as other:
        _, painted = next(
            pair
            for pair in small.feature.statements()
            if isinstance(pair[1].predicate, StepV2) and pair[1].predicate.place.task == "comp"
        )
        assert isinstance(painted.predicate, StepV2)
        read = replace(painted.subjects[0], role=painted.predicate.materials[0].role)
        step = replace(painted.predicate, materials=(read,))
        subjects = (Artifact("new.1001.exr", digest("new"), "image/x-exr"),)
        append(other, [(home.statement_signer("workstation"), Statement(subjects, step))])
        see(other)


def test_what_is_recorded_meanwhile_is_in_none_of_it(home: Home, small: Kept) -> None:
    with open_studio(home) as studio:
        with still(studio) as (frozen, seen):
            before = made(frozen, seen).report
            work_on(home, small)
            assert studio.bases.mark().size == seen.size + 1
            again = made(frozen, seen).report
            differ = [key for key, table in again.tables.items() if table != before.tables[key]]
            assert (differ, again) == ([], before)
        after = made(studio, see(studio)).report
    assert after.head.size == before.head.size + 1
    assert "new.1001.exr" not in before.tables["frames"].column("name")
    assert "new.1001.exr" in after.tables["frames"].column("name")


def test_every_entry_of_a_report_is_of_its_tree(small: Kept) -> None:
    report = small.report(".").report
    for table in report.tables.values():
        for column in table.schema.columns:
            if column.key == "entries":
                named = {entry for held in table.column("entries") for entry in held}
                assert all(0 <= entry < report.head.size for entry in named), table.schema.key


def test_a_moment_that_is_still_to_come_is_refused(small: Kept) -> None:
    with open_studio(small.home) as studio:
        now = studio.clock.now()
        check_time(studio, ask(studio, load(POLICY), Asked(at=now)))
        later = ask(studio, load(POLICY), Asked(at=now + timedelta(days=1)))
        with pytest.raises(UsageError) as error:
            check_time(studio, later)
    assert error.value.code == "report.future"
