"""Following somebody else's log: does it still say what it said before?

* What the log signed is compared with what it signed earlier. The newest checkpoint whose tree it showed is
  kept; it moves forward only, and only over a proof made from the log's own tiles.
* A split view is proven by two signed checkpoints: of one size with two roots, or the larger with a proof
  that its tree begins otherwise than the smaller says. Both are kept as evidence, and what is kept stays.
* A smaller checkpoint that belongs to the same tree is no fork: a cache served it late.
* A signed checkpoint that was not shown to belong is not forgotten. It is compared again at each look: a log
  cannot show another view for a moment and hide its tiles, and a split view stays one.
* The first sight of a log has nothing to be compared with. It is taken as it is, and said to be so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from ledger.core import canonical
from ledger.core.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.core.cosignature import open_cosigned
from ledger.core.digest import sha256_hex
from ledger.core.note import NoteVerifier
from ledger.core.policy import Policy, Quorum
from ledger.errors import IntegrityError, RakkanError, RefusedError, UndecidedError, UsageError
from ledger.ports import Publication, PublishedLog
from ledger.service.log.monitor_proofs import check_tree, contradicts

CHECKPOINT = "checkpoint"
"""The newest proven checkpoint, as published; in the log and in the monitor's state."""

HISTORY = "history.json"
"""Proven checkpoints, one for each power of two that the size passed; a JSON list of signed notes."""

UNPROVEN = "unproven.json"
"""Signed checkpoints that were not shown to belong to the kept tree; a JSON list of signed notes."""

MAX_UNPROVEN = 64
_ATTEMPTS = 20

_Result = TypeVar("_Result")


class Finding(StrEnum):
    """How what is published compares with what was kept."""

    FIRST = "first"
    SAME = "same"
    GROWN = "grown"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at a log: what it showed, what was kept before, how witnesses stand (``None``: no policy).

    ``unproven`` counts the signed checkpoints that could not be compared yet.
    """

    finding: Finding
    seen: Checkpoint
    kept: Checkpoint | None
    unproven: int
    quorum: Quorum | None

    @property
    def newest(self) -> Checkpoint:
        """The checkpoint that is kept now."""
        return self.kept if self.kept and self.kept.size > self.seen.size else self.seen


@dataclass(frozen=True, slots=True)
class _Signed:
    """A checkpoint and the note that it came in."""

    note: bytes
    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        return self.checkpoint.size


class Monitor:
    """One published log, by the keys that may sign it, and the state that is kept of it.

    ``state`` is any place that keeps files as a publication does. Monitors at the same time may share it.
    """

    def __init__(
        self,
        log: PublishedLog,
        state: Publication,
        keys: Sequence[NoteVerifier],
        policy: Policy | None = None,
    ) -> None:
        self.log = log
        self.state = state
        self._policy = policy
        self._keys = [*keys, *(known.verifier for known in policy.logs)] if policy else list(keys)

    def look(self) -> Sighting:
        """Compare what is published now with what was kept, and keep it if it is newer.

        Raises ``IntegrityError("log.conflict")`` for a split view, with the folder of its evidence;
        ``IntegrityError("monitor.tiles")``, ``UndecidedError`` with ``monitor.incomplete`` or
        ``http.unavailable``, what ``open_checkpoint`` raises, and ``UsageError("monitor.state")`` for a state
        that is damaged or of another log. The state then stays at what it was.
        """
        return _repeated(self._look)

    def _look(self) -> Sighting:
        note = self.log.get(CHECKPOINT)
        if note is None:
            raise UndecidedError("monitor.incomplete", "No checkpoint is published there.")
        checkpoint, quorum = self._open(note)
        seen, kept = _Signed(note, checkpoint), self._kept(checkpoint.origin)
        try:
            finding = self._compare(kept, seen)
        except RakkanError:
            self._remember(seen)
            raise
        if finding in {Finding.FIRST, Finding.GROWN}:
            self._keep(kept, seen)
        newest = seen if kept is None or seen.size > kept.size else kept
        unproven = self._settle(newest)
        return Sighting(finding, checkpoint, kept.checkpoint if kept else None, unproven, quorum)

    def _open(self, note: bytes) -> tuple[Checkpoint, Quorum | None]:
        if self._policy is None:
            return open_checkpoint(note, self._keys), None
        witnesses = [witness.verifier for witness in self._policy.witnesses]
        checkpoint, found = open_cosigned(note, self._keys, witnesses)
        return checkpoint, self._policy.evaluate([cosignature.verifier for cosignature in found])

    def _compare(self, kept: _Signed | None, seen: _Signed) -> Finding:
        if kept is None:
            check_tree(self.log, seen.checkpoint)
            return Finding.FIRST
        if seen.size >= kept.size:
            self._require(kept, seen)
            return Finding.GROWN if seen.size > kept.size else Finding.SAME
        try:
            self._require(seen, kept)
        except RakkanError as error:
            # The larger tree may be out of reach, for instance on a log that went back. What was kept on
            # the way there can still prove that this is another tree.
            if error.code != "log.conflict":
                for earlier in self._list(HISTORY)[1]:
                    if earlier.size <= seen.size:
                        self._require(earlier, seen)
            raise
        return Finding.OLDER

    def _require(self, old: _Signed, new: _Signed) -> None:
        """Return if the smaller tree is the beginning of the larger one; else keep the evidence and raise."""
        contradiction = contradicts(self.log, old.checkpoint, new.checkpoint)
        if contradiction is None:
            return
        folder = f"evidence/{old.size}-{new.size}-{sha256_hex(old.note + new.note)[:16]}"
        self.state.put_immutable(f"{folder}/older.checkpoint", old.note)
        self.state.put_immutable(f"{folder}/newer.checkpoint", new.note)
        self.state.put_immutable(f"{folder}/proof.json", contradiction.to_json())
        raise IntegrityError(
            "log.conflict",
            "The log has signed two trees that contradict each other: a split view.",
            older_size=old.size,
            older_root=old.checkpoint.root.hex(),
            newer_size=new.size,
            newer_root=new.checkpoint.root.hex(),
            evidence=folder,
        )

    def _kept(self, origin: str) -> _Signed | None:
        note = self.state.get(CHECKPOINT)
        if note is None:
            return None
        try:
            kept = _Signed(note, open_checkpoint(note, self._keys))
        except RakkanError as error:
            raise bad_state(CHECKPOINT, error) from error
        if kept.checkpoint.origin != origin:
            raise bad_state(CHECKPOINT, kept.checkpoint.origin)
        return kept

    def _keep(self, kept: _Signed | None, seen: _Signed) -> None:
        # First, so that a state that is damaged here does not move on. What another monitor keeps meanwhile
        # in the same power of two is as good.
        self._change(
            HISTORY,
            lambda held: [
                *(item for item in held if item.size.bit_length() != seen.size.bit_length()),
                seen,
            ],
        )
        self.state.swap(CHECKPOINT, kept.note if kept else None, seen.note)

    def _remember(self, seen: _Signed) -> None:
        def added(held: list[_Signed]) -> list[_Signed]:
            known = seen.checkpoint in [item.checkpoint for item in held]
            return held if known or len(held) >= MAX_UNPROVEN else [*held, seen]

        self._change(UNPROVEN, added)

    def _settle(self, newest: _Signed) -> int:
        """Compare what could not be compared before; return how much still cannot."""
        unproven = self._list(UNPROVEN)[1]
        done = [item for item in unproven if item.size <= newest.size and self._belongs(item, newest)]
        if done:
            self._change(UNPROVEN, lambda held: [item for item in held if item not in done])
        return len(unproven) - len(done)

    def _belongs(self, item: _Signed, newest: _Signed) -> bool:
        try:
            self._require(item, newest)
        except RakkanError as error:
            if error.code == "log.conflict":
                raise
            return False
        return True

    def _list(self, name: str) -> tuple[bytes | None, list[_Signed]]:
        raw = self.state.get(name)
        if raw is None:
            return None, []
        try:
            notes = [note.encode() for note in canonical.decode(raw)]
            return raw, [_Signed(note, parse_checkpoint(note)) for note in notes]
        except (RakkanError, AttributeError, TypeError) as error:
            raise bad_state(name, error) from error

    def _change(self, name: str, change: Callable[[list[_Signed]], list[_Signed]]) -> None:
        def once() -> None:
            raw, held = self._list(name)
            items = change(held)
            if items != held:
                self.state.swap(name, raw, canonical.encode([item.note.decode() for item in items]))

        _repeated(once)


def _repeated(act: Callable[[], _Result]) -> _Result:
    """Act, and again while another monitor moves the shared state first; then on what is there now."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return act()
        except RefusedError as error:
            if error.code != "log.fenced":
                raise
    return act()


def bad_state(name: str, cause: object) -> UsageError:
    """Return the error for a file of the state that is damaged, or is of another log."""
    return UsageError(
        "monitor.state", f"What is kept as {name} is damaged, or is of another log.", name=name, cause=cause
    )
