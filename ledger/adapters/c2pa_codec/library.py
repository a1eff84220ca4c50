"""The border to ``c2pa-python``: contexts, signers, and its exceptions as ours.

* Settings are explicit: no thumbnails, no network, no check after signing (what it would catch, a key that
  does not fit its certificate, is checked here before);
* a ``Context`` and a ``Signer`` never change and may be shared by threads; a ``Builder`` and a ``Reader``
  belong to one call and are closed by it;
* an unknown settings key is silently ignored by the library, so every key here is held by a test.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import IO, Any

from c2pa import Builder, C2paError, C2paSignerInfo, Context, Reader, Signer
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ledger.adapters.c2pa_codec.definition import TIMESTAMP_TRUST_URI, TRUST_URI, Json, Recorded
from ledger.core.containers.jumbf import MAX_STORE
from ledger.core.manifest import ClaimCredential
from ledger.core.verify.manifest_checks import LISTS
from ledger.errors import MalformedError, RakkanError, RefusedError, UndecidedError
from ledger.ports import Anchors

STORE_TYPE = "application/c2pa"
_NO_ASSET = "c2pa"
"""What the library calls the format when it signs a store alone."""
_MAX_SETTINGS = 1024 * 1024

_CREATED = ["c2pa.actions", "c2pa.ingredient", "c2pa.embedded-data", "c2pa.hash"]
"""Assertions that the library adds by itself and that the signer stands for all the same."""

_NO_NETWORK = {"remote_manifest_fetch": False, "ocsp_fetch": False}


@dataclass(frozen=True, slots=True)
class Identity:
    """A credential made ready: the library's signer, and when its certificate is valid."""

    signer: Signer
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Asset:
    """What the library reads and writes when it embeds. The target must be open for reading too."""

    media_type: str
    source: IO[bytes]
    target: IO[bytes]


@lru_cache(maxsize=1)
def _signing_context() -> Context:
    settings: Json = {
        "builder": {"thumbnail": {"enabled": False}, "created_assertion_labels": _CREATED},
        "verify": {"verify_after_sign": False, **_NO_NETWORK},
    }
    return Context.from_dict(settings)


@lru_cache(maxsize=16)
def _reading_context(anchors: Anchors) -> Context:
    claims, stamps = _certificates(anchors.manifest_pem), _certificates(anchors.timestamp_pem)
    # The library names any list that holds the anchor, whatever its kind: one in both goes into the first
    # only, or a reading would name one list or the other by chance.
    lists = [("manifest", TRUST_URI, claims)]
    known = claims
    for name, pem in anchors.lists:
        lists.append(("manifest", LISTS + name, _certificates(pem) - known))
        known |= _certificates(pem)
    lists.append(("tsa", TIMESTAMP_TRUST_URI, stamps - known))
    settings: Json = {
        "trust": {
            "anchors": [
                {"trust_kind": kind, "trust_uri": uri, "trust_anchors": "".join(sorted(pems))}
                for kind, uri, pems in lists
                if pems
            ]
        },
        "verify": _NO_NETWORK,
        # A compressed manifest is only counted by our own walk, so what it unpacks to is bounded here.
        "core": {"max_decompressed_manifest_size_in_mb": MAX_STORE // 2**20},
    }
    if len(json.dumps(settings)) > _MAX_SETTINGS:
        raise MalformedError("trust.malformed", "The trust anchors are larger than the library reads.")
    return Context.from_dict(settings)


@lru_cache(maxsize=16)
def _certificates(pem: str) -> frozenset[str]:
    if not pem.strip():
        return frozenset()
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise MalformedError("trust.malformed", "The trust anchors are not PEM certificates.") from error
    return frozenset(certificate.public_bytes(Encoding.PEM).decode() for certificate in found)


@lru_cache(maxsize=16)
def identity(credential: ClaimCredential, timestamp_url: str | None) -> Identity:
    """Return the credential made ready for signing.

    Raises ``MalformedError("key.malformed")`` and ``RefusedError("key.certificate-mismatch")``.
    """
    try:
        key = load_pem_private_key(credential.key_pem, None)
        leaf = x509.load_pem_x509_certificates(credential.chain_pem)[0]
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise MalformedError("key.malformed", "The device's key or certificate cannot be read.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        raise MalformedError("key.malformed", "The key is neither Ed25519 nor P-256.")
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise RefusedError("key.certificate-mismatch", "The certificate was issued for another key.")
    algorithm = "ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "es256"
    url = None if timestamp_url is None else timestamp_url.encode()
    info = C2paSignerInfo(algorithm.encode(), credential.chain_pem, credential.key_pem, url)
    try:
        signer = Signer.from_info(info)
    except C2paError as error:
        raise RefusedError(
            "seal.sign", "The library refuses this key or certificate.", reason=error
        ) from error
    return Identity(signer, leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def sign_store(
    definition: Json, inputs: Sequence[Recorded], credential: ClaimCredential, url: str | None
) -> bytes:
    """Return a signed manifest store. The definition brings its own hard binding; no asset is read."""
    with _builder(definition, inputs) as builder:
        builder.set_no_embed()
        nothing = Asset(_NO_ASSET, io.BytesIO(b""), io.BytesIO())
        return _sign(builder, identity(credential, url).signer, nothing, stamped=bool(url))


def sign_into(
    definition: Json,
    inputs: Sequence[Recorded],
    credential: ClaimCredential,
    url: str | None,
    asset: Asset,
) -> bytes:
    """Write the asset's source with a manifest bound to it to its target; return the store."""
    with _builder(definition, inputs) as builder:
        return _sign(builder, identity(credential, url).signer, asset, stamped=bool(url))


@contextmanager
def _builder(definition: Json, inputs: Sequence[Recorded]) -> Iterator[Builder]:
    try:
        with Builder(definition, context=_signing_context()) as builder:
            for recorded in inputs:
                for identifier, data in recorded.resources:
                    builder.add_resource(identifier, io.BytesIO(data))
            yield builder
    except C2paError as error:
        raise RefusedError(
            "seal.sign", "The library refuses the manifest's content.", reason=error
        ) from error


def _sign(builder: Builder, signer: Signer, asset: Asset, *, stamped: bool) -> bytes:
    try:
        store: bytes = builder.sign(signer, asset.media_type, asset.source, asset.target)
    except C2paError as error:
        raise _signing_error(error, asset.media_type, stamped=stamped) from error
    return store


def _signing_error(error: Exception, media_type: str, *, stamped: bool) -> RakkanError:
    if stamped and isinstance(error, C2paError.Signature):
        # The key and the certificate were checked before; what is left of signing is the time stamp.
        return RefusedError(
            "timestamp.unavailable", "The time stamp authority gave no usable token.", reason=error
        )
    if isinstance(error, C2paError.NotSupported):
        return RefusedError("seal.unsupported", "This format cannot carry its manifest.", reason=error)
    if isinstance(error, C2paError.Signature) or media_type == _NO_ASSET:
        return RefusedError("seal.sign", "The manifest could not be signed.", reason=error)
    return MalformedError(
        "file.malformed", "The file cannot be parsed, so nothing can be put into it.", reason=error
    )


@contextmanager
def reader(
    media_type: str, asset: IO[bytes], sidecar: bytes | None, anchors: Anchors, *, expected: bool = True
) -> Iterator[Reader | None]:
    """Open the manifest store of an asset, or the sidecar's; ``None`` when the asset has none.

    ``expected`` says that a store is known to be there: an asset that cannot be read has a damaged one then.

    Raises ``MalformedError``: ``manifest.malformed`` for a store that cannot be read, ``file.malformed`` for
    a container that cannot. Raises ``UndecidedError("verify.no-manifest")`` with ``remote_url`` when the
    asset only says where its manifest lies: nothing is ever fetched.
    """
    try:
        opened = _open(media_type, asset, sidecar, _reading_context(anchors))
    except C2paError as error:
        raise _reading_error(error, media_type, expected=expected) from error
    if opened is None:
        yield None
        return
    with opened:
        yield opened


def _open(media_type: str, asset: IO[bytes], sidecar: bytes | None, context: Context) -> Reader | None:
    if sidecar is not None:
        return Reader(media_type, asset, sidecar, context=context)
    return Reader.try_create(media_type, asset, context=context)


def _reading_error(error: Exception, media_type: str, *, expected: bool) -> RakkanError:
    text = str(error)
    if text.startswith("Remote: "):
        url = text.rsplit(" ", 1)[-1]
        return UndecidedError(
            "verify.no-manifest", "The manifest lies elsewhere and was not fetched.", remote_url=url
        )
    broken_container = isinstance(error, C2paError.Other) and "asset could not be parsed" in text
    if not expected or (broken_container and media_type != STORE_TYPE):
        return MalformedError("file.malformed", "The file cannot be parsed.", reason=error)
    return MalformedError("manifest.malformed", "The manifest store cannot be read.", reason=error)


def detailed(opened: Reader) -> Json:
    """Return all that the library knows about the store, parsed once. It names and validated a manifest."""
    try:
        parsed: Json = json.loads(opened.detailed_json())
    except (C2paError, ValueError) as error:
        raise MalformedError(
            "manifest.malformed", "The manifest store cannot be read.", reason=error
        ) from error
    if "active_manifest" not in parsed or "activeManifest" not in (parsed.get("validation_results") or {}):
        raise MalformedError("manifest.malformed", "The manifest store holds no manifest that can be read.")
    return parsed


def raw_store(opened: Reader, label: str) -> bytes:
    """Return the bytes of the store whose active manifest has this label, as they lie in the file."""
    buffer = io.BytesIO()
    try:
        opened.resource_to_stream(f"self#jumbf=/c2pa/{label}", buffer)
    except C2paError as error:
        raise MalformedError(
            "manifest.malformed", "The manifest store cannot be read.", reason=error
        ) from error
    return buffer.getvalue()


def remote_url(opened: Reader) -> str | None:
    """Return where the asset says that its manifest lies, if it says so."""
    url: Any = opened.get_remote_url()
    return url if isinstance(url, str) else None
