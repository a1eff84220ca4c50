"""The witness's rules, status by status, and what our witness keeps."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from ledger.core.checkpoint import Checkpoint, format_body, sign_checkpoint
from ledger.core.cosignature import open_cosigned
from ledger.core.merkle import EMPTY_ROOT, leaf_hash
from ledger.core.note import Note, NoteSignature, NoteSigner, format_note, parse_lines, parse_note, sign_note
from ledger.core.witness import (
    SIZE_TYPE,
    Accepted,
    Fork,
    Refused,
    Request,
    StaleSizeError,
    check_answer,
    format_request,
    judge,
    parse_request,
)
from ledger.errors import IntegrityError, MalformedError
from ledger.service.log.witness import Answer, Cosigner
from ledger.testing import FixedClock, MemoryAlarms, MemoryPublication, SeedSigner
from tests.support.log import ORIGIN, entries, new_log, proof, tree_hash
from tests.support.witness import LOG, cosigner_key, new_witness

SIGNER = new_log().signer
LEAVES = [leaf_hash(entry) for entry in entries(20)]
OTHERS = [*LEAVES[:5], *(leaf_hash(entry) for entry in entries(15, "other"))]
STATE = f"{sha256(ORIGIN.encode()).hexdigest()}/checkpoint"


def at(size: int, leaves: list[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(ORIGIN, size, tree_hash(leaves[:size]))


def signed(size: int, leaves: list[bytes] = LEAVES) -> bytes:
    return sign_checkpoint(ORIGIN, size, at(size, leaves).root, [SIGNER])


def request(old: int, new: int, leaves: list[bytes] = LEAVES) -> Request:
    hashes = proof(old, leaves[:new]) if 0 < old < new else []
    return Request(old, tuple(hashes), signed(new, leaves))


def refused(found: Accepted | Refused) -> Refused:
    assert isinstance(found, Refused)
    return found


def with_note(note: Note, old: int = 3) -> Request:
    return Request(old, (), format_note(note))


# --- the rules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), [(0, 1), (0, 9), (1, 2), (7, 8), (8, 9), (8, 16), (9, 20)])
def test_a_log_that_grew_is_accepted(old: int, new: int) -> None:
    found = judge(request(old, new), at(old) if old else None, [LOG])
    assert isinstance(found, Accepted)
    assert (found.checkpoint, format_note(found.note)) == (at(new), signed(new))


def test_the_same_checkpoint_again_is_accepted() -> None:
    assert isinstance(judge(request(7, 7), at(7), [LOG]), Accepted)


def test_the_empty_log_is_accepted() -> None:
    note = sign_checkpoint(ORIGIN, 0, EMPTY_ROOT, [SIGNER])
    assert isinstance(judge(Request(0, (), note), None, [LOG]), Accepted)


def test_only_the_log_s_own_signatures_are_taken_over() -> None:
    stranger = NoteSigner("stranger.example", SeedSigner("stranger"))
    note = sign_checkpoint(ORIGIN, 7, at(7).root, [stranger, SIGNER])
    found = judge(Request(0, (), note), None, [LOG])
    assert isinstance(found, Accepted)
    assert format_note(found.note) == signed(7)


def test_an_unknown_log_is_404() -> None:
    other = NoteSigner("other.example", SeedSigner("other")).verifier
    assert refused(judge(request(0, 7), None, [other])).status == 404
    assert refused(judge(request(0, 7), None, [])).status == 404


def test_a_checkpoint_that_the_log_did_not_sign_is_403() -> None:
    impostor = NoteSigner(ORIGIN, SeedSigner("impostor"))
    forged = sign_checkpoint(ORIGIN, 7, at(7).root, [impostor])
    assert refused(judge(Request(0, (), forged), None, [LOG])).status == 403


def test_a_wrong_signature_by_the_log_is_403_also_beside_a_good_one() -> None:
    good = parse_note(signed(7))
    line = good.signatures[0]
    bad = NoteSignature(line.name, line.key_id, bytes(64))
    for lines in ((bad,), (bad, line)):
        found = refused(judge(with_note(Note(good.text, lines), 0), None, [LOG]))
        assert (found.status, found.fork) == (403, None)


def test_an_old_size_beyond_the_checkpoint_is_400() -> None:
    assert refused(judge(Request(8, (), signed(7)), at(8), [LOG])).status == 400


@pytest.mark.parametrize(("old", "held"), [(0, 5), (3, 5), (5, None), (7, 5)])
def test_another_old_size_is_409_with_the_size_that_is_held(old: int, held: int | None) -> None:
    found = refused(judge(request(old, 9), at(held) if held else None, [LOG]))
    assert (found.status, found.size, found.fork) == (409, held or 0, None)


def test_an_old_size_that_is_wrong_still_shows_a_fork_of_the_held_size() -> None:
    found = refused(judge(request(3, 9, OTHERS), at(9), [LOG]))
    assert (found.status, found.size, found.fork) == (409, 9, Fork.PROVEN)
    assert found.evidence == signed(9, OTHERS)


def test_another_root_at_the_held_size_is_422_and_proven() -> None:
    found = refused(judge(request(9, 9, OTHERS), at(9), [LOG]))
    assert (found.status, found.fork, found.evidence) == (422, Fork.PROVEN, signed(9, OTHERS))


def test_a_proof_that_does_not_verify_is_422_and_possible() -> None:
    for wrong in (
        request(9, 12, OTHERS),
        Request(9, (), signed(12)),
        Request(9, (bytes(32),) * 4, signed(12)),
    ):
        found = refused(judge(wrong, at(9), [LOG]))
        assert (found.status, found.fork) == (422, Fork.POSSIBLE)


def test_a_proof_from_nothing_must_be_empty() -> None:
    found = refused(judge(Request(0, (bytes(32),), signed(7)), None, [LOG]))
    assert (found.status, found.fork) == (422, None)


def test_an_empty_tree_with_another_root_is_422() -> None:
    note = sign_note(format_body(Checkpoint(ORIGIN, 0, bytes(32))), [SIGNER])
    found = refused(judge(parse_request(format_request(Request(0, (), note))), None, [LOG]))
    assert (found.status, found.fork) == (422, Fork.PROVEN)


# --- our witness --------------------------------------------------------------------------------------------


def add(witness: Cosigner, asked: Request) -> Answer:
    return witness.add_checkpoint(format_request(asked))


def test_it_keeps_the_whole_checkpoint_before_it_answers() -> None:
    state = MemoryPublication()
    witness = new_witness("w", state)
    answer = add(witness, request(0, 7))
    assert (answer.status, answer.media_type) == (200, "text/plain; charset=utf-8")
    checkpoint, (cosignature,) = open_cosigned(state.files[STATE], [LOG], [witness.signer.verifier])
    assert (checkpoint, cosignature.time) == (at(7), int(FixedClock().now().timestamp()))
    note = parse_note(signed(7))
    lines = parse_lines(answer.body.decode())
    assert state.files[STATE] == format_note(Note(note.text, note.signatures + lines))
    assert witness.checkpoint(STATE.partition("/")[0]) == state.files[STATE]


def test_it_answers_as_the_protocol_says() -> None:
    witness = new_witness("w")
    assert add(witness, request(0, 7)).status == 200
    assert add(witness, request(7, 9)).status == 200
    assert add(witness, request(7, 12)) == Answer(409, SIZE_TYPE, b"9\n")
    assert add(witness, request(9, 12, OTHERS)).status == 422
    assert witness.add_checkpoint(b"").status == 400
    assert add(new_witness("v", logs=[]), request(0, 7)).status == 404


def test_it_refuses_a_second_history_for_ever_and_keeps_both_sides_once() -> None:
    alarms, state = MemoryAlarms(), MemoryPublication()
    witness = new_witness("w", state, alarms)
    add(witness, request(0, 9))
    held = state.files[STATE]
    for _ in range(3):
        assert add(witness, request(9, 9, OTHERS)).status == 422
        assert add(witness, request(9, 12, OTHERS)).status == 422
    assert state.files[STATE] == held
    proven, possible = alarms.sounded.values()
    assert proven == {"held.checkpoint": held, "refused.checkpoint": signed(9, OTHERS)}
    assert possible == {"held.checkpoint": held, "refused.checkpoint": signed(12, OTHERS)}
    for note in proven.values():
        assert open_cosigned(note, [LOG], [])[0].size == 9
    assert add(witness, request(9, 12)).status == 200


def test_it_knows_nothing_of_logs_it_was_not_given() -> None:
    witness = new_witness("w")
    assert witness.checkpoint(STATE.partition("/")[0]) is None
    assert witness.checkpoint("0" * 64) is None
    assert witness.checkpoint("../../witness") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: b"",
        lambda file: file[:-3],
        lambda file: signed(7),
        lambda file: file.replace(b"\n7\n", b"\n6\n"),
    ],
    ids=["empty", "cut", "not-cosigned", "changed"],
)
def test_a_damaged_state_is_not_a_fresh_start(damage: object) -> None:
    state = MemoryPublication()
    witness = new_witness("w", state)
    add(witness, request(0, 7))
    assert callable(damage)
    state.files[STATE] = damage(state.files[STATE])
    with pytest.raises(IntegrityError) as error:
        add(witness, request(0, 9, OTHERS))
    assert error.value.code == "witness.state"


def test_the_state_of_another_key_is_not_its_own() -> None:
    state = MemoryPublication()
    add(new_witness("w", state), request(0, 7))
    with pytest.raises(IntegrityError):
        add(new_witness("v", state), request(7, 9))


def test_a_clock_that_jumps_back_does_not_take_the_cosignatures_along() -> None:
    clock, state = FixedClock(datetime(2026, 5, 1, tzinfo=UTC)), MemoryPublication()
    witness = Cosigner(cosigner_key("w"), [LOG], state, MemoryAlarms(), clock)
    add(witness, request(0, 7))
    clock.moment -= timedelta(days=30)
    add(witness, request(7, 9))
    _, (found,) = open_cosigned(state.files[STATE], [LOG], [witness.signer.verifier])
    assert found.time == int(datetime(2026, 5, 1, tzinfo=UTC).timestamp())


def test_of_two_processes_the_second_is_judged_against_what_the_first_left() -> None:
    """The race of the specification: sizes 12 and 9 both continue 7, and 9 must not undo 12."""

    class Racing(MemoryPublication):
        other: Cosigner | None = None

        def swap(self, path: str, old: bytes | None, new: bytes) -> None:
            if self.other is not None:
                faster, self.other = self.other, None
                assert add(faster, request(7, 12)).status == 200
            super().swap(path, old, new)

    state = Racing()
    slow, fast = new_witness("w", state), new_witness("w", state)
    add(slow, request(0, 7))
    state.other = fast
    assert add(slow, request(7, 9)) == Answer(409, SIZE_TYPE, b"12\n")
    assert open_cosigned(state.files[STATE], [LOG], [])[0].size == 12


def test_a_state_that_cannot_be_written_gives_no_cosignature() -> None:
    from ledger.errors import RefusedError

    class Full(MemoryPublication):
        def swap(self, path: str, old: bytes | None, new: bytes) -> None:
            raise RefusedError("log.disk-full", "Full.")

    with pytest.raises(RefusedError):
        add(new_witness("w", Full()), request(0, 7))


# --- what the client makes of an answer ---------------------------------------------------------------------

ASKED = request(7, 9)


def test_a_size_is_an_invitation_to_ask_again() -> None:
    with pytest.raises(StaleSizeError) as error:
        check_answer(409, SIZE_TYPE, b"3\n", ASKED)
    assert error.value.size == 3


@pytest.mark.parametrize(
    ("status", "media_type"), [(422, "text/plain"), (409, "text/plain"), (409, ""), (422, SIZE_TYPE)]
)
def test_a_contradiction_is_a_possible_fork(status: int, media_type: str) -> None:
    with pytest.raises(IntegrityError) as error:
        check_answer(status, media_type, b"3\n", ASKED)
    assert error.value.code == "witness.fork"


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [(status, "text/plain", b"") for status in (201, 204, 301, 400, 403, 404, 429, 500, 503)]
    + [
        (409, SIZE_TYPE, body) for body in (b"", b"3", b"03\n", b"-3\n", b"7\n", b"3\n3\n", b"9" * 30 + b"\n")
    ],
)
def test_other_answers_say_nothing_about_the_log(status: int, media_type: str, body: bytes) -> None:
    with pytest.raises(MalformedError) as error:
        check_answer(status, media_type, body, ASKED)
    assert error.value.code == "witness.answer"
