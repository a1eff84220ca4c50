"""Where the report stands: its entry in the log, which lies beside the bundle, and the report before it."""

from __future__ import annotations

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.audit import Report
from ledger.core.audit.bundle import LAST
from ledger.core.keyring import check_may_sign
from ledger.core.merkle import verify_consistency
from ledger.core.note import verifier_of
from ledger.core.predicates import AuditReport
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.core.witness import parse_request
from ledger.errors import IntegrityError, UndecidedError
from ledger.verifier.anchors import Issued
from ledger.verifier.archive import Archive
from ledger.verifier.evidence import Entries
from ledger.verifier.outcome import Check


def check_issued(archive: Archive, issued: Issued, report: Report, entries: Entries, check: Check) -> None:
    """Return if a registrar signed an entry about this bundle, and the log holds it.

    Raises ``IntegrityError("bundle.other-issue")`` for an entry about another one, and what reading, keys and
    receipts raise; ``UndecidedError("bundle.not-issued")`` without a receipt.
    """
    envelope = dsse.decode(issued.entry)
    statement = statements.decode(envelope.payload)
    stated, head = statement.predicate, report.head
    if not isinstance(stated, AuditReport):
        raise IntegrityError("bundle.other-issue", "The entry beside the bundle is not about a report.")
    said = (stated.identifier, stated.view, stated.size, stated.root, stated.verdict_now, stated.verdict_then)
    here = (head.identifier, report.view, head.size, head.root, report.verdict_now, report.verdict_then)
    if said != here or archive.whole_digest() not in {item.sha256 for item in statement.subjects}:
        raise IntegrityError("bundle.other-issue", "The entry beside the bundle is about another one.")
    if issued.receipt is None:
        raise UndecidedError("bundle.not-issued", "Nothing shows that the log took the entry in.")
    receipt = parse_receipt(issued.receipt)
    record = entries.history.find(envelope.signatures[0].keyid, receipt.index)
    dsse.verify(envelope, record.key)
    check_may_sign(record, stated)
    keys = [key.key.spki for key, ended in entries.history.states() if key.role is None and ended is None]
    verify_receipt(receipt, issued.entry, [verifier_of(head.origin, spki) for spki in keys])
    check.say(f"{record.device} issued it: entry {receipt.index} of {head.origin} names this very file.")


def check_last(archive: Archive, report: Report, check: Check) -> None:
    """Return if the tree of the report continues that of the last report. Raises ``IntegrityError``."""
    if LAST not in archive:
        check.say("There is no report before this one in its series.")
        return
    request, head = parse_request(archive.read(LAST)), report.head
    table = report.tables["checkpoints"]
    size, root = table.schema.place("size"), table.schema.place("root")
    old = next((row[root] for row in table.shown if row[size] == request.old_size), None)
    if old is None:
        raise UndecidedError("bundle.no-last", "The report does not show the tree of the last one.")
    if (request.stated.size, request.stated.root.hex()) != (head.size, head.root):
        raise IntegrityError("bundle.other-report", "The proof from the last report is to another tree.")
    roots = bytes.fromhex(old), request.stated.root
    verify_consistency(request.old_size, head.size, request.proof, *roots)
    check.say(f"The log begins with all {request.old_size:,} entries that the last report stood on.")
