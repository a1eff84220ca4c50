"""ComfyUI: ``prompt`` is the graph as it was run, ``workflow`` the graph as it was drawn.

* Where both are there, the run counts; the drawing then only tells how much of it was switched off.
* Of a run, the nodes that lead to an output count: a loader that hangs in the air loaded nothing.
* Of a drawing, nodes that are bypassed (mode 4) or muted (mode 2) do not count.
* The graph has file names and no hashes; a name says nothing about the bytes.
* WebP and JPEG carry the same texts in EXIF as ``prompt:{…}``; films in their tags, or both in one
  ``comment``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ledger.adapters.said.draft import Draft, Text, Texts, items, line, loose_object, members
from ledger.core.predicates.step import Evidence
from ledger.core.said import ClaimKind, PromptRole

MAX_NODES = 5000

_FILES = {
    "ckpt_name": ClaimKind.CHECKPOINT,
    "base_ckpt_name": ClaimKind.CHECKPOINT,
    "unet_name": ClaimKind.CHECKPOINT,
    "lora_name": ClaimKind.LORA,
    "vae_name": ClaimKind.VAE,
    "control_net_name": ClaimKind.CONTROLNET,
    "ipadapter_file": ClaimKind.ADAPTER,
    "style_model_name": ClaimKind.ADAPTER,
    "photomaker_model_name": ClaimKind.ADAPTER,
    "gligen_name": ClaimKind.ADAPTER,
    "hypernetwork_name": ClaimKind.HYPERNETWORK,
    **dict.fromkeys(("clip_name", "clip_name1", "clip_name2", "clip_name3"), ClaimKind.TEXT_ENCODER),
}
"""What a loader's input of this name holds."""
_DRAWN = {
    "CheckpointLoaderSimple": ("ckpt_name",),
    "CheckpointLoader": ("", "ckpt_name"),
    "UNETLoader": ("unet_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "VAELoader": ("vae_name",),
    "ControlNetLoader": ("control_net_name",),
    "CLIPLoader": ("clip_name",),
    "DualCLIPLoader": ("clip_name1", "clip_name2"),
    "UpscaleModelLoader": ("model_name",),
    "CLIPTextEncode": ("text",),
    "LoadImage": ("image",),
}
"""A drawing lists the values of a node without their names: these are the names, in order."""
_NUMBERED = re.compile(r"lora_name_?([0-9]{1,2})")
_OUTPUT = re.compile(r"save|preview|combine|export|output|write|send", re.IGNORECASE)
_LOADED = re.compile(r"load.*(image|video|mask)", re.IGNORECASE)
_TEXTS = ("text", "text_g", "text_l", "t5xxl", "clip_l", "prompt", "string", "value", "positive", "negative")
_EMBEDDING = re.compile(r"embedding:([\w.\-/\\]{1,200})")
_SETTINGS = ("seed", "noise_seed", "steps", "cfg", "sampler_name", "scheduler", "denoise", "guidance")
_SIZES = ("width", "height", "length", "batch_size", "fps", "frame_rate")
_OFF = frozenset((2, 4))

Graph = dict[str, dict[str, Any]]


def read(texts: Texts) -> Iterator[Draft]:
    """Yield an account of the run, or of the drawing where no run is there."""
    found = list(_graphs(texts))
    runs = [(text, graph) for text, name, graph in found if name == "prompt" and _is_run(graph)]
    drawings = [(text, graph) for text, name, graph in found if name == "workflow" and "nodes" in graph]
    for text, graph in runs:
        draft = Draft("comfyui", text.place, Evidence.INFERRED)
        draft.tool("ComfyUI")
        _take_run(draft, {str(key): members(node) for key, node in list(graph.items())[:MAX_NODES]})
        for _, drawing in drawings:
            if off := sum(node.get("mode") in _OFF for node in _drawn_nodes(drawing)):
                draft.notes.add(f"{off} nodes of the workflow were switched off and are not counted")
        yield draft
    if not runs:
        for text, drawing in drawings:
            draft = Draft("comfyui", text.place, Evidence.INFERRED)
            draft.tool("ComfyUI", members(drawing.get("extra")).get("frontendVersion"))
            _take_drawing(draft, drawing)
            yield draft


def _graphs(texts: Texts) -> Iterator[tuple[Text, str, dict[str, Any]]]:
    for text in texts:
        key = text.key.lower()
        if key in ("prompt", "workflow"):
            yield text, key, loose_object(text.text)
        elif key == "comment":
            both = loose_object(text.text)
            for name in ("prompt", "workflow"):
                inner = both.get(name)
                yield text, name, loose_object(inner) if isinstance(inner, str) else members(inner)
        else:
            name, colon, _ = text.text[:20].partition(":")
            if colon and name.lower() in ("prompt", "workflow"):
                yield text, name.lower(), loose_object(text.text[len(name) + 1 :].strip())


def _is_run(graph: dict[str, Any]) -> bool:
    return any("class_type" in members(node) for node in graph.values())


def _take_run(draft: Draft, graph: Graph) -> None:
    counted = _counted(graph)
    if len(counted) < len(graph):
        draft.notes.add(f"{len(graph) - len(counted)} nodes lead to no output and are not counted")
    roles = _roles(graph, counted)
    for key in graph:
        if key in counted:
            node = graph[key]
            _take_node(draft, key, str(node.get("class_type")), members(node.get("inputs")))
            _take_texts(draft, members(node.get("inputs")), roles.get(key, PromptRole.UNKNOWN))


def _take_node(draft: Draft, key: str, kind: str, inputs: dict[str, Any]) -> None:
    for name, value in inputs.items():
        if name in _FILES:
            strength = _strongest(inputs.get("strength_model"), inputs.get("strength_clip"))
            draft.model(value, _FILES[name], (), strength if name == "lora_name" else None)
        elif match := _NUMBERED.fullmatch(name):
            _take_stacked(draft, value, match[1], inputs)
        elif name.lower().startswith("lora_") and "lora" in members(value):
            if value.get("on") is not False:
                draft.model(value["lora"], ClaimKind.LORA, (), value.get("strength"))
        elif name == "model_name" and "upscale" in kind.lower():
            draft.model(value, ClaimKind.UPSCALER)
        elif name in ("image", "video", "file") and _LOADED.search(kind):
            draft.derived_from(value)
        elif name in _SETTINGS or name in _SIZES:
            draft.parameters.put(f"{name} ({kind} {key})", value)


def _take_stacked(draft: Draft, value: object, number: str, inputs: dict[str, Any]) -> None:
    """Take one LoRA of a node that stacks several, each with a switch and strengths of its number."""
    if str(inputs.get(f"switch_{number}", "On")).lower() == "off":
        return
    for name in ("lora_wt", "model_weight", "model_str", "strength"):
        if f"{name}_{number}" in inputs:
            draft.model(value, ClaimKind.LORA, (), inputs[f"{name}_{number}"])
            return
    draft.model(value, ClaimKind.LORA)


def _strongest(*strengths: object) -> object:
    """Return the strength that counts: a LoRA that acts on one of two models acts."""
    given = [item for item in strengths if isinstance(item, str | int) and not isinstance(item, bool)]
    return next((item for item in given if str(item).strip("-0.")), given[0] if given else None)


def _take_texts(draft: Draft, inputs: dict[str, Any], role: PromptRole) -> None:
    for name in _TEXTS:
        value = inputs.get(name)
        if not isinstance(value, str):
            continue
        own = PromptRole(name) if name in ("positive", "negative") else role
        if name in ("string", "value") and own is PromptRole.UNKNOWN:
            continue  # a constant that leads to no prompt: a path, a number
        draft.prompt(own, value)
        for embedding in _EMBEDDING.findall(value[:MAX_NODES]):
            draft.model(embedding, ClaimKind.EMBEDDING)


def _links(inputs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name of each input that is another node's output, and that node's key."""
    for name, value in inputs.items():
        if isinstance(value, list) and len(value) == 2 and isinstance(value[1], int):
            yield name, str(line(value[0]))


def _counted(graph: Graph) -> set[str]:
    """Return the nodes that lead to an output; every node where none looks like one."""
    used = {key for node in graph.values() for _, key in _links(members(node.get("inputs")))}
    ends = [key for key in graph if key not in used]
    outputs = [key for key in ends if _OUTPUT.search(str(graph[key].get("class_type")))]
    counted, waiting = set(), outputs or ends or list(graph)
    while waiting:
        key = waiting.pop()
        if key in graph and key not in counted:
            counted.add(key)
            waiting += [source for _, source in _links(members(graph[key].get("inputs")))]
    return counted


def _roles(graph: Graph, counted: set[str]) -> dict[str, PromptRole]:
    """Return which nodes lead into a ``positive`` or a ``negative`` input. Into both: positive."""
    roles: dict[str, PromptRole] = {}
    for role in (PromptRole.NEGATIVE, PromptRole.POSITIVE):
        waiting = [
            source
            for key in counted
            for name, source in _links(members(graph[key].get("inputs")))
            if name == role.value
        ]
        seen: set[str] = set()
        while waiting:
            key = waiting.pop()
            if key not in graph or key in seen:
                continue
            seen.add(key)
            links = dict(_links(members(graph[key].get("inputs"))))
            # A node that takes both passes each on: only its own side is followed.
            both = "positive" in links and "negative" in links
            waiting += [links[role.value]] if both else links.values()
        roles |= dict.fromkeys(seen, role)
    return roles


def _drawn_nodes(drawing: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of the drawing and of the sub-graphs that it defines."""
    subgraphs = items(members(drawing.get("definitions")).get("subgraphs"))
    for graph in (drawing, *map(members, subgraphs)):
        nodes = graph.get("nodes")
        yield from map(members, nodes[:MAX_NODES] if isinstance(nodes, list) else [])


def _take_drawing(draft: Draft, drawing: dict[str, Any]) -> None:
    off = 0
    for node in _drawn_nodes(drawing):
        if node.get("mode") in _OFF:
            off += 1
            continue
        kind, values = str(node.get("type")), node.get("widgets_values")
        names = _DRAWN.get(kind, ())
        inputs = dict(zip(names, items(values), strict=False)) if names else members(values)
        _take_node(draft, str(line(node.get("id"))), kind, inputs)
        _take_texts(draft, inputs, PromptRole.UNKNOWN)
        for item in [] if names else items(values):
            if "lora" in members(item) and item.get("on") is not False:  # rgthree's Power Lora Loader
                draft.model(item["lora"], ClaimKind.LORA, (), item.get("strength"))
    if off:
        draft.notes.add(f"{off} nodes are switched off and are not counted")
