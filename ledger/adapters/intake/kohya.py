"""``ss_*``: what kohya's trainers write into the safetensors that they make.

* ``ss_new_sd_model_hash`` is the SHA-256 of the whole base model: it identifies the parent.
  ``ss_sd_model_hash`` is eight digits over a piece of it: a look-up.
* ``ss_datasets`` has one entry for each training set, with its folders; older trainers write
  ``ss_dataset_dirs`` alone. A folder's name is all that is known of a dataset, so it is its name.
* The trainer does not say for which stage it trained: nobody's ``stage`` is guessed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ledger.adapters.intake.json_text import load_json
from ledger.adapters.intake.values import Facts, Members
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.rights.declared import DeclaredDataset, DeclaredParent, DeclaredTraining
from ledger.errors import MalformedError

MAX_TAGS = 20

_FACTS = (
    "ss_base_model_version",
    "ss_sd_model_hash",
    "ss_network_module",
    "ss_network_dim",
    "ss_network_alpha",
    "ss_vae_name",
    "ss_new_vae_hash",
    "ss_training_started_at",
    "ss_training_finished_at",
    "ss_training_comment",
    "ss_num_epochs",
    "ss_steps",
    "ss_session_id",
    "ss_sd_scripts_commit_hash",
    "sshs_model_hash",
    "sshs_legacy_hash",
)


@dataclass(frozen=True, slots=True)
class Run:
    """A training run as its trainer wrote it down."""

    name: str | None = None
    kind: ModelKind | None = None
    base: tuple[str, str | None] | None = None
    training: tuple[DeclaredTraining, ...] = ()
    datasets: tuple[DeclaredDataset, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    def parent(self, *, adapter: bool) -> DeclaredParent | None:
        """Return the base model: trained on, or beside."""
        if self.base is None:
            return None
        name, sha256 = self.base
        return DeclaredParent(name, sha256, ParentRole.ADAPTER_BASE if adapter else ParentRole.BASE)


def read_kohya(members: Members) -> Run:
    """Return the run that the metadata describes; an empty one when it describes none."""
    facts = Facts()
    for name in _FACTS:
        facts.put(name, members.values.get(name))
    for name in ("ss_num_train_images", "ss_num_reg_images"):
        facts.put(name, members.count(name))
    kind = None
    base = _base(members)
    if members.text("ss_network_module"):
        kind = ModelKind.LORA
    elif base:
        kind = ModelKind.FINE_TUNE
    datasets = _datasets(members)
    training = tuple(DeclaredTraining(dataset.name) for dataset in datasets)
    return Run(members.text("ss_output_name"), kind, base, training, datasets, facts)


def embedded(members: Members, name: str) -> Any:
    """Return the JSON value that a text holds, or ``None`` with a note when it holds none."""
    text = members.values.get(name)
    if not text:
        return None
    try:
        return load_json(text, members.path(name))
    except MalformedError as error:
        members.notes.add(error.message)
        return None


def _base(members: Members) -> tuple[str, str | None] | None:
    name = members.text("ss_sd_model_name")
    digest = members.sha256("ss_new_sd_model_hash")
    if name is None and digest is None:
        return None
    return name or f"sha256:{digest}", digest


def _datasets(members: Members) -> tuple[DeclaredDataset, ...]:
    found: dict[str, DeclaredDataset] = {}
    for name, subset, tags in _subsets(members):
        if name is None:
            subset.notes.add(f"{subset.where} names no folder and no file")
        elif name in found:
            subset.notes.add(f"{subset.where}: {name!r} stands there more than once")
        else:
            found[name] = DeclaredDataset(
                name, works=subset.count("img_count"), composition=_facets(subset, tags)
            )
    return tuple(found.values())


def _subsets(members: Members) -> Iterator[tuple[str | None, Members, object]]:
    """Yield the name, the members and the tag counts of each folder."""
    datasets = embedded(members, "ss_datasets")
    if datasets is not None:
        for dataset in Members({"ss_datasets": datasets}, "", members.notes).subs("ss_datasets"):
            tags = dataset.values.get("tag_frequency")
            for subset in dataset.subs("subsets"):
                name = subset.text("image_dir") or subset.text("metadata_file")
                yield name, subset, tags.get(name) if isinstance(tags, dict) else None
        return
    tags = embedded(members, "ss_tag_frequency")
    for place in ("ss_dataset_dirs", "ss_reg_dataset_dirs"):
        folders = embedded(members, place)
        for folder, value in (folders if isinstance(folders, dict) else {}).items():
            name = Members({"folder": folder}, place, members.notes).text("folder")
            counts = tags.get(folder) if isinstance(tags, dict) else None
            yield name, Members(value, f"{place}.{folder}", members.notes), counts


def _facets(subset: Members, tags: object) -> Facts:
    facets = Facts()
    for name in ("class_tokens", "is_reg", "num_repeats", "n_repeats"):
        facets.put(name, subset.values.get(name))
    counts = tags if isinstance(tags, dict) else {}
    numbers = {tag: count for tag, count in counts.items() if isinstance(count, int)}
    for tag in sorted(numbers, key=lambda tag: (-numbers[tag], tag))[:MAX_TAGS]:
        facets.put(f"tag {tag.strip()}", numbers[tag])
    return facets
