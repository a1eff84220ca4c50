"""HTTP requests that a device signs with its enrolled key: RFC 9421, in one fixed form.

* One signature, over the method, the authority, the path and the query as they are on the wire, and over
  ``Content-Digest`` (RFC 9530, SHA-256) whenever there is a body. Neither more nor less: a list that the
  signer may choose is a list that can leave out what matters.
* Its parameters are ``created``, ``keyid`` (SHA-256 of the key, hex), ``nonce`` and ``tag`` (``rakkan``),
  once each, in any order. ``alg`` may stand there and must then be the key's own: the key decides.
* The base ends with the parameters as they were sent, of which there is one form only.
* ECDSA signatures are ``r || s``, 64 bytes, as the RFC has them. Our signers give DER; it is turned here.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from ledger.core.encoding import decode_base64, encode_base64
from ledger.core.identity import ECDSA, PublicKey, parse_public_key
from ledger.errors import MalformedError, RefusedError

LABEL = "rakkan"
TAG = "rakkan"
WINDOW = 300
"""How many seconds a signature may be older, or newer, than the server's clock."""
MAX_FIELD = 1024
"""Characters of ``Signature-Input`` and of ``Signature``."""

_COVERED = ("@method", "@authority", "@path", "@query")
_DIGEST = "content-digest"
_FORMS = {
    "created": re.compile(r"(0|[1-9][0-9]{0,11})"),
    "keyid": re.compile(r'"([0-9a-f]{64})"'),
    "nonce": re.compile(r'"([A-Za-z0-9_-]{16,64})"'),
    "tag": re.compile(rf'"({TAG})"'),
    "alg": re.compile(r'"([a-z0-9-]{1,32})"'),
}
_INPUT = re.compile(
    r'(?P<label>[a-z*][a-z0-9_.*-]{0,31})=(?P<params>\((?P<covered>[@a-z" -]*)\)(?P<rest>(?:;[^;\s]+)*))'
)
_SIGNATURE = re.compile(r"(?P<label>[a-z*][a-z0-9_.*-]{0,31})=:(?P<base64>[A-Za-z0-9+/=]*):")
_CONTENT_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]{44}):")


class _Signer(Protocol):
    @property
    def keyid(self) -> str: ...

    @property
    def public_key(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Target:
    """What a signature is about: a request as it is on the wire.

    ``authority`` is the ``Host`` field, ``path`` the raw path, percent-encoded as sent, ``query`` what
    follows the question mark. ``digest`` is the ``Content-Digest`` field, ``None`` without a body.
    """

    method: str
    authority: str
    path: str
    query: str = ""
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """A signature as it was claimed; nothing of it was checked but its form.

    ``created`` is Unix time in seconds. ``params`` is the text that the base ends with.
    """

    keyid: str
    created: int
    nonce: str
    algorithm: str | None
    covers_body: bool
    params: str
    sig: bytes


def content_digest(body: bytes) -> str:
    """Return the ``Content-Digest`` field of a body."""
    return f"sha-256=:{encode_base64(hashlib.sha256(body).digest())}:"


def check_body(digest: str, body: bytes) -> None:
    """Return if the field is of this body. Raises ``RefusedError("access.body")``."""
    if not _CONTENT_DIGEST.fullmatch(digest) or digest != content_digest(body):
        raise RefusedError("access.body", "The body is not the one that Content-Digest and signature are of.")


def sign(signer: _Signer, target: Target, created: int, nonce: str) -> dict[str, str]:
    """Return the fields to send beside ``Host``: the signature's two, and the digest where there is one."""
    covered = _COVERED if target.digest is None else (*_COVERED, _DIGEST)
    listed = " ".join(f'"{name}"' for name in covered)
    params = f'({listed});created={created};keyid="{signer.keyid}";nonce="{nonce}";tag="{TAG}"'
    sig = signer.sign(_base(target, params))
    if parse_public_key(signer.public_key).algorithm == ECDSA:
        first, second = decode_dss_signature(sig)
        sig = first.to_bytes(32, "big") + second.to_bytes(32, "big")
    fields = {"Signature-Input": f"{LABEL}={params}", "Signature": f"{LABEL}=:{encode_base64(sig)}:"}
    return fields if target.digest is None else {"Content-Digest": target.digest, **fields}


def parse(signature_input: str, signature: str) -> RequestSignature:
    """Return what the two fields claim. Raises ``MalformedError("access.signature-form")``."""
    if max(len(signature_input), len(signature)) > MAX_FIELD:
        raise _malformed(f"a field is longer than {MAX_FIELD} characters")
    given, signed = _INPUT.fullmatch(signature_input), _SIGNATURE.fullmatch(signature)
    if given is None or signed is None:
        raise _malformed("Signature-Input and Signature are not one signature each")
    sig = decode_base64(signed["base64"])
    if given["label"] != signed["label"] or sig is None or len(sig) != 64:
        raise _malformed("Signature is not 64 bytes under the label of Signature-Input")
    covered = tuple(given["covered"].split(" "))
    quoted = tuple(f'"{name}"' for name in _COVERED)
    if covered not in {quoted, (*quoted, f'"{_DIGEST}"')}:
        raise _malformed(f"it does not cover {', '.join(_COVERED)}, with content-digest for a body")
    found = _params(given["rest"])
    return RequestSignature(
        found["keyid"],
        int(found["created"]),
        found["nonce"],
        found.get("alg"),
        len(covered) > len(quoted),
        given["params"],
        sig,
    )


def verify(key: PublicKey, claimed: RequestSignature, target: Target) -> None:
    """Return if the key signed this request. Raises ``RefusedError("access.credential")``.

    Neither the time nor the nonce is looked at: who calls this has the clock and the memory.
    """
    sig = claimed.sig
    if key.algorithm == ECDSA:
        sig = encode_dss_signature(int.from_bytes(sig[:32], "big"), int.from_bytes(sig[32:], "big"))
    covered = claimed.covers_body == (target.digest is not None)
    if (
        not covered
        or claimed.algorithm not in {None, key.algorithm}
        or not key.signed(sig, base(claimed, target))
    ):
        raise RefusedError("access.credential", "The signature is not of this request by a key known here.")


def check_time(claimed: RequestSignature, now: int) -> None:
    """Return if the signature was made about now (Unix time). Raises ``RefusedError("access.stale")``."""
    if abs(now - claimed.created) > WINDOW:
        words = "The request was signed at another time than it is here."
        raise RefusedError("access.stale", words, created=claimed.created, now=now, window=WINDOW)


def base(claimed: RequestSignature, target: Target) -> bytes:
    """Return the signature base (RFC 9421 §2.5)."""
    return _base(target, claimed.params)


def _base(target: Target, params: str) -> bytes:
    lines = [
        f'"@method": {target.method}',
        f'"@authority": {_authority(target.authority)}',
        f'"@path": {target.path or "/"}',
        f'"@query": ?{target.query}',
    ]
    if target.digest is not None:
        lines.append(f'"{_DIGEST}": {target.digest}')
    lines.append(f'"@signature-params": {params}')
    return "\n".join(lines).encode()


def _authority(host: str) -> str:
    """Return the authority in its normal form. Which scheme came in, a server behind a proxy cannot know."""
    lower = host.lower()
    return next((lower.removesuffix(port) for port in (":80", ":443") if lower.endswith(port)), lower)


def _params(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(";")[1:]:
        name, _, value = part.partition("=")
        form = _FORMS.get(name)
        match = form.fullmatch(value) if form else None
        if match is None or name in found:
            raise _malformed("its parameters are not created, keyid, nonce and tag, once each")
        found[name] = match[1]
    if not set(_FORMS) - {"alg"} <= set(found):
        raise _malformed("one of created, keyid, nonce and tag is missing")
    return found


def _malformed(why: str) -> MalformedError:
    return MalformedError("access.signature-form", f"The request's signature cannot be read: {why}.")
