"""Write docs/reference/rakkan.d.ts from openapi.json: ``python docs/reference/generate_types.py``.

It runs openapi-typescript, which `locks/npm` pins. `tests/tools/test_typescript.py` compares.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER / "rakkan.d.ts"
sys.path.insert(0, str(FOLDER.parents[1]))

from tests.support.node import node_modules  # noqa: E402 - a script has to find the checkout first


def types() -> str:
    """Return the TypeScript types of the description that is in the repository."""
    command = ["node", FOLDER / "types.mjs", node_modules(), FOLDER / "openapi.json"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    PAGE.write_text(types(), encoding="utf-8")
