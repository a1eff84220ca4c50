"""Canonical JSON: writing and reading are each other's inverse, and each value has one spelling."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.core import canonical
from ledger.core.canonical import MAX_INTEGER
from tests.support.builders import refusal

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_written_is_read_again(value: Any) -> None:
    data = canonical.encode(value)
    assert canonical.decode(data) == value
    assert canonical.encode(canonical.decode(data)) == data


@given(values, st.integers(0, 3), st.booleans())
def test_every_other_spelling_is_refused(value: Any, indent: int, ascii_only: bool) -> None:
    """What Python's own writer makes of it is read, and as canonical only where it is the canonical form."""
    data = json.dumps(value, indent=indent or None, ensure_ascii=ascii_only).encode()
    assert canonical.parse(data) == value
    expected = None if data == canonical.encode(value) else "json.not-canonical"
    assert refusal(canonical.decode, data) == expected


@given(
    st.binary(max_size=60) | st.text('{}[]",:\\u0123456789.eE+-truefalsnd \n', max_size=60).map(str.encode)
)
@example(b"[" * 100_000)
@example(b'"\\ud83d\\ude00"')
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Never another exception, and what is read as canonical gives the same bytes back."""
    code = refusal(canonical.decode, data)
    if code is None:
        assert canonical.encode(canonical.decode(data)) == data
    else:
        assert code.startswith("json.")


@given(st.dictionaries(texts, st.integers(0, 9), min_size=2, max_size=6))
def test_members_are_sorted_as_utf_16(value: dict[str, int]) -> None:
    names = list(json.loads(canonical.encode(value)))
    assert names == sorted(value, key=lambda name: name.encode("utf-16-be"))


@given(st.dictionaries(texts, st.integers(0, 9), min_size=1, max_size=6), st.data())
def test_no_member_twice(value: dict[str, int], data: st.DataObject) -> None:
    twice = data.draw(st.sampled_from(sorted(value)))
    body = canonical.encode(value)[1:-1].decode()
    doubled = f"{{{body},{json.dumps(twice)}:0}}".encode()
    for read in (canonical.parse, canonical.decode):
        assert refusal(read, doubled) == "json.duplicate-key"
