"""A receipt with its entry, shaped as a sigstore bundle (v0.3, JSON), for tools that read that shape.

* ``canonicalizedBody`` is the envelope, byte for byte: the leaf. So a client's Merkle check holds as it is.
* ``kindVersion`` names our kind of body. A client that expects Rekor's own (``dsse`` 0.0.1) stops there: it
  does not know the kind. Under Rekor's name the body would look like a forged one.
* A bundle holds one signature: the first of the envelope. All of them are in the body.
* There is no ``integratedTime``: without an inclusion promise nobody may believe it.
"""

from __future__ import annotations

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core.checkpoint import parse_body
from ledger.core.encoding import encode_base64
from ledger.core.note import parse_note
from ledger.core.receipt import Receipt
from ledger.errors import MalformedError

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
KIND = "org.rakkan.envelope"
VERSION = "1"


def format_bundle(envelope: bytes, receipt: Receipt) -> bytes:
    """Return the bundle of an entry (its exact bytes) and its receipt, as canonical JSON.

    The caller has verified both. Raises ``MalformedError("checkpoint.origin")`` when the log did not sign the
    checkpoint, and what ``envelope.decode`` raises.
    """
    opened = dsse.decode(envelope)
    first = opened.signatures[0]
    return canonical.encode(
        {
            "mediaType": MEDIA_TYPE,
            "dsseEnvelope": {
                "payload": encode_base64(opened.payload),
                "payloadType": dsse.PAYLOAD_TYPE,
                "signatures": [{"keyid": first.keyid, "sig": encode_base64(first.sig)}],
            },
            "verificationMaterial": {
                "publicKey": {"hint": first.keyid},
                "tlogEntries": [_entry(envelope, receipt)],
            },
        }
    )


def _entry(envelope: bytes, receipt: Receipt) -> dict[str, object]:
    note = parse_note(receipt.checkpoint)
    checkpoint = parse_body(note.text)
    own = [line.key_id for line in note.signatures if line.name == checkpoint.origin]
    if not own:
        raise MalformedError("checkpoint.origin", "The log's own key did not sign.", origin=checkpoint.origin)
    return {
        "logIndex": str(receipt.index),
        "logId": {"keyId": encode_base64(own[0])},
        "kindVersion": {"kind": KIND, "version": VERSION},
        "inclusionProof": {
            "logIndex": str(receipt.index),
            "rootHash": encode_base64(checkpoint.root),
            "treeSize": str(checkpoint.size),
            "hashes": [encode_base64(item) for item in receipt.proof],
            "checkpoint": {"envelope": receipt.checkpoint.decode()},
        },
        "canonicalizedBody": encode_base64(envelope),
    }
