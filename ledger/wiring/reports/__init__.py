"""Write a report: every format of it into one folder, each drawn from the same value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.core.audit.views import seen_by
from ledger.wiring.reports.draft import Draft, Order

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.audit import Report
    from ledger.service.report.report import Made
    from ledger.service.studio import Studio
    from ledger.wiring.reports.standing import Standing


Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written, in one view, and the names of its files beside each other.

    ``notes`` are what somebody has to be told about them.
    """

    report: Report
    folder: Path
    files: tuple[str, ...]
    notes: tuple[str, ...]


def with_pictures(studio: Studio, made: Made, files: Iterable[Path], folders: Iterable[Path] = ()) -> Made:
    """Return the report with pictures of these files, and of those in these folders, wherever they decode."""
    from ledger.adapters.images.thumbnails import thumbnail
    from ledger.service.report.pictures import pictured

    return pictured(studio, made, files, folders, thumbnail)


def write(
    home: Home,
    studio: Studio,
    made: Made,
    order: Order,
    place: Path,
    standing: Standing | None = None,
    told: Told = lambda *_: None,
) -> Written:
    """Write the report as its reader may see it into a new folder, which appears whole or not at all.

    ``standing`` adds what shows where it stands, and signs it where it is to be issued. ``told`` hears before
    each format how many are written, and how many there are.

    Raises ``UsageError`` with ``target.exists`` or ``file.…``, ``RefusedError`` with ``report.busy``,
    ``target.not-writable`` or ``target.no-space``.
    """
    from ledger.adapters.new_folder import new_folder
    from ledger.adapters.report_secret import report_secret
    from ledger.wiring.reports.evidence import write_evidence
    from ledger.wiring.reports.formats import FORMATS, document_of

    secret = report_secret(home.folder)
    report = seen_by(made.report, order.reader, secret)
    with new_folder(place) as folder:
        draft = Draft(home, studio, made, order, report, secret, folder)
        for done, write_format in enumerate(FORMATS):
            told(done, len(FORMATS) + 1)
            draft.files.extend(write_format(draft))
        told(len(FORMATS), len(FORMATS) + 1)
        if standing is not None:
            draft.files.extend(standing.prove(made.cleared.clearer, folder))
        draft.files.extend(write_evidence(draft))
        if standing is not None:
            draft.files.extend(standing.sign(report, document_of(made.report), folder))
    return Written(report, place, tuple(draft.files), tuple(draft.notes))
