"""Reading a graph of ComfyUI: whatever a client sends, nothing is raised, and the record can be read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.spooled import read_spooled
from ledger.hooks import comfyui_run
from ledger.hooks.comfyui_graph import nodes_of, read_output
from ledger.hooks.rakkan_capture import now

TYPES = ("MODEL", "IMAGE", "LATENT", "MASK", "CONDITIONING", "CONTROL_NET", "VAE", "*")
NAMES = (
    *("seed", "strength", "strength_model", "lora_name", "lora_1", "text", "negative", "positive", "image"),
    *("model", "api_key", "sampler_name", "on", "wt_2", "", "\ud800"),
)
VALUES = (
    "a.safetensors",
    "plate.png",
    "../../plate.png [output]",
    "embedding:a",
    "x\x00.png",
    "\ud800",
    "long " * 40,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(VALUES) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)
ids = st.sampled_from(["1", "2", "3", "4", "5:6", "nowhere"])
links = st.tuples(ids | st.integers(0, 5), st.integers(-2, 5) | st.none()).map(list)
kinds_st = st.sampled_from(["A", "B", "C", "D"])
inputs = st.dictionaries(st.sampled_from(NAMES), anything | links, max_size=5)
nodes = st.fixed_dictionaries({"class_type": kinds_st | anything, "inputs": inputs | anything}) | anything
graphs = st.dictionaries(ids, nodes, max_size=6)
kind = st.fixed_dictionaries(
    {},
    optional={
        "output": st.lists(st.sampled_from(TYPES), max_size=3) | anything,
        "api_node": st.booleans() | anything,
        "category": st.just("api node/image/Acme") | anything,
    },
)
object_info = st.dictionaries(st.sampled_from(["A", "B", "C", "D"]), kind, max_size=4)


class EverythingIsThere:
    """Files: each text that looks like one is there."""

    def models(self, used_as: str, name: str) -> list[str]:
        return ["/models/" + used_as + "/a"] if name.endswith("a.safetensors") else []

    def media(self, name: str) -> str | None:
        return "/input/plate.png" if ".png" in name else None


@given(graphs | anything, object_info)
def test_any_graph_is_read(graph: object, told: Mapping[str, Any]) -> None:
    found = nodes_of(graph)
    for name in found:
        reading = read_output(found, name, lambda kind: told.get(kind, {}), EverythingIsThere())
        assert reading.action in {"generate", "edit", "composite"}
        assert len({path for path, _role in reading.inputs}) == len(reading.inputs)
        assert all(0 < len(text) <= 1024 for text in reading.parameters.values())


outputs = st.dictionaries(
    ids,
    st.dictionaries(
        st.sampled_from(["images", "gifs", "audio"]),
        st.lists(
            st.fixed_dictionaries(
                {"filename": st.sampled_from(["a.png", "../a.png", "..", ""]) | anything},
                optional={"subfolder": st.sampled_from(["", "..", "/etc", "."]) | anything, "type": anything},
            )
            | anything,
            max_size=3,
        )
        | anything,
        max_size=2,
    )
    | anything,
    max_size=4,
)
times = st.fixed_dictionaries({"timestamp": st.integers(-1, 1 << 70) | anything})
messages = st.lists(
    st.tuples(
        st.sampled_from(["execution_start", "execution_cached", "execution_error", "execution_interrupted"]),
        times
        | st.fixed_dictionaries(
            {"nodes": st.lists(ids) | anything, "node_id": anything, "executed": anything}
        ),
    ).map(list)
    | anything,
    max_size=4,
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "prompt": st.tuples(st.just(0), anything, graphs | anything, anything, st.lists(ids) | anything).map(
            list
        )
        | anything,
        "outputs": outputs | anything,
        "meta": st.dictionaries(ids, st.dictionaries(st.just("display_node"), ids | anything)) | anything,
        "status": st.fixed_dictionaries({"messages": messages | anything}) | anything,
    },
)


@settings(deadline=None)
@given(entries, object_info)
def test_any_history_gives_records_that_can_be_read(
    entry: Mapping[str, Any], told: Mapping[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as base:
        folder = base + "/output"
        for path in (base, folder):
            Path(path).mkdir(exist_ok=True)
            Path(path, "a.png").write_text("a", encoding="ascii")
        at = comfyui_run.Installation(
            lambda name: told.get(name, {}), comfyui_run.Folders({"loras": [base]}, base, folder), "1"
        )
        for record in comfyui_run.records(entry, at, "watch"):
            whole = {"rakkan": 1, "captured": now(), **record}
            read = read_spooled(json.dumps(whole).encode())
            assert all(item.path.startswith(folder) for item in read.outputs)
            assert all(text.encode() for text in read.secrets.values())
