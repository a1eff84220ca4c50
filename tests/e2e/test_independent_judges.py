"""What strangers' programs say of a studio's output, made with the command: none shares code with us."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

# Before the import: the package asks its user about telemetry otherwise.
os.environ["ENCYPHER_C2PA_TELEMETRY"] = "off"

import pytest
from encypher_c2pa import verify as encypher_verify
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # it re-exports without saying so

from tests.e2e.conftest import Shot, Studio, copied, sidecar
from tests.support.media import EMBED, FORMATS, require
from tests.support.verifying import send, verifying

AICS = "aics-tlog asks for Python 3.12; it is installed with --ignore-requires-python (locks/judges.txt)"


def judged(studio: Studio, path: Path, media_type: str, store: bytes | None) -> dict[str, Any]:
    root = "\n".join(json.loads(studio.trust.read_text())["manifestAnchors"]) + "\n"
    return dict(
        encypher_verify(
            path.read_bytes(),
            media_type,
            manifest_store=store,
            trust_pem=root,
            tsa_trust_pem=root,
            no_default_trust=True,
            telemetry=False,
        )
    )


def verdict(report: dict[str, Any]) -> tuple[str, str, str]:
    return report["integrity"], report["hard_binding"], report["validation_state"]


SAMPLE = {"png", "jpg", "tif", "mp4", "pdf", "wav", "svg"}
"""One format of each way to embed: the others are slow."""


@pytest.mark.parametrize("name", FORMATS)
def test_encypher_accepts_every_sealed_output(shot: Shot, name: str) -> None:
    require(name)
    path = shot.files[name]
    store = None if name in EMBED else sidecar(path).read_bytes()
    # It has no name for most sidecar formats; the binding is over all bytes, whatever they are called.
    report = judged(shot.studio, path, FORMATS[name][0] if name in EMBED else "image/png", store)
    assert verdict(report) == ("valid", "match", "Trusted"), json.dumps(report)[:2000]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in SAMPLE else [pytest.mark.slow])
        for name in FORMATS
        if name in EMBED
    ],
)
def test_the_endpoint_and_encypher_agree(shot: Shot, tmp_path: Path, name: str) -> None:
    """Of the file as it is, of one whose content was changed, and of one whose manifest was."""
    require(name)
    data = shot.files[name].read_bytes()
    files = {"whole": data, "content": data + b"\0" * 64}
    at = data.rfind(b"org.rakkan.ledger-entry") + 3  # the newest manifest comes last
    if at > 3:  # a GIF and an SVG hold it in another spelling
        files["manifest"] = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    with verifying(tmp_path / "uploads", shot.studio.home) as client:
        for what, changed in files.items():
            file = tmp_path / f"{what}.{name}"
            file.write_bytes(changed)
            outcome = send(client, file)["outcome"]
            theirs = judged(shot.studio, file, FORMATS[name][0], None)["integrity"]
            if what == "manifest" and theirs == "invalid":
                assert outcome in ("altered", "undecided")  # one that cannot be read is no forgery to us
            else:
                assert (what, {"proven": "valid", "altered": "invalid"}[outcome]) == (what, theirs)


def test_encypher_accepts_datasets_chains_and_time_stamps(shot: Shot, tmp_path: Path) -> None:
    studio = copied(shot.studio, tmp_path / "copy")
    parent = studio.work / shot.files["png"].name
    edited = studio.record(studio.png("edited.png", 40), "--action", "edit", "--parent", parent)
    imported = studio.record(studio.png("imported.png", 41), "--action", "import")
    studio.ok("seal", edited, imported, "--timestamp")
    for path in (edited, imported):
        assert verdict(judged(studio, path, "image/png", None)) == ("valid", "match", "Trusted")
    store = sidecar(studio.work / "plates.csv").read_bytes()
    found = verdict(judged(studio, studio.work / "plates.csv", "image/png", store))
    assert found == ("valid", "match", "Trusted")


@pytest.mark.parametrize("name", ["sky.safetensors", "plates.csv"])
def test_encypher_accepts_what_was_registered(shot: Shot, name: str) -> None:
    path = shot.studio.work / name
    report = judged(shot.studio, path, "image/png", sidecar(path).read_bytes())
    assert verdict(report) == ("valid", "match", "Trusted")
    assert _failures(report) == []
    # The library drops the `.v2` of c2pa.asset-type.v2, and the label that is left was withdrawn.
    assert b"c2pa.asset-type" not in sidecar(path).read_bytes()


def _failures(value: Any) -> list[dict[str, Any]]:
    """Everything under the name `failure`, anywhere in a report."""
    if isinstance(value, list):
        return [item for member in value for item in _failures(member)]
    if isinstance(value, dict):
        own: list[dict[str, Any]] = value.get("failure") or []
        return own + [item for member in value.values() for item in _failures(member)]
    return []


def test_encypher_refuses_what_we_call_altered(shot: Shot, tmp_path: Path) -> None:
    path = tmp_path / "altered.jpg"
    data = bytearray(shot.files["jpg"].read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    assert verdict(judged(shot.studio, path, "image/jpeg", None))[:2] == ("invalid", "mismatch")
    assert shot.studio.verify(path).code == 1


def _exported(studio: Studio, what: object, folder: Path) -> tuple[bytes, bytes, bytes]:
    names = studio.ok("export", what, "--out", folder).out.splitlines()
    by_suffix = {name.partition(".")[2]: Path(name).read_bytes() for name in names}
    return by_suffix["dsse.json"], by_suffix["tlog-proof"], by_suffix["pub"]


@pytest.mark.parametrize("index", range(9))
def test_securesystemslib_accepts_every_exported_envelope(shot: Shot, index: int, tmp_path: Path) -> None:
    data, _, pem = _exported(shot.studio, index, tmp_path)
    envelope = Envelope.from_dict(json.loads(data))
    key = SSlibKey.from_crypto(_public(pem), keyid=next(iter(envelope.signatures)))
    envelope.verify([key], 1)
    assert envelope.payload_type == "application/vnd.in-toto+json"
    envelope.payload = envelope.payload.replace(b"rakkan", b"rakkam", 1)
    with pytest.raises(VerificationError):
        envelope.verify([key], 1)


def _public(pem: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    return load_pem_public_key(pem)


def test_pymerkle_finds_the_published_root(shot: Shot, tmp_path: Path) -> None:
    import pymerkle

    studio = copied(shot.studio, tmp_path / "copy")
    studio.ok("publish")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for index in range(studio.size()):
        tree.append_entry(_exported(studio, index, tmp_path / "entries")[0])
    origin, size, root = (studio.home / "log" / "checkpoint").read_text().split("\n")[:3]
    import base64

    assert (int(size), base64.b64decode(root)) == (studio.size(), tree.get_root())
    assert json.loads(studio.trust.read_text())["logs"][0].startswith(origin)


def test_aics_tlog_reads_the_published_log_with_the_trust_root_alone(shot: Shot, tmp_path: Path) -> None:
    aics = pytest.importorskip("aics_tlog", reason=AICS)
    studio = copied(shot.studio, tmp_path / "copy")
    studio.ok("publish")
    folder = studio.home / "log"
    vkey = json.loads(studio.trust.read_text())["logs"][0]
    note = aics.parse_note((folder / "checkpoint").read_bytes())
    result = aics.verify_checkpoint(note, aics.parse_vkey(vkey), expected_origin=vkey.partition("+")[0])
    assert (result.ok, result.size, result.error) == (True, studio.size(), None)
    reader = aics.FileSystemTileReader(folder)
    assert aics.tree_root_from_tiles(reader, result.size) == aics.parse_checkpoint(note.text).root
    for index in range(result.size):
        assert aics.read_entry(reader, index, result.size) == _exported(studio, index, tmp_path / "e")[0]
