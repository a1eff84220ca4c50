"""Write the envelope vectors: one file each in `envelopes/`, named after its defect.

    python -m tests.vectors.generate_envelopes

Each file holds the envelope's bytes (base64), the public key it is checked with, and what must come of it:
`code` is our error, `null` when all is well. What another implementation can find out by itself stands beside
it, for `check_envelopes.mjs`: `json` (canonical, other, broken) and `signed` (whether the signature by that
key covers the payload; `null` where there is none to check). The same bytes come out on every run.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.ports import Signer
from ledger.testing import SeedSigner

FOLDER = Path(__file__).parent / "envelopes"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
LIMIT = 65_535


class P256Signer:
    """A P-256 key from a word, signing deterministically (RFC 6979)."""

    def __init__(self, seed: str) -> None:
        self._key = ec.derive_private_key(int.from_bytes(sha256(seed.encode()).digest()), ec.SECP256R1())
        self.public_key = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.keyid = sha256(self.public_key).hexdigest()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))


ALICE, MALLORY, TOKEN = SeedSigner("alice"), SeedSigner("mallory"), P256Signer("token")


def statement(**changes: Any) -> bytes:
    """Return a statement's payload, written without our own code."""
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "predicate": {"name": "落款 plates", "rightsHolders": 2, "version": "2026", "works": 3},
        "predicateType": "https://rakkan.org/dataset/v1",
        "subject": [{"digest": {"sha256": sha256(b"inventory").hexdigest()}, "name": "plates.csv"}],
    }
    return compact({**document, **changes})


def compact(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE, count: Callable[[bytes], int] = len) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, count(payload), payload)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def document(payload: bytes, *signatures: tuple[str, bytes], **changes: Any) -> dict[str, Any]:
    shown = [{"keyid": keyid, "sig": b64(sig)} for keyid, sig in signatures]
    return {"payload": b64(payload), "payloadType": PAYLOAD_TYPE, "signatures": shown, **changes}


def by(signer: Signer, message: bytes) -> tuple[str, bytes]:
    return signer.keyid, signer.sign(message)


@dataclass(frozen=True)
class Case:
    envelope: bytes
    code: str | None
    json: str = "canonical"
    signed: bool | None = True
    key: Signer = ALICE


PAYLOAD = statement()
SIGNED = by(ALICE, pae(PAYLOAD))
GOOD = document(PAYLOAD, SIGNED)


def other(code: str, signed: bool | None = True, **changes: Any) -> Case:
    return Case(compact({**GOOD, **changes}), code, signed=signed)


def stated(code: str, payload: bytes) -> Case:
    """Return an envelope that is well signed, about a payload that is not well."""
    return Case(compact(document(payload, by(ALICE, pae(payload)))), code)


def malleable(signature: bytes) -> bytes:
    """Return the other S that satisfies the equation; RFC 8032 §5.1.7 has it refused."""
    scalar = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    return signature[:32] + scalar.to_bytes(32, "little")


def raw(der: bytes) -> bytes:
    return b"".join(number.to_bytes(32) for number in decode_dss_signature(der))


def too_large() -> Case:
    name = "x" * 40_000
    payload = statement(subject=[{"digest": {"sha256": "0" * 64}, "name": name}])
    data = compact(document(payload * 2, by(ALICE, pae(payload * 2))))
    assert len(data) > LIMIT
    return Case(data, "envelope.too-large")


def cases() -> dict[str, Case]:
    good, text = compact(GOOD), compact(GOOD).decode()
    characters = by(ALICE, pae(PAYLOAD, count=lambda data: len(data.decode())))
    unpadded = statement(predicateType="https://rakkan.org/dataset/v1")
    while not b64(unpadded).endswith("="):
        unpadded += b" "
    return {
        "good-ed25519": Case(good, None),
        "good-p256": Case(compact(document(PAYLOAD, by(TOKEN, pae(PAYLOAD)))), None, key=TOKEN),
        "good-beside-an-unknown-key": Case(
            compact(document(PAYLOAD, by(MALLORY, pae(PAYLOAD)), SIGNED)), None
        ),
        # signatures
        "payload-changed-after-signing": Case(
            compact(document(statement(predicateType="https://rakkan.org/model/v1"), SIGNED)),
            "envelope.signature",
            signed=False,
        ),
        "signature-by-another-key": Case(
            compact(document(PAYLOAD, (ALICE.keyid, MALLORY.sign(pae(PAYLOAD))))),
            "envelope.signature",
            signed=False,
        ),
        "signature-over-the-bare-payload": Case(
            compact(document(PAYLOAD, by(ALICE, PAYLOAD))), "envelope.signature", signed=False
        ),
        "signature-over-characters-not-bytes": Case(
            compact(document(PAYLOAD, characters)), "envelope.signature", signed=False
        ),
        "signature-over-another-payload-type": Case(
            compact(document(PAYLOAD, by(ALICE, pae(PAYLOAD, "text/plain")))),
            "envelope.signature",
            signed=False,
        ),
        "signature-cut-short": Case(
            compact(document(PAYLOAD, (SIGNED[0], SIGNED[1][:-1]))), "envelope.signature", signed=False
        ),
        "signature-empty": Case(
            compact(document(PAYLOAD, (SIGNED[0], b""))), "envelope.signature", signed=False
        ),
        "signature-with-s-plus-the-order": Case(
            compact(document(PAYLOAD, (SIGNED[0], malleable(SIGNED[1])))), "envelope.signature", signed=False
        ),
        "p256-signature-as-r-and-s": Case(
            compact(document(PAYLOAD, (TOKEN.keyid, raw(TOKEN.sign(pae(PAYLOAD)))))),
            "envelope.signature",
            signed=False,
            key=TOKEN,
        ),
        "unsigned-by-the-key": Case(
            compact(document(PAYLOAD, by(MALLORY, pae(PAYLOAD)))), "envelope.unsigned", signed=None
        ),
        "no-signatures": other("envelope.unsigned", None, signatures=[]),
        "keyid-twice": Case(compact(document(PAYLOAD, SIGNED, SIGNED)), "envelope.malformed"),
        # the envelope's bytes
        "payload-type-of-a-text": other("envelope.payload-type", signed=False, payloadType="text/plain"),
        "unknown-member": other("envelope.malformed", cert="x"),
        "member-missing": Case(
            compact({"payload": GOOD["payload"], "signatures": GOOD["signatures"]}),
            "envelope.malformed",
            signed=None,
        ),
        "payload-with-a-newline": other("envelope.malformed", payload=GOOD["payload"] + "\n"),
        "payload-in-the-url-alphabet": other("envelope.malformed", False, payload="_-" + GOOD["payload"][2:]),
        "payload-without-padding": Case(
            compact({**document(unpadded, by(ALICE, pae(unpadded))), "payload": b64(unpadded).rstrip("=")}),
            "envelope.malformed",
        ),
        "member-twice": Case(
            text.replace("{", '{"payload":"",', 1).encode(), "json.duplicate-key", json="other"
        ),
        "members-unsorted": Case(
            json.dumps(
                {name: GOOD[name] for name in ("payloadType", "payload", "signatures")}, separators=(",", ":")
            ).encode(),
            "json.not-canonical",
            json="other",
        ),
        "spaces-between-tokens": Case(
            json.dumps(GOOD, sort_keys=True).encode(), "json.not-canonical", json="other"
        ),
        "newline-at-the-end": Case(good + b"\n", "json.not-canonical", json="other"),
        "needless-escape": Case(
            text.replace("payloadType", "payload\\u0054ype").encode(), "json.not-canonical", json="other"
        ),
        "byte-order-mark": Case(b"\xef\xbb\xbf" + good, "json.malformed", json="broken", signed=None),
        "bad-utf8": Case(
            good.replace(b'"keyid"', b'"\xff"', 1), "json.malformed", json="broken", signed=None
        ),
        "cut-short": Case(good[:-2], "json.malformed", json="broken", signed=None),
        "empty": Case(b"", "json.malformed", json="broken", signed=None),
        "too-large": too_large(),
        # the statement inside
        "statement-with-an-unknown-predicate-type": stated(
            "statement.predicate-type", statement(predicateType="https://rakkan.org/dataset/v9")
        ),
        "statement-with-a-short-digest": stated(
            "digest.malformed", statement(subject=[{"digest": {"sha256": "0" * 63}, "name": "a"}])
        ),
        "statement-with-a-digest-in-upper-case": stated(
            "digest.malformed", statement(subject=[{"digest": {"sha256": "A" * 64}, "name": "a"}])
        ),
        "statement-with-a-float": stated("json.number", PAYLOAD.replace(b":3}", b":3.0}")),
        "statement-with-a-huge-integer": stated("json.number", PAYLOAD.replace(b":3}", b":%d}" % 2**53)),
        "statement-with-true-for-one": stated("statement.field", PAYLOAD.replace(b":3}", b":true}")),
        "statement-with-half-a-surrogate-pair": stated(
            "json.malformed", PAYLOAD.replace(b"2026", rb"\ud800")
        ),
        "statement-with-a-member-twice": stated(
            "json.duplicate-key", PAYLOAD.replace(b'"works":3', b'"works":3,"works":4')
        ),
        "statement-nested-too-deep": stated(
            "json.too-deep", PAYLOAD.replace(b":3}", b":" + b"[" * 40 + b"]" * 40 + b"}")
        ),
        "statement-not-canonical": stated("json.not-canonical", PAYLOAD.replace(b":3}", b": 3}")),
        "statement-with-an-unknown-field": stated("statement.malformed", statement(note="x")),
        "statement-without-subjects": stated("statement.malformed", statement(subject=[])),
    }


def vectors() -> dict[str, str]:
    """Return the text of every file, by its name."""
    found = {}
    for name, case in cases().items():
        content = {
            "generated_by": "tests/vectors/generate_envelopes.py",
            "key": b64(case.key.public_key),
            "envelope": b64(case.envelope),
            "code": case.code,
            "json": case.json,
            "signed": case.signed,
        }
        found[f"{name}.json"] = json.dumps(content, indent=1) + "\n"
    return found


def main() -> None:
    """Write the files and remove those that are no longer made."""
    FOLDER.mkdir(exist_ok=True)
    made = vectors()
    for path in FOLDER.glob("*.json"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
