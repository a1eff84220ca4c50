"""A feature as a studio's home: every statement signed and in the log, by the real sequencer, and its cut.

Making one of 130,000 frames takes two or three minutes, one of 200 frames less than a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from opentimelineio.schema import Clip

from ledger.adapters.home import Home
from ledger.adapters.profiles import load
from ledger.adapters.settings import Settings
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.statement import Statement
from ledger.ports import Signer
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.report.population import of_cut, of_targets
from ledger.service.report.report import Made, make
from ledger.service.studio import Studio
from ledger.testing import FixedClock
from ledger.wiring import REGISTRAR, open_studio
from ledger.wiring.enrolment import enrol_device, found_studio, revoke_device
from tests.support.feature import FIRST, OPENED, PRODUCTION, Feature, frame_name
from tests.support.feature_rights import later, rights
from tests.support.timelines import clip, images, span, timeline, written

AT = datetime(2026, 9, 1, tzinfo=UTC)
"""When the work is done: the moment to ask for."""
POLICY = "broadcast-jp"
_BATCH = 1_000


@dataclass(frozen=True)
class Kept:
    """A feature's home with its cut. Not to be written to."""

    feature: Feature
    home: Home
    cut: Path

    def report(self, *targets: str, policy: str = POLICY) -> Made:
        """Return the report of these targets, or of the cut where there are none."""
        with open_studio(self.home) as studio:
            seen = see(studio)
            clearer = clearer_over(seen, ask(studio, load(policy), Asked(at=AT)))
            population = of_targets(studio, targets) if targets else of_cut(studio, self.cut)
            return make(studio, clearer, population)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A film of ten shots and two hundred frames, in a home. Never written to."""
    folder = tmp_path_factory.mktemp("feature")
    feature = Feature(10, 200, 6)
    return Kept(feature, made(folder / "home", feature), cut_of(feature, folder))


def made(folder: Path, feature: Feature) -> Home:
    """Found a studio in a new folder, with the feature in its log; its bases are not caught up."""
    home, clock = Home(folder, None), FixedClock(OPENED)
    settings = Settings("Studio Kumo", PRODUCTION, f"ledger.kumo.example/{PRODUCTION}", "public")
    found_studio(home, settings, "workstation", clock)
    enrol_device(home, "stolen", clock)
    clock.moment = AT
    with open_studio(home, clock) as studio:
        registrar = home.statement_signer(REGISTRAR)
        devices = {name: home.statement_signer(name) for name in ("workstation", "stolen")}
        append(studio, ((registrar, each) for each in rights(feature)))
        first = studio.entries.head().size
        append(studio, ((devices[name], each) for name, each in feature.statements()))
        append(studio, ((registrar, each) for each in later(feature)))
    revoke_device(home, "stolen", "stolen", first, clock)
    return home


def append(studio: Studio, signed: Iterable[tuple[Signer, Statement]]) -> None:
    """Sign statements and add them to the log, many at a time."""
    envelopes = (dsse.sign(statements.encode(statement), signer) for signer, statement in signed)
    while batch := list(islice(envelopes, _BATCH)):
        studio.log.append(batch)


def cut_of(feature: Feature, folder: Path) -> Path:
    """Write the cut of a feature: one clip a shot, none of the media here, and return its path.

    Every hundredth clip shows four frames that nobody made. Of the first shot one frame lies here, in a
    folder of its own, and is on no record.
    """
    return written(timeline(list(_clips(feature, folder)), name="final"), folder / "final.otio")


def _clips(feature: Feature, folder: Path) -> Iterator[Clip]:
    for shot in range(feature.shots):
        name = frame_name(shot, FIRST)
        shown = len(feature.frames(shot)) + (4 if shot % 100 == 3 else 0)
        numbers = range(FIRST, FIRST + shown)
        media = images(f"shots/{name[:12]}", name.partition(".")[0] + ".", numbers, suffix=".exr")
        yield clip(f"sh{shot:04}", media, span(0, shown))
    stray = folder / "shots" / "stray"
    stray.mkdir(parents=True, exist_ok=True)
    (stray / "stray.1001.exr").write_bytes(b"nobody recorded this")
    yield clip("stray", images("shots/stray", "stray.", range(FIRST, FIRST + 1), suffix=".exr"), span(0, 1))
