"""What every store of webhooks promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.adapters.sql.store import create_log
from ledger.adapters.sql.webhooks import SqlWebhookStore
from ledger.errors import RefusedError, UsageError
from ledger.service.events.store import Webhook, WebhookStore
from ledger.testing.events import MemoryWebhookStore
from tests.support.engines import engine_on
from tests.support.log import ORIGIN

OTHER = "ledger.example/other"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Two:
    ours: WebhookStore
    theirs: WebhookStore


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    if request.param == "memory":
        yield Two(MemoryWebhookStore(), MemoryWebhookStore())
        return
    with engine_on(request, tmp_path) as engine:
        create_log(engine, OTHER)
        yield Two(SqlWebhookStore(engine, ORIGIN), SqlWebhookStore(engine, OTHER))


def webhook(number: int = 1, **changes: object) -> Webhook:
    made = Webhook(
        id=f"{number:016x}",
        url="https://hooks.example/rakkan",
        types=("entry.step", "verdict.changed"),
        role="producer",
        created_by="token:1",
        created=NOON,
        secret="whsec_" + "A" * 44,
        position=7,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # any field, by its name


def test_what_was_kept_comes_back_whole(stores: Two) -> None:
    bare = webhook(1)
    full = webhook(
        2,
        types=(),
        claimed=9,
        previous_secret="whsec_old",
        previous_until=NOON,
        failures=3,
        failing_since=NOON,
        retry_at=NOON.replace(microsecond=123456),
        last="answered 500",
        paused="because",
    )
    for item in (bare, full):
        stores.ours.add(item, 10)
    assert list(stores.ours.all()) == [bare, full]
    assert stores.ours.get(full.id) == full
    assert list(stores.theirs.all()) == []


def test_there_are_no_more_than_allowed(stores: Two) -> None:
    stores.ours.add(webhook(1), 2)
    stores.ours.add(webhook(2), 2)
    with pytest.raises(RefusedError, match=r"webhook\.full"):
        stores.ours.add(webhook(3), 2)
    stores.theirs.add(webhook(3), 2)


def test_an_unknown_one_and_one_of_another_production_are_the_same(stores: Two) -> None:
    stores.ours.add(webhook(1), 2)
    for act in (
        stores.theirs.get,
        stores.theirs.remove,
        lambda name: stores.theirs.change(name, lambda w: w),
    ):
        with pytest.raises(UsageError, match=r"webhook\.unknown"):
            act(webhook(1).id)
    stores.ours.remove(webhook(1).id)
    with pytest.raises(UsageError, match=r"webhook\.unknown"):
        stores.ours.remove(webhook(1).id)


def test_changes_at_the_same_time_lose_nothing(stores: Two) -> None:
    stores.ours.add(webhook(1, position=0), 2)

    def count(_: int) -> None:
        stores.ours.change(webhook(1).id, lambda old: replace(old, position=old.position + 1))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(40)))
    assert stores.ours.get(webhook(1).id).position == 40
