"""What a picture or a film says of how it was made, and how far that can be relied on.

* An ``Account`` is what one place of one file says in one convention: so each fact has its source. Two
  places may contradict each other; both stand here, and nothing is merged.
* **Declared** is all that is text in the file: an image editor, or a text editor, could have written it, and
  no tool stood by (design, invariant 7). That a C2PA manifest is signed changes nothing *here*: whether its
  signature holds is for `rakkan verify` to say.
* **Inferred** is what follows from the structure of a workflow that the file carries: which of its nodes lead
  to an output, and with what. Nobody typed that; it is worked out from what the tool wrote for its own use.
* Nothing is **observed**: no hook of ours saw it.
* A short hash (AutoV1, AutoV2, AutoV3) or a name finds a model in a catalogue. Neither identifies one.
* Prompts are confidential. They stand in ``prompts`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ledger.core.fields import present
from ledger.core.predicates.step import Evidence


class HashKind(StrEnum):
    """What a hash in a file's text is of. All are hex, in lower case."""

    SHA256 = "sha256"
    """Of the whole file, in full."""
    AUTOV1 = "AutoV1"
    """SHA-256 of 64 KiB at 1 MiB, the first 8 digits. Files of one family often share it."""
    AUTOV2 = "AutoV2"
    """SHA-256 of the whole file, its first digits: 10 by convention, 12 of an embedding."""
    AUTOV3 = "AutoV3"
    """SHA-256 of what follows the header of a safetensors file, the first 12 digits."""
    TENSORS = "tensors"
    """The same in full. It survives an edit of the header, so it is not the file's identity."""
    BLAKE3 = "blake3"
    """Of the whole file or of its parts, as InvokeAI's settings have it."""
    OTHER = "other"


class ClaimKind(StrEnum):
    """What a model is said to have done."""

    CHECKPOINT = "checkpoint"
    LORA = "lora"
    EMBEDDING = "embedding"
    HYPERNETWORK = "hypernetwork"
    CONTROLNET = "controlnet"
    ADAPTER = "adapter"
    VAE = "vae"
    TEXT_ENCODER = "text-encoder"
    UPSCALER = "upscaler"
    DETECTOR = "detector"
    OTHER = "other"


class PromptRole(StrEnum):
    """What a text asked for."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    """What was *not* wanted: a name in it asks for nothing."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ShortHash:
    """A hash that a file states of a model."""

    kind: HashKind
    value: str

    def __str__(self) -> str:
        """Return how a person reads it."""
        return f"{self.kind.value} {self.value}"


@dataclass(frozen=True, slots=True)
class ModelClaim:
    """A model that a file says was used. ``strength`` is a decimal as it was written.

    ``reference`` is how a catalogue names it: an AIR, or a version's number.
    """

    name: str
    kind: ClaimKind
    hashes: tuple[ShortHash, ...] = ()
    strength: str | None = None
    reference: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            name=self.name,
            kind=self.kind.value,
            hashes=[{"kind": item.kind.value, "value": item.value} for item in self.hashes],
            strength=self.strength,
            reference=self.reference,
        )


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, with its line ends. Confidential."""

    role: PromptRole
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one place says. All texts but prompts are single printable lines of at most 1,024 characters.

    ``parameters`` are numbers and settings, fit for a step's record. ``facts`` is whatever else is worth
    showing (rights, credits, paths): it stays out of the log. ``service`` is there where a remote service is
    named, ``derived_from`` names other files or documents.
    """

    convention: str
    where: str
    evidence: Evidence
    tool: str | None = None
    version: str | None = None
    service: str | None = None
    models: tuple[ModelClaim, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    source_types: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the account, prompts included: for whoever has the file in hand."""
        return present(
            convention=self.convention,
            where=self.where,
            evidence=self.evidence.value,
            tool=self.tool,
            version=self.version,
            service=self.service,
            models=[model.to_json() for model in self.models],
            prompts=[{"role": prompt.role.value, "text": prompt.text} for prompt in self.prompts],
            parameters=dict(self.parameters),
            digitalSourceTypes=list(self.source_types),
            derivedFrom=list(self.derived_from),
            facts=dict(self.facts),
            notes=list(self.notes),
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What one file says, in the order of its places. ``notes`` is what could not be read, in words."""

    media_type: str
    accounts: tuple[Account, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the whole of it."""
        return present(
            mediaType=self.media_type,
            accounts=[account.to_json() for account in self.accounts],
            notes=list(self.notes),
        )
