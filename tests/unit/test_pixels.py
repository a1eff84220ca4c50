import io
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import OpenEXR
import pytest
from PIL import Image, UnidentifiedImageError

from ledger.adapters.images import Pixels, damage, exr, ffmpeg, samples, stills
from ledger.errors import MalformedError, UsageError
from tests.support import media

PIXELS = Pixels()


def written(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def expected(mode: str, image: Image.Image) -> str:
    """The specification's own words, once more."""
    head = f"rakkan.org/pixels/v1\n{mode} {image.width}x{image.height}\n".encode()
    return sha256(head + image.tobytes()).hexdigest()


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


NOT_DECODED = {"svg", "dng", "m4a", "wav", "mp3", "flac", "pdf", "ogg", "txt", "safetensors"}


@pytest.mark.parametrize("name", [name for name in media.FORMATS if name not in NOT_DECODED])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.667, 0.8, 0.9])
def test_a_truncated_file_is_malformed(
    name: str, part: float, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = media.make(name, tmp_path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(MalformedError) as error:
        PIXELS.frames(path)
    assert error.value.code == "file.malformed"
    assert capfd.readouterr().out == ""


SOUND = ("-f", "lavfi", "-i", "sine=duration=0.3")


def test_films_that_are_only_unusual_are_not_damaged(tmp_path: Path) -> None:
    media.ffmpeg(tmp_path / "sound.mp4", "-f", "mp4", source=SOUND)
    media.ffmpeg(tmp_path / "sound.mov", "-f", "mov", source=SOUND)
    assert [PIXELS.digest(tmp_path / name) for name in ("sound.mp4", "sound.mov")] == [None, None]
    fragmented = tmp_path / "fragmented.mp4"
    media.ffmpeg(fragmented, "-movflags", "frag_keyframe+empty_moov")
    digest = PIXELS.digest(fragmented)
    assert digest is not None
    for more in (bytes(4), b"junk behind the last box"):
        (tmp_path / "longer.mp4").write_bytes(fragmented.read_bytes() + more)
        assert PIXELS.digest(tmp_path / "longer.mp4") == digest


TIFFS = [
    (mode, compression)
    for mode in ("1", "L", "RGB", "CMYK")
    for compression in (
        "raw",
        "tiff_lzw",
        "tiff_adobe_deflate",
        "packbits",
        "group4" if mode == "1" else "jpeg",
    )
]


@pytest.mark.parametrize(("mode", "compression"), TIFFS)
def test_whole_tiffs_are_not_damaged(mode: str, compression: str, tmp_path: Path) -> None:
    image = media.noise("L" if mode == "1" else mode).convert(mode)
    assert PIXELS.digest(written(tmp_path / "a.tif", image, compression=compression)) is not None


@pytest.mark.parametrize("name", sorted(NOT_DECODED))
def test_a_truncated_file_that_nothing_here_decodes_has_no_digest(name: str, tmp_path: Path) -> None:
    path = media.make(name, tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert PIXELS.frames(path) is None


@pytest.mark.parametrize("name", ["png", "png-16bit", "apng", "gif", "tif-lzw", "mov", "exr"])
def test_a_corrupt_file_is_malformed(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = media.make(name, tmp_path)
    data = path.read_bytes()
    middle = len(data) * 4 // 10
    holes = bytes(48) if name == "tif-lzw" else b"\xff\x00" * 24
    for at in range(middle, middle + 4 * len(holes), len(holes)):
        data = data[:at] + holes + data[at + len(holes) :]
    path.write_bytes(data)
    with pytest.raises(MalformedError):
        PIXELS.frames(path)
    assert capfd.readouterr().out == ""


def test_what_other_threads_print_while_an_exr_is_read_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = media.make("exr", tmp_path)
    path.write_bytes(path.read_bytes()[:5000])
    output = exr._Complaints()
    said = Thread(target=output.write, args=("said elsewhere",))
    said.start()
    said.join()
    output.write("said here")
    assert (output.getvalue(), capsys.readouterr().out) == ("said here", "said elsewhere")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: _is_malformed(path), range(64))) == {True}
    sys.stdout.write("still ours\n")
    assert capsys.readouterr().out == "still ours\n"


def _is_malformed(path: Path) -> bool:
    with pytest.raises(MalformedError):
        PIXELS.frames(path)
    return True


@pytest.mark.parametrize(
    "said",
    [
        b"Decoder (codec hevc_new) not found for input stream #0:0: Invalid data found",
        b"[png @ 0x1] this is not implemented. Invalid data found",
        b"file:truncated.png: Permission denied",
        b"",
    ],
)
def test_what_a_decoder_does_not_know_is_not_damaged(said: bytes) -> None:
    with pytest.raises(stills.UnsupportedError):
        ffmpeg._complain(said, Path("truncated.png"))


@pytest.mark.parametrize(
    "error",
    [
        UnidentifiedImageError("cannot identify image file 'truncated.png'"),
        OSError(5, "Input/output error", "truncated.png"),
        OSError("decoder error -2"),  # of a compression that the library may lack
        OSError("out of memory error when reading image file"),
        KeyError("truncated"),
    ],
)
def test_what_pillow_does_not_know_is_not_damaged(error: Exception) -> None:
    assert not damage.pillow_says(error, "webp")


def test_a_box_that_reaches_to_the_end_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    for last in (struct.pack(">I4s", 0, b"mdat") + bytes(90), bytes(4), struct.pack(">I4s", 900, b"junk")):
        path.write_bytes(struct.pack(">I4s8s", 16, b"ftyp", b"isom" + bytes(4)) + last)
        assert not damage.cut_off(path, b"", "video/mp4")
    path.write_bytes(struct.pack(">I4sQ", 1, b"mdat", 1 << 40) + bytes(90))
    assert damage.cut_off(path, b"", "video/mp4")


@pytest.mark.parametrize("big", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_whose_directory_is_gone_is_cut_off(order: str, big: bool, tmp_path: Path) -> None:
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 43 if big else 42)
    head += struct.pack(f"{order}HHQ", 8, 0, 100) if big else struct.pack(f"{order}I", 100)
    directory = struct.pack(f"{order}Q", 2) + bytes(40) if big else struct.pack(f"{order}H", 2) + bytes(24)
    whole = head + bytes(100 - len(head)) + directory
    for cut, expected in ((0, False), (1, True), (len(directory), True), (60, True)):
        path = tmp_path / "a.tif"
        path.write_bytes(whole[: len(whole) - cut])
        assert damage.cut_off(path, whole[:64], "image/tiff") is expected


@pytest.mark.parametrize("name", ["wav", "svg", "txt", "safetensors", "dng", "pdf"])
def test_no_picture(name: str, tmp_path: Path) -> None:
    assert PIXELS.digest(media.make(name, tmp_path)) is None


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"v/1\x01", b"RIFF1234WEBP", bytes(100)]
)
def test_garbage_has_no_digest(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(data)
    assert PIXELS.digest(tmp_path / "a") is None


def test_a_high_depth_avif_is_not_cut_down(tmp_path: Path) -> None:
    plain = io.BytesIO()
    media.noise().save(plain, "AVIF")
    data = bytearray(plain.getvalue())
    data[data.find(b"av1C") + 6] |= 0x40
    (tmp_path / "deep.avif").write_bytes(data)
    assert PIXELS.digest(tmp_path / "deep.avif") is None


def test_a_deep_tiff_of_several_pages_has_no_digest(tmp_path: Path) -> None:
    pages = [Image.new("I;16", (4, 4), seed) for seed in (1, 2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert PIXELS.digest(tmp_path / "a.tif") is None


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.png", "file.missing"), (tmp_path, "file.not-a-file")):
        with pytest.raises(UsageError) as caught:
            PIXELS.digest(path)
        assert caught.value.code == code
