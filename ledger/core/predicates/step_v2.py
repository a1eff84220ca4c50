"""``step/v2``: as ``step/v1``, and whose remote service ran it, whose likeness went in, how it was captured.

A remote service is also one of the materials, in the role of a model, under its name
(``urn:rakkan:service:…``): so there is one way only in which something goes into a file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ledger.core.artifact import Artifact, Role, read_artifact
from ledger.core.fields import Fields, in_order, present
from ledger.core.predicates.capture import Capture, read_capture
from ledger.core.predicates.model_v2 import Service, read_service
from ledger.core.predicates.step import Step, read_parts


@dataclass(frozen=True, slots=True, kw_only=True)
class StepV2(Step):
    """``plan_tier`` is the account's; it decides which terms apply. ``people`` are pseudonyms.

    ``capture`` is there when a device recorded the step by itself.
    """

    TYPE: ClassVar[str] = "https://rakkan.org/step/v2"

    service: Service | None = None
    plan_tier: str | None = None
    people: tuple[str, ...] = ()
    capture: Capture | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        # Not super(): a dataclass with slots is another class than the one that zero arguments refer to.
        return Step.to_json(self) | present(
            service=self.service and self.service.to_json(),
            planTier=self.plan_tier,
            people=in_order(self.people),
            capture=self.capture and self.capture.to_json(),
        )

    @classmethod
    def read(cls, fields: Fields) -> StepV2:
        """Take the predicate's fields."""
        found = cls(
            **read_parts(fields),
            materials=_read_materials(fields),
            service=read_service(fields),
            plan_tier=fields.optional_text("planTier"),
            people=fields.distinct("people"),
            capture=read_capture(fields.sub("capture")) if fields.has("capture") else None,
        )
        if found.plan_tier is not None and found.service is None:
            raise fields.error("planTier", "goes with a service")
        if found.service is not None and not _is_material(found.service, found.materials):
            raise fields.error("service", "must be among the materials, in the role of a model")
        return found


def _is_material(service: Service, materials: tuple[Artifact, ...]) -> bool:
    expected = replace(service.subject, role=Role.MODEL)
    return expected in materials


def _read_materials(fields: Fields) -> tuple[Artifact, ...]:
    items = enumerate(fields.items("materials"))
    return tuple(read_artifact(item, f"predicate.materials[{n}]", frozenset(Role)) for n, item in items)
