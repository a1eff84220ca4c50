"""NovelAI, Fooocus and SwarmUI: each writes JSON of its own.

* **NovelAI** (a remote service): ``Software`` says so, ``Source`` names the model, ``Comment`` has the
  request. In WebP all of it is one JSON in EXIF's ``UserComment``, with ``Comment`` as a text inside.
* **Fooocus**: ``parameters`` (JPEG, WebP: ``UserComment``) with ``fooocus_scheme``; the hashes are AutoV2.
* **SwarmUI**: ``sui_image_params`` in ``parameters`` (JPEG, WebP, films: ``UserComment``, ``comment``). The
  hashes in ``sui_models`` are of the tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.adapters.said.draft import Draft, Text, Texts, items, line, loose_object, members, short_hash
from ledger.core.said import ClaimKind, HashKind, PromptRole

_NOVELAI = (
    *("seed", "steps", "scale", "cfg_rescale", "sampler", "noise_schedule", "width", "height", "strength"),
    *("noise", "sm", "sm_dyn", "request_type"),
)
_FOOOCUS = (
    *("seed", "steps", "guidance_scale", "sharpness", "sampler", "scheduler", "resolution"),
    *("performance", "adm_guidance", "refiner_switch", "clip_skip"),
)
_SWARM = (
    *("seed", "steps", "cfgscale", "width", "height", "sampler", "scheduler", "initimagecreativity"),
    *("variationseed", "variationseedstrength", "aspectratio", "textvideoframes"),
    *("videoframes", "videofps"),
)
_SWARM_KINDS = {
    "model": ClaimKind.CHECKPOINT,
    "refinermodel": ClaimKind.CHECKPOINT,
    "videomodel": ClaimKind.CHECKPOINT,
    "loras": ClaimKind.LORA,
    "vae": ClaimKind.VAE,
    "controlnetmodel": ClaimKind.CONTROLNET,
}


def read_novelai(texts: Texts) -> Iterator[Draft]:
    """Yield an account of each request that NovelAI wrote down."""
    for text in texts.of("comment", "usercomment"):
        outer = loose_object(text.text)
        inner = outer.get("Comment")
        said = loose_object(inner) if isinstance(inner, str) else outer
        software = outer.get("Software") or texts.first("software")
        if "prompt" not in said or not ("signed_hash" in said or str(software).startswith("NovelAI")):
            continue
        draft = Draft("novelai", text.place)
        source = line(outer.get("Source")) or line(texts.first("source"))
        draft.tool("NovelAI", None, "NovelAI")
        draft.model(source, ClaimKind.CHECKPOINT)
        _take_novelai(draft, said)
        yield draft


def _take_novelai(draft: Draft, said: dict[str, Any]) -> None:
    draft.prompt(PromptRole.POSITIVE, said.get("prompt"))
    draft.prompt(PromptRole.NEGATIVE, said.get("uc"))
    captions = (("v4_prompt", PromptRole.POSITIVE), ("v4_negative_prompt", PromptRole.NEGATIVE))
    for name, role in captions:
        caption = members(members(said.get(name)).get("caption"))
        draft.prompt(role, caption.get("base_caption"))
        for person in map(members, items(caption.get("char_captions"))):
            draft.prompt(role, person.get("char_caption"))
    for name in _NOVELAI:
        draft.parameters.put(name, said.get(name))
    if said.get("reference_strength_multiple") or said.get("reference_strength"):
        draft.notes.add("reference pictures went in, and the file does not name them")


def read_fooocus(texts: Texts) -> Iterator[Draft]:
    """Yield an account of each set of parameters that Fooocus wrote in its own scheme."""
    for text in texts.of("parameters", "usercomment", "comment"):
        said = loose_object(text.text)
        if "base_model" in said and ("performance" in said or "metadata_scheme" in said):
            yield _fooocus(said, text)


def _fooocus(said: dict[str, Any], text: Text) -> Draft:
    draft = Draft("fooocus", text.place)
    name, _, version = str(said.get("version") or "Fooocus").partition(" ")
    draft.tool(name, version)
    draft.model(said["base_model"], ClaimKind.CHECKPOINT, _autov2(said.get("base_model_hash")))
    draft.model(said.get("refiner_model"), ClaimKind.CHECKPOINT, _autov2(said.get("refiner_model_hash")))
    if not str(said.get("vae")).startswith("Default"):
        draft.model(said.get("vae"), ClaimKind.VAE)
    for lora in items(said.get("loras")):
        if isinstance(lora, list) and len(lora) >= 2:
            draft.model(lora[0], ClaimKind.LORA, _autov2(lora[2] if len(lora) > 2 else None), lora[1])
    for role, names in (
        (PromptRole.POSITIVE, ("prompt", "full_prompt")),
        (PromptRole.NEGATIVE, ("negative_prompt", "full_negative_prompt")),
    ):
        for name in names:
            value = said.get(name)
            for part in value[:20] if isinstance(value, list) else [value]:
                draft.prompt(role, part)
    draft.facts.put("styles", said.get("styles"))
    for name in _FOOOCUS:
        draft.parameters.put(name, said.get(name))
    return draft


def _autov2(value: object) -> Any:
    return short_hash(value, HashKind.AUTOV2)


def read_swarmui(texts: Texts) -> Iterator[Draft]:
    """Yield an account of each set of parameters that SwarmUI wrote."""
    for text in texts.of("parameters", "usercomment", "comment"):
        whole = loose_object(text.text)
        said = members(whole.get("sui_image_params"))
        if said:
            yield _swarmui(whole, said, text)


def _swarmui(whole: dict[str, Any], said: dict[str, Any], text: Text) -> Draft:
    draft = Draft("swarmui", text.place)
    draft.tool("SwarmUI", said.get("swarm_version"))
    strengths = dict(zip(map(_bare, _listed(said, "loras")), _listed(said, "loraweights"), strict=False))
    named = set()
    for model in map(members, items(whole.get("sui_models"))):
        param, name = str(model.get("param")), model.get("name")
        kind = _SWARM_KINDS.get(param, ClaimKind.OTHER)
        draft.model(name, kind, short_hash(model.get("hash"), HashKind.TENSORS), strengths.get(_bare(name)))
        named.add(_bare(name))
    for param, kind in _SWARM_KINDS.items():
        for name in _listed(said, param):
            if _bare(name) not in named:
                draft.model(name, kind, (), strengths.get(_bare(name)) if param == "loras" else None)
    draft.prompt(PromptRole.POSITIVE, said.get("prompt"))
    draft.prompt(PromptRole.POSITIVE, members(whole.get("sui_extra_data")).get("original_prompt"))
    draft.prompt(PromptRole.NEGATIVE, said.get("negativeprompt"))
    draft.derived_from(members(whole.get("sui_extra_data")).get("initimage_filename"))
    for name in _SWARM:
        draft.parameters.put(name, said.get(name))
    return draft


def _listed(said: dict[str, Any], name: str) -> list[Any]:
    """Return a list that may be written as one text with commas."""
    value = said.get(name)
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")[:200]]
    return items(value)


def _bare(name: object) -> str:
    return str(name).removesuffix(".safetensors")
