"""Real files of real writers: Pillow, OpenEXR, exiftool, oiiotool, ffmpeg; and files that mean harm."""

import json
import subprocess
import zlib
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import OpenEXR
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ledger.adapters.said import read_said
from ledger.adapters.said.carried import MAX_TEXTS
from ledger.adapters.said.draft import MAX_TEXT_BYTES
from ledger.core.said import Account
from tests.support import said
from tests.support.media import chunk, make, require

USER_COMMENT, SOFTWARE, DESCRIPTION, MAKE, MODEL, EXIF_IFD = 0x9286, 0x0131, 0x010E, 0x010F, 0x0110, 0x8769
BIG_ENDIAN, LITTLE_ENDIAN = "utf-16-be", "utf-16-le"


def accounts(path: Path) -> dict[str, Account]:
    return {account.convention: account for account in read_said(path).accounts}


def run(program: str, *arguments: object) -> None:
    if which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def plain(path: Path) -> Path:
    Image.new("RGB", (8, 8), "teal").save(path)
    return path


def exr(path: Path, **attributes: Any) -> Path:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **attributes}
    OpenEXR.File(header, {"RGB": np.zeros((4, 4, 3), "float16")}).write(str(path))
    return path


# --- PNG ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zipped", "itxt"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_png_speaks_through_each_kind_of_text_chunk(tmp_path: Path, zipped: bool, itxt: bool) -> None:
    path = said.png(tmp_path / "a.png", {"parameters": said.A1111}, zipped=zipped, itxt=itxt)
    assert accounts(path)["a1111"].parameters["Seed"] == "3748719078"


def test_a_png_may_hold_several_conventions_and_each_one_speaks(tmp_path: Path) -> None:
    texts = {
        "parameters": said.A1111,
        "prompt": json.dumps(said.COMFY_RUN),
        "workflow": json.dumps(said.COMFY_DRAWN),
        "XML:com.adobe.xmp": said.ADOBE,
        "Software": "someone's editor 3",
    }
    found = accounts(said.png(tmp_path / "a.png", texts, itxt=True))
    assert list(found) == ["a1111", "comfyui", "xmp", "text"]
    assert found["text"].tool == "someone's editor 3"


def test_comfyui_in_an_animated_png_as_it_saves_it(tmp_path: Path) -> None:
    info = PngInfo()
    info.add(b"comf", b"prompt\x00" + json.dumps(said.COMFY_RUN).encode("latin-1"), after_idat=True)
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("teal", "navy")]
    frames[0].save(tmp_path / "a.png", pnginfo=info, save_all=True, append_images=frames[1:])
    assert accounts(tmp_path / "a.png")["comfyui"].where == "PNG comf prompt"


def test_exif_in_a_png(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[SOFTWARE] = "NovelAI"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", exif=exif)
    assert accounts(tmp_path / "a.png")["text"].tool == "NovelAI"


# --- JPEG, WebP, TIFF, PSD ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
@pytest.mark.parametrize("encoding", [BIG_ENDIAN, LITTLE_ENDIAN])
def test_user_comments_in_either_byte_order(tmp_path: Path, name: str, encoding: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = b"UNICODE\x00" + (said.A1111 + " 雲").encode(encoding)
    Image.new("RGB", (8, 8)).save(tmp_path / name, exif=exif)
    assert accounts(tmp_path / name)["a1111"].models[0].name == "fantasticmix_k2"


def test_comfyui_in_webp_as_it_saves_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[MODEL] = f"prompt:{json.dumps(said.COMFY_RUN)}"
    exif[MAKE] = f"workflow:{json.dumps(said.COMFY_DRAWN)}"
    Image.new("RGB", (8, 8)).save(tmp_path / "a.webp", exif=exif)
    found = accounts(tmp_path / "a.webp")
    assert list(found) == ["comfyui"]
    assert found["comfyui"].where == "WebP EXIF Model"


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.tif", "a.png"])
def test_exif_xmp_and_iptc_as_exiftool_writes_them(tmp_path: Path, name: str) -> None:
    path = plain(tmp_path / name)
    kind = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    words = [f"-XMP-iptcExt:DigitalSourceType={kind}", "-XMP-xmp:CreatorTool=Kumo Paint 2"]
    words += [
        f"-EXIF:UserComment={said.CIVITAI}",
        "-XMP-dc:Rights=(c) Kumo",
        "-XMP-xmpMM:DerivedFromDocumentID=xmp.did:7",
    ]
    if name != "a.webp":
        words += ["-IPTC:Credit=Studio Kumo", "-IPTC:OriginatingProgram=Kumo Paint"]
    run("exiftool", "-q", "-overwrite_original", *words, path)
    found = read_said(path).accounts
    assert found[0].parameters["Seed"] == "1234567"
    xmp = next(account for account in found if account.convention == "xmp")
    assert (xmp.tool, xmp.source_types, xmp.derived_from) == ("Kumo Paint 2", (kind,), ("xmp.did:7",))
    assert xmp.facts["dc:rights"] == "(c) Kumo"
    if name != "a.webp":
        iptc = next(account for account in found if account.where.endswith("IPTC"))
        assert (iptc.tool, iptc.facts["Credit"]) == ("Kumo Paint", "Studio Kumo")


def test_xmp_in_a_psd(tmp_path: Path) -> None:
    packet = said.ADOBE.encode()
    packet += b" " * (len(packet) % 2)
    resource = b"8BIM\x04\x24\x00\x00" + len(packet).to_bytes(4, "big") + packet
    head = b"8BPS\x00\x01" + bytes(6) + b"\x00\x03" + (8).to_bytes(4, "big") * 2 + b"\x00\x08\x00\x03"
    data = head + bytes(4) + len(resource).to_bytes(4, "big") + resource + bytes(4)
    (tmp_path / "a.psd").write_bytes(data)
    assert accounts(tmp_path / "a.psd")["xmp"].derived_from == ("xmp.did:base-1", "xmp.iid:base-2")


# --- EXR and films -----------------------------------------------------------------------------------------


def test_the_attributes_of_an_exr(tmp_path: Path) -> None:
    path = exr(
        tmp_path / "a.exr", **{"Software": "Blender", "rakkan:step": "s-1", "Note": "雲", "rate": 24.0}
    )
    account = accounts(path)["text"]
    assert (account.tool, dict(account.facts)) == ("Blender", {"Note": "雲", "rakkan:step": "s-1"})


def test_oiiotools_history_in_an_exr(tmp_path: Path) -> None:
    source = plain(tmp_path / "a.png")
    run("oiiotool", source, "--attrib", "rakkan:step", "s-9", "-o", tmp_path / "a.exr")
    account = accounts(tmp_path / "a.exr")["text"]
    assert account.facts["rakkan:step"] == "s-9"
    assert "oiiotool" in account.facts["Exif:ImageHistory"]
    assert account.tool is not None
    assert account.tool.startswith("OpenImageIO")


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
def test_a_films_tags(tmp_path: Path, name: str) -> None:
    path, run_text = tmp_path / name, json.dumps(said.COMFY_RUN)
    make_film = [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "color=teal:s=64x64:d=0.1",
        "-movflags",
        "use_metadata_tags",
    ]
    run("ffmpeg", *make_film, "-metadata", f"prompt={run_text}", path)
    assert accounts(path)["comfyui"].models[0].name == "xl/base.safetensors"


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_xmp_in_a_film(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=teal:s=64x64:d=0.1", path)
    run("exiftool", "-q", "-overwrite_original", "-XMP-xmp:CreatorTool=Kumo Paint 2", path)
    assert accounts(path)["xmp"].tool == "Kumo Paint 2"


def test_a_films_comment_may_hold_both_graphs(tmp_path: Path) -> None:
    path, both = tmp_path / "a.mp4", json.dumps({"prompt": json.dumps(said.COMFY_RUN), "workflow": {}})
    run(
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "color=teal:s=64x64:d=0.1",
        "-metadata",
        f"comment={both}",
        path,
    )
    assert "comfyui" in accounts(path)


# --- files that mean harm ----------------------------------------------------------------------------------


def test_a_bomb_of_zlib_is_left_out_and_named(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(200 << 20), 9)
    data = plain(tmp_path / "a.png").read_bytes()
    parts = chunk(b"zTXt", b"parameters\x00\x00" + bomb) + chunk(
        b"iTXt", b"prompt\x00\x01\x00\x00\x00" + bomb
    )
    (tmp_path / "a.png").write_bytes(data[:33] + parts + data[33:])
    found = read_said(tmp_path / "a.png")
    assert found.accounts == ()
    assert [note.split(" is ")[0] for note in found.notes] == ["PNG zTXt parameters", "PNG iTXt prompt"]


def test_a_chunk_of_50_megabytes_is_stepped_over(tmp_path: Path) -> None:
    path = said.png(tmp_path / "a.png", {"parameters": said.A1111})
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk(b"tEXt", b"workflow\x00" + b"a" * (50 << 20)) + data[33:])
    found = read_said(path)
    assert [account.convention for account in found.accounts] == ["a1111"]
    assert found.notes == (f"PNG tEXt of {(50 << 20) + 9:,} bytes was left out",)


def test_more_texts_than_anybody_writes_are_cut(tmp_path: Path) -> None:
    data = plain(tmp_path / "a.png").read_bytes()
    many = b"".join(chunk(b"tEXt", b"Key%d\x00value" % number) for number in range(MAX_TEXTS + 50))
    (tmp_path / "a.png").write_bytes(data[:33] + many + data[33:])
    found = read_said(tmp_path / "a.png")
    assert len(found.accounts[0].facts) == 200
    assert "more text than is read" in found.notes[0]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_a_file_that_is_cut_off_anywhere_says_what_stood_before(tmp_path: Path, name: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = b"ASCII\x00\x00\x00" + said.A1111.encode()
    Image.new("RGB", (8, 8)).save(tmp_path / name, exif=exif)
    data = (tmp_path / name).read_bytes()
    for length in range(0, len(data), 37):
        (tmp_path / name).write_bytes(data[:length])
        read_said(tmp_path / name)


def test_an_exr_that_is_none_becomes_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.exr").write_bytes(b"\x76\x2f\x31\x01" + b"\xff" * 600)
    assert "cannot be read" in read_said(tmp_path / "a.exr").notes[0]
    assert capsys.readouterr().out == ""


def test_a_film_that_is_none_becomes_a_note(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 600)
    assert read_said(tmp_path / "a.mp4").notes[0].startswith("ffprobe ")


@pytest.mark.parametrize("name", ["gif", "dpx"])
def test_a_format_without_a_reader_is_said_to_be_one(tmp_path: Path, name: str) -> None:
    if name == "dpx":
        require("dpx")
    assert "is no format whose texts are read here" in read_said(make(name, tmp_path)).notes[0]


def test_text_limits_leave_room_for_real_workflows() -> None:
    assert MAX_TEXT_BYTES > 4 * (1 << 20)
