"""Cosignatures for our own checkpoint: ask the policy's witnesses, believe nothing unverified.

* All witnesses are asked at once, and only those whose cosignature is not there yet. One that gives no answer
  that counts in time is missing; nobody waits for it longer.
* A witness is asked from the size that it last cosigned, as far as we know. It may answer with another size:
  then it is asked once more, from there.
* Every cosignature that verifies is kept, durably, before anything is published, also below the quorum.
* A witness that holds more than the log, under the log's own signature, shows that the log was rolled back.
* A contradiction is ``ForkError``, with the checkpoint that the witness holds where it can be had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread

from ledger.core.checkpoint import open_checkpoint
from ledger.core.cosignature import CosignatureVerifier, time_of
from ledger.core.merkle import root
from ledger.core.note import Note, NoteSignature, format_note, parse_lines, parse_note, verified_lines
from ledger.core.policy import Policy, Quorum
from ledger.core.witness import StaleSizeError
from ledger.errors import IntegrityError, RakkanError, RefusedError, UndecidedError
from ledger.ports import CheckpointStore, Head, Witness
from ledger.service.log.sequence import Log


@dataclass(frozen=True, slots=True)
class Witnessing:
    """Who is asked, and what is enough.

    ``witnesses`` bear the names of the policy's witnesses. With ``fail_closed`` nothing is published until
    the quorum is met. ``seconds`` bounds the wait for all of them together.
    """

    policy: Policy
    witnesses: Sequence[Witness]
    checkpoints: CheckpointStore
    fail_closed: bool
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint with every cosignature there is, how it stands, and why the missing ones are missing."""

    checkpoint: bytes
    quorum: Quorum
    trouble: tuple[UndecidedError, ...]


class ForkError(IntegrityError):
    """A witness refused our checkpoint as contradicting its own, which is ``theirs`` (``b""``: not had)."""

    def __init__(self, cause: IntegrityError, witness: str, theirs: bytes) -> None:
        super().__init__(cause.code, cause.message, **cause.evidence, witness=witness)
        self.theirs = theirs


def cosign(log: Log, head: Head, known: Sequence[bytes], witnessing: Witnessing) -> Cosigned:
    """Return the head's checkpoint with the cosignatures in ``known`` and those that can be had now.

    ``known`` are checkpoints from elsewhere, such as the published one. Raises ``ForkError``,
    ``RefusedError("log.rollback")``, and what the log and the checkpoint store raise.
    """
    verifiers = {witness.name: witness.verifier for witness in witnessing.policy.witnesses}
    stored = witnessing.checkpoints.covering(head.size)
    lines = _gathered(head, [*known, *([stored] if stored else [])], tuple(verifiers.values()))
    last = _last(witnessing.checkpoints.newest(), tuple(verifiers.values()), head.size)
    asking = [
        _Asking(log, head, witness, verifiers[witness.name], last.get(verifiers[witness.name], 0))
        for witness in witnessing.witnesses
        if verifiers[witness.name] not in lines
    ]
    answers = _all_at_once(asking, witnessing.seconds)
    lines |= {
        ask.verifier: answer
        for ask, answer in zip(asking, answers, strict=True)
        if isinstance(answer, NoteSignature)
    }
    note = parse_note(head.checkpoint)
    whole = format_note(Note(note.text, (*note.signatures, *lines.values())))
    if lines and whole != stored:
        witnessing.checkpoints.put(head.size, whole)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, UndecidedError):
            raise answer
    trouble = tuple(answer for answer in answers if isinstance(answer, UndecidedError))
    return Cosigned(whole, witnessing.policy.evaluate(lines.keys()), trouble)


@dataclass(frozen=True, slots=True)
class _Asking:
    """One witness to be asked for its cosignature over the head, from the size that it may know."""

    log: Log
    head: Head
    witness: Witness
    verifier: CosignatureVerifier
    old_size: int

    def __call__(self) -> NoteSignature:
        """Return its signature line, verified. Raises as ``cosign``, and ``witness.unavailable``."""
        try:
            try:
                return self._request(self.old_size)
            except StaleSizeError as stale:
                return self._request(self._checked(stale.size))
        except StaleSizeError as stale:
            raise self._unavailable("It names one size and then another.") from stale
        except IntegrityError as error:
            if error.code != "witness.fork":
                raise
            raise ForkError(error, self.witness.name, self._theirs()) from error

    def _request(self, old_size: int) -> NoteSignature:
        proof = self.log.consistency(old_size, self.head.size)
        answer = self.witness.add_checkpoint(old_size, proof, self.head.checkpoint)
        text = parse_note(self.head.checkpoint).text
        try:
            found = verified_lines(Note(text, parse_lines(answer.decode())), [self.verifier])
        except (RakkanError, ValueError) as error:
            raise self._unavailable("Its cosignature does not verify.") from error
        if not found:
            raise self._unavailable("It answered with signatures by other keys.")
        return found[0][1]

    def _checked(self, size: int) -> int:
        """Return the size that the witness says it holds, if we hold as much."""
        if size <= self.head.size:
            return size
        try:
            theirs = open_checkpoint(self._theirs(), self.log.verifiers)
        except RakkanError as error:
            raise self._unavailable("It names a size that this log never signed.") from error
        if theirs.size <= self.log.head().size:
            raise RefusedError("log.fenced", "Another publisher was faster.", size=theirs.size)
        raise RefusedError(
            "log.rollback",
            "A witness holds more than the log, under the log's own signature.",
            witness=self.witness.name,
            signed_size=theirs.size,
            signed_root=theirs.root.hex(),
            held_size=self.head.size,
            held_root=root(self.head.peaks).hex(),
        )

    def _theirs(self) -> bytes:
        """Return the checkpoint that the witness holds, unverified; ``b""`` when it cannot be had."""
        try:
            return self.witness.checkpoint(self.log.origin) or b""
        except UndecidedError:
            return b""

    def _unavailable(self, why: str) -> UndecidedError:
        return UndecidedError("witness.unavailable", why, witness=self.witness.name)


def _gathered(
    head: Head, notes: Sequence[bytes], verifiers: Sequence[CosignatureVerifier]
) -> dict[CosignatureVerifier, NoteSignature]:
    """Return each witness's newest cosignature over the head's checkpoint in these notes."""
    text = parse_note(head.checkpoint).text
    lines = [line for data in notes for line in parse_note(data).signatures if parse_note(data).text == text]
    found: dict[CosignatureVerifier, NoteSignature] = {}
    for line in lines:
        try:
            verified = verified_lines(Note(text, (line,)), verifiers)
        except IntegrityError:
            continue  # what somebody else holds is not ours to repair: ask the witness again
        for verifier, _ in verified:
            if verifier not in found or time_of(found[verifier].signature) < time_of(line.signature):
                found[verifier] = line
    return found


def _last(
    newest: bytes | None, verifiers: Sequence[CosignatureVerifier], limit: int
) -> Mapping[CosignatureVerifier, int]:
    """Return the size that each of the witnesses who signed our newest cosigned checkpoint knows by it."""
    if newest is None:
        return {}
    note = parse_note(newest)
    size = int(note.text.split("\n")[1])
    signed = [(line.name, line.key_id) for line in note.signatures]
    return {
        verifier: size
        for verifier in verifiers
        if size <= limit and (verifier.name, verifier.key_id) in signed
    }


def _all_at_once(
    calls: Sequence[Callable[[], NoteSignature]], seconds: float
) -> list[NoteSignature | BaseException]:
    """Run the calls in threads that nobody waits for any longer, and return what each returned or raised."""
    futures = [_started(call) for call in calls]
    wait(futures, timeout=seconds)
    late = UndecidedError("witness.unavailable", "A witness did not answer in time.", seconds=seconds)
    return [_outcome(future) if future.done() else late for future in futures]


def _outcome(future: Future[NoteSignature]) -> NoteSignature | BaseException:
    return future.exception() or future.result()


def _started(call: Callable[[], NoteSignature]) -> Future[NoteSignature]:
    future: Future[NoteSignature] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is looked at
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future
