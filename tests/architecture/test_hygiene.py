"""What must never be in a commit or in the wheel."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.project import ROOT, committed

# In two halves, so that this file does not hold what it looks for.
REGISTRIES = [
    left + right
    for left, right in [
        ("py", "pi.org"),
        ("py", "pi.python.org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("yarn", "pkg.com"),
        ("crates", ".io"),
        ("ruby", "gems.org"),
        ("proxy.go", "lang.org"),
        ("ana", "conda.org"),
        ("repo.maven.", "apache.org"),
        ("nu", "get.org"),
    ]
]
MACHINE_PATHS = ["/wo" + "rk/", "/tmp/scr" + "atch", "/tmp/ho" + "use", "/ro" + "ot/"]


def holders(pattern: str) -> list[str]:
    """Return "file:line" of each match in the files of the project."""
    needle = re.compile(pattern.encode())
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in committed()
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1)
        if needle.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert holders("(?i)" + "|".join(map(re.escape, REGISTRIES))) == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    # Not after a word or a dot: that is a part of a longer path or an address.
    assert holders(r"(?<![\w.\-}>*])(" + "|".join(map(re.escape, MACHINE_PATHS)) + ")") == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_our_two_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"ledger", "api"}


def test_the_wheel_holds_the_migrations_and_the_type_mark(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "ledger/py.typed" in names
    assert any(re.fullmatch(r"ledger/_migrations/versions/\w+\.py", name) for name in names)
