"""Makes the vectors of COSE Receipts beside this file: `python -m tests.vectors.receipts.generate`.

The log is that of `tests/vectors/log`: 300 entries, and the key derived from a word. Each bad file
has a signature that is right for it wherever it can have one, so it is refused for the defect in its name.
"""

from __future__ import annotations

from pathlib import Path

from ledger.core import cbor
from ledger.core.cose_receipt import Consistency, Inclusion, key_of, sign_cose_receipt
from ledger.core.merkle import consistency_proof, inclusion_proof
from ledger.core.note import NoteSigner
from ledger.testing import SeedSigner
from tests.vectors.log import generate as log

HERE = Path(__file__).parent
ORIGIN, KEY = log.ORIGIN, log.KEY
LOG = NoteSigner(ORIGIN, KEY)
KID = key_of(LOG.verifier).encode()
INDEX, OLD, SIZE = 77, 255, 300
ROOT = log._root(SIZE)
PATH = inclusion_proof(INDEX, SIZE, log._nodes(SIZE))
INCLUSION = Inclusion(SIZE, INDEX, PATH)
CONSISTENCY = Consistency(OLD, SIZE, consistency_proof(OLD, SIZE, log._nodes(SIZE)))
PROTECTED = cbor.encode({1: -8, 4: KID, 395: 1})
UNPROTECTED = cbor.encode({396: {-1: [cbor.encode([SIZE, INDEX, PATH])]}})
TAG = b"\xd2"


def vectors() -> dict[str, bytes]:
    """Return the files by name."""
    good = sign_cose_receipt(INCLUSION, ROOT, LOG)
    flipped = Inclusion(SIZE, INDEX, (bytes(32), *PATH[1:]))
    return {
        "good-inclusion.cose": good,
        "good-consistency.cose": sign_cose_receipt(CONSISTENCY, ROOT, LOG),
        "bad-hash-changed.cose": sign_cose_receipt(flipped, ROOT, LOG),
        "bad-hash-missing.cose": sign_cose_receipt(Inclusion(SIZE, INDEX, PATH[1:]), ROOT, LOG),
        "bad-another-index.cose": sign_cose_receipt(Inclusion(SIZE, 78, PATH), ROOT, LOG),
        "bad-index-beyond-the-tree.cose": sign_cose_receipt(Inclusion(SIZE, SIZE, PATH), ROOT, LOG),
        "bad-another-root-signed.cose": sign_cose_receipt(INCLUSION, log._root(299), LOG),
        "bad-another-key.cose": sign_cose_receipt(
            INCLUSION, ROOT, NoteSigner(ORIGIN, SeedSigner("stranger"))
        ),
        **_bad_forms(good),
    }


def _bad_forms(good: bytes) -> dict[str, bytes]:
    proof = cbor.encode([SIZE, INDEX, PATH])
    one = cbor.encode({-1: [proof]})
    return {
        "bad-trailing-byte.cose": good + b"\0",
        "bad-cut-short.cose": good[:-1],
        "bad-untagged.cose": good[1:],
        "bad-another-tag.cose": b"\xd1" + good[1:],
        "bad-tag-inside.cose": _signed(unprotected=b"\xa1" + cbor.encode(396) + b"\xd8\x18" + one),
        "bad-indefinite-array.cose": TAG + b"\x9f" + good[2:] + b"\xff",
        "bad-long-length.cose": TAG + b"\x98\x04" + good[2:],
        "bad-duplicate-label.cose": _signed(b"\xa4\x01\x27" + PROTECTED[1:]),
        "bad-unsorted-labels.cose": _signed(b"\xa3" + PROTECTED[3:] + PROTECTED[1:3]),
        "bad-algorithm.cose": _signed(cbor.encode({1: -7, 4: KID, 395: 1})),
        "bad-tree-kind.cose": _signed(cbor.encode({1: -8, 4: KID, 395: 2})),
        "bad-no-key-id.cose": _signed(cbor.encode({1: -8, 395: 1})),
        "bad-header-more.cose": _signed(cbor.encode({1: -8, 3: 0, 4: KID, 395: 1})),
        "bad-tree-kind-unprotected.cose": _signed(
            cbor.encode({1: -8, 4: KID}), cbor.encode({395: 1, 396: {-1: [proof]}})
        ),
        "bad-attached-payload.cose": _signed(payload=ROOT),
        "bad-false-payload.cose": good.replace(b"\xf6\x58\x40", b"\xf4\x58\x40"),
        "bad-headers-as-bytes.cose": _signed(unprotected=cbor.encode(UNPROTECTED)),
        "bad-two-proofs.cose": _signed(unprotected=cbor.encode({396: {-1: [proof, proof]}})),
        "bad-no-proof.cose": _signed(unprotected=cbor.encode({396: {-1: []}})),
        "bad-two-kinds.cose": _signed(unprotected=cbor.encode({396: {-1: [proof], -2: [proof]}})),
        "bad-unknown-kind.cose": _signed(unprotected=cbor.encode({396: {-3: [proof]}})),
        "bad-hash-of-31-bytes.cose": _proof(cbor.encode([SIZE, INDEX, [PATH[0][:31], *PATH[1:]]])),
        "bad-hash-as-text.cose": _proof(cbor.encode([SIZE, INDEX, ["x" * 32, *PATH[1:]]])),
        "bad-negative-index.cose": _proof(cbor.encode([SIZE, -1, PATH])),
        "bad-size-beyond-2-63.cose": _proof(cbor.encode([2**63, INDEX, PATH])),
        "bad-64-hashes.cose": _proof(cbor.encode([SIZE, INDEX, [bytes(32)] * 64])),
        "bad-short-signature.cose": _signed(signature=bytes(63)),
    }


def _proof(blob: bytes) -> bytes:
    return _signed(unprotected=cbor.encode({396: {-1: [blob]}}))


def _signed(
    protected: bytes = PROTECTED,
    unprotected: bytes = UNPROTECTED,
    payload: bytes | None = None,
    signature: bytes | None = None,
) -> bytes:
    """Return a COSE_Sign1 of these parts, signed over the root of the tree."""
    own = KEY.sign(cbor.encode(["Signature1", protected, b"", ROOT]))
    parts = (cbor.encode(protected), unprotected, cbor.encode(payload), cbor.encode(signature or own))
    return TAG + b"\x84" + b"".join(parts)


if __name__ == "__main__":
    for name, data in vectors().items():
        (HERE / name).write_bytes(data)
