"""A report made part by part in a process of its own: `python -m tests.bench.report_parts FOLDER [AGAIN]`.

The folder holds what `tests.support.feature_home` made. Prints a line of JSON for each part: its name, its
seconds, the processor's seconds, and the most memory so far in MB. With AGAIN a grant is revoked first, and
all is made once more.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from ledger.adapters.home import Home
from ledger.adapters.profiles import load
from ledger.adapters.report_secret import report_secret
from ledger.adapters.workbook import write_workbook
from ledger.core import envelope as dsse
from ledger.core.audit import Report
from ledger.core.audit.document import to_json
from ledger.core.audit.views import Reader, View, seen_by
from ledger.core.predicates import GrantRevocation
from ledger.core.statement import Statement
from ledger.render.report.csv_table import to_csv
from ledger.render.report.html import page
from ledger.service.clear.clear import clear
from ledger.service.clear.question import Asked, Clearer, ask, clearer_over, see
from ledger.service.report.entries import rests_on
from ledger.service.report.judged import judged
from ledger.service.report.population import Population, of_cut, of_targets
from ledger.service.report.report import make
from ledger.service.report.uses import used_in
from ledger.service.studio import Studio
from ledger.wiring import REGISTRAR, open_studio
from ledger.wiring.reports.pdf import Evidence, unsigned_pdf
from tests.support.feature_home import AT, POLICY, append

T = TypeVar("T")


def timed(name: str, action: Callable[[], T]) -> T:
    """Do it, and print what it took."""
    wall, used = time.perf_counter(), time.process_time()
    found = action()
    part = {
        "part": name,
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - used,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(part) + "\n")
    sys.stdout.flush()
    return found


def clearer_of(studio: Studio) -> Clearer:
    """Return the question that is asked of a feature."""
    return clearer_over(see(studio), ask(studio, load(POLICY), Asked(at=AT)))


def whole(studio: Studio, folder: Path) -> None:
    """Make the report of the cut, by its large parts, and draw each format."""
    population = timed("the files of the cut", lambda: of_cut(studio, folder / "final.otio"))
    timed("the files of the production", lambda: of_targets(studio, (".",)))
    clearer = clearer_of(studio)
    timed("clearing alone", lambda: clear(clearer, population.targets))
    of_entries(studio, clearer, population)
    made = timed("make", lambda: make(studio, clearer_of(studio), population))
    secret = report_secret(folder / "home")
    timed("seen by the studio", lambda: seen_by(made.report, Reader(View.STUDIO), secret))
    seen = timed("seen by the public", lambda: seen_by(made.report, Reader(View.PUBLIC), secret))
    formats(made.report)
    timed("JSON, public", lambda: json.dumps(to_json(seen), ensure_ascii=False))


def of_entries(studio: Studio, clearer: Clearer, population: Population) -> None:
    """Time what `make` does with entries, and the bare checks of as many signatures."""
    rests = timed("which entries it rests on", lambda: rests_on(studio, clearer, population))
    timed("the steps among them", lambda: used_in(studio, rests.steps))
    found = timed("all of them judged", lambda: judged(studio, clearer, rests.entries))
    keys = {keyid: found.history.key(keyid) for keyid in found.signed}
    held = studio.entries.envelopes_at(rests.entries[:5_000]).values()
    taken = [dsse.decode(envelope) for envelope in held]
    messages = [
        (keys[each.signatures[0].keyid], each.signatures[0].sig, dsse.pae(each.payload)) for each in taken
    ]
    timed(
        f"{len(messages):,} bare signature checks",
        lambda: [key.signed(sig, message) for key, sig, message in messages if key],
    )
    sys.stdout.write(json.dumps({"entries": len(rests.entries)}) + "\n")


def formats(report: Report) -> None:
    """Draw the report in each format, into memory."""
    document = timed("as plain values", lambda: to_json(report))
    timed("json.dumps alone", lambda: json.dumps(document, ensure_ascii=False))
    timed("JSON", lambda: json.dumps(to_json(report), ensure_ascii=False))
    timed("CSV", lambda: sum(len(line) for table in report.tables.values() for line in to_csv(table)))
    timed("workbook", lambda: write_workbook(report, BytesIO()))
    timed("HTML", lambda: page(report, {}))
    timed("PDF, unsigned", lambda: unsigned_pdf(report, Evidence({}, {})))


def again(studio: Studio, folder: Path) -> None:
    """Revoke a grant of a dataset that is in order, and make the report once more."""
    (grant,) = see(studio).facts.grants_named("G-dataset-4")
    recorded = studio.clock.now().replace(microsecond=0)
    ended = GrantRevocation(grant.grant.grant_id, AT.replace(month=3), recorded)
    signer = Home(folder / "home", None).statement_signer(REGISTRAR)
    append(studio, [(signer, Statement(grant.stated.subjects, ended))])
    clearer = timed("catching up with one entry", lambda: clearer_of(studio))
    population = timed("the files of the cut", lambda: of_cut(studio, folder / "final.otio"))
    timed("make", lambda: make(studio, clearer, population))


def main(folder: Path, *, changed: bool) -> None:
    with open_studio(Home(folder / "home", None)) as studio:
        timed("catching up with the log", lambda: see(studio))
        if changed:
            again(studio, folder)
        else:
            whole(studio, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), changed=len(sys.argv) > 2)
