"""A report that a stranger sends: read as it was written, or refused with a code, whatever its bytes are."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.core.audit.document import to_json
from ledger.errors import MalformedError, RakkanError
from ledger.service.report.reading import document_of, opened, read_report
from ledger.service.report.report import make
from ledger.testing import MemoryEntryStore
from ledger.testing.bases import MemoryBasisStore
from tests.support.bare_studio import opened as opened_studio
from tests.support.bare_studio import say, studio_on
from tests.support.bases import made
from tests.support.reported import asked


@pytest.fixture
def report() -> dict[str, Any]:
    """The document of a report of one frame."""
    entries = MemoryEntryStore()
    studio = opened_studio(studio_on(entries, MemoryBasisStore(entries)))
    say(studio, made("frame.png"))
    return to_json(make(studio, *asked(studio)).report)


ANYWHERE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANYWHERE
@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: b"PK\x03\x04" + data))
def test_whatever_it_is_it_is_a_report_or_refused_with_a_code(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(data)
    with pytest.raises(RakkanError):
        read_report(path)


@pytest.mark.parametrize("change", [1, 0x80, 0xFF])
def test_a_bundle_with_any_byte_changed_gives_a_document_or_a_code(tmp_path: Path, change: int) -> None:
    packed, data = io.BytesIO(), b"the document of a report, " * 4
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("report.json", data)
    path, whole = tmp_path / "bundle.zip", packed.getvalue()
    path.write_bytes(whole)
    assert document_of(path) == data
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
        with suppress(RakkanError):
            document_of(path)


def test_of_several_documents_in_a_bundle_the_nearest_to_the_top_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for name in ("old/deep/report.json", "report/report.json", "notes/report.json"):
            bundle.writestr(name, name)
    assert document_of(path) == b"notes/report.json"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("head", "root"), "no digest"),
        (("head", "size"), "7"),
        (("head", "size"), 0),
        (("head", "delivery"), 7),
        (("head", "production"), 7),
        (("verdict", "now"), None),
        (("tables", "frames", "columns", 5, "key"), "sha512"),
        (("tables", "frames", "rows", 0, 1), 99),
        (("tables", "frames", "rows", 0, 1), {}),
    ],
)
def test_what_every_report_says_is_asked_of_it(
    report: dict[str, Any], path: tuple[Any, ...], value: Any
) -> None:
    assert opened(json.dumps(report).encode()).view == "studio"
    inner: Any = report
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    with pytest.raises(MalformedError) as caught:
        opened(json.dumps(report).encode())
    assert caught.value.code == "report.malformed"
