"""The hook in a real Blender (the module ``bpy``), put there by ``rakkan hooks install blender``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ledger.cli import main
from ledger.core.spooled import Spooled
from tests.support.spooled import digest, names, records, roles
from tests.support.tools import tool_python

pytestmark = pytest.mark.tools

# What an artist does, one thing after the other. Every step leaves at most one record, in this order.
SESSION = """
import os, sys
import bpy

os.chdir(sys.argv[1])
at = lambda *names: os.path.join(sys.argv[1], *names)

def texture(name):
    image = bpy.data.images.new("made", 4, 4)
    image.filepath_raw, image.file_format = at(name), "PNG"
    image.save()
    bpy.data.images.remove(image)

def render(folder, name, **how):
    scene = bpy.context.scene
    scene.render.filepath = at(folder, name)
    try:
        bpy.ops.render.render(**how)
    except RuntimeError:
        pass

bpy.ops.wm.save_as_mainfile(filepath=at("library.blend"))                               # 0
bpy.ops.wm.read_factory_settings()
with bpy.data.libraries.load(at("library.blend"), link=True) as (there, here):
    here.worlds = there.worlds
for name in ("wood.png", "tile.1001.png", "tile.1002.png", "plate.0001.png", "plate.0002.png"):
    texture(name)
bpy.data.images.load(at("wood.png"))
bpy.data.images.load(at("tile.1001.png")).filepath = at("tile.<UDIM>.png")
bpy.data.images.load(at("plate.0001.png")).source = "SEQUENCE"

scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples, scene.cycles.seed = 1, 7
scene.render.resolution_x = scene.render.resolution_y = 16
scene.render.resolution_percentage = 100
scene.frame_start, scene.frame_end = 1, 3
scene.frame_set(2)
bpy.ops.wm.save_as_mainfile(filepath=at("shot.blend"))                                  # 1
bpy.ops.wm.save_mainfile()                                                              # 2
bpy.ops.wm.save_as_mainfile(filepath=at("copy.blend"), copy=True)                       # 3
os.makedirs(at("still"))
open(at("still", "one0002.png"), "w").close()  # somebody's older frame, with the name of a numbered one
render("still", "one", write_still=True)                                                # 4
render("frames", "f", animation=True)                                                   # 5
os.makedirs(at("broken", "b0002.png"))  # the second frame cannot be written
render("broken", "b", animation=True)                                                   # 6
render("broken", "b0002", write_still=True)  # nothing is written: no record
render("nowhere", "n")  # a look, not a file: no record

tree = bpy.data.node_groups.new("compositing", "CompositorNodeTree")
layers, out = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("CompositorNodeOutputFile")
out.directory, out.file_name, out.format.media_type = at("passes"), "p_", "IMAGE"
out.file_output_items.new("RGBA", "beauty")
tree.links.new(layers.outputs["Image"], out.inputs[0])
scene.compositing_node_group = tree
render("composed", "c", animation=True)                                                 # 7
scene.compositing_node_group = None
scene.render.image_settings.media_type = "VIDEO"
render("movie", "m", animation=True)                                                    # 8
scene.render.image_settings.media_type = "IMAGE"
bpy.ops.wm.open_mainfile(filepath=at("shot.blend"))
import rakkan_hook
rakkan_hook._parameters = None  # a fault of ours
render("fault", "f", write_still=True)  # no record, but a number that is missing
bpy.ops.wm.save_mainfile()                                                              # 9
"""


def run(python: Path, script: str, scripts: Path, folder: Path, **more: str) -> Path:
    """Run a script in Blender in a new folder, and return the spool."""
    spool = folder / "spool"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAKKAN_", "BLENDER_"))}
    environment = {**kept, "BLENDER_SYSTEM_SCRIPTS": str(scripts), "RAKKAN_SPOOL": str(spool), **more}
    done = subprocess.run(
        [python, "-c", script, folder], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return spool


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scripts")
    with pytest.raises(SystemExit, match="0"):
        main(["hooks", "install", "blender", "--into", str(folder)])
    return folder


@pytest.fixture(scope="module")
def folder(scripts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the session worked in, with its spool."""
    found = tmp_path_factory.mktemp("shot")
    run(tool_python("blender"), SESSION, scripts, found)
    return found


@pytest.fixture(scope="module")
def session(folder: Path) -> list[Spooled]:
    return records(folder / "spool")


USED = {
    "library.blend": "component",
    "wood.png": "component",
    "tile.1001.png": "component",
    "tile.1002.png": "component",
    "plate.0001.png": "component",
    "plate.0002.png": "component",
}


def test_each_step_is_one_record(session: list[Spooled]) -> None:
    assert [record.action for record in session] == ["edit"] * 4 + ["render"] * 5 + ["edit"]
    assert {record.tool.name for record in session} == {"Blender"}
    assert {record.layer for record in session} == {"app"}


def test_a_saved_file_names_what_it_uses_and_nothing_of_blenders_own(session: list[Spooled]) -> None:
    assert roles(session[0]) == {}
    assert roles(session[1]) == USED


def test_a_file_that_is_saved_again_names_the_state_before(session: list[Spooled]) -> None:
    first, second, copy = session[1:4]
    before = next(file for file in second.inputs if file.role == "parent")
    assert (before.stamp, before.sha256) == (first.outputs[0].stamp, first.outputs[0].sha256)
    assert second.outputs[0].stamp != before.stamp
    assert names(copy.outputs) == ["copy.blend"]
    assert next(file for file in copy.inputs if file.role == "parent").stamp == second.outputs[0].stamp


def test_a_still_is_found_without_its_number(folder: Path, session: list[Spooled]) -> None:
    (file,) = session[4].outputs
    assert (file.path, file.sha256) == (str(folder / "still/one.png"), digest(folder / "still/one.png"))


def test_an_animation_is_one_record_with_all_its_frames(folder: Path, session: list[Spooled]) -> None:
    record = session[5]
    assert [file.path for file in record.outputs] == [str(folder / f"frames/f000{n}.png") for n in (1, 2, 3)]
    assert [file.sha256 for file in record.outputs] == [digest(Path(file.path)) for file in record.outputs]
    assert record.place["frames"] == (1, 3)
    assert roles(record) == {"shot.blend": "parent", **USED}
    assert record.started < record.finished or record.started < record.captured


def test_a_render_says_how_it_was_made(session: list[Spooled]) -> None:
    said = dict(session[5].parameters)
    assert said.pop("view")
    assert said == {
        "engine": "CYCLES",
        "resolution": "16x16",
        "scale": "100%",
        "frames": "1-3 step 1",
        "saved": "false",
        "samples": "1",
        "seed": "7",
    }


def test_a_cancelled_render_is_recorded_as_far_as_it_came(session: list[Spooled]) -> None:
    assert (names(session[6].outputs), session[6].failed) == (["b0001.png"], "cancelled")


def test_what_the_compositor_writes_beside_the_frames_is_recorded(session: list[Spooled]) -> None:
    frames = [f"c000{n}.png" for n in (1, 2, 3)]
    assert names(session[7].outputs) == frames + [f"p_beauty000{n}.png" for n in (1, 2, 3)]


def test_a_movie_is_recorded_when_it_is_whole(folder: Path, session: list[Spooled]) -> None:
    (file,) = session[8].outputs
    assert Path(file.path).parent == folder / "movie"
    assert file.sha256 == digest(Path(file.path))
    assert session[8].place["frames"] == (1, 3)


def test_a_fault_of_the_hook_is_a_missing_number_and_stops_no_render(
    folder: Path, session: list[Spooled]
) -> None:
    assert (folder / "fault/f.png").exists()
    numbers = [int(path.name.split("-")[0]) for path in sorted((folder / "spool/new").glob("*.json"))]
    assert numbers == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11]
    assert "number 10: TypeError" in (folder / "spool/faults.log").read_text()


def test_a_render_that_ends_with_its_process_is_recorded(scripts: Path, tmp_path: Path) -> None:
    script = """
import os, sys, bpy
bpy.context.scene.render.engine = "CYCLES"
bpy.context.scene.cycles.samples = bpy.context.scene.frame_end = 2
bpy.context.scene.render.resolution_x = bpy.context.scene.render.resolution_y = 16
bpy.context.scene.render.filepath = os.path.join(sys.argv[1], "f")
import rakkan_hook
bpy.app.handlers.render_complete.remove(rakkan_hook.on_render_complete)
bpy.ops.render.render(animation=True)
"""
    (record,) = records(run(tool_python("blender"), script, scripts, tmp_path))
    assert (names(record.outputs), record.failed) == (["f0001.png", "f0002.png"], "the program ended")


def test_a_crash_loses_only_what_was_not_handed_over_yet(scripts: Path, tmp_path: Path) -> None:
    script = """
import os, sys, bpy
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples, scene.frame_end = "CYCLES", 1, 9
scene.render.resolution_x = scene.render.resolution_y = 16
scene.render.filepath = os.path.join(sys.argv[1], "f")
import rakkan_hook
rakkan_hook.FLUSH_FILES = 2
bpy.app.handlers.render_write.append(lambda scene, *_: scene.frame_current == 5 and os._exit(0))
bpy.ops.render.render(animation=True)
"""
    found = records(run(tool_python("blender"), script, scripts, tmp_path))
    assert [names(record.outputs) for record in found] == [
        ["f0001.png", "f0002.png"],
        ["f0003.png", "f0004.png"],
    ]
    assert [record.place["frames"] for record in found] == [(1, 2), (3, 4)]


def test_capturing_can_be_turned_off(scripts: Path, tmp_path: Path) -> None:
    script = "import sys, bpy; bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1] + '/a.blend')"
    spool = run(tool_python("blender"), script, scripts, tmp_path, RAKKAN_CAPTURE="0")
    assert (tmp_path / "a.blend").exists()
    assert not spool.exists()
