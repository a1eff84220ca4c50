"""Checking everything that is kept of a log against everything else, and naming what is bad first.

* Read only, with no private key, also while other processes append.
* The signed root decides. What is signed is the head's checkpoint or, when that is damaged, the last-signed
  record's, or the published one.
* Each check is independent: after a failure the others go on, so that the operator sees everything at once.
* *Failed* means two records that must agree do not. What could not be read or reached is *undecided*.
* Each row is read once, and memory does not grow with the log beyond 100 bytes for each 256 entries.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger.errors import IntegrityError, MalformedError, RakkanError
from ledger.ports import PublishedLog
from ledger.service.log.fsck.published import Comparison
from ledger.service.log.fsck.reading import Progress, Reading, read
from ledger.service.log.fsck.report import (
    EXIT_CODES,
    Condition,
    Finding,
    FsckReport,
    Mend,
    failed,
    passed,
    undecided,
)
from ledger.service.log.fsck.signed import Signed, gather, judge_head, judge_last, judge_published
from ledger.service.log.fsck.stored import (
    Stock,
    find_beyond,
    judge_database,
    judge_entries,
    judge_rows,
    judge_tiles,
    peaks_of_head,
    read_tiles,
)
from ledger.service.log.fsck.tree import Tree
from ledger.service.log.records import Records

_DATABASE = ("entries", "tiles", "statements", "artifacts")


def fsck(
    records: Records, publication: PublishedLog | None = None, told: Progress = lambda _: None
) -> FsckReport:
    """Check everything that is kept of the log, and what is published where a publication is given.

    ``told`` hears now and then how many entries were read. Raises nothing about what it checks: that is in
    the report.
    """
    try:
        signed = gather(records, publication)
    except RakkanError as error:
        return FsckReport(records.origin, 0, 0, (_unread("head", error),))
    comparison = _comparison(signed, publication)
    try:
        stock = _stock(records, signed, comparison, told)
    except RakkanError as error:
        return FsckReport(records.origin, signed.truth.size, 0, _without_rows(records, signed, error))
    bad = stock.bad_entry()
    first_bad = None if bad is None else bad[0]
    spoilt = records.last_signed.damaged()
    findings = [
        _attempt("database", lambda: judge_database(records.store)),
        judge_head(signed),
        judge_last(signed, stock.reading.roots, first_bad, spoilt=spoilt),
        judge_entries(stock),
        judge_tiles(stock),
        judge_rows(stock, "statements", stock.reading.statement),
        judge_rows(stock, "artifacts", stock.reading.artifact),
    ]
    if publication is not None:
        findings.append(judge_published(signed, stock.reading.roots, first_bad))
    if comparison is not None:
        findings.append(_judge_files(comparison, stock))
    return FsckReport(records.origin, signed.truth.size, stock.reading.read, tuple(findings))


def _comparison(signed: Signed, publication: PublishedLog | None) -> Comparison | None:
    if publication is None:
        return None
    published = signed.published.checkpoint
    return Comparison(publication, published.size if published else 0, signed.truth.size)


def _stock(records: Records, signed: Signed, comparison: Comparison | None, told: Progress) -> Stock:
    size = signed.truth.size
    others = (signed.last.checkpoint, signed.published.checkpoint)
    wanted = [other.size for other in others if other is not None and 0 < other.size < size]
    reading: Reading = read(records, size, wanted, comparison, told)
    tiles = read_tiles(records.store, size)
    peaks = peaks_of_head(signed.head)
    tree = Tree(size, signed.truth.root, peaks, reading.computed, reading.kept, tiles.above)
    if comparison is not None:
        comparison.compare_above(tree)
    return Stock(records.store, signed.truth, reading, tiles, find_beyond(records.store, size), tree)


def _judge_files(comparison: Comparison, stock: Stock) -> Finding:
    name = "published-files"
    bad = next(comparison.bad(stock.bottom), None)
    if bad is not None:
        what, code = ("missing", "missing") if bad.found is None else ("not what the log holds", "changed")
        return failed(name, f"{bad.path} is {what}.", Mend.REPUBLISH, "log.conflict", f"published.{code}")
    if comparison.unexplained:
        words = "Some tiles could not be compared: nothing in the database says what they must be."
        return undecided(name, words, Mend.FIRST, "log.corrupt")
    if comparison.unreachable is not None:
        error = comparison.unreachable
        return undecided(name, f"The publication cannot be read: {error.message}", Mend.LATER, error.code)
    early = f" {comparison.early} more are there already for the next checkpoint." if comparison.early else ""
    return passed(name, f"{comparison.files} files are byte for byte those of the log.{early}")


def _without_rows(records: Records, signed: Signed, error: RakkanError) -> tuple[Finding, ...]:
    """Return what can be said where the rows of the database cannot even be read."""
    spoilt = records.last_signed.damaged()
    last = judge_last(signed, {}, 0, spoilt=spoilt)
    database = _attempt("database", lambda: judge_database(records.store))
    return (database, judge_head(signed), last, *(_unread(name, error) for name in _DATABASE))


def _attempt(name: str, judge: Callable[[], Finding]) -> Finding:
    try:
        return judge()
    except RakkanError as error:
        return _unread(name, error)


def _unread(name: str, error: RakkanError) -> Finding:
    words = f"The database cannot be read: {error.message}"
    if isinstance(error, IntegrityError | MalformedError):
        return failed(name, words, Mend.RESTORE, error.code)
    return undecided(name, words, Mend.LATER, error.code)


__all__ = ["EXIT_CODES", "Condition", "Finding", "FsckReport", "Mend", "fsck"]
