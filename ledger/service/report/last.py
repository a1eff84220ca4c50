"""The last issued report of a series: in the log, and as far as it is kept here.

What is kept stands apart from the database, so that a database that was put back does not forget what was
handed over. In the folder ``reports`` of the home:

    <sha256>.json        a whole report, before anything was hidden from its reader
    <series>.last.json   {"entry": base64, "receipt": text} of the newest one issued
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.audit import Report
from ledger.core.audit.document import read
from ledger.core.audit.views import Reader
from ledger.core.digest import sha256_hex
from ledger.core.encoding import encode_base64
from ledger.core.fields import Fields
from ledger.core.predicates import AuditReport
from ledger.core.receipt import Receipt, format_receipt, parse_receipt
from ledger.errors import RakkanError, RefusedError
from ledger.ports import Publication
from ledger.service.report.beside import Last
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Kept:
    """A report that was issued here: its entry with the receipt that it got."""

    envelope: bytes
    receipt: Receipt
    report: AuditReport


def series_of(origin: str, scope: str, reader: Reader) -> str:
    """Return what is the same for reports that follow one another: of one scope, for one reader."""
    said = [origin, scope, reader.view.value, reader.party or ""]
    return sha256_hex(canonical.encode(said))


def find_last(studio: Studio, kept: Publication, series: str, stop: int) -> Last | None:
    """Return the last report of this series that was issued before ``stop`` entries.

    What is kept here counts also where the log forgot it.
    """
    earlier = (item for item in _issued(studio) if item[0] < stop)
    stated = next((item for item in earlier if item[1].series == series), None)
    found = read_kept(kept, series)
    if found is not None and found.receipt.index >= stop and _holds(studio, found):
        found = None  # somebody issued it while this one was being made
    if found is not None and (stated is None or stated[0] <= found.receipt.index):
        index = found.receipt.index if _holds(studio, found) else None
        return _last(kept, found.report, index, found.receipt.checkpoint)
    return _last(kept, stated[1], stated[0], None) if stated else None


def read_kept(kept: Publication, series: str) -> Kept | None:
    """Return what is kept of the last report of a series. Raises ``MalformedError``: it is damaged."""
    data = kept.get(_name(series))
    if data is None:
        return None
    fields = Fields(canonical.decode(data), code="report.kept")
    envelope, receipt = fields.base64("entry"), parse_receipt(fields.take("receipt", str).encode())
    fields.end()
    report = statements.decode(dsse.decode(envelope).payload).predicate
    if not isinstance(report, AuditReport):
        raise fields.error("entry", "must be of an issued report")
    return Kept(envelope, receipt, report)


def keep_whole(kept: Publication, whole: bytes) -> str:
    """Keep a whole report, durable on return, and return its digest."""
    digest = sha256_hex(whole)
    kept.put_immutable(f"{digest}.json", whole)
    return digest


def whole_report(kept: Publication, digest: str) -> Report | None:
    """Return a whole report by its digest; ``None`` where it is not kept here, or is not what it was."""
    data = kept.get(f"{digest}.json")
    if data is None or sha256_hex(data) != digest:
        return None
    try:
        return read(canonical.load(data))
    except RakkanError:
        return None


def keep_last(kept: Publication, series: str, envelope: bytes, receipt: Receipt) -> None:
    """Keep an issued report as the newest of its series, unless a newer one is; durable on return."""
    held = read_kept(kept, series)
    if held is not None and held.receipt.index >= receipt.index:
        return
    document = {"entry": encode_base64(envelope), "receipt": format_receipt(receipt).decode()}
    try:
        kept.swap(_name(series), kept.get(_name(series)), canonical.encode(document))
    except RefusedError as error:
        if error.code != "log.fenced":
            raise
        keep_last(kept, series, envelope, receipt)  # somebody issued another one at this moment


def _name(series: str) -> str:
    return f"{series}.last.json"


def issued(studio: Studio) -> list[tuple[int, AuditReport]]:
    """Return the reports that the log says were issued, each with its entry, the newest first."""
    return list(_issued(studio))


def _issued(studio: Studio) -> Iterator[tuple[int, AuditReport]]:
    for row in reversed(studio.entries.statements(AuditReport.TYPE)):
        try:
            found = studio.statement(row.index).predicate
        except RakkanError:
            continue  # an entry that nobody can read names no report; rakkan fsck tells of it
        if isinstance(found, AuditReport):
            yield row.index, found


def _holds(studio: Studio, kept: Kept) -> bool:
    return studio.entries.envelopes_at([kept.receipt.index]).get(kept.receipt.index) == kept.envelope


def _last(kept: Publication, found: AuditReport, index: int | None, checkpoint: bytes | None) -> Last:
    report = whole_report(kept, found.whole)
    return Last(found.identifier, found.size, found.root, index, checkpoint, report)
