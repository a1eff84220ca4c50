"""Damaged bytes and misleading names: refused before sealing, never proven after it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.support.media import EMBED, make, picture_bytes
from tests.support.mishaps import RECORD

TELLS_AT_RECORD = ["png", "jpg", "webp", "gif", "tif", "mp4", "mov", "avif", "exr", "dpx", "mkv"]


TELLS_TRUNCATED = [*TELLS_AT_RECORD, "wav", "svg"]


@pytest.mark.parametrize("kind", TELLS_TRUNCATED)
def test_truncated_before_sealing(studio: Studio, kind: str) -> None:
    path = make(kind, studio.work)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    if kind in TELLS_AT_RECORD:
        studio.fails("file.malformed", "record", path, *RECORD)
        return
    studio.record(path)
    studio.fails("file.malformed", "seal", path)


@pytest.mark.parametrize("kind", ["png", "tif", "mp4", "exr"])
def test_a_truncated_parent_was_used_all_the_same(studio: Studio, kind: str) -> None:
    parent = make(kind, studio.work, "parent")
    parent.write_bytes(parent.read_bytes()[: parent.stat().st_size * 2 // 3])
    studio.record(studio.png(), "--action", "edit", "--parent", parent)


@pytest.mark.parametrize("kind", [name for name in EMBED if "-" not in name])
def test_truncated_after_sealing_is_never_proven(studio: Studio, kind: str) -> None:
    path = studio.record(make(kind, studio.work))
    studio.ok("seal", path)
    whole = path.read_bytes()
    for share in (0.98, 0.6, 0.2):
        path.write_bytes(whole[: int(len(whole) * share)])
        result = studio.verify(path)
        assert result.code in {1, 3}, (kind, share, result.out)


@pytest.mark.parametrize("kind", ["exr", "dpx", "txt", "safetensors"])
def test_truncated_after_a_sidecar(studio: Studio, kind: str) -> None:
    path = studio.record(make(kind, studio.work))
    studio.ok("seal", path)
    path.write_bytes(path.read_bytes()[:-1])
    result = studio.verify(path)
    assert (result.code, "✕ The bytes are unchanged" in studio("verify", path).out) == (1, True)


@pytest.mark.parametrize("share", [0.999, 0.7, 0.3])
def test_a_damaged_exr_prints_nothing_but_the_report(studio: Studio, share: float) -> None:
    """OpenEXR writes its complaints to standard output."""
    path = studio.record(make("exr", studio.work))
    studio.ok("seal", path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    ran = studio.process("verify", str(path), "--offline", "--json", stdout=subprocess.PIPE)
    assert (ran.returncode, json.loads(ran.stdout)["outcome"]) == (1, "altered")


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_garbage_under_a_good_name(studio: Studio, kind: str) -> None:
    path = studio.work / f"garbage.{kind}"
    path.write_bytes(b"not a picture at all" * 50)
    studio.record(path)
    studio.fails("file.malformed", "seal", path)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("jpg", "a.png"), ("png", "a.exr"), ("tif", "a.jpg"), ("exr", "a.dpx"), ("mp4", "a.wav")],
)
def test_wrong_extension(studio: Studio, kind: str, name: str, tmp_path: Path) -> None:
    path = make(kind, tmp_path).rename(studio.work / name)
    result = studio.fails("file.wrong-extension", "record", path, *RECORD)
    assert f"is named .{name.partition('.')[2]}, but its bytes are" in result.err


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("jpg", "a.JPEG"),
        ("mp4", "a.mov"),
        ("png", "a"),
        ("png", "a.v001"),
        ("tif", "A.TIFF"),
        ("txt", "a.bin"),
    ],
)
def test_names_that_contradict_nothing(studio: Studio, kind: str, name: str, tmp_path: Path) -> None:
    path = make(kind, tmp_path).rename(studio.work / name)
    studio.record(path)
    studio.ok("seal", path)
    assert studio.verify(path).code == 0


def test_a_material_may_be_named_as_its_maker_liked(studio: Studio, tmp_path: Path) -> None:
    parent = make("jpg", tmp_path).rename(tmp_path / "reference.png")
    studio.record(studio.png(), "--action", "edit", "--parent", parent)


@pytest.mark.parametrize(
    "name", ["line\nbreak.png", "\x1b[2Jclear.png", "\u202egnp.exe.png", b"\xff\xfe.png"]
)
def test_names_that_no_statement_can_carry(studio: Studio, name: str | bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(studio.work) + b"/" + os.fsencode(name)))
    path.write_bytes(picture_bytes("PNG"))
    before = studio.size()
    result = studio("record", path, *RECORD)
    assert result.code == 2, result
    assert result.error in {"statement.field", "json.malformed"}
    assert not set("\x1b\u202e") & set(result.err)
    assert studio.size() == before


@pytest.mark.parametrize("name", ["夜空 (最終).png", "a b'c\"d.png", "-rf.png", "%s.png"])
def test_names_that_are_only_unusual(studio: Studio, name: str) -> None:
    path = studio.png(name)
    studio.record(path)
    studio.ok("seal", path)
    assert studio.verify(path).code == 0
