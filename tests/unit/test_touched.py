"""What a fact touches: the thing, what descends from it, and nothing else."""

from datetime import timedelta

import pytest

from ledger.core.artifact import Role
from ledger.core.predicates.dataset_v2 import Source
from ledger.core.predicates.finding import FindingKind
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.review import Standing
from ledger.service.clear.touched import newer, passed, resting_on, touched_by
from tests.rights.nightfall import DELIVERED, FRAME, NIGHTFALL, SERVICE, nightfall
from tests.rights.story import Story, day, inventory, sources, weights

VIDEO = "clip.png"


@pytest.fixture
def story() -> Story:
    """The production, and two more pictures: one by the service, one by a model that learnt from it."""
    told = nightfall()
    told.makes(VIDEO, (SERVICE, Role.MODEL), service=SERVICE, plan="studio")
    told.dataset("clips", outputs_of=sources("lumen-weights"))
    told.model("clip-lora", on=[("clips", TrainingStage.FOCUSED)])
    told.makes("lora.png", ("clip-lora", Role.MODEL))
    return told


def touched_pictures(story: Story, size: int) -> set[str]:
    facts = story.facts()
    touched = touched_by(story.log, newer(story.log, size), facts, NIGHTFALL)
    pictures = (FRAME, "bg.png", "akane.png", VIDEO, "lora.png")
    return {
        name
        for name in pictures
        if touched.everything or any(touched.holds(item, facts) for item in story.basis(name))
    }


def size(story: Story) -> int:
    return story.log[-1].index + 1


def test_a_dataset_touches_what_the_models_on_top_of_its_models_made(story: Story) -> None:
    before = size(story)
    story.revoke("KIRI-7", day("2026-02-01"))
    assert touched_pictures(story, before) == {FRAME}
    story.revoke("HOSHI-JP", day("2026-02-01"))
    assert touched_pictures(story, before) == {FRAME, "bg.png", "akane.png"}


def test_terms_touch_every_snapshot_of_the_service(story: Story) -> None:
    before = size(story)
    story.terms(SERVICE, "enterprise", day("2026-01-01"))
    assert touched_pictures(story, before) == {VIDEO}


def test_terms_touch_what_learnt_from_the_service(story: Story) -> None:
    service = story.thing(SERVICE)
    story.suppose("clips", outputs_of=(Source("lumen", service.sha256),))
    before = size(story)
    story.terms(SERVICE, "enterprise", day("2026-01-01"))
    assert touched_pictures(story, before) == {VIDEO, "lora.png"}


def test_a_title_touches_everything_and_a_party_nothing(story: Story) -> None:
    before = size(story)
    story.party("new")
    assert touched_pictures(story, before) == set()
    story.title(NIGHTFALL, "Nightfall, the Film", "nightfall")
    assert len(touched_pictures(story, before)) == 5


def test_a_consent_touches_the_finding_about_the_performer(story: Story) -> None:
    story.finds("F-1", FindingKind.PERFORMER_NAME, "bg.png", person="person:hana")
    before = size(story)
    story.consent("person:hana", "her voice", day("2026-01-01"))
    assert touched_pictures(story, before) == {"bg.png", FRAME}


def test_things_that_rest_on_a_thing_are_found_through_any_number_of_models(story: Story) -> None:
    found = resting_on(story.facts(), [inventory("sky-archive").sha256])
    assert {weights(name).sha256 for name in ("tsuki-base", "kumo-anime", "dusk-merge")} <= found
    assert weights("clip-lora").sha256 not in found


def test_a_boundary_is_passed_only_between_the_moments(story: Story) -> None:
    since = DELIVERED + timedelta(days=10)
    story.review("kiri-7", Standing.CONTESTED, since=since)
    index = size(story) - 1
    hour = timedelta(hours=1)
    assert index in {item.index for item in passed(story.log, DELIVERED, since)}
    assert index in {item.index for item in passed(story.log, since + hour, since - hour)}
    assert index not in {item.index for item in passed(story.log, DELIVERED, since - hour)}
    assert index not in {item.index for item in passed(story.log, since + hour, since + 2 * hour)}
