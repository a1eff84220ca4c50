"""What is recorded about an ingredient when it goes into a manifest (docs/spec/manifest.md, "Ingredients").

* An ingredient's manifest is validated here and now, by the library, against our anchors; its failures are
  recorded as they are. An unknown signer or a tampered store stays visible for ever;
* with the asset at hand (the file being sealed), the library compares it: its results go in unchanged;
* with a digest only, a binding without exclusions is compared with that digest: ``assertion.dataHash.match``
  or the mismatch; any other binding could not be compared, and then neither word is recorded.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

from ledger.adapters.c2pa_codec import library
from ledger.adapters.c2pa_codec.definition import Json, Recorded
from ledger.adapters.c2pa_codec.reading import DATA_HASH, bound_sha256
from ledger.core.containers import jumbf
from ledger.core.manifest import Ingredient
from ledger.errors import MalformedError
from ledger.ports import Anchors

_BINDINGS = (DATA_HASH, "c2pa.hash.bmff", "c2pa.hash.boxes", "c2pa.hash.collection")


def record(position: int, ingredient: Ingredient, anchors: Anchors, hour: str) -> Recorded:
    """Return the ingredient as the ``position``-th of its manifest.

    ``hour`` says how fresh a remembered validation must be: a certificate may expire between two frames.
    """
    base = _base(ingredient)
    if ingredient.store is not None:
        label, results = _validate_store(ingredient.store, ingredient.sha256, anchors, hour)
        return with_store(position, ingredient, ingredient.store, label, results)
    if ingredient.data is None:
        return Recorded(base)
    identifier = f"{position}.data"
    base["data"] = {"format": ingredient.media_type, "identifier": identifier}
    return Recorded(base, ((identifier, ingredient.data),))


def with_store(position: int, ingredient: Ingredient, store: bytes, label: str, results: Json) -> Recorded:
    """Return an ingredient that brings its manifest store, whose active manifest is ``label``."""
    identifier = f"{position}.c2pa"
    extra: Json = {
        "manifest_data": {"format": library.STORE_TYPE, "identifier": identifier},
        "active_manifest": label,
        "validation_results": results,
    }
    return Recorded(_base(ingredient) | extra, ((identifier, store),))


def _base(ingredient: Ingredient) -> Json:
    base: Json = {
        "label": ingredient.label,
        "title": ingredient.title,
        "format": ingredient.media_type,
        "relationship": ingredient.relationship.value,
    }
    if ingredient.data_type is not None:
        base["data_types"] = [{"type": ingredient.data_type}]
    return base


@lru_cache(maxsize=256)
def _validate_store(store: bytes, sha256: str | None, anchors: Anchors, _hour: str) -> tuple[str, Json]:
    """Return the active manifest's label and the results to record, the asset being known by digest only.

    Remembered: ten thousand frames of one shot name the same model.
    """
    jumbf.manifests(store)
    with library.reader(library.STORE_TYPE, io.BytesIO(store), None, anchors) as opened:
        if opened is None:
            raise MalformedError("manifest.malformed", "The ingredient's manifest store is empty.")
        report = library.detailed(opened)
    label: str = report["active_manifest"]
    results: Json = report["validation_results"]
    try:
        binding = report["manifests"][label]["assertion_store"].get(DATA_HASH)
        known = sha256 if isinstance(binding, dict) and not binding.get("exclusions") else None
        settle_binding(results["activeManifest"], known, bound_sha256(binding))
    except (AttributeError, KeyError, TypeError) as error:
        raise MalformedError(
            "manifest.malformed", "The ingredient's manifest has no sensible shape."
        ) from error
    return label, results


def settle_binding(active: Json, known: str | None, bound: str | None) -> None:
    """Replace what the library says about an asset it never saw by what the digest says."""
    unseen = [item for item in active["failure"] if _is_unseen_binding(item)]
    if known is not None and known != bound:
        return  # a true mismatch: the library's failure says so
    active["failure"] = [item for item in active["failure"] if item not in unseen]
    if known is not None:
        active["success"] += [
            item | {"code": "assertion.dataHash.match", "explanation": "data hash equals the asset's SHA-256"}
            for item in unseen
        ]


def _is_unseen_binding(item: dict[str, Any]) -> bool:
    label = str(item.get("url") or "").rsplit("/", 1)[-1]
    return label.startswith(_BINDINGS) and item["code"].endswith("Hash.mismatch")
