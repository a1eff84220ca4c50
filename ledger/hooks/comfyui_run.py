"""From one run of ComfyUI, as its ``/history`` tells of it, to records: one for each node that wrote files.

What a node had in ComfyUI's cache was not written now, so a prompt that ran before gives no second record.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from . import rakkan_capture
from .comfyui_graph import (
    Kinds,
    Node,
    Reading,
    is_remote,
    nodes_of,
    printable,
    read_output,
    service_of,
    upstream,
)

MEDIA_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".tga", ".psd", ".svg"),
    *(".exr", ".hdr", ".dpx", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mxf"),
    *(
        ".wav",
        ".mp3",
        ".flac",
        ".ogg",
        ".opus",
        ".m4a",
        ".aac",
        ".glb",
        ".gltf",
        ".obj",
        ".ply",
        ".fbx",
        ".stl",
    ),
)
NO_MODELS = frozenset(("custom_nodes", "configs"))
OTHER_NAMES = {
    "checkpoints": "ckpt",
    "diffusion_models": "unet",
    "text_encoders": "clip",
    "embeddings": "embedding",
}
"""What nodes call the files of a folder where they do not call them by its name."""
MAX_SECRET = 1 << 20
HASHED = 8
"""Outputs of a node that are hashed at once: ComfyUI waits for it. The agent hashes the others."""
HOOK = {"name": "comfyui", "version": "1"}
_IDS = uuid.UUID("6f0c1bb6-1f0f-5c1e-9d0e-1d2b2c6f6a54")
_KEYS = re.compile(r"api_?key|token|password|secret|credential", re.IGNORECASE)


class Folders:
    """The folders of one ComfyUI: of its models by the names that it gives them, its inputs, its outputs."""

    def __init__(self, models: Mapping[str, Sequence[str]], inputs: str, output: str, temp: str = "") -> None:
        self._models = {name: list(paths) for name, paths in models.items() if name not in NO_MODELS}
        self._media = {"": inputs, "input": inputs, "output": output, "temp": temp}
        self.output = output

    def models(self, used_as: str, name: str) -> list[str]:
        """Return the paths of the model files of this name.

        A name that stands in several folders is of the folder that ``used_as`` speaks of; else all count.
        """
        endings = (".safetensors", ".pt", ".bin", "") if used_as == "embedding" else ("",)
        if not _is_name(name) or not (used_as == "embedding" or os.path.splitext(name)[1]):
            return []
        found: dict[str, str] = {}
        for folder, paths in self._models.items():
            for ending in endings:
                path = _first_file(paths, name + ending)
                if path:
                    found.setdefault(path, folder)
        meant = [path for path, folder in found.items() if _speaks_of(used_as, folder)]
        return meant or list(found)

    def media(self, name: str) -> str | None:
        """Return the path of a picture, film or sound, read as ComfyUI reads ``plate.png [output]``."""
        marked = re.fullmatch(r"(.*) \[(input|output|temp)\]", name)
        name, kind = (marked.group(1), marked.group(2)) if marked else (name, "")
        if not _is_name(name) or not name.lower().endswith(MEDIA_ENDINGS):
            return None
        path = os.path.normpath(os.path.join(self._media[kind], name))
        return path if os.path.isabs(path) and os.path.isfile(path) else None


class Installation(NamedTuple):
    """A ComfyUI: what it says of its node classes, its folders, its version."""

    kinds: Kinds
    folders: Folders
    version: str


class _Run:
    """One entry of the history, read without trust: what is not as it should be counts as absent."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        given = [*_sequence(entry.get("prompt")), None, None, None, None, None]
        self.id, self.graph, self.extra, self.targets = str(given[1]), given[2], given[3], given[4]
        self.nodes = nodes_of(self.graph)
        self.outputs, self.meta = _mapping(entry.get("outputs")), _mapping(entry.get("meta"))
        said = [_sequence(item) for item in _sequence(_mapping(entry.get("status")).get("messages"))]
        self.messages = {str(item[0]): _mapping(item[1]) for item in said if len(item) == 2}
        self.cached = {str(name) for name in _sequence(self._say("execution_cached", "nodes"))}
        times = [item.get("timestamp") for item in self.messages.values()]
        self.times = sorted(item for item in times if isinstance(item, int) and 0 < item < 1 << 42)

    @property
    def failed(self) -> str | None:
        if "execution_interrupted" in self.messages:
            return "interrupted"
        return printable(str(self._say("execution_error", "exception_type"))) if self._ended_badly() else None

    @property
    def step(self) -> str | None:
        """The id that the hook let travel in the files."""
        told = _mapping(_mapping(_mapping(self.extra).get("extra_pnginfo")).get("rakkan")).get("step")
        return printable(told) if isinstance(told, str) else None

    def node(self, name: str) -> Node | None:
        """Return the node of the graph that an output is of: a node may run as several."""
        told = _mapping(self.meta.get(name))
        names = (name, *(str(told.get(key)) for key in ("real_node_id", "display_node", "parent_node")))
        return next((self.nodes[each] for each in names if each in self.nodes), None)

    def ran(self, name: str) -> bool:
        """Whether the node ran now, as far as one can tell."""
        if not self._ended_badly():
            return name not in self.cached
        ended = self.messages.get("execution_error") or self.messages.get("execution_interrupted") or {}
        return name in {str(each) for each in (*_sequence(ended.get("executed")), ended.get("node_id"))}

    def _ended_badly(self) -> bool:
        return bool({"execution_error", "execution_interrupted"} & self.messages.keys())

    def _say(self, message: str, key: str) -> Any:
        return self.messages.get(message, {}).get(key)


def records(entry: Mapping[str, Any], at: Installation, layer: str) -> Iterator[dict[str, Any]]:
    """Yield a record for each node that wrote files in this run.

    Remote nodes that ran for nothing that was written give one each, too: what left the studio is on record.
    """
    run = _Run(entry)
    recorded: set[str] = set()
    for name, ui in run.outputs.items():
        node, paths = run.node(str(name)), list(_written(ui, at.folders.output))
        if node is None or not paths or not {str(name), node.id}.isdisjoint(run.cached):
            continue
        reading = read_output(run.nodes, node.id, at.kinds, at.folders)
        recorded.update(remote.id for remote in reading.remote)
        yield _record(run, str(name), reading, paths, at) | {"layer": layer}
    asked = {
        name: None
        for target in map(str, _sequence(run.targets))
        if target in run.nodes
        for name in upstream(run.nodes, target, at.kinds)
    }
    for name in asked:
        if name not in recorded and is_remote(at.kinds(run.nodes[name].kind)) and run.ran(name):
            reading = read_output(run.nodes, name, at.kinds, at.folders)
            yield _record(run, name, reading, [], at) | {"layer": layer}


def _record(run: _Run, name: str, reading: Reading, paths: list[str], at: Installation) -> dict[str, Any]:
    parameters = {**reading.parameters, "promptId": printable(run.id)}
    if run.step:
        parameters["step"] = run.step
    if reading.missing:
        parameters["missingModels"] = printable(", ".join(reading.missing))
    if reading.remote:
        parameters["remoteNodes"] = printable(
            ", ".join(f"{node.kind} ({node.id})" for node in reading.remote)
        )
    secrets = {"prompt": reading.prompt, "negativePrompt": reading.negative, "workflow": _workflow(run.graph)}
    nearest = next(iter(reading.remote), None)
    times: list[str | None] = [_time(each) for each in run.times]
    times = times or [None]
    return {
        "id": str(uuid.uuid5(_IDS, "%s/%s/%s" % (run.id, name, times[0]))),
        "hook": HOOK,
        "action": reading.action,
        "tool": {"name": "ComfyUI", "version": at.version},
        "started": times[0],
        "finished": times[-1],
        "outputs": list(_outputs(paths)),
        "inputs": [rakkan_capture.file(path, role) for path, role in reading.inputs if path not in paths],
        "service": service_of(nearest, at.kinds(nearest.kind)) if nearest else None,
        "parameters": parameters,
        "secrets": {key: _confidential(text) for key, text in secrets.items() if text},
        "failed": run.failed,
    }


def _outputs(paths: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the files as records have them; the first ones hashed, which tells a later change for certain."""
    for count, path in enumerate(paths):
        found = rakkan_capture.file(path, None if count < HASHED else "component")
        yield {name: value for name, value in found.items() if name != "role"}


def _written(ui: object, folder: str) -> Iterator[str]:
    """Yield the files in what a node reported, under whatever key; previews are none."""
    seen = set()
    for items in _mapping(ui).values():
        for item in map(_mapping, _sequence(items)):
            name, below = item.get("filename"), item.get("subfolder") or ""
            if not (isinstance(name, str) and isinstance(below, str) and _is_name(name + below)):
                continue
            path = os.path.normpath(os.path.join(folder, below, name))
            kept = item.get("type", "output") == "output" and rakkan_capture.is_under(path, folder)
            if kept and path not in seen and os.path.isfile(path):
                seen.add(path)
                yield path


def _workflow(graph: object) -> str:
    """Return the graph as its client sent it, as JSON; keys and passwords in it are left out.

    Returns an empty text for what cannot be written down, such as a thousand lists in each other.
    """
    with contextlib.suppress(RecursionError, TypeError, ValueError):
        return json.dumps(_without_keys(graph), ensure_ascii=False, sort_keys=True)
    return ""


def _without_keys(graph: object) -> object:
    if isinstance(graph, Mapping):
        return {
            str(name): "(removed)"
            if isinstance(value, str) and _KEYS.search(str(name))
            else _without_keys(value)
            for name, value in graph.items()
            if name != "is_changed"  # ComfyUI's own note, in the graph that it executes
        }
    return [_without_keys(item) for item in graph] if isinstance(graph, (list, tuple)) else graph


def _confidential(text: str) -> str:
    """Return the text in valid UTF-8; one that no record has room for stands by its digest."""
    data = text.encode("utf-8", "replace")
    return data.decode() if len(data) <= MAX_SECRET else "sha256:" + hashlib.sha256(data).hexdigest()


def _first_file(folders: Sequence[str], name: str) -> str | None:
    """Return the first file of this name, as ComfyUI looks for it: a name cannot lead out of the folder."""
    inside = os.path.relpath(os.path.join("/", name), "/")
    paths = (os.path.join(folder, inside) for folder in folders)
    return next((os.path.abspath(path) for path in paths if os.path.isfile(path)), None)


def _speaks_of(used_as: str, folder: str) -> bool:
    plain = used_as.lower().replace("_", "")
    return OTHER_NAMES.get(folder, folder.rstrip("s")).replace("_", "") in plain


def _is_name(text: str) -> bool:
    return 0 < len(text) < 1024 and "\x00" not in text and "\n" not in text


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()
