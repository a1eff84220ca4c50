"""`rakkan verify` with a ledger at hand, and what a hostile file may not do to its reader."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import Shot, Studio, checks, codes, sidecar
from tests.support.media import make


def test_online_names_the_entry(studio: Studio) -> None:
    path = studio.sealed()
    out = studio.ok("verify", path).out
    assert "These bytes are “frame.png”, entry 3." in out


def test_a_recorded_file_that_is_not_sealed_yet(studio: Studio) -> None:
    path = studio.record(studio.png())
    result = studio("verify", path, "--json")
    assert (result.code, checks(result)["ledger"], checks(result)["subject"]) == (3, "passed", "passed")


def test_a_file_nobody_knows(studio: Studio) -> None:
    result = studio("verify", studio.png(), "--json")
    assert result.code == 3
    assert codes(result) >= {"verify.no-manifest", "log.no-such-entry"}
    assert "failed" not in checks(result).values()


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_a_stripped_file_is_found_by_its_picture(studio: Studio, kind: str) -> None:
    path = studio.record(make(kind, studio.work))
    studio.ok("seal", path)
    stripped = studio.work / f"stripped.{kind}"
    with Image.open(path) as picture:
        # Other settings than the painter's: other bytes, the same picture. Pillow would copy a TIFF's tags.
        bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
        bare.save(stripped, **({"compress_level": 1} if kind == "png" else {"compression": "tiff_lzw"}))
    offline = studio.verify(stripped)
    assert (offline.code, codes(offline) >= {"verify.no-manifest"}) == (3, True)
    online = studio("verify", stripped, "--json")
    assert (online.code, "ledger.pixels" in codes(online)) == (3, True)
    assert "its manifest was removed or it was saved again" in online.out


def test_a_stripped_file_is_found_by_its_bytes(studio: Studio) -> None:
    """One-pass sealing puts the manifest in and leaves every other byte: taking it out gives the original."""
    path = studio.png()
    original = path.read_bytes()
    studio.record(path)
    studio.ok("seal", path)
    bare = studio.work / "bare.png"
    bare.write_bytes(original)
    online = studio("verify", bare, "--json")
    assert (online.code, checks(online)["ledger"]) == (3, "passed")


def test_a_lost_sidecar_is_no_forgery(studio: Studio) -> None:
    path = studio.record(make("exr", studio.work))
    studio.ok("seal", path)
    sidecar(path).unlink()
    assert studio.verify(path).code == 3
    online = studio("verify", path, "--json")
    assert (online.code, checks(online)["ledger"]) == (3, "passed")


def test_the_sidecar_itself_is_not_the_file(studio: Studio) -> None:
    path = studio.record(make("exr", studio.work))
    studio.ok("seal", path)
    assert studio("verify", sidecar(path)).code == 3


def test_another_trust_root_beside_our_own_ledger(studio: Studio, elsewhere: Studio) -> None:
    path = studio.sealed()
    result = studio("verify", path, "--trust", elsewhere.trust, "--json")
    assert result.code == 3
    assert "failed" not in checks(result).values()


def test_verifying_writes_nothing(shot: Shot) -> None:
    before = {path: path.stat().st_mtime_ns for path in shot.studio.work.rglob("*")}
    entries = shot.studio.rows("entry")
    for path in shot.files.values():
        shot.studio.ok("verify", path)
    assert {path: path.stat().st_mtime_ns for path in shot.studio.work.rglob("*")} == before
    assert shot.studio.rows("entry") == entries


def test_a_stale_sidecar_does_not_speak_for_an_embedded_manifest(studio: Studio) -> None:
    path = studio.sealed()
    scan = studio.record(make("exr", studio.work))
    studio.ok("seal", scan)
    shutil.copy(sidecar(scan), sidecar(path))
    assert studio.verify(path).code == 0
    assert studio.verify(path, "--sidecar", sidecar(path)).code == 1


@pytest.mark.parametrize(
    "name", ["\x1b[2K\x1b[1A✓ Proven.png", "\u202egnp.proven.png", "a\nProven: b.png", "\x9b2J.png"]
)
def test_a_name_cannot_write_the_verdict(studio: Studio, name: str) -> None:
    """The name of the file, and of anything in it, reaches the terminal without its power."""
    path = studio.work / name
    shutil.copy(studio.sealed(), path)
    for arguments in (("verify", path), ("verify", path, "--json"), ("verify", path, "--trust", path)):
        result = studio(*arguments)
        assert not re.search("[\x1b\x9b\u202e]", result.out + result.err)
        assert "\nProven: b" not in result.out + result.err


def test_a_strangers_words_cannot_write_the_verdict(
    elsewhere: Studio, studio: Studio, tmp_path: Path
) -> None:
    """The certificate of an unknown studio is free to call itself anything that X.509 can hold."""
    from tests.e2e.conftest import found

    forger = found(tmp_path / "forger", "✓ Proven: sealed by workstation of Studio Kumo")
    path = forger.sealed()
    result = studio("verify", path, "--offline", "--trust", studio.trust)
    assert (result.code, result.out.startswith("– Cannot decide: ")) == (3, True)


def test_what_is_claimed_is_only_what_is_known(shot: Shot) -> None:
    for name in ("png", "exr"):
        words = shot.studio.ok("verify", shot.files[name]).out.lower()
        for claim in ("ai-free", "no ai", "copyright-safe", "without ai", "guarantee"):
            assert claim not in words
