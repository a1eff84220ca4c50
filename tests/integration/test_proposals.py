"""Two people decide, on a real studio: nothing before both did, and nothing that was not proposed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from ledger.core.access import EVERY, Role, Viewer
from ledger.core.predicates import Override
from ledger.core.predicates.decided import Decided, SignedIn
from ledger.core.secret_text import Kind
from ledger.errors import RakkanError
from ledger.service.access.credentials import OWNER, Credentials, Wanted
from ledger.service.rights import proposal as kept_rules
from ledger.service.rights import proposals as rules
from ledger.service.rights import register
from ledger.service.rights.deciding import Form, plan, sign
from ledger.service.rights.forms import table_of
from ledger.service.rights.importing import Fact
from ledger.service.rights.proposal import WAITS, Proposal
from ledger.service.rights.proposals import SECOND, Proposals, Standing
from ledger.service.studio import Device, Studio
from ledger.testing import FixedClock
from ledger.wiring import database_url, home_at, open_device, open_studio
from ledger.wiring.access import open_credentials
from ledger.wiring.rights import open_proposals, readers
from tests.e2e.conftest import Studio as Folder
from tests.e2e.conftest import founded, licensed, production, studio
from tests.integration.test_deciding import OVERRIDE

__all__ = ["founded", "licensed", "production", "studio"]

ANNA, BEN, CHO = "person:00000000000000aa", "person:00000000000000bb", "person:00000000000000cc"
WHY = "accepted for the trailer alone"
LEGAL = {EVERY: frozenset({Role.LEGAL})}


@dataclass
class Desk:
    folder: Folder
    studio: Studio
    registrar: Device
    clock: FixedClock
    credentials: Credentials
    proposals: Proposals

    def propose(self, by: str = ANNA, number: int = 1, **typed: str) -> Proposal:
        said = OVERRIDE | {"reason": WHY} | typed
        form = self.proposals.first_form(Form(f"{number:032x}", self.size, by))
        shown = self.proposals.plan_of(form, said)
        return self.proposals.propose(self.registrar, form, said, shown.digest)

    def stands(self, proposal: Proposal, by: str) -> Standing:
        return self.proposals.look(self.registrar, self.proposals.get(proposal.id), by).standing

    def confirm(self, proposal: Proposal, by: str = BEN) -> tuple[int, ...]:
        shown = self.proposals.look(self.registrar, proposal, by).plan
        return self.proposals.confirm(self.registrar, proposal.id, by, shown.digest)

    def refused(self, proposal: Proposal, by: str = BEN) -> str:
        before = self.size
        with pytest.raises(RakkanError) as caught:
            self.confirm(proposal, by)
        assert self.size == before
        return caught.value.code

    def alone(self, by: str = CHO, number: int = 9) -> tuple[int, ...]:
        """Let somebody decide the same without anybody else."""
        form = Form(f"{number:032x}", self.size, by)
        fact = Fact("override", "override", table_of("override", OVERRIDE, [by]), self.folder.home)

        def made() -> Any:
            return plan(self.studio, readers(), [fact], form, self.folder.home, frozenset())

        return sign(self.studio, self.registrar, form, made, made().digest)

    def write(self, sql: str, **values: object) -> None:
        """Change the database past the program."""
        engine = create_engine(database_url(home_at(self.folder.home)))
        with engine.begin() as connection:
            assert connection.execute(text(sql), values).rowcount == 1
        engine.dispose()

    @property
    def size(self) -> int:
        return self.studio.entries.head().size


@contextmanager
def opened(production: Folder, clock: FixedClock | None = None) -> Iterator[Desk]:
    home = home_at(production.home)
    with ExitStack() as stack:
        if clock is None:
            clock = FixedClock(stack.enter_context(open_studio(home)).clock.now())
        studio = stack.enter_context(open_studio(home, clock))
        credentials = stack.enter_context(open_credentials(home, clock))
        found = stack.enter_context(open_proposals(home, studio, credentials))
        yield Desk(production, studio, open_device(home, "registrar"), clock, credentials, found)


@pytest.fixture
def desk(production: Folder) -> Iterator[Desk]:
    with opened(production) as found:
        yield found


def test_nothing_is_signed_before_the_second_person_confirms(desk: Desk) -> None:
    before = desk.size
    proposal = desk.propose()
    proposed_at = desk.clock.moment.replace(microsecond=0)
    assert desk.size == before
    assert [each.id for each in desk.proposals.waiting()] == [proposal.id]
    assert (desk.stands(proposal, ANNA), desk.stands(proposal, BEN)) == (Standing.OWN, Standing.WAITS)
    desk.clock.moment += timedelta(days=2)
    (index,) = desk.confirm(proposal)
    override, decided = (desk.studio.statement(index + n).predicate for n in (0, 1))
    assert isinstance(override, Override)
    assert sorted(override.approvers) == [ANNA, BEN]
    assert isinstance(decided, Decided)
    assert (decided.by, decided.signed_in, decided.form) == (BEN, SignedIn.PROVIDER, proposal.id)
    assert decided.recorded == desk.clock.moment.replace(microsecond=0)
    assert decided.proposed is not None
    assert (decided.proposed.by, decided.proposed.at) == (ANNA, proposed_at)
    assert decided.proposed.signed_in is SignedIn.PROVIDER
    assert desk.proposals.waiting() == []
    assert desk.confirm(proposal) == (index,), "sent again"
    assert desk.size == before + 2


def test_what_is_confirmed_is_what_is_read(desk: Desk) -> None:
    proposal = desk.propose()
    shown = desk.proposals.look(desk.registrar, proposal, BEN).plan
    (planned,) = shown.fresh
    assert planned.draft.secrets == {"reason": WHY}
    assert planned.draft.predicate.to_json()["approvers"] == [ANNA, BEN]
    for by, digest in ((BEN, "0" * 64), (CHO, shown.digest)):
        with pytest.raises(RakkanError, match="not any more"):
            desk.proposals.confirm(desk.registrar, proposal.id, by, digest)


def test_nobody_is_their_own_second(desk: Desk) -> None:
    proposal = desk.propose()
    _, grown = desk.credentials.make(Wanted(Kind.TOKEN, "mine", LEGAL), Viewer(ANNA, LEGAL))
    _, again = desk.credentials.make(Wanted(Kind.TOKEN, "its own", LEGAL), Viewer(grown.holder, LEGAL))
    for same in (ANNA, grown.holder, again.holder):
        assert desk.refused(proposal, same) == "decide.same-person"
        assert desk.stands(proposal, same) is Standing.OWN
    text_of_it, token = desk.credentials.make(Wanted(Kind.TOKEN, "counsel", LEGAL), OWNER)
    mine = desk.propose(token.holder, 2, code="MODEL_UNREVIEWED")
    session, _ = desk.credentials.session(text_of_it)
    assert desk.refused(mine, desk.credentials.viewer(Kind.SESSION, session).name) == "decide.same-person"
    _, other = desk.credentials.make(Wanted(Kind.TOKEN, "partner", LEGAL), OWNER)
    assert desk.confirm(mine, other.holder), "the owner gave it to somebody else"


def test_a_token_that_was_revoked_proposes_nothing_any_more(desk: Desk) -> None:
    _, token = desk.credentials.make(Wanted(Kind.TOKEN, "stolen", LEGAL), OWNER)
    proposal = desk.propose(token.holder)
    desk.credentials.revoke(Kind.TOKEN, token.identifier)
    assert desk.stands(proposal, BEN) is Standing.REVOKED
    assert desk.refused(proposal) == "decide.author"


def test_it_ends_after_a_week_and_leaves_no_words_behind(desk: Desk) -> None:
    kept = desk.propose()
    taken_back = desk.propose(number=2, code="MODEL_UNREVIEWED", reason="a word like abracadabra")
    desk.clock.moment += WAITS - timedelta(seconds=1)
    assert {each.id for each in desk.proposals.waiting()} == {kept.id, taken_back.id}
    desk.proposals.withdraw(taken_back, ANNA)
    desk.clock.moment += timedelta(seconds=1)
    assert desk.proposals.waiting() == []
    with pytest.raises(RakkanError, match="No such proposal"):
        desk.confirm(kept)
    desk.propose(number=3, reason="the next one takes the old ones' room")
    files = [path.read_bytes() for path in desk.folder.home.glob("*.sqlite*")]
    assert files
    assert not any(word.encode() in data for word in ("abracadabra", WHY) for data in files)


def test_it_outlives_the_process(production: Folder) -> None:
    with opened(production) as before:
        proposal = before.propose()
    with opened(production) as after:
        assert after.proposals.get(proposal.id) == proposal
        assert after.confirm(proposal)


def test_somebody_declines_it_and_says_why(desk: Desk) -> None:
    proposal = desk.propose()
    with pytest.raises(RakkanError, match="withdraws it"):
        desk.proposals.decline(proposal, ANNA, "on second thought")
    desk.proposals.decline(proposal, BEN, "only with the licensor's letter")
    declined = desk.proposals.get(proposal.id).declined
    assert declined is not None
    assert (declined.by.by, declined.why) == (BEN, "only with the licensor's letter")
    assert desk.stands(proposal, CHO) is Standing.DECLINED
    assert [len(desk.proposals.listed(by)) for by in (ANNA, CHO)] == [1, 0]
    assert desk.refused(proposal, CHO) == "decide.changed"
    with pytest.raises(RakkanError, match="not any more"):
        desk.proposals.decline(proposal, CHO, "me too")
    with pytest.raises(RakkanError, match="Only whoever proposed"):
        desk.proposals.withdraw(proposal, CHO)
    desk.proposals.withdraw(proposal, ANNA)
    assert desk.proposals.waiting() == []


def test_a_decision_of_somebody_else_comes_first(desk: Desk) -> None:
    proposal = desk.propose()
    (index,) = desk.alone()
    looked = desk.proposals.look(desk.registrar, proposal, BEN)
    assert looked.standing is Standing.CHANGED
    assert [each.index for each in looked.plan.others] == [index]
    assert desk.refused(proposal) == "decide.changed"


def test_what_it_was_about_is_something_else_now(desk: Desk) -> None:
    name = desk.propose(thing="sky")
    document = json.loads(name.kept.document)
    assert document["typed"]["thing"] == "sky"
    home = home_at(desk.folder.home)
    weights = desk.folder.home / "sky-2.safetensors"
    weights.write_bytes(b"other weights")
    studio, desk_of = desk.studio, register.desk_of(desk.studio, readers())
    table = {"name": "sky", "version": "9", "kind": "lora", "weights": str(weights)}
    register.register(studio, open_device(home, "registrar"), desk_of, "model", table)
    assert desk.stands(name, BEN) is Standing.CHANGED
    assert desk.refused(name) == "decide.changed"


TAMPERED = {
    "another thing": ("typed", {"code": "MODEL_OPAQUE", "thing": "plates"}),
    "a later day": ("expires", "2099-01-01T00:00:00Z"),
    "another author": ("first", {"at": "2026-11-01T00:00:00Z", "by": CHO, "signedIn": "provider"}),
    "an older look": ("seen", "0"),
    "another log": ("log", "ledger.example/other"),
    "another result": ("comesTo", "0" * 64),
}


@pytest.mark.parametrize(("member", "value"), TAMPERED.values(), ids=TAMPERED)
def test_the_database_cannot_put_words_into_somebodys_mouth(desk: Desk, member: str, value: object) -> None:
    proposal = desk.propose()
    document = json.loads(proposal.kept.document) | {member: value}
    changed = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    desk.write("UPDATE proposal SET document = :document", document=changed)
    found = desk.proposals.get(proposal.id)
    assert desk.stands(found, BEN) is Standing.ALTERED
    assert desk.refused(found) == "decide.altered"


def test_a_signed_proposal_in_another_ones_place_is_none(desk: Desk) -> None:
    desk.propose()
    moved = "f" * 32
    desk.write("UPDATE proposal SET id = :id", id=moved)
    with pytest.raises(RakkanError) as caught:
        desk.proposals.confirm(desk.registrar, moved, BEN, "0" * 64)
    assert caught.value.code == "decide.altered"
    desk.write("UPDATE proposal SET document = 'no JSON'")
    assert desk.proposals.waiting() == []


def test_what_was_signed_and_is_put_back_is_not_signed_again(desk: Desk) -> None:
    proposal = desk.propose()
    (index,) = desk.confirm(proposal)
    desk.write(
        "INSERT INTO proposal SELECT id, :name, :document, :signature, NULL FROM log LIMIT 1",
        name=proposal.id,
        document=proposal.kept.document,
        signature=proposal.kept.signature,
    )
    assert desk.proposals.waiting() == []
    size = desk.size
    assert desk.proposals.confirm(desk.registrar, proposal.id, BEN, "0" * 64) == (index,)
    with pytest.raises(RakkanError, match="No such proposal"):
        desk.proposals.confirm(desk.registrar, proposal.id, CHO, "0" * 64)
    assert desk.size == size


@pytest.mark.parametrize("how", ["withdraw", "decline"])
def test_what_is_taken_back_in_the_last_moment_is_not_signed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    proposal = desk.propose()

    def first(*arguments: Any) -> Any:
        monkeypatch.undo()
        if how == "withdraw":
            desk.proposals.withdraw(proposal, ANNA)
        else:
            desk.proposals.decline(proposal, CHO, "no")
        return register.state(*arguments)

    monkeypatch.setattr("ledger.service.rights.deciding.state", first)
    assert desk.refused(proposal) == "decide.changed"


def test_whoever_withdraws_too_late_is_told(desk: Desk) -> None:
    proposal = desk.propose()
    desk.confirm(proposal)
    with pytest.raises(RakkanError, match="not any more"):
        desk.proposals.withdraw(proposal, ANNA)
    with pytest.raises(RakkanError, match="not any more"):
        desk.proposals.decline(proposal, CHO, "no")


def test_of_several_who_confirm_at_once_one_does(production: Folder) -> None:
    with opened(production) as desk:
        proposal = desk.propose()
        before = desk.size

    def one(by: str) -> object:
        with opened(production) as own:
            try:
                return own.confirm(proposal, by)
            except RakkanError as error:
                return error.code

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, (BEN, CHO, BEN, CHO)))
    assert (before,) in found
    assert set(map(str, found)) <= {f"({before},)", "decide.changed", "decide.no-proposal"}
    with opened(production) as desk:
        assert desk.size == before + 2


def test_there_are_only_so_many_and_only_so_long_ones(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_OF_ONE", 2)
    for number in (1, 2, 2):
        desk.propose(number=number)
    with pytest.raises(RakkanError, match="wait already"):
        desk.propose(number=3)
    desk.propose(CHO, 4)
    monkeypatch.setattr(kept_rules, "MOST_BYTES", 600)
    with pytest.raises(RakkanError, match="at most"):
        desk.propose(BEN, 5, reason="long " * 80)


def test_nobody_accepts_in_the_name_of_others(desk: Desk) -> None:
    form = Form("5" * 32, desk.size, ANNA)
    for people, code in (([ANNA, BEN], "decide.for-others"), ([BEN], "decide.for-others"), ([ANNA], None)):
        fact = Fact("override", "override", table_of("override", OVERRIDE, people), desk.folder.home)
        found = plan(desk.studio, readers(), [fact], form, desk.folder.home, frozenset())
        (outcome,) = found.outcomes
        assert (outcome.refused.code if outcome.refused else None) == code


def test_a_proposal_is_of_what_was_shown_to_who_proposes(desk: Desk) -> None:
    form = desk.proposals.first_form(Form("6" * 32, desk.size, ANNA))
    shown = desk.proposals.plan_of(form, OVERRIDE)
    assert shown.fresh[0].draft.predicate.to_json()["approvers"] == sorted([ANNA, SECOND])
    for other in ({"expires": "2099-01-02"}, {"reason": "another"}, {"thing": "nothing-of-this-name"}):
        with pytest.raises(RakkanError, match="not any more"):
            desk.proposals.propose(desk.registrar, form, OVERRIDE | other, shown.digest)
    assert desk.proposals.waiting() == []
