"""ODRL 2.2 offers: what is permitted and prohibited, in our words for uses.

* ODRL's actions are wider than our uses. A permission is read narrowly: what does not name a use of ours is
  none. A prohibition is read widely: it reaches every use that it could mean.
* A permission under a condition is no permission here: nobody has checked the condition. A prohibition under
  one is a prohibition. Both are kept in words, and so is every duty.
* Where the same use is permitted and prohibited, it is prohibited.
* An action that is one of our uses itself is of our vocabulary, ``https://rakkan.org/odrl#`` (``rakkan:``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ledger.adapters.intake.values import Members, Notes, as_list, shown
from ledger.core.predicates.grant import Use
from ledger.core.rights.declared import DeclaredUsage

MAX_RULES = 1_000
OURS = ("https://rakkan.org/odrl#", "rakkan:")

_TRAINING = frozenset((Use.FOUNDATION_TRAINING, Use.ADDITIONAL_TRAINING, Use.FOCUSED_TRAINING))
_INPUT = frozenset((Use.REFERENCE_INPUT, Use.INPAINT_SOURCE, Use.CONTROL_INPUT))
_DERIVING = _TRAINING | _INPUT | {Use.OUTPUT_AS_TRAINING}
_COMMERCE = frozenset((Use.OUTPUT_FINAL, Use.OUTPUT_MARKETING, Use.OUTPUT_MERCH))
_REDISTRIBUTION = frozenset((Use.DATASET_REDISTRIBUTION,))
_INDEX = frozenset((Use.SIMILARITY_INDEX,))

_PERMITS: dict[str, frozenset[Use]] = {
    "distribute": _REDISTRIBUTION,
    "distribution": _REDISTRIBUTION,
    "index": _INDEX,
    "train": _TRAINING,
    "train-ai": _TRAINING,
    "ai-train": _TRAINING,
}
_PROHIBITS: dict[str, frozenset[Use]] = {
    **_PERMITS,
    "use": frozenset(Use),
    "derive": _DERIVING,
    "derivativeworks": _DERIVING,
    "modify": _DERIVING,
    "transform": _DERIVING,
    "reproduce": _DERIVING | _INDEX,
    "reproduction": _DERIVING | _INDEX,
    "extract": _DERIVING | _INDEX,
    "mine": _TRAINING | _INDEX,
    "commercialuse": _COMMERCE,
    "commericaluse": _COMMERCE,  # ODRL's own spelling
    "share": _REDISTRIBUTION,
    "sharing": _REDISTRIBUTION,
    "sell": _REDISTRIBUTION,
    "transfer": _REDISTRIBUTION,
}
_RULES = ("permission", "prohibition", "obligation", "duty")
# What a rule may hold without being bound to a condition. Anything else is one, known to us or not.
_HARMLESS = frozenset(
    ("@type", "@id", "uid", "name", "label", "comment", "description", "action", "assigner", "type")
)
_POLICY_HARMLESS = _HARMLESS | {"@context", "profile", "conflict", *_RULES}


def local(name: str) -> str:
    """Return a term without its namespace: of ``odrl:use`` and of its address, ``use``."""
    return re.split(r"[/#:]", name)[-1]


def read_usage(policies: list[object], where: str, notes: Notes) -> DeclaredUsage:
    """Return what these policies come to. What is no policy stands in ``unmapped``."""
    permitted: set[Use] = set()
    prohibited: set[Use] = set()
    words: dict[str, None] = {}
    for policy in policies[:MAX_RULES]:
        for kind, action, conditional, text in _rules(policy, where, notes):
            uses = _uses(kind, action)
            if kind == "permission" and not conditional:
                permitted |= uses
            elif kind == "prohibition":
                prohibited |= uses
            if conditional or not uses:
                words[text] = None
    if both := permitted & prohibited:
        names = ", ".join(sorted(use.value for use in both))
        notes.add(f"{where} permits and prohibits {names}: taken as prohibited")
    return DeclaredUsage(_in_order(permitted - prohibited), _in_order(prohibited), tuple(words))


def _in_order(uses: set[Use]) -> tuple[Use, ...]:
    return tuple(use for use in Use if use in uses)


def _uses(kind: str, action: str) -> frozenset[Use]:
    name = local(action).lower()
    if action.startswith(OURS):
        return frozenset(use for use in Use if use.value == name)
    if kind == "permission":
        return _PERMITS.get(name, frozenset())
    return _PROHIBITS.get(name, frozenset()) if kind == "prohibition" else frozenset()


def _rules(policy: object, where: str, notes: Notes) -> Iterator[tuple[str, str, bool, str]]:
    """Yield (kind of rule, action, whether it is under a condition, all of it in words)."""
    if not isinstance(policy, dict):
        yield "", "", True, shown(str(policy))
        return
    members = Members({local(name) if ":" in name else name: policy[name] for name in policy}, where, notes)
    if not any(kind in members.values for kind in _RULES):
        yield "", "", True, _in_words(members.values)
        return
    bound = sorted(members.values.keys() - _POLICY_HARMLESS)
    for kind in _RULES:
        for value in as_list(members.values.get(kind))[:MAX_RULES]:
            yield from _actions(kind, value, bound)


def _actions(kind: str, value: object, bound: list[str]) -> Iterator[tuple[str, str, bool, str]]:
    rule = {local(n) if ":" in n else n: v for n, v in value.items()} if isinstance(value, dict) else {}
    conditions = sorted(rule.keys() - _HARMLESS)
    for item in as_list(rule.get("action")) or [None]:
        action, refined = _action(item)
        words = [kind, local(action) or "of something that is not named"]
        words += [f"{name}: {_in_words(rule[name])}" for name in conditions]
        words += ["with a refinement"] if refined else []
        words += [f"under the policy's {', '.join(bound)}"] if bound else []
        yield kind, action, bool(conditions or bound or refined or not action), shown("; ".join(words))


def _action(item: object) -> tuple[str, bool]:
    """Return the action's name, ``""`` without one, and whether it is narrowed down."""
    if isinstance(item, str):
        return item, False
    if not isinstance(item, dict):
        return "", True
    names = {local(name) if ":" in name else name: item[name] for name in item}
    inner = names.get("@id") or names.get("value") or ""
    if isinstance(inner, dict):
        inner = inner.get("@id") or ""
    return (inner if isinstance(inner, str) else ""), bool(names.keys() - {"@id", "@type", "value", "name"})


def _in_words(value: object) -> str:
    """Return a JSON value in few words: its texts, in order."""
    texts: list[str] = []
    waiting = [value]
    while waiting and len(texts) < 40:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(reversed([inner for name, inner in item.items() if name != "@type"]))
        elif isinstance(item, list):
            waiting.extend(reversed(item))
        elif item is not None:
            texts.append(str(item))
    return shown(" ".join(texts)) or "nothing"
