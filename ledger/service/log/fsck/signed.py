"""What is signed, and where: the head's checkpoint, the last-signed record's, the published one.

They are read in this order: the record, the publication, the head. An append or a publication that ends in
between moves the head first, so that an honest head never looks older than the other two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.core.checkpoint import Checkpoint
from ledger.core.merkle import EMPTY_ROOT, root
from ledger.errors import IntegrityError, MalformedError, RakkanError
from ledger.ports import Head, PublishedLog
from ledger.service.log.fsck.report import Finding, Mend, failed, passed, undecided
from ledger.service.log.publish import CHECKPOINT
from ledger.service.log.records import Records


@dataclass(frozen=True, slots=True)
class Stated:
    """A signed checkpoint as found: what it states, or why that is not known; neither where there is none."""

    checkpoint: Checkpoint | None
    error: RakkanError | None


@dataclass(frozen=True, slots=True)
class Signed:
    """All of them, and the ``truth`` that everything else is held against."""

    head: Head
    stated: Stated
    last: Stated
    published: Stated
    truth: Checkpoint


def gather(records: Records, publication: PublishedLog | None) -> Signed:
    """Read what is signed. Raises what the store raises when it has no readable head."""
    last = _stated(records, records.last_signed.read)
    published = _stated(records, lambda: publication.get(CHECKPOINT) if publication else None)
    head = records.store.head()
    stated = _stated(records, lambda: head.checkpoint or None)
    empty = Checkpoint(records.origin, 0, EMPTY_ROOT)
    if stated.checkpoint is None and not (head == Head(0, (), b"", head.epoch) and not _entries(records)):
        truth = last.checkpoint or published.checkpoint or empty
    else:
        truth = stated.checkpoint or empty
    return Signed(head, stated, last, published, truth)


def judge_head(signed: Signed) -> Finding:
    """Compare the head row with the checkpoint that it carries."""
    head, truth = signed.head, signed.truth
    if signed.stated.error is not None:
        words = f"The checkpoint in the head row is damaged: {signed.stated.error.message}"
        return failed("head", words, Mend.REBUILD, "log.corrupt", "head.checkpoint")
    if signed.stated.checkpoint is None and truth.size:
        words = f"The head row is missing or empty, and {truth.size} entries are signed."
        return failed("head", words, Mend.REBUILD, "log.corrupt", "head.missing")
    if head.size != truth.size:
        words = f"The head row says {head.size} entries, its signed checkpoint {truth.size}."
        return failed("head", words, Mend.REBUILD, "log.corrupt", "head.size")
    if len(head.peaks) != truth.size.bit_count() or root(head.peaks) != truth.root:
        words = "The peaks in the head row do not lead to the root of its signed checkpoint."
        return failed("head", words, Mend.REBUILD, "log.corrupt", "head.peaks")
    return passed("head", f"{truth.size} entries, root {truth.root.hex()}.")


def judge_last(signed: Signed, roots: dict[int, bytes], first_bad: int | None, *, spoilt: bool) -> Finding:
    """Compare the last-signed record with the database."""
    last = signed.last
    if last.error is not None:
        words = f"The last-signed record cannot be used: {last.error.message}"
        if isinstance(last.error, IntegrityError | MalformedError):
            return failed("last-signed", words, Mend.APPEND, last.error.code, "last-signed.damaged")
        return undecided("last-signed", words, Mend.LATER, last.error.code)
    if last.checkpoint is None and signed.truth.size:
        words = "There is no last-signed record, so nothing beside the database says that it is the newest."
        return undecided("last-signed", words, Mend.APPEND, "last-signed.missing")
    if last.checkpoint is not None:
        found = _continues("last-signed", "log.rollback", last.checkpoint, signed.truth, roots, first_bad)
        if found is not None:
            return found
    if spoilt:
        words = "One of the two copies in the last-signed record is damaged; the other one is held here."
        return failed("last-signed", words, Mend.APPEND, "log.corrupt", "last-signed.damaged")
    behind = signed.truth.size - (last.checkpoint.size if last.checkpoint else 0)
    late = f" It is {behind} behind: harmless, the next entry brings it up." if behind else ""
    return passed("last-signed", f"The record is of this database.{late}")


def judge_published(signed: Signed, roots: dict[int, bytes], first_bad: int | None) -> Finding:
    """Compare the published checkpoint with the database."""
    published = signed.published
    if published.error is not None:
        words = f"The published checkpoint cannot be used: {published.error.message}"
        if isinstance(published.error, IntegrityError | MalformedError):
            mend = Mend.REPUBLISH
            return failed("published-checkpoint", words, mend, "log.conflict", "published.checkpoint")
        return undecided("published-checkpoint", words, Mend.LATER, published.error.code)
    if published.checkpoint is None:
        words = "No checkpoint is published."
        return undecided("published-checkpoint", words, Mend.PUBLISH, "published.nothing")
    stated = published.checkpoint
    found = _continues("published-checkpoint", "log.conflict", stated, signed.truth, roots, first_bad)
    if found is not None:
        return found
    behind = signed.truth.size - stated.size
    late = f" {behind} newer ones are not published yet." if behind else ""
    return passed("published-checkpoint", f"{stated.size} entries are published.{late}")


def _continues(
    name: str,
    code: str,
    old: Checkpoint,
    truth: Checkpoint,
    roots: dict[int, bytes],
    first_bad: int | None,
) -> Finding | None:
    """Return what is wrong where the database does not hold the older checkpoint's tree as a prefix."""
    if old.size > truth.size:
        words = f"It has {old.size} entries, the database only {truth.size}: the database is an older one."
        return failed(name, words, Mend.RECOVER, "log.rollback", f"{name}.ahead")
    held = truth.root if old.size == truth.size else roots.get(old.size)
    if held == old.root or old.size == 0:
        return None
    if old.size < truth.size and (held is None or (first_bad is not None and first_bad < old.size)):
        words = f"The entries are damaged, so its root at {old.size} entries cannot be compared."
        return undecided(name, words, Mend.FIRST, "log.corrupt")
    words = (
        f"The log's key signed two roots for {old.size} entries: {old.root.hex()} here and "
        f"{held.hex() if held else 'none'} in the database. That is a fork."
    )
    return failed(name, words, Mend.INVESTIGATE, code, f"{name}.contradicts")


def _stated(records: Records, read: Callable[[], bytes | None]) -> Stated:
    try:
        note = read()
        return Stated(None if note is None else records.opened(note), None)
    except RakkanError as error:
        return Stated(None, error)


def _entries(records: Records) -> bool:
    return records.store.beyond(0) == "entry"
