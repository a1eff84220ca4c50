"""Merges, as the metadata of safetensors records them.

* ``sd_merge_recipe`` names each model by the SHA-256 of its file: it identifies the parent.
  ``sd_merge_models`` gives the names, also of models that were merged earlier on; those are not parents.
* Weights are computed only for the formulas that are known: with the multiplier M, ``Weighted sum`` is
  A·(1-M) + B·M and ``Add difference`` is A + (B-C)·M. Any other formula leaves the weights open, and a note.
* ``modelspec.merged_from`` is names alone, with commas between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from ledger.adapters.intake.kohya import embedded
from ledger.adapters.intake.values import Facts, Members, decimal_text
from ledger.core.predicates.model_v2 import ParentRole
from ledger.core.rights.declared import DeclaredParent

_ONE = Decimal(1)
_FORMULAS: dict[str, Callable[[Decimal], tuple[Decimal, ...]]] = {
    "weighted sum": lambda m: (_ONE - m, m),
    "weight sum": lambda m: (_ONE - m, m),
    "add difference": lambda m: (_ONE, m, -m),
}
# The A1111 web UI's names for the three models, and those of the extension that merges block by block.
_PLACES = (
    ("primary_model_hash", "model_a"),
    ("secondary_model_hash", "model_b"),
    ("tertiary_model_hash", "model_c"),
)


@dataclass(frozen=True, slots=True)
class Merge:
    """The models that were merged; none when the metadata speaks of no merge."""

    parents: tuple[DeclaredParent, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)


def read_merges(members: Members) -> Merge:
    """Return the merge that the metadata describes."""
    recipe = embedded(members, "sd_merge_recipe")
    if recipe is None:
        names = (members.values.get("modelspec.merged_from") or "").split(",")
        texts = Members({"modelspec.merged_from": names}, "", members.notes).texts("modelspec.merged_from")
        unique = dict.fromkeys(texts)
        return Merge(tuple(DeclaredParent(name, None, ParentRole.MERGED) for name in unique))
    inner = Members(recipe, "sd_merge_recipe", members.notes)
    facts = Facts()
    for name, value in inner.values.items():
        if name not in {place for places in _PLACES for place in places}:
            facts.put(f"sd_merge_recipe.{name}", value)
    return Merge(_parents(inner, members), facts)


def _parents(recipe: Members, members: Members) -> tuple[DeclaredParent, ...]:
    models = embedded(members, "sd_merge_models")
    names = models if isinstance(models, dict) else {}
    weights = _weights(recipe)
    parents: dict[str, DeclaredParent] = {}
    for number, places in enumerate(_PLACES):
        digest = next((found for place in places if (found := recipe.sha256(place))), None)
        if digest is None:
            continue
        if digest in parents:
            recipe.note(places[0], "names a model for the second time: its weights are left open")
            parents[digest] = DeclaredParent(parents[digest].name, digest, ParentRole.MERGED)
            continue
        entry = Members(names.get(digest) or {}, f"sd_merge_models.{digest}", members.notes)
        name = entry.text("name") or f"sha256:{digest}"
        weight = weights[number] if number < len(weights) else None
        parents[digest] = DeclaredParent(name, digest, ParentRole.MERGED, weight)
    return tuple(parents.values())


def _weights(recipe: Members) -> tuple[str, ...]:
    """Return the weight of each model in turn; none when the formula is not one of ``_FORMULAS``."""
    method = recipe.text("interp_method") or recipe.text("mode") or ""
    multiplier = recipe.text("multiplier") or recipe.text("alpha") or recipe.text("base_alpha") or ""
    formula = _FORMULAS.get(method.lower())
    by_block = recipe.values.get("mbw") is True or bool(recipe.values.get("weights_alpha"))
    if formula is None or by_block:
        named = method or "unnamed"
        recipe.notes.add(f"{recipe.where}: the weights of this method are not worked out ({named})")
        return ()
    number = decimal_text(multiplier)
    if number is None:
        recipe.note("multiplier", "is not a number")
        return ()
    return tuple(format(weight, "f") for weight in formula(Decimal(number)))
