"""Which entries a report rests on: everything under its files and about them, and nothing of another shot."""

from __future__ import annotations

import pytest

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates.step import StepAction
from ledger.core.statement import Statement
from ledger.service.studio import Studio
from ledger.testing import MemoryEntryStore, SeedSigner
from ledger.testing.bases import MemoryBasisStore
from tests.support.bare_studio import opened, say, studio_on
from tests.support.bases import component, file, made, sealed
from tests.support.builders import (
    INVENTORY,
    OTHER,
    REGISTRAR,
    dataset,
    digest,
    enrolment,
    grant,
    model,
    registrar_enrolment,
)
from tests.support.reported import rests

THIRD, IDLE = SeedSigner("third"), SeedSigner("idle")
SKY = Artifact("sky", digest("sky weights"), role=Role.MODEL)
KEYS = (0, 1)
"""The entries that enrol the registrar and the device."""


@pytest.fixture
def studio() -> Studio:
    entries = MemoryEntryStore()
    return opened(studio_on(entries, MemoryBasisStore(entries)))


def test_what_lies_under_a_file_is_there_through_seals_and_pictures_and_another_shot_is_not(
    studio: Studio,
) -> None:
    plate = say(studio, made("plate.png", action=StepAction.IMPORT))
    twin = say(studio, Statement((file("still.png", pixels="still"),), made("x").predicate))
    kept = say(studio, sealed(**{"plate.sealed.png": "plate.png"}))
    other = say(studio, made("other.png"))
    frame = say(
        studio,
        made("frame.png", of=[component("plate.sealed.png"), component("still.jpg", pixels="still")]),
    )
    final = say(studio, sealed(**{"final.png": "frame.png", "other.sealed.png": "other.png"}))
    found = rests(studio, digest("final.png"))
    assert found.steps == (plate, twin, frame)
    assert found.seals == (kept, final)
    assert found.entries == (*KEYS, plate, twin, kept, frame, final)
    assert other not in found.entries
    assert digest("plate.png") in found.things


def test_what_is_said_of_a_model_and_of_what_it_was_trained_on_is_there(studio: Studio) -> None:
    told = [
        say(studio, Statement((Artifact("plates", INVENTORY),), dataset()), REGISTRAR),
        say(studio, Statement((Artifact("sky", SKY.sha256),), model()), REGISTRAR),
        say(studio, Statement((Artifact("plates", INVENTORY),), grant()), REGISTRAR),
    ]
    unused = say(studio, Statement((file("unused weights"),), model(name="unused")), REGISTRAR)
    step = say(studio, made("frame.png", of=[SKY]))
    found = rests(studio, digest("frame.png"))
    assert found.entries == (*KEYS, *told, step)
    assert unused not in found.entries


def test_only_keys_that_signed_are_there_with_the_registrar_that_let_them_in(studio: Studio) -> None:
    second = say(studio, registrar_enrolment(OTHER, device="second registrar"), REGISTRAR)
    third = say(studio, enrolment(THIRD, device="ws-03"), OTHER)
    idle = say(studio, enrolment(IDLE, device="idle"), REGISTRAR)
    step = say(studio, made("frame.png"), THIRD)
    found = rests(studio, digest("frame.png"))
    assert found.entries == (0, second, third, step)
    assert idle not in found.entries
