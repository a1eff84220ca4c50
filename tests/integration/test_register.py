"""Stating facts and reading them back, on a real studio: what counts, and what was known when."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ledger.core.artifact import Artifact, named
from ledger.core.digest import sha256_hex
from ledger.core.predicates import Grant, GrantV2, Model, ModelV2, Title
from ledger.core.predicates.grant import Use
from ledger.core.rights.facts import KnownGrant
from ledger.core.statement import Statement
from ledger.errors import MalformedError, RefusedError
from ledger.service.rights.kinds import KINDS, draft_of
from ledger.service.rights.reading import facts_of, find, records_of
from ledger.service.rights.register import Registered, desk_of, plan, register, state
from ledger.service.rights.registry import TABLES
from ledger.service.rights.tables import Desk, Draft
from ledger.service.studio import Device, Studio
from ledger.wiring import home_at, open_device, open_studio
from ledger.wiring.rights import readers
from tests.e2e.conftest import Studio as Folder
from tests.e2e.conftest import founded, licensed, production, studio

__all__ = ["founded", "licensed", "production", "studio"]


@dataclass
class MovableClock:
    """A clock that a test sets."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class Office:
    """An open studio, its registrar, and the clock on its wall."""

    studio: Studio
    registrar: Device
    clock: MovableClock
    folder: Path

    def desk(self) -> Desk:
        return desk_of(self.studio, readers(), folder=self.folder)

    def state(self, table: str, /, **keys: object) -> Registered:
        """State one fact; ``from_`` is the key ``from``."""
        said = {name.rstrip("_"): value for name, value in keys.items()}
        return register(self.studio, self.registrar, self.desk(), table, said)

    def grant(self, grant_id: str, known: datetime | None = None) -> KnownGrant:
        """A grant on record."""
        grants = facts_of(self.studio, known).grants
        return next(item for item in grants if item.grant.grant_id == grant_id)


@contextmanager
def opened(folder: Folder) -> Iterator[Office]:
    home = home_at(folder.home)
    clock = MovableClock(datetime.now(UTC))
    with open_studio(home, clock) as opened_studio:
        yield Office(opened_studio, open_device(home, "registrar"), clock, folder.work)


@pytest.fixture
def office(production: Folder) -> Iterator[Office]:
    """A studio with the dataset `plates`, the model `sky` and the grant `G-1`."""
    with opened(production) as found:
        yield found


def test_every_table_has_one_kind_of_fact() -> None:
    assert list(KINDS) == list(TABLES.values())


def test_what_was_known_then_is_what_was_recorded_by_then(office: Office) -> None:
    before = office.clock.moment
    office.clock.moment += timedelta(days=1)
    office.state("revocation", grant="G-1", effective=date(2026, 2, 1))
    assert office.grant("G-1").revoked is not None
    assert office.grant("G-1", before).revoked is None
    assert facts_of(office.studio) is facts_of(office.studio), "what was read once is kept"


def test_only_what_is_new_is_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    first = records_of(office.studio)
    office.state("party", id="mori", kind="organisation")
    read: list[int] = []
    statement = Studio.statement

    def noted(self: Studio, index: int) -> Statement:
        read.append(index)
        return statement(self, index)

    monkeypatch.setattr(Studio, "statement", noted)
    second = records_of(office.studio)
    assert second[: len(first)] == first
    assert [item.index for item in second[len(first) :]] == [office.studio.entries.head().size - 1]
    assert set(read) == {office.studio.entries.head().size - 1}


def test_a_database_that_was_put_back_is_read_anew(production: Folder) -> None:
    with opened(production) as office:
        copy = office.folder / "before.sqlite"
        shutil.copy(production.home / "ledger.sqlite", copy)
        size = office.studio.entries.head().size
        office.studio.facts.size = size + 5  # as after reading a longer log
        assert len(records_of(office.studio)) == 3
        assert office.studio.facts.size == size


def test_a_fact_that_a_device_signed_does_not_count(office: Office, production: Folder) -> None:
    """No log takes one; a verifier who got the entries elsewhere must not believe it either."""
    device = open_device(home_at(production.home), "workstation")
    draft = draft_of(office.desk(), "party", {"id": "mallory", "kind": "organisation"})
    with pytest.raises(RefusedError, match="may not sign"):
        state(office.studio, device, [plan(office.studio, office.desk(), draft)])
    assert "mallory" not in facts_of(office.studio).parties


def test_facts_are_stated_together_or_not_at_all(office: Office) -> None:
    desk = office.desk()
    good = draft_of(desk, "party", {"id": "mori", "kind": "person", "name": "Aya Mori"})
    large = Title("t", "T", tuple(f"{'p' * 1000} {n}" for n in range(60)), desk.now)
    bad = Draft((named("title", "t"),), large)
    size = office.studio.entries.head().size
    with pytest.raises(MalformedError) as caught:
        state(office.studio, office.registrar, [plan(office.studio, desk, item) for item in (good, bad)])
    assert caught.value.code == "envelope.too-large"
    assert office.studio.entries.head().size == size


def test_one_batch_is_one_commit(office: Office) -> None:
    desk, size = office.desk(), office.studio.entries.head().size
    drafts = [draft_of(desk, "party", {"id": f"p{n}", "kind": "organisation"}) for n in range(50)]
    done = state(office.studio, office.registrar, [plan(office.studio, desk, item) for item in drafts])
    assert [item.index for item in done] == list(range(size, size + 50))
    assert all(item.fresh for item in done)


def test_one_desk_serves_a_whole_morning(office: Office) -> None:
    """What was stated at a desk is known there, and is not stated twice."""
    desk = office.desk()
    table = {"id": "C", "person": "p-1", "name": "Hana", "covers": "voice", "from": "2026-01-01"}
    first = register(office.studio, office.registrar, desk, "consent", table)
    again = register(office.studio, office.registrar, desk, "consent", table)
    assert (first.index, first.fresh, again.index, again.fresh) == (first.index, True, first.index, False)
    other = {**table, "name": "Hanako"}
    with pytest.raises(RefusedError) as caught:
        register(office.studio, office.registrar, desk, "consent", other)
    assert caught.value.code == "registry.version"


def test_a_name_means_the_newest_version_and_each_version_stays(office: Office) -> None:
    weights = office.folder / "sky2.bin"
    weights.write_bytes(b"newer weights")
    old = find(office.studio, Model, "sky")
    office.state("model", name="sky", version=2, weights="sky2.bin")
    assert find(office.studio, Model, "sky").sha256 != old.sha256
    office.state("grant", id="G-2", covers=["sky@1"], uses=["output-temp"], from_="2026-01-01")
    office.state("grant", id="G-3", covers=["sky", "sky@1"], uses=["output-temp"], from_="2026-01-01")
    one, both = office.grant("G-2"), office.grant("G-3")
    assert [item.sha256 for item in one.stated.subjects] == [old.sha256]
    assert len({item.name for item in both.stated.subjects}) == 2


def test_a_dataset_and_a_model_of_one_name_are_told_apart(office: Office) -> None:
    (office.folder / "other.bin").write_bytes(b"other")
    office.state("model", name="plates", weights="other.bin")
    grant = {"uses": ["output-temp"], "from_": "2026-01-01"}
    with pytest.raises(Exception, match="A dataset and a model are named"):
        office.state("grant", id="G-2", covers=["plates"], **grant)
    assert office.state("grant", id="G-2", covers=["model:plates"], **grant).fresh


def test_a_title_that_is_renamed_back_is_stated_again(office: Office) -> None:
    for name, fresh in (("Dusk", True), ("Dawn", True), ("Dawn", False), ("Dusk", True)):
        assert office.state("title", id="t", name=name).fresh is fresh
    assert facts_of(office.studio).names_of("t") == {"t", "Dusk", "Dawn"}


def test_a_retroactive_revocation_says_so(office: Office) -> None:
    notes = office.state("revocation", grant="G-1", effective="2026-02-01").notes
    assert "judged anew" in notes[0]
    later = office.state(
        "grant", id="G-1", version=2, covers=["sky"], uses=["output-temp"], from_="2026-01-01"
    )
    assert "was revoked, and no version gives it back" in later.notes[0]


def test_a_training_that_has_not_finished_is_refused(office: Office) -> None:
    office.state("party", id="kumo", kind="organisation")
    run = {"model": "sky", "trainer": "kumo", "started": "2026-01-01", "trained_on": ["plates:focused"]}
    with pytest.raises(RefusedError) as caught:
        office.state("training", finished="2099-01-01", **run)
    assert caught.value.code == "registry.term"
    office.state("training", finished="2026-01-02", **run)
    assert len(facts_of(office.studio).runs(find(office.studio, Model, "sky").sha256)) == 1


def test_exclusive_grants_meet_only_where_everything_overlaps(office: Office) -> None:
    for party in ("mori", "kumo"):
        office.state("party", id=party, kind="organisation")
    base = {
        "covers": ["plates"], "uses": ["focused-training"], "exclusive": True, "media": ["streaming"],
        "territories": ["JP"], "from_": "2026-01-01", "until": "2027-01-01",
    }  # fmt: skip
    office.state("grant", id="A", assignee="mori", **base)
    apart: tuple[dict[str, object], ...] = (
        {"assignee": "mori"},
        {"uses": ["foundation-training"]},
        {"media": ["print"]},
        {"territories": ["FR"]},
        {"from_": "2027-01-01", "until": "2028-01-01"},
        {"exclusive": False},
        {"covers": ["sky"]},
    )
    for number, change in enumerate(apart):
        desk = office.desk()
        table = {**base, "id": f"B-{number}", "assignee": "kumo", **change}
        draft = draft_of(desk, "grant", {name.rstrip("_"): value for name, value in table.items()})
        assert not plan(office.studio, desk, draft).again
    with pytest.raises(RefusedError) as caught:
        office.state("grant", id="C", assignee="kumo", **base)
    assert (caught.value.code, caught.value.evidence["grant"]) == ("registry.exclusive", "A")
    office.state("revocation", grant="A", effective="2026-01-01")
    assert office.state("grant", id="C", assignee="kumo", **base).fresh, "the first one has ended"


def test_a_clock_before_the_enrolment_signs_nothing(office: Office) -> None:
    early = replace(office.registrar, enrolled_from=office.clock.now() + timedelta(days=1))
    with pytest.raises(RefusedError) as caught:
        register(office.studio, early, office.desk(), "party", {"id": "x", "kind": "organisation"})
    assert caught.value.code == "clock.before-enrolment"


def test_what_an_older_program_stated_is_stated_anew_once(office: Office) -> None:
    """An entry of the first version stays, and the newest registration of the same bytes counts."""
    (office.folder / "old.bin").write_bytes(b"old weights")
    subject = Artifact("old", sha256_hex(b"old weights"))
    index = office.studio.state(office.registrar.signer, (subject,), Model("old", "1")).index
    stated = facts_of(office.studio).model(subject.sha256)
    assert stated is not None
    assert stated.index == index
    assert office.state("model", name="old", weights="old.bin").fresh
    assert not office.state("model", name="old", weights="old.bin").fresh
    newest = facts_of(office.studio).model(subject.sha256)
    assert newest is not None
    assert isinstance(newest.predicate, ModelV2)
    grant = Grant("old", (Use.OUTPUT_TEMP,), datetime(2026, 1, 1, tzinfo=UTC))
    office.studio.state(office.registrar.signer, (subject,), grant)
    said = {"id": "old", "covers": ["old"], "uses": ["output-temp"], "from_": "2026-01-01"}
    assert office.state("grant", **said).fresh
    assert isinstance(office.grant("old").grant, GrantV2)
    assert not office.state("grant", **said).fresh
