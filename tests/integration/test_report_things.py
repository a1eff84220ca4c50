"""The tables of things in the audit report, cell by cell, over a production in which each has rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.core.audit import Report, Stop
from ledger.core.audit.views import Reader, View, seen_by
from tests.support.audited import (
    CONTRACT,
    LATER,
    SERVICE,
    Audited,
    holds,
    production,
    rows,
)
from tests.support.builders import DAY, INVENTORY, NOW, USED, digest

COMP = ("actor:mika", "comp", "edit")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with production(tmp_path_factory.mktemp("audited")) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(audited: Audited) -> Report:
    return audited.made().report


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


def test_a_rights_holder_sees_the_rows_of_their_own_grants_and_datasets(report: Report) -> None:
    shown = seen_by(report, Reader(View.RIGHTS_HOLDER, "party:kiri"), b"0" * 32)
    assert rows(shown, "grants", "grant").keys() == {"LIC-7"}
    assert rows(shown, "datasets", "name").keys() == {"plates"}
    assert rows(shown, "grants", "grant")["LIC-7"]["contract"] == CONTRACT
    assert [len(shown.tables[key].rows) for key in ("grants", "datasets")] == [5, 2]
