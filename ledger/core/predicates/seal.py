"""``seal/v1``: files were given their manifests. The subjects are the sealed files, by their new digests.

One entry seals many files: ``manifests[n]`` belongs to ``subject[n]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.fields import Fields, format_time


class Form(StrEnum):
    """Where the manifest lives."""

    EMBEDDED = "embedded"
    SIDECAR = "sidecar"


@dataclass(frozen=True, slots=True)
class SealedManifest:
    """One file's manifest store and the file before it was sealed, both by SHA-256 (hex)."""

    store: str
    source: str
    form: Form


@dataclass(frozen=True, slots=True)
class Seal:
    """When the files were sealed, and with what."""

    TYPE: ClassVar[str] = "https://rakkan.org/seal/v1"

    sealed: datetime
    manifests: tuple[SealedManifest, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        manifests = [
            {"store": item.store, "source": item.source, "form": item.form.value} for item in self.manifests
        ]
        return {"sealed": format_time(self.sealed), "manifests": manifests}

    @classmethod
    def read(cls, fields: Fields) -> Seal:
        """Take the predicate's fields."""
        items = enumerate(fields.items("manifests"))
        manifests = tuple(_read_manifest(Fields(item, f"predicate.manifests[{n}]")) for n, item in items)
        if not manifests:
            raise fields.error("manifests", "must name at least one manifest")
        return cls(fields.time("sealed"), manifests)


def _read_manifest(fields: Fields) -> SealedManifest:
    found = SealedManifest(fields.sha256("store"), fields.sha256("source"), fields.choice("form", Form))
    fields.end()
    return found
