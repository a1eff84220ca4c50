"""Where a report stands among those before it: what it is held against, and how it is issued."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.service.files import write_new
from ledger.service.report import issuing
from ledger.service.report.beside import Beside

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.audit import Report
    from ledger.core.audit.views import Reader
    from ledger.ports import Publication, Signer
    from ledger.service.clear.question import Clearer
    from ledger.service.report.population import Population
    from ledger.service.studio import Studio

FOLDER = "reports"


@dataclass(frozen=True, slots=True)
class Standing:
    """A report's place in its series. ``registrar`` signs it, where it is to be issued."""

    studio: Studio
    kept: Publication
    series: str
    beside: Beside
    registrar: Signer | None

    def prove(self, clearer: Clearer, folder: Path) -> list[str]:
        """Write what shows where the report stands into its folder; return the files' names."""
        files = issuing.proof_of(self.studio, clearer, self.beside.last)
        for name, data in files.items():
            write_new(folder / name, data)
        return list(files)

    def sign(self, report: Report, whole: bytes, folder: Path) -> list[str]:
        """Write the signed entry about all that lies in the folder, where the report is to be issued.

        ``whole`` (the document of the whole report) is kept then. Returns the names of what was written.
        """
        from ledger.service.report.last import keep_whole

        if self.registrar is None:
            return []
        digest = keep_whole(self.kept, whole)
        entry = issuing.sign(self.registrar, report, digest, self.series, self.beside.last, folder)
        write_new(folder / issuing.ENTRY, entry)
        return [issuing.ENTRY]

    def issue(self, folder: Path) -> int | None:
        """Have the log take in the entry in this folder, and return its index; ``None`` for a draft.

        Raises what ``issuing.issue`` raises.
        """
        return issuing.issue(self.studio, self.kept, folder)[0] if self.registrar else None


def kept_reports(home: Home) -> Publication:
    """Return the folder of the home with the reports that were issued."""
    from ledger.adapters.files import DirectoryPublication

    return DirectoryPublication(home.folder / FOLDER)


def standing(
    home: Home, studio: Studio, clearer: Clearer, population: Population, reader: Reader, *, issue: bool
) -> Standing:
    """Return where a report of this population for this reader stands, in the tree that is judged by.

    Raises ``UsageError("key.missing")`` where it is to be issued and there is no registrar here, and
    ``MalformedError`` with ``home.malformed`` or ``report.kept``.
    """
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.service.report.last import find_last, series_of
    from ledger.wiring import REGISTRAR, open_device

    kept, series = kept_reports(home), series_of(studio.log.origin, population.scope, reader)
    policy = WitnessSettings(home.folder).read()
    beside = Beside(policy[0] if policy else None, find_last(studio, kept, series, clearer.size))
    registrar = open_device(home, REGISTRAR).signer if issue else None
    return Standing(studio, kept, series, beside, registrar)
