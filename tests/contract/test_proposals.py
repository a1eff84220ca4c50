"""What every store of proposals promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ledger.adapters.sql.proposals import SqlProposalStore
from ledger.adapters.sql.store import create_log
from ledger.errors import RefusedError
from ledger.service.rights.proposal import Kept, ProposalStore
from tests.support.engines import engine_on
from tests.support.log import ORIGIN

OTHER = "ledger.example/other"


@dataclass(frozen=True)
class Two:
    ours: ProposalStore
    theirs: ProposalStore


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    with engine_on(request, tmp_path) as engine:
        create_log(engine, OTHER)
        yield Two(SqlProposalStore(engine, ORIGIN), SqlProposalStore(engine, OTHER))


def kept(number: int = 1) -> Kept:
    return Kept(f"{number:032x}", '{"why":"夜 & “quoted”"}', bytes(range(64)))


def test_what_was_kept_comes_back_whole_and_to_its_log_alone(stores: Two) -> None:
    stores.ours.add(kept(), 10)
    assert stores.ours.decline(kept().id, "no")
    assert list(stores.ours.all()) == [stores.ours.get(kept().id)] == [replace(kept(), declined="no")]
    assert (list(stores.theirs.all()), stores.theirs.get(kept().id)) == ([], None)
    assert (stores.theirs.decline(kept().id, "x"), stores.theirs.remove([kept().id])) == (False, 0)
    assert stores.ours.remove([kept().id, kept(2).id]) == 1
    assert list(stores.ours.all()) == []


def test_there_are_no_more_than_allowed_and_again_is_fine(stores: Two) -> None:
    for number in (1, 2, 1):
        stores.ours.add(kept(number), 2)
    with pytest.raises(RefusedError, match=r"decide\.full"):
        stores.ours.add(kept(3), 2)
    stores.theirs.add(kept(3), 2)


def test_of_several_who_decline_one_did(stores: Two) -> None:
    stores.ours.add(kept(), 1)
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda n: stores.ours.decline(kept().id, str(n)), range(8)))
    assert done.count(True) == 1
    found = stores.ours.get(kept().id)
    assert found is not None
    assert found.declined == str(done.index(True))
