"""The README's session, run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
SESSION = re.compile(r"## What it does today\n\n```sh\n(.*?)```.*?```sh\n(.*?)```", re.DOTALL)


def test_the_session_of_the_readme_works(tmp_path: Path) -> None:
    found = SESSION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    Image.effect_noise((64, 36), 60).convert("RGB").save(tmp_path / "bg.1001.png")
    (tmp_path / "sky.safetensors").write_bytes(b"weights")
    (tmp_path / "works.csv").write_text(f"work,sha256,rights_holder\nnight,{'0' * 64},Mori Studio\n")
    rakkan = f'rakkan() {{ "{sys.executable}" -I -m ledger "$@"; }}\n'
    environment = {**os.environ, "HOME": str(tmp_path), "NO_COLOR": "1"}
    ran = subprocess.run(
        ["bash", "-eu", "-c", rakkan + found[1] + found[2]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "✓ Proven: sealed by workstation, Studio Kumo" in ran.stdout
    assert "2 of 2 named models and datasets have a grant on record" in ran.stdout
    assert "first sight" in ran.stdout.lower()
    assert (tmp_path / "handover").is_dir()
