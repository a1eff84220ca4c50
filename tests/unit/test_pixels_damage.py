"""Damage and strangeness: what is malformed, what nothing here decodes, what is only unusual."""

import io
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image, UnidentifiedImageError

from ledger.adapters.images import damage, exr, ffmpeg, stills
from ledger.errors import MalformedError, UsageError
from tests.support import media
from tests.support.pixels import PIXELS, written

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
