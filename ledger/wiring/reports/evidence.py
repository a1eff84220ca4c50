"""Write the evidence behind a report into one file, and beside it the program that checks it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ledger.wiring import REGISTRAR

if TYPE_CHECKING:
    from ledger.wiring.reports.draft import Draft

BUNDLE = "bundle.zip"


def write_evidence(draft: Draft) -> Iterable[str]:
    """Write ``bundle.zip``, with all files so far in it, and ``verify.pyz``; return their names.

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
    from ledger.service.report.bundle import Contents

    home, order = draft.home, draft.order
    witnesses = WitnessSettings(home.folder).read()
    contents = Contents(
        draft.studio,
        draft.made,
        order.reader,
        draft.secret,
        names=order.disclose,
        signer=home.statement_signer(REGISTRAR) if REGISTRAR in home.devices() else None,
        witnesses=format_policy(witnesses[0]) if witnesses else None,
    )
    words = readme(draft.report.head, sha256_hex(verifier_app())).encode()
    report = [(name, pieces(draft.folder / name)) for name in draft.files]
    write_bundle(draft.folder / BUNDLE, lambda taken: contents.parts(taken, words, report))
    write_new(draft.folder / NAME, verifier_app())
    return [BUNDLE, NAME]
