"""What a file says of a model or a dataset, before anybody vouches for it.

* All of it is *declared*: whoever could edit the file could have written it. A verified signature says who
  wrote the digests down, and nothing about training or rights.
* ``None`` and empty mean that the file does not say. A value that could not be read is not here: it stands in
  ``notes``, in words.
* Digests are SHA-256 in hex of whole files. A shorter or other hash (AutoV2, a hash of the tensors alone)
  finds a file in somebody's catalogue and identifies nothing: it stands in ``facts``.
* Texts are single printable lines of at most 1,024 characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ledger.core.fields import present
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.report import Status


@dataclass(frozen=True, slots=True)
class DeclaredLicence:
    """A licence: SPDX expression (``LicenseRef-…`` for what SPDX does not list), exact text, where it is.

    The expression is normalised; the text's SHA-256 is of its bytes as they came.
    """

    expression: str | None = None
    text_sha256: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class DeclaredParent:
    """A model that went into another. ``weight`` and the weights of ``blocks`` are decimals, as texts."""

    name: str
    sha256: str | None
    role: ParentRole
    weight: str | None = None
    blocks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredTraining:
    """A dataset that a model was trained on. No format of today names the stage in a way of its own."""

    dataset: str
    sha256: str | None = None
    stage: TrainingStage | None = None


@dataclass(frozen=True, slots=True)
class DeclaredModel:
    """``sha256`` is of the weights; ``facts`` is whatever else is worth showing, by its name in the file."""

    name: str
    version: str | None = None
    kind: ModelKind | None = None
    sha256: str | None = None
    parents: tuple[DeclaredParent, ...] = ()
    training: tuple[DeclaredTraining, ...] = ()
    licence: DeclaredLicence | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeclaredUsage:
    """What an offer permits and prohibits, in our words for uses.

    A permission under a condition or a duty is not in ``permitted``, for nobody has checked the condition; a
    prohibition under one is in ``prohibited``. Both stand in ``unmapped`` in words, as does what has no word
    of ours.
    """

    permitted: tuple[Use, ...] = ()
    prohibited: tuple[Use, ...] = ()
    unmapped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredDataset:
    """``works`` counts the works; ``composition`` is what is in it, by facet; ``outputs_of`` names models."""

    name: str
    version: str | None = None
    sha256: str | None = None
    works: int | None = None
    licence: DeclaredLicence | None = None
    usage: DeclaredUsage = DeclaredUsage()
    composition: Mapping[str, str] = field(default_factory=dict)
    outputs_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """What one file says. ``source_sha256`` is of the bytes that were read.

    That is the whole file, except for safetensors, where it is the header with its length in front.
    """

    format: str
    source_sha256: str
    models: tuple[DeclaredModel, ...] = ()
    datasets: tuple[DeclaredDataset, ...] = ()
    notes: tuple[str, ...] = ()


class FileResult(StrEnum):
    """How a file compares with what was signed."""

    MATCH = "match"
    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"
    """It is there, and the signature does not cover it."""
    UNDECIDED = "undecided"
    """It was hashed in a way that cannot be repeated here."""


@dataclass(frozen=True, slots=True)
class SignedFile:
    """One file, by its path below the model's folder. ``sha256`` is set where the bytes match it."""

    name: str
    result: FileResult
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """A model's signature: who signed, whether they did, and what became of each file.

    ``root_sha256`` is the signed digest over the files' digests. ``signer`` names the key (SHA-256 of its DER
    SubjectPublicKeyInfo) or the certificate's subject; it is ``None`` when nobody was found to have signed.
    """

    signature: Status
    model: str
    root_sha256: str | None
    signer: str | None
    files: tuple[SignedFile, ...]
    words: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """Failed for a wrong signature or any file that differs, is missing or was added; else the rest."""
        results = {file.result for file in self.files}
        if self.signature is Status.FAILED or results & {
            FileResult.CHANGED,
            FileResult.MISSING,
            FileResult.EXTRA,
        }:
            return Status.FAILED
        if self.signature is Status.UNDECIDED or FileResult.UNDECIDED in results:
            return Status.UNDECIDED
        return Status.PASSED

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return present(
            model=self.model,
            status=self.status.value,
            signature=self.signature.value,
            signer=self.signer,
            rootSha256=self.root_sha256,
            files=[
                present(name=file.name, result=file.result.value, sha256=file.sha256) for file in self.files
            ],
            words=list(self.words),
        )
