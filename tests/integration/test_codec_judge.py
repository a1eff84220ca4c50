"""Another C2PA implementation (encypher-c2pa) judges what this one wrote. It shares no code with ours."""

import os

# Before the import: the package asks its user about telemetry otherwise.
os.environ["ENCYPHER_C2PA_TELEMETRY"] = "off"

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from encypher_c2pa import verify

from ledger.core.manifest import LEDGER_ENTRY, Ingredient, Relationship
from tests.support import media
from tests.support.sealing import plan, workshop


def judged(path: Path, media_type: str, sidecar: bytes | None = None) -> dict[str, Any]:
    root = workshop().root.chain_pem.decode()
    return dict(
        verify(
            path.read_bytes(),
            media_type,
            manifest_store=sidecar,
            trust_pem=root,
            tsa_trust_pem=root,
            no_default_trust=True,
        )
    )


def verdict(report: dict[str, Any]) -> tuple[str, str, str]:
    return report["integrity"], report["hard_binding"], report["validation_state"]


GOOD = ("valid", "match", "Trusted")


@pytest.mark.parametrize("name", sorted(media.EMBED))
def test_an_embedded_manifest(name: str, tmp_path: Path) -> None:
    shop, media_type = workshop(), media.FORMATS[name][0]
    source = media.make(name, tmp_path, "source")
    target = tmp_path / f"sealed{source.suffix}"
    shop.codec.seal_file(plan(media_type), source, target, shop.credential)
    assert verdict(judged(target, media_type)) == GOOD


@pytest.mark.parametrize("name", sorted(media.SIDECAR))
def test_a_sidecar(name: str, tmp_path: Path) -> None:
    shop = workshop()
    path = media.make(name, tmp_path)
    store = shop.codec.seal_digest(plan(), sha256(path.read_bytes()).hexdigest(), shop.credential)
    # It has no name for most of these formats; the binding is over all bytes, whatever they are called.
    assert verdict(judged(path, "image/png", store)) == GOOD
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    assert judged(path, "image/png", store)["integrity"] != "valid"


@pytest.mark.parametrize("name", ["png", "jpg"])
def test_a_changed_byte(name: str, tmp_path: Path) -> None:
    shop, media_type = workshop(), media.FORMATS[name][0]
    source = media.make(name, tmp_path, "source")
    target = tmp_path / f"sealed{source.suffix}"
    shop.codec.seal_file(plan(media_type), source, target, shop.credential)
    data = bytearray(target.read_bytes())
    data[-30] ^= 1
    target.write_bytes(data)
    assert verdict(judged(target, media_type))[:2] == ("invalid", "mismatch")


@pytest.mark.parametrize("name", ["png", "jpg"])
@pytest.mark.parametrize("size", [66_000, 300_000])
def test_a_store_of_many_segments(name: str, size: int, tmp_path: Path) -> None:
    shop, media_type = workshop(), media.FORMATS[name][0]
    source = media.make(name, tmp_path, "source")
    target = tmp_path / f"sealed{source.suffix}"
    big = plan(media_type, assertions={LEDGER_ENTRY: {"entries": ["e" * size]}})
    shop.codec.seal_file(big, source, target, shop.credential)
    assert verdict(judged(target, media_type)) == GOOD


@pytest.mark.parametrize("name", ["png", "jpg", "mp4"])
def test_a_chain_and_a_second_seal(name: str, tmp_path: Path) -> None:
    shop, media_type = workshop(), media.FORMATS[name][0]
    digest = sha256(b"weights").hexdigest()
    store = shop.codec.seal_digest(plan("application/octet-stream"), digest, shop.credential)
    model = Ingredient(
        "model-1", "model", Relationship.INPUT, "application/octet-stream", "c2pa.types.model", store, digest
    )
    source = media.make(name, tmp_path, "source")
    first, second = tmp_path / f"first{source.suffix}", tmp_path / f"second{source.suffix}"
    shop.codec.seal_file(plan(media_type, (model,)), source, first, shop.credential)
    shop.codec.seal_file(plan(media_type), first, second, shop.credential)
    assert verdict(judged(first, media_type)) == GOOD
    assert verdict(judged(second, media_type)) == GOOD


def test_ed25519(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    from tests.support.sealing import credential

    shop = workshop()
    mine = credential(shop.issuing, key=ed25519.Ed25519PrivateKey.generate(), now=datetime.now(UTC))
    source = media.make("png", tmp_path, "source")
    shop.codec.seal_file(plan(), source, tmp_path / "sealed.png", mine)
    assert verdict(judged(tmp_path / "sealed.png", "image/png")) == GOOD
