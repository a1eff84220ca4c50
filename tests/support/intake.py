"""Makers of what intake reads, byte by byte from each format's own specification."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.core import envelope as dsse
from tests.support.builders import digest

HASHES = {256: SHA256(), 384: SHA384(), 521: SHA512()}
BASE = digest("base weights")
OTHER = digest("other weights")
THIRD = digest("third weights")


def safetensors(metadata: Mapping[str, Any] | None = None, names: tuple[str, ...] = ("weight",)) -> bytes:
    """One file with a four-byte tensor of each name, and this ``__metadata__``."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    for number, name in enumerate(names):
        offsets = [4 * number, 4 * number + 4]
        header[name] = {"dtype": "F32", "shape": [1], "data_offsets": offsets}
    return safetensors_of(json.dumps(header).encode(), bytes(4 * len(names)))


def safetensors_of(header: bytes, tensors: bytes = b"") -> bytes:
    """The length, these bytes as the header, and these behind it."""
    return len(header).to_bytes(8, "little") + header + tensors


def lora_metadata(**changes: str) -> dict[str, str]:
    """What kohya's trainer writes into a LoRA, and ModelSpec beside it."""
    subsets = [
        {"img_count": 40, "num_repeats": 10, "image_dir": "10_kumo", "class_tokens": "kumo", "is_reg": False},
        {"img_count": 200, "num_repeats": 1, "image_dir": "1_sky", "class_tokens": "sky", "is_reg": True},
    ]
    tags = {"10_kumo": {"1girl": 40, "umbrella ": 12}, "1_sky": {"cloud": 200}}
    return {
        "ss_output_name": "kumo_v3",
        "ss_network_module": "networks.lora",
        "ss_network_dim": "32",
        "ss_sd_model_name": "anime-base.safetensors",
        "ss_sd_model_hash": "e6e8e1fc",
        "ss_new_sd_model_hash": BASE,
        "ss_base_model_version": "sdxl_base_v1-0",
        "ss_num_train_images": "400",
        "ss_datasets": json.dumps([{"subsets": subsets, "tag_frequency": tags}]),
        "sshs_model_hash": digest("the tensors alone"),
        "modelspec.sai_model_spec": "1.0.0",
        "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
        "modelspec.title": "Kumo, third",
        "modelspec.hash_sha256": f"0x{digest('the tensors alone')}",
        "modelspec.license": "LicenseRef-studio-kumo-12",
        **changes,
    }


def merge_metadata(method: str = "Add difference", multiplier: float = 0.3, **changes: Any) -> dict[str, str]:
    """What the web UI's merger writes into a checkpoint."""
    recipe = {
        "type": "webui",
        "primary_model_hash": BASE,
        "secondary_model_hash": OTHER,
        "tertiary_model_hash": THIRD,
        "interp_method": method,
        "multiplier": multiplier,
        **changes,
    }
    models = {
        BASE: {"name": "base.safetensors", "legacy_hash": "11111111", "sd_merge_recipe": None},
        OTHER: {"name": "other.safetensors", "legacy_hash": "22222222", "sd_merge_recipe": None},
        digest("merged earlier"): {"name": "earlier.safetensors"},
    }
    return {"sd_merge_recipe": json.dumps(recipe), "sd_merge_models": json.dumps(models)}


def cyclonedx(version: str = "1.7") -> dict[str, Any]:
    """An ML-BOM: a model, its ancestor, a dataset by reference and one written in place."""
    licensing: dict[str, Any] = {
        "licensor": {"organization": {"name": "Studio Kumo"}},
        "purchaseOrder": "PO-12",
        "expiration": "2027-01-01T00:00:00Z",
        "altIds": ["KUMO-12"],
    }
    text = {"content": base64.b64encode(b"the exact text\n").decode(), "encoding": "base64"}
    model = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": "kumo-style",
        "version": "3",
        "hashes": [{"alg": "SHA-1", "content": "a" * 40}, {"alg": "SHA-256", "content": BASE}],
        "licenses": [{"license": {"name": "Kumo contract 12", "text": text, "licensing": licensing}}],
        "pedigree": {
            "ancestors": [
                {
                    "type": "machine-learning-model",
                    "bom-ref": "base",
                    "name": "anime-base",
                    "hashes": [{"alg": "SHA-256", "content": OTHER}],
                }
            ]
        },
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": "text-to-image",
                "architectureFamily": "diffusion",
                "datasets": [{"ref": "set"}, {"type": "dataset", "name": "sketches"}],
            }
        },
    }
    dataset = {
        "type": "data",
        "bom-ref": "set",
        "name": "kumo-frames",
        "version": "2",
        "hashes": [{"alg": "SHA-256", "content": THIRD}],
        "licenses": [{"expression": "cc-by-4.0 and MIT"}],
        "data": [
            {
                "type": "dataset",
                "classification": "confidential",
                "governance": {"owners": [{"organization": {"name": "Studio Kumo"}}]},
            }
        ],
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "version": 1,
        "components": [model, dataset],
    }


def croissant(usage: Any = None, version: str = "1.1", **changes: Any) -> dict[str, Any]:
    """A dataset's card with these terms of use."""
    card = {
        "@context": {"@vocab": "https://schema.org/", "odrl": "http://www.w3.org/ns/odrl/2/"},
        "@type": "sc:Dataset",
        "conformsTo": f"http://mlcommons.org/croissant/{version}",
        "name": "kumo-frames",
        "version": "2.0.0",
        "description": "Frames.",
        "url": "https://kumo.example/frames",
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "creator": {"@type": "Organization", "name": "Studio Kumo"},
        "datePublished": "2026-01-01",
        "distribution": [{"@type": "cr:FileObject", "@id": "frames.tar", "sha256": THIRD}],
        "usageInfo": usage,
        **changes,
    }
    return {name: value for name, value in card.items() if value is not None}


def offer(**rules: Any) -> dict[str, Any]:
    """An ODRL offer as Croissant holds it."""
    return {"@type": ["CreativeWork", "odrl:Offer"], **{f"odrl:{kind}": rule for kind, rule in rules.items()}}


def rule(action: str, **more: Any) -> dict[str, Any]:
    """A rule of an offer."""
    return {"odrl:action": {"@id": action}, **{f"odrl:{name}": value for name, value in more.items()}}


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as verifiers take it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signature_statement(files: Mapping[str, bytes], **serialization: Any) -> dict[str, Any]:
    """The statement that a model's signer signs."""
    digests = {name: hashlib.sha256(content) for name, content in sorted(files.items())}
    root = hashlib.sha256(b"".join(item.digest() for item in digests.values())).hexdigest()
    resources = [
        {"name": name, "algorithm": "sha256", "digest": item.hexdigest()} for name, item in digests.items()
    ]
    how = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, **serialization}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "kumo-style", "digest": {"sha256": root}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"serialization": how, "resources": resources},
    }


def signature_bundle(
    statement: Mapping[str, Any], key: ec.EllipticCurvePrivateKey, **changes: Any
) -> dict[str, Any]:
    """The bundle around a statement, signed with the key; ``changes`` replace members of the bundle."""
    payload = json.dumps(statement, indent=2).encode()
    sig = key.sign(dsse.pae(payload), ec.ECDSA(HASHES[key.curve.key_size]))
    return {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "publicKey": {"hint": hashlib.sha256(public_pem(key)).hexdigest()},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": dsse.PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(sig).decode(), "keyid": ""}],
        },
        **changes,
    }
