"""What one job may cost. The operating system holds it, not the job."""

from __future__ import annotations

import resource
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_OPEN_FILES = 64
_PROCESSES = 32
"""For each job: the child, a decoder and its threads."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``memory`` is what a job may take beyond what the zygote has; ``written`` is of any one file (bytes).

    ``cpu`` and ``seconds`` (by the wall clock) are of one job, ``at_once`` is how many run together.
    """

    memory: int = 1 << 30
    written: int = 1 << 20
    cpu: int = 20
    seconds: float = 30.0
    at_once: int = 2

    def to_json(self) -> dict[str, Any]:
        """Return the limits as the zygote is told them."""
        return asdict(self)


def apply(limits: Limits) -> None:
    """Limit this process, and all that it starts, for good."""
    _limit(resource.RLIMIT_CORE, 0)
    # The soft limit ends it by a signal of its own name, the hard one whoever ignores that.
    _limit(resource.RLIMIT_CPU, limits.cpu, limits.cpu + 1)
    _limit(resource.RLIMIT_FSIZE, limits.written)
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    # macOS takes no limit of address space below what a process has mapped, which is much.
    with suppress(ValueError):
        _limit(resource.RLIMIT_AS, _mapped() + limits.memory)


def limit_processes(limits: Limits) -> None:
    """Limit the number of processes: only in a user namespace, elsewhere it counts all that the user has."""
    _limit(resource.RLIMIT_NPROC, _PROCESSES * limits.at_once)


def _limit(which: int, soft: int, hard: int | None = None) -> None:
    _, before = resource.getrlimit(which)
    wanted = [soft, soft if hard is None else hard]
    if before != resource.RLIM_INFINITY:
        wanted = [min(value, before) for value in wanted]
    resource.setrlimit(which, (wanted[0], wanted[1]))


def _mapped() -> int:
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
