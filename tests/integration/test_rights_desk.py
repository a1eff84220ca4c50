"""What the rights desk gathers from a real log: the same that the engine and ``rakkan impact`` say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ledger.adapters.profiles import load
from ledger.core.digest import sha256_hex
from ledger.core.predicates.review import Standing
from ledger.core.rights.clearance import Engine
from ledger.core.rights.facts import Facts
from ledger.errors import UsageError
from ledger.service.clear.impact import impact, thing_on_record
from ledger.service.clear.question import Asked, ask, see
from ledger.service.desk.ending import What, endings
from ledger.service.desk.family import Side
from ledger.service.desk.first import first_page
from ledger.service.desk.graded import Grader
from ledger.service.desk.hanging import Hanging
from ledger.service.desk.names import name_sheet
from ledger.service.desk.sheets import dataset_sheet, grant_sheet, grants_page, model_sheet
from ledger.service.desk.shelves import Row, Shelf, page_of, search, shelved
from ledger.service.desk.weighing import counts, resting, weighed
from ledger.service.reading.pages import Page, caught_up
from ledger.service.rights.lineage import InForce, glance
from ledger.service.rights.reading import facts_of, records_of
from ledger.service.studio import Studio
from ledger.wiring import open_studio
from tests.support.desk import BASE, CROWD, CYCLE, HOSTILE, lora, made_desk, midnight
from tests.support.feature import OPENED

GRANTS, FAMILY = 40, 30
POLICY = load("broadcast-jp")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that nothing is written to."""
    with open_studio(made_desk(tmp_path_factory.mktemp("desk") / "home", GRANTS, FAMILY)) as opened:
        caught_up(opened)
        yield opened


@pytest.fixture(scope="module")
def facts(studio: Studio) -> Facts:
    return facts_of(studio)


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (5, []),
        (30, [What.GRANT]),
        (90, [What.GRANT, What.CONSENT]),
        (365, [What.GRANT, What.CONSENT, What.TERMS, What.APPROVAL, What.OVERRIDE]),
    ],
)
def test_what_ends_soon_is_what_is_in_force_and_ends(
    studio: Studio, facts: Facts, days: int, found: list[What]
) -> None:
    held = endings(facts, records_of(studio), midnight(), days)
    assert [item.what for item in held] == found
    assert [item.end for item in held] == sorted(item.end for item in held)


def test_as_much_rests_on_a_thing_as_its_impact_says(studio: Studio, facts: Facts) -> None:
    hanging, seen = Hanging(studio, facts), see(studio)
    for sha256 in (*facts.models, *facts.datasets):
        found = impact(studio, seen, thing_on_record(studio, facts, sha256))
        assert hanging.count([sha256]) == hanging.uses([sha256]).files == len(found.finals)
    assert hanging.all == 40
    assert any(hanging.count([sha256]) for sha256 in facts.models)


def test_the_first_page_begins_with_what_is_worst(studio: Studio) -> None:
    page = first_page(studio, 30, POLICY)
    assert [(item.name, files) for item, files in page.ending.rows] == [("G-soon", 40)]
    standings = [row.standing for row, _ in page.unclear.rows]
    assert standings[0] == Standing.CONTESTED
    assert set(standings[1:]) == {None}
    files = [held for row, held in page.unclear.rows if row.standing is None]
    assert files == sorted(files, reverse=True)
    assert files[0] > 0
    assert [held for _, held in page.models.rows] == sorted(
        (held for _, held in page.models.rows), reverse=True
    )
    assert page.revoked.count == GRANTS // 5 + 1
    newest = [record.index for record in page.decisions]
    assert newest == sorted(newest, reverse=True)
    assert not page.empty


def test_a_model_has_the_grade_of_its_use_now(studio: Studio, facts: Facts) -> None:
    question = ask(studio, POLICY, Asked())
    grader = Grader(facts, question)
    for sha256, known in facts.datasets.items():
        trained = [
            each
            for each, model in facts.models.items()
            if any(item.sha256 == sha256 for item in model.predicate.training)
        ]
        engine = Engine(facts, question.profile, question.delivery, question.at)
        items = {grader._item(each) for each in trained}
        assert grader.dataset(sha256) == engine.grades(items).get(sha256), known.predicate.name
    unknown = grader.model(CYCLE)
    assert (unknown.grade, unknown.whole) == (0, 0)
    assert {group.code.value for group in unknown.own} >= {"NO_GRANT", "CYCLE_OR_FORK"}
    assert "WEIGHTS_HASH_UNKNOWN" in {group.code.value for group in unknown.beneath}


def test_a_model_knows_its_family_and_that_it_cannot_be(studio: Studio) -> None:
    base = model_sheet(studio, BASE, None)
    assert {item.side for item in base.family.relatives} == {Side.SELF, Side.BELOW}
    assert len(base.family.relatives) == 1 + FAMILY + FAMILY // 10
    assert not base.family.contradicts
    middle = model_sheet(studio, lora(9), None)
    assert {item.name for item in middle.family.relatives if item.side is Side.ABOVE} == {
        "base-of-many",
        HOSTILE,
    }
    egg = model_sheet(studio, CYCLE, None)
    assert egg.family.contradicts
    assert [item.name for item in egg.family.relatives if not item.registered] == [HOSTILE]


def test_what_was_learned_later_is_left_out(studio: Studio) -> None:
    early = OPENED + timedelta(days=10)
    then, now = dataset_sheet(studio, CROWD, early), dataset_sheet(studio, CROWD, None)
    assert len(then.around.grants) == 11
    assert len(now.around.grants) == GRANTS
    assert not any(item.revoked for item in then.around.grants)
    assert sum(item.revoked is not None for item in now.around.grants) == GRANTS // 5
    name = "G-crowd-8"
    states = [
        glance(item, midnight()).state
        for known in (OPENED + timedelta(days=20), None)
        for item, _ in grant_sheet(studio, name, known).held
    ]
    assert states == [InForce.YES, InForce.REVOKED]
    assert len(grant_sheet(studio, name, None).history) == 2
    with pytest.raises(UsageError) as refused:
        grant_sheet(studio, name, OPENED)
    assert refused.value.code == "registry.unknown-grant"


def test_what_a_revocation_would_change_is_what_the_verdicts_say_and_nothing_is_signed(
    studio: Studio, facts: Facts
) -> None:
    size = studio.entries.head().size
    ends = midnight() - timedelta(days=100)
    found = weighed(studio, "G-dataset-0", ends, POLICY)
    assert sum(counts(found.before).values()) == sum(counts(found.after).values()) == len(found.found.finals)
    assert sum(shot.moved for shot in found.shots) == found.changed.changed > 0
    assert counts(found.before) != counts(found.after)
    assert "GRANT_REVOKED" in {group.code.value for group in found.why}
    told = [(reason.code, reason.sha256, reason.use) for group in found.why for reason in group.reasons]
    assert len(told) == len(set(told))
    assert resting(studio, "G-dataset-0") == found.found
    assert studio.entries.head().size == size
    assert facts_of(studio) is facts


@pytest.mark.parametrize("shelf", Shelf)
def test_every_list_is_whole_page_by_page(studio: Studio, facts: Facts, shelf: Shelf) -> None:
    rows = shelved(studio, facts, shelf, midnight())
    found, after = list[Row](), None
    while True:
        shown, after = page_of(rows, Page((shelf.value,), 7, after))
        found += shown
        if after is None:
            break
    assert found == rows
    assert rows
    assert len({row.id for row in rows}) == len(rows)


def test_a_thing_is_found_by_any_of_its_names(studio: Studio, facts: Facts) -> None:
    def found(text: str) -> set[tuple[str, str]]:
        return {(row.shelf.value, row.id) for row in search(studio, facts, text, midnight())}

    assert found("BASE-OF") == {("models", BASE)}
    assert found(CROWD[:20]) == {("datasets", CROWD)}
    assert found("g-soon") == {("grants", "G-soon")}
    assert found("no such thing") == set()


@pytest.mark.parametrize(
    ("shelf", "name"),
    [
        (Shelf.PARTIES, "mori"),
        (Shelf.TITLES, "T-1"),
        (Shelf.SERVICES, "vendor-1/video"),
        (Shelf.WORKS, "W-1"),
        (Shelf.CONSENTS, "C-soon"),
    ],
)
def test_no_name_is_a_dead_end(studio: Studio, shelf: Shelf, name: str) -> None:
    sheet = name_sheet(studio, shelf, name)
    assert sheet.newest.index == sheet.versions[-1].index
    with pytest.raises(UsageError) as refused:
        name_sheet(studio, shelf, "nobody")
    assert refused.value.code.startswith("registry.unknown-")


def test_a_name_says_what_stands_under_it(studio: Studio) -> None:
    mori = name_sheet(studio, Shelf.PARTIES, "mori")
    assert [item.grant.grant_id for item in mori.given] == ["G-soon"]
    assert [item.predicate.work_id for item in mori.works] == ["W-1"]
    service = name_sheet(studio, Shelf.SERVICES, "vendor-1/video")
    assert {item.predicate.plan_tier for item in service.terms} == {"enterprise", "team"}
    assert len(service.models) == 1
    consent = name_sheet(studio, Shelf.CONSENTS, "C-soon")
    assert [item.predicate.consent_id for item in consent.consents] == ["C-0"]
    assert consent.uses is not None
    work = name_sheet(studio, Shelf.WORKS, "W-1")
    assert work.newest.subjects[0].sha256 == sha256_hex(b"night")


def test_a_datasets_grants_come_page_by_page_the_newest_first(studio: Studio) -> None:
    grants = dataset_sheet(studio, CROWD, None).around.grants
    first, after = grants_page(grants, Page(("grants",), 25))
    rest, end = grants_page(grants, Page(("grants",), 25, after))
    assert [*first, *rest] == list(reversed(grants))
    assert end is None
