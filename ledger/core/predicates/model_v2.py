"""``model/v2``: a model is registered: its kind, what it was made from, and what it was trained on.

* The subject's SHA-256 is of its weights. A remote service has none at hand: its subject is its name
  (``urn:rakkan:service:…``), and nobody outside its vendor can look inside it.
* ``parents`` are the models that it was made from: the base of a fine-tune, of a LoRA, of a merge each one
  with its weight. What may not be done with a parent may not be done with the child.
* ``evidence`` says how its making came to be known. What was read from a file that anybody could edit is
  *declared*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.artifact import Artifact, named
from ledger.core.fields import Fields, format_time, present
from ledger.core.predicates.licence import Licence, read_licence
from ledger.core.predicates.model import Model, check_trainings, read_trainings
from ledger.core.predicates.step import Evidence

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


class ModelKind(StrEnum):
    """What a model is to the others."""

    BASE = "base"
    FINE_TUNE = "fine-tune"
    LORA = "lora"
    CONTROLNET = "controlnet"
    VAE = "vae"
    UPSCALER = "upscaler"
    MERGE = "merge"
    SERVICE = "service"
    OTHER = "other"
    """An embedding, a detector, an encoder: what the other words do not fit."""


class ParentRole(StrEnum):
    """What a parent gave to the child."""

    BASE = "base"
    """The child continues its training."""
    MERGED = "merged"
    """Its weights are part of the child's."""
    ADAPTER_BASE = "adapter-base"
    """The child only works on top of it."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A model that went into another. ``weight`` and the weights of ``blocks`` are decimals: ``-0.25``."""

    name: str
    sha256: str
    role: ParentRole
    weight: str | None = None
    blocks: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            name=self.name,
            sha256=self.sha256,
            role=self.role.value,
            weight=self.weight,
            blocks=dict(self.blocks),
        )


@dataclass(frozen=True, slots=True)
class Service:
    """A remote model: who offers it, as what, and the snapshot that the vendor names, where it names one."""

    vendor: str
    product: str
    snapshot: str | None = None

    @property
    def name(self) -> str:
        """Return ``vendor/product`` or ``vendor/product/snapshot``."""
        return "/".join(part for part in (self.vendor, self.product, self.snapshot) if part)

    @property
    def subject(self) -> Artifact:
        """Return how statements name it."""
        return named("service", self.name)

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(vendor=self.vendor, product=self.product, snapshot=self.snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelV2(Model):
    """``recorded`` is when the studio registered it; ``service`` is there for a remote service only."""

    TYPE: ClassVar[str] = "https://rakkan.org/model/v2"

    recorded: datetime
    kind: ModelKind
    evidence: Evidence = Evidence.DECLARED
    parents: tuple[Parent, ...] = ()
    licence: Licence | None = None
    service: Service | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        # Not super(): a dataclass with slots is another class than the one that zero arguments refer to.
        return Model.to_json(self) | present(
            recorded=format_time(self.recorded),
            kind=self.kind.value,
            evidence=self.evidence.value,
            parents=[parent.to_json() for parent in self.parents],
            licence=self.licence and self.licence.to_json(),
            service=self.service and self.service.to_json(),
        )

    @classmethod
    def read(cls, fields: Fields) -> ModelV2:
        """Take the predicate's fields."""
        parents = enumerate(fields.items("parents"))
        found = cls(
            fields.text("name"),
            fields.text("version"),
            read_trainings(fields),
            recorded=fields.time("recorded"),
            kind=fields.choice("kind", ModelKind),
            evidence=fields.choice("evidence", Evidence),
            parents=tuple(_read_parent(Fields(item, f"predicate.parents[{n}]")) for n, item in parents),
            licence=read_licence(fields),
            service=read_service(fields),
        )
        if (found.service is not None) != (found.kind is ModelKind.SERVICE):
            raise fields.error("service", "goes with the kind service, and with no other")
        if found.kind is ModelKind.MERGE and not found.parents:
            raise fields.error("parents", "must name what was merged")
        if len({parent.sha256 for parent in found.parents}) != len(found.parents):
            raise fields.error("parents", "must not name a model twice")
        check_trainings(fields, found.training)
        return found


def read_service(fields: Fields) -> Service | None:
    """Take the optional member ``service``."""
    if not fields.has("service"):
        return None
    inner = fields.sub("service")
    found = Service(*read_product(inner), inner.optional_text("snapshot"))
    inner.end()
    return found


def read_product(fields: Fields) -> tuple[str, str]:
    """Take ``vendor`` and ``product``."""
    vendor, product = fields.text("vendor"), fields.text("product")
    if "/" in vendor + product:
        raise fields.error("product", "and vendor must not hold a slash: it parts the name of the service")
    return vendor, product


def _read_parent(fields: Fields) -> Parent:
    found = Parent(
        fields.text("name"),
        fields.sha256("sha256"),
        fields.choice("role", ParentRole),
        fields.optional_text("weight"),
        tuple(fields.map("blocks").items()),
    )
    for weight in (found.weight or "0", *dict(found.blocks).values()):
        if not _DECIMAL.fullmatch(weight):
            raise fields.error("weight", f"must be a decimal such as -0.25, not {weight[:40]!r}")
    fields.end()
    return found
