"""Recheck skips what a newer fact, or a passed day, cannot have changed. It must never skip anything else.

The stories are those of `tests/rights`: for every reason code one that goes wrong, and the same one mended.
"""

from datetime import datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

import tests.rights.grant_cases
import tests.rights.model_cases
import tests.rights.record_cases  # noqa: F401 - importing the three tells the cases
from ledger.core.predicates import Predicate
from ledger.core.rights.basis import Item
from ledger.core.rights.clearance import Clearance, Engine
from ledger.core.rights.facts import Facts
from ledger.service.clear.touched import Touched, newer, passed, touched_by
from ledger.service.clear.verdicts import essence
from tests.rights.cases import CASES, Question
from tests.rights.nightfall import nightfall
from tests.rights.story import Story

cases = st.integers(0, len(CASES) - 1)
HOUR = timedelta(hours=1)
BOUNDS = ("valid_from", "valid_until", "effective", "expires", "since")


@cache
def told(number: int, mended: bool) -> tuple[Story, Question, frozenset[Item]]:
    story = nightfall()
    question = CASES[number].tell(story, mended)
    return story, question, story.basis(question.picture)


@cache
def facts_of(number: int, mended: bool, index: int) -> Facts:
    """The facts of one story as the log held them before this index."""
    records = [record for record in told(number, mended)[0].log if record.index < index]
    return Facts(records, index)


def answer(facts: Facts, question: Question, at: datetime, basis: frozenset[Item]) -> Clearance:
    return Engine(facts, question.profile, question.delivery, at).clear(basis)


def said(clearance: Clearance) -> tuple[object, ...]:
    return essence(clearance.then), essence(clearance.now)


def holds(touched: Touched, basis: frozenset[Item], facts: Facts) -> bool:
    return touched.everything or any(touched.holds(item, facts) for item in basis)


@settings(max_examples=150)
@given(cases, st.booleans(), st.data())
def test_whatever_a_newer_fact_changes_is_touched(number: int, mended: bool, data: st.DataObject) -> None:
    story, question, basis = told(number, mended)
    last = story.log[-1].index + 1
    # Mostly the end of the story: that is where something happens.
    cut = data.draw(st.integers(1, last) | st.integers(max(1, last - 8), last))
    new, old = facts_of(number, mended, last), facts_of(number, mended, cut)
    at = question.at
    if said(answer(old, question, at, basis)) != said(answer(new, question, at, basis)):
        touched = touched_by(story.log, newer(story.log, cut), new, question.delivery.title)
        assert holds(touched, basis, new)


@settings(max_examples=150)
@given(cases, st.booleans(), st.data())
def test_whatever_a_passed_day_changes_is_touched(number: int, mended: bool, data: st.DataObject) -> None:
    story, question, basis = told(number, mended)
    facts = facts_of(number, mended, story.log[-1].index + 1)
    bounds = [moment for record in story.log for moment in _bounds(record.statement.predicate)]
    moments = st.sampled_from(sorted({question.at, *bounds})).flatmap(
        lambda moment: st.sampled_from([moment - HOUR, moment, moment + HOUR])
    )
    first, last = sorted((data.draw(moments), data.draw(moments)))
    if said(answer(facts, question, first, basis)) != said(answer(facts, question, last, basis)):
        chosen = frozenset(item.index for item in passed(story.log, first, last))
        touched = touched_by(story.log, chosen, facts, question.delivery.title)
        assert holds(touched, basis, facts)


def _bounds(predicate: Predicate) -> list[datetime]:
    found = (getattr(predicate, name, None) for name in BOUNDS)
    return [moment for moment in found if isinstance(moment, datetime)]
