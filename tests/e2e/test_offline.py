"""A stranger's machine: the file, its sidecar, trust.json, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Shot, Studio, checks, codes, sidecar, snapshot, stranger
from tests.support.media import EMBED, FORMATS, require


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_proven_from_the_file_and_the_trust_root(
    shot: Shot, name: str, tmp_path: Path
) -> None:
    path = shot.delivered(name, tmp_path / "inbox")
    before = snapshot(path.parent)
    other = stranger(tmp_path / "stranger")
    result = other("verify", path, "--trust", path.parent / "trust.json", "--json")
    assert (result.code, result.json["outcome"]) == (0, "proven"), result.out
    assert set(checks(result).values()) == {"passed"}
    assert {thing["name"] for thing in result.json["named"]} == {"sky", "plates"}
    assert result.json["facts"]["form"] == ("embedded" if name in EMBED else "sidecar")
    assert snapshot(path.parent) == before
    assert snapshot(other.work) == {}


@pytest.mark.parametrize("name", FORMATS)
def test_a_sidecar_leaves_the_file_as_it_was(shot: Shot, name: str) -> None:
    require(name)
    unchanged = shot.files[name].read_bytes() == shot.originals[name]
    assert unchanged == (name not in EMBED)
    assert sidecar(shot.files[name]).exists() == (name not in EMBED)


def test_the_answer_is_the_same_in_words(shot: Shot, tmp_path: Path) -> None:
    path = shot.delivered("png", tmp_path / "inbox")
    result = stranger(tmp_path / "stranger")("verify", path, "--trust", path.parent / "trust.json")
    assert result.code == 0
    assert result.out.startswith(
        "✓ Proven: sealed by workstation, Studio Kumo, recorded in ledger.studio-kumo"
    )
    assert result.err == ""


def test_without_a_trust_root_nobody_is_known_and_nothing_is_forged(shot: Shot, tmp_path: Path) -> None:
    path = shot.delivered("png", tmp_path / "inbox")
    result = stranger(tmp_path / "stranger")("verify", path, "--json")
    assert (result.code, result.json["outcome"]) == (3, "undecided")
    assert "failed" not in checks(result).values()
    assert checks(result)["signer"] == "undecided"


def test_with_another_studios_trust_root_nothing_is_forged(
    shot: Shot, elsewhere: Studio, tmp_path: Path
) -> None:
    path = shot.delivered("png", tmp_path / "inbox")
    result = elsewhere.verify(path)
    assert (result.code, result.json["outcome"]) == (3, "undecided"), result.out
    assert "failed" not in checks(result).values()


def test_the_sidecar_may_lie_elsewhere(shot: Shot, tmp_path: Path) -> None:
    path = shot.delivered("exr", tmp_path / "inbox")
    moved = sidecar(path).rename(tmp_path / "handed over separately")
    other = stranger(tmp_path / "stranger")
    trust = ("--trust", path.parent / "trust.json")
    missing = other("verify", path, *trust, "--json")
    assert (missing.code, codes(missing) >= {"verify.no-manifest"}) == (3, True)
    assert other("verify", path, *trust, "--sidecar", moved).code == 0


def test_the_file_may_have_another_name(shot: Shot, tmp_path: Path) -> None:
    path = shot.delivered("png", tmp_path / "inbox")
    renamed = path.rename(path.with_name("FINAL_final_v2.png"))
    assert stranger(tmp_path / "s")("verify", renamed, "--trust", path.parent / "trust.json").code == 0


def test_verifying_opens_no_socket_and_reads_no_home(shot: Shot, tmp_path: Path) -> None:
    path = shot.delivered("tif", tmp_path / "inbox")
    program = f"""
import socket, sys
def refuse(*_, **__): raise AssertionError("a socket")
socket.socket.connect = socket.socket.bind = refuse
import ledger.cli
try:
    ledger.cli.main(["verify", {str(path)!r}, "--trust", {str(path.parent / "trust.json")!r}])
except SystemExit as end:
    loaded = {{name.split(".")[0] for name in sys.modules}}
    print(end.code, sorted(loaded & {{"sqlalchemy", "alembic", "fastapi"}}))
"""
    environment = {"RAKKAN_HOME": str(tmp_path / "nowhere"), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert ran.stdout.endswith("0 []\n"), ran.stdout + ran.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_read_only_inbox_is_enough(shot: Shot, tmp_path: Path) -> None:
    path = shot.delivered("exr", tmp_path / "inbox")
    for item in path.parent.iterdir():
        item.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        assert stranger(tmp_path / "s")("verify", path, "--trust", path.parent / "trust.json").code == 0
    finally:
        path.parent.chmod(0o755)
