"""The label of the demo's cut: what the studio says of it to everybody, on a page and on a badge.

* It is given to a report of the cut alone, which is issued: what nobody licensed is in no delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger.adapters.home import Home
from ledger.adapters.profiles import load
from ledger.core.audit.views import Reader, View
from ledger.demo import cast
from ledger.demo.cast import Folders
from ledger.demo.narrator import Narrator
from ledger.service.clear.projecting import catch_up
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.labels.giving import give, of_report
from ledger.service.labels.stated import place_of
from ledger.service.report.population import of_targets
from ledger.service.report.report import make
from ledger.service.studio import Studio
from ledger.wiring import REGISTRAR, open_device
from ledger.wiring.reports import write
from ledger.wiring.reports.draft import Order
from ledger.wiring.reports.standing import standing


def label(studio: Studio, home: Home, folders: Folders, cut: Sequence[Path], tell: Narrator) -> None:
    """Issue a report of these files as everybody may see it, and give it the label."""
    tell.chapter("What everybody may know: the label")
    catch_up(studio)
    clearer = clearer_over(see(studio), ask(studio, load(cast.POLICIES[1]), Asked()))
    population, reader = of_targets(studio, [str(path) for path in cut]), Reader(View.PUBLIC)
    stands = standing(home, studio, clearer, population, reader, issue=True)
    write(home, studio, make(studio, clearer, population), Order(reader), folders.public, stands)
    entry = stands.issue(folders.public)
    if entry is not None:
        about = of_report(studio, stands.kept, entry, None)
        given = give(studio, stands.kept, open_device(home, REGISTRAR), cast.LABEL, about)
        claims = about[1]
        tell.line(f"“{claims.title}”, {claims.grade_now.name}: log entries {entry} and {given.index}")
        tell.line(f"its page, wherever this is served: {place_of(studio.production, cast.LABEL)}")
