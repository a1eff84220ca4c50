"""What comes over the wire is cut into the bytes that were sent, however it is laid out or chopped up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.envelope import MAX_BYTES
from ledger.errors import MalformedError
from ledger.service.capture.upload import Lines, batch_of, is_batch, lines_of

spaces = st.text(" \t\r\n", max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Draw a batch in any layout, and its items as they are spelled."""
    items = [
        json.dumps(item, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
        for item in draw(st.lists(values, min_size=1, max_size=6))
    ]
    gaps = [draw(spaces) for _ in range(8)]
    inside = f"{gaps[0]},{gaps[1]}".join(items)
    head = f'{gaps[2]}{{{gaps[3]}"entries"{gaps[4]}:{gaps[5]}['
    return f"{head}{gaps[6]}{inside}{gaps[7]}]{gaps[0]}}}{gaps[1]}", items


@given(laid_out())
def test_the_items_of_a_batch_are_the_bytes_that_stand_in_it(drawn: tuple[str, list[str]]) -> None:
    text, items = drawn
    body = text.encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        with pytest.raises(MalformedError):
            batch_of(body)
        return
    assert is_batch(body)
    assert batch_of(body) == [item.encode() for item in items]


@given(
    st.binary()
    | st.text().map(str.encode)
    | laid_out().map(lambda drawn: drawn[0][:-2].encode("utf-8", "replace"))
)
def test_any_other_body_is_refused_with_a_code(body: bytes) -> None:
    found = refusal(body)
    if found is None:
        assert len(json.loads(body)["entries"]) == len(batch_of(body))
    else:
        assert found == "capture.body"


def refusal(body: bytes) -> str | None:
    try:
        batch_of(body)
    except MalformedError as error:
        return error.code
    return None


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=20), st.data())
def test_lines_are_the_same_in_whatever_pieces_they_come(lines: list[bytes], data: st.DataObject) -> None:
    body = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=10)))
    pieces = [body[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    reader = Lines()
    found = [line for piece in pieces for line in reader.feed(piece)] + reader.end()
    assert found == [line for line in lines if line]
    if found:
        assert lines_of(body) == found


@given(st.integers(MAX_BYTES - 2, MAX_BYTES + 200_000), st.integers(1, 100_000))
def test_a_line_that_is_too_long_is_not_kept(size: int, step: int) -> None:
    reader, found = Lines(), []
    for at in range(0, size, step):
        found += reader.feed(b"x" * min(step, size - at))
        assert len(reader._begun) <= MAX_BYTES + 1
    found += reader.feed(b"\nnext\n")
    assert found == [b"x" * min(size, MAX_BYTES + 1), b"next"]
