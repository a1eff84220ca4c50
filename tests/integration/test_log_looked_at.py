"""What the pages of a log show: who vouches for it, how it grew, which keys counted, what an entry says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.core.access import Role
from ledger.core.artifact import Artifact
from ledger.core.checkpoint import sign_checkpoint
from ledger.core.merkle import leaf_hash
from ledger.core.note import NoteSigner, parse_note
from ledger.core.predicates import Predicate
from ledger.errors import RakkanError
from ledger.service.log.explaining import grown, proven
from ledger.service.log.key_spans import key_spans
from ledger.service.log.keys import Keys
from ledger.service.log.public import PublicLog
from ledger.service.log.publish import publish
from ledger.service.log.receipts import tree
from ledger.service.log.standing import MOST_BARS, Standing, growth, kept, standing
from ledger.service.reading.sight import Sight, sight_of
from ledger.service.reading.sought import MOST, sought
from ledger.service.reading.told import line, told
from ledger.service.studio import Studio
from ledger.testing import FixedClock, MemoryPublication, SeedSigner
from tests.support.bare_studio import opened, say
from tests.support.bases import component, made
from tests.support.builders import (
    DEVICE,
    FRAME,
    OTHER,
    REGISTRAR,
    commitment,
    digest,
    enrolment,
    envelope,
    grant,
    revocation,
    statement,
    step,
)
from tests.support.log import KEY, ORIGIN, new_log
from tests.support.reading import viewer
from tests.support.reading_log import fill, readable
from tests.support.witness import Direct, cosigner_key, new_witness, policy_of, witnessing

ALL = Sight()
WORK_ALONE = Sight(registry=False)
NOTHING = Sight(work=False, registry=False, verdicts=False)
OWN = NoteSigner(ORIGIN, KEY)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with readable(tmp_path) as found:
        yield found


def looked_at(studio: Studio, published: bytes | None = None, *, asked: int = 0) -> Standing:
    """Return how the log stands, with a policy that asks one of two witnesses, or as many as said."""
    policy = policy_of(str(asked), cosigner_key("a"), cosigner_key("b")) if asked else None
    found = standing(studio, PublicLog(studio.log, lambda: published), policy)
    assert found is not None
    return found


def test_a_log_without_entries_has_no_state_and_one_that_lost_them_has_an_alarm(studio: Studio) -> None:
    public = PublicLog(studio.log, lambda: None)
    assert standing(studio, public, None) is None
    assert growth(studio, studio.clock.now()) is None
    fresh = new_log(last_signed=studio.log.last_signed)
    opened(studio)
    assert looked_at(studio).size == 2
    with pytest.raises(RakkanError) as error:
        standing(replace(studio, log=fresh), public, None)
    assert error.value.code == "log.rollback"


def test_nobody_vouches_where_no_witness_is_asked(studio: Studio) -> None:
    opened(studio)
    found = looked_at(studio)
    assert (found.published, found.quorum, found.witnesses, found.strangers) == (False, None, (), ())
    assert [key.name for key in found.keys] == [ORIGIN]


def test_witnesses_are_named_with_their_time_and_strangers_count_for_nothing(studio: Studio) -> None:
    opened(studio)
    cosigned = publish(
        studio.log,
        MemoryPublication(),
        witnessing=witnessing(policy_of("1", cosigner_key("a")), Direct("a", new_witness("a"))),
    ).checkpoint
    say(studio, step())
    one = looked_at(studio, cosigned, asked=1)
    assert (one.published, one.size, one.stated.size) == (True, 3, 2)
    assert [(each.name, each.at) for each in one.witnesses] == [("a", FixedClock().now()), ("b", None)]
    assert one.quorum is not None
    assert one.quorum.met
    two = looked_at(studio, cosigned, asked=2)
    assert two.quorum is not None
    assert not two.quorum.met
    assert looked_at(studio, cosigned).strangers == ("witness.example/a",)


def test_a_published_state_that_the_log_does_not_hold_is_an_alarm(studio: Studio) -> None:
    opened(studio)
    other = sign_checkpoint(ORIGIN, 2, leaf_hash(b"another tree"), [OWN])
    ahead = sign_checkpoint(ORIGIN, 3, leaf_hash(b"a larger tree"), [OWN])
    for note, code in ((other, "log.conflict"), (ahead, "log.rollback")):
        with pytest.raises(RakkanError) as error:
            looked_at(studio, note)
        assert error.value.code == code


def test_kept_checkpoints_come_in_pieces_from_the_largest(studio: Studio) -> None:
    studio.log.append([envelope(step(step_id=str(n))) for n in range(9)])
    for size in range(1, 9):
        note = sign_checkpoint(ORIGIN, size, tree(studio.log, size).root, [OWN])
        studio.checkpoints.put(size, note)
    first = kept(studio.checkpoints, None, 5)
    assert [each.stated.size for each in first] == [8, 7, 6, 5, 4]
    assert [each.stated.size for each in kept(studio.checkpoints, 4, 5)] == [3, 2, 1]
    assert first[0].names == (ORIGIN,)
    assert grown(studio, 3, 9).signed_old
    assert parse_note(proven(studio, 2).receipt.checkpoint).text.split("\n")[1] == "3"


def test_two_states_are_proven_in_every_case(studio: Studio) -> None:
    studio.log.append([envelope(step(step_id=str(n))) for n in range(9)])
    for old in range(10):
        for new in range(old, 10):
            found = grown(studio, old, new)
            assert bool(found.steps_of_new) == (0 < old < new)
            if found.steps_of_new:
                assert found.steps_of_new[-1].result == found.new.root == tree(studio.log, new).root
            if found.steps_of_old:
                assert found.steps_of_old[-1].result == found.old.root


@pytest.mark.parametrize(
    ("days", "width"), [(1, 1), (42, 1), (43, 7), (400, 28), (4_000, 364), (40_000, 953)]
)
def test_growth_has_every_entry_in_one_bar_and_few_bars(studio: Studio, days: int, width: int) -> None:
    clock = studio.clock
    assert isinstance(clock, FixedClock)
    log_clock = studio.log._clock
    assert isinstance(log_clock, FixedClock)
    start = log_clock.moment
    for number, at in enumerate((0.0, 0.2, days / 2, days - 1)):
        log_clock.moment = start + timedelta(days=at)
        say(studio, step(step_id=f"a{number}"))
        say(studio, step(step_id=f"b{number}"))
    found = growth(studio, start + timedelta(days=days - 1))
    assert found is not None
    assert (found.days, sum(bar.entries for bar in found.bars)) == (width, 8)
    assert len(found.bars) <= MOST_BARS
    assert found.bars[0].day == start.replace(hour=0, minute=0, second=0, microsecond=0)
    assert min(bar.entries for bar in found.bars) >= 0


def test_a_clock_that_ran_backwards_loses_no_entry(studio: Studio) -> None:
    say(studio, step())
    assert growth(studio, datetime(2000, 1, 1, tzinfo=studio.clock.now().tzinfo)) is not None


def told_of(studio: Studio, predicate: Predicate, *signers: SeedSigner) -> tuple[str | None, ...]:
    index = say(studio, predicate, *signers)
    return tuple(signer.trouble for signer in told(studio, Keys(studio), index).signers)


def test_a_signature_counts_or_it_is_said_why_not(studio: Studio) -> None:
    opened(studio)
    assert told_of(studio, step()) == (None,)
    assert told_of(studio, step(step_id="2"), DEVICE, OTHER) == (None, "key.unknown")
    say(studio, revocation(suspect_from=3))
    assert told_of(studio, step(step_id="3")) == ("key.revoked",)
    assert [each.trouble for each in told(studio, Keys(studio), 2).signers] == [None]
    assert [each.trouble for each in told(studio, Keys(studio), 3).signers] == ["key.suspect", "key.unknown"]
    wrong = envelope(step(step_id="4"), REGISTRAR).replace(REGISTRAR.keyid.encode(), DEVICE.keyid.encode())
    index = studio.log.append([wrong])[0].index
    assert told(studio, Keys(studio), index).signers[0].trouble in {"key.revoked", "envelope.signature"}


def test_keys_count_from_one_entry_to_another(studio: Studio) -> None:
    opened(studio)
    say(studio, step())
    say(studio, revocation(suspect_from=2))
    found, size = key_spans(Keys(studio))
    by_name = {span.device: span for span in found}
    assert size == 4
    device = by_name["ws-01"]
    assert (device.role, device.since, device.ended, device.suspect_from) == ("device", 1, 3, 2)
    assert (by_name["log"].since, by_name["log"].ended) == (None, None)
    assert by_name["registrar"].role == "registrar"


def test_commitments_are_told_apart_from_what_is_said(studio: Studio) -> None:
    opened(studio)
    found = told(studio, Keys(studio), say(studio, grant()))
    assert found.commitments == (commitment("licensor"),)
    assert "_sd" not in str(found.says)
    assert (found.kind, found.is_work, found.is_plain) == ("grant", False, True)
    assert studio.entries.envelope(found.index).decode() == found.text


def test_a_reader_without_the_registry_is_told_nothing_of_it(studio: Studio) -> None:
    opened(studio)
    work, registry = say(studio, step()), say(studio, grant())
    for sight, seen in ((ALL, (True, True)), (WORK_ALONE, (True, False)), (NOTHING, (False, False))):
        assert tuple(line(studio, index, sight) is not None for index in (work, registry)) == seen
    assert sight_of(viewer(Role.DISTRIBUTOR), "nightfall").work is False


def test_entries_are_found_by_what_a_reader_may_know(studio: Studio) -> None:
    opened(studio)
    index = say(studio, statement(step(materials=(component("dataset"),)), Artifact("frame", FRAME)), DEVICE)
    leaf = leaf_hash(studio.entries.envelope(index)).hex()
    for text in (str(index), f" #{index} ", leaf, leaf.upper(), f"sha256:{leaf}"):
        assert sought(studio, Keys(studio), text, NOTHING) == [index], text
    assert (
        sought(studio, Keys(studio), FRAME, ALL) == sought(studio, Keys(studio), FRAME, WORK_ALONE) == [index]
    )
    assert sought(studio, Keys(studio), digest("dataset"), ALL) == [index]
    assert sought(studio, Keys(studio), digest("dataset"), WORK_ALONE) == []
    assert sought(studio, Keys(studio), FRAME, NOTHING) == []
    assert sought(studio, Keys(studio), DEVICE.keyid, WORK_ALONE) == [index]
    assert sought(studio, Keys(studio), DEVICE.keyid, ALL) == [1, index]
    assert sought(studio, Keys(studio), DEVICE.keyid, NOTHING) == []
    for nothing in ("", "x", "-1", "00", FRAME[:63], "9" * 40, "'; DROP TABLE entry", digest("nobody")):
        assert sought(studio, Keys(studio), nothing, ALL) == [], nothing


def test_what_was_found_a_thousand_times_is_named_a_few_times(studio: Studio) -> None:
    opened(studio)
    fill(studio, (made(f"frame {n}", of=[component("plate")], step_id=str(n)) for n in range(MOST + 50)))
    assert len(sought(studio, Keys(studio), digest("plate"), ALL)) == MOST
    assert len(sought(studio, Keys(studio), DEVICE.keyid, ALL)) == MOST


def test_a_proof_of_one_entry_has_no_step(studio: Studio) -> None:
    say(studio, enrolment())
    found = proven(studio, 0)
    assert (found.steps, found.leaf) == ((), found.stated.root)
