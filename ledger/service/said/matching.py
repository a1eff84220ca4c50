"""What a file says of its models, held against the registry.

* A full SHA-256 names one model. That the file states it is still only what the file says.
* A short hash or a name is a look-up: it gives candidates, several of them perhaps, and never evidence. No
  record may rest on one.
* AutoV2 is the beginning of a SHA-256, so the registry can answer. For AutoV1, AutoV3 and digests of the
  tensors the caller brings what it computed of the weights that it has at hand.
* What the file names and nobody registered is said, too: it is the first thing to ask the artist about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from ledger.core.artifact import Artifact
from ledger.core.fields import present
from ledger.core.predicates import Model
from ledger.core.rights.facts import Facts, Known
from ledger.core.said import Account, HashKind, ModelClaim, Said, ShortHash
from ledger.service.rights.reading import facts_of
from ledger.service.studio import Studio

MIN_PREFIX = 8
"""Digits of a short hash, below which it says nothing."""


class Certainty(StrEnum):
    """How a model of the registry was found, strongest first."""

    DIGEST = "digest"
    SHORT_HASH = "short-hash"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Matched:
    """One model that a file names. Without ``candidates`` nobody registered it.

    ``certainty`` is that of all candidates; a weaker way to find it is only taken where a stronger one finds
    nothing. ``contradicted``: a model of this name is registered, and its digest is not the stated one.
    """

    where: str
    claim: ModelClaim
    candidates: tuple[Artifact, ...] = ()
    certainty: Certainty | None = None
    contradicted: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the object."""
        return present(
            where=self.where,
            model=self.claim.to_json(),
            certainty=self.certainty and self.certainty.value,
            candidates=[{"name": item.name, "sha256": item.sha256} for item in self.candidates],
            contradicted=self.contradicted or None,
        )


Weights = Mapping[ShortHash, str]
"""Short hashes of weights at hand, each with the SHA-256 of its file."""


def match(studio: Studio, said: Said, weights: Weights | None = None) -> tuple[Matched, ...]:
    """Return every model that the file names, in its order, with what the registry knows of it."""
    known = _Registry(facts_of(studio), weights or {})
    return tuple(_matched(known, account, claim) for account in said.accounts for claim in account.models)


class _Registry:
    """The registered models by what a file may say of them."""

    def __init__(self, facts: Facts, weights: Weights) -> None:
        self._models = facts.models
        self._weights = weights
        self._names: dict[str, list[str]] = {}
        for sha256, known in facts.models.items():
            for name in {_bare(known.predicate.name), _bare(known.subjects[0].name)}:
                self._names.setdefault(name, []).append(sha256)

    def by_digest(self, claim: ModelClaim) -> list[str]:
        return [
            item.value for item in claim.hashes if item.kind is HashKind.SHA256 and item.value in self._models
        ]

    def by_short_hash(self, claim: ModelClaim) -> list[str]:
        found: dict[str, None] = {}
        for item in claim.hashes:
            if item.kind is HashKind.AUTOV2 and len(item.value) >= MIN_PREFIX:
                found |= dict.fromkeys(sha256 for sha256 in self._models if sha256.startswith(item.value))
            found |= dict.fromkeys(sha256 for sha256 in self._at_hand(item) if sha256 in self._models)
        return list(found)

    def by_name(self, claim: ModelClaim) -> list[str]:
        return self._names.get(_bare(claim.name), [])

    def artifact(self, sha256: str) -> Artifact:
        known: Known[Model] = self._models[sha256]
        return Artifact(known.predicate.name, sha256)

    def _at_hand(self, item: ShortHash) -> Iterable[str]:
        yield from (self._weights[item],) if item in self._weights else ()
        if item.kind is HashKind.TENSORS:  # AutoV3 is its beginning
            yield from self._at_hand(ShortHash(HashKind.AUTOV3, item.value[:12]))


def _matched(known: _Registry, account: Account, claim: ModelClaim) -> Matched:
    named = known.by_name(claim)
    for certainty, found in (
        (Certainty.DIGEST, known.by_digest(claim)),
        (Certainty.SHORT_HASH, known.by_short_hash(claim)),
        (Certainty.NAME, named),
    ):
        if found:
            return Matched(
                account.where,
                claim,
                tuple(known.artifact(sha256) for sha256 in found),
                certainty,
                contradicted=_contradicts(claim, named),
            )
    return Matched(account.where, claim)


def _contradicts(claim: ModelClaim, named: list[str]) -> bool:
    """Whether the file states a beginning of a SHA-256 that no registered model of its name has."""
    stated = [item.value for item in claim.hashes if item.kind in (HashKind.SHA256, HashKind.AUTOV2)]
    return bool(stated and named) and not any(sha256.startswith(tuple(stated)) for sha256 in named)


def _bare(name: str) -> str:
    """Return a model's name as tools and people both write it: without its folder and its extension."""
    base = PurePosixPath(name.replace("\\", "/")).name or name
    for extension in (".safetensors", ".ckpt", ".gguf", ".pth", ".pt", ".bin"):
        base = base.removesuffix(extension)
    return base.casefold()
