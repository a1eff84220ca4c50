"""What changed since a moment: work that was done, a grant that was revoked, and nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.adapters.home import Home
from ledger.adapters.profiles import load
from ledger.core.artifact import Artifact, named
from ledger.core.predicates import GrantRevocation, StepV2
from ledger.core.statement import Statement
from ledger.service.board.board import Board, make_board
from ledger.service.board.changed import Changed, changed
from ledger.service.places import Place
from ledger.service.studio import Studio
from ledger.wiring import REGISTRAR, open_studio
from tests.support.builders import digest
from tests.support.feature import OPENED
from tests.support.feature_home import AT, POLICY, Kept, append

SINCE = AT + timedelta(days=1)
"""After all of the film's own entries, before those of a test."""
FIRST = Place(None, "sq000", "sh0000")


@pytest.fixture
def home(small: Kept, tmp_path: Path) -> Home:
    shutil.copytree(small.home.folder, tmp_path / "home")
    return Home(tmp_path / "home", None)


@pytest.fixture
def studio(home: Home) -> Iterator[Studio]:
    with open_studio(home) as found:
        yield found


def since(studio: Studio, moment: datetime = SINCE) -> Changed:
    now = studio.clock.now()
    return changed(studio, moment, board(studio, moment, moment), board(studio, now, None))


def board(studio: Studio, at: datetime, known: datetime | None) -> Board:
    return make_board(studio, load(POLICY), at, known)


def comp_of(small: Kept) -> tuple[Statement, StepV2]:
    """Return the first comp of the first shot, which is of one frame."""
    for _, statement in small.feature.statements():
        step = statement.predicate
        if isinstance(step, StepV2) and step.place.task == "comp":
            return statement, step
    raise AssertionError


def test_work_is_told_by_what_became_of_the_frames(studio: Studio, home: Home, small: Kept) -> None:
    statement, step = comp_of(small)
    role = step.materials[0].role
    again = replace(step, materials=(replace(statement.subjects[0], role=role),))
    later = replace(step.place, frames=(1_900, 1_900))
    work = [
        Statement((Artifact("sq000_sh0000_comp_v002.1001.exr", digest("again")),), again),
        Statement((Artifact("x.1900.exr", digest("more")),), replace(step, place=later, materials=())),
    ]
    append(studio, [(home.statement_signer("workstation"), each) for each in work])
    found = since(studio)
    assert (found.entries, found.looked) == (2, 2)
    assert list(found.files) == [FIRST]
    assert (found.files[FIRST].again, found.files[FIRST].new, found.files[FIRST].gone) == (1, 1, 0)


def test_a_file_that_went_into_another_shot_is_gone(studio: Studio, home: Home, small: Kept) -> None:
    statement, step = comp_of(small)
    read = replace(statement.subjects[0], role=step.materials[0].role)
    elsewhere = replace(step, materials=(read,), place=replace(step.place, shot="sh9000"))
    signer = home.statement_signer("workstation")
    append(studio, [(signer, Statement((Artifact("y.1001.exr", digest("other")),), elsewhere))])
    found = since(studio)
    assert found.files[FIRST].gone == 1
    assert found.files[Place(None, "sq000", "sh9000")].new == 1


def test_a_revocation_is_told_with_what_it_did(studio: Studio, home: Home) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    before = since(studio)
    assert before.entries == 0
    subject = Artifact("footage", named("dataset", "footage").sha256)
    ended = Statement((subject,), GrantRevocation("G-footage", SINCE + timedelta(days=1), now))
    append(studio, [(home.statement_signer(REGISTRAR), ended)])
    found = since(studio)
    assert found.facts == (studio.entries.head().size - 1,)
    assert any(item.opened and item.code == "GRANT_REVOKED" for item in found.turned)
    assert all(item.now == "blocked" and "GRANT_REVOKED" in item.came for item in found.moved)
    assert found.moved
    assert not found.files


def test_a_moment_before_all_of_it_counts_all_of_it(studio: Studio, small: Kept) -> None:
    found = since(studio, OPENED - timedelta(days=1))
    assert found.entries == studio.entries.head().size
    assert sum(files.new + files.again for files in found.files.values()) > small.feature.finals // 2
    assert not found.quiet
