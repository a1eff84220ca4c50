"""Which models and datasets a file names, and whether each has a grant."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import Predicate
from ledger.core.predicates.model import Training, TrainingStage
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
