"""The forger at work on sealed files: what changes is noticed, what is only unknown is not called forged."""

from __future__ import annotations

import base64
import dataclasses
import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.adapters.home import Home
from ledger.core.artifact import Artifact
from ledger.core.evidence import LoggedEnvelope
from ledger.core.lineage import Record
from ledger.core.predicates import Enrolment, Grant, Model, Predicate
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.grant import Use
from ledger.errors import RefusedError
from ledger.service.archive import Archive
from ledger.service.evidence import Basis, evidence
from ledger.service.log import admission
from ledger.service.log.projection import project
from ledger.testing import AdmitAll
from ledger.wiring import open_device, open_studio
from tests.e2e.conftest import (
    GRANT,
    Shot,
    Studio,
    checks,
    codes,
    copied,
    elsewhere,
    found,
    founded,
    licensed,
    production,
    shot,
    sidecar,
    studio,
)
from tests.support.media import exr, make

__all__ = ["elsewhere", "founded", "licensed", "production", "shot", "studio"]


def copy(shot: Shot, name: str, folder: Path) -> Path:
    path = shot.delivered(name, folder / "inbox")
    (path.parent / "trust.json").unlink()
    return path


def flipped(path: Path, offset: int, mask: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= mask
    path.write_bytes(data)


# --- bytes -------------------------------------------------------------------------------------------------

EMBEDDED = ["png", "jpg", "webp", "gif", "tif", "mp4", "wav", "pdf"]


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_flipped_byte_of_the_picture(shot: Shot, name: str, tmp_path: Path) -> None:
    path = copy(shot, name, tmp_path)
    original = shot.originals[name]
    data = path.read_bytes()
    # A piece of the original that is still there, from its middle: picture data in every format.
    middle = len(original) // 2
    offset = data.find(original[middle : middle + 16] if name != "pdf" else b"MediaBox")
    assert offset > 0
    flipped(path, offset + 5)
    result = shot.studio.verify(path)
    assert (result.code, checks(result)["bytes"]) == (1, "failed"), result.out


@pytest.mark.parametrize("name", ["exr", "dpx", "psd", "safetensors", "txt"])
def test_a_flipped_byte_beside_a_sidecar(shot: Shot, name: str, tmp_path: Path) -> None:
    path = copy(shot, name, tmp_path)
    size = path.stat().st_size
    for offset in (0, size // 2, size - 1):
        flipped(path, offset)
        assert shot.studio.verify(path).code == 1
        flipped(path, offset)
    assert shot.studio.verify(path).code == 0


def test_bytes_added_at_the_end(shot: Shot, tmp_path: Path) -> None:
    for name in ("png", "jpg", "tif", "exr"):
        (tmp_path / name).mkdir()
        path = copy(shot, name, tmp_path / name)
        path.write_bytes(path.read_bytes() + b"\0")
        assert shot.studio.verify(path).code == 1, name


def _sample(count: int, size: int, seed: int) -> list[int]:
    return sorted(random.Random(seed).sample(range(size), count))


def test_a_flipped_byte_of_the_manifest_never_makes_a_worse_claim(shot: Shot, tmp_path: Path) -> None:
    """About a third of a store's bytes are padding and may change; then the answer is the same as before."""
    path = copy(shot, "exr", tmp_path)
    store = sidecar(path).read_bytes()
    before = shot.studio.verify(path).json
    outcomes = {}
    for offset in _sample(120, len(store), 7):
        flipped(sidecar(path), offset, 0x10)
        result = shot.studio("verify", path, "--offline", "--trust", shot.studio.trust, "--json")
        assert result.code in {0, 1, 3}, (offset, result.err)
        outcomes[offset] = result.code
        if result.code == 0:
            after = result.json
            assert [(thing["name"], thing["sha256"]) for thing in after["named"]] == [
                (thing["name"], thing["sha256"]) for thing in before["named"]
            ]
            assert (after["signer"], after["steps"]) == (before["signer"], before["steps"])
        sidecar(path).write_bytes(store)
    assert sum(code != 0 for code in outcomes.values()) > 30


@pytest.mark.slow
def test_every_flipped_byte_of_a_manifest(shot: Shot, tmp_path: Path) -> None:
    path = copy(shot, "exr", tmp_path)
    store = sidecar(path).read_bytes()
    before = shot.studio.verify(path).json["named"]
    for offset in range(0, len(store), 7):
        flipped(sidecar(path), offset, 0x04)
        result = shot.studio("verify", path, "--offline", "--trust", shot.studio.trust, "--json")
        assert result.code in {0, 1, 3}, (offset, result.err)
        assert result.code != 0 or result.json["named"] == before
        sidecar(path).write_bytes(store)


@pytest.mark.parametrize("size", [0, 1, 100, 4000])
def test_a_cut_sidecar(shot: Shot, size: int, tmp_path: Path) -> None:
    path = copy(shot, "exr", tmp_path)
    sidecar(path).write_bytes(sidecar(path).read_bytes()[:size])
    result = shot.studio.verify(path)
    assert (result.code, "failed" in checks(result).values()) == (3, False), result.out


# --- manifests moved about ---------------------------------------------------------------------------------


def test_the_manifest_of_one_picture_on_another(studio: Studio) -> None:
    """Two pictures of one size: the manifest's chunk is cut out of one and put into the other."""
    first, second = studio.sealed("a.png", seed=1), studio.png("b.png", 2)
    data, length = first.read_bytes(), int.from_bytes(first.read_bytes()[33:37], "big")
    assert data[37:41] == b"caBX"
    chunk = data[33 : 33 + 12 + length]
    other = second.read_bytes()
    second.write_bytes(other[:33] + chunk + other[33:])
    result = studio.verify(second)
    assert (result.code, checks(result)["bytes"]) == (1, "failed")
    assert studio("verify", second).code == 1


def test_the_sidecar_of_another_frame(production: Studio) -> None:
    paths = []
    for number in (1, 2):
        path = production.work / f"f{number}.exr"
        exr(path, seed=number)
        paths.append(production.record(path, "--action", "generate", "--model", "sky"))
    production.ok("seal", *paths)
    shutil.copy(sidecar(paths[0]), sidecar(paths[1]))
    result = production.verify(paths[1])
    assert (result.code, checks(result)["bytes"]) == (1, "failed")


def test_a_sidecar_by_somebody_else_for_our_file(studio: Studio, elsewhere: Studio, tmp_path: Path) -> None:
    """A forger can always sign what lies on his desk: under his own name."""
    path = studio.record(make("exr", studio.work))
    studio.ok("seal", path)
    theirs = tmp_path / path.name
    shutil.copy(path, theirs)
    elsewhere.record(theirs)
    elsewhere.ok("seal", theirs)
    shutil.copy(sidecar(theirs), sidecar(path))
    result = studio.verify(path)
    assert (result.code, checks(result)["signer"], checks(result)["bytes"]) == (3, "undecided", "passed")
    online = studio("verify", path, "--json")
    assert (online.code, checks(online)["ledger"]) == (3, "passed")


def test_a_stripped_file_resealed_by_a_forger_with_our_names(studio: Studio, tmp_path: Path) -> None:
    forger = found(tmp_path / "forger", "Studio Kumo")
    mine = studio.sealed()
    bare = forger.work / "frame.png"
    bare.write_bytes(studio.png("bare.png").read_bytes())
    forger.record(bare)
    forger.ok("seal", bare)
    result = studio.verify(bare)
    assert (result.code, checks(result)["signer"]) == (3, "undecided")
    assert result.json["signer"] == studio.verify(mine).json["signer"]  # the same words, and not believed


def test_a_log_of_the_same_name_with_another_key(studio: Studio, tmp_path: Path) -> None:
    """The forger's receipts name our origin. The trust root knows the key, and not only the name."""
    forger = found(tmp_path / "forger", "Studio Kumo")
    theirs, ours = (json.loads(item.trust.read_text()) for item in (forger, studio))
    assert theirs["logs"][0].split("+")[0] == ours["logs"][0].split("+")[0]
    path = forger.sealed()
    # Even where the forger's certificates are believed, his log is not.
    mixed = tmp_path / "mixed.json"
    mixed.write_text(json.dumps({**ours, "manifestAnchors": theirs["manifestAnchors"]}))
    result = studio("verify", path, "--offline", "--trust", mixed, "--json")
    assert checks(result)["signer"] == "passed"
    assert checks(result)["log"] in {"undecided", "failed"}
    assert result.code != 0


def test_a_log_with_the_same_key_and_another_history(studio: Studio, tmp_path: Path) -> None:
    """A studio that keeps two books: both are signed by its key, and one file carries both."""
    other = copied(studio, tmp_path / "second-books")
    first = studio.record(studio.png("a.png", 1))
    second = other.record(other.png("b.png", 2))
    studio.ok("seal", first)
    other.ok("seal", second)
    for name in ("a.png", "b.png"):
        assert {"a.png": studio, "b.png": other}[name].verify(
            {"a.png": first, "b.png": second}[name]
        ).code == 0
    # A picture of each is used in one: now both histories are in one manifest.
    both = ("--component", first, "--component", second)
    child = studio.record(studio.png("c.png", 3), "--action", "composite", *both)
    studio.ok("seal", child)
    result = studio.verify(child)
    assert (result.code, checks(result)["log"]) == (1, "failed"), result.out
    assert "log.conflict" in codes(result)


# --- receipts ----------------------------------------------------------------------------------------------


def _swap(store: bytes, old: bytes, new: bytes) -> bytes:
    assert old in store
    assert len(old) == len(new)
    return store.replace(old, new)


def test_a_swapped_receipt_without_a_new_signature(shot: Shot, tmp_path: Path) -> None:
    path = copy(shot, "exr", tmp_path)
    store = sidecar(path).read_bytes()
    at = store.index(b"c2sp.org/tlog-proof@v1") if b"c2sp.org/tlog-proof@v1" in store else -1
    if at >= 0:
        sidecar(path).write_bytes(_swap(store, b"c2sp.org/tlog-proof@v1", b"c2sp.org/tlog-proof@v2"))
    else:
        piece = base64.b64encode(b"c2sp.org/tlog-proof@v1")[:-4]
        sidecar(path).write_bytes(_swap(store, piece, piece[:-1] + b"A"))
    result = shot.studio.verify(path)
    assert (result.code, checks(result)["claim"]) == (1, "failed")


@pytest.mark.parametrize("kind", ["png", "exr"])
def test_a_swapped_receipt_signed_again_by_the_thief_of_a_device(
    studio: Studio, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is good; the entry it brings is that of another file."""
    other = studio.record(studio.png("other.png", 9))
    mine = studio.record(make(kind, studio.work))
    entry = studio.size() - 2
    assert other.is_file()

    def swapped(archive: Archive, record: Record, basis: Basis) -> tuple[LoggedEnvelope, ...]:
        return (archive.studio.logged(entry), *evidence(archive, record, basis)[1:])

    monkeypatch.setattr("ledger.service.plan.evidence", swapped)
    studio.ok("seal", mine)
    result = studio.verify(mine)
    assert checks(result)["claim"] == "passed"
    assert result.code != 0
    assert checks(result)["subject"] in {"undecided", "failed"}


def test_a_receipt_over_another_envelope(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = studio.record(studio.png())

    def mixed(archive: Archive, record: Record, basis: Basis) -> tuple[LoggedEnvelope, ...]:
        first, second, *rest = evidence(archive, record, basis)
        return (dataclasses.replace(first, receipt=second.receipt), second, *rest)

    monkeypatch.setattr("ledger.service.plan.evidence", mixed)
    studio.ok("seal", mine)
    result = studio.verify(mine)
    assert (result.code, checks(result)["log"]) == (1, "failed")


# --- licences ----------------------------------------------------------------------------------------------


def stolen(studio: Studio, subject: Artifact, predicate: Predicate) -> None:
    """Let a thief append with the device's statement key, past the command line and a log that refuses."""
    home = Home(studio.home, None)
    with open_studio(home) as opened:
        thief = open_device(home, "workstation").signer
        with pytest.raises(RefusedError, match=r"key\.not-valid"):
            opened.state(thief, (subject,), predicate)
        opened.log._admission = AdmitAll(project)
        opened.state(thief, (subject,), predicate)


def test_a_frame_whose_model_has_no_grant(studio: Studio) -> None:
    weights = studio.work / "m.bin"
    weights.write_bytes(b"m")
    studio.ok("model", "add", "m", weights)
    path = studio.sealed("a.png", "--action", "generate", "--model", "m")
    result = studio.verify(path)
    assert (result.code, codes(result)) == (3, {"grant.missing"})


def test_a_stolen_device_key_cannot_grant(studio: Studio) -> None:
    """Its grant counts for nothing, and spoils nothing that others made."""
    weights = studio.work / "m.bin"
    weights.write_bytes(b"m")
    studio.ok("model", "add", "m", weights)
    before = studio.sealed("before.png", "--action", "generate", "--model", "m", seed=1)
    digest = studio.ok("show", weights).json["statement"]["subject"][0]["digest"]["sha256"]
    grant = Grant("G-stolen", (Use.OUTPUT_FINAL,), datetime(2020, 1, 1, tzinfo=UTC))
    stolen(studio, Artifact("m", digest), grant)
    after = studio.sealed("after.png", "--action", "generate", "--model", "m", seed=2)
    for path in (before, after):
        for result in (studio.verify(path), studio("verify", path, "--json")):
            assert (result.code, checks(result)["grants"]) == (3, "undecided"), result.out
            assert "failed" not in checks(result).values()
    studio.ok(*GRANT, "--covers", "m")
    assert studio("verify", after).code == 0


def test_a_stolen_device_key_cannot_register(production: Studio) -> None:
    """A second registration of a licensed model by a thief changes nothing about the first."""
    weights = production.work / "sky.safetensors"
    digest = production.ok("show", "4").json["statement"]["subject"][0]["digest"]["sha256"]
    assert weights.is_file()
    stolen(production, Artifact("sky", digest, "application/octet-stream"), Model("sky", "666", ()))
    path = production.sealed("a.png", "--action", "generate", "--model", "sky")
    for result in (production.verify(path), production("verify", path, "--json")):
        assert result.code == 0, result.out
        assert {thing["name"] for thing in result.json["named"]} == {"sky", "plates"}


def test_a_stolen_device_key_cannot_enrol(studio: Studio) -> None:
    """An enrolment by a device is no enrolment: the device's own standing stays what it was."""
    key = Home(studio.home, None).statement_signer("workstation")
    start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
    mine = Enrolment("workstation", KeyRole.REGISTRAR, key.public_key, start, end, "0" * 64)
    stolen(studio, Artifact("workstation", key.keyid), mine)
    path = studio.sealed()
    for result in (studio.verify(path), studio("verify", path, "--json")):
        assert result.code == 0, result.out


def test_a_device_that_seals_for_another(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim certificate of our own issuing authority, for a key that no enrolment names."""
    thief = copied(studio, tmp_path / "thief")
    thief.ok("enrol", "ghost")
    shutil.copytree(thief.home / "keys/devices/ghost", studio.home / "keys/devices/ghost")
    for suffix in ("pem", "json"):
        shutil.copy(thief.home / f"certificates/devices/ghost.{suffix}", studio.home / "certificates/devices")
    path = studio.png()
    studio.fails("key.unknown", "record", path, "--device", "ghost")
    monkeypatch.setattr(admission, "KeyAdmission", lambda *_: AdmitAll(project))
    studio.ok("record", path, "--device", "ghost")
    studio.ok("seal", path, "--device", "ghost")
    result = studio.verify(path)
    assert (result.code, checks(result)["statement"]) != (0, "passed")
    assert "key.unknown" in codes(result)
