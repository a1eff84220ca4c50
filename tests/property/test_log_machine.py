"""A log that is used, published, stopped anywhere, restored and asked, beside the list it should be like."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger.core import merkle
from ledger.core.checkpoint import open_checkpoint
from ledger.core.receipt import format_receipt, parse_receipt, verify_receipt
from ledger.errors import RefusedError
from ledger.service.log.publish import publish
from ledger.service.log.rebuild import rebuild
from tests.support.faults import VERIFIER, check_published, check_report
from tests.support.log import ORIGIN, publication, sqlite_log, tree_hash

ENTRIES = st.binary(min_size=1, max_size=2).filter(lambda entry: not entry.startswith(b"invalid"))
BATCHES = st.lists(ENTRIES, max_size=40)


class StoppedError(Exception):
    """The process ends here."""


class Stopping:
    """A port that works for so many calls and then no more."""

    def __init__(self, port: Any, left: int) -> None:
        self._port, self._left = port, left

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if self._left == 0:
            raise StoppedError
        self._left -= 1
        found: Callable[..., Any] = getattr(self._port, name)
        return found


class LogMachine(RuleBasedStateMachine):
    """The model is the list of distinct entries in the order of their first coming.

    ``recorded`` is the size that the last-signed record must hold at least, ``published`` the size that is
    published, ``backup`` an older database with its size, and ``signed`` every checkpoint that left the log.
    """

    @initialize()
    def make(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.model: list[bytes] = []
        self.published = self.recorded = 0
        self.backup: tuple[int, bytes] | None = None
        self.signed: set[bytes] = set()
        self.open()

    def open(self) -> None:
        self.context = sqlite_log(self.folder)
        self.log = self.context.__enter__()

    @contextmanager
    def closed(self) -> Iterator[Path]:
        """Close the log and yield its database file, which now holds everything; open it again after."""
        self.context.__exit__(None, None, None)
        yield self.folder / "ledger.db"
        self.open()

    def root(self, size: int) -> bytes:
        return tree_hash([merkle.leaf_hash(entry) for entry in self.model[:size]])

    # --- what users do ------------------------------------------------------------------------------------

    @rule(batch=BATCHES)
    def append(self, batch: list[bytes]) -> None:
        appended = self.log.append(batch)
        for entry, result in zip(batch, appended, strict=True):
            assert result.duplicate == (entry in self.model)
            if not result.duplicate:
                self.model.append(entry)
            assert result.index == self.model.index(entry)
        for entry, result in zip(batch, appended, strict=True):
            receipt = parse_receipt(format_receipt(result.receipt))
            checkpoint = verify_receipt(receipt, entry, [VERIFIER])
            assert (checkpoint.origin, checkpoint.size) == (ORIGIN, len(self.model))
            self.signed.add(receipt.checkpoint)
            self.recorded = len(self.model)

    @rule(count=st.integers(1, 300), name=st.binary(min_size=3, max_size=3))
    def append_many(self, count: int, name: bytes) -> None:
        self.append([name + number.to_bytes(2, "big") for number in range(count)])

    @rule(batch=BATCHES)
    def append_with_one_that_is_invalid(self, batch: list[bytes]) -> None:
        with pytest.raises(ValueError, match="invalid"):
            self.log.append([*batch, b"invalid"])

    @precondition(lambda self: self.model)
    @rule()
    def publish(self) -> None:
        target = publication(self.folder)
        self.published = publish(self.log, target).size
        self.recorded = len(self.model)
        assert target.get("checkpoint") == self.log.store.head().checkpoint
        check_published(target, self.model, len(self.model))

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.model) - 1))
        receipt = self.log.receipt(index)
        verify_receipt(receipt, self.model[index], [VERIFIER])
        self.signed.add(receipt.checkpoint)
        self.recorded = len(self.model)
        old = data.draw(st.integers(0, len(self.model)))
        new = data.draw(st.integers(old, len(self.model)))
        proof = self.log.consistency(old, new)
        merkle.verify_consistency(old, new, proof, self.root(old), self.root(new))

    # --- what befalls them --------------------------------------------------------------------------------

    @rule()
    def reopen(self) -> None:
        with self.closed():
            pass

    @rule()
    def rebuild(self) -> None:
        before = self.log.store.head()
        assert rebuild(self.log).entries == len(self.model)
        assert self.log.store.head() == before
        self.recorded = len(self.model)

    @rule(batch=BATCHES)
    def stop_between_commit_and_record(self, batch: list[bytes]) -> None:
        fresh = [entry for entry in dict.fromkeys(batch) if entry not in self.model]
        # One call for reading the record; the next one would write it.
        self.log.last_signed = Stopping(self.log.last_signed, 1)
        if fresh:
            with pytest.raises(StoppedError):
                self.log.append(batch)
        self.model += fresh
        self.reopen()

    @precondition(lambda self: self.model)
    @rule(steps=st.integers(0, 30))
    def stop_while_publishing(self, steps: int) -> None:
        target = publication(self.folder)
        try:
            self.published = publish(self.log, Stopping(target, steps)).size
        except StoppedError:
            self.reopen()
        check_published(target, self.model, self.published)
        self.recorded = len(self.model)

    @rule()
    def back_up(self) -> None:
        with self.closed() as database:
            self.backup = len(self.model), database.read_bytes()

    @precondition(lambda self: self.backup and self.backup[0] < self.recorded)
    @rule()
    def restore_an_old_backup_and_then_the_right_one(self) -> None:
        assert self.backup is not None
        size, old = self.backup
        with self.closed() as database:
            newest = database.read_bytes()
            database.write_bytes(old)
        for call in (lambda: self.log.append([b"new"]), lambda: publish(self.log, publication(self.folder))):
            with pytest.raises(RefusedError) as error:
                call()
            assert error.value.code == "log.rollback"
        assert list(self.log.store.envelopes(0, len(self.model))) == self.model[:size]
        with self.closed() as database:
            database.write_bytes(newest)

    @rule()
    def lose_the_last_signed_record(self) -> None:
        (self.folder / "last-signed").unlink(missing_ok=True)
        self.recorded = 0
        self.reopen()

    # --- what always holds --------------------------------------------------------------------------------

    @invariant()
    def is_like_the_model(self) -> None:
        head = self.log.store.head()
        assert head.size == len(self.model)
        assert merkle.root(head.peaks) == self.root(len(self.model))
        assert list(self.log.store.envelopes(0, head.size + 1)) == self.model

    @invariant()
    def no_two_checkpoints_disagree(self) -> None:
        for note in self.signed:
            checkpoint = open_checkpoint(note, [VERIFIER])
            assert checkpoint.root == self.root(checkpoint.size)

    @invariant()
    def fsck_finds_nothing(self) -> None:
        check_report(self.log, publication(self.folder))

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)
        shutil.rmtree(self.folder)


TestLog = LogMachine.TestCase
TestLog.settings = settings(max_examples=10, stateful_step_count=15)
