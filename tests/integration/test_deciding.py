"""Decisions made in pages, on a real studio: once, as shown, by whom, and nothing of the server's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters import kept
from ledger.adapters.kept import KeptFiles
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import named
from ledger.core.digest import sha256_hex
from ledger.core.predicates.decided import Decided
from ledger.core.statement import Statement
from ledger.errors import RakkanError, RefusedError, UsageError
from ledger.service.rights import deciding, register
from ledger.service.rights.deciding import Form, Plan, plan, sign, thing_named
from ledger.service.rights.decisions import Asked, State, decisions_of
from ledger.service.rights.forms import table_of
from ledger.service.rights.importing import Fact
from ledger.service.studio import Device, Studio
from ledger.wiring import home_at, open_device, open_studio
from ledger.wiring.rights import read_facts, readers
from tests.e2e.conftest import Studio as Folder
from tests.e2e.conftest import founded, licensed, production, studio

__all__ = ["founded", "licensed", "production", "studio"]

ME, YOU = "token:4f1c0b7a99d2e863", "person:0a1b2c3d"
OVERRIDE = {
    "thing": "sky",
    "code": "MODEL_OPAQUE",
    "expires": "2099-01-01",
    "zone": "Asia/Tokyo",
    "reason": "y",
}
NOTHING = frozenset[str]()


@pytest.fixture
def desk(production: Folder) -> Iterator[tuple[Studio, Device]]:
    home = home_at(production.home)
    with open_studio(home) as opened:
        yield opened, open_device(home, "registrar")


def form(studio: Studio, by: str = ME, number: str = "0" * 32) -> Form:
    return Form(number, studio.entries.head().size, by)


def planned(studio: Studio, sheet: Form, kind: str = "override", **typed: str) -> Callable[[], Plan]:
    said = OVERRIDE if kind == "override" else {}
    fact_kind = {"approve": "approval", "revoke": "revocation"}.get(kind, kind)
    fact = Fact(fact_kind, kind, table_of(kind, said | typed, sheet.people), Path())
    return lambda: plan(studio, readers(), [fact], sheet, Path(), NOTHING)


def decided(
    desk: tuple[Studio, Device], sheet: Form, kind: str = "override", **typed: str
) -> tuple[int, ...]:
    made = planned(desk[0], sheet, kind, **typed)
    return sign(*desk, sheet, made, made().digest)


def test_an_entry_says_who_decided_and_is_of_the_registrars_key(desk: tuple[Studio, Device]) -> None:
    studio, registrar = desk
    (index,) = decided(desk, form(studio))
    entry, after = studio.statement(index), studio.statement(index + 1)
    assert entry.predicate.to_json()["approvers"] == [ME]
    assert entry.predicate.to_json()["expires"] == "2098-12-31T15:00:00Z"
    assert isinstance(after.predicate, Decided)
    assert (after.predicate.by, after.predicate.signed_in, after.predicate.proposed) == (ME, "token", None)
    assert [each.sha256 for each in after.subjects] == [sha256_hex(studio.entries.envelope(index))]
    assert b"trailer" not in studio.entries.envelope(index)
    (found,) = decisions_of(studio, Asked("override"), studio.clock.now())[0]
    assert found.decided == after.predicate
    assert (found.state, found.reasons) == (State.IN_FORCE, 1)
    del registrar


def test_a_workstation_cannot_say_who_decided(production: Folder, desk: tuple[Studio, Device]) -> None:
    studio, _ = desk
    said = Decided(datetime.now(UTC).replace(microsecond=0), ME, "0" * 32)
    payload = statements.encode(Statement((named("entry", "x"),), said))
    workstation = open_device(home_at(production.home), "workstation")
    with pytest.raises(RefusedError, match="may not sign"):
        studio.log.append([dsse.sign(payload, workstation.signer)])


def test_a_form_that_is_sent_twice_decides_once(desk: tuple[Studio, Device]) -> None:
    studio, _ = desk
    sheet = form(studio)
    first = decided(desk, sheet)
    size = studio.entries.head().size
    assert decided(desk, sheet) == first
    assert decided(desk, sheet, thing="plates") == first, "whatever it says the second time"
    assert studio.entries.head().size == size


def raced(home: Path, sheets: list[Form]) -> list[object]:
    """Sign one override on each sheet at once, each with a studio of its own, as a process has it."""
    ready = threading.Barrier(len(sheets))

    def one(sheet: Form) -> object:
        with open_studio(home_at(home)) as studio:
            made = planned(studio, sheet)
            expected = made().digest
            ready.wait()
            while True:
                try:
                    return sign(studio, open_device(home_at(home), "registrar"), sheet, made, expected)
                except RakkanError as error:
                    if error.code != "log.busy":  # which says to try again: on a busy machine, turns are long
                        return error.code

    with ThreadPoolExecutor(len(sheets)) as pool:
        return list(pool.map(one, sheets))


def test_one_form_that_races_with_itself_makes_one_entry(
    production: Folder, desk: tuple[Studio, Device]
) -> None:
    studio, _ = desk
    sheet = form(studio)
    found = raced(production.home, [sheet] * 4)
    assert found == [(sheet.seen,)] * 4
    assert studio.entries.head().size == sheet.seen + 2


def test_of_several_people_who_race_one_decides(production: Folder, desk: tuple[Studio, Device]) -> None:
    studio, _ = desk
    sheets = [form(studio, f"person:{n}", f"{n}" * 32) for n in range(4)]
    found = raced(production.home, sheets)
    assert sorted(map(str, found)) == sorted([f"({sheets[0].seen},)", *["decide.changed"] * 3])
    assert studio.entries.head().size == sheets[0].seen + 2


def test_who_was_not_shown_the_others_decision_is_told_of_it(desk: tuple[Studio, Device]) -> None:
    studio, _ = desk
    mine = form(studio, ME, "1" * 32)
    (index,) = decided(desk, form(studio, YOU, "2" * 32))
    made = planned(studio, mine)
    assert [record.index for record in made().others] == [index]
    with pytest.raises(RefusedError, match="not any more"):
        sign(*desk, mine, made, made().digest)
    other = planned(studio, mine, code="MODEL_UNREVIEWED")
    assert not other().others, "another finding about the same model is another matter"
    again = form(studio, ME, "1" * 32)  # the same sheet, shown again with what the log holds now
    assert decided(desk, again)


def test_what_is_signed_is_what_was_shown(desk: tuple[Studio, Device]) -> None:
    studio, _ = desk
    sheet = form(studio)
    shown = planned(studio, sheet)().digest
    for other in (
        {"expires": "2099-01-02"},
        {"reason": "another"},
        {"thing": "plates"},
    ):
        with pytest.raises(RefusedError, match="not any more"):
            sign(*desk, sheet, planned(studio, sheet, **other), shown)
    assert studio.entries.head().size == sheet.seen


def test_what_others_state_in_the_last_moment_is_looked_at(
    desk: tuple[Studio, Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    studio, _ = desk
    mine, yours = form(studio, ME, "1" * 32), form(studio, YOU, "2" * 32)
    late = [True]

    def after_you(*arguments: Any) -> Any:
        if late:
            late.clear()
            decided(desk, yours)
        return register.state(*arguments)

    monkeypatch.setattr("ledger.service.rights.deciding.state", after_you)
    with pytest.raises(RefusedError, match="not any more"):
        decided(desk, mine)
    late.append(True)
    sheet = form(studio, ME, "3" * 32)
    yours = form(studio, YOU, "4" * 32)
    made = planned(studio, sheet, "review", thing="sky", standing="accepted", since="2026-01-01")
    assert sign(*desk, sheet, made, made().digest), "what has nothing to do with it is no hindrance"


REVIEW = 'standing="accepted"\nreviewer="a:b"\nsince=2026-01-01\n'
GRANT = '[[grant]]\nid="X"\ncovers=["sky"]\nuses=["output-final"]\nfrom=2026-01-01\n'
HIDDEN = {
    "a contract": GRANT + 'contract="{path}"\n',
    "a file by its path": '[[review]]\nabout=["{path}"]\n' + REVIEW,
    "a file by its kind": '[[review]]\nabout=["file:{path}"]\n' + REVIEW,
    "weights": '[[model]]\nname="x"\nweights="{path}"\n',
    "a letter": '[[revocation]]\ngrant="G-1"\neffective=2026-12-01\nletter="{path}"\n',
    "a list of works": '[[dataset]]\nname="x"\nversion="1"\ninventory="{path}"\n',
    "the text of a licence": '[[model]]\nname="x"\nsha256="{hex}"\nlicence="MIT"\nlicence_text="{path}"\n',
    "a consent": '[[consent]]\nid="c"\nperson="p:1"\ncovers="voice"\nfrom=2026-01-01\ndocument="{path}"\n',
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_no_file_of_the_server_is_read(desk: tuple[Studio, Device], tmp_path: Path, text: str) -> None:
    secret, folder = tmp_path / "secret.txt", tmp_path / "sent"
    secret.write_text("the server's own")
    folder.mkdir()
    facts = folder / "facts.toml"
    for path in (str(secret), "../secret.txt", "./facts.toml"):
        facts.write_text(text.format(path=path, hex="a" * 64))
        sent = read_facts(facts)[0]
        found = plan(desk[0], readers(), sent, form(desk[0]), tmp_path, frozenset({"facts.toml"}))
        (refused,) = [item.refused for item in found.outcomes]
        assert isinstance(refused, UsageError)
        assert refused.code in {"rights.not-lent", "record.unknown-dataset"}, refused
        assert not found.ready


def test_a_document_that_was_sent_along_is_committed_to(desk: tuple[Studio, Device], tmp_path: Path) -> None:
    (tmp_path / "deal.pdf").write_bytes(b"the deal")
    facts = tmp_path / "facts.toml"
    facts.write_text(HIDDEN["a contract"].format(path="deal.pdf"))
    sheet = form(desk[0])

    def made() -> Plan:
        lent = frozenset({"deal.pdf", "facts.toml"})
        return plan(desk[0], readers(), read_facts(facts)[0], sheet, tmp_path, lent)

    (planned_fact,) = made().fresh
    assert planned_fact.draft.secrets == {"contract": f"sha256:{sha256_hex(b'the deal')}"}
    assert len(sign(*desk, sheet, made, made().digest)) == 1
    assert not made().fresh, "again: it is on record"


def test_all_of_it_is_signed_or_nothing(desk: tuple[Studio, Device], tmp_path: Path) -> None:
    facts = tmp_path / "facts.toml"
    facts.write_text(
        '[[party]]\nid="kaze"\nkind="organisation"\n[[title]]\nid="a"\nname="A"\n[[party]]\nid="x y"\n'
    )
    sheet = form(desk[0])

    def made() -> Plan:
        return plan(desk[0], readers(), read_facts(facts)[0], sheet, tmp_path, NOTHING)

    assert (len(made().fresh), made().refused) == (2, 1)
    with pytest.raises(RefusedError, match="not any more"):
        sign(*desk, sheet, made, made().digest)
    assert desk[0].entries.head().size == sheet.seen


def test_more_facts_than_one_entry_can_name_are_refused(desk: tuple[Studio, Device], tmp_path: Path) -> None:
    lines = [f'[[party]]\nid = "p{n}"\nkind = "organisation"\n' for n in range(deciding.MOST_FACTS + 1)]
    facts = tmp_path / "facts.toml"
    for count, refused in ((deciding.MOST_FACTS, False), (deciding.MOST_FACTS + 1, True)):
        facts.write_text("".join(lines[:count]))
        sheet = form(desk[0])

        def made(sheet: Form = sheet) -> Plan:
            return plan(desk[0], readers(), read_facts(facts)[0], sheet, tmp_path, NOTHING)

        if refused:
            with pytest.raises(UsageError, match="at most"):
                made()
        else:
            assert len(sign(*desk, sheet, made, made().digest)) == count


def test_a_decision_says_how_it_stands(desk: tuple[Studio, Device]) -> None:
    studio, _ = desk
    now = studio.clock.now()
    tomorrow = (now + timedelta(days=2)).date().isoformat()
    for number, (kind, typed) in enumerate(
        [
            ("override", {"expires": tomorrow}),
            ("review", {"thing": "sky", "standing": "accepted", "since": "2026-01-01"}),
            ("review", {"thing": "sky", "standing": "contested", "since": "2026-02-01"}),
            ("revoke", {"grant": "G-1", "effective": tomorrow}),
        ]
    ):
        decided(desk, form(studio, ME, f"{number}" * 32), kind, **typed)

    def stands(at: datetime) -> list[State]:
        return [each.state for each in decisions_of(studio, Asked(), at)[0]][:4]

    there, not_yet, ended, replaced = State.IN_FORCE, State.NOT_YET, State.ENDED, State.REPLACED
    assert stands(now) == [not_yet, there, replaced, there]
    assert stands(now + timedelta(days=3)) == [there, there, replaced, ended]
    found, onward = decisions_of(studio, Asked(state=replaced), now)
    assert ([each.said["standing"] for each in found], onward) == (["accepted"], None)


def test_files_are_found_by_whoever_sent_them_for_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = KeptFiles(tmp_path / "kept")
    folder = files.keep(ME, "1" * 32, {"a.toml": b"x"})
    assert (files.find(ME, "1" * 32), files.find(YOU, "1" * 32)) == (folder, None)
    monkeypatch.setattr(kept, "MOST", 2)
    files.keep(ME, "2" * 32, {})
    with pytest.raises(RefusedError, match="Too many"):
        files.keep(ME, "3" * 32, {})
    monkeypatch.setattr(kept, "SECONDS", -1)
    files.keep(ME, "4" * 32, {})
    assert files.find(ME, "1" * 32) is None


def test_a_link_may_bring_a_digest_alone(desk: tuple[Studio, Device]) -> None:
    studio, _ = desk
    sheet = form(studio)
    (sky,) = planned(studio, sheet)().fresh[0].draft.subjects
    assert thing_named(studio, "sky") == ("sky", "sky")
    assert thing_named(studio, sky.sha256) == (sky.sha256, "sky")
    assert thing_named(studio, "a" * 64) == (f"sha256:{'a' * 64}", "a" * 64)
    for text in (sky.sha256, f"sha256:{'a' * 64}"):
        assert planned(studio, sheet, thing=text)().ready
