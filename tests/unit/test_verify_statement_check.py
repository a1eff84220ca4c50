"""Whether each record is signed by a key that may say it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ledger.core.evidence import Evidence
from ledger.core.predicates import Predicate
from ledger.core.report import Outcome, Status
from ledger.core.trust import TrustRoot
from ledger.ports import Signer
from ledger.testing import SeedSigner
from tests.support.builders import (
    DAY,
    DEVICE,
    END,
    FRAME,
    OTHER,
    REGISTRAR,
    START,
    USED,
    BuiltLog,
    Story,
    dataset,
    digest,
    enrolment,
    envelope,
    grant,
    manifest,
    model,
    reading,
    registrar_enrolment,
    step,
)
from tests.support.verdicts import STORY, F, P, U, report, told


def statement_check(
    *extra: Callable[[Story], object], trust: TrustRoot = STORY.trust
) -> tuple[Status, tuple[str, ...]]:
    check = told(*extra, trust=trust).check("statement")
    return check.status, check.codes


def test_a_step_by_a_stranger_is_undecided() -> None:
    assert statement_check(lambda s: s.log.add(step(), OTHER)) == (U, ("key.unknown",))


def test_a_step_by_a_key_enrolled_later_is_undecided() -> None:
    late = enrolment(OTHER, device="ws-02")
    found = told(lambda s: s.log.add(step(step_id="2"), OTHER), lambda s: s.log.add(late))
    check = found.check("statement")
    assert (check.status, check.codes) == (U, ("key.unknown",))
    assert found.outcome is Outcome.UNDECIDED


def test_a_step_after_its_enrolment_is_good() -> None:
    early = enrolment(OTHER, device="ws-02")
    found = told(lambda s: s.log.add(early), lambda s: s.log.add(step(step_id="2"), OTHER))
    assert found.check("statement").status is P
    assert "ws-02" in found.check("statement").words


def test_the_enrolment_of_a_device_may_be_missing_from_the_evidence() -> None:
    story = Story()
    shown = story.evidence(story.step, story.registrar, story.model, story.dataset, story.grant)
    found = report(reading(manifest("active", shown)))
    assert found.check("statement").codes == ("key.unknown",)
    assert found.outcome is Outcome.UNDECIDED


WRONG_ROLE: dict[str, tuple[Predicate, Any]] = {
    "grant by a device": (grant(), DEVICE),
    "model by a device": (model(), DEVICE),
    "dataset by a device": (dataset(), DEVICE),
    "enrolment by a device": (enrolment(OTHER, device="ws-02"), DEVICE),
    "registrar by a device": (registrar_enrolment(OTHER), DEVICE),
    "step by the registrar": (step(step_id="2"), REGISTRAR),
}


@pytest.mark.parametrize(("predicate", "signer"), WRONG_ROLE.values(), ids=WRONG_ROLE)
def test_a_key_that_may_not_say_this_fails(predicate: Predicate, signer: Any) -> None:
    assert statement_check(lambda s: s.log.add(predicate, signer)) == (F, ("key.not-valid",))


def test_an_enrolment_by_a_device_admits_nobody() -> None:
    found = told(
        lambda s: s.log.add(enrolment(OTHER, device="ws-02"), DEVICE),
        lambda s: s.log.add(step(step_id="2"), OTHER),
    )
    assert len(found.steps) == 1


def test_a_device_that_enrols_itself_as_registrar_stays_a_device() -> None:
    found = told(
        lambda s: s.log.add(registrar_enrolment(DEVICE), DEVICE),
        lambda s: s.log.add(grant(grant_id="own"), DEVICE),
    )
    assert found.check("statement").status is F
    assert [item.grant_id for item in found.things[0].grants] == ["LIC-7"]


class Forger:
    """Signs with a key of its own under another's name."""

    def __init__(self, claimed: Signer) -> None:
        self.keyid, self.public_key = claimed.keyid, claimed.public_key

    def sign(self, message: bytes) -> bytes:
        return OTHER.sign(message)


def test_a_forged_signature_fails() -> None:
    found = statement_check(lambda s: s.log.add(step(step_id="2"), Forger(DEVICE)))
    assert found == (F, ("envelope.signature",))


def test_of_two_signatures_the_known_one_counts() -> None:
    found = told(lambda s: s.log.add(step(step_id="2"), OTHER, DEVICE))
    assert found.check("statement").status is P
    assert len(found.steps) == 2


def test_a_known_key_s_wrong_signature_fails_beside_a_good_one() -> None:
    found = statement_check(lambda s: s.log.add(step(step_id="2"), DEVICE, Forger(REGISTRAR)))
    assert found == (F, ("envelope.signature",))


def test_of_two_known_keys_one_must_be_allowed() -> None:
    assert statement_check(lambda s: s.log.add(step(step_id="2"), REGISTRAR, DEVICE)) == (P, ())
    assert statement_check(lambda s: s.log.add(grant(grant_id="2"), DEVICE, OTHER)) == (F, ("key.not-valid",))


def test_a_second_registrar_enrolled_by_the_first() -> None:
    found = told(
        lambda s: s.log.add(registrar_enrolment(OTHER, device="second")),
        lambda s: s.log.add(grant(grant_id="LIC-8"), OTHER),
    )
    assert found.outcome is Outcome.PROVEN
    assert [item.grant_id for item in found.things[0].grants] == ["LIC-7", "LIC-8"]


def test_a_registrar_enrolled_by_the_second() -> None:
    third = SeedSigner("third")
    found = told(
        lambda s: s.log.add(registrar_enrolment(OTHER, device="second")),
        lambda s: s.log.add(registrar_enrolment(third, device="third"), OTHER),
        lambda s: s.log.add(grant(grant_id="LIC-9"), third),
    )
    assert found.outcome is Outcome.PROVEN


def test_a_registrar_the_trust_root_does_not_pin_is_undecided() -> None:
    trust = replace(STORY.trust, registrars=(OTHER.public_key,))
    assert statement_check(trust=trust) == (U, ("key.unknown",))


def test_a_registrar_is_one_in_each_log_that_the_root_names() -> None:
    """Enrolments do not carry over from log to log; the pinned registrar does."""
    other = Story(BuiltLog(origin="ledger.example/second", key=SeedSigner("second log")))
    trust = replace(STORY.trust, logs=(STORY.log.vkey, other.log.vkey))
    strange = other.log.logged(other.step)
    found = report(reading(manifest("active", Evidence(FRAME, STORY.whole.entries + strange))), trust)
    assert found.check("log").status is P
    assert found.check("statement").codes == ("key.unknown",)


def test_a_renewed_device_is_judged_by_the_enrolment_before_each_step() -> None:
    later = USED + 200 * DAY
    found = told(
        lambda s: s.log.add(
            enrolment(valid_from=later - DAY, valid_until=END + 300 * DAY, certificate=digest("new"))
        ),
        lambda s: s.log.add(step(step_id="2", started=later, finished=later)),
        lambda s: s.log.add(step(step_id="from the spool")),
    )
    assert found.check("statement").status is P
    assert len(found.steps) == 3


@pytest.mark.parametrize("moment", [START - DAY, END])
def test_a_step_outside_the_key_s_validity_is_undecided(moment: datetime) -> None:
    late = step(step_id="2", started=moment, finished=moment)
    assert statement_check(lambda s: s.log.add(late)) == (U, ("key.not-valid",))


def test_an_entry_of_a_newer_kind_is_in_the_log_and_undecided() -> None:
    import json

    from ledger.core import canonical
    from ledger.core import envelope as dsse
    from ledger.core import statement as statements
    from tests.support.builders import statement

    document = json.loads(statements.encode(statement(step())))
    document["predicateType"] = "https://rakkan.org/step/v9"
    newer = dsse.sign(canonical.encode(document), DEVICE)
    found = told(lambda s: s.log.add(newer))
    assert found.check("log").status is P
    assert found.check("statement").codes == ("statement.predicate-type",)
    assert found.check("statement").status is U


@pytest.mark.parametrize("data", [b"hello", b"{}", envelope(step()) + b"\n"])
def test_an_entry_that_is_no_envelope_is_in_the_log_and_wrong(data: bytes) -> None:
    found = told(lambda s: s.log.add(data))
    assert found.check("log").status is P
    assert found.check("statement").status is F


def test_an_enrolment_of_no_key_fails() -> None:
    broken = enrolment(OTHER, device="ws-02", public_key=b"nonsense")
    assert statement_check(lambda s: s.log.add(broken)) == (F, ("key.malformed",))
