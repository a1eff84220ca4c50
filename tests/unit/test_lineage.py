"""The graph under a file: it ends, says what it could not explain, and follows seals to their sources."""

import pytest

from ledger.core import lineage
from ledger.core.artifact import Artifact, Role
from ledger.core.lineage import Link, Record, trace
from ledger.core.predicates import Predicate
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.seal import Form, Seal, SealedManifest
from ledger.core.statement import Statement
from tests.support.builders import USED, dataset, digest, model, step


def made(*predicates: tuple[Predicate, tuple[str, ...]]) -> dict[str, Record]:
    """Return the records by the digests of the words that their subjects are named after."""
    return {
        digest(word): Record(
            index, Statement(tuple(Artifact(name, digest(name)) for name in words), predicate)
        )
        for index, (predicate, words) in enumerate(predicates)
        for word in words
    }


def used(*words: str, role: Role = Role.PARENT) -> Predicate:
    return step(materials=tuple(Artifact(word, digest(word), role=role) for word in words))


def test_a_file_nobody_recorded_is_unattributed() -> None:
    found = trace(digest("a"), "a", lambda _: None)
    assert found.unattributed() == [digest("a")]
    assert found.links == []


def test_from_frame_to_dataset() -> None:
    trained = model(training=(Training("d", digest("d"), TrainingStage.FOUNDATION),))
    records = made((used("m", role=Role.MODEL), ("frame",)), (trained, ("m",)), (dataset(), ("d",)))
    found = trace(digest("frame"), "frame", records.get)
    assert found.links == [
        Link(digest("frame"), digest("m"), "model"),
        Link(digest("m"), digest("d"), "foundation training"),
    ]
    assert found.unattributed() == []
    assert found.names == {digest("frame"): "frame", digest("m"): "m", digest("d"): "d"}


def test_a_sealed_file_leads_to_its_own_source() -> None:
    """One entry seals many files: each leads to the source at its own place."""
    manifests = tuple(SealedManifest(digest("s"), digest(word), Form.EMBEDDED) for word in ("a", "b"))
    records = made((Seal(USED, manifests), ("sealed a", "sealed b")), (used("plate"), ("b",)))
    found = trace(digest("sealed b"), "sealed b", records.get)
    assert found.links == [
        Link(digest("sealed b"), digest("b"), "sealed-from"),
        Link(digest("b"), digest("plate"), "parent"),
    ]
    assert found.unattributed() == [digest("plate")]


def test_a_circle_ends() -> None:
    records = made((used("b"), ("a",)), (used("a"), ("b",)))
    found = trace(digest("a"), "a", records.get)
    assert len(found.names) == len(found.records) == 2
    assert len(found.links) == 2


def test_a_file_made_from_itself_has_no_link() -> None:
    found = trace(digest("a"), "a", made((used("a"), ("a",))).get)
    assert found.links == []


def test_a_shared_ancestor_is_met_once() -> None:
    records = made((used("b", "c"), ("a",)), (used("d"), ("b", "c")))
    found = trace(digest("a"), "a", records.get)
    assert list(found.names) == [digest(word) for word in "abcd"]
    assert len(found.links) == 4


def test_a_walk_that_was_cut_short_calls_nothing_unattributed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lineage, "MAX_NODES", 3)
    records = made(*((used(str(number + 1)), (str(number),)) for number in range(10)))
    found = trace(digest("0"), "0", records.get)
    assert len(found.names) == 4
    assert found.unvisited == (digest("3"),)
    assert found.unattributed() == []


def test_a_long_chain_is_walked_without_recursion() -> None:
    count = 5000
    records = made(*((used(str(number + 1)), (str(number),)) for number in range(count)))
    assert len(trace(digest("0"), "0", records.get).names) == count + 1
