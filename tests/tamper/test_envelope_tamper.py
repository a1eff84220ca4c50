"""The envelope vectors (a file's name is its defect), and an envelope with every byte changed in turn."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.identity import parse_public_key
from ledger.testing import SeedSigner
from tests.support.builders import envelope, refusal, step
from tests.vectors.generate_envelopes import FOLDER, P256Signer, vectors

VECTORS = sorted(FOLDER.glob("*.json"))
CHECKER = FOLDER.parent / "check_envelopes.mjs"


def judge(data: bytes, spki: bytes) -> None:
    """Read, verify and understand an envelope, as a verifier does."""
    found = dsse.decode(data)
    dsse.verify(found, parse_public_key(spki))
    statements.decode(found.payload)


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_defect_has_its_code(path: Path) -> None:
    vector: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    data, spki = base64.b64decode(vector["envelope"]), base64.b64decode(vector["key"])
    assert refusal(judge, data, spki) == vector["code"]


def test_the_files_are_those_of_the_generator() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in VECTORS} == vectors()


def test_another_implementation_agrees() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the vectors were not checked in another language")
    result = subprocess.run([node, CHECKER], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith(f"{len(VECTORS)} vectors, 0 wrong")


def test_the_other_implementation_can_find_a_fault(tmp_path: Path) -> None:
    """A checker that always agrees proves nothing: give it a vector that lies."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the vectors were not checked in another language")
    (tmp_path / "envelopes").mkdir()
    shutil.copy(CHECKER, tmp_path)
    lie = json.loads((FOLDER / "good-p256.json").read_text(encoding="utf-8"))
    lie["signed"] = False
    (tmp_path / "envelopes" / "lie.json").write_text(json.dumps(lie), encoding="utf-8")
    result = subprocess.run([node, tmp_path / CHECKER.name], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "lie.json: signed is true, not false" in result.stdout


@pytest.mark.parametrize("signer", [SeedSigner("device"), P256Signer("device")], ids=["Ed25519", "P-256"])
@pytest.mark.parametrize("change", [0x01, 0x20])
def test_no_byte_of_an_envelope_can_change(signer: Any, change: int) -> None:
    good = envelope(step(), signer)
    judge(good, signer.public_key)
    for place in range(len(good)):
        changed = bytearray(good)
        changed[place] ^= change
        assert refusal(judge, bytes(changed), signer.public_key) is not None, place


def test_no_end_of_an_envelope_can_be_cut_off() -> None:
    good = envelope(step())
    for length in range(len(good)):
        assert refusal(judge, good[:length], SeedSigner("device").public_key) is not None
