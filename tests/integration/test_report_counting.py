"""What tables and lineages count: many steps, publishes, circles, what cannot be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ledger.adapters.profiles import load
from ledger.core.artifact import Artifact, Role
from ledger.core.predicates.approval import Decision
from ledger.core.predicates.capture import Capture, Event, Layer
from ledger.core.predicates.seal import Form, Seal, SealedManifest
from ledger.core.predicates.step import StepAction, Tool
from ledger.core.statement import Statement
from ledger.service.clear.projecting import basis_by_pixels
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.clear.recorded import File, Kind, Target
from ledger.service.report.lineages import MOST_STOPS
from ledger.service.report.population import Population
from ledger.service.report.report import make
from ledger.service.report.uses import MOST_ENTRIES
from tests.support import stated
from tests.support.audited import (
    COMFY,
    NUKE,
    SERVICE,
    Audited,
    production,
    rows,
    step,
    thing,
)
from tests.support.builders import DAY, DEVICE, NOW, USED, digest, revocation

COMP = ("actor:mika", "comp", "edit")
PUBLISHED = Capture(
    sequence=0, previous=None, layer=Layer.APP, hook="pyblish 1", event=Event.PUBLISH, captured=USED
)


@pytest.fixture
def fresh(tmp_path: Any) -> Iterator[Audited]:
    with production(tmp_path) as opened:
        yield opened


def test_of_many_steps_a_row_names_the_first_and_the_last(fresh: Audited) -> None:
    for number in range(MOST_ENTRIES):
        name = f"sh060.{1001 + number}.exr"
        fresh.say(name, step(StepAction.EDIT, "sh060", name, tool=NUKE))
        row = rows(fresh.made().report, "tools", "tool")["Nuke 16.0"] if number > MOST_ENTRIES - 3 else None
        if row is not None:
            first, last = fresh.at["grade"], fresh.at[name]
            every = (first, *range(fresh.at["sh060.1001.exr"], last + 1))
            assert row["entries"] == (every if number < MOST_ENTRIES - 1 else (first, last))
            assert row["steps"] == number + 2


def test_files_that_were_made_alike_are_one_card_of_a_lineage(fresh: Audited) -> None:
    layers = tuple(thing(f"layer.{number}.exr", Role.COMPONENT) for number in range(9))
    uses = (thing("stray", Role.MODEL),)
    for layer in layers[:7]:
        fresh.say(layer.name, step(StepAction.GENERATE, "sh060", layer.name, of=uses, tool=COMFY))
    fresh.say("comp", step(StepAction.COMPOSITE, "sh060", "sh060.1001.exr", of=layers))
    drawn = fresh.made(NOW, "sq010/sh060").report.lineages["worst"]
    assert [(stop.title, stop.kind, stop.mark, stop.good, stop.entry) for stop in drawn.stops] == [
        ("sh060.1001.exr", "file", "observed", True, fresh.at["comp"]),
        ("2 × layer.7.exr", "unknown", "CHAIN_GAP", False, None),
        ("7 × layer.0.exr", "file", "observed", True, fresh.at["layer.6.exr"]),
        ("stray", "model", "WEIGHTS_HASH_UNKNOWN", False, None),
    ]
    comp, missing, made, stray = (stop.sha256 for stop in drawn.stops)
    assert set(drawn.links) == {
        (missing, comp, "component"), (made, comp, "component"), (stray, made, "model")
    }  # fmt: skip


def test_a_dataset_that_a_picture_was_taken_out_of_has_a_row(fresh: Audited) -> None:
    for name in ("sketches", "reel"):
        out_of = (thing(name, Role.DATASET),)
        fresh.say(f"from {name}", step(StepAction.IMPORT, "sh060", f"{name}.1001.exr", of=out_of))
    datasets = rows(fresh.made(NOW, "sq010/sh060").report, "datasets", "name")
    assert {name: (row["works"], row["files"]) for name, row in datasets.items()} == {
        "reel": (None, 1),
        "sketches": (10, 1),
    }
    assert datasets["reel"]["entries"] == fresh.entries("from reel")
    steps = fresh.entries("sketches", "LIC-8", "LIC-8 ends", "from sketches")
    assert datasets["sketches"]["entries"] == steps


def test_what_only_a_publish_recorded_is_the_work_of_who_published_it(fresh: Audited) -> None:
    fresh.say("published", step(StepAction.RENDER, "sh060", "sh060.1001.exr", capture=PUBLISHED))
    report = fresh.made(NOW, "sq010/sh060").report
    assert rows(report, "authorship", "action")["render"]["files"] == 1


def test_a_lineage_that_is_too_large_says_so_and_draws_what_counts(fresh: Audited) -> None:
    layers = tuple(thing(f"layer.{number:02}.exr", Role.COMPONENT) for number in range(MOST_STOPS + 9))
    for number, layer in enumerate(layers[:-1]):
        tool = Tool("Pencil", str(number))
        fresh.say(layer.name, step(StepAction.DRAW, "sh060", layer.name, tool=tool))
    fresh.say("comp", step(StepAction.COMPOSITE, "sh060", "sh060.1001.exr", of=layers))
    drawn = fresh.made(NOW, "sq010/sh060").report.lineages["worst"]
    assert len(drawn.stops) == MOST_STOPS
    assert drawn.why.endswith("Only what is nearest, or counts most, is drawn: there is more under it.")
    assert [stop.title for stop in drawn.stops[:2]] == ["sh060.1001.exr", layers[-1].name]
    assert len(drawn.links) == MOST_STOPS - 1


def test_a_lineage_goes_through_seals_and_pictures_and_ends_in_a_circle(fresh: Audited) -> None:
    fresh.say("parent", step(StepAction.DRAW, "sh070", pixels("key", "sh070.key.png")))
    preview = replace(pixels("key", "preview.png"), role=Role.PARENT)
    own = thing("sh060.1001.exr", Role.REFERENCE)
    fresh.say("child", step(StepAction.EDIT, "sh060", "sh060.1001.exr", of=(preview, own)))
    sealed = SealedManifest(digest("store"), digest("sh060.1001.exr"), Form.EMBEDDED)
    fresh.say("seal", Statement((thing("sealed.exr"),), Seal(USED + DAY, (sealed,))))
    drawn = fresh.made(NOW, digest("sealed.exr")).report.lineages["worst"]
    assert [(stop.title, stop.entry) for stop in drawn.stops] == [
        ("sealed.exr", fresh.at["child"]),
        ("sh060.1001.exr", fresh.at["child"]),
        ("preview.png", fresh.at["parent"]),
    ]
    assert drawn.stops[1].mark == "CYCLE_OR_FORK"
    assert (digest("preview.png"), digest("sealed.exr"), "parent") in drawn.links


def test_a_step_that_only_published_a_file_did_not_make_it(fresh: Audited) -> None:
    fresh.say("made", step(StepAction.GENERATE, "sh060", "sh060.1001.exr", of=(thing("stray", Role.MODEL),)))
    fresh.say("published", step(StepAction.RENDER, "sh060", "sh060.1001.exr", capture=PUBLISHED))
    report = fresh.made(NOW, "sq010/sh060").report
    (shot,) = rows(report, "shots", "shot").values()
    assert (shot["source"], shot["entries"]) == ("trainedAlgorithmicMedia", fresh.entries("published"))
    assert rows(report, "authorship", "action").keys() == {"generate"}
    assert [stop.entry for stop in report.lineages["worst"].stops] == [fresh.at["made"], None]


def test_a_step_that_cannot_be_relied_on_shows_nobody_s_work(fresh: Audited) -> None:
    before = fresh.made().report
    stolen = revocation(suspect_from=fresh.at["scrap"])
    fresh.say("stolen", Statement((Artifact("ws-01", DEVICE.keyid),), stolen))
    after = fresh.made().report
    actors = [set(report.tables["authorship"].column("actor")) for report in (before, after)]
    assert actors[0] - actors[1] == {"actor:rin"}
    assert rows(after, "tools", "tool")["Pencil 2"]["steps"] == 3


def test_a_refusal_after_an_approval_counts(fresh: Audited) -> None:
    assert rows(fresh.made().report, "services", "tier")["free"]["approved"] == ("party:kumo (tool)",)
    refused = stated.approval(decision=Decision.REFUSED)
    fresh.say("no", Statement((SERVICE.subject,), refused))
    assert rows(fresh.made().report, "services", "tier")["free"]["approved"] == ()


def test_a_service_that_a_step_names_as_any_model_has_a_row_without_a_plan(fresh: Audited) -> None:
    used = (Artifact(SERVICE.name, SERVICE.subject.sha256, role=Role.MODEL),)
    fresh.say("edit", step(StepAction.EDIT, "sh060", "sh060.1001.exr", of=used))
    report = fresh.made(NOW, "sq010/sh060").report
    (row,) = rows(report, "services", "tier").values()
    assert (row["product"], row["tier"], row["steps"], row["files"]) == ("Painter", None, 1, 1)
    assert (row["terms"], row["indemnityThen"], row["indemnityNow"]) == (None, "unknown", "unknown")
    assert report.tables["models"].rows == ()


def test_a_file_that_no_record_has_is_followed_by_its_picture(fresh: Audited) -> None:
    fresh.say("parent", step(StepAction.DRAW, "sh060", pixels("key", "sh060.key.png")))
    preview = replace(pixels("key", "preview.png"), role=Role.PARENT)
    fresh.say("child", step(StepAction.EDIT, "sh060", pixels("out", "sh060.1001.exr"), of=(preview,)))
    question = ask(fresh.studio, load("broadcast-jp"), Asked(at=NOW))
    clearer = clearer_over(see(fresh.studio), question)
    basis = basis_by_pixels(fresh.studio, digest("picture of out"))
    file = File("delivered.exr", digest("delivered"), basis or frozenset(), digest("picture of out"))
    delivered = Population("a file", (), (Target("delivered.exr", Kind.FILE, (file,)),))
    report = make(fresh.studio, clearer, delivered).report
    assert rows(report, "tools", "tool")["Nuke 16.0"]["entries"] == fresh.entries("parent", "child")


def pixels(picture: str, name: str) -> Artifact:
    return replace(thing(name), pixels=digest(f"picture of {picture}"))
