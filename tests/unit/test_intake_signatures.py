import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.adapters.intake import read_declared
from ledger.adapters.intake.model_signing import verify_model_signature
from ledger.core.digest import sha256_hex
from ledger.core.report import Status
from ledger.core.rights.declared import FileResult, SignatureReport
from ledger.errors import MalformedError
from tests.support.builders import digest
from tests.support.intake import public_pem, signature_bundle, signature_statement

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
FILES = {"model.safetensors": b"weights", "vae/decoder.bin": b"decoder"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    root = tmp_path / "model"
    for name, content in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def sign(model: Path, statement: dict[str, Any] | None = None, **changes: Any) -> Path:
    bundle = signature_bundle(statement or signature_statement(FILES), KEY, **changes)
    path = model.parent / "model.sig"
    path.write_text(json.dumps(bundle), encoding="utf-8")
    return path


def verify(model: Path, signature: Path, key: ec.EllipticCurvePrivateKey = KEY) -> SignatureReport:
    return verify_model_signature(signature, model, NOW, public_key_pem=public_pem(key))


def results(report: SignatureReport) -> dict[str, str]:
    return {file.name: file.result.value for file in report.files}


def test_every_file_is_compared_and_the_signer_named(model: Path) -> None:
    report = verify(model, sign(model))
    assert report.status is Status.PASSED
    assert results(report) == {"model.safetensors": "match", "vae/decoder.bin": "match"}
    assert report.files[0].sha256 == sha256_hex(b"weights")
    spki = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert report.signer == f"sha256:{sha256_hex(spki)}"


def change(model: Path) -> None:
    (model / "vae" / "decoder.bin").write_bytes(b"other")


def remove(model: Path) -> None:
    (model / "vae" / "decoder.bin").unlink()


def add(model: Path) -> None:
    (model / "vae" / "hook.py").write_bytes(b"import os")


def link(model: Path) -> None:
    (model / "vae" / "decoder.bin").rename(model.parent / "decoder.bin")
    (model / "vae" / "decoder.bin").symlink_to(model.parent / "decoder.bin")


def link_folder(model: Path) -> None:
    (model / "more").symlink_to(model / "vae")


@pytest.mark.parametrize(
    ("damage", "name", "result"),
    [
        (change, "vae/decoder.bin", "changed"),
        (remove, "vae/decoder.bin", "missing"),
        (add, "vae/hook.py", "extra"),
        (link, "vae/decoder.bin", "changed"),
        (link_folder, "more", "extra"),
    ],
)
def test_what_is_wrong_is_named_by_file(
    model: Path, damage: Callable[[Path], None], name: str, result: str
) -> None:
    signature = sign(model)
    damage(model)
    report = verify(model, signature)
    assert report.signature is Status.PASSED
    assert report.status is Status.FAILED
    assert {file: found for file, found in results(report).items() if found != "match"} == {name: result}


def test_a_link_is_followed_where_the_signer_did(model: Path) -> None:
    link(model)
    report = verify(model, sign(model, signature_statement(FILES, allow_symlinks=True)))
    assert report.status is Status.PASSED


def test_what_the_statement_leaves_out_is_left_out(model: Path) -> None:
    signature = sign(model, signature_statement(FILES, ignore_paths=["vae/notes", ".git"]))
    for name in ("vae/notes/a", ".git/HEAD"):
        (model / name).parent.mkdir()
        (model / name).write_bytes(b"x")
    assert verify(model, signature).status is Status.PASSED


def test_the_signature_may_lie_in_the_folder(model: Path) -> None:
    signature = sign(model).rename(model / "model.sig")
    assert verify(model, signature).status is Status.PASSED


def test_a_single_file_may_be_signed(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights")
    signature = sign(tmp_path / "x", signature_statement({".": b"weights"}))
    assert results(verify(path, signature)) == {".": "match"}


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_each_curve_has_its_hash(model: Path, curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    path = model.parent / "model.sig"
    path.write_text(json.dumps(signature_bundle(signature_statement(FILES), key)), encoding="utf-8")
    assert verify(model, path, key).status is Status.PASSED


def test_another_key_is_undecided_and_not_forged(model: Path) -> None:
    report = verify(model, sign(model), ec.generate_private_key(ec.SECP256R1()))
    assert (report.signature, report.status, report.signer) == (Status.UNDECIDED, Status.UNDECIDED, None)


def test_the_right_key_over_another_statement_is_failed(model: Path) -> None:
    other = signature_bundle(signature_statement({"model.safetensors": b"other"}), KEY)["dsseEnvelope"]
    own = signature_bundle(signature_statement(FILES), KEY)["dsseEnvelope"]
    report = verify(model, sign(model, dsseEnvelope=other | {"signatures": own["signatures"]}))
    assert (report.signature, report.signer) == (Status.FAILED, None)
    assert report.words == ("the signature does not fit the key and the statement",)


def test_a_hint_decides_nothing(model: Path) -> None:
    material = {"publicKey": {"hint": digest("somebody else")}}
    assert verify(model, sign(model, verificationMaterial=material)).status is Status.PASSED


@pytest.mark.parametrize(
    ("material", "words"),
    [
        ({"publicKey": {}}, "no public key was given"),
        ({"certificate": {"rawBytes": "AAAA"}}, "needs Fulcio and Rekor"),
        ({"x509CertificateChain": {"certificates": [{"rawBytes": "AAAA"}]}}, "no root certificate was given"),
    ],
)
def test_what_cannot_be_checked_here_is_undecided(model: Path, material: dict[str, Any], words: str) -> None:
    report = verify_model_signature(sign(model, verificationMaterial=material), model, NOW)
    assert (report.signature, report.status) == (Status.UNDECIDED, Status.UNDECIDED)
    assert words in report.words[0]
    assert set(results(report).values()) == {"match"}


@pytest.mark.parametrize("how", [{"method": "shards"}, {"hash_type": "blake3"}])
def test_a_hash_that_cannot_be_repeated_is_undecided(model: Path, how: dict[str, str]) -> None:
    statement = signature_statement(FILES, **how)
    if "hash_type" in how:
        for resource in statement["predicate"]["resources"]:
            resource["algorithm"] = "blake3"
    report = verify(model, sign(model, statement))
    assert (report.signature, report.status) == (Status.PASSED, Status.UNDECIDED)
    assert {file.result for file in report.files} == {FileResult.UNDECIDED}


def with_resource(**changes: Any) -> dict[str, Any]:
    statement = signature_statement({"a": b"a"})
    statement["predicate"]["resources"][0] |= changes
    return statement


def with_two() -> dict[str, Any]:
    statement = signature_statement({"a": b"a", "b": b"a"})
    for resource in statement["predicate"]["resources"]:
        resource["name"] = "a"
    return statement


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        pytest.param(with_resource(name="../a"), "name", id="outside of the folder"),
        pytest.param(with_resource(name="/etc/passwd"), "name", id="absolute"),
        pytest.param(with_resource(name="a/./b"), "name", id="two spellings"),
        pytest.param(with_resource(digest="xyz"), "digest", id="no digest"),
        pytest.param(with_resource(digest=digest("b")), "subject", id="another root"),
        pytest.param(with_two(), "name", id="a file twice"),
        pytest.param(
            signature_statement({"a": b""}) | {"predicateType": "x"}, "predicateType", id="another predicate"
        ),
        pytest.param(signature_statement({"a": b""}) | {"subject": []}, "subject", id="no subject"),
    ],
)
def test_a_statement_that_breaks_its_rules_is_refused(
    model: Path, statement: dict[str, Any], place: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        verify(model, sign(model, statement))
    assert caught.value.code == "intake.malformed"
    assert place in caught.value.message


@pytest.mark.parametrize(
    "changes",
    [
        {"mediaType": "application/vnd.dev.sigstore.bundle.v0.1+json"},
        {"dsseEnvelope": {}},
        {"dsseEnvelope": {"payload": "e30=", "payloadType": "text/plain", "signatures": [{"sig": ""}]}},
        {"verificationMaterial": {}},
    ],
)
def test_a_bundle_that_breaks_its_rules_is_refused(model: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError) as caught:
        verify(model, sign(model, **changes))
    assert caught.value.code == "intake.malformed"


ED25519 = (
    ed25519.Ed25519PrivateKey.generate()
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
)


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN PUBLIC KEY-----\n", ED25519])
def test_a_key_that_cannot_have_signed_is_refused(model: Path, pem: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        verify_model_signature(sign(model), model, NOW, public_key_pem=pem)
    assert caught.value.code == "key.malformed"


@pytest.mark.parametrize("certificate", ["AAAA", ""])
def test_a_certificate_that_cannot_be_read_is_refused(model: Path, certificate: str) -> None:
    material = {"x509CertificateChain": {"certificates": [{"rawBytes": certificate}]}}
    with pytest.raises(MalformedError) as caught:
        verify_model_signature(sign(model, verificationMaterial=material), model, NOW, roots_pem=b"")
    assert caught.value.code == "key.malformed"


def test_a_signature_read_as_a_declaration_says_that_it_is_unverified(model: Path) -> None:
    declared = read_declared(sign(model))
    assert (declared.format, declared.models[0].name) == ("model-signing", "kumo-style")
    assert declared.models[0].sha256 is None
    assert declared.models[0].facts["file model.safetensors"] == f"sha256:{sha256_hex(b'weights')}"
    assert "has not been verified" in declared.notes[0]


def test_the_one_file_of_a_signature_is_the_models(model: Path) -> None:
    declared = read_declared(sign(model, signature_statement({"m.safetensors": b"weights"})))
    assert declared.models[0].sha256 == sha256_hex(b"weights")
