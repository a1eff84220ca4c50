"""Reading a sidecar: the library validates the store alone, the file is only hashed.

* The library would read the whole file into memory; here no more than a buffer of it is;
* only a plain data hash is settled so: SHA-256 over all bytes. Every other binding is the library's to judge.
"""

from __future__ import annotations

import io
from hashlib import file_digest
from io import FileIO
from typing import Any

from ledger.adapters.c2pa_codec import library
from ledger.adapters.c2pa_codec.definition import Json
from ledger.adapters.c2pa_codec.ingredients import settle_binding
from ledger.adapters.c2pa_codec.reading import DATA_HASH, bound_sha256, reading
from ledger.core.containers import jumbf
from ledger.core.manifest import Reading
from ledger.errors import MalformedError
from ledger.ports import Anchors


def read(asset: FileIO, store: bytes, anchors: Anchors) -> Reading | None:
    """Return the reading of a sidecar about ``asset``, or ``None`` where the library has to see the asset.

    Raises ``MalformedError`` (``manifest.malformed``, ``manifest.too-large``). The asset is rewound.
    """
    report = _report(store, anchors)
    bound = _plain_binding(report)
    if bound is None:
        return None
    active = report["validation_results"]["activeManifest"]
    settle_binding(active, file_digest(asset, "sha256").hexdigest(), bound)
    asset.seek(0)
    report["validation_state"] = _state(active)
    return reading(report, store, None, embedded=False, remote_url=None)


def read_alone(store: bytes, anchors: Anchors) -> Reading:
    """Return the reading of a manifest whose file is not at hand: no word about the bytes that it binds.

    Raises ``MalformedError`` (``manifest.malformed``, ``manifest.too-large``).
    """
    report = _report(store, anchors)
    active = report["validation_results"]["activeManifest"]
    settle_binding(active, None, None)
    report["validation_state"] = _state(active)
    return reading(report, store, None, embedded=False, remote_url=None)


def _report(store: bytes, anchors: Anchors) -> Json:
    jumbf.manifests(store)
    with library.reader(library.STORE_TYPE, io.BytesIO(store), None, anchors) as opened:
        if opened is None:
            raise MalformedError("manifest.malformed", "The manifest store cannot be read.")
        return library.detailed(opened)


def _plain_binding(report: Json) -> str | None:
    """Return the SHA-256 (hex) that the active manifest binds, where it is over all bytes of the file."""
    manifest: Any = report["manifests"].get(report["active_manifest"])
    assertions = manifest.get("assertion_store") if isinstance(manifest, dict) else None
    binding = assertions.get(DATA_HASH) if isinstance(assertions, dict) else None
    if not isinstance(binding, dict) or binding.get("exclusions"):
        return None
    return bound_sha256(binding)


def _state(active: Json) -> str:
    """Return the library's word for these results, had it seen the asset."""
    codes = {item["code"] for item in active["failure"]}
    if codes - {"signingCredential.untrusted"}:
        return "Invalid"
    trusted = any(item["code"] == "signingCredential.trusted" for item in active["success"])
    return "Trusted" if trusted and not codes else "Valid"
