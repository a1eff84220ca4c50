"""The tables of things in the audit report, cell by cell, over a production in which each has rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ledger.adapters.profiles import load
from ledger.core.artifact import Artifact, Role
from ledger.core.audit import Report, Stop
from ledger.core.audit.views import Reader, View, seen_by
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
    CONTRACT,
    LATER,
    NUKE,
    SERVICE,
    Audited,
    production,
    rows,
    step,
    thing,
)
from tests.support.builders import DAY, DEVICE, INVENTORY, NOW, USED, digest, revocation

COMP = ("actor:mika", "comp", "edit")
PUBLISHED = Capture(
    sequence=0, previous=None, layer=Layer.APP, hook="pyblish 1", event=Event.PUBLISH, captured=USED
)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with production(tmp_path_factory.mktemp("audited")) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(audited: Audited) -> Report:
    return audited.made().report


def holds(row: dict[str, Any], /, **expected: Any) -> None:
    """Assert every cell that is named; the others must be empty, or say that nothing was counted."""
    empty = {key: value for key, value in row.items() if key not in expected}
    assert {key: row[key] for key in expected} == expected
    assert all(value in (None, (), 0) for value in empty.values()), empty


def test_tools_are_counted_by_program_and_version(audited: Audited, report: Report) -> None:
    tools = rows(report, "tools", "tool")
    assert list(tools) == ["ComfyUI 0.3.60", "Nuke 16.0", "Pencil 2"]
    holds(
        tools["Nuke 16.0"],
        tool="Nuke 16.0",
        actions=("edit",),
        steps=1,
        observed=1,
        generative=False,
        first="2026-03-01T12:00:00Z",
        last="2026-03-01T12:00:00Z",
        executables=(digest("nuke"),),
        entries=audited.entries("grade"),
    )
    holds(
        tools["Pencil 2"],
        tool="Pencil 2",
        actions=("draw", "edit"),
        steps=3,
        observed=1,
        declared=2,
        generative=True,
        first="2026-03-01T12:00:00Z",
        last="2026-04-10T00:00:00Z",
        entries=audited.entries("draw", "ink", "scrap"),
    )


def test_a_service_has_its_worst_terms_and_its_weakest_indemnity(audited: Audited, report: Report) -> None:
    services = rows(report, "services", "product", "tier")
    holds(
        services["Painter", "enterprise"],
        service=1,
        vendor="Orbit",
        product="Painter",
        model="2026-01-15",
        tier="enterprise",
        files=2,
        steps=2,
        first="2026-03-01T12:00:00Z",
        last="2026-04-10T00:00:00Z",
        terms=digest("terms later"),
        fetched="2026-04-01T00:00:00Z",
        ownership="user",
        inputTraining="disabled",
        retention="90 days",
        indemnityThen="none",
        indemnityNow="none",
        approved=("party:kumo (tool)",),
        entries=audited.entries("service", "terms", "terms later", "tool", "remote", "remote later"),
    )
    holds(
        services["Painter", "free"],
        service=2,
        vendor="Orbit",
        product="Painter",
        model="2026-01-15",
        tier="free",
        files=1,
        steps=1,
        first="2026-03-01T12:00:00Z",
        last="2026-03-01T12:00:00Z",
        indemnityThen="unknown",
        indemnityNow="unknown",
        approved=("party:kumo (tool)",),
        entries=audited.entries("service", "tool", "remote free"),
    )


def test_an_indemnity_that_was_withdrawn_was_offered_then_and_is_not_now(audited: Audited) -> None:
    first = digest("sh020.1001.exr")
    for moment, now in ((LATER - DAY, "offered"), (NOW, "none")):
        (row,) = rows(audited.made(moment, first).report, "services", "service").values()
        assert (row["indemnityThen"], row["indemnityNow"]) == ("offered", now)
        assert (row["terms"], row["inputTraining"], row["steps"]) == (digest("terms"), "never", 1)


def test_a_merge_has_its_parents_and_they_their_datasets(audited: Audited, report: Report) -> None:
    models = rows(report, "models", "name")
    assert list(models) == ["inker", "stray", "studio-xl", "kiri-lora", "open-base"]
    holds(
        models["studio-xl"],
        sha256=digest("studio-xl"),
        name="studio-xl",
        version="2.2",
        kind="merge",
        used=True,
        files=2,
        parents=("kiri-lora (merged 0.25)", "open-base (merged 0.75)"),
        licence="CC-BY-4.0",
        grade="L2",
        grants=("LIC-9",),
        entries=audited.entries("studio-xl", "LIC-9", "refused", "override", "bg"),
    )
    holds(
        models["kiri-lora"],
        sha256=digest("kiri-lora"),
        name="kiri-lora",
        version="2.2",
        kind="lora",
        used=False,
        files=2,
        datasets=("plates (focused)",),
        stages=("focused",),
        licence="CC-BY-4.0",
        basis="licence",
        attested=True,
        standing="accepted",
        grade="L4",
        grants=("LIC-7",),
        entries=audited.entries("kiri-lora", "run", "LIC-7", "accepted"),
    )
    holds(
        models["open-base"],
        sha256=digest("open-base"),
        name="open-base",
        version="2.2",
        kind="base",
        used=False,
        files=2,
        datasets=("sketches (foundation)",),
        stages=("foundation",),
        basis="statutory-exception",
        attested=False,
        grade="L1",
        grants=("LAW-1",),
        entries=audited.entries("open-base", "LAW-1"),
    )


def test_weights_that_nobody_registered_have_a_row(audited: Audited, report: Report) -> None:
    holds(
        rows(report, "models", "name")["stray"],
        sha256=digest("stray"),
        name="stray",
        used=True,
        files=1,
        standing="contested",
        grade="L0",
        entries=audited.entries("contested", "stray"),
    )


def test_datasets_name_who_granted_and_the_files_of_all_models(audited: Audited, report: Report) -> None:
    datasets = rows(report, "datasets", "name")
    holds(
        datasets["plates"],
        sha256=INVENTORY,
        name="plates",
        version="2026",
        works=3,
        holdersCount=2,
        inventory=digest("root of the inventory"),
        committed="2026-01-21T00:00:00Z",
        stages=("focused",),
        models=("kiri-lora",),
        files=3,
        licence="LicenseRef-kiri-7",
        standing="accepted",
        grade="L2",
        grants=("LIC-7",),
        holders=("party:kiri",),
        composition=("origin: JP (3)",),
        entries=audited.entries("plates", "LIC-7", "accepted", "ink"),
    )
    holds(
        datasets["sketches"],
        sha256=digest("sketches"),
        name="sketches",
        version="2026",
        works=10,
        holdersCount=4,
        stages=("foundation",),
        models=("open-base",),
        files=2,
        grade="L1",
        grants=("LIC-8",),
        holders=("party:7c1e",),
        entries=audited.entries("sketches", "LIC-8", "LIC-8 ends"),
    )


def test_a_grant_has_its_scope_its_holder_and_its_contract(audited: Audited, report: Report) -> None:
    grants = rows(report, "grants", "grant")
    assert list(grants) == ["LIC-7", "LIC-8", "LIC-9", "OWN-1", "LAW-1"]
    holds(
        grants["LIC-7"],
        row=1,
        grant="LIC-7",
        version=3,
        about=("plates", "kiri-lora"),
        uses=("focused-training", "inference-run", "output-final"),
        stages=("focused",),
        titles=("NF-S1",),
        territories=("001", "except CN"),
        basis="licence",
        onExpiry="outputs-survive",
        state="in force",
        holder="Studio Kiri",
        holders=("party:kiri",),
        files=3,
        contract=CONTRACT,
        entries=audited.entries("LIC-7"),
        **{"from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"},
    )
    holds(
        grants["LIC-8"],
        row=2,
        grant="LIC-8",
        version=1,
        about=("sketches",),
        uses=("foundation-training",),
        stages=("foundation",),
        basis="licence",
        onExpiry="outputs-survive",
        revoked="2026-03-31T12:00:00Z",
        state="revoked",
        holder="party:7c1e",
        holders=("party:7c1e",),
        files=2,
        entries=audited.entries("LIC-8", "LIC-8 ends"),
        **{"from": "2026-01-01T00:00:00Z"},
    )


@pytest.mark.parametrize(
    ("moment", "states"),
    [
        (USED - DAY, ["in force", "in force", "in force", "to come", "in force"]),
        (NOW, ["in force", "revoked", "ended", "to come", "in force"]),
        (NOW + 300 * DAY, ["ended", "revoked", "ended", "in force", "in force"]),
    ],
)
def test_a_grant_stands_as_it_does_at_the_moment_of_the_report(
    audited: Audited, moment: Any, states: list[str]
) -> None:
    report = audited.made(moment).report
    assert [row["state"] for row in rows(report, "grants", "grant").values()] == states


def test_other_grants_say_their_basis_and_what_they_rest_on(report: Report) -> None:
    grants = rows(report, "grants", "grant")
    assert grants["LAW-1"]["basis"] == "statutory-exception JP-30-4"
    assert (grants["LAW-1"]["holder"], grants["LAW-1"]["holders"]) == (None, ())
    assert (grants["LIC-9"]["version"], grants["LIC-9"]["onExpiry"]) == (None, None)
    assert (grants["OWN-1"]["about"], grants["OWN-1"]["files"]) == (("sh030.1001.exr",), 1)
    assert grants["OWN-1"]["holder"] == "party:kumo"


def test_authorship_is_by_actor_task_and_action(audited: Audited, report: Report) -> None:
    works = rows(report, "authorship", "actor", "task", "action")
    assert [(key, work["steps"], work["withModel"], work["files"]) for key, work in works.items()] == [
        (("actor:aoi", "bg", "generate"), 1, 1, 1),
        (("actor:aoi", "comp", "generate"), 3, 3, 3),
        (COMP, 1, 1, 2),
        (("actor:mika", "comp", "generate"), 1, 1, 1),
        (("actor:mika", "key", "draw"), 1, 0, 1),
        (("actor:mika", "key", "edit"), 1, 1, 1),
        (("actor:rin", "comp", "draw"), 1, 0, 1),
    ]
    assert [work["evidence"] for work in works.values()] == ["observed"] * 4 + ["declared"] * 2 + ["observed"]
    holds(
        works[COMP],
        row=3,
        actor="actor:mika",
        task="comp",
        action="edit",
        steps=1,
        withModel=1,
        files=2,
        shots=1,
        evidence="observed",
        first="2026-03-01T12:00:00Z",
        last="2026-03-01T12:00:00Z",
        entries=audited.entries("grade"),
    )


def test_a_consent_is_before_the_first_use_only_where_that_shows(audited: Audited, report: Report) -> None:
    people = rows(report, "people", "person")
    assert {person: row["before"] for person, row in people.items()} == {
        "person:good": True,
        "person:late": False,
        "person:named": False,
        "person:told-late": None,
    }
    holds(
        people["person:late"],
        row=2,
        person="person:late",
        files=1,
        first="2026-03-01T12:00:00Z",
        consent="late",
        covers="face in crowd shots of episode 3",
        before=False,
        entries=audited.entries("consent late", "remote"),
        **{"from": "2026-03-02T12:00:00Z"},
    )
    holds(
        people["person:named"],
        row=3,
        person="person:named",
        files=1,
        first="2026-03-01T12:00:00Z",
        before=False,
        entries=audited.entries("finding"),
    )


def test_a_decision_has_one_row_however_much_it_is_about(audited: Audited, report: Report) -> None:
    told = [
        (row["kind"], row["about"], row["decision"], row["by"], row["reference"], row["entries"])
        for row in rows(report, "decisions", "row").values()
    ]
    claim = "https://example.org/claims/17"
    people = ("actor:0aa1", "actor:9f3b6c52")
    assert told == [
        ("review", "plates and 1 more", "accepted", ("actor:0aa1",), None, audited.entries("accepted")),
        ("review", "stray", "contested", ("actor:0aa1",), claim, audited.entries("contested")),
        ("approval: tool", SERVICE.name, "approved", ("party:kumo",), "TOOLS-12", audited.entries("tool")),
        ("approval: final-output", "studio-xl", "refused", ("party:kumo",), None, audited.entries("refused")),
        (
            "approval: final-output",
            "sh030.1001.exr",
            "approved",
            ("party:kiri",),
            "TOOLS-12",
            audited.entries("shown"),
        ),
        ("override", "studio-xl", "accepts MODEL_UNREVIEWED", people, None, audited.entries("override")),
    ]


def test_the_shot_map_says_where_pictures_come_from_and_who_approved(report: Report) -> None:
    shots = rows(report, "shots", "name")
    assert {name: (row["source"], row["models"], row["approved"]) for name, row in shots.items()} == {
        "sq010/sh010": ("compositeWithTrainedAlgorithmicMedia", ("studio-xl",), ()),
        "sq010/sh020": ("trainedAlgorithmicMedia", (SERVICE.name,), ("party:kumo (tool)",)),
        "sq010/sh030": ("compositeWithTrainedAlgorithmicMedia", ("inker",), ("party:kiri (final-output)",)),
        "sq010/sh040": ("trainedAlgorithmicMedia", ("stray",), ()),
        "sq010/sh050": (None, (), ()),
    }


def test_what_is_under_one_shot_alone_is_in_its_report(audited: Audited) -> None:
    report = audited.made(NOW, "sq010/sh050").report
    assert rows(report, "tools", "tool").keys() == {"Pencil 2"}
    assert rows(report, "authorship", "actor").keys() == {"actor:rin"}
    empty = ("services", "models", "datasets", "grants", "people", "decisions")
    assert all(report.tables[key].rows == () for key in empty)


def test_the_worst_picture_is_drawn_down_to_its_datasets(audited: Audited, report: Report) -> None:
    worst = report.lineages["worst"]
    assert worst.sha256 == rows(report, "shots", "name")["sq010/sh010"]["picture"]
    drawn = {stop.title: stop for stop in worst.stops}
    assert drawn.keys() == {
        "sh010.1002.sealed.exr", "bg.1001.png", "studio-xl", "kiri-lora", "open-base", "plates", "sketches"
    }  # fmt: skip
    assert drawn["bg.1001.png"] == Stop(
        digest("bg.1001.png"),
        "file",
        "bg.1001.png",
        ("generate · ComfyUI 0.3.60", "bg", "2026-02-28T12:00:00Z"),
        "observed",
        True,
        audited.at["bg"],
    )
    assert (drawn["kiri-lora"].kind, drawn["kiri-lora"].mark, drawn["kiri-lora"].good) == (
        "model",
        "L4",
        True,
    )
    assert (drawn["sketches"].mark, drawn["sketches"].good) == ("GRANT_REVOKED", False)
    assert (digest("kiri-lora"), digest("studio-xl"), "merged parent") in worst.links
    assert (digest("bg.1001.png"), digest("sh010.1002.sealed.exr"), "parent") in worst.links
    assert len(worst.links) == 6


def test_the_most_common_basis_is_drawn_unless_the_worst_picture_has_it(
    audited: Audited, report: Report
) -> None:
    assert report.lineages.keys() == {"worst"}
    cleared = audited.made(NOW, "sq010/sh050").report.lineages
    assert cleared.keys() == {"common"}
    assert cleared["common"].why == "It rests on what most files rest on: 1 of them."
    assert [stop.title for stop in cleared["common"].stops] == ["sh050.1001.exr"]


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


def test_a_rights_holder_sees_the_rows_of_their_own_grants_and_datasets(report: Report) -> None:
    shown = seen_by(report, Reader(View.RIGHTS_HOLDER, "party:kiri"), b"0" * 32)
    assert rows(shown, "grants", "grant").keys() == {"LIC-7"}
    assert rows(shown, "datasets", "name").keys() == {"plates"}
    assert rows(shown, "grants", "grant")["LIC-7"]["contract"] == CONTRACT
    assert [len(shown.tables[key].rows) for key in ("grants", "datasets")] == [5, 2]
