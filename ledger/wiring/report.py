"""Write a report: every format of it into one folder, each drawn from the same value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.core.audit.bundle import DOCUMENT
from ledger.core.audit.document import to_json
from ledger.core.audit.views import Reader, seen_by
from ledger.core.digest import sha256_hex
from ledger.service.files import write_new
from ledger.wiring import REGISTRAR

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.audit import Report
    from ledger.service.report.bundle import Contents
    from ledger.service.report.report import Made
    from ledger.service.studio import Studio

BUNDLE = "bundle.zip"


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written, in one view, and the names of its files beside each other."""

    report: Report
    folder: Path
    files: tuple[str, ...]


def write(
    home: Home, studio: Studio, made: Made, reader: Reader, place: Path, disclose: Sequence[str] = ()
) -> Written:
    """Write the report as this reader may see it into a new folder, which appears whole or not at all.

    ``disclose`` names what the evidence bundle opens (``service.report.bundle``).

    Raises ``UsageError`` with ``target.exists`` or ``file.…``, ``RefusedError`` with ``report.busy``,
    ``target.not-writable`` or ``target.no-space``.
    """
    from ledger.adapters.new_folder import new_folder
    from ledger.adapters.report_secret import report_secret
    from ledger.service.report.bundle import Contents

    secret = report_secret(home.folder)
    report = seen_by(made.report, reader, secret)
    with new_folder(place) as folder:
        files = [_document(report, folder)]
        files += _bundle(home, Contents(studio, made, reader, secret, names=disclose), folder, files)
    return Written(report, place, tuple(files))


def _document(report: Report, folder: Path) -> str:
    text = json.dumps(to_json(report), ensure_ascii=False, separators=(",", ":"))
    write_new(folder / DOCUMENT, f"{text}\n".encode())
    return DOCUMENT


def _bundle(home: Home, contents: Contents, folder: Path, files: Sequence[str]) -> list[str]:
    """Write what was written so far, with its evidence, into one file, and the program that checks it."""
    from ledger.adapters.bundles import pieces, write_bundle
    from ledger.adapters.verifier_app import NAME, verifier_app
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.core.policy import format_policy
    from ledger.render.report.readme import readme

    witnesses = WitnessSettings(home.folder).read()
    whole = replace(
        contents,
        signer=home.statement_signer(REGISTRAR) if REGISTRAR in home.devices() else None,
        witnesses=format_policy(witnesses[0]) if witnesses else None,
    )
    words = readme(contents.made.report.head, sha256_hex(verifier_app())).encode()
    report = [(name, pieces(folder / name)) for name in files]
    write_bundle(folder / BUNDLE, lambda taken: whole.parts(taken, words, report))
    write_new(folder / NAME, verifier_app())
    return [BUNDLE, NAME]
