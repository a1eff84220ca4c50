"""What prepares a module when it is imported: the diffusers hook's finder, on a package of the test's own."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ledger.hooks import diffusers_hook, rakkan_capture
from ledger.hooks.diffusers_hook import Finder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `studio_brushes` with a module `ink`, importable in this test only."""
    folder = tmp_path / "studio_brushes"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "ink.py").write_text("class Brush:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    yield folder
    for name in [name for name in sys.modules if name.startswith("studio_brushes")]:
        del sys.modules[name]


def watch(function: Any) -> Finder:
    finder = Finder({"studio_brushes.ink": function})
    sys.meta_path.insert(0, finder)
    return finder


def test_a_watched_module_is_handed_over_once_when_it_is_imported(package: Path) -> None:
    seen: list[ModuleType] = []
    watch(seen.append)
    importlib.import_module("studio_brushes")
    assert seen == []
    ink = importlib.import_module("studio_brushes.ink")
    assert importlib.import_module("studio_brushes.ink") is ink
    assert seen == [ink]
    assert seen[0].Brush


def test_looking_for_a_module_is_no_import_and_hides_none(package: Path) -> None:
    seen: list[ModuleType] = []
    watch(seen.append)
    assert importlib.util.find_spec("studio_brushes.ink") is not None
    assert seen == []
    importlib.import_module("studio_brushes.ink")
    assert len(seen) == 1


def test_a_module_that_is_not_there_is_still_not_there(package: Path) -> None:
    (package / "ink.py").unlink()
    watch(print)
    with pytest.raises(ModuleNotFoundError, match=r"studio_brushes\.ink"):
        importlib.import_module("studio_brushes.ink")


def test_two_finders_do_not_send_each_other_round(package: Path) -> None:
    seen: list[str] = []
    watch(lambda _: seen.append("first"))
    watch(lambda _: seen.append("second"))
    importlib.import_module("studio_brushes.ink")
    assert sorted(seen) == ["first", "second"]


def test_a_fault_of_ours_stops_no_import(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rakkan_capture", rakkan_capture)
    monkeypatch.setattr(rakkan_capture, "faults", [])
    (tmp_path / "spool").mkdir()
    watch(lambda module: module.no_such_name)
    assert importlib.import_module("studio_brushes.ink").Brush
    assert len(rakkan_capture.faults) == 1
    assert "no_such_name" in (tmp_path / "spool/faults.log").read_text()


@pytest.mark.parametrize(("said", "finders"), [("1", 1), ("0", 0)])
def test_it_is_installed_once_and_not_where_capturing_is_off(
    monkeypatch: pytest.MonkeyPatch, said: str, finders: int
) -> None:
    monkeypatch.setenv("RAKKAN_CAPTURE", said)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    diffusers_hook.install()
    diffusers_hook.install()
    assert sum(isinstance(finder, Finder) for finder in sys.meta_path) == finders
