"""Envelopes before strangers: implementations of DSSE that are not ours accept what we sign, no more."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from securesystemslib.dsse import Envelope as ForeignEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._crypto_signer import CryptoSigner  # the package does not re-export for mypy
from securesystemslib.signer._key import SSlibKey

from ledger.adapters.keys import new_claim_key, new_statement_key
from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.envelope import PAYLOAD_TYPE, Envelope, Signature
from ledger.core.identity import parse_public_key
from ledger.core.predicates import Step
from ledger.ports import Signer
from tests.support.builders import digest, envelope, statement, step

MAKERS: dict[str, Callable[[], Signer]] = {"Ed25519": new_statement_key, "P-256": new_claim_key}
SUBJECT = b"a frame"
"""The file itself: a judge that takes a file computes its digest."""


@pytest.fixture(params=list(MAKERS.values()), ids=list(MAKERS))
def signer(request: pytest.FixtureRequest) -> Signer:
    make: Callable[[], Signer] = request.param
    return make()


def ours(signer: Signer) -> bytes:
    """Return an envelope in other scripts than ASCII, where lengths in bytes and in characters differ."""
    subject = Artifact("コマ.1001.png", digest(SUBJECT.decode()))
    return envelope(step(actor="actor:落款"), signer, subjects=(subject,))


def foreign_key(signer: Signer) -> SSlibKey:
    return SSlibKey.from_crypto(load_der_public_key(signer.public_key), keyid=signer.keyid)


def pem(signer: Signer) -> str:
    key = load_der_public_key(signer.public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_securesystemslib_accepts(signer: Signer) -> None:
    data = ours(signer)
    foreign = ForeignEnvelope.from_dict(json.loads(data))
    assert foreign.verify([foreign_key(signer)], 1).keys() == {signer.keyid}
    assert foreign.pae() == dsse.pae(dsse.decode(data).payload)
    assert canonical.encode(foreign.to_dict()) == data


def test_securesystemslib_refuses_what_we_refuse(signer: Signer) -> None:
    document = json.loads(ours(signer))
    other = statements.encode(statement(step(actor="actor:mallory")))
    changed = json.loads(dsse.encode(Envelope(other, dsse.decode(ours(signer)).signatures)))
    assert changed["payload"] != document["payload"]
    with pytest.raises(VerificationError):
        ForeignEnvelope.from_dict(changed).verify([foreign_key(signer)], 1)


def test_we_accept_what_securesystemslib_signs() -> None:
    foreign_signer = CryptoSigner.generate_ed25519()
    public = load_der_public_key(
        foreign_signer._private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = parse_public_key(public)
    payload = statements.encode(statement(step()))
    signature = foreign_signer.sign(ForeignEnvelope(payload, PAYLOAD_TYPE, {}).pae())
    data = dsse.encode(Envelope(payload, (Signature(key.keyid, bytes.fromhex(signature.signature)),)))
    dsse.verify(dsse.decode(data), key)


SIGSTORE = """
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");
const { bundleFromJSON } = require("@sigstore/bundle");
const { createPublicKey } = require("crypto");
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const none = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const key = { publicKey: createPublicKey(input.pem), validFor: () => true };
const verifier = new Verifier(toTrustMaterial(none, () => key), {
  ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0,
});
verifier.verify(toSignedEntity(bundleFromJSON(input.bundle)));
console.log("accepted");
"""


def bundle(data: bytes) -> dict[str, object]:
    """Return the envelope as a sigstore bundle names its parts: no certificate, no log."""
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "studio"}, "tlogEntries": []},
        "dsseEnvelope": json.loads(data),
    }


def sigstore(data: bytes, signer: Signer) -> bool:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: @sigstore/verify did not judge")
    probe = [node, "-e", "require('@sigstore/verify'); require('@sigstore/bundle')"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("@sigstore/verify is not installed (NODE_PATH): it did not judge")
    result = subprocess.run(
        [node, "-e", SIGSTORE],
        input=json.dumps({"pem": pem(signer), "bundle": bundle(data)}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.strip() == "accepted" or "VerificationError" in result.stderr, result.stderr
    return result.stdout.strip() == "accepted"


def test_sigstore_for_javascript_accepts(signer: Signer) -> None:
    assert sigstore(ours(signer), signer)


def test_sigstore_for_javascript_refuses_what_we_refuse(signer: Signer) -> None:
    other = dsse.decode(envelope(step(actor="actor:mallory"), signer)).payload
    assert not sigstore(dsse.encode(Envelope(other, dsse.decode(ours(signer)).signatures)), signer)


def cosign(folder: Path, data: bytes, signer: Signer) -> subprocess.CompletedProcess[str]:
    program = shutil.which("cosign")
    if program is None:
        pytest.skip("cosign is not installed: it did not judge")
    for name, content in (("frame", SUBJECT), ("key.pub", pem(signer).encode()), ("envelope.json", data)):
        (folder / name).write_bytes(content)
    command = [program, "verify-blob-attestation", "--key", "key.pub", "--signature", "envelope.json"]
    command += ["--insecure-ignore-tlog=true", "--type", Step.TYPE, "frame"]
    environment = {**os.environ, "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_cosign_accepts(tmp_path: Path, signer: Signer) -> None:
    result = cosign(tmp_path, ours(signer), signer)
    assert result.returncode == 0, result.stderr


def test_cosign_refuses_what_we_refuse(tmp_path: Path, signer: Signer) -> None:
    other = dsse.decode(envelope(step(actor="actor:mallory"), signer)).payload
    changed = dsse.encode(Envelope(other, dsse.decode(ours(signer)).signatures))
    assert cosign(tmp_path, changed, signer).returncode != 0
