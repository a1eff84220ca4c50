"""What went into an output of ComfyUI: roles by the way of pictures through the graph, and wrong graphs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ledger.hooks import comfyui_run
from ledger.hooks.comfyui_graph import Node, Reading, is_remote, nodes_of, read_output, service_of
from tests.support import comfyui

KINDS: dict[str, dict[str, Any]] = {
    "Load": {"output": ["IMAGE", "MASK"]},
    "Models": {"output": ["MODEL", "CLIP", "VAE"]},
    "Lora": {"output": ["MODEL", "CLIP"]},
    "Control": {"output": ["CONTROL_NET"]},
    "Apply": {"output": ["CONDITIONING", "CONDITIONING"]},
    "Text": {"output": ["CONDITIONING"]},
    "Vision": {"output": ["CLIP_VISION_OUTPUT"]},
    "Encode": {"output": ["LATENT"]},
    "Inpaint": {"output": ["CONDITIONING", "CONDITIONING", "LATENT"]},
    "Sample": {"output": ["LATENT"]},
    "Decode": {"output": ["IMAGE"]},
    "Blend": {"output": ["IMAGE"]},
    "Save": {"output": []},
}
SAMPLED: dict[str, Any] = {
    "save": ("Save", {"images": ["decode", 0]}),
    "decode": ("Decode", {"samples": ["sample", 0], "vae": ["models", 2]}),
    "models": ("Models", {"ckpt_name": "base.safetensors"}),
    "a": ("Load", {"image": "a.png"}),
    "b": ("Load", {"image": "b.png"}),
}


class Files:
    """What is there: every name but those that say that they are missing."""

    def models(self, used_as: str, name: str) -> list[str]:
        found = name.endswith(".safetensors") or used_as == "embedding"
        return ["/m/" + name] if found and "missing" not in name else []

    def media(self, name: str) -> str | None:
        return "/i/" + name if name.endswith(".png") else None


def read(graph: Mapping[str, Any], start: str = "save") -> Reading:
    nodes = nodes_of({name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in graph.items()})
    return read_output(nodes, start, lambda kind: KINDS.get(kind, {}), Files())


def roles(**more: tuple[str, dict[str, Any]]) -> dict[str, str]:
    found = read(SAMPLED | more).inputs
    return {path.removeprefix("/i/"): role for path, role in found if role != "model"}


def models(graph: Mapping[str, Any]) -> set[str]:
    return {path.removeprefix("/m/") for path, role in read(graph).inputs if role == "model"}


def test_a_picture_that_is_encoded_and_sampled_is_the_parent() -> None:
    encode = ("Encode", {"pixels": ["a", 0], "vae": ["models", 2]})
    assert roles(encode=encode, sample=("Sample", {"latent_image": ["encode", 0]})) == {"a.png": "parent"}


def test_a_picture_under_a_mask_is_painted_over_and_the_mask_steers() -> None:
    inpaint = ("Inpaint", {"pixels": ["a", 0], "mask": ["b", 1]})
    sample = ("Sample", {"positive": ["inpaint", 0], "latent_image": ["inpaint", 2]})
    assert roles(inpaint=inpaint, sample=sample) == {"a.png": "inpaint", "b.png": "control"}


def test_a_picture_for_a_control_net_steers_also_through_a_preprocessor() -> None:
    net = ("Control", {"control_net_name": "net.safetensors"})
    lines = ("Blend", {"image": ["a", 0]})
    apply = (
        "Apply",
        {"positive": ["text", 0], "control_net": ["net", 0], "image": ["lines", 0], "strength": 1},
    )
    sample = ("Sample", {"positive": ["apply", 0]})
    text = ("Text", {"text": "a harbour"})
    assert roles(net=net, lines=lines, apply=apply, sample=sample, text=text) == {"a.png": "control"}


def test_a_picture_that_is_only_looked_at_is_a_reference() -> None:
    vision = ("Vision", {"image": ["a", 0]})
    apply = ("Apply", {"clip_vision_output": ["vision", 0]})
    sample = ("Sample", {"positive": ["apply", 0]})
    assert roles(vision=vision, apply=apply, sample=sample) == {"a.png": "reference"}


def test_several_pictures_that_are_seen_are_components() -> None:
    blend = ("Blend", {"one": ["a", 0], "two": ["b", 0]})
    found = read(SAMPLED | {"save": ("Save", {"images": ["blend", 0]}), "blend": blend})
    assert dict(found.inputs) == {"/i/a.png": "component", "/i/b.png": "component"}
    assert found.action == "composite"


def test_one_picture_in_two_roles_has_the_stronger_one() -> None:
    encode = ("Encode", {"pixels": ["a", 0]})
    vision = ("Vision", {"image": ["a", 0]})
    sample = ("Sample", {"positive": ["vision", 0], "latent_image": ["encode", 0]})
    assert roles(encode=encode, vision=vision, sample=sample) == {"a.png": "parent"}


def test_what_a_node_of_an_unknown_class_passes_on_counts_as_seen() -> None:
    unknown = ("NeverHeardOf", {"anything": ["a", 0]})
    assert roles(unknown=unknown, sample=("Sample", {"latent_image": ["unknown", 0]})) == {"a.png": "parent"}


def test_what_does_not_lead_to_the_output_is_not_in_it() -> None:
    graph = SAMPLED | {
        "sample": ("Sample", {"model": ["models", 0]}),
        "lora": ("Lora", {"model": ["models", 0], "lora_name": "unused.safetensors", "strength_model": 1}),
        "other": ("Save", {"images": ["a", 0]}),
    }
    assert models(graph) == {"base.safetensors"}
    assert dict(read(graph, "other").inputs) == {"/i/a.png": "parent"}


@pytest.mark.parametrize(
    ("inputs", "counts"),
    [
        ({"lora_name": "x.safetensors", "strength_model": 0.0, "strength_clip": 0}, False),
        ({"lora_name": "x.safetensors", "strength_model": 0.0, "strength_clip": 0.5}, True),
        ({"lora_name": "x.safetensors", "strength_model": -0.5}, True),
        ({"lora_name": "x.safetensors"}, True),
        ({"lora_name": "x.safetensors", "strength_model": ["sample", 0]}, True),
        ({"lora_1": {"on": False, "lora": "x.safetensors", "strength": 1}}, False),
        ({"lora_1": {"on": True, "lora": "x.safetensors", "strength": 0}}, False),
        ({"lora_1": {"on": True, "lora": "x.safetensors", "strength": 1}}, True),
        ({"lora_name_1": "x.safetensors", "lora_wt_1": 0, "lora_name_2": "y", "lora_wt_2": 1}, False),
        ({"lora_name_1": "x.safetensors", "lora_wt_1": 1, "lora_name_2": "y", "lora_wt_2": 0}, True),
    ],
)
def test_a_lora_counts_unless_its_strength_is_zero(inputs: dict[str, Any], counts: bool) -> None:
    graph = SAMPLED | {
        "sample": ("Sample", {"model": ["lora", 0]}),
        "lora": ("Lora", {"model": ["models", 0], **inputs}),
    }
    assert models(graph) == {"base.safetensors"} | ({"x.safetensors"} if counts else set())


def test_texts_are_told_apart_by_what_they_are_for() -> None:
    found = read(
        SAMPLED
        | {
            "sample": ("Sample", {"positive": ["apply", 0], "negative": ["apply", 1]}),
            "apply": ("Apply", {"positive": ["yes", 0], "negative": ["no", 0]}),
            "yes": ("Text", {"text": "a harbour, (embedding:mist:1.2)"}),
            "no": ("Text", {"text": "people"}),
            "idle": ("Text", {"text": "leads nowhere"}),
        }
    )
    assert (found.prompt, found.negative) == ("a harbour, (embedding:mist:1.2)", "people")
    assert ("/m/mist", "model") in found.inputs


def test_a_model_that_is_not_there_is_named_without_its_folder() -> None:
    graph = SAMPLED | {"models": ("Models", {"ckpt_name": "secret\\show/missing.safetensors"})}
    found = read(graph | {"sample": ("Sample", {"model": ["models", 0]})})
    assert found.missing == ("missing.safetensors",)
    assert found.inputs == ()


def test_a_circle_ends() -> None:
    found = read(
        {"save": ("Save", {"images": ["b", 0]}), "b": ("Blend", {"image": ["b", 0], "two": ["save", 0]})}
    )
    assert found.inputs == ()


@pytest.mark.parametrize(
    "link",
    [
        ["gone", 0],
        ["a", 7],
        ["a", -1],
        ["a", None],
        ["a"],
        ["a", 0, 0],
        [None, 0],
        [["a"], 0],
        {"a": 0},
        [0, "a"],
    ],
)
def test_links_to_nowhere_lead_nowhere(link: Any) -> None:
    found = read({"save": ("Save", {"images": link}), "a": ("Text", {"seed": 5})})
    assert found.inputs == ()


@pytest.mark.parametrize("graph", [None, [], "graph", 5, {"1": None}, {"1": []}, {"1": {"inputs": [1]}}])
def test_what_is_no_graph_has_no_files(graph: Any) -> None:
    assert all(not node.inputs for node in nodes_of(graph).values())


def test_two_thousand_nodes_take_no_time() -> None:
    chain = {
        str(n): ("Blend", {"image": [str(n + 1), 0], "back": [str(n // 2), 0], "seed": n})
        for n in range(2000)
    }
    began = time.perf_counter()
    found = read(chain | {"2000": ("Load", {"image": "a.png"})}, "0")
    assert dict(found.inputs) == {"/i/a.png": "parent"}
    assert len(found.parameters["seed"]) == 1024
    assert time.perf_counter() - began < 20


@pytest.fixture
def folders(tmp_path: Path) -> comfyui_run.Folders:
    for name in (
        "loras/a/x.safetensors",
        "vae/x.safetensors",
        "loras/x.safetensors",
        "in/a.png",
        "out/b.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "secret.safetensors").touch()
    models = {name: [str(tmp_path / name)] for name in ("loras", "vae")}
    return comfyui_run.Folders(models, str(tmp_path / "in"), str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("used_as", "name", "found"),
    [
        ("lora_name", "x.safetensors", ["loras/x.safetensors"]),
        ("vae_name", "x.safetensors", ["vae/x.safetensors"]),
        ("name", "x.safetensors", ["loras/x.safetensors", "vae/x.safetensors"]),
        ("lora_name", "a/x.safetensors", ["loras/a/x.safetensors"]),
        ("lora_name", "../secret.safetensors", []),
        ("lora_name", "a/../x.safetensors", ["loras/x.safetensors"]),
        ("lora_name", "a", []),
        ("lora_name", "", []),
        ("lora_name", "x.safetensors\x00", []),
        ("lora_name", "x" * 5000 + ".safetensors", []),
    ],
)
def test_a_name_leads_to_the_file_that_comfyui_loads(
    folders: comfyui_run.Folders, tmp_path: Path, used_as: str, name: str, found: list[str]
) -> None:
    assert folders.models(used_as, name) == [str(tmp_path / each) for each in found]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.png", "in/a.png"),
        ("a.png [input]", "in/a.png"),
        ("b.png [output]", "out/b.png"),
        ("b.png", None),
        ("b.png [temp]", None),
        ("a harbour.png", None),
        ("../secret.safetensors", None),
    ],
)
def test_a_picture_is_looked_for_where_comfyui_looks(
    folders: comfyui_run.Folders, tmp_path: Path, name: str, found: str | None
) -> None:
    assert folders.media(name) == (found and str(tmp_path / found))


def test_keys_that_were_typed_into_a_graph_are_in_no_record(
    folders: comfyui_run.Folders, tmp_path: Path
) -> None:
    inputs = {"images": ["2", 0], "api_key": "sk-1", "auth": {"access_token": "sk-2"}}
    graph = {"1": {"class_type": "Save", "inputs": inputs}}
    entry = {"prompt": [0, "id", graph, {}, ["1"]], "outputs": {"1": {"images": [{"filename": "b.png"}]}}}
    (record,) = comfyui_run.records(entry, comfyui_run.Installation(lambda name: {}, folders, "1"), "app")
    assert "sk-" not in str(record)
    assert '"images"' in record["secrets"]["workflow"]


def test_a_graph_without_end_or_too_large_costs_only_its_text(folders: comfyui_run.Folders) -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    at = comfyui_run.Installation(lambda name: {}, folders, "1")
    for value, kept in ((deep, None), ("x" * (2 << 20), "sha256:")):
        graph = {"1": {"class_type": "Save", "inputs": {"data": value}}}
        entry = {"prompt": [0, "id", graph, {}, ["1"]], "outputs": {"1": {"images": [{"filename": "b.png"}]}}}
        (record,) = comfyui_run.records(entry, at, "app")
        assert record["secrets"].get("workflow", "")[:7] == (kept or "")


def test_of_a_large_batch_the_first_files_are_hashed_at_once(tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(20)]
    for name in names:
        (tmp_path / name).write_text(name)
    at = comfyui_run.Installation(lambda name: {}, comfyui_run.Folders({}, "/in", str(tmp_path)), "1")
    ui = {"images": [{"filename": name} for name in names]}
    entry = {"prompt": [0, "id", {"1": {"class_type": "Save"}}, {}, ["1"]], "outputs": {"1": ui}}
    (record,) = comfyui_run.records(entry, at, "app")
    assert [item["path"] for item in record["outputs"]] == [str(tmp_path / name) for name in names]
    assert ["sha256" in item for item in record["outputs"]] == [True] * 8 + [False] * 12
    assert not any("role" in item for item in record["outputs"])


def test_comfyuis_own_api_nodes_are_remote_and_its_others_are_not() -> None:
    told = comfyui.said("0.3.64", "object_info")
    assert {name for name, kind in told.items() if is_remote(kind)} == {"OpenAIGPTImage1", "TinyRemoteImage"}
    node = Node("1", "OpenAIGPTImage1", {"prompt": "a harbour"})
    assert service_of(node, told["OpenAIGPTImage1"]) == {"vendor": "OpenAI", "product": "OpenAIGPTImage1"}
