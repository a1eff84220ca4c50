"""Our own witness (c2sp.org/tlog-witness): vouches that the logs it knows only ever grow.

* The rules are ``core.witness.judge``. This file adds the key, the clock, and the state.
* The state is one file for each log: the newest checkpoint that was cosigned, whole, under the log's and the
  witness's signatures. It is on disk before the answer leaves, and it moves by compare and swap: of two
  requests, also in two processes, the second is judged against what the first one left.
* A state that this witness's key did not sign answers nothing. Starting over would forget what was vouched.
* The time of a cosignature never runs backwards, whatever the clock does.
* A fork is refused, and both checkpoints are kept: a size and a root alone would prove nothing to others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from ledger.core.checkpoint import Checkpoint, parse_checkpoint
from ledger.core.cosignature import CosignatureSigner, time_of
from ledger.core.note import Note, NoteVerifier, format_lines, format_note, parse_note, verified_lines
from ledger.core.witness import SIZE_TYPE, Accepted, Fork, Refused, Request, judge, parse_request
from ledger.errors import IntegrityError, MalformedError, RakkanError
from ledger.ports import Alarms, Clock, Publication

TEXT = "text/plain; charset=utf-8"
_RACES = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server is to answer."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Held:
    """One log's state: its file's bytes (``None``: none yet), what it states, and when it was cosigned."""

    file: bytes | None
    checkpoint: Checkpoint | None
    time: int


class Cosigner:
    """A witness for the logs of these keys, whose names are the origins. Several threads may use it."""

    def __init__(
        self,
        signer: CosignatureSigner,
        logs: Sequence[NoteVerifier],
        state: Publication,
        alarms: Alarms,
        clock: Clock,
    ) -> None:
        self.signer = signer
        self._logs = logs
        self._state = state
        self._alarms = alarms
        self._clock = clock
        self._lock = Lock()
        self._sounded: set[tuple[str, Fork, bytes]] = set()

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a request, durably first.

        Raises ``IntegrityError("witness.state")`` for a damaged state, and what the state's folder raises;
        then nothing was cosigned.
        """
        try:
            request = parse_request(body)
        except MalformedError as error:
            return Answer(400, TEXT, f"{error.message}\n".encode())
        with self._lock:
            for _ in range(_RACES - 1):
                try:
                    return self._answer(request)
                except RakkanError as error:
                    # Another process was faster: judge again, against what it left.
                    if error.code != "log.fenced":
                        raise
            return self._answer(request)

    def checkpoint(self, origin_hash: str) -> bytes | None:
        """Return the newest checkpoint cosigned for the log whose origin has this SHA-256 (hex)."""
        known = {_hash(log.name) for log in self._logs}
        return self._state.get(f"{origin_hash}/checkpoint") if origin_hash in known else None

    def _answer(self, request: Request) -> Answer:
        origin = request.stated.origin
        held = self._held(origin)
        verdict = judge(request, held.checkpoint, self._logs)
        if isinstance(verdict, Refused):
            self._keep(origin, held, verdict)
            if verdict.size is not None:
                return Answer(verdict.status, SIZE_TYPE, f"{verdict.size}\n".encode())
            return Answer(verdict.status, TEXT, f"{verdict.reason}\n".encode())
        return self._cosign(origin, held, verdict)

    def _cosign(self, origin: str, held: _Held, verdict: Accepted) -> Answer:
        time = max(int(self._clock.now().timestamp()), held.time)
        line = self.signer.cosign(verdict.note.text, time)
        note = Note(verdict.note.text, (*verdict.note.signatures, line))
        self._state.swap(f"{_hash(origin)}/checkpoint", held.file, format_note(note))
        return Answer(200, TEXT, format_lines([line]).encode())

    def _held(self, origin: str) -> _Held:
        file = self._state.get(f"{_hash(origin)}/checkpoint")
        if file is None:
            return _Held(None, None, 0)
        try:
            ((_, line),) = verified_lines(parse_note(file), [self.signer.verifier])
            return _Held(file, parse_checkpoint(file), time_of(line.signature))
        except (RakkanError, ValueError) as error:
            raise IntegrityError(
                "witness.state", "The witness's record is damaged or not its own.", origin=origin
            ) from error

    def _keep(self, origin: str, held: _Held, verdict: Refused) -> None:
        """Sound an alarm for a fork, once for what is held: a repeated request must not fill the disk."""
        if verdict.fork is None:
            return
        key = (origin, verdict.fork, held.checkpoint.root if held.checkpoint else b"")
        if key not in self._sounded:
            message = f"A {verdict.fork} fork of {origin}: {verdict.reason}"
            evidence = {"held.checkpoint": held.file or b"", "refused.checkpoint": verdict.evidence}
            self._alarms.sound("witness.fork", message, evidence)
            self._sounded.add(key)


def _hash(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
