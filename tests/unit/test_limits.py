"""Rate limits: what is counted, for whom, and that nobody pays for a stranger at the same address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.limits import Limiter, address_of
from ledger.core.access import ANYBODY, Viewer
from ledger.core.rate import Budget, take
from ledger.errors import RakkanError
from ledger.service.access.settings import Limits

BOT, OTHER = Viewer("token:1"), Viewer("token:2")


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def limiter(time: Time) -> Limiter:
    small = Budget(1, 2)
    return Limiter(Limits(small, small, small, small, small), time)


def refused(limits: Limiter, viewer: Viewer, address: str, method: str = "GET", path: str = "/v1") -> int:
    try:
        limits.request(viewer, address, method, path)
    except RakkanError as error:
        return int(str(error.evidence["retry_after"]))
    return 0


@given(
    st.integers(1, 20),
    st.floats(0.1, 50),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60),
)
def test_no_more_than_the_burst_and_the_rate_gets_through(burst: int, rate: float, gaps: list[float]) -> None:
    budget, bucket, now, passed = Budget(rate, burst), None, 0.0, 0
    for gap in gaps:
        now += gap
        bucket, wait = take(budget, bucket, now)
        passed += not wait
        assert passed <= burst + rate * now + 1e-6
        if wait:
            assert take(budget, bucket, now + wait + 1e-6)[1] == 0


def test_the_budget_fills_up_again_and_says_when() -> None:
    time = Time()
    limits = limiter(time)
    assert [refused(limits, ANYBODY, "192.0.2.1") for _ in range(3)] == [0, 0, 1]
    time.now += 1
    assert [refused(limits, ANYBODY, "192.0.2.1") for _ in range(2)] == [0, 1]


def test_who_is_known_is_not_limited_by_the_address() -> None:
    limits = limiter(Time())
    for _ in range(2):
        refused(limits, ANYBODY, "192.0.2.1")
        limits.failure("192.0.2.1")
    with pytest.raises(RakkanError, match=r"request\.rate"):
        limits.failure("192.0.2.1")
    assert refused(limits, ANYBODY, "192.0.2.1") == 1
    assert [refused(limits, BOT, "192.0.2.1") for _ in range(3)] == [0, 0, 1]
    assert refused(limits, OTHER, "192.0.2.1") == 0


def test_reading_and_verifying_do_not_share_a_budget() -> None:
    limits = limiter(Time())
    assert [refused(limits, ANYBODY, "a", "POST", "/v1/verify") for _ in range(3)] == [0, 0, 1]
    assert refused(limits, ANYBODY, "a", "GET", "/login") == 1
    assert refused(limits, ANYBODY, "a") == 0


@pytest.mark.parametrize("name", ["entries", "openings"])
def test_what_devices_bring_is_not_limited(name: str) -> None:
    limits = limiter(Time())
    for _ in range(100):
        assert refused(limits, ANYBODY, "a", "POST", f"/v1/productions/nightfall/{name}") == 0
    assert refused(limits, ANYBODY, "a", "GET", f"/v1/productions/nightfall/{name}") == 0


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("x" * 500, "x" * 64),
    ],
)
def test_an_address_counts_with_its_neighbours(peer: str, counted: str) -> None:
    scope = {"client": (peer, 1), "headers": [(b"x-forwarded-for", b"198.51.100.9")]}
    assert address_of(scope) == counted
    assert address_of({"client": None}) == ""
