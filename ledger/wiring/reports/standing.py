"""Where a report stands among those before it: what it is held against, and how it is issued."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.audit.views import Reader
    from ledger.core.predicates import AuditReport
    from ledger.ports import Publication
    from ledger.service.report.beside import Beside
    from ledger.service.report.population import Population
    from ledger.service.studio import Studio
    from ledger.wiring.reports.draft import Draft

FOLDER = "reports"


def kept_reports(home: Home) -> Publication:
    """Return the folder of the home with the reports that were issued."""
    from ledger.adapters.files import DirectoryPublication

    return DirectoryPublication(home.folder / FOLDER)


def beside(home: Home, studio: Studio, population: Population, reader: Reader) -> Beside:
    """Return what a report of this population for this reader is held against.

    Raises ``MalformedError`` with ``home.malformed`` or ``report.kept``.
    """
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.service.report.beside import Beside
    from ledger.service.report.last import find_last, series_of

    policy = WitnessSettings(home.folder).read()
    last = find_last(studio, kept_reports(home), series_of(studio, population, reader))
    return Beside(policy[0] if policy else None, last)


def write_proof(draft: Draft) -> Iterable[str]:
    """Write the checkpoint that the report stands on, and the proof that it continues the last report's."""
    from ledger.service.files import write_new
    from ledger.service.report.issuing import proof_of

    found = proof_of(draft.studio, draft.made.cleared.clearer, draft.made.beside.last)
    for name, data in found.items():
        write_new(draft.folder / name, data)
    return found


def sign_entry(draft: Draft) -> Iterable[str]:
    """Sign the entry that names the files so far, and keep the whole report; return the entry's name.

    Raises ``UsageError("key.missing")`` where there is no registrar here.
    """
    from ledger.core.audit.document import to_json
    from ledger.service.files import write_new
    from ledger.service.report import issuing
    from ledger.service.report.last import keep_whole, series_of
    from ledger.wiring import REGISTRAR, open_device

    made, registrar = draft.made, open_device(draft.home, REGISTRAR).signer
    whole = json.dumps(to_json(made.report), ensure_ascii=False, separators=(",", ":")).encode()
    digest = keep_whole(kept_reports(draft.home), whole)
    series = series_of(draft.studio, made.population, draft.order.reader)
    entry = issuing.sign(registrar, draft.report, digest, series, made.beside.last, draft.folder)
    write_new(draft.folder / issuing.ENTRY, entry)
    return [issuing.ENTRY]


def issue(home: Home, studio: Studio, folder: Path) -> tuple[int, AuditReport]:
    """Have the log take in the entry in this folder; return both. Raises what ``issuing.issue`` raises."""
    from ledger.service.report import issuing

    return issuing.issue(studio, kept_reports(home), folder)
