"""Receipts before strangers: scitt-cose, aics-tlog and sigstore's own client for JavaScript."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import scitt_cose
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from ledger.core import cbor
from ledger.core.checkpoint import sign_checkpoint
from ledger.core.cose_receipt import Inclusion, key_of, parse_cose_receipt, verify_cose_inclusion
from ledger.core.note import NoteSigner
from ledger.core.receipt import Receipt
from ledger.core.sigstore_bundle import format_bundle
from ledger.ports import Signer
from ledger.service.log.receipts import cose_inclusion, receipt, tree
from ledger.service.log.sequence import Log
from ledger.testing import MemoryCheckpointStore, SeedSigner
from tests.architecture.project import ROOT
from tests.support.builders import DEVICE, envelope, step
from tests.support.log import KEY, ORIGIN, entries, new_log
from tests.vectors.log import generate as vectors
from tests.vectors.receipts.generate import HERE

PACKAGES = ("@sigstore/bundle@4.0.0", "@sigstore/verify@3.1.1")


def pem(signer: Signer) -> str:
    key = load_der_public_key(signer.public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def grown(count: int) -> tuple[Log, list[bytes]]:
    log, made = new_log(), entries(count)
    log.append(made)
    return log, made


# --- scitt-cose --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 7, 8, 100, 257])
def test_scitt_cose_accepts_our_receipts(size: int) -> None:
    log, made = grown(size)
    for index in {0, size // 2, size - 1}:
        data = cose_inclusion(log, log.receipt(index))
        judged = scitt_cose.verify_receipt(
            data, leaf_entry_hex=made[index].hex(), log_public_key_pem=pem(KEY)
        )
        assert (judged.ok, judged.leaf_index, judged.tree_size) == (True, index, size), judged.errors
        assert judged.root == tree(log, size).root.hex()
        assert judged.protected_header_ext == {4: key_of(log.verifier).encode()}


def test_scitt_cose_signs_the_same_bytes() -> None:
    log, _ = grown(9)
    found = log.receipt(4)
    private = KEY._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    theirs = scitt_cose.sign_sign1(
        tree(log, 9).root,
        alg="EdDSA",
        private_key_pem=private,
        protected={1: -8, 4: key_of(log.verifier).encode(), 395: 1},
        unprotected={396: {-1: [cbor.encode([9, 4, found.proof])]}},
        detached=True,
    )
    assert theirs == cose_inclusion(log, found)


def test_we_read_the_proof_that_scitt_cose_builds() -> None:
    """Its own receipts order their headers in another way, so only the proof is compared."""
    log, made = grown(9)
    leaves = [entry.hex() for entry in made]
    path = tuple(bytes.fromhex(item) for item in scitt_cose.inclusion_proof(leaves, 4))
    parsed = parse_cose_receipt(cose_inclusion(log, log.receipt(4)))
    assert parsed.proof == Inclusion(9, 4, path)
    assert verify_cose_inclusion(parsed, made[4], [log.verifier]).hex() == scitt_cose.merkle_root(leaves)


@pytest.mark.parametrize(
    "path",
    sorted(path for path in HERE.glob("*.cose") if path.name != "good-consistency.cose"),
    ids=lambda p: p.stem,
)
def test_scitt_cose_refuses_what_we_refuse(path: Path) -> None:
    """But for what RFC 9942 leaves open and we do not: the order of headers, more headers, several proofs."""
    open_to_it = {
        "good-inclusion",
        "bad-unsorted-labels",
        "bad-header-more",
        "bad-two-proofs",
        "bad-two-kinds",
        "bad-no-key-id",
    }
    entry, key = vectors.ENTRIES[77].hex(), pem(vectors.KEY)
    judged = scitt_cose.verify_receipt(path.read_bytes(), leaf_entry_hex=entry, log_public_key_pem=key)
    assert judged.ok == (path.stem in open_to_it), judged.errors


def test_scitt_cose_and_aics_accept_our_consistency_proofs() -> None:
    aics: Any = pytest.importorskip("aics_tlog", reason="asks for Python 3.12; see locks/judges.txt")
    log, made = grown(70)
    leaves = [entry.hex() for entry in made]
    for old, new in ((1, 70), (64, 70), (33, 65), (69, 70)):
        roots, proof = (tree(log, old).root, tree(log, new).root), list(log.consistency(old, new))
        assert [item.hex() for item in proof] == scitt_cose.consistency_proof(leaves, old, new)
        assert aics.verify_consistency(old, new, *roots, proof)
        assert not aics.verify_consistency(old, new, *reversed(roots), proof)


# --- sigstore for JavaScript -------------------------------------------------------------------------------

SIGSTORE = """
const { Verifier, toSignedEntity, toTrustMaterial } = require("@sigstore/verify");
const { bundleFromJSON, bundleToJSON } = require("@sigstore/bundle");
const { createPublicKey } = require("crypto");
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const der = (text) => createPublicKey(text).export({ format: "der", type: "spki" });
const log = {
  baseUrl: input.origin, logId: undefined, checkpointKeyId: { keyId: Buffer.from(input.keyId, "base64") },
  publicKey: { rawBytes: der(input.logKey), keyDetails: 7, validFor: undefined }, hashAlgorithm: 1,
};
const root = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [log], ctlogs: [] };
const key = (hint) => ({ publicKey: createPublicKey(input.keys[hint]), validFor: () => true });
const attempt = (work) => { try { work(); return "accepted"; } catch (e) { return e.code ?? String(e); } };
const said = { parsed: attempt(() => bundleFromJSON(input.bundle)) };
if (said.parsed === "accepted") {
  const bundle = bundleFromJSON(input.bundle);
  const none = { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 };
  const judge = (entity) => attempt(() => new Verifier(toTrustMaterial(root, key), none).verify(entity));
  const entity = toSignedEntity(bundle);
  said.again = bundleToJSON(bundle);
  said.whole = judge(entity);
  said.signature = judge({ ...entity, tlogEntries: [] });
  const { verifyTLogInclusion } = require("@sigstore/verify/dist/tlog");
  said.inclusion = attempt(() => entity.tlogEntries.forEach(
    (item) => verifyTLogInclusion(item, toTrustMaterial(root, key).tlogs)));
}
console.log(JSON.stringify(said));
"""


@pytest.fixture(scope="module")
def sigstore(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return what sigstore's client says of a bundle, step by step."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        pytest.skip("node is not installed: @sigstore/verify did not judge")
    environment = dict(os.environ)
    probe = [node, "-e", "require('@sigstore/verify'); require('@sigstore/bundle')"]
    if subprocess.run(probe, capture_output=True, check=False, timeout=60).returncode:
        folder = tmp_path_factory.mktemp("node")
        command = [npm or "npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
        if npm is None or subprocess.run(command, capture_output=True, check=False, timeout=120).returncode:
            pytest.skip("@sigstore/verify is not installed, nor can npm get it: it did not judge")
        environment["NODE_PATH"] = str(folder / "node_modules")

    def judge(bundle: dict[str, Any]) -> dict[str, Any]:
        given = {
            "bundle": bundle,
            "origin": ORIGIN,
            "keyId": base64.b64encode(NoteSigner(ORIGIN, KEY).verifier.key_id).decode(),
            "logKey": pem(KEY),
            "keys": {DEVICE.keyid: pem(DEVICE)},
        }
        done = subprocess.run(
            [node, "-e", SIGSTORE],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=True,
            env=environment,
            timeout=60,
        )
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    return judge


def exported(*cosigned: int) -> tuple[dict[str, Any], bytes]:
    """Return the bundle of the last of 11 entries."""
    log, entry = new_log(), envelope(step(), DEVICE)
    log.append([*entries(10), entry])
    store = MemoryCheckpointStore()
    witness = NoteSigner("witness.example/mori", SeedSigner("witness"))
    for size in cosigned:
        store.put(
            size, sign_checkpoint(ORIGIN, size, tree(log, size).root, [NoteSigner(ORIGIN, KEY), witness])
        )
    found: Receipt = receipt(log, store, 10)
    bundle: dict[str, Any] = json.loads(format_bundle(entry, found))
    return bundle, entry


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(), (11,)], ids=["own", "cosigned"])
def test_sigstore_reads_it_and_checks_signature_checkpoint_and_inclusion(
    sigstore: Callable[[dict[str, Any]], dict[str, Any]], sizes: tuple[int, ...]
) -> None:
    """Its whole verification ends at the body: that must be of a kind of Rekor's; ours is the envelope."""
    bundle, _ = exported(*sizes)
    said = sigstore(bundle)
    assert {name: said[name] for name in ("parsed", "signature", "inclusion", "whole")} == {
        "parsed": "accepted",
        "signature": "accepted",
        "inclusion": "accepted",
        "whole": "TLOG_BODY_ERROR",
    }
    assert said["again"] == bundle


def test_the_page_names_the_clients_that_judged() -> None:
    page = (ROOT / "docs" / "spec" / "receipt.md").read_text(encoding="utf-8")
    for package in PACKAGES:
        name, _, version = package.rpartition("@")
        assert f"`{name}` {version}" in page


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dsse", "intoto"])
def test_no_name_of_rekor_s_would_let_sigstore_accept_the_body(
    sigstore: Callable[[dict[str, Any]], dict[str, Any]], kind: str
) -> None:
    bundle, _ = exported()
    for version in ("0.0.1", "0.0.2"):
        bundle["verificationMaterial"]["tlogEntries"][0]["kindVersion"] = {"kind": kind, "version": version}
        assert sigstore(bundle)["whole"] == "TLOG_BODY_ERROR"


@pytest.mark.slow
def test_sigstore_refuses_what_was_changed(sigstore: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """It checks the inclusion before the body, so its own code for each defect is seen."""
    zero = base64.b64encode(bytes(32)).decode()

    def said_of(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> dict[str, Any]:
        bundle, _ = exported()
        change(bundle, bundle["verificationMaterial"]["tlogEntries"][0])
        return sigstore(bundle)

    changes: list[Callable[[dict[str, Any], dict[str, Any]], None]] = [
        lambda _, entry: entry["inclusionProof"]["hashes"].__setitem__(0, zero),
        lambda _, entry: entry["inclusionProof"].update(logIndex="9"),
        lambda _, entry: entry.update(canonicalizedBody=base64.b64encode(b"{}").decode()),
        lambda _, entry: entry["inclusionProof"]["checkpoint"].update(
            envelope=entry["inclusionProof"]["checkpoint"]["envelope"].replace("\n11\n", "\n12\n")
        ),
    ]
    for change in changes:
        said = said_of(change)
        assert (said["parsed"], said["inclusion"]) == ("accepted", "TLOG_INCLUSION_PROOF_ERROR")
        assert said["whole"] == "TLOG_INCLUSION_PROOF_ERROR"
    other = base64.b64encode(b'{"_type":"x"}').decode()
    assert (
        said_of(lambda bundle, _: bundle["dsseEnvelope"].update(payload=other))["signature"]
        == "SIGNATURE_ERROR"
    )
