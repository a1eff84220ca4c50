"""A timeline of 300 clips and 30,000 frames, down to the list of files on record.

`python -m pytest -m bench -s tests/bench/test_bench_cuts.py` prints it. The bare measures are: what
OpenTimelineIO's own library takes to read the timeline and to name each file; and one SHA-256 of each file,
for where the media lies here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import opentimelineio as otio
import pytest

from ledger.adapters.home import Home
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.cut import Cut
from ledger.core.otio import read_otio
from ledger.core.predicates.step import Place
from ledger.core.statement import Statement
from ledger.core.tying import tie
from ledger.service.clear.projecting import catch_up
from ledger.service.cuts.resolve import targets_of
from ledger.service.studio import Studio as Opened
from ledger.wiring import open_device, open_studio
from tests.bench.table import best_ms, print_table
from tests.e2e.conftest import Studio, copied, founded
from tests.support.builders import step
from tests.support.timelines import clip, data, images, span, timeline

__all__ = ["founded"]
pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]
CLIPS, FRAMES = 300, 100


@dataclass(frozen=True)
class Reel:
    studio: Opened
    folder: Path
    content: bytes

    @property
    def cut(self) -> Cut:
        return read_otio(self.content)


def shot(number: int) -> str:
    return f"sh{number:04}"


@pytest.fixture(scope="module")
def reel(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reel]:
    """The recorded frames of 300 shots, and a timeline of all of them."""
    studio = copied(founded, tmp_path_factory.mktemp("reel"))
    home = Home(studio.home, None)
    device = open_device(home, "workstation")
    with open_studio(home) as opened:
        now = opened.clock.now()
        for number in range(CLIPS):
            (studio.work / shot(number)).mkdir()
            frames = [frame(studio.work, number, at) for at in range(1001, 1001 + FRAMES)]
            made = step(place=Place("nightfall", "sq010", shot(number)), started=now, finished=now)
            payload = statements.encode(Statement(tuple(frames), made))
            opened.log.append([dsse.sign(payload, device.signer)])
        catch_up(opened)
        numbers = range(1001, 1001 + FRAMES)
        clips = [
            clip(shot(n), images(shot(n), f"{shot(n)}.", numbers), span(0, FRAMES)) for n in range(CLIPS)
        ]
        yield Reel(opened, studio.work, data(timeline(clips)))


def frame(folder: Path, number: int, at: int) -> Artifact:
    path = folder / shot(number) / f"{shot(number)}.{at}.png"
    content = sha256(f"{number} {at}".encode()).digest() * 512
    path.write_bytes(content)
    return Artifact(path.name, sha256(content).hexdigest())


def by_the_library(content: bytes) -> list[str]:
    """Return the paths as the library names them."""
    made = otio.adapters.read_from_string(content.decode(), "otio_json")
    return [
        each.media_reference.target_url_for_image_number(number)
        for each in made.find_clips()
        for number in range(each.media_reference.number_of_images_in_sequence())
    ]


def test_from_a_timeline_to_what_is_on_record(reel: Reel, tmp_path: Path) -> None:
    def named() -> list[str]:
        return [path for shot in reel.cut.shots for path in shot.paths()]

    def resolved(folder: Path) -> list[tuple[int, int]]:
        found = list(targets_of(reel.studio, reel.cut, folder / "final.otio"))
        return [(len(target.files), target.by_name) for target in found]

    def hashed() -> list[str]:
        return [sha256((reel.folder / path).read_bytes()).hexdigest() for path in paths]

    paths = named()
    assert paths == by_the_library(reel.content)
    assert resolved(reel.folder) == [(FRAMES, 0)] * CLIPS
    assert resolved(tmp_path) == [(FRAMES, FRAMES)] * CLIPS
    library = best_ms(lambda: by_the_library(reel.content), 5)
    bare = best_ms(hashed, 3)
    print_table(
        f"{CLIPS} clips, {len(paths):,} frames; the timeline has {len(reel.content):,} bytes",
        [
            ("to the names of the files", best_ms(named, 5), library, None),
            (
                "to the files on record, media elsewhere",
                best_ms(lambda: resolved(tmp_path), 3),
                library,
                None,
            ),
            ("to the files on record, media here", best_ms(lambda: resolved(reel.folder), 3), bare, 3.0),
        ],
    )


def test_tying_a_film_of_thirty_thousand_frames() -> None:
    """Without decoding: that is ffmpeg's."""
    digests = [sha256(b"%d" % number).hexdigest() for number in range(CLIPS * FRAMES)]
    assert tie(digests, digests).complete
    ours = best_ms(lambda: tie(digests, digests), 5)
    print_table(
        "A film of 30,000 frames against its files",
        [
            (
                "tie, against making two sets of digests",
                ours,
                best_ms(lambda: (set(digests), set(digests))),
                None,
            )
        ],
    )
