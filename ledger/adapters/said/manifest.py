"""A C2PA manifest's own words, in short. Whether they are true of the file is what verifying says.

* The active manifest speaks for the file: its generator, its actions with their tools and digital source
  types, and its ingredients by title.
* Its ``declared`` is that of its signer, and no more: here nobody has looked whether the signature holds.
"""

from __future__ import annotations

from typing import Any

from ledger.adapters.said.draft import Draft, items, members
from ledger.core.manifest import Reading
from ledger.core.said import ClaimKind

WHERE = "C2PA manifest"
_ACTIONS = ("c2pa.actions", "c2pa.actions.v2")


def draft_of(reading: Reading) -> Draft:
    """Return the account of a manifest store."""
    facts = reading.active_manifest
    draft = Draft("c2pa", WHERE if reading.embedded else f"{WHERE} (sidecar)")
    draft.tool(facts.generator)
    if facts.signer is not None:
        draft.facts.put("signer", facts.signer.organization or facts.signer.common_name)
    for label, assertion in facts.assertions.items():
        if label.split("__")[0] in _ACTIONS:
            for number, action in enumerate(map(members, items(members(assertion).get("actions")))):
                _take_action(draft, number, action)
    for ingredient in facts.ingredients:
        if any("model" in kind for kind in ingredient.data_types):
            draft.model(ingredient.title, ClaimKind.OTHER)
        else:
            draft.derived_from(ingredient.title)
    draft.notes.add("the signature was not judged here: rakkan verify does that")
    return draft


def _take_action(draft: Draft, number: int, action: dict[str, Any]) -> None:
    agent = action.get("softwareAgent")
    name = members(agent).get("name") if isinstance(agent, dict) else agent
    words = [str(action.get("action") or "")[:200], f"with {name}" if name else ""]
    draft.facts.put(f"action {number + 1}", " ".join(word for word in words if word))
    draft.source_type(action.get("digitalSourceType"))
