"""Reading one JSON object field by field: nothing is passed over, and each complaint names its field."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from ledger.core.encoding import decode_base64, encode_base64
from ledger.core.fields import (
    MAX_TEXT,
    Fields,
    format_time,
    parse_time,
    present,
)
from ledger.errors import MalformedError
from tests.support.builders import commitment


def refusal(read: Any, value: object, code: str = "statement.field") -> str:
    """Return the message with which `read` refuses an object whose member `x` is `value`."""
    with pytest.raises(MalformedError) as error:
        read(Fields({"x": value}, "predicate"), "x")
    assert error.value.code == code
    return error.value.message


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (Fields.text, 1),
        (Fields.text, None),
        (Fields.sha256, 1),
        (Fields.time, 1),
        (Fields.base64, 1),
        (Fields.items, {}),
        (Fields.texts, "abc"),
        (Fields.texts, [1]),
        (Fields.distinct, ["b", "a"]),
        (Fields.distinct, ["a", "a"]),
        (Fields.distinct, []),
        (Fields.distinct, ["\ufffd", "\U0001f58b"]),
        (lambda fields, name: fields.choices(name, Colour), ["red", "red"]),
        (lambda fields, name: fields.choices(name, Colour), ["blue"]),
        (Fields.map, []),
        (Fields.map, {"a": 1}),
        (Fields.sub, []),
        (Fields.commitments, {}),
        (lambda fields, name: fields.take(name, int), "1"),
        (lambda fields, name: fields.take(name, int), True),
        (lambda fields, name: fields.take(name, int), 1.0),
        (lambda fields, name: fields.choice(name, Colour), ["red"]),
        (lambda fields, name: fields.choice(name, Colour), "blue"),
        (lambda fields, name: fields.choice(name, Colour), "Red"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_name(read: Any, value: object) -> None:
    assert "predicate.x" in refusal(read, value)


@pytest.mark.parametrize("read", [Fields.text, Fields.sha256, Fields.time, Fields.base64, Fields.sub])
def test_a_missing_field_is_refused(read: Any) -> None:
    with pytest.raises(MalformedError) as error:
        read(Fields({}), "x")
    assert error.value.message == "x is missing."


def test_a_field_nobody_took_is_refused() -> None:
    fields = Fields({"known": "1", "unknown": "2"}, "predicate")
    fields.text("known")
    with pytest.raises(MalformedError, match=r"predicate\.unknown is not a field"):
        fields.end()


def test_a_field_is_taken_once() -> None:
    fields = Fields({"x": "1"})
    fields.text("x")
    with pytest.raises(MalformedError):
        fields.text("x")


def test_a_hostile_name_is_shown_escaped_and_short() -> None:
    with pytest.raises(MalformedError) as error:
        Fields({"\x1b[2J\u202e" + "x" * 500: 1}).end()
    assert "\x1b" not in error.value.message
    assert "\u202e" not in error.value.message
    assert len(error.value.message) < 200


@pytest.mark.parametrize("value", [None, [], "{}", 1, b"{}"])
def test_only_an_object_has_fields(value: object) -> None:
    with pytest.raises(MalformedError, match="the document must be an object"):
        Fields(value)


NOT_TEXT = {
    "empty": "",
    "too long": "a" * (MAX_TEXT + 1),
    "newline": "a\nb",
    "carriage return": "a\rb",
    "NUL": "a\0",
    "escape": "\x1b[31m",
    "delete": "\x7f",
    "next line (C1)": "a\x85b",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "right-to-left override": "gnp.\u202eexe",
    "isolate": "\u2066a",
    "half a surrogate pair": "\ud800",
}


@pytest.mark.parametrize("value", NOT_TEXT.values(), ids=NOT_TEXT)
def test_text_is_one_printable_line(value: str) -> None:
    refusal(Fields.text, value)
    refusal(Fields.texts, [value])
    refusal(Fields.map, {"a": value})
    refusal(Fields.map, {value: "a"})


@pytest.mark.parametrize("value", ["a", "落款 · naïve 😀", " padded ", "a" * MAX_TEXT, "עברית"])
def test_text_may_be_in_any_language(value: str) -> None:
    assert Fields({"x": value}).text("x") == value


@pytest.mark.parametrize(("read", "empty"), [(Fields.items, []), (Fields.texts, []), (Fields.map, {})])
def test_what_is_empty_is_left_out(read: Any, empty: object) -> None:
    assert not read(Fields({}), "x")
    assert "leave it out" in refusal(read, empty)


def test_null_is_not_absence() -> None:
    refusal(Fields.optional_text, None)
    refusal(Fields.optional_time, None)
    assert Fields({}).optional_text("x") is None
    assert Fields({}).optional_time("x") is None


@pytest.mark.parametrize("value", ["0" * 63, "0" * 65, "A" * 64, "g" * 64, "", "0" * 64 + "\n", "０" * 64])
def test_a_digest_has_one_spelling(value: str) -> None:
    refusal(Fields.sha256, value, "digest.malformed")


@pytest.mark.parametrize(
    "value",
    ["a", "YQ", "YQ=", "YQ==\n", "Y Q=", "YR==", "YQ===", "_w==", "-A==", "YQ==YQ==", "é"],
    ids=repr,
)
def test_base64_has_one_spelling(value: str) -> None:
    refusal(Fields.base64, value)
    assert decode_base64(value) is None


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"\xff\xfe\xfd"])
def test_base64_comes_back(data: bytes) -> None:
    assert decode_base64(encode_base64(data)) == data


NOT_TIMES = {
    "no zone": "2026-01-02T03:04:05",
    "offset": "2026-01-02T03:04:05+00:00",
    "fraction": "2026-01-02T03:04:05.0Z",
    "lower case": "2026-01-02t03:04:05z",
    "space": "2026-01-02 03:04:05Z",
    "no such day": "2026-02-30T03:04:05Z",
    "no such hour": "2026-01-02T24:00:00Z",
    "leap second": "2026-12-31T23:59:60Z",
    "year zero": "0000-01-02T03:04:05Z",
    "newline": "2026-01-02T03:04:05Z\n",
    "other digits": "２０２６-01-02T03:04:05Z",
}


@pytest.mark.parametrize("value", NOT_TIMES.values(), ids=NOT_TIMES)
def test_a_time_has_one_form(value: str) -> None:
    refusal(Fields.time, value)
    with pytest.raises(ValueError, match=r".*"):
        parse_time(value)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "0999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"])
def test_a_time_comes_back(text: str) -> None:
    assert format_time(parse_time(text)) == text


def test_a_time_is_written_in_utc_and_whole_seconds() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert format_time(datetime(2026, 1, 1, 9, 0, 0, 999_999, tokyo)) == "2026-01-01T00:00:00Z"
    assert parse_time("2026-01-01T00:00:00Z").tzinfo is UTC


NOT_COMMITMENTS = {
    "plain text": ["a secret prompt"],
    "hex": ["0" * 64],
    "padded": [commitment("a") + "="],
    "short": [commitment("a")[:-1]],
    "spare bits set": [commitment("a")[:-1] + "B"],
    "standard alphabet": ["/" + commitment("a")[1:]],
    "twice": [commitment("a"), commitment("a")],
}


@pytest.mark.parametrize("value", NOT_COMMITMENTS.values(), ids=NOT_COMMITMENTS)
def test_a_commitment_is_a_digest_and_nothing_else(value: list[str]) -> None:
    refusal(Fields.commitments, value)


def test_present_leaves_out_what_says_nothing() -> None:
    assert present(a=None, b="", c=[], d={}, e=()) == {}
    assert present(a=0, b=False, c="0", d=[0]) == {"a": 0, "b": False, "c": "0", "d": [0]}
