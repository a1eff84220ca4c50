"""What gets installed is what was declared, and every byte of it is pinned."""

import importlib
import pkgutil
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.project import ROOT

# A new direct dependency is a decision: change this list together with the record that says why.
RECORD = ROOT / "docs" / "adr" / "0001-stack-and-dependencies.md"
DIRECT = [
    "OpenEXR",
    "PyJWT",
    "PyYAML",
    "SQLAlchemy",
    "XlsxWriter",
    "alembic",
    "asn1crypto",
    "babel",
    "c2pa-python",
    "click",
    "cryptography",
    "fastapi",
    "httptools",
    "jinja2",
    "license-expression",
    "numpy",
    "pillow",
    "prometheus-client",
    "pyhanko",
    "python-multipart",
    "rich",
    "segno",
    "typst",
    "tzdata",
    "uvicorn",
    "uvloop",
]
TOOLS = sorted(
    f"tools/{path.stem}" for path in (ROOT / "locks" / "tools").glob("*.txt") if "." not in path.stem
)
EXTRAS = ["boto3", "psycopg", "pyarrow", "python-pkcs11"]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
OPTIONAL = [line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]
DECLARED = {
    "run": PROJECT["project"]["dependencies"],
    "test": PROJECT["project"]["dependencies"] + OPTIONAL + GROUPS["test"] + GROUPS["lint"],
}


def blocks(name: str) -> list[str]:
    """Return the requirements of a lock, each on one line with its hashes."""
    text = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(name: str) -> set[tuple[str, str, str]]:
    """Return (canonical name, version, marker) of each requirement of a lock."""
    found: set[tuple[str, str, str]] = set()
    for block in blocks(name):
        requirement = Requirement(block.split("--hash", 1)[0])
        version = str(requirement.specifier).removeprefix("==")
        found.add((canonicalize_name(requirement.name), version, str(requirement.marker or "")))
    return found


def test_the_direct_dependencies_are_the_decided_ones() -> None:
    names = sorted(Requirement(line).name for line in PROJECT["project"]["dependencies"])
    assert names == DIRECT
    assert sorted(Requirement(line).name for line in OPTIONAL) == EXTRAS


def test_the_record_names_each_direct_dependency() -> None:
    text = RECORD.read_text(encoding="utf-8")
    assert [name for name in DIRECT + EXTRAS if f"`{name}" not in text] == []


@pytest.mark.parametrize("name", ["run", "test", "judges", *TOOLS])
def test_every_requirement_is_one_version_with_hashes(name: str) -> None:
    shape = re.compile(r"[\w.-]+==[\w.]+( ; [^;]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [block[:60] for block in blocks(name) if not shape.fullmatch(block)] == []


def test_what_a_tool_needs_without_hashes_is_one_exact_version() -> None:
    """A build that differs from machine to machine, such as torch, is installed before the lock."""
    firsts = [f"tools/{path.stem}" for path in (ROOT / "locks" / "tools").glob("*.first.txt")]
    assert [
        block for name in firsts for block in blocks(name) if not re.fullmatch(r"[\w.-]+==[\w.]+", block)
    ] == []


@pytest.mark.parametrize("name", ["run", "test"])
def test_the_lock_holds_what_is_declared(name: str) -> None:
    locked = {package: version for package, version, _ in pins(name)}
    for line in DECLARED[name]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), line


def test_the_test_lock_holds_the_run_lock() -> None:
    assert pins("run") <= pins("test")


def test_the_judge_that_asks_for_a_newer_python_imports_on_this_one() -> None:
    judge = pytest.importorskip("aics_tlog", reason="aics-tlog (locks/judges.txt) is not installed")
    for module in pkgutil.iter_modules(judge.__path__, "aics_tlog."):
        if module.name != "aics_tlog.__main__":
            importlib.import_module(module.name)
