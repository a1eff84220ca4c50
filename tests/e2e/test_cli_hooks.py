"""`rakkan hooks`: put a hook where its tool looks, look after it, take it away."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT

SCRIPTS = ["modules/rakkan_capture.py", "startup/rakkan_hook.py"]


class Command:
    """`rakkan hooks` in a process of its own, with its own spool."""

    def __init__(self, folder: Path) -> None:
        self.spool = folder / "spool"
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("RAKKAN", "BLENDER"))
            },
            "PYTHONPATH": str(ROOT),
            "RAKKAN_SPOOL": str(self.spool),
        }

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ledger", "hooks", *map(str, arguments)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def ok(self, *arguments: object) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def fails(self, code: str, *arguments: object) -> None:
        done = self(*arguments, "--json")
        assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (2, code)

    def checked(self, *arguments: object) -> list[tuple[str, str, bool | None]]:
        rows = json.loads(self("check", *arguments, "--json").stdout)["hooks"]
        return [(row["hook"], row["state"], row["seen"]) for row in rows]


@pytest.fixture
def hooks(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "scripts"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


@pytest.fixture
def python(made: Path) -> Iterator[Path]:
    """A Python of the test's own, without any hook."""
    yield made
    for path in (made.parents[1] / "lib").glob("python*/site-packages/*rakkan*"):
        if path.is_file():
            path.unlink()


def files(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_installing_writes_what_is_missing_and_nothing_twice(hooks: Command, place: Path) -> None:
    paths = [str(place / name) for name in SCRIPTS]
    assert hooks.ok("install", "blender", "--into", place, "--dry-run")["files"] == paths
    assert not place.exists()
    assert hooks.ok("install", "blender", "--into", place)["files"] == paths
    before = files(place)
    assert sorted(before) == [*SCRIPTS[:1], "rakkan-blender.json", *SCRIPTS[1:]]
    assert hooks.ok("install", "blender", "--into", place)["files"] == []
    assert files(place) == before
    (place / SCRIPTS[1]).unlink()
    assert hooks.ok("install", "blender", "--into", place)["files"] == paths[1:]


def test_what_an_older_rakkan_installed_is_replaced(hooks: Command, place: Path) -> None:
    hooks.ok("install", "blender", "--into", place)
    before = files(place)
    older = b"# as it was\n"
    (place / SCRIPTS[1]).write_bytes(older)
    receipt = place / "rakkan-blender.json"
    said = json.loads(receipt.read_bytes())
    said["files"][SCRIPTS[1]] = sha256(older).hexdigest()
    receipt.write_text(json.dumps(said))
    assert hooks.checked("blender", "--into", place) == [("blender", "older", None)]
    assert hooks.ok("install", "blender", "--into", place)["files"] == [str(place / SCRIPTS[1])]
    assert files(place) == before


@pytest.mark.parametrize("installed", [False, True], ids=["somebody's", "ours, changed"])
def test_a_file_that_is_not_ours_is_never_touched(hooks: Command, place: Path, *, installed: bool) -> None:
    if installed:
        hooks.ok("install", "blender", "--into", place)
    (place / "startup").mkdir(parents=True, exist_ok=True)
    (place / SCRIPTS[1]).write_text("# mine\n")
    before = files(place)
    hooks.fails("hooks.taken", "install", "blender", "--into", place)
    hooks.fails("hooks.taken", "remove", "blender", "--into", place)
    assert hooks.checked("blender", "--into", place) == [("blender", "changed", None)]
    assert files(place) == before


def test_removing_leaves_what_another_hook_needs(hooks: Command, python: Path) -> None:
    packages = Path(hooks.ok("install", "python", "--python", python)["place"])
    hooks.ok("install", "diffusers", "--python", python)
    hooks.ok("remove", "python", "--python", python)
    assert hooks.checked("--python", python) == [("diffusers", "current", True)]
    hooks.ok("remove", "diffusers", "--python", python)
    assert [name for name in files(packages) if "rakkan" in name and "__pycache__" not in name] == []
    assert hooks.ok("remove", "diffusers", "--python", python)["files"] == []


def test_a_python_has_the_hook_as_soon_as_it_starts(hooks: Command, python: Path) -> None:
    hooks.ok("install", "diffusers", "--python", python)
    assert hooks.checked("diffusers", "--python", python) == [("diffusers", "current", True)]
    asked = (
        "import sys; print([n for n in ('rakkan_diffusers', 'rakkan_capture', 'PIL') if n in sys.modules])"
    )
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (
        "['rakkan_diffusers']\n",
        "",
    )  # and nothing else: a start costs no time
    done = subprocess.run([python, "-S", "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_python_that_does_not_see_its_hook_is_found(hooks: Command, python: Path) -> None:
    packages = Path(hooks.ok("install", "diffusers", "--python", python)["place"])
    (packages / "rakkan_diffusers.pth").rename(packages / "kept")
    (packages / "rakkan_diffusers.pth").write_bytes(
        (packages / "kept").read_bytes().replace(b"install", b"instal")
    )
    assert hooks.checked("diffusers", "--python", python) == [("diffusers", "changed", True)]
    (packages / "kept").replace(packages / "rakkan_diffusers.pth")
    hooks.environment["PYTHONPATH"] += os.pathsep + str(_with_another_client(packages.parent))
    hooks.ok("install", "python", "--python", python)
    assert hooks.checked("python", "--python", python) == [("python", "current", False)]


def _with_another_client(folder: Path) -> Path:
    other = folder / "other"
    other.mkdir()
    (other / "rakkan_capture.py").write_text("")
    return other


def test_the_tools_variable_names_the_place(hooks: Command, place: Path, tmp_path: Path) -> None:
    hooks.fails("hooks.place", "install", "blender")
    hooks.environment["BLENDER_SYSTEM_SCRIPTS"] = f"{place}{os.pathsep}{tmp_path / 'second'}"
    hooks.fails("hooks.place", "install", "blender")  # it names a folder that is not there
    place.mkdir()
    (tmp_path / "second").mkdir()
    assert hooks.ok("install", "blender")["place"] == str(place)
    assert hooks.checked() == [("blender", "current", True)]


def test_it_says_what_the_tool_must_be_told(hooks: Command, place: Path) -> None:
    assert (
        f"Set BLENDER_SYSTEM_SCRIPTS={place} where Blender is started."
        in hooks("install", "blender", "--into", place).stdout
    )


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("hooks.unknown", ("install", "../blender", "--into", "here")),
        ("hooks.place", ("install", "diffusers")),
        ("hooks.place", ("install", "diffusers", "--into", "here")),
        ("hooks.place", ("check", "blender", "--python", sys.executable)),
        ("hooks.python", ("install", "diffusers", "--python", "no-such-python")),
        ("hooks.python", ("install", "diffusers", "--python", "/bin/true")),
        ("hooks.python", ("check", "python", "--python", "/bin/false")),
        ("target.not-writable", ("install", "blender", "--into", "/proc/scripts")),
    ],
)
def test_what_cannot_be_done_is_said(hooks: Command, code: str, arguments: tuple[str, ...]) -> None:
    hooks.fails(code, *arguments)


def test_a_check_is_good_only_with_a_spool_and_an_agent(hooks: Command, place: Path) -> None:
    hooks.ok("install", "blender", "--into", place)
    silent = hooks("check", "blender", "--into", place)
    assert silent.returncode == 2
    assert "agent       silent" in silent.stdout
    hooks.spool.mkdir()
    beat = hooks.spool / "heartbeat"
    beat.touch()
    alive = hooks("check", "blender", "--into", place)
    assert (alive.returncode, alive.stdout.splitlines()) == (
        0,
        [f"blender     current: {place}", f"spool       writable: {hooks.spool}", "agent       alive"],
    )
    os.utime(beat, (time.time() - 600, time.time() - 600))
    assert hooks("check", "blender", "--into", place).returncode == 2


def test_a_spool_that_cannot_be_written_is_found(hooks: Command, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file stands here")
    assert json.loads(hooks("check", "--json").stdout)["spool"]["writable"] is False


def test_a_hook_that_is_missing_is_no_good_answer(hooks: Command, place: Path) -> None:
    hooks.spool.mkdir()
    (hooks.spool / "heartbeat").touch()
    assert hooks("check").returncode == 0  # nothing is installed, and nothing was asked for
    assert hooks("check", "blender", "--into", place).returncode == 2


def test_each_hook_is_listed_with_its_place_and_its_page(hooks: Command) -> None:
    listed = {row["hook"]: row for row in hooks.ok("list")}
    assert {"blender", "diffusers", "python"} <= set(listed)
    assert listed["blender"]["files"] == SCRIPTS
    assert listed["diffusers"]["files"][-1] == "rakkan_diffusers.pth"
    assert [name for name, row in listed.items() if not (ROOT / row["page"]).exists()] == []
    shown = hooks("list").stdout.splitlines()
    assert [line.split()[0] for line in shown] == list(listed)


def test_installed_files_can_be_read_by_every_user(hooks: Command, place: Path) -> None:
    hooks.ok("install", "blender", "--into", place)
    assert {stat.S_IMODE((place / name).stat().st_mode) & 0o044 for name in SCRIPTS} == {0o044}
