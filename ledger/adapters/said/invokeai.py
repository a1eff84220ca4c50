"""InvokeAI: ``invokeai_metadata`` (3 and later), ``sd-metadata`` (2), ``Dream`` (1); ``invokeai_graph``.

* The metadata are what the interface put together; the graph is what was run. Where the metadata are there,
  the graph adds nothing that could be told apart from them, and is left alone.
* A model is named with a hash: ``blake3:``, in the older ones a SHA-256. How much of the file it covers is a
  setting of the installation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ledger.adapters.said.draft import Draft, Text, Texts, items, loose_object, members, short_hash
from ledger.core.predicates.step import Evidence
from ledger.core.said import ClaimKind, HashKind, PromptRole

_MODELS = {
    "main": ClaimKind.CHECKPOINT,
    "lora": ClaimKind.LORA,
    "vae": ClaimKind.VAE,
    "controlnet": ClaimKind.CONTROLNET,
    "control_lora": ClaimKind.CONTROLNET,
    "t2i_adapter": ClaimKind.ADAPTER,
    "ip_adapter": ClaimKind.ADAPTER,
    "embedding": ClaimKind.EMBEDDING,
    "t5_encoder": ClaimKind.TEXT_ENCODER,
    "clip_embed": ClaimKind.TEXT_ENCODER,
    "spandrel_image_to_image": ClaimKind.UPSCALER,
}
_LISTS = ("loras", "controlnets", "ipAdapters", "t2iAdapters")
_WEIGHTS = ("weight", "control_weight", "lora_weight")
_PROMPTS = {
    "positive_prompt": PromptRole.POSITIVE,
    "negative_prompt": PromptRole.NEGATIVE,
    "positive_style_prompt": PromptRole.POSITIVE,
    "negative_style_prompt": PromptRole.NEGATIVE,
}
_SETTINGS = (
    *("seed", "steps", "cfg_scale", "scheduler", "width", "height", "strength", "generation_mode"),
    *("sampler", "type", "guidance", "clip_skip", "rand_device"),
)
_DREAM = re.compile(r'"([^"\n]{0,60000})"([^"\n]{0,2000})')
_SWITCH = re.compile(r"-([sSWHCA]) ?([\w.]{1,40})")
_SWITCHES = {"s": "steps", "S": "seed", "W": "width", "H": "height", "C": "cfg_scale", "A": "sampler"}


def read(texts: Texts) -> Iterator[Draft]:
    """Yield an account of the metadata, or of the graph where there are none."""
    found = [_new(text) for text in texts.of("invokeai_metadata")]
    found += [_old(text) for text in texts.of("sd-metadata")]
    found += [_dream(text) for text in texts.of("dream")]
    yield from found or map(_graph, texts.of("invokeai_graph"))


def _new(text: Text) -> Draft:
    said, draft = loose_object(text.text), Draft("invokeai", text.place)
    if said:
        draft.tool("InvokeAI", said.get("app_version"))
    for name, role in _PROMPTS.items():
        draft.prompt(role, said.get(name))
    _take_models(draft, said)
    for name in _LISTS:
        for item in map(members, items(said.get(name))):
            _take_models(draft, item)
            draft.derived_from(members(item.get("image")).get("image_name"))
    draft.derived_from(members(said.get("init_image")).get("image_name") or said.get("init_image"))
    _take_settings(draft, said)
    return draft


def _take_models(draft: Draft, holder: dict[str, Any]) -> None:
    """Take every member that is a model: 3.0 names it ``model_name``, 4 and later ``name``, with a hash."""
    weight = next((holder[name] for name in _WEIGHTS if name in holder), None)
    for name, value in holder.items():
        model = members(value)
        title = model.get("name") or model.get("model_name")
        if title and ("type" in model or "base" in model or "base_model" in model):
            kind = _MODELS.get(str(model.get("type") or model.get("model_type") or name))
            kind = kind or _MODELS.get("main" if name == "model" else name, ClaimKind.OTHER)
            draft.model(title, kind, short_hash(model.get("hash")), weight)


def _take_settings(draft: Draft, said: dict[str, Any]) -> None:
    for name in _SETTINGS:
        draft.parameters.put(name, said.get(name))


def _old(text: Text) -> Draft:
    said, draft = loose_object(text.text), Draft("invokeai", text.place)
    image = members(said.get("image"))
    if said:
        draft.tool("InvokeAI", said.get("app_version"))
    found = short_hash(said.get("model_hash"), HashKind.OTHER)
    draft.model(said.get("model_weights") or said.get("model"), ClaimKind.CHECKPOINT, found)
    prompt = image.get("prompt")
    for item in prompt if isinstance(prompt, list) else [prompt]:
        _take_bracketed(draft, item.get("prompt") if isinstance(item, dict) else item)
    draft.derived_from(image.get("init_image_path"))
    _take_settings(draft, image)
    return draft


def _take_bracketed(draft: Draft, prompt: object) -> None:
    """Take a prompt of version 2, in which what is not wanted stands in brackets."""
    if isinstance(prompt, str):
        draft.prompt(PromptRole.POSITIVE, re.sub(r"\[[^\[\]]*\]", "", prompt))
        for unwanted in re.findall(r"\[([^\[\]]*)\]", prompt):
            draft.prompt(PromptRole.NEGATIVE, unwanted)


def _dream(text: Text) -> Draft:
    """Take the command line of version 1: ``"a prompt" -s50 -S1234 -W512 -H512 -C7.5 -Ak_lms``."""
    draft = Draft("invokeai", text.place)
    if match := _DREAM.match(text.text):
        draft.tool("InvokeAI")
        _take_bracketed(draft, match[1])
        for switch, value in _SWITCH.findall(match[2]):
            draft.parameters.put(_SWITCHES[switch], value)
    return draft


def _graph(text: Text) -> Draft:
    """Take the models and settings of the nodes that were run."""
    draft = Draft("invokeai", text.place, Evidence.INFERRED)
    graph = loose_object(text.text)
    for node in map(members, list(members(graph.get("nodes")).values())[:5000]):
        draft.tool("InvokeAI")
        _take_models(draft, node)
        _take_settings(draft, {name: value for name, value in node.items() if name != "type"})
        if "prompt" in node and "compel" in str(node.get("type")):
            draft.prompt(PromptRole.UNKNOWN, node["prompt"])
    return draft
