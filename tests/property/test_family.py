"""A model's family is finite and whole, whatever the records say of who was made from whom."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.predicates import DatasetV2, ModelV2
from ledger.core.predicates.dataset_v2 import Source
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Parent, ParentRole
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.statement import Statement
from ledger.render.pages.languages import language
from ledger.render.pages.relatives import DRAWN, drawing
from ledger.service.clear.touched import resting_on
from ledger.service.desk import family
from ledger.service.desk.family import Side, family_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = st.integers(0, 11)
ties = st.sets(st.tuples(NUMBERS, NUMBERS), max_size=30)


def digest(number: int) -> str:
    return sha256_hex(f"thing {number}".encode())


def registry(pairs: set[tuple[int, int]], datasets: int) -> Facts:
    """Return a registry in which the first of each pair went into the second; the first few are datasets."""
    records = list[FactRecord]()
    for child in {child for _, child in pairs} | {0, 11}:
        above = sorted(parent for parent, other in pairs if other == child)
        subject = Artifact(f"thing-{child}", digest(child))
        models = [each for each in above if each >= datasets]
        stated: DatasetV2 | ModelV2
        if child < datasets:
            sources = tuple(Source(f"thing-{each}", digest(each)) for each in models)
            stated = DatasetV2(subject.name, "1", 1, 1, recorded=NOW, outputs_of=sources)
        else:
            parents = tuple(Parent(f"thing-{each}", digest(each), ParentRole.MERGED) for each in models)
            trained = tuple(
                Training(f"thing-{each}", digest(each), TrainingStage.FOCUSED)
                for each in above
                if each < datasets
            )
            stated = ModelV2(subject.name, "1", trained, recorded=NOW, kind=ModelKind.OTHER, parents=parents)
        records.append(FactRecord(len(records), Statement((subject,), stated)))
    return Facts(records, len(records))


@given(pairs=ties, datasets=st.integers(1, 4))
def test_everybody_stands_in_it_once_and_on_their_side(pairs: set[tuple[int, int]], datasets: int) -> None:
    facts = registry(pairs, datasets)
    found = family_of(facts, digest(11))
    held = [item.sha256 for item in found.relatives]
    assert len(held) == len(set(held))
    assert held[0] == digest(11)
    below = {item.sha256 for item in found.relatives if item.side is not Side.ABOVE}
    above = {item.sha256 for item in found.relatives if item.side is Side.ABOVE}
    assert below | (above & resting_on(facts, [digest(11)])) == resting_on(facts, [digest(11)])
    assert all(digest(11) in resting_on(facts, [each]) for each in above)
    assert found.contradicts == any(
        digest(11) in resting_on(facts, [tie.child]) for tie in found.ties if tie.parent == digest(11)
    )


@given(pairs=ties, datasets=st.integers(1, 4), most=st.integers(1, 13))
def test_the_nearest_are_kept_with_the_ties_between_them(
    pairs: set[tuple[int, int]], datasets: int, most: int
) -> None:
    whole = family_of(registry(pairs, datasets), digest(11))
    near = whole.nearest(most)
    assert near.relatives == whole.relatives[:most]
    assert near.others + len(near.relatives) == len(whole.relatives)
    known = {item.sha256 for item in near.relatives}
    assert set(near.ties) == {tie for tie in whole.ties if {tie.parent, tie.child} <= known}
    assert [item.steps for item in near.relatives] == sorted(item.steps for item in near.relatives)


def test_a_large_family_is_cut_and_says_so() -> None:
    base = Parent("thing-0", digest(0), ParentRole.ADAPTER_BASE)
    count = family.MOST + 40
    records = [
        FactRecord(
            n,
            Statement(
                (Artifact(f"lora-{n}", digest(100 + n)),),
                ModelV2(f"lora-{n}", "1", (), recorded=NOW, kind=ModelKind.LORA, parents=(base,)),
            ),
        )
        for n in range(count)
    ]
    found = family_of(Facts(records, count), digest(0))
    assert len(found.relatives) == family.MOST
    assert found.others == count + 1 - family.MOST
    picture = drawing(found, {}, language("en"), "/desk")
    assert picture.count('class="node') == DRAWN
