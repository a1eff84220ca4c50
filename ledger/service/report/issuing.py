"""Issuing a report: its files are named in an entry of the log, so that nobody can deny or exchange them.

* The signed entry lies among the files before the log takes it in. Whoever is interrupted in between does it
  again with the same folder: the same bytes get the same place in the log, once.
* What is issued is what lies in the folder. A file that was changed since it was signed is refused.
* The report that it follows, and the whole of it, are kept before the log is told: the next one needs both.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.audit import Report
from ledger.core.audit import bundle as form
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.fields import parse_time
from ledger.core.predicates import AuditReport
from ledger.core.receipt import Receipt, format_receipt
from ledger.core.statement import Statement
from ledger.core.witness import Request, format_request
from ledger.errors import IntegrityError, UsageError
from ledger.ports import Publication, Signer
from ledger.service.clear.question import Clearer
from ledger.service.files import identify, read_whole, write_new
from ledger.service.log import receipts
from ledger.service.report.beside import Last
from ledger.service.report.last import keep_last
from ledger.service.studio import Studio

DOCUMENT, ENTRY, RECEIPT, PROOF = form.DOCUMENT, form.ISSUED, form.RECEIPT, form.LAST
CHECKPOINT = "report.checkpoint"
FIGURES = (
    *("frames", "found", "unknown", "absent", "cleared", "needs-review", "blocked", "undecided", "ai"),
    *("findings-open", "findings-accepted", "entries-failed"),
)
"""The figures that an entry repeats."""


def stood_on(studio: Studio, clearer: Clearer) -> bytes:
    """Return the signed checkpoint of the tree that is judged by; the one that witnesses cosigned, if any."""
    kept = studio.checkpoints.covering(clearer.size)
    exact = kept is not None and parse_checkpoint(kept).size == clearer.size
    return kept if kept is not None and exact else clearer.checkpoint


def proof_of(studio: Studio, clearer: Clearer, last: Last | None) -> dict[str, bytes]:
    """Return the files, by name, that show on which tree the report stands, and that it continues the last's.

    The proof is from the checkpoint of the last report's receipt, which its receiver has. It is left out
    where there is no last report, or where the log does not continue it: the report says so.
    """
    note = stood_on(studio, clearer)
    found = {CHECKPOINT: note}
    if last is None or last.index is None:
        return found
    old = receipts.held(studio.log, last.checkpoint).size if last.checkpoint else last.size
    if old <= clearer.size:
        proof = studio.log.consistency(old, clearer.size)
        found[PROOF] = format_request(Request(old, proof, note))
    return found


def sign(
    registrar: Signer, report: Report, whole: str, series: str, last: Last | None, folder: Path
) -> bytes:
    """Return the entry that names every file in this folder, signed. ``whole`` is the whole report's digest.

    Raises ``file.…``.
    """
    head = report.head
    stated = AuditReport(
        identifier=head.identifier,
        title=head.title,
        series=series,
        previous=last.index if last else None,
        view=report.view,
        at=parse_time(head.at),
        population=head.population,
        policy=head.policy,
        policy_version=head.policy_version,
        policy_sha256=head.policy_sha256,
        size=head.size,
        root=head.root,
        verdict_then=report.verdict_then,
        verdict_now=report.verdict_now,
        grade_then=report.grade_then,
        grade_now=report.grade_now,
        figures={key: report.figure(key).value for key in FIGURES},
        whole=whole,
    )
    return dsse.sign(statements.encode(Statement(_files(folder), stated)), registrar)


def issue(studio: Studio, kept: Publication, folder: Path) -> tuple[int, AuditReport]:
    """Have the log take in the entry that lies in this folder, and write its receipt beside; return both.

    The receipt is durable on return. May be repeated. Raises ``UsageError("report.not-signed")``,
    ``IntegrityError("report.changed")``, and the log's errors; then nothing was issued.
    """
    envelope, statement = read_entry(folder)
    check_files(folder, statement.subjects)
    report = statement.predicate
    if not isinstance(report, AuditReport):
        raise UsageError("report.not-signed", f"{folder / ENTRY} is no entry about a report.", path=folder)
    index = studio.append(envelope).index
    receipt: Receipt = receipts.receipt(studio.log, studio.checkpoints, index)
    keep_last(kept, report.series, envelope, receipt)
    if not (folder / RECEIPT).exists():
        write_new(folder / RECEIPT, format_receipt(receipt))
    return index, report


def read_entry(folder: Path) -> tuple[bytes, Statement]:
    """Return the entry in an issued folder, its signature unverified.

    Raises ``UsageError("report.not-signed")`` where there is none, and ``MalformedError``.
    """
    path = folder / ENTRY
    if not path.is_file():
        words = f"{folder} holds no signed entry: it was not written with --issue."
        raise UsageError("report.not-signed", words, path=folder)
    envelope = read_whole(path, dsse.MAX_BYTES + 1)
    return envelope, statements.decode(dsse.decode(envelope).payload)


def check_files(folder: Path, subjects: Sequence[Artifact]) -> None:
    """Return if these files lie in the folder, with these bytes.

    Raises ``IntegrityError("report.changed")``.
    """
    for subject in subjects:
        path = folder / subject.name
        if path.parent != folder or not path.is_file() or identify(path).sha256 != subject.sha256:
            words = f"{path} is not the file that was signed."
            raise IntegrityError("report.changed", words, path=path, expected=subject.sha256)


def _files(folder: Path) -> tuple[Artifact, ...]:
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    ordered = [DOCUMENT, *(name for name in names if name not in {DOCUMENT, ENTRY, RECEIPT})]
    return tuple(Artifact(name, identify(folder / name).sha256) for name in ordered)
