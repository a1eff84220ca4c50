"""Whether everything that a file was made from is explained by a record."""

from collections.abc import Callable

import pytest

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.report import Check
from tests.support.builders import REGISTRAR, WEIGHTS, Story, dataset, digest, manifest, reading, seal, step
from tests.support.verdicts import STORY, P, U, of_evidence, report, told

PLATE = Artifact("plate.png", digest("plate"), "image/png", digest("plate pixels"))
SEALED = Artifact("plate.png", digest("sealed plate"), "image/png")
FILES = [Role.PARENT, Role.COMPONENT, Role.REFERENCE]


def used(*materials: Artifact, number: str = "2") -> Callable[[Story], object]:
    """A step that read these, recorded after the story's own."""
    return lambda story: story.log.add(
        step(step_id=number, materials=materials), subjects=(Artifact(f"out-{number}", digest(number)),)
    )


def made(subject: Artifact, *materials: Artifact) -> Callable[[Story], object]:
    return lambda story: story.log.add(step(step_id=subject.name, materials=materials), subjects=(subject,))


def sealed_from(source: str) -> Callable[[Story], object]:
    predicate = seal(manifests=(SealedManifest(digest("store"), source, Form.EMBEDDED),))
    return lambda story: story.log.add(predicate, subjects=(SEALED,))


def as_role(artifact: Artifact, role: Role = Role.PARENT) -> Artifact:
    return Artifact(artifact.name, artifact.sha256, artifact.media_type, artifact.pixels, role)


def history(*plot: Callable[[Story], object]) -> Check:
    return told(*plot).check("history")


def test_a_step_that_read_no_file_has_its_whole_history() -> None:
    assert history().status is P


@pytest.mark.parametrize("role", FILES)
def test_a_file_that_nobody_recorded_is_unattributed(role: Role) -> None:
    check = history(used(as_role(PLATE, role)))
    assert (check.status, check.codes) == (U, ("lineage.unattributed",))
    assert "“plate.png”" in check.words


@pytest.mark.parametrize("role", FILES)
def test_a_recorded_file_is_explained(role: Role) -> None:
    assert history(made(PLATE), used(as_role(PLATE, role))).status is P


def test_a_model_or_a_dataset_is_another_check_s_business() -> None:
    unknown = Artifact("who knows", digest("weights of nobody"))
    assert history(used(as_role(unknown, Role.MODEL), as_role(unknown, Role.DATASET))).status is P


def test_a_sealed_file_is_explained_by_what_it_was_sealed_from() -> None:
    assert history(made(PLATE), sealed_from(PLATE.sha256), used(as_role(SEALED))).status is P


def test_a_seal_alone_explains_nothing() -> None:
    assert history(sealed_from(PLATE.sha256), used(as_role(SEALED))).status is U


def test_a_file_sealed_twice_is_explained_through_both_seals() -> None:
    again = Artifact("plate.png", digest("sealed again"), "image/png")
    second = seal(manifests=(SealedManifest(digest("store 2"), SEALED.sha256, Form.EMBEDDED),))
    plot = (
        made(PLATE),
        sealed_from(PLATE.sha256),
        lambda story: story.log.add(second, subjects=(again,)),
        used(as_role(again)),
    )
    assert history(*plot).status is P


def test_a_picture_saved_again_is_explained_by_its_pixels() -> None:
    copied = Artifact("copy.tif", digest("other bytes"), "image/tiff", PLATE.pixels)
    assert history(made(PLATE), used(as_role(copied))).status is P


def test_two_files_without_pixels_are_not_the_same_picture() -> None:
    bare, other = Artifact("a.bin", digest("a")), Artifact("b.bin", digest("b"))
    assert history(made(bare), used(as_role(other))).status is U


def test_the_history_goes_back_to_the_first_file() -> None:
    scan = Artifact("scan.png", digest("scan"))
    check = history(made(PLATE, as_role(scan)), used(as_role(PLATE)))
    assert (check.status, "“scan.png”" in check.words, "“plate.png”" in check.words) == (U, True, False)


def test_a_registered_dataset_explains_its_own_bytes() -> None:
    inventory = Artifact("works.csv", digest("works"))
    plot = (
        lambda story: story.log.add(dataset(), REGISTRAR, subjects=(inventory,)),
        used(as_role(inventory, Role.REFERENCE)),
    )
    assert history(*plot).status is P


def test_many_unattributed_files_are_named_in_part() -> None:
    many = [as_role(Artifact(f"f{n}.png", digest(f"f{n}"))) for n in range(9)]
    words = history(used(*many)).words
    assert ("“f4.png”" in words, "“f5.png”" in words, "and others" in words) == (True, False, True)


def test_without_a_proven_record_nothing_is_known() -> None:
    assert of_evidence("history", STORY.evidence(STORY.registrar, STORY.device).entries).status is U
    assert report(None).check("history").status is U


def test_a_model_that_is_the_file_itself_was_made_from_no_file() -> None:
    shown = STORY.evidence(STORY.model, STORY.registrar, subject=WEIGHTS)
    assert report(reading(manifest("active", shown, bound_sha256=None))).check("history").status is P
