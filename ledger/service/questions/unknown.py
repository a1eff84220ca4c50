"""Which final files have an unknown origin, or one that somebody only declared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ledger.service.clear.question import Seen, see
from ledger.service.clear.store import Where
from ledger.service.questions.finals import (
    NO_SHOT,
    File,
    groups,
    in_batches,
    makers,
    of_population,
    on_record,
    unnamed,
)
from ledger.service.questions.origin import OPEN
from ledger.service.reading.pages import Listing, Page, caught_up
from ledger.service.report.population import Population
from ledger.service.studio import Studio

SAYS = "Of the final files on record. Which files nobody recorded, only `rakkan coverage` can tell."


def at_place(studio: Studio, where: Where, page: Page, *, parties: bool = True) -> Listing:
    """Return a page of the files of a place, in the order of the log, after the counts of all of them.

    Without ``parties``, who a file came from is not named. Raises ``RefusedError("log.behind")`` and
    ``MalformedError("page.cursor")``.
    """
    caught_up(studio)
    seen = see(studio)
    files = on_record(studio, seen.facts, where)
    shown = files if parties else map(unnamed, files)
    return _answer(studio, seen, shown, page, {"says": SAYS})


def in_population(studio: Studio, population: Population, page: Page) -> Listing:
    """Return the first page of the files of a population, and the counts.

    ``absent`` counts the frames that were asked for and that no file has.
    """
    seen = see(studio)
    absent = sum(shot.absent for shot in population.shots)
    return _answer(studio, seen, of_population(population, seen.facts), page, {"absent": absent})


def _answer(studio: Studio, seen: Seen, files: Iterable[File], page: Page, more: dict[str, Any]) -> Listing:
    after = tuple(page.place(int, int) or (-2, -2))
    kinds, shots, devices, vendors = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    asked, shown, known = 0, list[tuple[File, str, str]](), makers(studio)
    for some in in_batches(files):
        asked += len(some)
        for file, device, vendor in known.of([file for file in some if file.origin in OPEN]):
            kinds[file.origin] += 1
            shots[file.shot or NO_SHOT] += 1
            devices[device] += 1
            vendors[vendor] += 1
            if len(shown) <= page.limit and (file.index, file.position) > after:
                shown.append((file, device, vendor))
    listed = shown[: page.limit]
    last = listed[-1][0] if len(shown) > page.limit else None
    return Listing(
        "files",
        [
            {**file.to_json(), "origin": file.origin.value, "device": device, "vendor": vendor}
            for file, device, vendor in listed
        ],
        page.cursor(last.index, last.position) if last else None,
        {
            "tree": {"size": seen.size},
            "asked": asked,
            "found": kinds.total(),
            "origins": {origin.value: kinds[origin] for origin in OPEN},
            "shots": groups(shots, page.limit),
            "devices": groups(devices, page.limit),
            "vendors": groups(vendors, page.limit),
            **more,
        },
    )
