"""Whether a label still holds: what the log has said since of what it is about.

* A verdict of a file that answers the label's own question, and is another one now, ends what the label says.
  So does a newer report of the same scope that is not cleared, and a doubt about the registrar's key.
* It tells what became of the whole, in numbers; it names no file, model or person.
* Verdicts are those on record. Nothing is judged anew for whoever looks at a public page.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

from ledger.core.audit import Report
from ledger.core.predicates import AuditReport, VerdictResult
from ledger.core.predicates.label import About, Claims
from ledger.errors import UndecidedError
from ledger.ports import Publication
from ledger.service.archive import Archive
from ledger.service.clear.verdicts import read
from ledger.service.labels.stated import Labels, Stated, stated
from ledger.service.log.keys import Keys
from ledger.service.report.last import whole_report
from ledger.service.studio import Studio


class Holds(StrEnum):
    """What a label is worth now, the worst first."""

    WITHDRAWN = "withdrawn"
    DOUBTED = "doubted"
    """Somebody else may have signed it."""
    CHANGED = "changed"
    """The log says something else by now."""
    UNKNOWN = "unknown"
    """What would tell is not here."""
    STANDS = "stands"


@dataclass(frozen=True, slots=True)
class Since:
    """What was said since. ``files`` of ``of`` are not cleared any more; ``of`` is ``None`` where unknown.

    ``newer`` is the verdict of the newest later report of the same scope, where there is one.
    """

    holds: Holds
    files: int = 0
    of: int | None = None
    newer: str | None = None


@dataclass(slots=True)
class _Watched:
    """The files of one label, and their newest verdicts in the entries before ``read``."""

    files: frozenset[str] | None
    read: int
    newest: dict[str, bool] = field(default_factory=dict)


class Watch:
    """Tells of the labels of one log. May be used by several threads; reads each verdict once for a label."""

    def __init__(self, studio: Studio, kept: Publication) -> None:
        self._studio, self._kept = studio, kept
        self._keys = Keys(studio)
        self._turn = Lock()
        self._watched: dict[tuple[int, str], _Watched] = {}
        self._labels = stated(studio)

    def labels(self) -> Labels:
        """Return the labels of the log as it is now."""
        if self._studio.entries.head().size != self._labels.size:
            self._labels = stated(self._studio)
        return self._labels

    def of(self, history: Sequence[Stated]) -> Since:
        """Return what became of a label, by all the entries about it."""
        newest = history[-1]
        if newest.label.claims is None:
            return Since(Holds.WITHDRAWN)
        if not self._trusted(newest.index):
            return Since(Holds.DOUBTED)
        return self.changed(newest.label.claims, newest.sha256)

    def changed(self, claims: Claims, sha256: str) -> Since:
        """Return what the log has said since of what these claims are about; the signature apart."""
        with self._turn:
            watched = self._caught_up(claims, sha256)
            files = sum(not cleared for cleared in watched.newest.values())
            of = None if watched.files is None else len(watched.files)
        newer = self._newer(claims)
        if files or newer not in {None, "cleared"}:
            return Since(Holds.CHANGED, files, of, newer)
        return Since(Holds.UNKNOWN if of is None else Holds.STANDS, 0, of, newer)

    def is_of(self, claims: Claims, sha256: str, files: Collection[str]) -> bool:
        """Whether any of these files is one that the claims are about; not where that is unknown."""
        with self._turn:
            known = self._caught_up(claims, sha256).files
        return known is not None and not known.isdisjoint(files)

    def _trusted(self, index: int) -> bool:
        history, _ = self._keys.now()
        try:
            history.check_suspect(self._studio.envelope(index).signatures[0].keyid, index)
        except UndecidedError:
            return False
        return True

    def _newer(self, claims: Claims) -> str | None:
        source = self._studio.statement(claims.entry).predicate
        if not isinstance(source, AuditReport):
            return None
        archive = Archive(self._studio)
        for row in reversed(self._studio.entries.statements(AuditReport.TYPE, claims.entry + 1)):
            report = self._studio.statement(row.index).predicate
            same = isinstance(report, AuditReport) and report.series == source.series
            if same and isinstance(report, AuditReport) and archive.by_registrar(row.index):
                return report.verdict_now
        return None

    def _caught_up(self, claims: Claims, sha256: str) -> _Watched:
        key = claims.entry, sha256
        if key not in self._watched:
            self._watched[key] = self._begun(claims, sha256)
        watched = self._watched[key]
        archive = Archive(self._studio)
        for row in self._studio.entries.statements(VerdictResult.TYPE, watched.read):
            watched.read = row.index + 1
            found = read(archive, row.index) if watched.files else None
            if found is None:
                continue
            verdict = found.verdict
            if (verdict.policy_sha256, verdict.delivery) == (claims.policy_sha256, claims.delivery):
                about = {item.sha256 for item in found.subjects} & (watched.files or frozenset())
                watched.newest |= dict.fromkeys(about, verdict.now.cleared)
        return watched

    def _begun(self, claims: Claims, sha256: str) -> _Watched:
        source = self._studio.statement(claims.entry).predicate
        if claims.about is About.FILE or not isinstance(source, AuditReport):
            return _Watched(frozenset({sha256}), claims.entry + 1)
        whole = whole_report(self._kept, source.whole)
        return _Watched(files_of(whole) if whole else None, source.size)


def files_of(report: Report) -> frozenset[str]:
    """Return the SHA-256 of every file of a report."""
    return frozenset(item for item in report.tables["frames"].column("sha256") if isinstance(item, str))
