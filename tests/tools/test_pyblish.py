"""The plug-ins for pyblish, in the real pyblish, beside a studio's own."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ledger.core.predicates.capture import Event, Layer
from ledger.core.predicates.step import StepAction
from ledger.core.spooled import Spooled, read_spooled
from tests.support.tools import ROOT, tool_python

pytestmark = pytest.mark.tools

RUN = """
import json, time
import pyblish.api, pyblish.util
began, slowest, context = time.monotonic(), {}, pyblish.api.Context()
results = []
for result in pyblish.util.publish_iter(context):
    results.append({
        "plugin": result["plugin"].__name__,
        "error": repr(result["error"]) if result["error"] else None,
        "warnings": [r.getMessage() for r in result["records"] if r.levelname == "WARNING"],
        "seconds": result["duration"] / 1000,
    })
print(json.dumps(results))
"""


@dataclass(frozen=True)
class Published:
    results: list[dict[str, Any]]
    records: list[Spooled]

    def of(self, plugin: str) -> list[dict[str, Any]]:
        return [result for result in self.results if result["plugin"] == plugin]


Publish = Callable[..., Published]


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    """Return a function that publishes instances (and says what pyblish found) with these settings."""
    python = tool_python("pyblish")
    plugins, spool = tmp_path / "plug ins", tmp_path / "spool"
    plugins.mkdir()
    for source in (
        ROOT / "ledger/hooks/pyblish_plugin.py",
        ROOT / "ledger/hooks/rakkan_capture.py",
        ROOT / "tests/tools/studio_plugins.py",
    ):
        shutil.copy(source, plugins)

    def run(context: dict[str, Any], instances: dict[str, Any], **environment: str) -> Published:
        said = tmp_path / "publish.json"
        said.write_text(json.dumps({"context": context, "instances": instances}))
        own = {name: value for name, value in os.environ.items() if not name.startswith(("RAKKAN", "PYTHON"))}
        done = subprocess.run(
            [str(python), "-c", RUN],
            env=own
            | {"PYBLISHPLUGINPATH": str(plugins), "RAKKAN_SPOOL": str(spool), "PUBLISH": str(said)}
            | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        spooled = sorted((spool / "new").glob("*.json")) if (spool / "new").exists() else []
        return Published(
            json.loads(done.stdout.splitlines()[-1]), [read_spooled(path.read_bytes()) for path in spooled]
        )

    return run


def staged(folder: Path, *names: str) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"picture " + name.encode())
    return list(names)


def alive(tmp_path: Path, policy: str = "spool") -> None:
    """Leave what a running agent leaves in the spool."""
    spool = tmp_path / "spool"
    spool.mkdir(exist_ok=True)
    production = {"name": "nightfall", "roots": [str(tmp_path / "show")], "policy": policy}
    (spool / "settings.json").write_text(json.dumps({"productions": [production]}))
    (spool / "heartbeat").touch()


def ayon(tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return context and instances as AYON's collectors leave them: three frames, and their work file."""
    work = tmp_path / "show/sq010/sh020/work"
    frames = staged(tmp_path / "staging", "beauty.1001.exr", "beauty.1002.exr", "beauty.1003.exr")
    staged(work, "sh020_comp_v007.nk")
    staged(tmp_path / "show/library", "plate.exr")
    common = {"folderPath": "/episodes/sq010/sh020", "folderEntity": {"folderType": "Shot"}, "task": "comp"}
    render = common | {
        "family": "render",
        "productName": "renderCompMain",
        "publishDir": str(tmp_path / "show/publish/renderCompMain/v007"),
        "frameStart": 1001,
        "frameEnd": 1003,
        "inputVersions": ["aaa111", {"version_id": "bbb222", "data": {"hero": True}}],
        "inputs": [str(tmp_path / "show/library/plate.exr"), "not-a-path"],
        "representations": [
            {"name": "exr", "ext": "exr", "files": frames, "stagingDir": str(tmp_path / "staging")}
        ],
    }
    workfile = common | {
        "family": "workfile",
        "productBaseType": "workfile",
        "productName": "workfileComp",
        "stagingDir": str(work),
        "publishDir": str(tmp_path / "show/publish/workfileComp/v007"),
        "representations": [{"name": "nk", "ext": "nk", "files": "sh020_comp_v007.nk"}],
    }
    context = {
        "projectName": "nightfall",
        "hostName": "nuke",
        "currentFile": str(work / "sh020_comp_v007.nk"),
        "loadedVersions": ["aaa111"],
    }
    return context, {"renderCompMain": render, "workfileComp": workfile}


def test_what_ayon_published_is_recorded(publish: Publish, tmp_path: Path) -> None:
    alive(tmp_path)
    found = publish(*ayon(tmp_path), AYON_APP_NAME="nuke/15-1")
    assert [result for result in found.results if result["error"] or result["warnings"]] == []
    render, workfile = found.records
    folder = tmp_path / "show/publish/renderCompMain/v007"
    assert [Path(item.path) for item in render.outputs] == sorted(folder.iterdir())
    assert all(item.stamp for item in render.outputs)
    assert (render.layer, render.event, render.action) == (Layer.APP, Event.PUBLISH, StepAction.RENDER)
    assert (render.hook, render.tool.name, render.tool.version) == ("pyblish 1", "nuke", "15-1")
    assert render.place == {
        "production": "nightfall",
        "sequence": "sq010",
        "shot": "sh020",
        "task": "comp",
        "version": "v007",
        "frames": (1001, 1003),
    }
    assert [Path(item.path).name for item in render.inputs] == ["sh020_comp_v007.nk", "plate.exr"]
    assert render.parameters["ayon.version"] == "5e1f00d5"
    assert render.parameters["ayon.inputVersions"] == "aaa111 bbb222"
    assert (workfile.action, len(workfile.outputs)) == (StepAction.EDIT, 1)
    assert workfile.inputs == (), "the published work file is a copy, and nothing is made of itself"


def test_without_ayon_the_representations_say_what_was_written(publish: Publish, tmp_path: Path) -> None:
    frames = staged(tmp_path / "out", "a.0001.png", "a.0002.png")
    instance = {"representations": [{"files": frames}], "stagingDir": str(tmp_path / "out"), "shot": "sh030"}
    (record,) = publish({}, {"image": instance}).records
    assert [Path(item.path).name for item in record.outputs] == frames
    assert record.place == {"shot": "sh030"}
    assert record.inputs == ()


@pytest.mark.parametrize(
    "files",
    [
        {"expectedFiles": [{"beauty": ["a.1.exr", "a.2.exr"], "depth": ["d.1.exr"]}]},
        {"expectedFiles": ["a.1.exr", "a.2.exr", "d.1.exr"]},
        {"files": ["a.1.exr", "a.2.exr", "d.1.exr", "was never written.exr"]},
    ],
)
def test_files_are_found_in_each_of_the_ways_to_name_them(
    publish: Publish, tmp_path: Path, files: dict[str, Any]
) -> None:
    names = staged(tmp_path / "out", "a.1.exr", "a.2.exr", "d.1.exr")
    (record,) = publish({}, {"render": {**files, "stagingDir": str(tmp_path / "out")}}).records
    assert [Path(item.path).name for item in record.outputs] == names


def test_what_a_farm_will_publish_is_not_recorded_yet(publish: Publish, tmp_path: Path) -> None:
    context, instances = ayon(tmp_path)
    instances["renderCompMain"]["farm"] = True
    assert [len(record.outputs) for record in publish(context, instances).records] == [1]


def test_an_asset_is_no_shot(publish: Publish, tmp_path: Path) -> None:
    names = staged(tmp_path / "out", "hero.abc")
    instance = {
        "representations": [{"files": names[0], "stagingDir": str(tmp_path / "out")}],
        "folderPath": "/assets/characters/hero",
        "folderEntity": {"folderType": "Asset"},
    }
    (record,) = publish({"projectName": "nightfall"}, {"model": instance}).records
    assert record.place == {"production": "nightfall"}
    assert record.parameters["folder"] == "assets/characters/hero"


def test_a_name_that_no_record_can_hold_is_shown_otherwise(publish: Publish, tmp_path: Path) -> None:
    names = staged(tmp_path / "out", "a.png")
    instance = {
        "files": names,
        "stagingDir": str(tmp_path / "out"),
        "shot": "sh\n\u202e020",
        "task": "背景　美術",
    }
    (record,) = publish({}, {"image": instance}).records
    assert record.place == {"shot": "sh??020", "task": "背景　美術"}


def test_a_dead_agent_is_a_warning_and_no_wall(publish: Publish, tmp_path: Path) -> None:
    found = publish(*ayon(tmp_path))
    assert [result["error"] for result in found.results if result["error"]] == []
    assert all("agent does not run" in result["warnings"][0] for result in found.of("ValidateProvenance"))
    assert len(found.records) == 2


def test_a_dead_agent_is_a_wall_where_the_production_refuses(publish: Publish, tmp_path: Path) -> None:
    alive(tmp_path, policy="refuse")
    long_ago = time.time() - 3600
    os.utime(tmp_path / "spool/heartbeat", (long_ago, long_ago))
    found = publish(*ayon(tmp_path))
    assert all("CaptureRefusedError" in result["error"] for result in found.of("ValidateProvenance"))
    assert found.of("IntegrateStudio") == []
    assert not (tmp_path / "show/publish").exists()


ODD = {"representations": [7], "inputs": 3, "frameStart": "x", "version": [], "transfers": [["one"]]}


def test_data_of_no_known_form_stops_nothing_and_shows(publish: Publish, tmp_path: Path) -> None:
    found = publish({"currentFile": 5}, {"odd": ODD})
    assert [result["error"] for result in found.results if "Rakkan" in result["plugin"]] == [None]
    assert found.records == []
    # A number without a record: the agent signs that one was lost.
    assert int((tmp_path / "spool/number").read_text()) == 1
    assert "number 1" in (tmp_path / "spool/faults.log").read_text()


def test_data_of_no_known_form_passes_no_wall(publish: Publish, tmp_path: Path) -> None:
    alive(tmp_path, policy="refuse")
    long_ago = time.time() - 3600
    os.utime(tmp_path / "spool/heartbeat", (long_ago, long_ago))
    found = publish({"currentFile": 5}, {"odd": ODD})
    assert all("CaptureRefusedError" in result["error"] for result in found.of("ValidateProvenance"))


def test_a_long_sequence_is_recorded_in_parts_and_quickly(publish: Publish, tmp_path: Path) -> None:
    names = staged(tmp_path / "out", *(f"a.{number:05}.exr" for number in range(2500)))
    found = publish({}, {"render": {"files": names, "stagingDir": str(tmp_path / "out")}})
    assert [len(record.outputs) for record in found.records] == [1000, 1000, 500]
    assert found.of("IntegrateRakkan")[0]["seconds"] < 1
