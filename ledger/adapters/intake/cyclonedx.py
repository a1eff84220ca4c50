"""CycloneDX ML-BOM, JSON, 1.5 to 1.7 (ECMA-424).

* A component of the type ``machine-learning-model`` is a model, one of the type ``data`` is a dataset,
  wherever they are nested.
* ``modelCard.modelParameters.datasets`` is what it was trained on: a reference to a ``data`` component, or a
  dataset written in place.
* ``pedigree.ancestors`` are its parents. The format has no weights, no roles and no stages: they are read
  from the properties that Rakkan writes (``rakkan:kind``, ``rakkan:role``, ``rakkan:weight``,
  ``rakkan:stage:…``).
* ``licensing`` (licensor, licensee, purchase order, dates) is kept as facts: a grant is made by a person.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from ledger.adapters.intake.licences import licence, normalise, reference
from ledger.adapters.intake.values import MAX_ITEMS, Facts, Members, Notes, decimal_text, malformed
from ledger.core.digest import sha256_hex
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.rights.declared import (
    Declared,
    DeclaredDataset,
    DeclaredLicence,
    DeclaredModel,
    DeclaredParent,
    DeclaredTraining,
)

FORMAT = "cyclonedx"
VERSIONS = ("1.5", "1.6", "1.7")
PREFIX = "rakkan:"


def is_cyclonedx(document: object) -> bool:
    """Whether a JSON document says that it is CycloneDX."""
    return isinstance(document, dict) and document.get("bomFormat") == "CycloneDX"


def read_cyclonedx(document: object, source_sha256: str) -> Declared:
    """Return what the bill of materials says. Raises ``MalformedError("intake.malformed")``."""
    if not isinstance(document, dict) or not is_cyclonedx(document):
        raise malformed("bomFormat", "is not CycloneDX")
    if document.get("specVersion") not in VERSIONS:
        raise malformed("specVersion", f"is not one of {', '.join(VERSIONS)}")
    notes = Notes()
    root = Members(document, "", notes)
    components = _by_reference(root)
    models = [item for item in components.values() if item.values.get("type") == "machine-learning-model"]
    datasets = {ref: item for ref, item in components.items() if item.values.get("type") == "data"}
    written = [dataset for item in models for dataset in _written_in_place(item)]
    return Declared(
        FORMAT,
        source_sha256,
        tuple(_model(item, datasets) for item in models if _named(item)),
        tuple(_dataset(item) for item in [*datasets.values(), *written] if _named(item)),
        notes.lines(),
    )


def _by_reference(root: Members) -> dict[str, Members]:
    """Return every component by its ``bom-ref``, or by its place where it has none."""
    found: dict[str, Members] = {}
    for item in _walk(root):
        ref = item.text("bom-ref") or f"\x00{item.where}"
        if ref in found:
            raise malformed(item.path("bom-ref"), "stands there twice")
        found[ref] = item
        if len(found) > MAX_ITEMS:
            raise malformed("components", f"are more than {MAX_ITEMS:,}")
    return found


def _walk(root: Members) -> Iterator[Members]:
    waiting = [root.sub("metadata").sub("component"), *root.subs("components")]
    while waiting:
        item = waiting.pop(0)
        if item.values:
            yield item
        waiting.extend(item.subs("components"))


def _named(item: Members) -> bool:
    if item.text("name") is None:
        item.notes.add(f"{item.where} has no name: it was left out")
        return False
    return True


def _card_datasets(item: Members) -> Iterator[Members]:
    yield from item.sub("modelCard").sub("modelParameters").subs("datasets")


def _written_in_place(item: Members) -> Iterator[Members]:
    yield from (dataset for dataset in _card_datasets(item) if "ref" not in dataset.values)


def _model(item: Members, datasets: dict[str, Members]) -> DeclaredModel:
    parameters = item.sub("modelCard").sub("modelParameters")
    facts = Facts()
    for name in ("task", "architectureFamily", "modelArchitecture"):
        facts.put(name, parameters.values.get(name))
    facts.put("approach", parameters.sub("approach").text("type"))
    for name in ("publisher", "author", "group", "purl", "description"):
        facts.put(name, item.values.get(name))
    facts.put("supplier", item.sub("supplier").text("name"))
    _put_licensing(item, facts)
    ours = _ours(item)
    return DeclaredModel(
        item.text("name") or "",
        item.text("version"),
        ours.choice("kind", ModelKind),
        _sha256(item),
        parents=tuple(_parents(item)),
        training=tuple(_trainings(item, datasets, ours)),
        licence=_licence(item),
        facts=facts,
    )


def _parents(item: Members) -> Iterator[DeclaredParent]:
    for ancestor in item.sub("pedigree").subs("ancestors"):
        if not _named(ancestor):
            continue
        ours = _ours(ancestor)
        blocks = [(name[7:], _weight(ours, name)) for name in ours.values if name.startswith("weight:")]
        yield DeclaredParent(
            ancestor.text("name") or "",
            _sha256(ancestor),
            ours.choice("role", ParentRole) or ParentRole.BASE,
            _weight(ours, "weight"),
            tuple((block, weight) for block, weight in blocks if block and weight),
        )


def _weight(ours: Members, name: str) -> str | None:
    text = ours.text(name)
    weight = decimal_text(text) if text else None
    if text and weight is None:
        ours.note(name, "is not a number")
    return weight


def _ours(item: Members) -> Members:
    """Return the properties that Rakkan writes, without their prefix."""
    found: dict[str, str | None] = {}
    for property_ in item.subs("properties"):
        name = property_.text("name") or ""
        if name.startswith(PREFIX):
            found.setdefault(name.removeprefix(PREFIX), property_.text("value"))
    return Members(found, item.path("properties"), item.notes)


def _trainings(item: Members, datasets: dict[str, Members], ours: Members) -> Iterator[DeclaredTraining]:
    for entry in _card_datasets(item):
        ref = entry.text("ref")
        target = datasets.get(ref) if ref else entry
        name = target.text("name") if target else None
        if target is None or name is None:
            entry.notes.add(f"{entry.where} refers to no dataset of this document")
        else:
            yield DeclaredTraining(name, _sha256(target), ours.choice(f"stage:{name}", TrainingStage))


def _dataset(item: Members) -> DeclaredDataset:
    facets = Facts()
    for entry in [item, *item.subs("data")]:
        for name in ("classification", "description", "sensitiveData"):
            facets.put(name, ", ".join(entry.texts(name)))
        for role in ("owners", "custodians", "stewards"):
            facets.put(role, ", ".join(_people(entry, role)))
    _put_licensing(item, facets)
    return DeclaredDataset(
        item.text("name") or "",
        item.text("version"),
        _sha256(item),
        licence=_licence(item),
        composition=facets,
    )


def _people(entry: Members, role: str) -> Iterator[str]:
    for person in entry.sub("governance").subs(role):
        if name := person.sub("organization").text("name") or person.sub("contact").text("name"):
            yield name


def _sha256(item: Members) -> str | None:
    for digest in item.subs("hashes"):
        if digest.values.get("alg") == "SHA-256":
            return digest.sha256("content")
    return None


def _licence(item: Members) -> DeclaredLicence | None:
    written: list[str] = []
    text_sha256, url = None, None
    choices = list(item.subs("licenses"))
    for choice in choices:
        inner = choice.sub("license") if "license" in choice.values else choice
        found = inner.text("expression") or inner.text("id") or inner.text("name")
        if found and "name" in inner.values and not normalise(found):
            item.notes.add(f"{item.path('licenses')}: {found!r} is a name, kept as a reference")
            found = reference(found)
        written.extend([found] if found else [])
        text_sha256 = text_sha256 or _text_sha256(inner)
        url = url or inner.text("url")
    if not choices:
        return None
    joined = licence(tuple(written), item.path("licenses"), item.notes, text_sha256)
    return DeclaredLicence(joined.expression, joined.text_sha256, url or joined.url)


def _text_sha256(choice: Members) -> str | None:
    text = choice.sub("text")
    content = text.values.get("content")
    if not isinstance(content, str) or not content:
        return None
    if text.values.get("encoding") != "base64":
        return sha256_hex(content.encode(errors="surrogatepass"))
    try:
        return sha256_hex(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError):
        text.note("content", "is not base64")
        return None


def _put_licensing(item: Members, facts: Facts) -> None:
    for choice in item.subs("licenses"):
        inner = choice.sub("license") if "license" in choice.values else choice
        licensing = inner.sub("licensing")
        for name in ("licensor", "licensee", "purchaser"):
            party = licensing.sub(name)
            person = party.sub("organization").text("name") or party.sub("individual").text("name")
            facts.put(f"licensing.{name}", person)
        for name in ("purchaseOrder", "expiration", "lastRenewal"):
            facts.put(f"licensing.{name}", licensing.text(name))
        for name in ("licenseTypes", "altIds"):
            facts.put(f"licensing.{name}", ", ".join(licensing.texts(name)))
