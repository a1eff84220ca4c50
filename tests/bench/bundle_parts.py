"""A bundle written, then verified, in two processes: `python -m tests.bench.bundle_parts FOLDER DO`.

The folder holds what `tests.support.feature_home` made. DO is `write` or `verify`. Prints as `report_parts`.
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path

from ledger.adapters.bundles import write_bundle
from ledger.adapters.home import Home
from ledger.adapters.report_secret import report_secret
from ledger.core import envelope as dsse
from ledger.core.audit.bundle import DOCUMENT, ENTRIES, MANIFEST, read_line, read_manifest
from ledger.core.audit.document import to_json
from ledger.core.audit.views import Reader, View, seen_by
from ledger.service.report.bundle import Contents
from ledger.service.report.population import of_cut
from ledger.service.report.report import Made, make
from ledger.service.studio import Studio
from ledger.verifier.anchors import Given, anchors
from ledger.verifier.archive import Archive
from ledger.verifier.evidence import read_entries
from ledger.verifier.outcome import Check
from ledger.verifier.verify import verify
from ledger.wiring import REGISTRAR, open_studio
from tests.bench.report_parts import clearer_of, timed

CHECKED = 5_000


def write(folder: Path) -> None:
    """Make the report, and write its bundle with the document alone."""
    home = Home(folder / "home", None)
    with open_studio(home) as studio:
        made = make(studio, clearer_of(studio), of_cut(studio, folder / "final.otio"))
        timed("bundle", lambda: _written(home, studio, made, folder))
    size = (folder / "bundle.zip").stat().st_size
    sys.stdout.write(json.dumps({"bytes": size}) + "\n")


def _written(home: Home, studio: Studio, made: Made, folder: Path) -> None:
    secret = report_secret(home.folder)
    document = to_json(seen_by(made.report, Reader(View.STUDIO), secret))
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    signer = home.statement_signer(REGISTRAR)
    contents = Contents(studio, made, Reader(View.STUDIO), secret, signer)
    write_bundle(folder / "bundle.zip", lambda taken: contents.parts(taken, b"", [(DOCUMENT, (text,))]))


def check(folder: Path) -> None:
    """Verify the bundle, and check as many signatures with nothing around them."""
    trust = (folder / "home" / "trust.json").read_bytes()
    with (folder / "bundle.zip").open("rb") as file:
        archive = timed("opening", lambda: Archive(file))
        lines = map(read_line, islice(archive.lines(ENTRIES), CHECKED))
        taken = [dsse.decode(line.envelope) for line in lines if line.envelope]
        manifest = read_manifest(archive.read(MANIFEST))
        known = anchors(archive, Given(trust), Check("", ""))
        entries = timed("entries alone", lambda: read_entries(archive, manifest, known, {}, Check("", "")))
        keys = {item.signatures[0].keyid: entries.history.key(item.signatures[0].keyid) for item in taken}
        messages = [(keys[i.signatures[0].keyid], i.signatures[0].sig, dsse.pae(i.payload)) for i in taken]
        timed(
            f"{len(messages):,} bare signature checks",
            lambda: [key.signed(sig, message) for key, sig, message in messages if key],
        )
        count = len(entries.listed)
        del entries
        outcome = timed("verify", lambda: verify(archive, Given(trust)))
    sys.stdout.write(json.dumps({"entries": count, "exit": outcome.exit_code}) + "\n")
    wrong = {item.key: item.said[:3] for item in outcome.checks if item.result != "passed"}
    sys.stdout.write(json.dumps({"wrong": wrong}) + "\n")


if __name__ == "__main__":
    {"write": write, "verify": check}[sys.argv[2]](Path(sys.argv[1]))
