"""`rakkan run` with the real tools: what went in, what came out, and what was done."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ledger.core.artifact import Role
from ledger.core.predicates.step import StepAction
from tests.support.media import noise
from tests.support.traced import Desk, desk, require


@pytest.fixture
def work(tmp_path: Path) -> Desk:
    return desk(tmp_path)


@pytest.fixture(params=["strace", "preload"])
def tracer(request: pytest.FixtureRequest) -> str:
    require(request.param)
    return str(request.param)


def tool(name: str, says: str) -> str:
    """The program's path, if it is the real one; skips otherwise."""
    for folder in ("", "/usr/bin/"):
        found = shutil.which(folder + name)
        if found is not None:
            said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
            if says in said.stdout:
                return found
    pytest.skip(f"{name} is not installed")


def frames(work: Desk, count: int, suffix: str = "png") -> list[str]:
    """Some frames in the folder; returns their names."""
    names = [f"f.{1001 + number}.{suffix}" for number in range(count)]
    for number, name in enumerate(names):
        noise(seed=number).resize((96, 64)).save(work.folder / name)
    return names


def run(work: Desk, tracer: str, *command: str | bytes) -> None:
    ran = work.run(*command, options=("--tracer", tracer))
    assert ran.returncode == 0, ran.stderr


def test_ffmpeg_makes_a_movie_of_frames(work: Desk, tracer: str) -> None:
    ffmpeg = tool("ffmpeg", "ffmpeg version")
    names = frames(work, 12)
    run(work, tracer, ffmpeg, "-v", "error", "-start_number", "1001", "-i", "f.%04d.png", "cut.mp4")
    record = work.record()
    assert (work.names(record.inputs), work.names(record.outputs)) == (names, ["cut.mp4"])
    assert record.action is StepAction.CONVERT
    assert {file.role for file in record.inputs} == {Role.COMPONENT}
    assert (record.tool.name, record.tool.version[0].isdigit()) == ("ffmpeg", True)


def test_imagemagick_edits_one_picture(work: Desk, tracer: str) -> None:
    convert = tool("convert", "ImageMagick")
    frames(work, 1)
    run(work, tracer, convert, "f.1001.png", "-negate", "out.png")
    record = work.record()
    assert (work.names(record.inputs), work.names(record.outputs)) == (["f.1001.png"], ["out.png"])
    assert (record.action, record.inputs[0].role) == (StepAction.EDIT, Role.PARENT)


def test_imagemagick_edits_in_place(work: Desk, tracer: str) -> None:
    mogrify = tool("mogrify", "ImageMagick")
    names = frames(work, 5)
    run(work, tracer, mogrify, "-negate", *names)
    record = work.record()
    assert work.names(record.inputs) == work.names(record.outputs) == names
    assert record.action is StepAction.EDIT
    assert not {file.stamp for file in record.inputs} & {file.stamp for file in record.outputs}


def test_oiiotool_writes_beside_and_renames(work: Desk, tracer: str) -> None:
    oiiotool = tool("oiiotool", "")
    frames(work, 2)
    run(work, tracer, oiiotool, "f.1001.png", "f.1002.png", "--add", "-o", "comp.exr")
    record = work.record()
    assert work.names(record.outputs) == ["comp.exr"]
    assert work.names(record.inputs) == ["f.1001.png", "f.1002.png"]
    assert {file.role for file in record.inputs} == {Role.COMPONENT}


def test_pillow_in_python(work: Desk, tracer: str) -> None:
    frames(work, 2)
    (work.folder / "grade.py").write_text(
        "from PIL import Image, ImageOps\n"
        "for n in (1001, 1002):\n"
        "    ImageOps.invert(Image.open(f'f.{n}.png').convert('RGB')).save(f'g.{n}.png')\n"
    )
    run(work, tracer, sys.executable, "grade.py")
    record = work.record()
    assert work.names(record.outputs) == ["g.1001.png", "g.1002.png"]
    assert work.names(record.inputs) == ["f.1001.png", "f.1002.png", "grade.py"]


def test_children_of_a_shell(work: Desk, tracer: str) -> None:
    names = frames(work, 3)
    script = (
        "mkdir -p o; for f in f.*.png; do (cd o; cat ../$f | tee t.$f >/dev/null; mv t.$f $f) & done; wait"
    )
    run(work, tracer, "sh", "-c", script)
    record = work.record()
    assert work.names(record.inputs) == names
    assert work.names(record.outputs) == [f"o/{name}" for name in names]


def test_a_name_that_is_no_text(work: Desk, tracer: str) -> None:
    frames(work, 1)
    (work.folder / "f.1001.png").rename(work.folder / "\udcff\udce9.png")
    run(work, tracer, "cp", b"\xff\xe9.png", b"\xe3(.png")
    record = work.record()
    assert (work.names(record.inputs), work.names(record.outputs)) == (["\udcff\udce9.png"], ["\udce3(.png"])
    assert record.inputs[0].shown == "??.png"


def test_a_static_program_needs_strace(work: Desk) -> None:
    """The preload library is blind there, and is not asked."""
    require("strace")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler to make a static program")
    source = work.folder.parent / "copy.c"
    source.write_text(
        "#include <stdio.h>\n"
        'int main(void) { FILE *a = fopen("in.png", "r"), *b = fopen("out.png", "w"); int c;\n'
        "while ((c = getc(a)) != EOF) putc(c, b); return fclose(b); }\n"
    )
    program = source.with_suffix("")
    if subprocess.run([compiler, "-static", "-o", program, source], check=False).returncode:
        pytest.skip("there is no static C library")
    Image.new("RGB", (2, 2)).save(work.folder / "in.png")
    for asked, seen in (("strace", ["in.png"]), ("preload", [])):
        run(work, asked, str(program))
        record = work.record()
        assert work.names(record.inputs) == seen
    assert record.parameters["trace"] == "none"


def test_a_snapshot_finds_a_numbered_sequence(work: Desk) -> None:
    ffmpeg = tool("ffmpeg", "ffmpeg version")
    names = frames(work, 4)
    run(work, "snapshot", ffmpeg, "-v", "error", "-start_number", "1001", "-i", "f.%04d.png", "cut.mp4")
    record = work.record()
    assert (work.names(record.inputs), work.names(record.outputs)) == (names, ["cut.mp4"])
