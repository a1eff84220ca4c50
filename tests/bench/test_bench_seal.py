"""How long sealing and reading take, next to the bare C2PA library on the same files.

`python -m pytest -m bench -s tests/bench/test_bench_seal.py` prints one table. Both sides start from a file
and end with a file, with the same manifest content and ingredients, thumbnails off, the disk not flushed, and
neither hashes the sealed file: the service does that beside the next one. A sidecar is compared with the
SHA-256 of the file alone, which everybody needs.
"""

import io
import os
import time
from collections.abc import Callable, Iterator
from hashlib import file_digest, sha256
from pathlib import Path

import pytest
from c2pa import Builder, Context, Reader
from PIL import Image

from ledger.adapters.c2pa_codec import library
from ledger.core.manifest import Ingredient, Relationship
from tests.bench.table import print_table
from tests.support import media
from tests.support.sealing import plan, workshop

pytestmark = pytest.mark.bench

ROUNDS = 40
WEIGHTS = sha256(b"weights").hexdigest()


def best(task: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """The fastest of many rounds, in milliseconds: what the code costs without the neighbours."""
    times = []
    for _ in range(ROUNDS):
        before()
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


Row = tuple[str, float, float, float | None]


@pytest.fixture(scope="module")
def table() -> Iterator[list[Row]]:
    """What the measurements find, printed together at the end."""
    rows: list[Row] = []
    yield rows
    print_table("Sealing and reading one file, next to the bare C2PA library", rows)


def frame(name: str, path: Path) -> None:
    """A frame of about the size that real ones have; the numbers of the table say which."""
    large, small = (3840, 2160), (1920, 1080)
    if name == "PNG 1080p":
        Image.merge("RGB", [Image.effect_noise(small, 5) for _ in range(3)]).save(path, compress_level=1)
    elif name == "JPEG 1080p":
        Image.effect_noise(small, 20).convert("RGB").save(path, quality=65)
    elif name == "JPEG 4K":
        Image.merge("RGB", [Image.effect_noise(large, 34) for _ in range(3)]).save(path, quality=90)
    elif name == "TIFF 1080p":
        Image.merge("RGB", [Image.effect_noise(small, 5) for _ in range(3)]).save(path)
    else:
        source = ("-f", "lavfi", "-i", "testsrc2=s=1280x720:d=2")
        media.ffmpeg(path, "-c:v", "libx264", "-qp", "0", source=source)


def library_seal(name: str, source: Path, target: Path, ingredient: Ingredient) -> None:
    """What a program on the bare library does, with the same content."""
    shop, media_type = workshop(), media.FORMATS[SUFFIXES[name]][0]
    manifest, inputs = shop.codec._prepare(plan(media_type, (ingredient,)), None)
    with Builder(manifest, context=_BARE) as builder:
        for recorded in inputs:
            for identifier, data in recorded.resources:
                builder.add_resource(identifier, io.BytesIO(data))
        with source.open("rb") as asset, target.open("w+b") as out:
            builder.sign(library.identity(shop.credential, None).signer, media_type, asset, out)


_BARE = Context.from_dict(
    {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}
)

SUFFIXES = {"PNG 1080p": "png", "JPEG 1080p": "jpg", "JPEG 4K": "jpg", "TIFF 1080p": "tif", "MP4 720p": "mp4"}
LIMITS = {"PNG 1080p": 0.60, "JPEG 1080p": None, "JPEG 4K": 0.85, "TIFF 1080p": 1.15, "MP4 720p": 1.15}


@pytest.mark.parametrize("name", LIMITS)
def test_seal(name: str, tmp_path: Path, table: list[Row]) -> None:
    shop, suffix, limit = workshop(), SUFFIXES[name], LIMITS[name]
    media_type = media.FORMATS[suffix][0]
    source, target = tmp_path / f"source.{suffix}", tmp_path / f"sealed.{suffix}"
    frame(name, source)
    store = shop.codec.seal_digest(plan("application/octet-stream"), WEIGHTS, shop.credential)
    model = Ingredient(
        "m", "model", Relationship.INPUT, "application/octet-stream", "c2pa.types.model", store, WEIGHTS
    )
    content = plan(media_type, (model,))

    def clear() -> None:
        target.unlink(missing_ok=True)

    ours = best(lambda: shop.codec.seal_file(content, source, target, shop.credential), clear)
    bare = best(lambda: library_seal(name, source, target, model), clear)
    table.append((f"seal {name} {source.stat().st_size / 1e6:.1f} MB", ours, bare, limit))
    assert limit is None or ours / bare <= limit


def test_sidecar(tmp_path: Path, table: list[Row]) -> None:
    """What the service does for a file that takes a sidecar, next to the hash of the same bytes."""
    shop, path, target = workshop(), tmp_path / "frame.exr", tmp_path / "frame.exr.c2pa"
    path.write_bytes(os.urandom(50_000_000))

    def digest() -> str:
        with path.open("rb", buffering=0) as file:
            return file_digest(file, "sha256").hexdigest()

    def seal() -> None:
        target.write_bytes(shop.codec.seal_digest(plan("image/x-exr"), digest(), shop.credential))

    ours, bare = best(seal), best(digest)
    table.append(("sidecar of 50 MB / their SHA-256", ours, bare, 1.10))
    assert ours / bare <= 1.10


@pytest.mark.parametrize("name", ["PNG 1080p", "JPEG 1080p"])
def test_read(name: str, tmp_path: Path, table: list[Row]) -> None:
    shop, suffix = workshop(), SUFFIXES[name]
    media_type = media.FORMATS[suffix][0]
    source, target = tmp_path / f"source.{suffix}", tmp_path / f"sealed.{suffix}"
    frame(name, source)
    shop.codec.seal_file(plan(media_type), source, target, shop.credential)
    context = library._reading_context(shop.anchors)

    def bare() -> None:
        with target.open("rb") as file, Reader(media_type, file, context=context) as reader:
            reader.json()

    ours, theirs = best(lambda: shop.codec.read(target, None, shop.anchors)), best(bare)
    table.append((f"read {name}", ours, theirs, 1.5))
    assert ours / theirs <= 1.5


def test_sidecar_from_a_known_digest(table: list[Row]) -> None:
    shop = workshop()
    one = best(lambda: shop.codec.seal_digest(plan("image/x-exr"), WEIGHTS, shop.credential))
    table.append(("sidecar, digest known / 3 ms", one, 3.0, 1.0))
    assert one < 3
