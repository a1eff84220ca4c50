"""Which models and datasets a file names, and whether each has a grant."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import GrantRevocation, ModelV2, Predicate
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole
from ledger.core.report import Outcome, Status, VerificationReport
from tests.support.builders import (
    DAY,
    DEVICE,
    END,
    INVENTORY,
    USED,
    WEIGHTS,
    Story,
    digest,
    envelope,
    grant,
    manifest,
    model,
    reading,
    step,
)
from tests.support.verdicts import STORY, P, U, never, report, told


def used(*materials: Artifact, **changes: Any) -> Predicate:
    return step(materials=materials, **changes)


MODEL = Artifact("studio-xl", WEIGHTS, role=Role.MODEL)


def with_step(predicate: Predicate, *plot: Callable[[Story], object]) -> VerificationReport:
    """Return the report on a story whose one step is another."""

    def replace_step(story: Story) -> None:
        story.log.entries[story.step] = envelope(predicate)

    return told(replace_step, *plot)


def test_a_step_that_names_nothing_needs_nothing() -> None:
    found = with_step(used(Artifact("plate", digest("plate"), role=Role.PARENT)))
    assert found.things == ()
    assert [found.check(name).status for name in ("materials", "grants")] == [P, P]


def test_what_a_step_does_not_name_is_not_named() -> None:
    """The evidence holds a model's registration; the step did not use it."""
    assert with_step(used()).things == ()


def test_an_unregistered_model_is_undecided() -> None:
    found = with_step(used(Artifact("leaked.ckpt", digest("leaked"), role=Role.MODEL)))
    assert found.check("materials").status is U
    assert "leaked.ckpt" in found.check("materials").words
    assert (found.check("grants").status, found.check("grants").codes) == (U, ("grant.missing",))


def test_a_model_that_is_registered_as_a_dataset_is_not_registered() -> None:
    found = with_step(used(Artifact("plates", INVENTORY, role=Role.MODEL)))
    assert found.check("materials").status is U


def test_a_registered_model_without_a_grant_is_undecided() -> None:
    shown = STORY.evidence(STORY.step, STORY.registrar, STORY.device, STORY.dataset, STORY.model)
    found = report(reading(manifest("active", shown)))
    assert found.check("materials").status is P
    assert found.check("grants").codes == ("grant.missing",)
    assert found.outcome is Outcome.UNDECIDED


def granted(**changes: Any) -> Callable[[Story], object]:
    def plot(story: Story) -> None:
        both = (Artifact("studio-xl", WEIGHTS), Artifact("plates.csv", INVENTORY))
        story.log.entries[story.grant] = envelope(grant(**changes), subjects=both)

    return plot


@pytest.mark.parametrize(
    ("term", "status"),
    [
        ({"valid_until": USED}, U),
        ({"valid_from": USED + DAY}, U),
        ({"valid_from": USED}, P),
        ({"valid_until": USED + DAY}, P),
        ({"valid_until": None}, P),
    ],
    ids=["ended before", "began after", "began then", "ended since", "perpetual"],
)
def test_a_grant_counts_at_the_time_of_use(term: dict[str, Any], status: Status) -> None:
    found = told(granted(**term))
    assert found.check("grants").status is status
    assert {grant.in_term for thing in found.things for grant in thing.grants} == {status is P}


def test_a_grant_about_something_else_covers_nothing() -> None:
    def plot(story: Story) -> None:
        story.log.entries[story.grant] = envelope(grant(), subjects=(Artifact("x", digest("x")),))

    assert told(plot).check("grants").codes == ("grant.missing",)


def test_every_use_needs_a_grant_of_its_time() -> None:
    late = step(step_id="2", started=USED + 100 * DAY, finished=USED + 100 * DAY)
    once = told(granted(valid_until=USED + DAY), lambda s: s.log.add(late))
    assert once.check("grants").status is U
    again = told(
        granted(valid_until=USED + DAY),
        lambda s: s.log.add(late),
        lambda s: s.log.add(
            grant(grant_id="LIC-8", valid_from=USED + 50 * DAY),
            subjects=(Artifact("studio-xl", WEIGHTS), Artifact("plates.csv", INVENTORY)),
        ),
    )
    assert again.check("grants").status is P
    assert "LIC-7, LIC-8" in again.check("grants").words


def test_a_first_use_without_a_grant_is_not_mended_by_a_later_one() -> None:
    late = step(step_id="2", started=USED + 100 * DAY, finished=USED + 100 * DAY)
    found = told(granted(valid_from=USED + 50 * DAY), lambda s: s.log.add(late))
    assert found.check("grants").status is U


def test_the_training_of_a_model_counts_with_it() -> None:
    def plot(story: Story) -> None:
        two = tuple(Training(word, digest(word), TrainingStage.FOUNDATION) for word in ("web", "scans"))
        story.log.entries[story.model] = envelope(model(training=two))

    found = told(plot)
    assert [(thing.name, thing.stages) for thing in found.things] == [
        ("studio-xl", ()),
        ("web", ("foundation",)),
        ("scans", ("foundation",)),
    ]
    assert "dataset “web”, dataset “scans”" in found.check("materials").words


def test_a_model_that_is_the_file_itself_is_judged_now() -> None:
    shown = STORY.evidence(STORY.model, STORY.registrar, STORY.dataset, STORY.grant, subject=WEIGHTS)
    read = reading(manifest("active", shown, bound_sha256=None), embedded=False)
    today = report(read, sha256=WEIGHTS, media_type="application/octet-stream", pixels=never)
    assert today.check("grants").status is P
    later = report(read, now=END, sha256=WEIGHTS, media_type="application/octet-stream", pixels=never)
    assert later.check("grants").status is U


def test_a_grant_by_a_device_covers_nothing() -> None:
    def plot(story: Story) -> None:
        both = (Artifact("studio-xl", WEIGHTS), Artifact("plates.csv", INVENTORY))
        story.log.entries[story.grant] = envelope(grant(), DEVICE, subjects=both)

    found = told(plot)
    assert found.check("grants").codes == ("grant.missing",)
    assert found.outcome is Outcome.ALTERED


@pytest.mark.parametrize(
    ("effective", "status"), [(USED, U), (USED + DAY, P)], ids=["before the use", "after it"]
)
def test_a_revoked_grant_covers_what_was_used_before(effective: datetime, status: Status) -> None:
    both = (Artifact("studio-xl", WEIGHTS), Artifact("plates.csv", INVENTORY))
    known = USED + 50 * DAY
    found = told(lambda s: s.log.add(GrantRevocation("LIC-7", effective, known), subjects=both))
    assert found.check("grants").status is status


def test_what_a_model_was_made_from_counts_with_it() -> None:
    """A merge with something from the web, under a base that is licensed, is not licensed."""
    web = Parent("web-mix", digest("web"), ParentRole.MERGED, "0.3")

    def plot(story: Story) -> None:
        merge = ModelV2("studio-xl", "3", recorded=USED, kind=ModelKind.MERGE, parents=(web,))
        story.log.entries[story.model] = envelope(merge, subjects=(Artifact("studio-xl", WEIGHTS),))

    found = told(plot)
    assert [thing.name for thing in found.things] == ["studio-xl", "web-mix"]
    assert found.check("materials").status is U
    assert "web-mix" in found.check("materials").words


def test_models_under_one_another_are_named_once() -> None:
    other = digest("other")

    def plot(story: Story) -> None:
        for sha256, name, parent in ((WEIGHTS, "studio-xl", other), (other, "other", WEIGHTS)):
            under = Parent("the other", parent, ParentRole.BASE)
            merge = ModelV2(name, "1", recorded=USED, kind=ModelKind.FINE_TUNE, parents=(under,))
            story.log.add(merge, subjects=(Artifact(name, sha256),))

    assert sorted(thing.sha256 for thing in told(plot).things) == sorted((WEIGHTS, other))
