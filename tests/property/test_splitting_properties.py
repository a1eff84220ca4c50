"""However many files a step has: nothing is lost, everything fits, and it comes out the same each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import canonical
from ledger.core.artifact import Artifact, Role
from ledger.core.envelope import MAX_BYTES, Envelope, Signature, encode
from ledger.core.predicates import StepV2
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.splitting import LISTER, Part, digest_of_list, room_beside, split, statements, weight
from ledger.core.statement import encode as encode_statement
from ledger.errors import MalformedError

WHEN = datetime(2026, 11, 22, tzinfo=UTC)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
ROLES = st.sampled_from(list(Role))


def artifact(number: int, name: str = "", role: Role | None = None) -> Artifact:
    return Artifact(f"{name}{number}", sha256(b"%d" % number).hexdigest(), "image/png", None, role)


def listed(first: int, last: int) -> str:
    return f"files {first}-{last} of a step"


@st.composite
def steps(draw: st.DrawFn) -> tuple[list[Artifact], list[Artifact]]:
    subjects = [artifact(n, draw(NAMES)) for n in range(draw(st.integers(1, 40)))]
    materials = [artifact(1000 + n, draw(NAMES), draw(ROLES)) for n in range(draw(st.integers(0, 60)))]
    return subjects, materials


def opened(parts: tuple[Part, ...]) -> list[list[Artifact]]:
    """Return for each step that is no list its materials, those in lists as well."""
    inside = {part.subjects[0].sha256: part.materials for part in parts if part.is_list}

    def leaves(items: tuple[Artifact, ...]) -> list[Artifact]:
        found: list[Artifact] = []
        for item in items:
            found += leaves(inside[item.sha256]) if item.sha256 in inside else [item]
        return found

    return [leaves(part.materials) for part in parts if not part.is_list]


def step_of(materials: tuple[Artifact, ...], **parameters: str) -> StepV2:
    return StepV2(
        step_id="first",
        action=StepAction.GENERATE,
        evidence=Evidence.INFERRED,
        place=Place("nightfall", "sq010", "sh010"),
        started=WHEN,
        finished=WHEN,
        actor="actor:unnamed",
        tool=Tool("ffmpeg", "7"),
        materials=materials,
        parameters=parameters,
    )


def check(parts: tuple[Part, ...], subjects: list[Artifact], materials: list[Artifact], room: int) -> None:
    assert [item for part in parts if not part.is_list for item in part.subjects] == subjects
    for found in opened(parts):
        assert sorted(found, key=repr) == sorted(materials, key=repr)
    for part in parts:
        assert sum(map(weight, (*part.subjects, *part.materials))) <= room
    for part in (part for part in parts if part.is_list):
        digests = [item.sha256 for item in part.materials]
        assert part.subjects[0].sha256 == sha256(canonical.encode(digests)).hexdigest()
        assert len({item.role for item in part.materials}) == 1
        assert not {item.role for item in part.materials} & {Role.MODEL, Role.DATASET}


@settings(max_examples=200)
@given(steps(), st.integers(15_000, 60_000))
def test_nothing_is_lost_and_everything_fits(step: tuple[list[Artifact], list[Artifact]], room: int) -> None:
    subjects, materials = step
    kept = sum(weight(item) for item in materials if item.role in (Role.MODEL, Role.DATASET))
    if kept + 7_000 > room // 2:  # a list or a file for each of the other roles, and one subject
        return
    parts = split(subjects, materials, room, listed)
    check(parts, subjects, materials, room)
    assert parts == split(subjects, materials, room, listed)


@given(steps())
def test_what_fits_stays_one_step(step: tuple[list[Artifact], list[Artifact]]) -> None:
    subjects, materials = step
    room = sum(map(weight, (*subjects, *materials)))
    assert split(subjects, materials, room, listed) == (
        Part(tuple(subjects), tuple(materials), is_list=False),
    )


@given(steps(), st.integers(2_000, 9_000))
def test_a_list_is_recorded_before_it_is_used(step: tuple[list[Artifact], list[Artifact]], room: int) -> None:
    try:
        parts = split(*step, room, listed)
    except MalformedError:
        return
    made: set[str] = set()
    lists = {part.subjects[0].sha256 for part in parts if part.is_list}
    for part in parts:
        assert {item.sha256 for item in part.materials} & lists <= made
        made |= {item.sha256 for item in part.subjects}


@pytest.mark.slow
def test_thirty_thousand_frames_into_a_film_and_each_entry_under_the_limit() -> None:
    frames = [artifact(n, "sh010_comp_v012.", Role.COMPONENT) for n in range(30_000)]
    film = [artifact(-1, "reel.mov")]
    ids = (f"id{number}" for number in count())
    step = step_of(tuple(frames), **{f"p{n}": "x" * 1_000 for n in range(20)})
    found = statements(film, step, listed, lambda: next(ids))
    parts = tuple(
        Part(item.subjects, item.predicate.materials, item.predicate.tool == LISTER)
        for item in found
        if isinstance(item.predicate, StepV2)
    )
    check(parts, film, frames, room_beside(step))
    for item in found:
        payload = encode_statement(item)
        assert len(encode(Envelope(payload, (Signature("0" * 64, bytes(72)),)))) <= MAX_BYTES
    names = [part.subjects[0].name for part in parts if part.is_list]
    assert len(set(names)) == len(names) > 100
    (main,) = [item.predicate for item in found if item.subjects == tuple(film)]
    assert isinstance(main, StepV2)
    assert replace(main, materials=()) == replace(step, materials=())


def test_each_of_several_steps_has_an_identifier_of_its_own() -> None:
    outputs = [artifact(n, "out.") for n in range(1_000)]
    ids = (f"id{number}" for number in count())
    found = [item.predicate for item in statements(outputs, step_of(()), listed, lambda: next(ids))]
    assert [item.step_id for item in found if isinstance(item, StepV2)] == [
        "first",
        *(f"id{number}" for number in range(len(found) - 1)),
    ]
    assert len(found) > 1


def test_the_lists_hold_their_files_in_order() -> None:
    frames = [artifact(n, "f.", Role.COMPONENT) for n in range(100)]
    parts = split([artifact(-1)], frames, 4_000, listed)
    held = [item for part in parts if part.is_list for item in part.materials if item in frames]
    assert all(frames.index(one) < frames.index(two) for one, two in pairwise(held))
    first = next(part for part in parts if part.is_list)
    assert first.subjects[0].name == listed(0, len(first.materials) - 1)
    assert first.subjects[0].sha256 == digest_of_list(first.materials)


def test_a_step_with_too_many_outputs_is_several_with_the_same_inputs() -> None:
    outputs = [artifact(n, "out.") for n in range(100)]
    inputs = [artifact(1000 + n, "in.", Role.MODEL) for n in range(2)]
    parts = split(outputs, inputs, 4_000, listed)
    assert len(parts) > 1
    check(parts, outputs, inputs, 4_000)


def test_what_cannot_be_split_says_so() -> None:
    models = [artifact(n, "m", Role.MODEL) for n in range(50)]
    with pytest.raises(MalformedError) as raised:
        split([artifact(-1)], models, 4_000, listed)
    assert raised.value.code == "envelope.too-large"
