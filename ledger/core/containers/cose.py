"""The signer's certificate in a C2PA claim signature (COSE_Sign1, RFC 9052; x5chain, RFC 9360).

The C2PA library tells a signer's name but not its certificate, so the leaf is read here. This reader answers
one question and verifies nothing: the library has checked the signature when its answer is used. Whatever is
not understood gives ``None``: the reading then shows the name without the certificate.
"""

from __future__ import annotations

from ledger.core import cbor

X5CHAIN = (33, "x5chain")
"""The header's registered label, and the name that claims of version 1 use."""


def leaf_certificate(signature: bytes) -> bytes | None:
    """Return the DER certificate of the key that made this COSE_Sign1 signature, or ``None``."""
    try:
        sign1 = cbor.decode(signature)
        protected = cbor.decode(sign1[0])
        for header in (protected, sign1[1]):
            for label in X5CHAIN:
                if label in header:
                    chain = header[label]
                    leaf = chain[0] if isinstance(chain, list) else chain
                    return leaf if isinstance(leaf, bytes) else None
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return None
