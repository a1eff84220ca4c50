"""Each outside thing is imported by one part only, and no module imports itself round a corner.

The layers and the purity of the core are contracts of import-linter (pyproject.toml); here are the rules that
it has no words for.
"""

import functools
import graphlib
import subprocess
import sys

import grimp
import pytest

import ledger
from tests.architecture.project import ROOT

# What is outside: which of our modules (and what is below them) may import it.
ALLOWED = {
    "asn1crypto": ["ledger.adapters.pdf_signature", "ledger.adapters.timestamps"],
    "alembic": ["ledger.adapters.sql"],
    "boto3": ["ledger.adapters.s3"],
    "botocore": ["ledger.adapters.s3"],
    "c2pa": ["ledger.adapters.c2pa_codec"],
    "fastapi": ["api"],
    "gazu": ["ledger.hooks.kitsu_server"],
    "OpenEXR": ["ledger.adapters.images", "ledger.demo"],  # the demo paints its frames
    "PIL": ["ledger.adapters.images", "ledger.demo"],
    "license_expression": ["ledger.adapters.intake.licences"],
    "pkcs11": ["ledger.adapters.pkcs11"],
    "pyarrow": ["ledger.adapters.parquet"],
    "pyhanko": ["ledger.adapters.pdf_signature"],
    "pyhanko_certvalidator": ["ledger.adapters.pdf_signature"],
    "python_multipart": ["api"],
    "pyblish": ["ledger.hooks.pyblish_plugin"],
    "segno": ["ledger.adapters.qr"],
    "sqlalchemy": ["ledger.adapters.sql"],
    "starlette": ["api"],
    "typst": ["ledger.adapters.typesetting"],
    "uvicorn": ["ledger.adapters.web_server"],
    "xlsxwriter": ["ledger.adapters.workbook"],
    "yaml": ["ledger.adapters.intake.yaml_text"],
}

# What a hook may import besides the standard library: the tool it runs in, and what is installed beside it.
TOOLS = {"bpy", "gazu", "huggingface_hub", "pyblish"}
BESIDE = {path.stem for path in (ROOT / "ledger/hooks").glob("*.py")}

# Prints what importing our package loaded besides itself and the standard library.
FOREIGN = """
import sys
before = set(sys.modules)
import ledger
print({name.split(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)
"""


@functools.cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("ledger", "api", include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("outside", sorted(ALLOWED))
def test_only_its_adapter_imports(outside: str) -> None:
    importers = graph().find_modules_that_directly_import(outside) if outside in graph().modules else set()
    allowed = ALLOWED[outside]
    assert not {m for m in importers if not any(m == a or m.startswith(a + ".") for a in allowed)}


def test_a_hook_imports_only_its_tool() -> None:
    hooks = {module for module in graph().modules if module.startswith("ledger.hooks")}
    imported = set().union(*(graph().find_modules_directly_imported_by(module) for module in hooks))
    foreign = {module.split(".")[0] for module in imported - hooks} - set(sys.stdlib_module_names)
    assert {name for name in foreign - BESIDE if not name.startswith("rakkan_")} <= TOOLS


def test_no_import_runs_in_a_circle() -> None:
    ours = {module for module in graph().modules if module.split(".")[0] in {"ledger", "api"}}
    imports = {module: graph().find_modules_directly_imported_by(module) & ours for module in ours}
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("options", [["-S"], []], ids=["without site-packages", "with them"])
def test_importing_ledger_loads_only_itself(options: list[str]) -> None:
    command = [sys.executable, *options, "-c", FOREIGN]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("{'ledger'}\n", "")


def test_ledger_is_ours() -> None:
    assert ledger.__dist__ == "rakkan"
    assert ledger.__file__ == str(ROOT / "ledger" / "__init__.py")
