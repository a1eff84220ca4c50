"""A report of a studio in memory: asked by the shipped broadcast policy, at one moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ledger.adapters.profiles import load
from ledger.core.audit import Report
from ledger.core.audit.document import to_json
from ledger.core.audit.views import Reader, View
from ledger.ports import Publication
from ledger.service.clear.question import Asked, Clearer, ask, clearer_over, see
from ledger.service.report import issuing
from ledger.service.report.beside import Beside
from ledger.service.report.entries import Rests, rests_on
from ledger.service.report.last import find_last, keep_whole, series_of
from ledger.service.report.population import Population, of_targets
from ledger.service.report.report import make
from ledger.service.studio import Studio
from tests.support.builders import NOW, REGISTRAR


def asked(studio: Studio, *targets: str) -> tuple[Clearer, Population]:
    """Return the question, and what these targets stand for; without any, all final files."""
    seen = see(studio)
    question = ask(studio, load("broadcast-jp"), Asked(at=NOW))
    return clearer_over(seen, question), of_targets(studio, targets or (".",))


def rests(studio: Studio, *targets: str) -> Rests:
    """Return the entries that these targets rest on."""
    return rests_on(studio, *asked(studio, *targets))


@dataclass(frozen=True, slots=True)
class Series:
    """The reports of one scope, written and issued as `rakkan report --issue` does it."""

    studio: Studio
    kept: Publication
    targets: tuple[str, ...]

    def written(self, folder: Path) -> Report:
        """Write the next report into a folder, signed and not yet in the log."""
        clearer, population = asked(self.studio, *self.targets)
        reader = Reader(View.STUDIO)
        series = series_of(self.studio.log.origin, population.scope, reader)
        last = find_last(self.studio, self.kept, series, clearer.size)
        report = make(self.studio, clearer, population, Beside(last=last)).report
        data = json.dumps(to_json(report)).encode()
        folder.mkdir()
        (folder / "report.json").write_bytes(data)
        for name, proof in issuing.proof_of(self.studio, clearer, last).items():
            (folder / name).write_bytes(proof)
        whole = keep_whole(self.kept, data)
        entry = issuing.sign(REGISTRAR, report, whole, series, last, folder)
        (folder / issuing.ENTRY).write_bytes(entry)
        return report

    def issued(self, folder: Path) -> tuple[int, Report]:
        """Write the next report, and have the log take it in; return its entry with it."""
        report = self.written(folder)
        return issuing.issue(self.studio, self.kept, folder)[0], report
