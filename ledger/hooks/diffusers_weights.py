"""diffusers: which files the weights of a pipeline were read from, and which LoRAs have a part in a call.

It lies among a Python's packages as ``rakkan_diffusers_weights.py``.

* Weights are the files in the folder that a model was loaded from, chosen as ``from_pretrained`` chooses.
* A LoRA counts while it is active or fused, and not with a weight of 0.
"""

from __future__ import annotations

import functools
import os
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Memory:
    """What is known of objects, for as long as they live. They are told apart by identity."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Any]] = {}

    def __setitem__(self, thing: Any, value: Any) -> None:
        key = id(thing)
        self._known[key] = (weakref.ref(thing, lambda _: self._known.pop(key, None)), value)

    def get(self, thing: Any, default: Any = None) -> Any:
        """Return what is known of this very object."""
        reference, value = self._known.get(id(thing), (None, default))
        return value if reference is not None and reference() is thing else default


loaded = Memory()
"""How each model was loaded: the options of ``from_pretrained``, or the one file."""
added = Memory()
"""What was added to each model since: files by the names of adapters."""
fused = Memory()
"""Which adapters are merged into the weights of each model: their files by their names."""
learned = Memory()
"""The files of the embeddings that a text encoder was taught, ``None`` for one that is not known."""


def loading(function: Any, note: Callable[..., None], harmless: Callable[[], Any]) -> Any:
    """Return a function that loads something into a pipeline, and is noted when it has."""

    @functools.wraps(function)
    def load(pipe: Any, *given: Any, **named: Any) -> Any:
        before: dict[str, set[str]] = {}
        with harmless():
            before = _adapters(pipe)
        result = function(pipe, *given, **named)
        with harmless():
            note(pipe if result is None else result, before, *given, **named)
        return result

    vars(load)["rakkan"] = True  # a derived class finds it in place
    return load


def note_options(pipe: Any, *_: Any, **named: Any) -> None:
    """Keep how ``from_pretrained`` chose files for the models that it loaded itself."""
    options = {name: named.get(name) for name in ("variant", "use_safetensors")}
    for model in models(pipe).values():
        if not any(model is value for value in named.values()):
            loaded[model] = options


def _note_file(pipe: Any, _: Any, source: Any, *__: Any, **named: Any) -> None:
    for model in models(pipe).values():
        if not any(model is value for value in named.values()):
            loaded[model] = {"file": os.path.abspath(source)}


def _note_lora(pipe: Any, before: dict[str, set[str]], source: Any, *_: Any, **named: Any) -> None:
    for key, names in _adapters(pipe).items():
        model = models(pipe)[key]
        for name in names - before.get(key, set()):
            added[model] = {**added.get(model, {}), name: _named_file(source, named)}


def _note_fused(pipe: Any, *_: Any, **__: Any) -> None:
    for model in models(pipe).values():
        merged = {name for layer in _lora_layers(model) for name in layer.merged_adapters}
        fused[model] = {name: added.get(model, {}).get(name) for name in merged}


def _note_embedding(pipe: Any, _: Any, source: Any, *__: Any, **named: Any) -> None:
    names = source if isinstance(source, list) else [source]
    known = learned.get(pipe.text_encoder, [])
    learned[pipe.text_encoder] = known + [_named_file(name, named) for name in names]


def _forget_embeddings(pipe: Any, *_: Any, **__: Any) -> None:
    learned[pipe.text_encoder] = []


LOADERS: dict[str, Callable[..., None]] = {
    "from_single_file": _note_file,
    "load_lora_weights": _note_lora,
    "fuse_lora": _note_fused,
    "unfuse_lora": _note_fused,
    "load_textual_inversion": _note_embedding,
    "unload_textual_inversion": _forget_embeddings,
}
"""The methods of pipelines after which something else is loaded, and what is noted of each."""


def models(pipe: Any) -> dict[str, Any]:
    """Return the components that have weights."""
    return {key: value for key, value in pipe.components.items() if hasattr(value, "state_dict")}


def _folder(model: Any) -> str:
    """Return the folder that a model was loaded from, or an empty text."""
    named = str(getattr(getattr(model, "config", None), "_name_or_path", "") or "")
    return os.path.abspath(named) if os.path.isdir(named) else ""


def files_of(model: Any) -> list[str]:
    """Return the files that a model's weights were read from, as far as their names tell."""
    options = loaded.get(model, {})
    if "file" in options:
        return [str(options["file"])]
    folder = _folder(model)
    names = sorted(os.listdir(folder)) if folder else []
    kinds = (".bin",) if options.get("use_safetensors") is False else (".safetensors", ".bin")
    found = next((kept for kind in kinds if (kept := [name for name in names if name.endswith(kind)])), [])
    shape = re.compile(r"\w+(\.(?P<variant>\w+))?(-\d+-of-\d+)?\.\w+")
    variants = {name: match["variant"] for name in found if (match := shape.fullmatch(name))}
    wanted = options.get("variant")
    wanted = wanted if wanted in variants.values() else None
    chosen = [name for name, variant in variants.items() if variant == wanted] or found
    return [os.path.join(folder, name) for name in chosen]


def _named_file(source: Any, options: Mapping[str, Any]) -> str | None:
    """Return the file that an adapter was read from, or ``None`` for what is none, or not found."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    if os.path.isfile(source):
        return os.path.abspath(source)
    names = [options.get("weight_name") or "pytorch_lora_weights.safetensors"]
    if os.path.isdir(source):
        folder = os.path.join(source, options.get("subfolder") or "")
        names += [] if options.get("weight_name") else sorted(os.listdir(folder))
        weights = (os.path.join(folder, name) for name in names if name.endswith((".safetensors", ".bin")))
        return next((os.path.abspath(path) for path in weights if os.path.isfile(path)), None)
    from huggingface_hub import try_to_load_from_cache

    inside = "/".join(filter(None, [options.get("subfolder"), names[0]]))
    found = try_to_load_from_cache(
        str(source), inside, cache_dir=options.get("cache_dir"), revision=options.get("revision")
    )
    return found if isinstance(found, str) else None


def _adapters(pipe: Any) -> dict[str, set[str]]:
    """Return the names of the adapters of each model; of none before there is a pipeline."""
    there = {} if isinstance(pipe, type) else models(pipe)
    return {key: set(getattr(model, "peft_config", None) or ()) for key, model in there.items()}


def _lora_layers(model: Any) -> Iterator[Any]:
    return (layer for layer in model.modules() if hasattr(layer, "lora_A") and hasattr(layer, "scaling"))


def used_loras(pipe: Any, said: Mapping[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """Yield each adapter that has a part in a call, once: its name, its weight, its file if that is known."""
    scale = 1.0
    for name in ("cross_attention_kwargs", "joint_attention_kwargs", "attention_kwargs"):
        scale *= float((said.get(name) or {}).get("scale", 1.0))
    found: dict[str, tuple[str, str, str | None]] = {}
    for model in models(pipe).values():
        for name, path in (fused.get(model) or {}).items():
            found[name] = (name, "fused", path)
        for name, weight in _active(model).items():
            if weight * scale and name not in found:
                found[name] = (name, f"{weight * scale:g}", added.get(model, {}).get(name))
    yield from found.values()


def _active(model: Any) -> dict[str, float]:
    """Return the largest weight of each active adapter over all layers of a model."""
    found: dict[str, float] = {}
    for layer in _lora_layers(model):
        for name in () if layer.disable_adapters or layer.merged else layer.active_adapters:
            if name in layer.scaling:
                weight = layer.scaling[name] * layer.r[name] / layer.lora_alpha[name]
                found[name] = max(found.get(name, 0.0), weight, key=abs)
    return found
