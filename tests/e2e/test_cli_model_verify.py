"""`rakkan model verify`: a model signed by OpenSSF's own program, held against its signature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import model_signing
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.e2e.conftest import Studio
from tests.support.intake import public_pem

SIGNING: Any = model_signing.signing


@pytest.fixture
def sky(tmp_path: Path) -> Path:
    """A folder with a model, its signature and the maker's public key."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "key.pub").write_bytes(public_pem(key))
    folder = tmp_path / "sky"
    folder.mkdir()
    (folder / "config.json").write_bytes(b"{}")
    (folder / "sky.safetensors").write_bytes(b"weights" * 100)
    SIGNING.Config().use_elliptic_key_signer(private_key=tmp_path / "key.pem").sign(
        folder, tmp_path / "model.sig"
    )
    return folder


def verify(studio: Studio, sky: Path, *options: object) -> Any:
    result = studio("model", "verify", sky.parent / "model.sig", "--root", sky, *options, "--json")
    return result.code, result.json


def test_what_its_maker_signed_is_verified(studio: Studio, sky: Path) -> None:
    code, found = verify(studio, sky, "--public-key", sky.parent / "key.pub")
    assert (code, found["status"]) == (0, "passed")
    assert {file["result"] for file in found["files"]} == {"match"}


def test_a_signature_by_nobody_known_is_undecided(studio: Studio, sky: Path) -> None:
    code, found = verify(studio, sky)
    assert (code, found["status"], "signer" in found) == (3, "undecided", False)


@pytest.mark.parametrize(
    ("damage", "result"),
    [
        (lambda sky: (sky / "sky.safetensors").write_bytes(b"other weights"), "changed"),
        (lambda sky: (sky / "config.json").unlink(), "missing"),
        (lambda sky: (sky / "extra.py").write_bytes(b"import os"), "extra"),
    ],
    ids=["changed", "missing", "extra"],
)
def test_the_file_that_differs_is_named(
    studio: Studio, sky: Path, damage: Callable[[Path], object], result: str
) -> None:
    damage(sky)
    code, found = verify(studio, sky, "--public-key", sky.parent / "key.pub")
    assert (code, found["status"]) == (1, "failed")
    assert result in {file["result"] for file in found["files"]}


def test_in_words_for_a_person(studio: Studio, sky: Path) -> None:
    said = studio(
        "model", "verify", sky.parent / "model.sig", "--root", sky, "--public-key", sky.parent / "key.pub"
    )
    assert said.code == 0
    assert "passed; signed by" in said.out
    assert "match: sky.safetensors" in said.out


def test_what_is_no_signature_is_said_so(studio: Studio, sky: Path) -> None:
    studio.fails("intake.malformed", "model", "verify", sky / "config.json")
    studio.fails("file.missing", "model", "verify", sky / "nothing.sig")
