"""Intake before strangers: files that the standards' own programs wrote, and what these make of ours."""

import base64
import io
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import model_signing
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType, Pedigree
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from rdflib import Graph, Namespace
from spdx_python_model import v3_0_1 as spdx

from ledger.adapters import pki
from ledger.adapters.intake import read_declared
from ledger.adapters.intake.model_signing import verify_model_signature
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model_v2 import ParentRole
from ledger.core.report import Status
from ledger.core.rights.declared import DeclaredLicence, DeclaredParent, DeclaredTraining, SignatureReport
from tests.support.intake import (
    BASE,
    OTHER,
    croissant,
    cyclonedx,
    offer,
    public_pem,
    rule,
    signature_bundle,
    signature_statement,
)

OPENSSF: Any = model_signing
"""Typed in part only: its constructors are not."""
NOW = datetime.now(UTC)
FILES = {"config.json": b"{}", "unet/model.safetensors": b"weights" * 100}
CURVES: list[ec.EllipticCurve] = [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()]


class Signed:
    """A model that OpenSSF's own program signs, and judges again."""

    def __init__(self, folder: Path, curve: ec.EllipticCurve | None = None) -> None:
        self.folder = folder
        self.model = folder / "kumo-style"
        self.signature = folder / "model.sig"
        self.key = ec.generate_private_key(curve or ec.SECP256R1())
        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.private = self.put("key.pem", private)
        self.public = self.put("key.pub", public_pem(self.key))
        for name, content in FILES.items():
            (self.model / name).parent.mkdir(parents=True, exist_ok=True)
            (self.model / name).write_bytes(content)

    def put(self, name: str, data: bytes) -> Path:
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def sign(self) -> None:
        config = OPENSSF.signing.Config().use_elliptic_key_signer(private_key=self.private)
        config.sign(self.model, self.signature)

    def judged(self) -> bool:
        verifier = OPENSSF.verifying.Config().use_elliptic_key_verifier(public_key=self.public)
        try:
            verifier.verify(self.model, self.signature)
        except ValueError:
            return False
        return True

    def ours(self) -> SignatureReport:
        return verify_model_signature(
            self.signature, self.model, NOW, public_key_pem=self.public.read_bytes()
        )


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_what_model_signing_signs_we_verify(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    signed = Signed(tmp_path, curve)
    signed.sign()
    report = signed.ours()
    assert report.status is Status.PASSED
    assert [file.name for file in report.files] == list(FILES)
    assert read_declared(signed.signature).models[0].name == "kumo-style"


@pytest.mark.parametrize(
    "damage",
    [
        lambda root: (root / "config.json").write_bytes(b"{1}"),
        lambda root: (root / "config.json").unlink(),
        lambda root: (root / "unet" / "hook.py").write_bytes(b"import os"),
        lambda root: (root / "config.json").rename(root / "config.yaml"),
        lambda root: (root / "link").symlink_to(root / "config.json"),
    ],
    ids=["changed", "removed", "added", "renamed", "linked"],
)
def test_what_model_signing_refuses_we_refuse(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    signed = Signed(tmp_path)
    signed.sign()
    assert signed.judged()
    damage(signed.model)
    assert not signed.judged()
    assert signed.ours().status is Status.FAILED


def test_model_signing_verifies_what_our_tests_sign(tmp_path: Path) -> None:
    signed = Signed(tmp_path)
    bundle = signature_bundle(signature_statement(FILES), signed.key)
    signed.signature.write_text(json.dumps(bundle), encoding="utf-8")
    assert signed.judged()
    assert signed.ours().status is Status.PASSED


@pytest.mark.parametrize("algorithm", ["blake2", "blake3"])
def test_another_hash_is_checked_or_left_open(tmp_path: Path, algorithm: Any) -> None:
    signed = Signed(tmp_path)
    hashing = OPENSSF.hashing.Config().use_file_serialization(hashing_algorithm=algorithm)
    config = OPENSSF.signing.Config().use_elliptic_key_signer(private_key=signed.private)
    config.set_hashing_config(hashing).sign(signed.model, signed.signature)
    expected = Status.PASSED if algorithm == "blake2" else Status.UNDECIDED
    assert signed.ours().status is expected


def test_pieces_of_files_are_left_open(tmp_path: Path) -> None:
    signed = Signed(tmp_path)
    hashing = OPENSSF.hashing.Config().use_shard_serialization(shard_size=100)
    config = OPENSSF.signing.Config().use_elliptic_key_signer(private_key=signed.private)
    config.set_hashing_config(hashing).sign(signed.model, signed.signature)
    report = signed.ours()
    assert (report.signature, report.status) == (Status.PASSED, Status.UNDECIDED)


def certified(signed: Signed, at: datetime) -> bytes:
    """Sign with a certificate two steps below a root, and return the root."""
    root = pki.make_root("Studio Kumo", at)
    issuing = pki.make_issuing(root, "Studio Kumo", at)
    spki = signed.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaf, issuer = x509.load_pem_x509_certificates(pki.make_leaf(issuing, "Studio Kumo", "trainer", spki, at))
    config = OPENSSF.signing.Config().use_certificate_signer(
        private_key=signed.private,
        signing_certificate=signed.put("leaf.pem", leaf.public_bytes(Encoding.PEM)),
        certificate_chain=[signed.put("issuing.pem", issuer.public_bytes(Encoding.PEM))],
    )
    config.sign(signed.model, signed.signature)
    return root.chain_pem


def test_a_certificate_that_leads_to_the_root_names_the_signer(tmp_path: Path) -> None:
    signed = Signed(tmp_path)
    root = certified(signed, NOW)
    judge = OPENSSF.verifying.Config()
    judge.use_certificate_verifier(certificate_chain=[signed.put("root.pem", root)])
    judge.verify(signed.model, signed.signature)
    report = verify_model_signature(signed.signature, signed.model, NOW, roots_pem=root)
    assert (report.status, report.signer) == (Status.PASSED, "CN=trainer,O=Studio Kumo")


def test_a_certificate_that_leads_nowhere_or_has_ended_is_undecided(tmp_path: Path) -> None:
    signed = Signed(tmp_path)
    root = certified(signed, NOW)
    other = pki.make_root("Studio Kumo", NOW).chain_pem
    late = NOW + timedelta(days=800)
    for roots, moment in ((other, NOW), (root, late)):
        report = verify_model_signature(signed.signature, signed.model, moment, roots_pem=roots)
        assert (report.signature, report.status) == (Status.UNDECIDED, Status.UNDECIDED)
        assert "none of the given roots" in report.words[0]


def test_a_certificate_that_is_no_signers_is_undecided(tmp_path: Path) -> None:
    signed = Signed(tmp_path)
    root = pki.make_root("Studio Kumo", NOW)  # its key usage is to sign certificates, and nothing else
    certificates = [{"rawBytes": _base64(root.certificate.public_bytes(Encoding.DER))}]
    material = {"x509CertificateChain": {"certificates": certificates}}
    bundle = signature_bundle(signature_statement(FILES), root.key, verificationMaterial=material)
    signed.signature.write_text(json.dumps(bundle), encoding="utf-8")
    report = verify_model_signature(signed.signature, signed.model, NOW, roots_pem=root.chain_pem)
    assert report.words == ("the certificate is not one for signing",)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("version", [SchemaVersion.V1_5, SchemaVersion.V1_6, SchemaVersion.V1_7])
def test_the_bill_that_our_tests_read_is_one(version: SchemaVersion) -> None:
    text = json.dumps(cyclonedx(version.to_version()))
    assert JsonStrictValidator(version).validate_str(text) is None


def test_a_bill_that_cyclonedx_wrote(tmp_path: Path) -> None:
    base = Component(
        name="anime-base",
        type=ComponentType.MACHINE_LEARNING_MODEL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=OTHER)],
    )
    model = Component(
        name="kumo-style",
        version="3",
        type=ComponentType.MACHINE_LEARNING_MODEL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=BASE)],
        licenses=[LicenseExpression("MIT OR Apache-2.0")],
        pedigree=Pedigree(ancestors=[base]),
    )
    path = tmp_path / "bom.json"
    path.write_text(JsonV1Dot6(Bom(components=[model])).output_as_string(), encoding="utf-8")
    found = read_declared(path).models
    assert [(item.name, item.version, item.sha256) for item in found] == [("kumo-style", "3", BASE)]
    assert found[0].parents == (DeclaredParent("anime-base", OTHER, ParentRole.BASE),)
    assert found[0].licence == DeclaredLicence("MIT OR Apache-2.0")


def written(objects: Iterable[Any]) -> bytes:
    """What SPDX's own bindings write."""
    buffer = io.BytesIO()
    spdx.JSONLDSerializer().write(spdx.SHACLObjectSet(objects), buffer)
    return buffer.getvalue()


def element(kind: Any, identifier: str, **members: Any) -> Any:
    info = spdx.CreationInfo(specVersion="3.0.1", created=NOW, createdBy=["urn:studio"])
    return kind(spdxId=f"urn:{identifier}", creationInfo=info, **members)


def link(start: str, kind: str, end: str) -> Any:
    return element(
        spdx.Relationship,
        f"{start}-{kind}",
        from_=f"urn:{start}",
        to=[f"urn:{end}"],
        relationshipType=getattr(spdx.RelationshipType, kind),
    )


def test_a_document_that_spdx_wrote(tmp_path: Path) -> None:
    digest = spdx.Hash(algorithm=spdx.HashAlgorithm.sha256, hashValue=OTHER)
    frames = element(spdx.dataset_DatasetPackage, "frames", name="kumo-frames", verifiedUsing=[digest])
    frames.dataset_datasetType = [spdx.dataset_DatasetType.image]
    model = element(
        spdx.ai_AIPackage,
        "model",
        name="kumo-style",
        software_packageVersion="3",
        ai_typeOfModel=["diffusion"],
    )
    terms = element(
        spdx.simplelicensing_LicenseExpression,
        "terms",
        simplelicensing_licenseExpression="LicenseRef-kumo-12",
    )
    joined = [link("model", "trainedOn", "frames"), link("model", "hasDeclaredLicense", "terms")]
    path = tmp_path / "document.spdx.json"
    path.write_bytes(written([model, frames, terms, *joined]))
    declared = read_declared(path)
    found = declared.models[0]
    assert (found.name, found.version, found.facts["ai_typeOfModel"]) == ("kumo-style", "3", "diffusion")
    assert found.training == (DeclaredTraining("kumo-frames", OTHER),)
    assert found.licence == DeclaredLicence("LicenseRef-kumo-12")
    assert declared.datasets[0].composition == {"dataset_datasetType": "image"}


# rdflib's own reader of JSON-LD still uses a class that rdflib has deprecated.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_the_offer_that_our_tests_read_is_odrl(tmp_path: Path) -> None:
    terms = offer(permission=rule("odrl:distribute"), prohibition=rule("odrl:index"))
    text = json.dumps(croissant(terms))
    odrl = Namespace("http://www.w3.org/ns/odrl/2/")
    triples = Graph().parse(data=text, format="json-ld")
    found = {
        kind: list(triples.objects(None, odrl[kind] / odrl.action)) for kind in ("permission", "prohibition")
    }
    assert found == {"permission": [odrl.distribute], "prohibition": [odrl["index"]]}
    (tmp_path / "card").write_text(text, encoding="utf-8")
    usage = read_declared(tmp_path / "card").datasets[0].usage
    assert (usage.permitted, usage.prohibited) == ((Use.DATASET_REDISTRIBUTION,), (Use.SIMILARITY_INDEX,))
