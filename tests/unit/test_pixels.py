"""The pixel digest: one picture, one digest, in every lossless form."""

import struct
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from ledger.adapters.images import exr, ffmpeg, samples, stills
from tests.support import media
from tests.support.pixels import PIXELS, expected, written

LOSSLESS: dict[str, dict[str, Any]] = {
    "png": {},
    "tif": {},
    "tiff": {"compression": "tiff_lzw"},
    "webp": {"lossless": True, "exact": True},
    "bmp": {},
    "tga": {},
}


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_one_picture_has_one_digest_in_every_lossless_format(kind: str, mode: str, tmp_path: Path) -> None:
    image = {
        "RGB": media.noise(),
        "L": media.noise("L"),
        "P": media.noise().quantize(16),
        "1": media.noise("L").convert("1"),
    }[mode]
    source = image.convert("RGB") if kind == "webp" or (kind == "tga" and mode == "P") else image
    path = written(tmp_path / f"a.{kind}", source, **LOSSLESS[kind])
    assert PIXELS.digest(path) == expected("RGB", image.convert("RGB"))


@pytest.mark.parametrize("kind", ["png", "tif", "webp", "tga"])
def test_alpha_counts_unless_it_is_opaque(kind: str, tmp_path: Path) -> None:
    image = media.noise("RGBA")
    path = written(tmp_path / f"a.{kind}", image, **LOSSLESS[kind])
    assert PIXELS.digest(path) == expected("RGBA", image)
    image = media.noise().convert("RGBA")
    path = written(tmp_path / f"b.{kind}", image, **LOSSLESS[kind])
    assert PIXELS.digest(path) == expected("RGB", media.noise())


def test_a_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = media.noise().quantize(16)
    path = written(tmp_path / "a.png", image, transparency=3)
    with Image.open(path) as again:
        assert PIXELS.digest(path) == expected("RGBA", again.convert("RGBA"))


def test_what_is_not_the_same_picture_differs(tmp_path: Path) -> None:
    wide, high = media.noise(size=(48, 32)), media.noise(size=(32, 48))
    assert wide.tobytes() == high.tobytes()
    digests = {
        PIXELS.digest(written(tmp_path / "wide.png", wide)),
        PIXELS.digest(written(tmp_path / "high.png", high)),
        PIXELS.digest(written(tmp_path / "other.png", media.noise(seed=2))),
        PIXELS.digest(written(tmp_path / "cmyk.tif", Image.frombytes("CMYK", (24, 48), wide.tobytes()))),
    }
    assert len(digests) == 4
    assert None not in digests


def test_metadata_and_orientation_do_not_count(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = written(tmp_path / "plain.jpg", media.noise())
    turned = written(tmp_path / "turned.jpg", media.noise(), exif=exif, icc_profile=b"x" * 500)
    assert PIXELS.digest(plain) == PIXELS.digest(turned) is not None


@pytest.mark.parametrize("mode", ["CMYK", "F"])
def test_modes_of_one_format_keep_their_samples(mode: str, tmp_path: Path) -> None:
    image = media.noise("CMYK") if mode == "CMYK" else media.noise("L").convert("F")
    assert PIXELS.digest(written(tmp_path / "a.tif", image)) == expected(mode, image)


@pytest.mark.parametrize("alpha", [False, True])
def test_sixteen_bits_are_not_cut(alpha: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    media.png16(path, alpha=alpha)
    media.ffmpeg(tmp_path / "a.tif", source=("-i", str(path)))
    raw = zlib.decompress(path.read_bytes()[41:])
    row = 1 + media.SIZE[0] * (8 if alpha else 6)
    stored = b"".join(raw[at + 1 : at + row] for at in range(0, len(raw), row))
    little = np.frombuffer(stored, ">u2").astype("<u2").tobytes()
    mode = "RGBA;16" if alpha else "RGB;16"
    head = f"rakkan.org/pixels/v1\n{mode} 48x32\n".encode()
    assert PIXELS.digest(path) == sha256(head + little).hexdigest()
    assert PIXELS.digest(tmp_path / "a.tif") == PIXELS.digest(path)


def test_an_opaque_sixteen_bit_alpha_is_dropped(tmp_path: Path) -> None:
    media.png16(tmp_path / "a.png")
    media.ffmpeg(tmp_path / "b.png", "-pix_fmt", "rgba64be", source=("-i", str(tmp_path / "a.png")))
    assert (tmp_path / "b.png").read_bytes()[25] == 6  # an alpha channel is there
    assert PIXELS.digest(tmp_path / "b.png") == PIXELS.digest(tmp_path / "a.png") is not None


def test_deep_pictures_without_ffmpeg_have_no_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media.png16(tmp_path / "a.png")
    media.ffmpeg(tmp_path / "a.mkv", "-c:v", "ffv1", "-f", "matroska")
    monkeypatch.setattr(ffmpeg, "which", lambda _: None)
    assert PIXELS.digest(tmp_path / "a.png") is None
    assert PIXELS.digest(tmp_path / "a.mkv") is None
    assert PIXELS.digest(written(tmp_path / "b.png", media.noise())) is not None


def test_a_lossless_video_has_the_digests_of_its_frames(tmp_path: Path) -> None:
    frames = [media.noise(seed=seed) for seed in (1, 2, 3)]
    for number, frame in enumerate(frames):
        frame.save(tmp_path / f"frame.{number}.png")
    source = ("-framerate", "5", "-i", str(tmp_path / "frame.%d.png"))
    for name, codec, form in (
        ("a.mkv", "ffv1", "gbrp"),
        ("a.mov", "png", "rgb24"),
        ("a.avi", "ffv1", "bgr0"),
    ):
        media.ffmpeg(tmp_path / name, "-c:v", codec, "-pix_fmt", form, source=source)
        assert PIXELS.frames(tmp_path / name) == [expected("RGB", frame) for frame in frames], name
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    joined = b"".join(bytes.fromhex(expected("RGB", frame)) for frame in frames)
    whole = sha256(b"rakkan.org/pixels/v1\nsequence 3\n" + joined).hexdigest()
    assert PIXELS.digest(tmp_path / "a.mkv") == PIXELS.digest(tmp_path / "a.webp") == whole


@pytest.mark.parametrize("form", ["yuv420p", "yuv422p10le", "yuv444p", "gray", "yuva420p", "gbrp12le"])
def test_other_pixel_formats_keep_their_samples(form: str, tmp_path: Path) -> None:
    source = ("-f", "lavfi", "-i", "testsrc2=r=5:d=0.4")
    media.ffmpeg(tmp_path / "a.mkv", "-vf", "scale=35:33", "-c:v", "ffv1", "-pix_fmt", form, source=source)
    media.ffmpeg(tmp_path / "a.raw", "-f", "rawvideo", source=("-i", str(tmp_path / "a.mkv")))
    raw = (tmp_path / "a.raw").read_bytes()
    first = raw[: len(raw) // 2]
    if form == "gray":
        wanted = expected("RGB", Image.frombytes("L", (35, 33), first).convert("RGB"))
    else:
        wanted = sha256(f"rakkan.org/pixels/v1\n{form} 35x33\n".encode() + first).hexdigest()
    frames = PIXELS.frames(tmp_path / "a.mkv")
    assert frames is not None
    assert (len(frames), frames[0]) == (2, wanted)


def test_exr_channels(tmp_path: Path) -> None:
    generator = np.random.default_rng(7)
    channels = {
        "Z": generator.random((5, 7)).astype("float32"),
        "R": generator.random((5, 7)).astype("float16"),
        "id": generator.integers(0, 9, (5, 7)).astype("uint32"),
    }
    digests = set()
    for number, compression in enumerate((OpenEXR.ZIP_COMPRESSION, OpenEXR.NO_COMPRESSION)):
        path = tmp_path / f"{number}.exr"
        with OpenEXR.File(
            {"compression": compression, "type": OpenEXR.scanlineimage}, dict(channels)
        ) as file:
            file.write(str(path))
        digests.add(PIXELS.digest(path))
    head = b"rakkan.org/pixels/v1\nEXR[R:half,Z:float,id:uint] 7x5\n"
    assert digests == {
        sha256(head + b"".join(channels[name].tobytes() for name in ("R", "Z", "id"))).hexdigest()
    }


def test_exr_parts_are_a_sequence(tmp_path: Path) -> None:
    parts, whole = [], []
    for seed in (1, 2):
        media.exr(tmp_path / f"{seed}.exr", seed)
        whole.append(PIXELS.digest(tmp_path / f"{seed}.exr") or "")
        generator = np.random.default_rng(seed)
        planes = {name: generator.random(media.SIZE[::-1]).astype("float16") for name in "RGB"}
        parts.append(OpenEXR.Part({"type": OpenEXR.scanlineimage}, planes, f"part{seed}"))
    with OpenEXR.File(parts) as file:
        file.write(str(tmp_path / "both.exr"))
    assert PIXELS.digest(tmp_path / "both.exr") == samples.sequence(whole)


def test_an_exr_of_too_many_samples_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media.exr(tmp_path / "a.exr")
    monkeypatch.setattr(exr, "MAX_SAMPLES", 3 * media.SIZE[0] * media.SIZE[1])
    assert PIXELS.digest(tmp_path / "a.exr") is not None
    monkeypatch.setattr(exr, "MAX_SAMPLES", 3 * media.SIZE[0] * media.SIZE[1] - 1)
    assert PIXELS.digest(tmp_path / "a.exr") is None


def test_a_picture_that_promises_too_much_is_not_decoded(tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", 65_000, 65_000, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(media.chunk(kind, content) for kind, content in parts)
    (tmp_path / "bomb.png").write_bytes(data)
    assert PIXELS.digest(tmp_path / "bomb.png") is None


def test_an_animation_that_promises_too_much_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = media.make("apng", tmp_path)
    monkeypatch.setattr(stills, "_MAX_SEQUENCE_PIXELS", 2 * media.SIZE[0] * media.SIZE[1])
    assert PIXELS.digest(path) is None
