"""The catalogue of hooks, and what holds for each of our files that runs in somebody else's Python."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.hooks.catalogue import HOOKS, SOURCES, Hook, hooks

OURS = {"__init__.py", "catalogue.py"}
FILES = sorted(path for path in SOURCES.glob("*.py") if path.name not in OURS)


def test_every_file_is_in_a_hook_that_is_offered() -> None:
    offered = {source for hook in hooks() for source in hook.sources}
    assert offered == {path.name for path in FILES}


def test_each_hook_has_its_own_name_and_one_way_to_get_it() -> None:
    assert len({hook.name for hook in HOOKS}) == len(HOOKS)
    for hook in HOOKS:
        assert [bool(hook.scripts), bool(hook.module), bool(hook.place)].count(True) == 1, hook.name
        assert bool(hook.files) != bool(hook.scripts)


def test_a_hook_is_written_after_what_it_imports() -> None:
    for hook in hooks():
        targets = [Path(target).name for target in hook.content()]
        assert targets[:1] == ["rakkan_capture.py"] * bool(targets)
        assert [name for name in targets if name.endswith(".pth")] == targets[-1:] * bool(hook.start)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_hook_is_readable_for_the_oldest_python(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    future = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert [alias.name for node in future for alias in node.names] == ["annotations"]


@pytest.mark.parametrize("hook", [hook for hook in HOOKS if hook.run], ids=lambda hook: hook.name)
def test_what_is_started_starts_as_the_list_says(hook: Hook) -> None:
    python, *rest = hook.run.split()
    assert python == "python3"
    ran = subprocess.run(
        [sys.executable, *rest, "--help"], cwd=SOURCES.parents[1], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "usage:" in ran.stdout
