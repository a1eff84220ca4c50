"""Setting a document as PDF/A-3b, with typst.

* Text is data: it comes to the template as JSON, and is never a part of its source.
* The compiler sees one folder, made for this document and removed after it: nothing else can be read. The
  template imports no package, so nothing is fetched.
* The same files and the same moment give the same bytes, as long as the fonts are the same.
* A character that no font has would stop a PDF/A: ``missing`` says which those are, so that the document can
  show them by their code points.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from ledger.errors import UndecidedError

STANDARD: typst.PDFStandard = "a-3b"
_ABSENT = re.compile(r'error: .*the text `"(.*)"` could not be displayed')
_PROBE = b'#set page(width: 9999pt, height: auto)\n#for one in json("probe.json") [#one \\ ]\n'
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts()


def missing(characters: Collection[str]) -> frozenset[str]:
    """Return those of the characters that neither the bundled fonts nor those of this machine have."""
    if not characters:
        return frozenset()
    files = {"main.typ": _PROBE, "probe.json": json.dumps(sorted(characters)).encode()}
    try:
        _compile(files, "main.typ", datetime.fromtimestamp(0, UTC))
    except typst.TypstError as error:
        found = {_ESCAPED.sub(_unescaped, text) for text in _ABSENT.findall(error.diagnostic)}
        return frozenset("".join(found)) & frozenset(characters)
    return frozenset()


def typeset(files: Mapping[str, bytes], main: str, at: datetime) -> bytes:
    """Return the PDF of the file ``main`` among these files, which lie in one folder.

    ``at`` is the moment that the document bears. Raises ``UndecidedError("report.typesetting")``.
    """
    try:
        return _compile(files, main, at)
    except typst.TypstError as error:
        raise UndecidedError("report.typesetting", f"The PDF cannot be set: {error.message}.") from error


def _compile(files: Mapping[str, bytes], main: str, at: datetime) -> bytes:
    with TemporaryDirectory(prefix="rakkan-typst-") as name:
        folder = Path(name)
        for path, data in files.items():
            (folder / path).write_bytes(data)
        return typst.compile(
            folder / main,
            root=folder,
            font_paths=_fonts(),
            package_path=folder,
            package_cache_path=folder,
            pdf_standards=[STANDARD],
            timestamp=at.replace(microsecond=0),
        )


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))
