"""Who may state the facts of the registry, and within which time."""

from datetime import datetime
from typing import get_args

import pytest

from ledger.core.keyring import MAY_SIGN, REGISTRARS_ONLY, KeyHistory, check_may_sign, stated_time
from ledger.core.predicates import Enrolment, Fact, Finding, Predicate
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.finding import FindingState
from ledger.core.statement import Statement
from ledger.errors import RefusedError, UndecidedError
from tests.support.builders import (
    DAY,
    DEVICE,
    END,
    REGISTRAR,
    START,
    USED,
    enrolment,
    grant,
    registrar_enrolment,
    subject_of,
)
from tests.support.stated import (
    RECORDED,
    approval,
    consent,
    dataset_v2,
    finding,
    grant_revocation,
    grant_v2,
    model_v2,
    override,
    party,
    policy_profile,
    review,
    service_terms,
    step_v2,
    title,
    training_run,
    verdict,
    work,
)
from tests.support.stated_captures import service_call

FACTS: list[Predicate] = [
    dataset_v2(),
    model_v2(),
    grant_v2(),
    grant_revocation(),
    party(),
    work(),
    title(),
    service_terms(),
    consent(),
    approval(),
    override(),
    review(),
    policy_profile(),
    verdict(),
]
CLOSED = [finding(state=state) for state in FindingState if state is not FindingState.OPEN]
SEEN: list[Predicate] = [training_run(), finding()]
CALL = service_call()
"""What a device states because it saw it."""


def history(*enrolments: Enrolment) -> KeyHistory:
    found = KeyHistory((REGISTRAR.public_key,))
    for index, enrolled in enumerate(enrolments):
        found.admit(Statement((subject_of(enrolled),), enrolled), index)
    return found


def kind(predicate: Predicate) -> str:
    state = f"-{predicate.state}" if isinstance(predicate, Finding) else ""
    return predicate.TYPE.removeprefix("https://") + state


def test_every_kind_of_fact_is_in_the_lists() -> None:
    assert {*map(type, FACTS), Finding} == set(get_args(Fact))


@pytest.mark.parametrize("predicate", [*FACTS, *CLOSED], ids=kind)
def test_a_device_states_no_fact_and_closes_no_finding(predicate: Predicate) -> None:
    found = history(enrolment())
    with pytest.raises(RefusedError) as error:
        check_may_sign(found.find(DEVICE.keyid, 2), predicate)
    assert error.value.code == "key.not-valid"
    check_may_sign(found.find(REGISTRAR.keyid, 2), predicate)


@pytest.mark.parametrize("predicate", [*SEEN, step_v2(), CALL], ids=kind)
def test_a_device_states_what_it_saw(predicate: Predicate) -> None:
    check_may_sign(history(enrolment()).find(DEVICE.keyid, 2), predicate)


@pytest.mark.parametrize("predicate", SEEN, ids=kind)
def test_a_registrar_may_state_it_too(predicate: Predicate) -> None:
    check_may_sign(history().find(REGISTRAR.keyid, 2), predicate)


def test_what_counts_only_from_a_registrar_is_what_no_device_may_sign() -> None:
    assert not set(REGISTRARS_ONLY) & set(MAY_SIGN[KeyRole.DEVICE])
    assert set(REGISTRARS_ONLY) < set(MAY_SIGN[KeyRole.REGISTRAR])


def test_stated_times() -> None:
    assert stated_time(training_run()) == training_run().finished
    assert stated_time(step_v2()) == USED
    assert stated_time(CALL) == USED
    assert stated_time(grant_v2()) == RECORDED
    assert stated_time(verdict()) == verdict().recorded
    assert stated_time(grant()) is None


@pytest.mark.parametrize("fact", [*FACTS, *SEEN], ids=kind)
def test_the_facts_of_the_story_lie_in_the_validity_of_its_keys(fact: Predicate) -> None:
    moment = stated_time(fact)
    assert moment is not None
    assert START <= moment < END


@pytest.mark.parametrize("moment", [START - DAY, END, END + DAY])
def test_a_fact_recorded_outside_the_registrars_validity_is_undecided(moment: datetime) -> None:
    record = history(registrar_enrolment()).find(REGISTRAR.keyid, 1)
    with pytest.raises(UndecidedError) as error:
        check_may_sign(record, party(recorded=moment))
    assert error.value.code == "key.not-valid"
    check_may_sign(record, party(recorded=START))


def test_a_grant_of_the_first_version_has_no_time_to_be_held_against_a_validity() -> None:
    record = history(registrar_enrolment(valid_from=END, valid_until=END + DAY)).find(REGISTRAR.keyid, 1)
    check_may_sign(record, grant())
    with pytest.raises(UndecidedError):
        check_may_sign(record, grant_v2())
