"""The story told to a real log: signed, admitted, projected, read back. It comes out as in the engine."""

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.artifact import Artifact
from ledger.core.predicates import Step
from ledger.core.predicates.answer import Answer
from ledger.core.rights.clearance import Clearance
from ledger.core.statement import Statement
from ledger.service.clear.projecting import basis_of_file
from ledger.service.clear.question import Question as Asked
from ledger.service.clear.question import clearer_over, see
from ledger.service.studio import Studio
from ledger.testing import MemoryEntryStore
from ledger.testing.bases import MemoryBasisStore
from tests.rights import grant_cases, model_cases, record_cases
from tests.rights.cases import CASES, Case, Question
from tests.rights.nightfall import nightfall
from tests.rights.story import Story, day, file
from tests.support.bare_studio import say, studio_on
from tests.support.builders import DEVICE, OTHER, REGISTRAR, enrolment, revocation
from tests.support.log import ORIGIN, database

MODULES = (grant_cases, model_cases, record_cases)
"""Importing them enters their cases."""
BEFORE = day("2025-01-01")


def named(case: Case) -> str:
    return f"{case.code}-{getattr(case.tell, '__name__', '')}"


def tell(studio: Studio, story: Story) -> None:
    """Append what was told, each by whoever may sign it; what is suspect, by a key that was stolen."""
    for signer, name in ((DEVICE, "ws-01"), (OTHER, "ws-07")):
        say(studio, enrolment(signer, device=name, valid_from=BEFORE))
    for record in story.log:
        names = {subject.name for subject in record.statement.subjects}
        stolen = isinstance(record.statement.predicate, Step) and names & story.suspect.keys()
        signer = REGISTRAR if record.by_registrar else OTHER if stolen else DEVICE
        say(studio, record.statement, signer)
    if story.suspect:
        key = Artifact("ws-07", OTHER.keyid)
        say(studio, Statement((key,), revocation(device="ws-07", suspect_from=0)))


def put(studio: Studio, question: Question) -> Clearance:
    """Ask the log what the engine's tests ask the story."""
    asked = Asked(question.profile, question.delivery, question.at, question.known)
    clearer = clearer_over(see(studio, question.known), asked)
    basis = basis_of_file(studio, file(question.picture).sha256)
    assert basis is not None
    return clearer.engine.clear(basis)


def essence(answer: Answer) -> object:
    """Return what does not depend on where in the log things stand."""
    reasons = {replace(reason, override=reason.override and 0, detail=None) for reason in answer.reasons}
    return answer.verdict, answer.grade, answer.levels, reasons


def memory() -> Studio:
    entries = MemoryEntryStore()
    return studio_on(entries, MemoryBasisStore(entries))


@pytest.mark.parametrize("mended", [False, True], ids=["trouble", "mended"])
@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_log_says_what_the_story_says(case: Case, mended: bool) -> None:
    story, studio = nightfall(), memory()
    question = case.tell(story, mended)
    tell(studio, story)
    found, expected = put(studio, question), question.put(story)
    for said, told in ((found.then, expected.then), (found.now, expected.now)):
        assert essence(said) == essence(told)


def test_the_whole_story_on_a_database(tmp_path: Path) -> None:
    with database(tmp_path) as engine:
        studio = studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN))
        tell(studio, nightfall())
        found = put(studio, Question())
    assert found == Question().put(nightfall())
    assert (found.now.cleared, found.now.grade.name) == (True, "L4")
