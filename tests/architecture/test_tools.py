"""The linters are part of the gate: `python3 -m tests` is all there is to run."""

import os
import subprocess
import sys

from tests.architecture.project import ROOT

IMPORT_LINTER = "from importlinter.cli import lint_imports_command as main; main(['--no-logo'])"


def passes(*arguments: str) -> None:
    """Run Python with `arguments` in the checkout; fails with all of its output."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, "\n" + result.stdout


def test_ruff_finds_nothing() -> None:
    passes("-m", "ruff", "check", "--output-format=concise")


def test_code_is_formatted() -> None:
    passes("-m", "ruff", "format", "--check", "--output-format=concise")


def test_types_hold() -> None:
    passes("-m", "mypy")


def test_imports_run_one_way() -> None:
    passes("-c", IMPORT_LINTER)
