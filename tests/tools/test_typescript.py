"""The TypeScript types: made from the description, and used by a program that asks a real server."""

from __future__ import annotations

import base64
import importlib.util
import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from tests.architecture.project import ROOT
from tests.e2e.conftest import Studio, founded, nightfall, shot_once
from tests.support.cleared import policy
from tests.support.node import node_modules
from tests.support.service import running

__all__ = ["founded", "nightfall", "shot_once"]
pytestmark = pytest.mark.tools
REFERENCE = ROOT / "docs/reference"
PROGRAM = ROOT / "tests/support/ts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the program, the types, and the modules of npm."""
    found = tmp_path / "program"
    shutil.copytree(PROGRAM, found)
    shutil.copy(REFERENCE / "rakkan.d.ts", found)
    (found / "node_modules").symlink_to(node_modules())
    return found


def compiled(folder: Path) -> tuple[int, str]:
    command = ["node", str(node_modules() / "typescript/bin/tsc"), "-p", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    return result.returncode, result.stdout


def test_the_types_are_those_of_the_description() -> None:
    spec = importlib.util.spec_from_file_location("generate_types", REFERENCE / "generate_types.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = "run docs/reference/generate_types.py"
    assert (REFERENCE / "rakkan.d.ts").read_text(encoding="utf-8") == module.types(), stale


def test_a_typescript_program_asks_a_real_server(nightfall: Studio, folder: Path) -> None:
    final = nightfall.work / "final.1001.png"
    nightfall.ok("clear", "sh010", *policy(nightfall), "--record")
    recorded = sha256(final.read_bytes()).hexdigest()
    nightfall.ok("seal", nightfall.work / "bg.1001.png", final)
    token = nightfall.ok("token", "create", "ts", "--role", "producer", "--json").json["token"]
    assert compiled(folder) == (0, "")
    with running(nightfall) as server:
        given = {
            "url": server.url,
            "production": "nightfall",
            "token": token,
            "file": base64.b64encode(final.read_bytes()).decode(),
            "digest": recorded,
        }
        command = ["node", str(folder / "out/client.js"), json.dumps(given)]
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["outcome"], said["failed"]) == ("proven", [])
    assert {"bg.1001.png", "sh020.1001.png", "final.1001.png"} <= set(said["names"])
    assert (said["verdict"]["verdict"], said["current"]) == ("cleared", True)
    assert said["refused"] == [401, "access.unknown"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("report.outcome", "report.result"),
        ("asset.name", "asset.filename"),
        ("digest: given.digest", "sha256: given.digest"),
        ("refused.error?.code", "refused.error?.errorCode"),
        ("/v1/productions/{production}/assets", "/v1/productions/{production}/asset"),
    ],
)
def test_what_is_not_described_does_not_compile(folder: Path, right: str, wrong: str) -> None:
    program = folder / "client.ts"
    text = program.read_text(encoding="utf-8")
    assert right in text
    program.write_text(text.replace(right, wrong), encoding="utf-8")
    code, said = compiled(folder)
    assert code != 0
    assert "client.ts(" in said
