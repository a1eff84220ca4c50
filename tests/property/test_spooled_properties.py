"""What the client writes reads back, and nothing in a spool makes the reader fail otherwise than it says."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.artifact import Role
from ledger.core.predicates.capture import Event, Layer
from ledger.core.predicates.step import StepAction
from ledger.core.spooled import read_spooled
from ledger.errors import MalformedError, UndecidedError
from ledger.hooks import rakkan_capture

words = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Zs"]), min_size=1, max_size=40
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
names = st.binary(min_size=1, max_size=60).map(
    lambda raw: "/" + raw.replace(b"\0", b"_").decode("utf-8", "surrogateescape")
)
stamps = st.lists(st.integers(0, 2**63 - 1), min_size=5, max_size=5)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)


def files(*, role: bool) -> st.SearchStrategy[list[dict[str, Any]]]:
    needed = {"path": names} | ({"role": st.sampled_from([one.value for one in Role])} if role else {})
    optional = {"stamp": stamps, "sha256": digests, "name": words}
    return st.lists(st.fixed_dictionaries(needed, optional=optional), max_size=5)


records = st.fixed_dictionaries(
    {
        "hook": st.fixed_dictionaries({"name": words, "version": words}),
        "layer": st.sampled_from([one.value for one in Layer]),
        "action": st.sampled_from([one.value for one in StepAction]),
        "tool": st.fixed_dictionaries(
            {"name": words, "version": words}, optional={"path": names, "sha256": digests}
        ),
        "outputs": files(role=False),
    },
    optional={
        "event": st.sampled_from([one.value for one in Event]),
        "place": st.dictionaries(
            st.sampled_from(["production", "episode", "sequence", "shot", "task", "version"]), words
        ),
        "inputs": files(role=True),
        "parameters": st.dictionaries(texts, texts, max_size=4),
        "secrets": st.dictionaries(texts, texts, max_size=4),
        "failed": words | st.none(),
        "people": st.lists(words, min_size=1, max_size=3, unique=True),
    },
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@given(record=records)
def test_what_the_client_writes_reads_back(record: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAKKAN_SPOOL", folder)
        path = rakkan_capture.spool(record)
        assert path is not None, rakkan_capture.faults
        found = read_spooled(Path(path).read_bytes())
    assert [file.path for file in found.outputs] == [file["path"] for file in record["outputs"]]
    inputs = record.get("inputs", [])
    assert [(file.path, file.role and file.role.value) for file in found.inputs] == [
        (file["path"], file["role"]) for file in inputs
    ]
    assert [file.stamp and list(file.stamp) for file in found.inputs] == [
        file.get("stamp") for file in inputs
    ]
    assert found.secrets == record.get("secrets", {})
    assert found.parameters == record.get("parameters", {})
    assert found.failed == record.get("failed")


def _read(data: bytes) -> None:
    try:
        read_spooled(data)
    except (MalformedError, UndecidedError) as error:
        assert error.code in {"capture.malformed", "capture.newer"}  # noqa: PT017 - any other error is the defect


@given(data=st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    _read(data)


@given(value=values)
def test_no_document_breaks_the_reader(value: Any) -> None:
    _read(json.dumps(value).encode())


@given(record=records, data=st.data())
def test_no_wrong_member_breaks_the_reader(record: dict[str, Any], data: st.DataObject) -> None:
    whole = {"rakkan": 1, "id": "x", "captured": "2026-11-22T03:00:00Z", **record}
    known = [
        "rakkan",
        "id",
        "captured",
        "started",
        "monotonic",
        "boot",
        "user",
        "pid",
        "service",
        "plan",
        "call",
    ]
    member = data.draw(st.sampled_from([*known, *whole]))
    where = whole
    inner = whole.get(member)
    if isinstance(inner, dict) and inner and data.draw(st.booleans()):
        where, member = inner, data.draw(st.sampled_from(sorted(inner)))
    where[member] = data.draw(values)
    _read(json.dumps(whole).encode())
