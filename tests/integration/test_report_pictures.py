"""Pictures of a report: of the worst shots first, of exactly the bytes in it, and never a reason to fail."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from ledger.adapters.images.thumbnails import HEIGHT, WIDTH, thumbnail
from ledger.core.audit import Lineage, Stop
from ledger.core.audit.views import Reader, View, seen_by
from ledger.service.report.pictures import pictured
from ledger.service.report.report import Made, make
from ledger.service.studio import Studio
from ledger.testing import MemoryEntryStore
from ledger.testing.bases import MemoryBasisStore
from tests.support.bare_studio import opened, say, studio_on
from tests.support.bases import made, sealed
from tests.support.builders import digest
from tests.support.reported import asked

RED = (200, 40, 30)


def read(data: bytes | None) -> Image.Image:
    assert data is not None
    return Image.open(io.BytesIO(data))


def near(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    found = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return all(abs(one - other) < 12 for one, other in zip(found, colour, strict=True))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.bmp"])
def test_a_still_becomes_a_small_jpeg_of_the_same_picture(name: str, tmp_path: Path) -> None:
    Image.new("RGB", (1920, 1080), RED).save(tmp_path / name)
    image = read(thumbnail(tmp_path / name))
    assert (image.format, image.size) == ("JPEG", (320, 180))
    assert near(image, RED)


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    Image.effect_mandelbrot((900, 500), (-2, -1, 1, 1), 40).save(tmp_path / "a.png")
    assert thumbnail(tmp_path / "a.png") == thumbnail(tmp_path / "a.png")


def test_what_is_transparent_lies_on_paper_and_a_small_picture_stays_small(tmp_path: Path) -> None:
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(tmp_path / "a.png")
    image = read(thumbnail(tmp_path / "a.png"))
    assert image.size == (40, 30)
    assert near(image, (226, 223, 233))


def test_a_tall_picture_is_not_higher_than_the_page_bears(tmp_path: Path) -> None:
    Image.new("RGB", (500, 4000), RED).save(tmp_path / "a.png")
    assert read(thumbnail(tmp_path / "a.png")).size == (30, HEIGHT)


@pytest.mark.parametrize("names", [("R", "G", "B"), ("Y",)])
def test_light_is_shown_as_a_screen_would(names: tuple[str, ...], tmp_path: Path) -> None:
    light = {name: np.full((90, 160), 1.0, np.float16) for name in names}
    light[names[0]][0, 0] = np.nan
    light[names[0]][0, 1] = np.inf
    with OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, light) as file:
        file.write(str(tmp_path / "a.exr"))
    assert near(read(thumbnail(tmp_path / "a.exr")), (186, 186, 186))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")
@pytest.mark.parametrize("name", ["a.mp4", "a.dpx", "deep.png"])
def test_films_and_deep_pictures_are_shown_through_ffmpeg(name: str, tmp_path: Path) -> None:
    deep = ["-pix_fmt", "rgb48be"] if name == "deep.png" else []
    source = ["-f", "lavfi", "-i", "color=0xC8281E:size=640x360:duration=0.2:rate=10", *deep]
    frames = [] if name == "a.mp4" else ["-frames:v", "1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, *frames, str(tmp_path / name)], check=True)
    image = read(thumbnail(tmp_path / name))
    assert image.size == (WIDTH, 180)
    assert near(image, RED)


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 60, b"v/1\x01" + b"\0" * 80]
)
def test_what_does_not_decode_has_no_picture(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    assert thumbnail(tmp_path / "a.png") is None
    assert thumbnail(tmp_path / "missing.png") is None
    assert thumbnail(tmp_path) is None


def test_a_picture_that_promises_too_much_is_not_decoded(tmp_path: Path) -> None:
    Image.new("1", (16_384, 8_193)).save(tmp_path / "a.png")
    assert thumbnail(tmp_path / "a.png") is None


@pytest.fixture
def studio() -> Studio:
    entries = MemoryEntryStore()
    studio = opened(studio_on(entries, MemoryBasisStore(entries)))
    for name in ("one.png", "two.png", "old.png"):
        say(studio, made(name))
    say(studio, sealed(**{"two.sealed.png": "two.png"}))
    return studio


def seen(studio: Studio, *folders: Path, files: tuple[Path, ...] = ()) -> Made:
    """Return a report with pictures: what a file says is its picture, here."""
    clearer, population = asked(studio)
    found = make(studio, clearer, population)
    names = found.report.tables["frames"].column("sha256")
    shots = found.report.tables["shots"]
    place = shots.schema.place("picture")
    _, *cells = shots.shown[0]
    rows = tuple((n, *cells[: place - 1], name, *cells[place:]) for n, name in enumerate(names, 1))
    tables = dict(found.report.tables) | {"shots": replace(shots, rows=rows)}
    stop = Stop(digest("two.png"), "file", "two.png", (), "", None, None)
    way = Lineage("way", "two.png", digest("two.png"), "", (stop,), ())
    report = replace(found.report, tables=tables, worst=(), lineages={"way": way})
    return pictured(studio, replace(found, report=report), files, folders, Path.read_bytes)


def lay(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_picture_is_of_the_bytes_in_the_report_or_of_those_sealed_from_them(
    studio: Studio, tmp_path: Path
) -> None:
    lay(tmp_path / "deep/in/one.png", "one.png")
    lay(tmp_path / "two.sealed.png", "two.sealed.png")
    lay(tmp_path / "old.png", "another file under this name")
    lay(tmp_path / "other.png", "old.png")
    found = seen(studio, tmp_path)
    two = dict.fromkeys((digest("two.png"), digest("two.sealed.png")), b"two.sealed.png")
    assert found.thumbnails == {digest("one.png"): b"one.png"} | two
    assert set(found.report.pictures) == set(found.thumbnails)
    assert found.report.pictures[digest("one.png")] == f"thumbnails/{digest('one.png')}.jpg"


def test_files_can_be_given_and_what_is_not_there_has_no_picture(studio: Studio, tmp_path: Path) -> None:
    one = lay(tmp_path / "one.png", "one.png")
    assert set(seen(studio, tmp_path / "none", files=(tmp_path / "two.png", one)).thumbnails) == {
        digest("one.png")
    }
    assert seen(studio).report.pictures == {}


def test_no_view_without_the_work_has_pictures(studio: Studio, tmp_path: Path) -> None:
    lay(tmp_path / "one.png", "one.png")
    found = seen(studio, tmp_path)
    for view in View:
        party = "p" if view is View.RIGHTS_HOLDER else None
        shown = seen_by(found.report, Reader(view, party), b"k" * 32)
        assert bool(shown.pictures) == (view in (View.STUDIO, View.DISTRIBUTOR, View.INSURER))
