"""`rakkan tie`: real films of real frames, by the real ffmpeg."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ledger.adapters.images import Pixels
from tests.e2e.conftest import Studio
from tests.support.cleared import clear, place, revoke
from tests.support.films import LOSSY, encode, needs_ffmpeg
from tests.support.media import noise, png16
from tests.support.timelines import clip, film, span, timeline, written

pytestmark = needs_ffmpeg
PAINTED = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky")


def frames(studio: Studio, count: int = 6, shot: str = "sh040") -> list[Path]:
    return [studio.png(f"{shot}.{1001 + number}.png", 1001 + number) for number in range(count)]


def tied(studio: Studio, movie: Path, files: Sequence[Path], code: int = 0) -> Any:
    result = studio("tie", movie, *files, "--json")
    assert result.code == code, result.err or result.out
    return result.json


def span_of(first: int, last: int, *names: str) -> dict[str, Any]:
    return {"first": first, "last": last, "files": list(names)}


def test_our_frame_digests_stand_for_those_of_ffmpeg(studio: Studio) -> None:
    """Two films agree in ffmpeg's own framehash just where they agree in our digests."""
    files = frames(studio)
    movies = [encode(files, studio.work / "a.mkv"), encode([*files[:3], files[0]], studio.work / "b.mkv")]
    hashed = []
    for movie in movies:
        command = ["ffmpeg", "-v", "error", "-i", str(movie), "-f", "framehash", "-hash", "sha256"]
        said = subprocess.run(
            [*command, "-pix_fmt", "rgb24", "-"], capture_output=True, text=True, check=True
        )
        lines = [line for line in said.stdout.splitlines() if not line.startswith("#")]
        hashed.append([line.rpartition(", ")[2].strip() for line in lines])
    stills = [sha256(Image.open(path).convert("RGB").tobytes()).hexdigest() for path in files]
    assert hashed == [stills, [*stills[:3], stills[0]]]
    ours = [Pixels().digest(path) for path in files]
    assert [Pixels().frames(movie) for movie in movies] == [ours, [*ours[:3], ours[0]]]


def test_a_lossless_film_is_tied_frame_by_frame(studio: Studio) -> None:
    files = frames(studio)
    found = tied(studio, encode(files, studio.work / "reel.mkv"), files)
    assert found["outcome"] == "tied"
    assert found["stretches"] == [span_of(0, 5, "sh040.1001.png", "sh040.1006.png")]
    assert not any(found[name] for name in ("holds", "back", "extra", "missing", "likely"))


@pytest.mark.parametrize(
    "codec", [("-c:v", "libx264rgb", "-qp", "0"), ("-c:v", "utvideo", "-pix_fmt", "gbrp")]
)
def test_what_a_codec_is_called_does_not_matter(studio: Studio, codec: tuple[str, ...]) -> None:
    files = frames(studio)
    assert tied(studio, encode(files, studio.work / "reel.mkv", codec), files)["outcome"] == "tied"


def test_sixteen_bits_are_tied_as_well(studio: Studio) -> None:
    files = [studio.work / f"deep.{number}.png" for number in (1, 2)]
    png16(files[0])
    png16(files[1], alpha=False, size=(48, 32))
    codec = ("-c:v", "ffv1", "-pix_fmt", "gbrp16le")
    assert tied(studio, encode(files, studio.work / "deep.mkv", codec), files)["outcome"] == "tied"


def test_dropped_doubled_and_reordered_frames_are_named(studio: Studio) -> None:
    a, b, c, d, e, f = files = frames(studio)
    found = tied(studio, encode([a, b, b, b, d, f, e], studio.work / "reel.mkv"), files)
    assert found["outcome"] == "tied"
    assert found["missing"] == [c.name]
    assert found["holds"] == [span_of(1, 3, b.name)]
    assert found["back"] == [6]
    assert [(item["first"], item["last"]) for item in found["stretches"]] == [(0, 3), (4, 4), (5, 5), (6, 6)]
    said = studio.ok("tie", studio.work / "reel.mkv", studio.work).out
    assert "2 frames only hold the one before" in said
    assert f"Not in it: 1 file, {c.name}" in said


def test_frames_that_are_no_file_are_named_and_nothing_is_recorded(studio: Studio) -> None:
    files = frames(studio)
    movie = encode(files, studio.work / "reel.mkv")
    found = tied(studio, movie, [*files[:2], *files[4:]], code=3)
    assert (found["outcome"], found["extra"]) == ("partly", [{"first": 2, "last": 3}])
    studio.fails("tie.incomplete", "tie", movie, files[0], "--record", exit_code=3)


def test_a_lossy_film_is_not_tied_and_never_called_forged(studio: Studio) -> None:
    files = []
    for number in range(6):
        path = studio.work / f"sh040.{1001 + number}.png"
        noise(size=(9, 8), seed=number).resize((288, 256), Image.Resampling.NEAREST).save(path)
        files.append(path)
    movie = encode(files, studio.work / "reel.mp4", LOSSY)
    found = tied(studio, movie, files, code=3)
    assert (found["outcome"], found["stretches"]) == ("lossy", [])
    assert found["likely"] == [span_of(0, 5, files[0].name, files[5].name)]
    said = studio("tie", movie, *files)
    assert "not tied: the movie is lossy" in said.out
    assert "proves nothing" in said.out
    assert "forged" not in said.out
    studio.fails("tie.incomplete", "tie", movie, *files, "--record", exit_code=3)


def test_another_lossless_film_is_no_lossy_one(studio: Studio) -> None:
    files = frames(studio)
    movie = encode([studio.png("other.png", 7)], studio.work / "reel.mkv")
    assert tied(studio, movie, files, code=3)["outcome"] == "none"


def test_a_tied_film_rests_on_its_frames(nightfall: Studio) -> None:
    files = frames(nightfall)
    nightfall.ok("record", *files[:5], "--action", "draw", *place("sh040", "1001-1005"))
    nightfall.ok("record", files[5], *PAINTED, *place("sh040", "1006-1006"))
    movies = {"blocked": files, "free": files[:5]}
    for name, held in movies.items():
        movie = encode(held, nightfall.work / f"{name}.mkv")
        said = nightfall.ok("tie", movie, nightfall.work, "--record", "--shot", "sh040").out
        assert "the step that made it" in said
    step = nightfall.ok("show", nightfall.size() - 1).json["statement"]["predicate"]
    assert (step["action"], step["evidence"]) == ("convert", "inferred")
    assert [item["name"] for item in step["materials"]] == [path.name for path in files[:5]]
    before = clear(nightfall, *(nightfall.work / f"{name}.mkv" for name in movies))
    assert [item["verdict"]["now"] for item in before["targets"]] == ["cleared", "cleared"]
    revoke(nightfall)
    cut = timeline([clip(name, film(f"{name}.mkv", 5), span(0, 2)) for name in movies])
    after = clear(nightfall, f"@{written(cut, nightfall.work / 'cut.otio')}", code=4)
    assert [item["verdict"]["now"] for item in after["targets"]] == ["blocked", "cleared"]


def test_a_film_of_more_frames_than_an_entry_holds_rests_on_every_one(nightfall: Studio) -> None:
    files = []
    for number in range(400):
        path = nightfall.work / f"sh040_comp_v012.{1001 + number}.png"
        noise(size=(16, 16), seed=number).save(path)
        files.append(path)
    nightfall.ok("record", *files[:150], "--action", "draw", *place("sh040", "1001-1150"))
    nightfall.ok("record", *files[150:300], "--action", "draw", *place("sh040", "1151-1300"))
    nightfall.ok("record", *files[300:399], "--action", "draw", *place("sh040", "1301-1399"))
    nightfall.ok("record", files[399], *PAINTED, *place("sh040", "1400-1400"))
    movie = encode(files, nightfall.work / "reel.mkv")
    done = nightfall.ok("tie", movie, *files, "--record", "--shot", "sh040", "--json").json
    assert len(done["entries"]) > 2
    lists = [nightfall.ok("show", index).json["statement"] for index in done["entries"][:-1]]
    names = [item["subject"][0]["name"] for item in lists]
    assert names[0].startswith("frames 0-")
    assert names[-1].endswith("-399 of reel.mkv")
    assert sum(len(item["predicate"]["materials"]) for item in lists) == 400
    found = clear(nightfall, movie)
    assert (found["verdict"]["now"], found["coverage"]["gaps"]) == ("cleared", 0)
    revoke(nightfall)
    assert clear(nightfall, movie, code=4)["verdict"]["now"] == "blocked"
    pieces = [clip(f"{first}", film("reel.mkv", 400), span(first, 40)) for first in (0, 340, 360)]
    cut = written(timeline(pieces), nightfall.work / "cut.otio")
    shots = clear(nightfall, f"@{cut}", code=4)["targets"]
    assert [item["verdict"]["now"] for item in shots] == ["cleared", "blocked", "blocked"]
    beyond = written(timeline([clip("x", film("reel.mkv", 401), span(0, 401))]), nightfall.work / "b.otio")
    assert clear(nightfall, f"@{beyond}", code=4)["targets"][0]["files"] == 1


def test_a_twin_of_a_shown_file_is_in_the_stretch_that_shows_its_picture(nightfall: Studio) -> None:
    """Nobody can tell which of two files with one picture the film shows, so both count where it does."""
    files = []
    for number in range(400):
        path = nightfall.work / f"sh040_comp_v012.{1001 + number}.png"
        noise(size=(16, 16), seed=number).save(path)
        files.append(path)
    twin = nightfall.work / "zz_twin_of_1399.png"
    noise(size=(16, 16), seed=398).save(twin, compress_level=0)
    nightfall.ok("record", twin, *PAINTED, *place("sh040", "1399-1399"))
    for start in range(0, 400, 100):
        nightfall.ok("record", *files[start : start + 100], "--action", "draw", *place("sh040", "1-1"))
    movie = encode(files, nightfall.work / "reel.mkv")
    nightfall.ok("tie", movie, *files, twin, "--record", "--shot", "sh040")
    revoke(nightfall)
    pieces = [clip(f"{first}", film("reel.mkv", 400), span(first, 2)) for first in (0, 398)]
    cut = written(timeline(pieces), nightfall.work / "cut.otio")
    shots = clear(nightfall, f"@{cut}", code=4)["targets"]
    assert [item["verdict"]["now"] for item in shots] == ["cleared", "blocked"]


def test_a_film_with_several_shots_gives_each_of_them_its_piece(nightfall: Studio) -> None:
    """A service answered one request with one film of two shots."""
    movie = encode(frames(nightfall), nightfall.work / "take.mp4", LOSSY)
    nightfall.record(movie, *PAINTED)
    places = ("0-1=sq010/sh060", "2-2=ep02/sq010/sh060", "3-3=ep02/-/sh061", "4-5=sh062")
    ranges = [option for place in places for option in ("--range", place)]
    nightfall.ok("tie", movie, *ranges, "--record")
    found = clear(nightfall, "sq010/sh060", "ep02/sq010/sh060", "ep02/-/sh061", "sh062")
    assert [(item["files"], item["verdict"]["now"]) for item in found["targets"]] == [(1, "cleared")] * 4
    cut = written(timeline([clip("sh062", film("take.mp4", 6), span(4, 2))]), nightfall.work / "cut.otio")
    assert clear(nightfall, f"@{cut}")["targets"][0]["verdict"]["now"] == "cleared"
    revoke(nightfall)
    assert clear(nightfall, "sh062", code=4)["targets"][0]["verdict"]["now"] == "blocked"
    assert clear(nightfall, f"@{cut}", code=4)["targets"][0]["verdict"]["now"] == "blocked"


def test_a_range_that_the_film_does_not_have_is_refused(studio: Studio) -> None:
    movie = encode(frames(studio), studio.work / "take.mkv")
    studio.fails("tie.range", "tie", movie, "--range", "0-2=sh010", "--range", "3-6=sh020", "--record")
    for wrong in (
        ("--range", "2=sh010", "--record"),
        ("--range", "0-2=sh010"),
        (),
        ("a.png", "--range", "x"),
    ):
        assert studio("tie", movie, *wrong).code == 2


@pytest.mark.parametrize("empty", [True, False])
def test_what_cannot_be_tied_says_so(studio: Studio, *, empty: bool) -> None:
    if empty:
        folder = studio.work / "none"
        folder.mkdir()
        movie = encode(frames(studio), studio.work / "reel.mkv")
        studio.fails("tie.no-pictures", "tie", movie, folder)
    else:
        (studio.work / "notes.txt").write_text("no film")
        studio.fails("tie.no-pictures", "tie", studio.work / "notes.txt", studio.png())
