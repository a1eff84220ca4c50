"""A ComfyUI that runs again what a real one ran (``tests/vectors/comfyui``): its modules, its folders."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ledger.core.spooled import Spooled, read_spooled

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / "ledger/hooks"
INSTALLED = {
    "comfyui.py": "__init__.py",
    "comfyui_graph.py": "comfyui_graph.py",
    "comfyui_run.py": "comfyui_run.py",
    "rakkan_capture.py": "rakkan_capture.py",
}
VERSIONS = ("0.3.13", "0.3.64")
RUNS = (
    "txt2img",
    "other-seed",
    "all-cached",
    "img2img",
    "lora-off",
    "control-inpaint",
    "control-off",
    "failing",
    "interrupted",
    "remote",
    "remote-preview",
)
FILES = (
    "models/diffusion_models/tiny_sd3.safetensors",
    "models/vae/tiny_taesd.safetensors",
    "models/loras/show/kumo.safetensors",
    "models/loras/unused.safetensors",
    "models/embeddings/watery.safetensors",
    "models/controlnet/pose.safetensors",
    "input/plate.png",
    "input/pose.png",
    "input/mask.png",
)


def said(version: str, name: str) -> dict[str, Any]:
    """Return what the real ComfyUI answered."""
    found: dict[str, Any] = json.loads(
        (ROOT / "tests/vectors/comfyui" / version / f"{name}.json").read_bytes()
    )
    return found


def entries(version: str) -> dict[str, dict[str, Any]]:
    """Return the entries of the history by the names of the runs."""
    return dict(zip(RUNS, said(version, "history").values(), strict=True))


def make_folders(base: Path) -> None:
    """Make the folders of a ComfyUI, with small files in place of its models and inputs."""
    for name in FILES:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(name)
    for name in ("output", "temp"):
        (base / name).mkdir()


def write_outputs(base: Path, entry: Mapping[str, Any]) -> None:
    """Write the files that a run wrote, those of nodes in the cache left out."""
    messages = dict(map(tuple, entry["status"]["messages"]))
    for node, ui in entry["outputs"].items():
        for item in ui["images"]:
            if node not in messages["execution_cached"]["nodes"]:
                (base / item["type"] / item["filename"]).write_text(entry["prompt"][1])


def spooled(spool: Path) -> list[Spooled]:
    """Return the records in the spool, in their order."""
    return [read_spooled(path.read_bytes()) for path in sorted((spool / "new").glob("*.json"))]


def load_recorder(base: Path) -> ModuleType:
    """Install the hook as a custom node and load it as ComfyUI loads one."""
    package = base / "custom_nodes/rakkan_recorder"
    package.mkdir(parents=True, exist_ok=True)
    for source, target in INSTALLED.items():
        shutil.copy(HOOKS / source, package / target)
    name = "rakkan_" + hashlib.sha256(str(package).encode()).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(name, package / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Server:
    """``server.PromptServer``: hands requests to the handlers."""

    instance: Server

    def __init__(self) -> None:
        self.client_id: str | None = None
        self.handlers: list[Any] = []

    def add_on_prompt_handler(self, handler: Any) -> None:
        self.handlers.append(handler)

    def prompt(self, request: Any) -> Any:
        for handler in self.handlers:
            request = handler(request)
        return request


class Executor:
    """``execution.PromptExecutor`` of 2025-01: executes again what is in the history.

    The names of arguments are those of the real one.
    """

    def __init__(self, server: Server, base: Path, history: Mapping[str, Any]) -> None:
        self.server, self._base, self._history = server, base, history
        self.success = True
        self.status_messages: list[Any] = []
        self.history_result: dict[str, Any]

    def add_message(self, event: str, data: dict[str, Any], broadcast: bool) -> None:
        self.status_messages.append((event, {**data, "timestamp": 1795351591033}))

    def execute(self, prompt: Any, prompt_id: str, extra_data: Any, execute_outputs: Any) -> None:
        self._again(prompt_id)

    def _again(self, prompt_id: str) -> None:
        entry = self._history[prompt_id]
        self.status_messages = [tuple(item) for item in entry["status"]["messages"]]
        self.success = entry["status"]["completed"]
        write_outputs(self._base, entry)
        self.history_result = {"outputs": entry["outputs"], "meta": entry["meta"]}


class AsyncExecutor(Executor):
    """The same of 2025-10."""

    def execute(self, prompt: Any, prompt_id: str, extra_data: Any, execute_outputs: Any) -> None:
        raise AssertionError("ComfyUI calls it, and it calls the other")

    async def execute_async(self, prompt: Any, prompt_id: str, extra_data: Any, execute_outputs: Any) -> None:
        self._again(prompt_id)


EXECUTORS = {"0.3.13": Executor, "0.3.64": AsyncExecutor}


def stand_in(monkeypatch: pytest.MonkeyPatch, base: Path, version: str) -> dict[str, Any]:
    """Put modules in place that the hook takes for ComfyUI's, and return their content by names."""
    kinds = said(version, "object_info")
    # Apart from ours, each version has these folders; the others would be empty.
    models = {path.name: ([str(path)], {".safetensors"}) for path in (base / "models").iterdir()}
    Server.instance = Server()
    content: dict[str, dict[str, Any]] = {
        "execution": {"PromptExecutor": type("PromptExecutor", (EXECUTORS[version],), {})},
        "folder_paths": {
            "folder_names_and_paths": models,
            "get_input_directory": lambda: str(base / "input"),
            "get_output_directory": lambda: str(base / "output"),
            "get_temp_directory": lambda: str(base / "temp"),
        },
        "nodes": {"NODE_CLASS_MAPPINGS": {name: _node(kind) for name, kind in kinds.items()}},
        "server": {"PromptServer": Server},
        "comfyui_version": {"__version__": version},
    }
    for name, members in content.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    return {key: value for members in content.values() for key, value in members.items()}


def _node(kind: Mapping[str, Any]) -> type:
    members = {"RETURN_TYPES": tuple(kind["output"]), "CATEGORY": kind["category"]}
    if kind.get("api_node"):
        members["API_NODE"] = True
    return type(kind["name"], (), members)
