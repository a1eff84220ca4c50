"""What is to be written of a report, and what of it is written already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.core.audit import Report
from ledger.core.audit.views import Reader

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.service.report.report import Made
    from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written. ``disclose`` names what the evidence bundle opens (``service.report.bundle``).

    ``stamped``: the studio's time stamp authority stamps the signature of the PDF. ``address`` is where a
    reader looks the report up.
    """

    reader: Reader
    disclose: Sequence[str] = ()
    stamped: bool = False
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A report that is being written: ``report`` is what its reader sees of ``made``, into ``folder``.

    ``files`` are the names of what is written so far; ``notes`` what somebody has to be told.
    """

    home: Home
    studio: Studio
    made: Made
    order: Order
    report: Report
    secret: bytes
    folder: Path
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
