"""Publication with witnesses: what is published below the quorum, what stops it, and what is kept."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from ledger.core.cosignature import CosignatureSigner
from ledger.core.note import NoteSignature, format_lines, parse_note
from ledger.errors import IntegrityError, RefusedError, UndecidedError
from ledger.service.log.publish import INTERVAL, Published, Publisher, publish
from ledger.service.log.witnessing import Witnessing
from ledger.testing import FixedClock, MemoryAlarms, MemoryCheckpointStore, MemoryPublication
from tests.support.log import entries, new_log
from tests.support.witness import Direct, cosigner_key, new_witness, policy_of, witnessing

NAMES = ("a", "b", "c")
KEYS = [cosigner_key(name) for name in NAMES]


class Dead:
    """A witness that cannot be reached."""

    def __init__(self, name: str) -> None:
        self.name = name

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
        raise UndecidedError("witness.unavailable", "Dead.", witness=self.name)

    def checkpoint(self, origin: str) -> bytes | None:
        raise UndecidedError("witness.unavailable", "Dead.", witness=self.name)


class Slow(Dead):
    """A witness that answers when nobody listens any more."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.let_go = threading.Event()

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
        self.let_go.wait(60)
        return b""


class Saying(Dead):
    """A witness that answers the same to everything."""

    def __init__(self, name: str, answer: bytes) -> None:
        super().__init__(name)
        self.answer = answer

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
        return self.answer


def direct(name: str) -> Direct:
    return Direct(name, new_witness(name))


def cosigners(checkpoint: bytes | None) -> list[str]:
    assert checkpoint is not None
    return [line.name for line in parse_note(checkpoint).signatures[1:]]


def test_the_published_checkpoint_is_cosigned_and_kept() -> None:
    log, public = new_log(), MemoryPublication()
    asked = witnessing(policy_of("2", *KEYS), *map(direct, NAMES))
    for size in (1, 7, 300):
        log.append(entries(size))
        done = publish(log, public, witnessing=asked)
        assert done.quorum is not None
        assert (done.quorum.met, done.quorum.signed, done.trouble) == (True, NAMES, ())
        assert public.files["checkpoint"] == done.checkpoint
        assert asked.checkpoints.covering(size) == done.checkpoint
        checkpoint, found = asked.policy.open(done.checkpoint)
        assert (checkpoint.size, len(found)) == (size, 3)


def test_each_witness_is_asked_once_and_from_the_size_it_knows() -> None:
    log, public, witnesses = new_log(), MemoryPublication(), [direct(name) for name in NAMES]
    asked = witnessing(policy_of("all", *KEYS), *witnesses)
    for size in (3, 9):
        log.append(entries(size))
        publish(log, public, witnessing=asked)
        assert publish(log, public, witnessing=asked).files == 0
    assert [witness.asked for witness in witnesses] == [[0, 3]] * 3


def test_a_witness_that_knows_more_than_we_remember_is_asked_again() -> None:
    log, public, witness = new_log(), MemoryPublication(), direct("a")
    log.append(entries(3))
    publish(log, public, witnessing=witnessing(policy_of("all", KEYS[0]), witness))
    log.append(entries(9))
    publish(log, public, witnessing=witnessing(policy_of("all", KEYS[0]), witness))  # an empty store
    assert witness.asked == [0, 0, 3]
    assert cosigners(public.files["checkpoint"]) == [KEYS[0].name]


def test_fail_open_publishes_what_there_is_and_says_so() -> None:
    log, public = new_log(), MemoryPublication()
    log.append(entries(3))
    asked = witnessing(policy_of("2", *KEYS), direct("a"), Dead("b"), Dead("c"), fail_closed=False)
    done = publish(log, public, witnessing=asked)
    assert done.quorum is not None
    assert (done.quorum.met, done.quorum.signed, done.quorum.missing) == (False, ("a",), ("b", "c"))
    assert [error.evidence["witness"] for error in done.trouble] == ["b", "c"]
    assert cosigners(public.files["checkpoint"]) == [KEYS[0].name]


def test_fail_closed_keeps_the_older_checkpoint_and_loses_nothing() -> None:
    log, public, store = new_log(), MemoryPublication(), MemoryCheckpointStore()
    policy, first = policy_of("2", *KEYS), direct("a")
    log.append(entries(3))
    publish(log, public, witnessing=Witnessing(policy, [first, direct("b")], store, fail_closed=True))
    before = public.files["checkpoint"]
    log.append(entries(9))
    with pytest.raises(UndecidedError) as error:
        publish(log, public, witnessing=Witnessing(policy, [first, Dead("b")], store, fail_closed=True))
    assert (error.value.code, error.value.evidence["signed"]) == ("witness.quorum", "a")
    assert public.files["checkpoint"] == before
    assert cosigners(store.covering(9)) == [KEYS[0].name]

    third = direct("c")
    done = publish(log, public, witnessing=Witnessing(policy, [Dead("a"), third], store, fail_closed=True))
    assert (done.size, cosigners(done.checkpoint)) == (9, [KEYS[0].name, KEYS[2].name])


def test_a_cosignature_that_came_late_replaces_the_published_checkpoint() -> None:
    log, public = new_log(), MemoryPublication()
    log.append(entries(3))
    policy = policy_of("all", KEYS[0], KEYS[1])
    publish(log, public, witnessing=witnessing(policy, direct("a"), Dead("b"), fail_closed=False))
    done = publish(log, public, witnessing=witnessing(policy, Dead("a"), direct("b"), fail_closed=True))
    assert (done.files, cosigners(public.files["checkpoint"])) == (1, [KEYS[0].name, KEYS[1].name])
    assert publish(log, public).checkpoint == done.checkpoint, (
        "the same size without a policy changes nothing"
    )


def test_a_slow_witness_holds_nobody_up() -> None:
    log, public, slow = new_log(), MemoryPublication(), Slow("b")
    log.append(entries(3))
    asked = witnessing(policy_of("any", *KEYS), direct("a"), slow, fail_closed=True, seconds=0.3)
    try:
        done = publish(log, public, witnessing=asked)
    finally:
        slow.let_go.set()
    assert cosigners(done.checkpoint) == [KEYS[0].name]
    assert [error.code for error in done.trouble] == ["witness.unavailable"]


def by_another_key() -> bytes:
    log = new_log()
    log.append(entries(3))
    impostor = CosignatureSigner(KEYS[1].name, cosigner_key("impostor").key)
    return format_lines([impostor.cosign(parse_note(log.head().checkpoint).text, 1)]).encode()


def with_the_right_id() -> bytes:
    line = NoteSignature(KEYS[1].name, KEYS[1].verifier.key_id, bytes(72))
    return format_lines([line]).encode()


@pytest.mark.parametrize(
    "answer",
    [b"", b"garbage", b"\xff\n", b"\n", by_another_key(), with_the_right_id(), by_another_key()[:-1]],
    ids=["nothing", "garbage", "not-utf-8", "empty-line", "another-key", "wrong-signature", "cut"],
)
def test_an_answer_is_not_believed_before_it_verifies(answer: bytes) -> None:
    log, public = new_log(), MemoryPublication()
    log.append(entries(3))
    asked = witnessing(policy_of("any", *KEYS), direct("a"), Saying("b", answer))
    done = publish(log, public, witnessing=asked)
    assert cosigners(done.checkpoint) == [KEYS[0].name]
    assert [error.code for error in done.trouble] == ["witness.unavailable"]


def forked() -> tuple[Any, Any, Direct]:
    """Return two histories under one key, of 9 entries each, and a witness that cosigned the first."""
    one, two, witness = new_log(), new_log(), direct("a")
    one.append(entries(9))
    two.append([*entries(5), *entries(7, "other")])
    publish(one, MemoryPublication(), witnessing=witnessing(policy_of("all", KEYS[0]), witness))
    return one, two, witness


@pytest.mark.parametrize("fail_closed", [True, False])
def test_a_fork_stops_publication_and_keeps_both_checkpoints(fail_closed: bool) -> None:
    _, log, witness = forked()
    public, alarms = MemoryPublication(), MemoryAlarms()
    policy = policy_of("any", *KEYS)
    asked = witnessing(policy, witness, direct("b"), fail_closed=fail_closed)
    with pytest.raises(IntegrityError) as error:
        publish(log, public, alarms=alarms, witnessing=asked)
    assert (error.value.code, error.value.evidence["witness"]) == ("witness.fork", "a")
    (name,) = alarms.open()
    assert error.value.evidence["alarm"] == name
    theirs = witness.checkpoint(log.origin)
    assert alarms.sounded[name] == {"ours.checkpoint": log.head().checkpoint, "theirs.checkpoint": theirs}
    assert "checkpoint" not in public.files
    log.append(entries(1, "more"))
    with pytest.raises(RefusedError) as refused:
        publish(log, public, alarms=alarms)
    assert (refused.value.code, refused.value.evidence["alarm"]) == ("log.alarm", name)
    assert "checkpoint" not in public.files

    alarms.sounded.clear()  # somebody looked
    asked = witnessing(policy, direct("b"), fail_closed=fail_closed)
    assert publish(log, public, alarms=alarms, witnessing=asked).size == 13


def test_a_fork_is_an_alarm_also_when_the_witness_does_not_show_its_side() -> None:
    class Mute(Direct):
        def checkpoint(self, origin: str) -> bytes | None:
            raise UndecidedError("witness.unavailable", "Mute.")

    _, log, witness = forked()
    alarms = MemoryAlarms()
    asked = witnessing(policy_of("all", KEYS[0]), Mute("a", witness.cosigner))
    with pytest.raises(IntegrityError):
        publish(log, MemoryPublication(), alarms=alarms, witnessing=asked)
    assert [kept["theirs.checkpoint"] for kept in alarms.sounded.values()] == [b""]


def test_a_publication_that_contradicts_the_log_is_an_alarm() -> None:
    one, two, _ = forked()
    public, alarms = MemoryPublication(), MemoryAlarms()
    publish(one, public)
    with pytest.raises(IntegrityError) as error:
        publish(two, public, alarms=alarms)
    assert error.value.code == "log.conflict"
    (kept,) = alarms.sounded.values()
    assert kept == {"ours.checkpoint": two.head().checkpoint, "theirs.checkpoint": one.head().checkpoint}


def test_a_database_behind_a_witness_publishes_nothing() -> None:
    newer, older, witness = new_log(), new_log(), direct("a")
    newer.append(entries(9))
    older.append(entries(5))
    policy, public = policy_of("all", KEYS[0]), MemoryPublication()
    publish(newer, MemoryPublication(), witnessing=witnessing(policy, witness))
    with pytest.raises(RefusedError) as error:
        publish(older, public, witnessing=witnessing(policy, witness, fail_closed=False))
    assert (error.value.code, error.value.evidence["signed_size"]) == ("log.rollback", 9)
    assert "checkpoint" not in public.files


def test_a_witness_that_only_claims_a_larger_size_is_not_believed() -> None:
    class Boasting(Direct):
        def checkpoint(self, origin: str) -> bytes | None:
            return b"none of ours"

    newer, older, witness = new_log(), new_log(), direct("a")
    newer.append(entries(9))
    older.append(entries(5))
    policy = policy_of("all", KEYS[0])
    publish(newer, MemoryPublication(), witnessing=witnessing(policy, witness))
    asked = witnessing(policy, Boasting("a", witness.cosigner), fail_closed=False)
    done = publish(older, MemoryPublication(), witnessing=asked)
    assert [error.code for error in done.trouble] == ["witness.unavailable"]


def test_a_witness_ahead_of_an_old_head_is_only_another_publisher() -> None:
    log, witness, policy = new_log(), direct("a"), policy_of("all", KEYS[0])
    log.append(entries(5))

    class Overtaken(Direct):
        """While it is asked, another process appends and publishes."""

        def add_checkpoint(self, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
            if log.store.head().size == 5:
                log.append(entries(9))
                publish(log, MemoryPublication(), witnessing=witnessing(policy, witness))
            return super().add_checkpoint(old_size, proof, checkpoint)

    with pytest.raises(RefusedError) as error:
        publish(log, MemoryPublication(), witnessing=witnessing(policy, Overtaken("a", witness.cosigner)))
    assert error.value.code == "log.fenced"


def test_a_damaged_cosignature_in_the_publication_is_asked_for_again() -> None:
    log, public, asked = new_log(), MemoryPublication(), witnessing(policy_of("all", KEYS[0]), direct("a"))
    log.append(entries(3))
    good = publish(log, public, witnessing=asked).checkpoint
    line = parse_note(good).signatures[1]
    bad = format_lines([NoteSignature(line.name, line.key_id, bytes(72))]).encode()
    public.files["checkpoint"] = log.head().checkpoint + bad
    done = publish(log, public, witnessing=witnessing(asked.policy, direct("a")))
    assert cosigners(done.checkpoint) == [KEYS[0].name]
    assert asked.policy.open(public.files["checkpoint"])[0].size == 3


def test_a_post_quantum_witness_counts() -> None:
    key = cosigner_key("pq", post_quantum=True)
    log, public = new_log(), MemoryPublication()
    log.append(entries(3))
    witness = Direct("pq", new_witness("pq", post_quantum=True))
    done = publish(log, public, witnessing=witnessing(policy_of("all", key), witness))
    assert done.quorum is not None
    assert done.quorum.met
    assert publish(log, public, witnessing=witnessing(policy_of("all", key), Dead("pq"))).files == 0


# --- in a loop ----------------------------------------------------------------------------------------------


def test_a_publisher_publishes_at_most_once_a_second() -> None:
    clock, runs = FixedClock(), list[int]()

    def run() -> Published:
        runs.append(1)
        return Published(len(runs), b"", 0)

    publisher = Publisher(run, clock)
    assert publisher.tick() == Published(1, b"", 0)
    clock.moment += INTERVAL - timedelta(microseconds=1)
    assert publisher.tick() is None
    clock.moment += timedelta(microseconds=1)
    assert publisher.tick() == Published(2, b"", 0)


def test_a_clock_that_jumps_back_does_not_stop_a_publisher() -> None:
    clock = FixedClock()
    publisher = Publisher(lambda: Published(1, b"", 0), clock)
    assert publisher.tick()
    clock.moment -= timedelta(days=1)
    assert publisher.tick()
    assert publisher.tick() is None
