"""Whether a report that somebody was given still stands: what its log has said since.

* The log of today must begin with the tree that the report stands on: proven from the log's own tiles.
* Every entry since then is held against the signed tree, and read. A verdict counts when a registrar of the
  trust root signed it, when it answers the report's question, and when it is about one of the report's files.
* So does the entry that issued the report: a report without one is a draft, or was changed.
* Nothing is kept between two looks: the same log and report give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.audit import Hidden, Report
from ledger.core.checkpoint import Checkpoint, open_checkpoint
from ledger.core.identity import PublicKey, parse_public_key
from ledger.core.merkle import inclusion_proof, leaf_hash, verify_inclusion
from ledger.core.predicates import AuditReport, VerdictResult
from ledger.core.statement import Statement
from ledger.core.tiles import WIDTH, Tile
from ledger.core.trust import TrustRoot
from ledger.errors import IntegrityError, RakkanError, UndecidedError
from ledger.ports import PublishedLog
from ledger.service.log.monitor import CHECKPOINT
from ledger.service.log.monitor_entries import read_bundle
from ledger.service.log.monitor_proofs import contradicts, served

EXIT_CODES = {"cleared": 0, "needs_review": 3, "undecided": 3, "blocked": 4}
"""As those of a clearance: what a script sees."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict that was told since: its entry, its files, its answer now, and whether that is proven."""

    index: int
    files: tuple[str, ...]
    now: str
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Changed:
    """A file of the report with another verdict now. ``name`` is ``None`` where the view hides it."""

    name: str | None
    sha256: str
    before: str
    told: Told


@dataclass(slots=True)
class Since:
    """What a log said since a report. ``unsure`` are entries of which nobody here can say whose word it is.

    ``issued`` is the entry that issued the report, ``newer`` the later ones of its series. ``read`` says that
    every entry since then was read.
    """

    told: list[Told] = field(default_factory=list)
    newer: list[tuple[int, AuditReport]] = field(default_factory=list)
    issued: int | None = None
    unsure: list[int] = field(default_factory=list)
    read: bool = True


@dataclass(frozen=True, slots=True)
class Watched:
    """Whether a report still stands, by a log of ``size`` entries now."""

    report: Report
    size: int
    changed: tuple[Changed, ...]
    since: Since

    @property
    def exit_code(self) -> int:
        """Return 0 where nothing is worse, else the code of the worst news; 3 where something is open."""
        news = [item.told.now for item in self.changed]
        news += [
            item.verdict_now
            for _, item in self.since.newer[-1:]
            if item.verdict_now != self.report.verdict_now
        ]
        unproven = any(not item.told.proven for item in self.changed)
        unclear = self.since.issued is None or self.since.unsure or not self.since.read or unproven
        return max([3 if unclear else 0, *(EXIT_CODES[item] for item in news)])

    def to_json(self) -> dict[str, Any]:
        """Return the answer for a program."""
        head, since = self.report.head, self.since
        return {
            "report": head.identifier,
            "issued": since.issued,
            "log": {"origin": head.origin, "then": head.size, "now": self.size},
            "changed": [
                {
                    "name": item.name,
                    "sha256": item.sha256,
                    "before": item.before,
                    "now": item.told.now,
                    "entry": item.told.index,
                    "proven": item.told.proven,
                }
                for item in self.changed
            ],
            "newer": [{"entry": index, **item.to_json()} for index, item in since.newer],
            "unsure": since.unsure,
            "complete": since.read,
        }


def continued(log: PublishedLog, report: Report, trust: TrustRoot) -> Checkpoint:
    """Return the state of the log now, once it is proven to begin with the report's tree.

    Raises ``UndecidedError("report.ahead")`` for a log that shows less than the report saw,
    ``IntegrityError("report.tree")``, and what the log and ``open_checkpoint`` raise.
    """
    head = report.head
    note = log.get(CHECKPOINT)
    if note is None:
        raise UndecidedError("monitor.incomplete", "No checkpoint is published there.")
    now = open_checkpoint(note, trust.log_verifiers(head.origin))
    if now.size < head.size:
        words = "The log shows fewer entries than the report stands on: an old copy, or it went back."
        raise UndecidedError("report.ahead", words, shown=now.size, report=head.size)
    found = contradicts(log, Checkpoint(head.origin, head.size, bytes.fromhex(head.root)), now)
    if found is not None:
        words = "The log does not begin with the tree that the report stands on: one of the two was changed."
        raise IntegrityError("report.tree", words, size=head.size, root=head.root, found=found.root.hex())
    return now


def told_by_log(log: PublishedLog, report: Report, digest: str, trust: TrustRoot, now: Checkpoint) -> Since:
    """Return what the entries since the report say. ``digest`` is that of its document.

    Raises ``IntegrityError("monitor.tiles")`` for entries that are not those of the tree, and what the log
    raises.
    """
    keys = [parse_public_key(spki) for spki in trust.registrars]
    since, series = Since(), None
    for index, entry in _entries(log, report.head.size, now):
        try:
            statement = _signed(entry, keys)
        except RakkanError:
            since.unsure.append(index)
            continue
        predicate = statement.predicate if statement else None
        if isinstance(predicate, VerdictResult) and _answers(predicate, report):
            files = tuple(subject.sha256 for subject in statement.subjects) if statement else ()
            since.told.append(Told(index, files, predicate.now.verdict.value))
        elif isinstance(predicate, AuditReport) and statement:
            if statement.subjects[0].sha256 == digest:
                since.issued, series = index, predicate.series
            elif predicate.series == series:
                since.newer.append((index, predicate))
    return since


def watched(report: Report, size: int, since: Since) -> Watched:
    """Return which of the report's files have another verdict by what was told."""
    newest = {sha256: told for told in since.told for sha256 in told.files}
    changed = [
        Changed(name, sha256, before, newest[sha256])
        for name, sha256, before in _files(report)
        if sha256 in newest and newest[sha256].now != before
    ]
    return Watched(report, size, tuple(changed), since)


def answers(policy_sha256: str, delivery: object, report: Report) -> bool:
    """Whether a verdict by this policy for this delivery answers the question of the report."""
    return policy_sha256 == report.head.policy_sha256 and delivery == dict(report.head.delivery)


def _answers(verdict: VerdictResult, report: Report) -> bool:
    return answers(verdict.policy_sha256, verdict.delivery.to_json(), report)


def _files(report: Report) -> Iterator[tuple[str | None, str, str]]:
    """Yield name, digest and verdict of each file of the report, each once."""
    table, seen = report.tables["frames"], set[str]()
    for name, sha256, now in zip(*map(table.column, ("name", "sha256", "now")), strict=True):
        if sha256 is not None and sha256 not in seen:
            seen.add(sha256)
            yield None if isinstance(name, Hidden) else name, sha256, now


def _entries(log: PublishedLog, start: int, now: Checkpoint) -> Iterable[tuple[int, bytes]]:
    """Yield the entries from ``start`` on, each held against the tile over it, and that against the root."""
    while start < now.size:
        tile = start // WIDTH
        stop = min((tile + 1) * WIDTH, now.size)
        nodes = served(log, now.size)
        entries = read_bundle(log, Tile(0, tile, stop - tile * WIDTH))
        verify_inclusion(start, now.size, nodes(0, start), inclusion_proof(start, now.size, nodes), now.root)
        for index in range(start, stop):
            entry = entries[index - tile * WIDTH]
            if leaf_hash(entry) != nodes(0, index):
                words = "An entry does not hash to the tile over it."
                raise IntegrityError("monitor.tiles", words, index=index)
            yield index, entry
        start = stop


def _signed(entry: bytes, keys: Sequence[PublicKey]) -> Statement | None:
    """Return what an entry states, if it is one that only a registrar may say, and one of these did.

    ``None`` for all others. Raises ``RakkanError`` where nobody can say whose word it is.
    """
    opened = dsse.decode(entry)
    statement = statements.decode(opened.payload)
    if not isinstance(statement.predicate, VerdictResult | AuditReport):
        return None
    named = {signature.keyid for signature in opened.signatures}
    key = next((key for key in keys if key.keyid in named), None)
    if key is None:
        raise UndecidedError("key.unknown", "No registrar of the trust root signed this entry.")
    dsse.verify(opened, key)
    return statement
