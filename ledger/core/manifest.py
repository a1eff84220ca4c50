"""What Rakkan asks of a C2PA manifest and what it reads from one, as plain values.

The C2PA library stays behind ``ports.ManifestCodec``; nothing of it is seen here. Two halves:

* ``ManifestPlan``: what to put into a new manifest (C2PA 2.4 words; docs/spec/manifest.md);
* ``Reading``: what a manifest store says, manifest by manifest. The library's one-word state hides a bad
  ancestor, so a reading keeps every recorded validation code of every ingredient.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

LEDGER_ENTRY = "org.rakkan.ledger-entry"
"""Label of the assertion that carries entries with their receipts (docs/spec/ledger-entry.md)."""


class Relationship(StrEnum):
    """How an ingredient relates to the asset (C2PA 2.4, ingredient assertion)."""

    PARENT = "parentOf"
    COMPONENT = "componentOf"
    INPUT = "inputTo"


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One thing that the asset was made from.

    ``label`` is unique within the plan; actions name it in ``ingredient_labels``. An ingredient that was
    sealed brings its manifest ``store`` (bytes) and the ``sha256`` (hex) of the asset that store belongs to
    *as the asset lay on disk when it was read*; one without a store may bring ``data``, small bytes
    embedded in the manifest (a prompt's commitment).
    """

    label: str
    title: str
    relationship: Relationship
    media_type: str
    data_type: str | None = None
    store: bytes | None = None
    sha256: str | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One action of ``c2pa.actions.v2``."""

    action: str
    when: datetime
    digital_source_type: str | None = None
    software_agent: str | None = None
    software_version: str | None = None
    ingredient_labels: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ManifestPlan:
    """Everything a new manifest says, apart from its hard binding.

    ``assertions`` maps a label to its JSON-like value; all of them are *created* assertions, attributed to
    the signer. The hard binding is added by the codec, which sees the bytes.
    """

    title: str
    media_type: str
    actions: tuple[Action, ...]
    ingredients: tuple[Ingredient, ...]
    assertions: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ClaimCredential:
    """What signs claims: a PKCS#8 PEM key and its PEM chain, leaf first, without the root."""

    key_pem: bytes = field(repr=False)
    chain_pem: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """What embedding produced: the manifest store, and what its hard binding holds.

    ``bound_sha256`` (hex) is the digest of the unsealed file for one-pass formats, ``None`` where the library
    chose the binding. The digest of the sealed file is not here: it belongs to the record of the seal, and is
    taken while the next file is being sealed.
    """

    store: bytes
    bound_sha256: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One C2PA status code with what it points at and the library's own sentence."""

    code: str
    url: str
    explanation: str


@dataclass(frozen=True, slots=True)
class SignerFacts:
    """Who signed a claim, read from the certificate itself; ``None`` where it could not be read."""

    common_name: str
    organization: str
    certificate_sha256: str | None
    serial: str | None
    not_before: datetime | None
    not_after: datetime | None
    ekus: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IngredientFacts:
    """One ingredient as a manifest records it, with the results its maker recorded when adding it."""

    title: str
    relationship: str
    manifest: str | None
    data_types: tuple[str, ...]
    failures: tuple[Finding, ...]
    validated: bool
    """Whether any validation results were recorded at all."""


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """One manifest of a store: its claim, its assertions, its ingredients."""

    label: str
    title: str
    generator: str
    signer: SignerFacts | None
    signed_at: datetime | None
    """The time a time stamp token states, trusted or not; ``None`` without a token."""
    assertions: dict[str, Any]
    ingredients: tuple[IngredientFacts, ...]
    bound_sha256: str | None
    """Hex hash of the ``c2pa.hash.data`` binding, where there is one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A manifest store as read against one asset and one trust root.

    ``success``/``informational``/``failure`` are the active manifest's status codes as computed now;
    ``deltas`` are failures of ancestors computed now that their makers did not record.
    ``trust_list`` names the anchor list that accepted the signer. ``embedded`` is false for a sidecar.
    """

    active: str
    manifests: dict[str, ManifestFacts]
    success: tuple[Finding, ...]
    informational: tuple[Finding, ...]
    failure: tuple[Finding, ...]
    deltas: tuple[Finding, ...]
    state: str
    trust_list: str | None
    embedded: bool
    remote_url: str | None = None

    @property
    def active_manifest(self) -> ManifestFacts:
        """The newest manifest: the one that describes the asset itself."""
        return self.manifests[self.active]
