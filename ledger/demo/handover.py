"""The audit report of the demo's cut: whole, as the studio keeps it, and as a distributor may see it.

* The cut ends with the picture that nobody licensed: the report has something to find.
"""

from __future__ import annotations

from ledger.adapters.home import Home
from ledger.adapters.profiles import load
from ledger.core.audit.views import Reader, View
from ledger.core.predicates.reasons import Verdict
from ledger.demo import cast, timeline
from ledger.demo.cast import Folders
from ledger.demo.narrator import Narrator
from ledger.render.report.html import verdict
from ledger.render.words import counted
from ledger.service.clear.projecting import catch_up
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.report.pictures import lying
from ledger.service.report.population import of_cut
from ledger.service.report.report import make
from ledger.service.studio import Studio
from ledger.wiring.reports import with_pictures, write
from ledger.wiring.reports.draft import Order


def hand_over(studio: Studio, home: Home, folders: Folders, refused: str, tell: Narrator) -> bool:
    """Write both reports. Return whether they find ``refused`` (a path in the folder), and only that."""
    tell.chapter("The audit report: what the studio hands over")
    timeline.write(folders.timeline, refused)
    catch_up(studio)
    clearer = clearer_over(see(studio), ask(studio, load(cast.POLICIES[1]), Asked()))
    population = of_cut(studio, folders.timeline)
    made = make(studio, clearer, population)
    made = with_pictures(studio, made, lying(population, (), folders.timeline), [folders.files])
    for view, folder in ((View.STUDIO, folders.report), (View.DISTRIBUTOR, folders.handover)):
        written = write(home, studio, made, Order(Reader(view)), folder)
        tell.line(f"for the {view.value}: {counted(len(written.files), 'file')} in {folder}")
        for note in written.notes:
            tell.line(f"  {note}")
    found = made.report
    good = found.verdict_now == Verdict.BLOCKED.value and found.worst == (timeline.LAST_SHOT,)
    tell.verdict(f"it says: {verdict(found)}", good=good)
    return good
