"""A log that is appended to, reopened and asked again, beside the list it should be like."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ledger.core import merkle
from ledger.core.receipt import format_receipt, parse_receipt, verify_receipt
from ledger.service.publish import publish
from ledger.service.rebuild import rebuild
from tests.support.log import ORIGIN, publication, sqlite_log, tree_hash

ENTRIES = st.binary(min_size=1, max_size=2).filter(lambda entry: not entry.startswith(b"invalid"))


class LogMachine(RuleBasedStateMachine):
    """The model is the list of distinct entries in the order of their first coming."""

    @initialize()
    def make(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.model: list[bytes] = []
        self.published = 0
        self.open()

    def open(self) -> None:
        self.context = sqlite_log(self.folder)
        self.log = self.context.__enter__()

    @rule(batch=st.lists(ENTRIES, max_size=40))
    def append(self, batch: list[bytes]) -> None:
        appended = self.log.append(batch)
        for entry, result in zip(batch, appended, strict=True):
            assert result.duplicate == (entry in self.model)
            if not result.duplicate:
                self.model.append(entry)
            assert result.index == self.model.index(entry)
        for entry, result in zip(batch, appended, strict=True):
            receipt = parse_receipt(format_receipt(result.receipt))
            checkpoint = verify_receipt(receipt, entry, [self.log.verifier])
            assert (checkpoint.origin, checkpoint.size) == (ORIGIN, len(self.model))

    @rule(count=st.integers(1, 300), name=st.binary(min_size=3, max_size=3))
    def append_many(self, count: int, name: bytes) -> None:
        self.append([name + number.to_bytes(2, "big") for number in range(count)])

    @rule()
    def reopen(self) -> None:
        self.context.__exit__(None, None, None)
        self.open()

    @rule()
    def rebuild(self) -> None:
        before = self.log.store.head()
        assert rebuild(self.log).entries == len(self.model)
        assert self.log.store.head() == before

    @precondition(lambda self: self.model)
    @rule()
    def publish(self) -> None:
        target = publication(self.folder)
        self.published = publish(self.log, target).size
        assert target.get("checkpoint") == self.log.store.head().checkpoint

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.model) - 1))
        verify_receipt(self.log.receipt(index), self.model[index], [self.log.verifier])
        old = data.draw(st.integers(0, len(self.model)))
        leaves = [merkle.leaf_hash(entry) for entry in self.model]
        proof = self.log.consistency(old, len(leaves))
        merkle.verify_consistency(old, len(leaves), proof, tree_hash(leaves[:old]), tree_hash(leaves))

    @invariant()
    def is_like_the_model(self) -> None:
        head = self.log.store.head()
        assert head.size == len(self.model)
        assert merkle.root(head.peaks) == tree_hash([merkle.leaf_hash(entry) for entry in self.model])
        assert list(self.log.store.envelopes(0, head.size + 1)) == self.model

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)
        shutil.rmtree(self.folder)


TestLog = LogMachine.TestCase
TestLog.settings = settings(max_examples=12, stateful_step_count=15)
