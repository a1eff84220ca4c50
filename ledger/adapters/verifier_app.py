"""``verify.pyz``: the verifier and the parts of ours that it imports, in one file that Python runs.

It is made from the sources as they are installed, in one byte form: the same Rakkan gives the same file, and
its SHA-256 can be compared with that of somebody else's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import ledger
from ledger.adapters.bundles import stored

NAME = "verify.pyz"
_ROOT = Path(ledger.__file__).parent
_START = b'''"""Starts the verifier, or says what it needs."""

import sys

if sys.version_info < (3, 11):
    sys.stderr.write("verify.pyz needs Python 3.11 or later; this is %d.%d.\\n" % sys.version_info[:2])
    sys.exit(2)
try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    sys.stderr.write("verify.pyz needs the package cryptography, 47 or later.\\n")
    sys.exit(2)
from ledger.verifier.command import main

sys.exit(main())
'''


@cache
def verifier_app() -> bytes:
    """Return the file."""
    modules = {path.relative_to(_ROOT.parent).as_posix(): path.read_bytes() for path in _needed()}
    return b"#!/usr/bin/env python3\n" + stored(sorted({"__main__.py": _START, **modules}.items()))


def _needed() -> Iterator[Path]:
    """Yield each module that the verifier imports, and those that they import in turn."""
    pending, seen = ["ledger.verifier.command"], set[Path]()
    while pending:
        path = _path(pending.pop())
        if path is None or path in seen:
            continue
        seen.add(path)
        yield path
        pending += _imports(path)
        pending += [".".join(folder.parts) for folder in path.relative_to(_ROOT.parent).parents][:-1]


def _path(module: str) -> Path | None:
    place = _ROOT.parent.joinpath(*module.split("."))
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if _ROOT in path.parents and path.is_file():
            return path
    return None


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{item.name}" for item in node.names)
