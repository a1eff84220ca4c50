"""What went into one output of ComfyUI, read from the graph that was executed. No ComfyUI, no disk.

* Everything upstream of the output counts, whether it ran or came from ComfyUI's cache; nothing else does.
* No list of node classes: models are the texts that name files of the model folders, and what a picture was
  for is told by the types of the links it runs through.
* A node whose strengths are all zero does nothing: its files do not count, nor what it alone would use.
* A graph is what some client sent. Nothing in it makes this raise: what has no meaning is passed over.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

Kinds = Callable[[str], Mapping[str, Any]]
"""What ``/object_info`` says of a node class (``output``, ``api_node``, ``category``); ``{}`` if unknown."""

MODEL_ENDINGS = (".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".pkl", ".gguf", ".onnx")
CONTENT = frozenset(("IMAGE", "LATENT", "VIDEO", "AUDIO", "MESH"))
ROLES = ("parent", "inpaint", "control", "reference")
"""The ways in which a picture leads to an output, strongest first; ``component`` comes of several parents."""
MAX_TEXT = 1024
"""Characters of a parameter."""

_NUMBERS = re.compile(
    r"(noise_)?seed|steps|cfg|guidance|denoise|width|height|batch_size|length|fps|frame_rate|shift|scale_by"
    r"|(start|end)_(percent|at_step)|(.*_)?strength(_.*)?|weight"
)
_CHOICES = frozenset(("sampler_name", "scheduler"))
_STRENGTH = re.compile(r"(^|_)(strength|weight|wt|str)(_|\d|$)")
_TEXT = re.compile(r"text|prompt|string|positive|negative|caption|lyrics|tags|clip_[lg]|t5xxl", re.IGNORECASE)
_NEGATIVE = re.compile(r"negative|uncond", re.IGNORECASE)
_LONG = 80
_EMBEDDING = re.compile(r"embedding:([^\s,()\[\]:<>]+)")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Files(Protocol):
    """Where names in a graph lead to on this machine."""

    def models(self, used_as: str, name: str) -> list[str]:
        """Return the paths of the model files of this name; ``used_as`` is the input that names it."""

    def media(self, name: str) -> str | None:
        """Return the path of the picture, film or sound of this name, if there is one."""


class Node(NamedTuple):
    """A node: its id, its class, its inputs (links and values)."""

    id: str
    kind: str
    inputs: Mapping[str, Any]


class Reading(NamedTuple):
    """What went into one output. ``missing`` are names (never paths) of files that were not found."""

    remote: tuple[Node, ...]
    inputs: tuple[tuple[str, str], ...]
    """Paths with roles."""
    missing: tuple[str, ...]
    prompt: str
    negative: str
    parameters: Mapping[str, str]

    @property
    def action(self) -> str:
        """What kind of step this was: ``generate``, ``edit`` or ``composite``."""
        roles = {role for _path, role in self.inputs}
        if "component" in roles:
            return "composite"
        return "edit" if roles & {"parent", "inpaint"} else "generate"


def nodes_of(graph: object) -> dict[str, Node]:
    """Return the nodes of a graph in API format by their ids."""
    if not isinstance(graph, Mapping):
        return {}
    found = {}
    for name, node in graph.items():
        if isinstance(node, Mapping):
            inputs = node.get("inputs")
            found[str(name)] = Node(
                str(name), str(node.get("class_type")), inputs if isinstance(inputs, Mapping) else {}
            )
    return found


def upstream(
    nodes: Mapping[str, Node], start: str, kinds: Kinds, *, negative: bool = True
) -> dict[str, set[str]]:
    """Return the ids of all nodes that lead to ``start``, the nearest first, each with the ways it does.

    Without ``negative``, what only says what should not come out is left away.
    """
    found = {start: {"parent"}}
    queue = deque([(start, "parent")])
    while queue:
        at, way = queue.popleft()
        links = list(_links(nodes, nodes[at], kinds))
        into, out = {kind for _name, _source, kind in links}, _outputs(kinds(nodes[at].kind))
        for name, source, kind in links:
            if not negative and _NEGATIVE.search(name):
                continue
            leads = _way(way, kind, into, out)
            if leads not in found.setdefault(source, set()):
                found[source].add(leads)
                queue.append((source, leads))
    return found


def read_output(nodes: Mapping[str, Node], start: str, kinds: Kinds, files: Files) -> Reading:
    """Return what went into the output of the node ``start``, which is one of the nodes."""
    ways = upstream(nodes, start, kinds)
    wanted = upstream(nodes, start, kinds, negative=False)
    inputs: dict[str, str] = {}
    missing: list[str] = []
    texts: dict[bool, list[str]] = {False: [], True: []}
    for node in (nodes[name] for name in ways):
        for name, text in _texts(node):
            found = dict.fromkeys(files.models(name, text), "model")
            if not found and node.id != start and (path := files.media(text)):
                found[path] = next(role for role in ROLES if role in ways[node.id])
            if not found and text.lower().endswith(MODEL_ENDINGS):
                missing.append(printable(re.split(r"[/\\]", text)[-1]))
            elif not found and (_TEXT.search(name) or (len(text) > _LONG and " " in text)):
                texts[node.id not in wanted or bool(_NEGATIVE.search(name))].append(text)
                found = dict.fromkeys(_embeddings(text, files), "model")
            for path, role in found.items():
                inputs[path] = min(role, inputs.get(path, role), key=_rank)
    leading = tuple(nodes[name] for name in ways)
    return Reading(
        tuple(node for node in leading if is_remote(kinds(node.kind))),
        tuple(_several_are_components(inputs)),
        tuple(dict.fromkeys(missing)),
        "\n".join(texts[False]),
        "\n".join(texts[True]),
        _parameters(leading),
    )


def is_remote(kind: Mapping[str, Any]) -> bool:
    """Whether nodes of this class send what they get to somebody else's service."""
    return kind.get("api_node") is True or str(kind.get("category")).startswith("api node")


def service_of(node: Node, kind: Mapping[str, Any]) -> dict[str, str]:
    """Return the service behind a remote node as records name it: by the last word of its category."""
    vendor = str(kind.get("category") or "unknown").rsplit("/", 1)[-1]
    model = node.inputs.get("model", node.inputs.get("model_name"))
    snapshot = {"snapshot": printable(model)} if isinstance(model, str) and model else {}
    return {"vendor": printable(vendor), "product": printable(node.kind.replace("/", "-")), **snapshot}


def printable(text: str) -> str:
    """Return the text as a parameter can hold it: 1 to 1,024 characters, ``?`` for those without a shape."""
    return _HIDDEN.sub("?", text)[:MAX_TEXT] or "?"


def _way(way: str, kind: str, into: set[str], out: list[str]) -> str:
    """Return how a link of this kind leads to the output, if the node it goes into leads there by ``way``."""
    if way == "control" or kind == "MASK":
        return "control"
    if way == "reference":
        return "control" if kind in CONTENT and "CONTROL_NET" in into else "reference"
    if kind not in CONTENT and kind != "*":
        return "reference"
    return "inpaint" if way == "inpaint" or ("MASK" in into and "LATENT" in out) else "parent"


def _links(nodes: Mapping[str, Node], node: Node, kinds: Kinds) -> Iterator[tuple[str, str, str]]:
    """Yield the links that the node makes use of: name, the node it comes from, type (``*`` if unknown)."""
    idle, passed = _is_off(node.inputs), _outputs(kinds(node.kind))
    for name, value in node.inputs.items():
        if not (isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[0], (str, int))):
            continue
        source, slot = nodes.get(str(value[0])), value[1]
        if source is None or not isinstance(slot, int):
            continue
        types = _outputs(kinds(source.kind))
        kind = types[slot] if 0 <= slot < len(types) else "*"
        if not idle or not passed or kind in passed:
            yield str(name), source.id, kind


def _outputs(kind: Mapping[str, Any]) -> list[str]:
    """Return the types of what nodes of a class give."""
    types = kind.get("output")
    return [item if isinstance(item, str) else "*" for item in types] if isinstance(types, Iterable) else []


def _texts(node: Node) -> Iterator[tuple[str, str]]:
    """Yield the texts among the node's values; those in an object (a row of a list of LoRAs) as well."""
    for name, value in node.inputs.items():
        is_row = isinstance(value, Mapping)
        row = value if is_row else {name: value}
        if row.get("on") is False or (_is_off(row) if is_row else _is_off(node.inputs, str(name))):
            continue
        yield from ((str(name), text) for name, text in row.items() if isinstance(text, str) and text)


def _is_off(values: Mapping[str, Any], name: str = "") -> bool:
    """Whether strengths are given, and all are zero: of those with the same number, if the name has one."""
    number = name[len(name.rstrip("0123456789")) :]
    strengths = [
        value
        for key, value in values.items()
        if _is_number(value) and _STRENGTH.search(str(key)) and str(key).endswith(number)
    ]
    return bool(strengths) and not any(strengths)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _embeddings(text: str, files: Files) -> Iterator[str]:
    for name in dict.fromkeys(_EMBEDDING.findall(text)):
        yield from files.models("embedding", name)


def _rank(role: str) -> int:
    return ("model", *ROLES).index(role)


def _several_are_components(inputs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield paths with roles; where several pictures are seen in the output, none is its earlier version."""
    several = sum(role == "parent" for role in inputs.values()) > 1
    for path, role in inputs.items():
        yield path, "component" if several and role == "parent" else role


def _parameters(nodes: Iterable[Node]) -> dict[str, str]:
    """Return numbers and choices that anybody may read; those of several nodes in one text, with commas."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        for name, value in node.inputs.items():
            if (_is_number(value) and _NUMBERS.fullmatch(str(name))) or (
                isinstance(value, str) and name in _CHOICES
            ):
                found.setdefault(str(name), []).append(str(value))
    return {name: printable(", ".join(values)) for name, values in found.items()}
