"""The ComfyUI hook, installed as ComfyUI loads it, on what two real versions of ComfyUI ran."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from ledger.core.predicates.capture import Layer
from ledger.core.spooled import Spooled
from tests.support import comfyui

BASE = {"tiny_sd3.safetensors", "tiny_taesd.safetensors", "watery.safetensors"}
LORA = {"kumo.safetensors"}
# Per run: action, models, other inputs with their roles, how it ended; None where nothing is recorded.
EXPECTED: dict[str, Any] = {
    "txt2img": ("generate", BASE | LORA, {}, None),
    "other-seed": ("generate", BASE | LORA, {}, None),
    "all-cached": None,
    "img2img": ("edit", BASE | LORA, {"plate.png": "parent"}, None),
    "lora-off": ("generate", BASE, {}, None),
    "control-inpaint": (
        "edit",
        BASE | LORA | {"pose.safetensors"},
        {"plate.png": "inpaint", "mask.png": "control", "pose.png": "control"},
        None,
    ),
    "control-off": ("edit", BASE | LORA, {"plate.png": "inpaint", "mask.png": "control"}, None),
    "failing": ("generate", BASE | LORA, {}, "RuntimeError"),
    "interrupted": ("generate", BASE | LORA, {}, "interrupted"),
    "remote": ("edit", set(), {"plate.png": "parent"}, None),
    "remote-preview": ("edit", set(), {"plate.png": "parent"}, None),
}


class Studio:
    """One ComfyUI of one version with the recorder in it, and its spool."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, base: Path, version: str) -> None:
        self.base, self.version, self.spool = base, version, base / "spool"
        monkeypatch.setenv("RAKKAN_SPOOL", str(self.spool))
        comfyui.make_folders(base)
        self.modules = comfyui.stand_in(monkeypatch, base, version)
        self.entries = comfyui.entries(version)
        self.recorder = comfyui.load_recorder(base)
        self.server = self.modules["PromptServer"].instance
        history = {entry["prompt"][1]: entry for entry in self.entries.values()}
        self.executor = self.modules["PromptExecutor"](self.server, base, history)

    def run(self, name: str) -> list[Spooled]:
        """Run it again, and return what that added to the spool."""
        before = len(comfyui.spooled(self.spool))
        _number, prompt_id, graph, extra, targets = self.entries[name]["prompt"]
        if hasattr(self.executor, "execute_async"):
            asyncio.run(self.executor.execute_async(graph, prompt_id, extra, targets))
        else:
            self.executor.execute(graph, prompt_id, extra, targets)
        return comfyui.spooled(self.spool)[before:]


@pytest.fixture(params=comfyui.VERSIONS)
def studio(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Studio:
    return Studio(monkeypatch, tmp_path, request.param)


@pytest.mark.parametrize("version", comfyui.VERSIONS)
def test_the_stand_in_has_the_signatures_of_the_real_one(version: str) -> None:
    executor = comfyui.EXECUTORS[version]
    for name, expected in comfyui.said(version, "signatures").items():
        owner, member = name.rsplit(".", 1)
        if owner == "execution.PromptExecutor":
            found = getattr(executor, member)
            assert list(inspect.signature(found).parameters) == re.findall(r"[(, ](\w+)[^,)]*", expected)
            assert inspect.iscoroutinefunction(found) == expected.startswith("async ")
    assert hasattr(executor, "execute_async") == (version == "0.3.64")


@pytest.mark.parametrize("name", comfyui.RUNS)
def test_each_run_is_recorded_as_it_was(studio: Studio, name: str) -> None:
    assert studio.recorder.recording
    records = studio.run(name)
    if EXPECTED[name] is None:
        assert records == []
        return
    action, models, others, failed = EXPECTED[name]
    (record,) = records
    assert (record.action, record.failed, record.layer) == (action, failed, Layer.APP)
    assert {item.shown for item in record.inputs if item.role == "model"} == models
    assert {item.shown: item.role for item in record.inputs if item.role != "model"} == others
    assert (record.tool.name, record.tool.version) == ("ComfyUI", studio.version)
    assert all(Path(item.path).is_file() and item.stamp for item in record.inputs)
    told = studio.entries[name]["outputs"]
    written = [item["filename"] for ui in told.values() for item in ui["images"] if item["type"] == "output"]
    assert [item.shown for item in record.outputs] == written
    assert all(item.sha256 for item in record.outputs)


def test_prompts_are_secrets_and_numbers_are_parameters(studio: Studio) -> None:
    (record,) = studio.run("txt2img")
    assert record.secrets["prompt"] == "a quiet harbour at dawn, embedding:watery, soft light"
    assert record.secrets["negativePrompt"] == "blurry, text, watermark"
    assert json.loads(record.secrets["workflow"]) == studio.entries["txt2img"]["prompt"][2]
    assert record.parameters["seed"] == "1"
    assert record.parameters["sampler_name"] == "euler"
    assert record.parameters["strength_model"] == "1.0"
    shown = json.dumps(dict(record.parameters))
    assert "harbour" not in shown
    assert str(studio.base) not in shown


def test_the_record_names_the_id_that_travels_in_the_file(studio: Studio) -> None:
    request = studio.server.prompt({"prompt": {}, "extra_data": {"extra_pnginfo": {"workflow": {}}}})
    step = request["extra_data"]["extra_pnginfo"]["rakkan"]["step"]
    studio.entries["txt2img"]["prompt"][3] = request["extra_data"]
    (record,) = studio.run("txt2img")
    assert record.parameters["step"] == step


@pytest.mark.parametrize("asked", [{}, {"extra_data": {}}, {"extra_data": {"extra_pnginfo": None}}, [], None])
def test_metadata_is_not_forced_on_a_client_that_sends_none(studio: Studio, asked: Any) -> None:
    before = json.dumps(asked)
    assert json.dumps(studio.server.prompt(asked)) == before


def test_a_remote_node_is_named_as_a_service_also_when_nothing_was_saved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    studio = Studio(monkeypatch, tmp_path, "0.3.64")
    for name, outputs in (("remote", 1), ("remote-preview", 0)):
        (record,) = studio.run(name)
        assert record.service is not None
        assert record.service.name == "Acme/TinyRemoteImage/acme-v2"
        assert record.parameters["remoteNodes"] == "TinyRemoteImage (2)"
        assert len(record.outputs) == outputs


def test_a_run_has_one_id_whoever_records_it(studio: Studio) -> None:
    (first,) = studio.run("txt2img")
    (again,) = studio.run("txt2img")
    (other,) = studio.run("other-seed")
    assert first.record_id == again.record_id != other.record_id


def test_a_run_that_never_came_to_results_is_not_taken_for_the_one_before(studio: Studio) -> None:
    assert len(studio.run("txt2img")) == 1
    studio.executor._again = lambda prompt_id: (_ for _ in ()).throw(MemoryError("made to fail"))
    with pytest.raises(MemoryError):
        studio.run("img2img")
    assert len(comfyui.spooled(studio.spool)) == 1


def test_nothing_is_raised_into_comfyui_when_recording_fails(studio: Studio) -> None:
    studio.modules["NODE_CLASS_MAPPINGS"].clear()
    studio.modules["folder_names_and_paths"]["broken"] = None
    assert studio.run("txt2img") == []
    assert studio.executor.success
    assert studio.recorder.rakkan_capture.faults
    # And a number, so that the agent knows of a record that never came.
    assert int((studio.spool / "number").read_text()) == 1


def test_nothing_is_recorded_when_capturing_is_off(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAKKAN_CAPTURE", "0")
    assert studio.run("txt2img") == []


def test_loading_it_twice_records_once(studio: Studio) -> None:
    studio.recorder.install()
    assert len(studio.run("txt2img")) == 1


def test_a_production_that_refuses_fails_the_prompt_as_comfyui_would(studio: Studio) -> None:
    studio.spool.mkdir()
    productions = [{"name": "kumo", "roots": [os.path.realpath(studio.base)], "policy": "refuse"}]
    (studio.spool / "settings.json").write_text(json.dumps({"productions": productions}))
    assert studio.run("txt2img") == []
    assert not studio.executor.success
    (event, told) = studio.executor.status_messages[-1]
    assert event == "execution_error"
    assert "rakkan doctor" in told["exception_message"]
    assert not list((studio.base / "output").iterdir())
    (studio.spool / "heartbeat").touch()
    assert len(studio.run("txt2img")) == 1
    assert studio.executor.success


@pytest.mark.parametrize("version", comfyui.VERSIONS)
@pytest.mark.parametrize(
    "change",
    [
        lambda modules: setattr(modules["PromptExecutor"], "execute", lambda self, job: None),
        lambda modules: delattr(comfyui.Server, "instance"),
        lambda modules: setattr(comfyui.Server.instance, "add_on_prompt_handler", None),
    ],
)
def test_another_interface_is_left_alone(
    version: str,
    change: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    comfyui.make_folders(tmp_path)
    modules = comfyui.stand_in(monkeypatch, tmp_path, version)
    executor = modules["PromptExecutor"]
    if hasattr(executor, "execute_async"):
        monkeypatch.setattr(executor, "execute_async", lambda self, job: None)
    change(modules)
    recorder = comfyui.load_recorder(tmp_path)
    assert not recorder.recording
    assert len(caplog.records) == 1
    assert not hasattr(getattr(executor, "execute_async", executor.execute), "rakkan")
