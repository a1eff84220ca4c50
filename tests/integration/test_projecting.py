"""Bases kept up with a real log: late records, seals, stolen keys, rebuilding, crashes and races."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ledger.adapters.sql import tables
from ledger.adapters.sql.basis import SqlBasisStore
from ledger.adapters.sql.engine import dialect_of, writing
from ledger.adapters.sql.store import SqlEntryStore
from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import Finding
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.step import Evidence, StepAction
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.statement import Statement
from ledger.errors import RefusedError
from ledger.service.clear import projecting
from ledger.service.clear.projecting import Affected, affected, basis_by_pixels, basis_of_file, catch_up
from ledger.service.clear.store import Mark, Where
from ledger.service.log.projection import project
from ledger.service.log.rebuild import rebuild
from ledger.service.studio import Studio
from ledger.testing import (
    AdmitAll,
    MemoryEntryStore,
)
from ledger.testing.bases import MemoryBasisStore
from tests.support.bare_studio import opened, say, studio_on
from tests.support.bases import component, file, made, sealed
from tests.support.builders import (
    DEVICE,
    NOW,
    OTHER,
    REGISTRAR,
    digest,
    enrolment,
    envelope,
    model,
    revocation,
)
from tests.support.engines import engine_on
from tests.support.log import ORIGIN

SKY = Artifact("sky", digest("sky weights"), role=Role.MODEL)


@pytest.fixture
def studio() -> Studio:
    entries = MemoryEntryStore()
    return opened(studio_on(entries, MemoryBasisStore(entries)))


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with engine_on(request, tmp_path) as engine:
        yield engine


@pytest.fixture
def kept(engine: Engine) -> Studio:
    return opened(studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN)))


def kinds(studio: Studio, word: str) -> list[str]:
    """Return what is in the basis of a file, in short, after catching up."""
    catch_up(studio)
    found = basis_of_file(studio, digest(word))
    assert found is not None
    return sorted(f"{item.kind} {item.name}{item.detail and ' ' + item.detail}" for item in found)


def everything(studio: Studio) -> dict[str, frozenset[Item] | None]:
    """Return the basis of every final file, by its name."""
    catch_up(studio)
    return {row.name: basis_of_file(studio, row.sha256) for row in studio.bases.finals_at(Where())}


def test_a_frame_rests_on_what_its_parts_do_and_a_sealed_one_too(studio: Studio) -> None:
    say(studio, made("sky.png", of=[SKY]))
    say(studio, made("ship.png"))
    say(studio, made("frame.png", of=[component("sky.png"), component("ship.png"), component("stock.jpg")]))
    say(studio, sealed(**{"sealed.png": "frame.png"}))
    expected = ["gap stock.jpg", "model sky"]
    assert kinds(studio, "frame.png") == kinds(studio, "sealed.png") == expected
    assert kinds(studio, "ship.png") == []
    assert [row.name for row in studio.bases.finals_at(Where())] == ["sealed.png"]


def test_what_nothing_explains_has_no_basis_and_a_registration_explains_nothing(
    studio: Studio,
) -> None:
    say(studio, Statement((file("sky.safetensors"),), model()))
    say(studio, sealed(**{"sealed.png": "unknown.png"}))
    say(studio, made("frame.png", of=[component("sky.safetensors")]))
    catch_up(studio)
    assert basis_of_file(studio, digest("never heard of")) is None
    assert basis_of_file(studio, digest("sealed.png")) is None
    assert basis_of_file(studio, digest("sky.safetensors")) == frozenset()
    assert kinds(studio, "frame.png") == ["gap sky.safetensors"]


@pytest.mark.parametrize("recorded", [True, False])
def test_a_reference_is_asked_for_the_same_whether_its_arrival_was_recorded_or_not(
    studio: Studio, recorded: bool
) -> None:
    if recorded:
        say(studio, made("mood.jpg", action=StepAction.IMPORT))
    say(studio, made("paint.png", of=[SKY, file("mood.jpg", Role.REFERENCE)]))
    assert kinds(studio, "paint.png") == ["model sky", "reference mood.jpg reference-input"]


def test_what_was_imported_and_is_shown_is_asked_for_that(studio: Studio) -> None:
    say(studio, made("plate.exr", action=StepAction.IMPORT))
    say(studio, made("comp.png", of=[component("plate.exr")]))
    assert kinds(studio, "comp.png") == ["import plate.exr"]


def test_bases_by_other_rules_are_computed_again(kept: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    say(kept, made("paint.png", of=[SKY]))
    assert kinds(kept, "paint.png") == ["model sky"]
    assert catch_up(kept) == 0
    monkeypatch.setattr(projecting, "RULES", b"rakkan basis of other rules\n")
    assert catch_up(kept) == kept.bases.mark().size > 0
    assert kinds(kept, "paint.png") == ["model sky"]


def test_a_render_that_was_done_again_is_no_fork(studio: Studio) -> None:
    say(studio, made("render.png", of=[SKY]))
    later = NOW + timedelta(hours=5)
    say(studio, made("render.png", of=[SKY], started=later, finished=later))
    say(studio, made("comp.png", of=[component("render.png")]))
    assert kinds(studio, "render.png") == kinds(studio, "comp.png") == ["model sky", "model sky"]


def test_a_record_that_comes_late_reaches_everything_that_was_made_of_it(studio: Studio) -> None:
    say(studio, made("comp.png", of=[component("paint.png")]))
    say(studio, made("final.png", of=[component("comp.png")]))
    assert kinds(studio, "final.png") == ["gap paint.png"]
    say(studio, made("paint.png", of=[SKY]))
    assert kinds(studio, "final.png") == kinds(studio, "comp.png") == ["model sky"]


def test_a_copy_is_known_by_its_pixels_until_its_own_record_comes(studio: Studio) -> None:
    step = made("paint.png", of=[SKY])
    say(studio, replace(step, subjects=(file("paint.png", pixels="night"),)))
    say(studio, made("comp.png", of=[component("tracker-copy.png", pixels="night")]))
    assert kinds(studio, "comp.png") == ["model sky"]
    assert basis_by_pixels(studio, digest("night")) == basis_of_file(studio, digest("paint.png"))
    assert basis_by_pixels(studio, digest("day")) is None
    say(studio, made("tracker-copy.png", of=[component("stock.jpg")]))
    assert kinds(studio, "comp.png") == ["gap stock.jpg"]


def test_two_records_of_the_same_bytes_both_count_and_their_disagreement_shows(studio: Studio) -> None:
    say(studio, made("paint.png", of=[SKY]))
    say(studio, made("comp.png", of=[component("paint.png")]))
    say(studio, made("paint.png"))
    expected = ["fork paint.png", "model sky"]
    assert kinds(studio, "comp.png") == kinds(studio, "paint.png") == expected


def test_records_that_agree_are_no_fork(studio: Studio) -> None:
    for number in ("018f-1", "018f-2"):
        say(studio, made("paint.png", of=[SKY], step_id=number))
    say(studio, made("comp.png", of=[component("paint.png")]))
    assert kinds(studio, "comp.png") == ["model sky"]


def test_bytes_that_are_under_themselves_end_and_show(studio: Studio) -> None:
    say(studio, made("egg", of=[component("hen")]))
    say(studio, made("hen", of=[component("egg"), SKY]))
    say(studio, made("omelette", of=[component("egg")]))
    for word in ("egg", "hen", "omelette"):
        assert kinds(studio, word) == ["cycle egg", "cycle hen", "model sky"]


def finding(number: str, state: FindingState) -> Finding:
    return Finding(number, FindingKind.STYLE_REFERENCE, state, "lint", Evidence.INFERRED, NOW)


def test_findings_about_a_file_reach_what_was_made_of_it(studio: Studio) -> None:
    say(studio, made("paint.png"))
    say(studio, made("comp.png", of=[component("paint.png")]))
    for number, state, signer in (
        ("F-1", FindingState.OPEN, DEVICE),
        ("F-1", FindingState.DISMISSED, REGISTRAR),
        ("F-2", FindingState.UPHELD, REGISTRAR),
    ):
        say(studio, Statement((file("paint.png"),), finding(number, state)), signer)
    assert kinds(studio, "comp.png") == ["finding paint.png F-1", "finding paint.png F-2"]


def test_a_finding_about_a_sealed_file_may_come_before_its_seal_and_its_step(studio: Studio) -> None:
    about = Statement((file("sealed.png"),), finding("F-1", FindingState.OPEN))
    say(studio, about, DEVICE)
    catch_up(studio)
    say(studio, sealed(**{"sealed.png": "paint.png"}))
    catch_up(studio)
    say(studio, made("paint.png"))
    assert kinds(studio, "paint.png") == kinds(studio, "sealed.png") == ["finding sealed.png F-1"]


def test_what_a_stolen_key_may_have_signed_taints_what_was_made_of_it(studio: Studio) -> None:
    say(studio, made("before.png"))
    first = say(studio, made("after.png"))
    say(studio, sealed(**{"sealed.png": "before.png"}))
    say(studio, enrolment(OTHER, device="ws-02"))
    say(studio, made("comp.png", of=[component("before.png"), component("after.png")]), OTHER)
    say(studio, made("other.png", of=[component("sealed.png")]), OTHER)
    assert kinds(studio, "comp.png") == kinds(studio, "other.png") == []
    say(studio, revocation(suspect_from=first))
    assert kinds(studio, "before.png") == []
    assert kinds(studio, "comp.png") == kinds(studio, "after.png") == ["invalid after.png key.suspect"]
    assert kinds(studio, "other.png") == kinds(studio, "sealed.png") == ["invalid sealed.png key.suspect"]


@pytest.mark.parametrize("at_once", [True, False])
def test_it_does_not_matter_when_the_theft_becomes_known(studio: Studio, *, at_once: bool) -> None:
    say(studio, made("paint.png"))
    if not at_once:
        catch_up(studio)
    say(studio, revocation(suspect_from=0))
    assert kinds(studio, "paint.png") == ["invalid paint.png key.suspect"]


def test_what_the_log_should_not_have_taken_counts_with_its_flaw() -> None:
    entries = MemoryEntryStore()
    studio = opened(studio_on(entries, MemoryBasisStore(entries), AdmitAll(project)))
    say(studio, made("a.png"), OTHER)
    say(studio, made("b.png"), REGISTRAR)
    good = envelope(Statement((file("c.png"),), made("c.png").predicate).predicate, subjects=[file("c.png")])
    studio.log.append([good.replace(b'"sig":"', b'"sig":"AAAA')[: len(good) + 4]])
    say(studio, Statement((file("weights"),), model()), DEVICE)
    say(studio, made("d.png", of=[component("weights")]))
    assert kinds(studio, "a.png") == ["invalid a.png key.unknown"]
    assert kinds(studio, "b.png") == ["invalid b.png key.not-valid"]
    assert kinds(studio, "c.png") == ["invalid c.png envelope.signature"]
    assert kinds(studio, "d.png") == ["gap weights"]


def test_only_what_nobody_read_is_final(kept: Studio) -> None:
    say(kept, made("a.exr", "b.exr"))
    say(kept, made("comp.exr", of=[component("a.exr")]))
    catch_up(kept)
    say(kept, sealed(**{"b.sealed.exr": "b.exr"}))
    assert list(everything(kept)) == ["b.sealed.exr", "comp.exr"]
    say(kept, made("trailer.exr", of=[component("b.sealed.exr")]))
    assert list(everything(kept)) == ["comp.exr", "trailer.exr"]


def test_what_rests_on_a_model_is_found(kept: Studio) -> None:
    say(kept, made("paint.png", of=[SKY]))
    say(kept, made("comp.png", of=[component("paint.png")]))
    say(kept, made("free.png"))
    catch_up(kept)
    found = affected(kept, [(ItemKind.MODEL, SKY.sha256)])
    assert [step.index for step in found.steps] == [2, 3]
    assert [row.name for row in found.finals] == ["comp.png"]
    assert len(found.bases) == 1
    assert affected(kept, [(ItemKind.DATASET, SKY.sha256)]) == Affected((), (), ())


def test_catching_up_takes_what_is_new_and_tells(kept: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projecting, "BATCH", 2)
    for number in range(3):
        say(kept, made(f"{number}.png"))
    told: list[int] = []
    assert catch_up(kept, told.append) == 5
    assert told == [2, 4, 5]
    assert catch_up(kept, told.append) == 0
    say(kept, made("3.png"))
    assert catch_up(kept) == 1


def test_an_empty_log_has_nothing_to_project(engine: Engine) -> None:
    studio = studio_on(SqlEntryStore(engine, ORIGIN), SqlBasisStore(engine, ORIGIN))
    assert catch_up(studio) == 0
    assert studio.bases.mark() == Mark()


def tell(studio: Studio) -> None:
    """Append a production in which some records come late."""
    say(studio, made("final.png", of=[component("comp.png"), component("gone.png")]))
    say(studio, sealed(**{"sealed.png": "final.png"}))
    catch_up(studio)
    say(studio, made("paint.png", of=[SKY]))
    say(studio, made("comp.png", of=[component("paint.png")]))
    say(studio, made("paint.png"))
    say(studio, Statement((file("paint.png"),), finding("F-1", FindingState.OPEN)), DEVICE)
    catch_up(studio)


def test_rebuilding_drops_the_bases_and_the_next_question_computes_them_again(kept: Studio) -> None:
    tell(kept)
    before = everything(kept)
    rebuild(kept.log)
    assert kept.bases.mark() == Mark()
    assert list(kept.bases.finals_at(Where())) == []
    assert everything(kept) == before
    assert list(before) == ["sealed.png"]


WRONG = {
    "another history": "UPDATE basis_mark SET root = (SELECT leaf_hash FROM entry WHERE idx = 0)",
    "a longer log": "UPDATE basis_mark SET size = size + 1",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_bases_of_another_log_are_computed_again(kept: Studio, engine: Engine, wrong: str) -> None:
    tell(kept)
    before = everything(kept)
    with writing(engine).begin() as connection:
        connection.execute(text(WRONG[wrong]))
        connection.execute(text("UPDATE basis_final SET name = 'forged'"))
    assert catch_up(kept) == kept.entries.head().size
    assert everything(kept) == before


def test_a_batch_that_breaks_off_leaves_nothing_behind(
    kept: Studio, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(kept)
    before, mark = everything(kept), kept.bases.mark()
    say(kept, made("new.png", of=[component("sealed.png")]))
    with monkeypatch.context() as patch:
        dialect = dialect_of(engine)
        real = dialect.insert

        def broken(connection: Any, table: Any, rows: Any, conflict: str = "") -> None:
            if table is tables.basis_final:
                raise RefusedError("log.storage", "The disk is gone.")
            real(connection, table, rows, conflict)

        patch.setattr(dialect, "insert", broken)
        with pytest.raises(RefusedError):
            catch_up(kept)
    assert kept.bases.mark() == mark
    assert {row.name for row in kept.bases.finals_at(Where())} == set(before)
    assert catch_up(kept) == 1
    assert list(everything(kept)) == ["new.png"]


def test_several_that_catch_up_at_once_come_to_what_one_does(
    kept: Studio, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projecting, "BATCH", 1)
    for number in range(12):
        say(kept, made(f"{number}.png", of=[component(f"{(number * 5 + 1) % 12}.png"), SKY]))
    others = [replace(kept, bases=SqlBasisStore(engine, ORIGIN)) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(catch_up, others)) >= 14
    alone = replace(kept, bases=MemoryBasisStore(kept.entries))
    for number in range(12):
        expected = kinds(alone, f"{number}.png")
        assert kinds(kept, f"{number}.png") == expected
    assert kept.bases.mark().size == 14
