"""The request that is being handled: what its log line, its metrics and its problems are made of."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field

from ledger.errors import RakkanError


@dataclass(slots=True)
class Handled:
    """One request while it is handled: what its line and its metrics are made of. Sizes are bytes."""

    number: str
    method: str
    trace: str | None = None
    began: float = field(default_factory=time.perf_counter)
    status: int = 500
    received: int = 0
    sent: int = 0
    error: RakkanError | None = None
    started: bool = False

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self.began


current: ContextVar[Handled | None] = ContextVar("rakkan_request", default=None)
"""The request that is being handled."""
