"""Rate limits: for whoever is known by who they are, for everybody else by their address.

* A studio behind one address is known by its tokens and keys and is not limited by that address. What
  strangers at the same address do never costs a known one anything, bad credentials among it.
* Entries and openings are not limited here: the log takes what it can and then says when to come back.
* Failures to show a good credential have a budget of their own: when it is used up they are answered 429
  in place of 401. A good credential gets through all the same: its secret cannot be guessed.
* An IPv6 address counts by its /64: whoever has one has all of them. Whose ``X-Forwarded-For`` is believed
  the server was told (``[proxy]``), and has dealt with it before this.
* Each worker process has its own buckets: with N of them, up to N times as much gets through.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock

from starlette.types import Scope

from ledger.core.access import ANYBODY, Viewer
from ledger.core.rate import Bucket, Budget, take
from ledger.errors import RefusedError
from ledger.service.access.settings import Limits

MAX_BUCKETS = 100_000
_UNLIMITED = ("/entries", "/openings")


@dataclass(frozen=True, slots=True)
class Spent:
    """What one request took: of which budget, and what is left of it."""

    name: str
    budget: Budget
    left: int
    wait: float

    @property
    def fields(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers."""
        seconds = math.ceil(self.wait or (self.budget.burst - self.left) / self.budget.rate)
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.budget.burst};w={math.ceil(self.budget.window)}',
            "RateLimit": f'"{self.name}";r={self.left};t={seconds}',
        }


class Limiter:
    """The buckets of one process. May be used by several threads."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()
        self._lock = Lock()

    def request(self, viewer: Viewer, address: str, method: str, path: str) -> Spent | None:
        """Take one request; ``None`` for what is not limited. Raises ``RefusedError("request.rate")``."""
        if method == "POST" and path.endswith(_UNLIMITED):
            return None
        known = viewer is not ANYBODY
        # To begin a sign-in costs a write, which strangers may ask for as often as for a check of a file.
        dear = path == "/login" or (
            method == "POST" and path.startswith(("/v1/verify", "/verify", "/sign-in"))
        )
        name = "verify" if dear else "read"
        budgets = {
            ("verify", False): self._limits.verify_anybody,
            ("verify", True): self._limits.verify_known,
            ("read", False): self._limits.read_anybody,
            ("read", True): self._limits.read_known,
        }
        return self._take(name, budgets[name, known], viewer.name if known else address)

    def failure(self, address: str) -> None:
        """Take one bad credential. Raises ``RefusedError("request.rate")`` after too many."""
        self._take("failures", self._limits.failures, address)

    def _take(self, name: str, budget: Budget, who: str) -> Spent:
        with self._lock:
            bucket, wait = take(budget, self._buckets.pop((name, who), None), self._clock())
            self._buckets[name, who] = bucket
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        if wait:
            seconds = math.ceil(wait)
            words = f"Too many requests of this kind. Come back in {seconds} s."
            raise RefusedError("request.rate", words, retry_after=seconds, budget=name, burst=budget.burst)
        return Spent(name, budget, int(bucket.left), wait)


def address_of(scope: Scope) -> str:
    """Return the address that a request counts for; ``""`` where there is none (a Unix socket)."""
    client = scope.get("client")
    return _counted(client[0]) if client else ""


@lru_cache(maxsize=1024)
def _counted(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
    return str(parsed)
