"""A ``ManifestPlan`` as the JSON that the C2PA library signs (docs/spec/manifest.md).

* The library checks none of this, so the rules that a reader would trip over are checked here: exactly one
  inception, and first; ``c2pa.opened`` names the parent and has no source type; ``c2pa.created`` has one; at
  most one parent; labels unique, and every label that an action names is there;
* every assertion is a *created* one: the signer stands for it;
* ``allActionsIncluded`` is true only for a plain re-save: what happened outside our hooks is unknown;
* a manifest that came in with the file is added to the plan before any of this (``adopt``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import ledger
from ledger.core.manifest import Action, Ingredient, ManifestPlan, Relationship
from ledger.errors import RefusedError

SPEC_VERSION = "2.4.0"
TRUST_URI = "urn:rakkan:trust:manifest"
TIMESTAMP_TRUST_URI = "urn:rakkan:trust:timestamp"
"""The names of our anchor lists, as a reading repeats them."""

CREATED, OPENED, PLACED = "c2pa.created", "c2pa.opened", "c2pa.placed"
INBOUND = "inbound-manifest"
"""Label of the ingredient that stands for the manifest the file came with."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One ingredient ready for signing: its JSON, and the bytes that the JSON refers to by identifier."""

    json: Json
    resources: tuple[tuple[str, bytes], ...] = ()


def adopt(plan: ManifestPlan, store: bytes, now: datetime) -> ManifestPlan:
    """Return the plan with the file's own manifest store as an ingredient, unless it is there already.

    It becomes the opened parent. Where the plan names another parent, or says that the file was created, a
    second inception would be invalid: then it is a placed component.
    """
    if any(ingredient.store == store for ingredient in plan.ingredients):
        return plan
    first = plan.actions[0].action if plan.actions else ""
    has_parent = any(item.relationship is Relationship.PARENT for item in plan.ingredients)
    opens = not has_parent and first != CREATED
    relationship = Relationship.PARENT if opens else Relationship.COMPONENT
    inbound = Ingredient(INBOUND, plan.title, relationship, plan.media_type, store=store)
    action = Action(OPENED if opens else PLACED, now, ingredient_labels=(INBOUND,))
    actions = (action, *plan.actions) if opens else (*plan.actions[:1], action, *plan.actions[1:])
    return replace(plan, actions=actions, ingredients=(*plan.ingredients, inbound))


def check(plan: ManifestPlan) -> None:
    """Return if the plan makes a valid manifest. Raises ``RefusedError("seal.sign")``, naming the rule."""
    labels = [ingredient.label for ingredient in plan.ingredients]
    parents = {item.label for item in plan.ingredients if item.relationship is Relationship.PARENT}
    _rule(bool(plan.actions), "A manifest needs at least one action.")
    _rule(len(set(labels)) == len(labels), "Two ingredients share a label.")
    _rule(len(parents) <= 1, "A manifest has at most one parent.")
    for position, action in enumerate(plan.actions):
        inception = action.action in {CREATED, OPENED}
        _rule(inception == (position == 0), "Exactly the first action is c2pa.created or c2pa.opened.")
        _rule(
            set(action.ingredient_labels) <= set(labels), "An action names an ingredient that is not there."
        )
    first = plan.actions[0]
    if first.action == CREATED:
        _rule(first.digital_source_type is not None, "c2pa.created needs a digital source type.")
    else:
        _rule(set(first.ingredient_labels) == parents != set(), "c2pa.opened names the parent, and only it.")
        _rule(first.digital_source_type is None, "c2pa.opened has no digital source type.")


def _rule(holds: bool, sentence: str) -> None:  # noqa: FBT001 -- reads as the sentence it is
    if not holds:
        raise RefusedError("seal.sign", sentence)


def data_hash(digest: bytes, exclusion: tuple[int, int] | None) -> Json:
    """Return the hard binding ``c2pa.hash.data``: SHA-256 of the file without ``(start, length)``."""
    # A list of numbers: the library takes a base64 text for the bytes of that text.
    data: Json = {"name": "jumbf manifest", "alg": "sha256", "hash": list(digest), "pad": []}
    if exclusion is not None:
        data["exclusions"] = [{"start": exclusion[0], "length": exclusion[1]}]
    return {"label": "c2pa.hash.data", "data": data, "created": True}


def definition(plan: ManifestPlan, ingredients: Sequence[Recorded]) -> Json:
    """Return the manifest definition, still without a hard binding."""
    actions = {
        "actions": [_action(action) for action in plan.actions],
        "allActionsIncluded": _all_included(plan),
    }
    assertions = [{"label": "c2pa.actions.v2", "data": actions, "created": True}]
    assertions += [_assertion(label, value) for label, value in plan.assertions.items()]
    generator = {"name": "rakkan", "version": ledger.__version__, "specVersion": SPEC_VERSION}
    return {
        "claim_generator_info": [generator],
        "title": plan.title,
        "format": plan.media_type,
        "assertions": assertions,
        "ingredients": [ingredient.json for ingredient in ingredients],
    }


def _all_included(plan: ManifestPlan) -> bool:
    return len(plan.actions) == 1 and plan.actions[0].action == OPENED


def _assertion(label: str, value: Any) -> Json:
    assertion: Json = {"label": label, "data": value, "created": True}
    if label.endswith(".metadata"):  # JSON-LD is stored as JSON, everything else as CBOR
        assertion["kind"] = "Json"
    return assertion


def _action(action: Action) -> Json:
    result: Json = {"action": action.action, "when": _instant(action.when)}
    if action.digital_source_type is not None:
        result["digitalSourceType"] = action.digital_source_type
    if action.software_agent is not None:
        agent = {"name": action.software_agent, "version": action.software_version}
        result["softwareAgent"] = {name: value for name, value in agent.items() if value is not None}
    parameters = dict(action.parameters)
    if action.ingredient_labels:
        parameters["ingredientIds"] = list(action.ingredient_labels)
    if parameters:
        result["parameters"] = parameters
    return result


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
