"""The formats of a report: each a function that writes its files and returns their names."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ledger.core.audit import Report, Sight
from ledger.core.audit.document import to_json
from ledger.core.audit.views import SEES, View
from ledger.service.files import make_folder, write_new, writing_errors
from ledger.wiring.reports.draft import Draft

DOCUMENT = "report.json"
PDF = "report.pdf"
PAGE = "report.html"
TABLES = "tables"
WORKBOOK = "report.xlsx"
TIMELINE = "report.otio"
SPDX = "report.spdx.json"
CYCLONEDX = "report.cdx.json"
VERDICTS = "verdicts.svr.json"


def document_of(report: Report) -> bytes:
    """Return the document, as it is written."""
    return _json(to_json(report))


def _document(draft: Draft) -> Iterable[str]:
    write_new(draft.folder / DOCUMENT, document_of(draft.report))
    return [DOCUMENT]


def _tables(draft: Draft) -> Iterable[str]:
    from ledger.render.report.csv_table import to_csv

    make_folder(draft.folder / TABLES)
    tables = draft.report.tables
    names = [f"{TABLES}/{key}.csv" for key in tables]
    for name, table in zip(names, tables.values(), strict=True):
        target = draft.folder / name
        with writing_errors(target), target.open("w", encoding="utf-8", newline="") as handle:
            handle.writelines(to_csv(table))
    return names


def _workbook(draft: Draft) -> Iterable[str]:
    from ledger.adapters.workbook import write_workbook

    target = draft.folder / WORKBOOK
    with writing_errors(target), target.open("wb") as handle:
        write_workbook(draft.report, handle)
    return [WORKBOOK]


def _timeline(draft: Draft) -> Iterable[str]:
    """Of a cut, for whoever may see its shots."""
    from ledger.render.report.otio import to_otio

    population = draft.made.population
    seen = Sight.WORK in SEES[View(draft.report.view)]
    if population.cut is None or population.timeline is None or not seen:
        return []
    write_new(draft.folder / TIMELINE, to_otio(draft.report, population.cut, population.timeline))
    return [TIMELINE]


def _bills(draft: Draft) -> Iterable[str]:
    import ledger
    from ledger.core.audit.bills import bill_seen_by
    from ledger.render.cyclonedx import to_cyclonedx
    from ledger.render.spdx import to_spdx
    from ledger.service.report.bill import bill_of, judgement_of

    cleared, targets = draft.made.cleared, draft.made.population.targets
    whole = bill_of(draft.studio, cleared.clearer, targets, cleared.question.at, judgement_of(cleared))
    key = hmac.digest(draft.secret, f"bill/{draft.report.head.identifier}".encode(), "sha256")
    bill = bill_seen_by(whole, draft.order.reader, key)
    for name, document in ((SPDX, to_spdx), (CYCLONEDX, to_cyclonedx)):
        write_new(draft.folder / name, _json(document(bill, ledger.__version__)))
    return [SPDX, CYCLONEDX]


def _verdicts(draft: Draft) -> Iterable[str]:
    from ledger.render.report.svr import to_svr
    from ledger.service.report.verdicts import on_record

    found = on_record(draft.studio, draft.made, SEES[View(draft.report.view)])
    write_new(draft.folder / VERDICTS, to_svr(draft.report, found))
    return [VERDICTS]


def _thumbnails(draft: Draft) -> Iterable[str]:
    pictures = draft.report.pictures
    for sha256, name in pictures.items():
        make_folder((draft.folder / name).parent)
        write_new(draft.folder / name, draft.made.thumbnails[sha256])
    return pictures.values()


def _shown(draft: Draft) -> dict[str, bytes]:
    """Return the thumbnails that this view shows, by what they are of."""
    return {sha256: draft.made.thumbnails[sha256] for sha256 in draft.report.pictures}


def _page(draft: Draft) -> Iterable[str]:
    from ledger.render.report.html import page

    write_new(draft.folder / PAGE, page(draft.report, _shown(draft)).encode())
    return [PAGE]


def _pdf(draft: Draft) -> Iterable[str]:
    """The PDF, with the document attached."""
    from ledger.render.report.pdf import Attached
    from ledger.wiring.reports.pdf import Evidence, signed_pdf

    document = Attached(DOCUMENT, "all of this report, as a program reads it", "application/json")
    evidence = Evidence(_shown(draft), {document: (draft.folder / DOCUMENT).read_bytes()})
    found = signed_pdf(draft.home, draft.report, evidence, stamped=draft.order.stamped)
    write_new(draft.folder / PDF, found.data)
    draft.notes.extend(found.notes)
    return [PDF]


FORMATS: tuple[Callable[[Draft], Iterable[str]], ...] = (
    _document,
    _tables,
    _workbook,
    _timeline,
    _bills,
    _verdicts,
    _thumbnails,
    _page,
    _pdf,
)
"""Every format, in the order in which they are written."""


def _json(document: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(document, ensure_ascii=False, separators=(',', ':'))}\n".encode()
