"""mergekit's configuration (``mergekit_config.yml``): what was merged, by which method, with which weights.

* A model is ``name[@revision][+lora]``. A LoRA in it is a parent of its own.
* A weight that is one number becomes the parent's weight. A weight by layer (a list) or by part (a list of
  filters) becomes ``blocks``, named as the file names them; so do the layer ranges of slices.
* ``base_model`` is a parent: its weights are in the result, whichever the method.
* The file says nothing of datasets, licences, or digests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ledger.adapters.intake.values import Facts, Members, Notes, as_list, decimal_text, malformed
from ledger.adapters.intake.yaml_text import load_yaml
from ledger.core.digest import sha256_hex
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.rights.declared import Declared, DeclaredModel, DeclaredParent

FORMAT = "mergekit"
MAX_BLOCKS = 500

_MODEL = re.compile(r"(?P<name>[^@+]+)(?:@(?P<revision>[^+]+))?(?:\+(?P<lora>.+))?")
_FACTS = ("merge_method", "base_model", "dtype", "out_dtype", "tokenizer_source")


def is_mergekit(document: object) -> bool:
    """Whether a YAML document is such a configuration."""
    return isinstance(document, dict) and "merge_method" in document


def read_mergekit(data: bytes, name: str) -> Declared:
    """Return what the configuration says. ``name`` is taken for the model's, which the file does not know.

    Raises ``MalformedError("intake.malformed")``.
    """
    try:
        document = load_yaml(data.decode("utf-8-sig"), "the configuration")
    except UnicodeDecodeError as error:
        raise malformed("the configuration", f"is not UTF-8 at byte {error.start}") from error
    if not is_mergekit(document):
        raise malformed("the configuration", "has no merge_method")
    notes = Notes()
    notes.add("the file does not name the model: the name of its folder is taken")
    members = Members(document, "", notes)
    facts = Facts()
    for fact in _FACTS:
        facts.put(fact, members.values.get(fact))
    named = Members({"name": name}, "", notes).text("name") or "unnamed"
    parents = _Parents(notes, passthrough=members.text("merge_method") == "passthrough")
    for source in _sources(members):
        parents.add(source)
    if "base_model" in members.values:
        parents.name(members.values["base_model"], "base_model")
    model = DeclaredModel(named, kind=ModelKind.MERGE, parents=parents.result(), facts=facts)
    return Declared(FORMAT, sha256_hex(data), (model,), notes=notes.lines())


def _sources(members: Members) -> Iterator[Members]:
    yield from members.subs("models")
    for part in members.subs("slices"):
        yield from part.subs("sources")
    for module in members.sub("modules").values.values():
        inner = Members(module, "modules", members.notes)
        yield from inner.subs("models")
        for part in inner.subs("slices"):
            yield from part.subs("sources")


class _Parents:
    """Collects the parents by name: a model that stands in several slices is one parent."""

    def __init__(self, notes: Notes, *, passthrough: bool) -> None:
        self._notes = notes
        self._passthrough = passthrough  # layers are taken as they are
        self._weights: dict[str, str | None] = {}
        self._blocks: dict[str, dict[str, str]] = {}

    def add(self, source: Members) -> None:
        """Take one source: its model, its weight, its range of layers."""
        name = self.name(source.values.get("model"), source.path("model"))
        if name is None:
            return
        layers = ":".join(str(end) for end in as_list(source.values.get("layer_range")))
        label = f"layers {layers}" if layers else ""
        for part, weight in _weights(source.sub("parameters")):
            block = " ".join(word for word in (label, part) if word)
            if not block:
                self._weights[name] = weight
            elif len(self._blocks[name]) < MAX_BLOCKS:
                self._blocks[name][block] = weight
        if label and "weight" not in source.sub("parameters").values:
            self._unweighted(name, label, source)

    def _unweighted(self, name: str, label: str, source: Members) -> None:
        if self._passthrough:
            self._blocks[name].setdefault(label, "1")
        else:
            self._notes.add(f"{source.where}: {label} of {name!r} have no weight of their own")

    def name(self, value: object, where: str) -> str | None:
        """Take a model's name, and the LoRA behind it as another; return the first."""
        if isinstance(value, dict):
            inner = value.get("model")
            value = inner.get("path") if isinstance(inner, dict) else inner
        text = Members({"model": value}, "", self._notes).text("model")
        match = _MODEL.fullmatch(text) if text else None
        if match is None:
            self._notes.add(f"{where} names no model")
            return None
        for found in (match["name"], match["lora"]):
            if found:
                self._weights.setdefault(found.strip(), None)
                self._blocks.setdefault(found.strip(), {})
        if match["revision"]:
            self._notes.add(f"{where}: {match['name'].strip()!r} is of revision {match['revision']!r}")
        return str(match["name"]).strip()

    def result(self) -> tuple[DeclaredParent, ...]:
        return tuple(
            DeclaredParent(name, None, ParentRole.MERGED, weight, tuple(self._blocks[name].items()))
            for name, weight in self._weights.items()
        )


def _weights(parameters: Members) -> Iterator[tuple[str, str]]:
    """Yield (part, weight): the part is empty for one that holds everywhere."""
    value = parameters.values.get("weight")
    if isinstance(value, str):
        yield from _decimal("", value, parameters)
    for number, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, str):
            yield from _decimal(f"gradient {number + 1}/{len(as_list(value))}", item, parameters)
        elif isinstance(item, dict):
            part = Members(item, parameters.path("weight"), parameters.notes)
            values = [text for text in as_list(item.get("value")) if isinstance(text, str)]
            for step, text in enumerate(values):
                label = part.text("filter") or "rest"
                label += f" gradient {step + 1}/{len(values)}" if len(values) > 1 else ""
                yield from _decimal(label, text, parameters)


def _decimal(part: str, text: str, parameters: Members) -> Iterator[tuple[str, str]]:
    if (weight := decimal_text(text)) is not None:
        yield part, weight
    else:
        parameters.note("weight", "is not a number")
