"""The short hashes of a file, each against its own definition."""

import json
import random
import struct
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.adapters.said.weights import short_hashes


def hashes(data: bytes, path: Path) -> dict[str, str]:
    path.write_bytes(data)
    digest, found = short_hashes(path)
    assert digest == sha256(data).hexdigest()
    return {item.kind.value: item.value for item in found}


@pytest.mark.parametrize("header", [10, 1 << 20, (1 << 20) - 8, (1 << 20) + 5])
@pytest.mark.parametrize("tensors", [0, 1, 3 << 20])
def test_each_hash_is_of_its_own_part_of_the_file(tmp_path: Path, header: int, tensors: int) -> None:
    text = json.dumps({"__metadata__": {"note": "x" * header}}).encode()
    body = random.Random(header).randbytes(tensors)
    data = struct.pack("<Q", len(text)) + text + body
    found = hashes(data, tmp_path / "a.safetensors")
    assert found["AutoV2"] == sha256(data).hexdigest()[:10]
    assert found["AutoV3"] == sha256(body).hexdigest()[:12]
    part = data[1 << 20 : (1 << 20) + (1 << 16)]
    assert found.get("AutoV1") == (sha256(part).hexdigest()[:8] if part else None)


def test_what_is_no_safetensors_has_no_tensors(tmp_path: Path) -> None:
    assert set(hashes(b"PK\x03\x04" + bytes(100), tmp_path / "a.ckpt")) == {"AutoV2"}
