"""Write the evidence behind a report into one file, and beside it the program that checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.wiring import REGISTRAR

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.service.report.bundle import Contents

BUNDLE = "bundle.zip"


def write_evidence(home: Home, contents: Contents, folder: Path, files: Sequence[str]) -> list[str]:
    """Write ``bundle.zip``, with these files of the folder in it, and ``verify.pyz``; return their names.

    Where the registrar's key is not in this home, nobody signs. Raises what ``write_bundle`` raises, and
    ``key.…`` for a key that cannot be read.
    """
    from ledger.adapters.bundles import pieces, write_bundle
    from ledger.adapters.verifier_app import NAME, verifier_app
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.core.digest import sha256_hex
    from ledger.core.policy import format_policy
    from ledger.render.report.readme import readme
    from ledger.service.files import write_new

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
