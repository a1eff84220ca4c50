"""SPDX 3.0.1, JSON-LD, with the AI and Dataset profiles.

* An ``ai_AIPackage`` is a model, a ``dataset_DatasetPackage`` a dataset. They are joined by relationships:
  ``trainedOn``, ``descendantOf`` (and ``ancestorOf``, the other way round), ``dependsOn`` between two models
  (an adapter and its base), ``generates`` from a model to a dataset. ``testedOn`` is a fact.
* A concluded licence counts before a declared one; where both are there and differ, a note says so.
* A licence's text is pinned when the document holds it.
* The format has no training stage and no weights of a merge. ``ai_typeOfModel`` is a kind where it is one of
  our words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.adapters.intake.licences import licence, reference
from ledger.adapters.intake.values import MAX_ITEMS, Facts, Members, Notes, as_list, malformed
from ledger.core.digest import sha256_hex
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.rights.declared import (
    Declared,
    DeclaredDataset,
    DeclaredLicence,
    DeclaredModel,
    DeclaredParent,
    DeclaredTraining,
)

FORMAT = "spdx"
CONTEXT = "https://spdx.org/rdf/3.0."

_MODEL = "ai_AIPackage"
_DATASET = "dataset_DatasetPackage"
_SHARED = ("summary", "description", "software_downloadLocation", "software_packageUrl", "releaseTime")
_MODEL_FACTS = (
    "ai_typeOfModel",
    "ai_domain",
    "ai_informationAboutTraining",
    "ai_informationAboutApplication",
    "ai_limitation",
    "ai_modelDataPreprocessing",
    "ai_useSensitivePersonalInformation",
    "ai_autonomyType",
)
_FACETS = (
    "dataset_datasetType",
    "dataset_datasetSize",
    "dataset_intendedUse",
    "dataset_knownBias",
    "dataset_dataCollectionProcess",
    "dataset_dataPreprocessing",
    "dataset_anonymizationMethodUsed",
    "dataset_hasSensitivePersonalInformation",
    "dataset_confidentialityLevel",
    "dataset_datasetAvailability",
)


def is_spdx(document: object) -> bool:
    """Whether a JSON document names the context of SPDX 3.0."""
    contexts = as_list(document.get("@context")) if isinstance(document, dict) else []
    return any(isinstance(context, str) and context.startswith(CONTEXT) for context in contexts)


def read_spdx(document: object, source_sha256: str) -> Declared:
    """Return what the document says. Raises ``MalformedError("intake.malformed")``."""
    if not is_spdx(document):
        raise malformed("@context", f"is not {CONTEXT}…")
    notes = Notes()
    graph = _Graph(document, notes)
    models = [item for item in graph.of_type(_MODEL) if _named(item)]
    datasets = [item for item in graph.of_type(_DATASET) if _named(item)]
    return Declared(
        FORMAT,
        source_sha256,
        tuple(_model(item, graph) for item in models),
        tuple(_dataset(item, graph) for item in datasets),
        notes.lines(),
    )


class _Graph:
    """The elements by their ``spdxId``, and the relationships between them, wherever either is written."""

    def __init__(self, document: object, notes: Notes) -> None:
        self._elements: dict[str, Members] = {}
        self._links: list[tuple[str, str, str]] = []
        for number, value in enumerate(_objects(document)):
            item = Members(value, f"element {number}", notes)
            self._place(item)
            if value.get("type") == "Relationship":
                self._link(item)

    def of_type(self, kind: str) -> list[Members]:
        """Return the elements of this type, in the order in which they were written."""
        return [item for item in self._elements.values() if item.values.get("type") == kind]

    def element(self, name: str) -> Members | None:
        """Return an element."""
        return self._elements.get(name)

    def to(self, item: Members, relation: str) -> Iterator[str]:
        """Yield what an element points at."""
        name = _id(item.values)
        yield from (end for start, kind, end in self._links if (start, kind) == (name, relation))

    def at(self, item: Members, relation: str) -> Iterator[str]:
        """Yield what points at an element."""
        name = _id(item.values)
        yield from (start for start, kind, end in self._links if (end, kind) == (name, relation))

    def _place(self, item: Members) -> None:
        name = _id(item.values)
        if name is None:
            return
        if name in self._elements:
            raise malformed(f"the element {name[:80]}", "stands there twice")
        if len(self._elements) >= MAX_ITEMS:
            raise malformed("the graph", f"has more than {MAX_ITEMS:,} elements")
        self._elements[name] = item

    def _link(self, item: Members) -> None:
        start, kind = _id(item.values.get("from")), item.text("relationshipType")
        ends = [_id(end) for end in as_list(item.values.get("to"))]
        if start is None or kind is None or None in ends:
            item.notes.add(f"{item.where} is a relationship without its ends")
        elif item.values.get("completeness") == "incomplete":
            item.notes.add(f"{item.where} ({kind}) calls itself incomplete")
        for end in ends:
            if start and kind and end:
                self._links.append((start, kind, end))


def _objects(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every object that has a type, in the order of the document; a reference has none."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("type"), str):
                yield value
            waiting.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _id(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("spdxId") or value.get("@id")
    return value if isinstance(value, str) else None


def _named(item: Members) -> bool:
    if item.text("name") is None:
        item.notes.add(f"{item.where} has no name: it was left out")
        return False
    return True


def _model(item: Members, graph: _Graph) -> DeclaredModel:
    facts = _facts(item, (*_SHARED, *_MODEL_FACTS))
    facts.put("testedOn", ", ".join(_names(graph.to(item, "testedOn"), graph)))
    parents = tuple(_parents(item, graph))
    return DeclaredModel(
        item.text("name") or "",
        item.text("software_packageVersion"),
        _kind(item, parents),
        _sha256(item),
        parents,
        tuple(_trainings(item, graph)),
        _licence(item, graph),
        facts,
    )


def _kind(item: Members, parents: tuple[DeclaredParent, ...]) -> ModelKind | None:
    if any(parent.role is ParentRole.ADAPTER_BASE for parent in parents):
        return ModelKind.LORA
    types = [text.lower() for text in item.texts("ai_typeOfModel")]
    return next((kind for kind in ModelKind if kind.value in types), None)


def _parents(item: Members, graph: _Graph) -> Iterator[DeclaredParent]:
    bases = [*graph.to(item, "descendantOf"), *graph.at(item, "ancestorOf")]
    for role, ends in ((ParentRole.BASE, bases), (ParentRole.ADAPTER_BASE, graph.to(item, "dependsOn"))):
        for end in dict.fromkeys(ends):
            target = graph.element(end)
            if target is None:
                yield DeclaredParent(_outside(end, item), None, role)
            elif target.values.get("type") == _MODEL and (name := target.text("name")):
                yield DeclaredParent(name, _sha256(target), role)


def _trainings(item: Members, graph: _Graph) -> Iterator[DeclaredTraining]:
    for end in dict.fromkeys(graph.to(item, "trainedOn")):
        target = graph.element(end)
        name = target.text("name") if target else None
        yield DeclaredTraining(name or _outside(end, item), _sha256(target) if target else None)


def _outside(end: str, item: Members) -> str:
    item.notes.add(f"{end} is not in this document")
    return Members({"id": end}, "", item.notes).text("id") or "unnamed"


def _dataset(item: Members, graph: _Graph) -> DeclaredDataset:
    return DeclaredDataset(
        item.text("name") or "",
        item.text("software_packageVersion"),
        _sha256(item),
        licence=_licence(item, graph),
        composition=_facts(item, (*_SHARED, *_FACETS)),
        outputs_of=tuple(_names(graph.at(item, "generates"), graph)),
    )


def _names(ends: Iterator[str], graph: _Graph) -> Iterator[str]:
    for end in dict.fromkeys(ends):
        target = graph.element(end)
        if target and (name := target.text("name")):
            yield name


def _facts(item: Members, names: tuple[str, ...]) -> Facts:
    facts = Facts()
    for name in names:
        facts.put(name, ", ".join(item.texts(name)))
    return facts


def _sha256(item: Members) -> str | None:
    for method in item.subs("verifiedUsing"):
        if method.values.get("algorithm") == "sha256":
            return method.sha256("hashValue")
    return None


def _licence(item: Members, graph: _Graph) -> DeclaredLicence | None:
    found = [
        _one_licence(list(graph.to(item, relation)), item, graph)
        for relation in ("hasConcludedLicense", "hasDeclaredLicense")
    ]
    concluded, declared = found
    if concluded and declared and concluded.expression != declared.expression:
        item.notes.add(f"{item.where}: the concluded licence differs from the declared {declared.expression}")
    return concluded or declared


def _one_licence(ends: list[str], item: Members, graph: _Graph) -> DeclaredLicence | None:
    written: list[str] = []
    text_sha256 = None
    for end in ends:
        target = graph.element(end)
        if target is None:  # a licence of SPDX's list is named by its address, and need not be there
            written.append(end)
            continue
        text = target.values.get("simplelicensing_licenseText")
        if isinstance(text, str):
            text_sha256 = text_sha256 or sha256_hex(text.encode(errors="surrogatepass"))
        expression = target.text("simplelicensing_licenseExpression")
        written.append(expression or reference(target.text("name") or end.rpartition("/")[2]))
    if not written:
        return None
    found = licence(tuple(written), item.where, item.notes, text_sha256)
    return found if found != DeclaredLicence() else None
