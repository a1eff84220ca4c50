"""Whatever happens to deliverers and receivers, each event arrives, in order, under one `webhook-id`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.artifact import Artifact
from ledger.core.predicates import DatasetV2, StepV2
from ledger.errors import UndecidedError
from ledger.service.events.deliver import Answer, Deliverer
from ledger.service.events.source import Source
from ledger.service.events.store import EventRow, Webhook
from ledger.service.events.target import WebhookSettings
from ledger.testing import MemoryAlarms, MemoryEntryStore
from ledger.testing.events import MemoryEventStore, MemoryWebhookStore

HOOK = "5b1e77c0a1b2c3d4"
NEVER = timedelta(days=10_000)


class CrashError(BaseException):
    """The process ends here."""


@dataclass
class Clock:
    moment: datetime = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@dataclass
class Receiver:
    """Remembers what arrives, and answers as told: also where the answer is lost."""

    mood: str = "takes"
    got: list[tuple[str, bytes]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if self.mood == "down":
            raise UndecidedError("webhook.unreachable", "It is down.")
        if self.mood == "we crash before":
            raise CrashError
        self.got.append((headers["webhook-id"], body))
        if self.mood == "the answer is lost":
            raise UndecidedError("webhook.unreachable", "No whole answer.")
        if self.mood == "we crash after":
            raise CrashError
        return Answer({"fails": 500, "redirects": 302, "busy": 429}.get(self.mood, 204))


@dataclass
class Crashing(MemoryWebhookStore):
    """Can end the process before or after a change is kept."""

    when: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def change(self, webhook_id: str, how: Callable[[Webhook], Webhook]) -> Webhook:
        when, self.when = self.when, ""
        if when == "before":
            raise CrashError
        found = super().change(webhook_id, how)
        if when == "after":
            raise CrashError
        return found


class World:
    """A log, one webhook that wants steps, a receiver, and a deliverer that may end at any time."""

    def __init__(self) -> None:
        self.clock, self.receiver, self.rows, self.store = Clock(), Receiver(), MemoryEventStore(), Crashing()
        self.store.add(
            Webhook(
                id=HOOK,
                url="https://hooks.example/",
                types=("entry.step",),
                role="producer",
                created_by="token:1",
                created=self.clock.now(),
                secret="whsec_" + "A" * 44,
                position=0,
            ),
            1,
        )
        self.start()

    def start(self) -> None:
        source = Source("nightfall", MemoryEntryStore(), self.rows)
        wanted = WebhookSettings(give_up=NEVER)
        alarms = MemoryAlarms()
        self.deliverer = Deliverer(source, self.store, self.receiver, self.clock, alarms, wanted, lambda: 0.5)

    def record(self, kind: type[StepV2 | DatasetV2], count: int, name: str) -> None:
        for _ in range(count):
            index = self.rows.size()
            subjects = (Artifact(f"{name} {index}", "0" * 64),)
            self.rows.entries.append(EventRow(index, kind.TYPE, f"at {index}", subjects, more=False))

    def deliver(self) -> None:
        try:
            for webhook in self.deliverer.due():
                self.deliverer.turn(webhook)
        except CrashError:
            self.start()

    def check(self) -> None:
        self.receiver.mood = "takes"
        for _ in range(200):
            self.clock.moment += timedelta(days=1)
            self.deliver()
        bodies: dict[str, bytes] = {}
        for message, body in self.receiver.got:
            assert bodies.setdefault(message, body) == body
        told = [
            event["data"]["index"] for body in bodies.values() for event in json.loads(body)["data"]["events"]
        ]
        assert told == [row.index for row in self.rows.entries if row.predicate_type == StepV2.TYPE]


STEPS = st.one_of(
    st.tuples(st.just("steps"), st.integers(1, 250)),
    st.tuples(st.just("others"), st.integers(1, 6000)),
    st.tuples(st.just("long names"), st.integers(1, 20)),
    st.tuples(
        st.sampled_from(
            [
                "takes",
                "down",
                "fails",
                "busy",
                "redirects",
                "the answer is lost",
                "we crash after",
                "we crash before",
            ]
        ),
        st.just(0),
    ),
    st.tuples(st.just("deliver"), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.integers(1, 30_000)),
    st.tuples(st.sampled_from(["crash before", "crash after"]), st.just(0)),
    st.tuples(st.just("restart"), st.just(0)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_each_event_arrives_in_order_under_one_number(steps: list[tuple[str, int]]) -> None:
    world = World()
    for step, count in steps:
        match step:
            case "steps":
                world.record(StepV2, count, "frame")
            case "long names":
                world.record(StepV2, count, "f" * 15_000)
            case "others":
                world.record(DatasetV2, count, "data")
            case "deliver":
                for _ in range(count):
                    world.deliver()
            case "wait":
                world.clock.moment += timedelta(seconds=count)
            case "restart":
                world.start()
            case "crash before" | "crash after":
                world.store.when = step.removeprefix("crash ")
            case mood:
                world.receiver.mood = mood
    world.check()


def test_a_receiver_that_fails_for_days_is_paused_with_an_alarm() -> None:
    world = World()
    alarms = MemoryAlarms()
    world.record(StepV2, 1, "frame")
    deliverer = Deliverer(
        Source("nightfall", MemoryEntryStore(), world.rows),
        world.store,
        world.receiver,
        world.clock,
        alarms,
        WebhookSettings(),
        lambda: 0.5,
    )
    world.receiver.mood = "fails"
    attempts = []
    while world.store.get(HOOK).paused is None:
        for webhook in deliverer.due():
            attempts.append(world.clock.now())
            deliverer.turn(webhook)
        world.clock.moment += timedelta(seconds=1)
    pauses = [later - earlier for earlier, later in pairwise(attempts)]
    assert pauses[0] < timedelta(seconds=6)
    assert max(pauses) <= timedelta(hours=6)
    assert pauses[:10] == sorted(pauses[:10])
    assert timedelta(days=5) <= attempts[-1] - attempts[0] <= timedelta(days=5, hours=6)
    assert 20 < len(attempts) < 50
    assert list(alarms.sounded) == ["1-webhook.failing"]
    assert deliverer.due() == []


def test_gone_removes() -> None:
    world = World()
    world.record(StepV2, 1, "frame")

    def gone(*_: object) -> Answer:
        return Answer(410)

    world.receiver.post = gone  # type: ignore[method-assign, assignment]  # another receiver
    world.deliver()
    assert world.store.all() == []


def test_a_receiver_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    world = World()
    world.record(StepV2, 1, "frame")

    def busy(*_: object) -> Answer:
        return Answer(503, retry_after=3600)

    world.receiver.post = busy  # type: ignore[method-assign, assignment]  # another receiver
    world.deliver()
    assert world.store.get(HOOK).retry_at == world.clock.now() + timedelta(hours=1)
    assert list(world.deliverer.due()) == []
