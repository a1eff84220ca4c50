"""Hugging Face cards: the YAML between the two ``---`` at the top of a README.md. The prose is never read.

* ``base_model`` with ``base_model_relation``: an adapter works on top of its base, a merge holds each of
  them, a fine-tune or a quantised copy continues one.
* ``license`` is one of the Hub's own identifiers: where it is SPDX's too it becomes that; ``other`` is named
  by ``license_name``; the rest becomes ``LicenseRef-huggingface-…``. A ``license_link`` to a file beside the
  card pins the text.
* The card does not hold the model's name, except in ``model_name`` and ``model-index``.
* A card that describes a dataset is recognised by the members that only those have.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ledger.adapters.intake.licences import licence, normalise, read_licence_text, reference
from ledger.adapters.intake.values import Facts, Members, Notes, malformed
from ledger.adapters.intake.yaml_text import load_yaml
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
from ledger.errors import MalformedError

FORMAT = "model-card"

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_RELATIONS = {
    "adapter": (ParentRole.ADAPTER_BASE, ModelKind.LORA),
    "merge": (ParentRole.MERGED, ModelKind.MERGE),
    "finetune": (ParentRole.BASE, ModelKind.FINE_TUNE),
    "quantized": (ParentRole.BASE, None),
}
_DATASET_ONLY = ("task_categories", "dataset_info", "size_categories", "source_datasets", "pretty_name")
_FACETS = (
    "language",
    "tags",
    "size_categories",
    "task_categories",
    "annotations_creators",
    "source_datasets",
)
_FACTS = ("base_model_relation", "pipeline_tag", "library_name", "language", "tags", "instance_prompt")
_UNNAMED = frozenset(("unknown", "other"))


def front_matter(text: str) -> str | None:
    """Return the YAML at the top, or ``None`` when the text does not begin with a block of it."""
    match = _FRONT_MATTER.match(text.lstrip("\ufeff"))
    return match[1] if match else None


def read_model_card(data: bytes, path: Path) -> Declared:
    """Return what the card of ``path`` says. Raises ``MalformedError("intake.malformed")``."""
    try:
        block = front_matter(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise malformed("the card", f"is not UTF-8 at byte {error.start}") from error
    if block is None:
        raise malformed("the card", "does not begin with a block of YAML between two lines of ---")
    document = load_yaml(block, "the card's YAML")
    if not isinstance(document, dict):
        raise malformed("the card's YAML", "is not a mapping")
    notes = Notes()
    members = Members(document, "", notes)
    pinned = _licence(members, path)
    digest = sha256_hex(data)
    if any(name in document for name in _DATASET_ONLY):
        return Declared(FORMAT, digest, datasets=(_dataset(members, path, pinned),), notes=notes.lines())
    return Declared(FORMAT, digest, (_model(members, path, pinned),), notes=notes.lines())


def _model(members: Members, path: Path, pinned: DeclaredLicence | None) -> DeclaredModel:
    indexed = next(members.subs("model-index"), None)
    name = members.text("model_name") or (indexed.text("name") if indexed else None)
    bases = members.texts("base_model")
    role, kind = _relation(members, bases)
    facts = Facts()
    for fact in _FACTS:
        facts.put(fact, ", ".join(members.texts(fact)))
    facts.put("new_version", members.text("new_version"))
    return DeclaredModel(
        name or _folder(members, path),
        kind=kind,
        parents=tuple(DeclaredParent(base, None, role) for base in dict.fromkeys(bases)),
        training=tuple(DeclaredTraining(dataset) for dataset in dict.fromkeys(members.texts("datasets"))),
        licence=pinned,
        facts=facts,
    )


def _dataset(members: Members, path: Path, pinned: DeclaredLicence | None) -> DeclaredDataset:
    facets = Facts()
    for facet in _FACETS:
        facets.put(facet, ", ".join(members.texts(facet)))
    name = members.text("pretty_name") or _folder(members, path)
    return DeclaredDataset(name, licence=pinned, composition=facets)


def _relation(members: Members, bases: tuple[str, ...]) -> tuple[ParentRole, ModelKind | None]:
    relation = members.text("base_model_relation")
    if relation in _RELATIONS:
        return _RELATIONS[relation]
    if relation is not None:
        members.note("base_model_relation", f"cannot be {relation!r}")
    elif len(bases) > 1:
        members.note("base_model", "names several models and no relation: taken as merged")
        return _RELATIONS["merge"]
    elif bases:
        members.note("base_model", "is named without a relation: the role base was assumed")
    return ParentRole.BASE, None


def _folder(members: Members, path: Path) -> str:
    members.notes.add("the card does not name it: the name of its folder is taken")
    return Members({"folder": path.absolute().parent.name}, "", members.notes).text("folder") or "unnamed"


def _licence(members: Members, path: Path) -> DeclaredLicence | None:
    written = [_expression(text, members) for text in members.texts("license")]
    link = members.text("license_link")
    if not written and link is None:
        return None
    found = licence(tuple(text for text in written if text), "license", members.notes)
    if link is None:
        return found
    if link.startswith(("https://", "http://")):
        return replace(found, url=link)
    return replace(found, text_sha256=_beside(members, path, link))


def _expression(text: str, members: Members) -> str | None:
    name = members.text("license_name")
    if normalise(text):
        return text
    if text.lower() not in _UNNAMED:
        return reference("huggingface", text)
    return reference(name) if name else None


def _beside(members: Members, path: Path, link: str) -> str | None:
    """Return the SHA-256 of the licence's file, which must lie in the card's own folder."""
    target = path.parent / link
    if "/" in link or "\\" in link or target.is_symlink() or not target.is_file():
        members.note("license_link", f"is no file beside the card: {link!r}")
        return None
    try:
        return read_licence_text(target)
    except (MalformedError, OSError):
        members.note("license_link", f"cannot be read: {link!r}")
        return None
