"""The README's session, run as it stands; what it shows of the answers is what they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
TODAY = re.compile(r"## What it does today\n(.*?)\n## ", re.DOTALL)
SESSION = re.compile(r"```sh\n(.*?)```", re.DOTALL)
ANSWER = re.compile(r"```text\n(.*?)```", re.DOTALL)
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2} UTC")


@pytest.fixture(scope="module")
def section() -> str:
    found = TODAY.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def said(section: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the session prints, run in a folder of its own."""
    folder = tmp_path_factory.mktemp("readme")
    Image.effect_noise((64, 36), 60).convert("RGB").save(folder / "bg.1001.png")
    (folder / "sky.safetensors").write_bytes(b"weights")
    (folder / "licence.pdf").write_bytes(b"a contract")
    (folder / "works.csv").write_text(f"work,sha256,rights_holder\nnight,{'0' * 64},Mori Studio\n")
    command = folder / "bin" / "rakkan"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -m ledger "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-eu", "-c", "".join(SESSION.findall(section))],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "NO_COLOR": "1", "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert (folder / "handover").is_dir()
    return ran.stdout


def test_the_session_of_the_readme_works(said: str) -> None:
    assert "✓ Proven: sealed by workstation, Studio Kumo" in said
    assert "2 of 2 named models and datasets have a grant on record" in said
    assert "first sight" in said.lower()


def test_a_verdict_is_what_the_readme_shows(section: str, said: str) -> None:
    printed = MOMENT.sub("WHEN", said).splitlines()
    shown = [line for text in ANSWER.findall(section) for line in text.splitlines() if line != "…"]
    assert len(shown) > 5
    assert [line for line in shown if MOMENT.sub("WHEN", line) not in printed] == []
    assert [line for line in re.findall(r"prints `(.*?)`", section) if line not in printed] == []
