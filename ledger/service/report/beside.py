"""What a report is held against, beside the log: the witnesses' policy, and the report before it."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.core.audit import Report
from ledger.core.policy import Policy


@dataclass(frozen=True, slots=True)
class Last:
    """The last report of the same scope and view that was issued here.

    ``index`` is its entry; ``None`` where the log does not hold it any more. ``size`` and ``root`` (hex) are
    the tree that it stands on. ``checkpoint`` is the signed one of its receipt, ``report`` the whole of it,
    as far as they are kept here.
    """

    identifier: str
    size: int
    root: str
    index: int | None
    checkpoint: bytes | None = None
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """``policy`` is whom the log asks to cosign its checkpoints, ``last`` the report before this one."""

    policy: Policy | None = None
    last: Last | None = None


NOTHING = Beside()
