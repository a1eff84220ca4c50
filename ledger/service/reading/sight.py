"""What a viewer sees of a production: the same answers, less what is not theirs (docs/spec/http-reading.md).

* Without the registry nobody sees datasets, what models were made from, grants or parties: neither by asking
  for them nor by way of a file, a lineage or a verdict.
* Who may read verdicts and no work sees those on final deliverables about final files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.core.access import Action, Viewer

_OF_THE_REGISTRY = frozenset(("detail", "grants", "path", "subject", "use", "at", "knownSince", "override"))
"""Members of a reason that name facts of the registry."""
_REASONS = ("reasons", "changed", "learned")
"""Members of a clearance that hold reasons."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may read."""

    work: bool = True
    registry: bool = True
    verdicts: bool = True

    def reason(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return a reason as it may be shown: what is used at the file itself is work, all else registry."""
        if self.registry:
            return dict(said)
        shown = {name: value for name, value in said.items() if name not in _OF_THE_REGISTRY}
        path = said.get("path", ())
        return {**shown, "through": path[0]} if self.work and path else shown

    def answer(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return a verdict's answer at one moment, with its reasons as they may be shown."""
        if self.registry:
            return dict(said)
        shown = {name: value for name, value in said.items() if name != "dependencyLevels"}
        return {**shown, "reasons": [self.reason(item) for item in said.get("reasons", ())]}

    def clearance(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return a clearance as it may be shown."""
        if self.registry:
            return dict(said)
        hidden = ("dependencyLevels", "lowest")
        lists = {name: [self.reason(item) for item in said[name]] for name in _REASONS}
        return {**{name: value for name, value in said.items() if name not in hidden}, **lists}


def sight_of(viewer: Viewer, production: str) -> Sight:
    """Return what this viewer may read of this production."""
    return Sight(
        viewer.may(Action.READ_WORK, production),
        viewer.may(Action.READ_REGISTRY, production),
        viewer.may(Action.READ_VERDICTS, production),
    )
