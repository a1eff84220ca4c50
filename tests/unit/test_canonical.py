"""Canonical JSON: what is refused, under which code, and that nothing has two spellings."""

import pytest

from ledger.core import canonical
from ledger.core.canonical import MAX_DEPTH, MAX_INTEGER
from ledger.errors import MalformedError


def refusal(data: bytes) -> str:
    with pytest.raises(MalformedError) as error:
        canonical.decode(data)
    return error.value.code


def _within_texts(levels: int) -> bytes:
    """Return so many levels, with texts between them that seem to close each at once and to open it later."""
    return b'["\\"]",' * (levels - 1) + b"[1]" + b',"["]' * (levels - 1)


REFUSED = {
    "no bytes": (b"", "json.malformed"),
    "only white space": (b" ", "json.malformed"),
    "cut short": (b'{"a":1', "json.malformed"),
    "two documents": (b"1 2", "json.malformed"),
    "byte order mark": (b"\xef\xbb\xbf{}", "json.malformed"),
    "bad UTF-8": (b'"\xff"', "json.malformed"),
    "overlong UTF-8": (b'"\xc0\xaf"', "json.malformed"),
    "surrogate in UTF-8": (b'"\xed\xa0\x80"', "json.malformed"),
    "UTF-16": ('{"a":1}'.encode("utf-16"), "json.malformed"),
    "lone high surrogate": (rb'"\ud800"', "json.malformed"),
    "lone low surrogate": (rb'"\udc00"', "json.malformed"),
    "lone surrogate in a name": (rb'{"\ud800":1}', "json.malformed"),
    "raw control character": (b'"\x01"', "json.malformed"),
    "single quotes": (b"'a'", "json.malformed"),
    "trailing comma": (b"[1,]", "json.malformed"),
    "leading zero": (b"01", "json.malformed"),
    "plus sign": (b"+1", "json.malformed"),
    "comment": (b"/**/1", "json.malformed"),
    "member twice": (b'{"a":1,"a":1}', "json.duplicate-key"),
    "member twice, once escaped": (rb'{"a":1,"\u0061":2}', "json.duplicate-key"),
    "member twice, inside": (b'[{"a":{"b":1,"b":2}}]', "json.duplicate-key"),
    "float": (b"1.5", "json.number"),
    "float that is an integer": (b"1.0", "json.number"),
    "exponent": (b"1e3", "json.number"),
    "infinite float": (b"1e999", "json.number"),
    "NaN": (b"NaN", "json.number"),
    "Infinity": (b"-Infinity", "json.number"),
    "integer beyond": (str(MAX_INTEGER + 1).encode(), "json.number"),
    "integer below": (str(-MAX_INTEGER - 1).encode(), "json.number"),
    "huge integer": (b"9" * 10_000, "json.number"),
    "minus zero": (b"-0", "json.not-canonical"),
    "space after colon": (b'{"a": 1}', "json.not-canonical"),
    "final newline": (b"{}\n", "json.not-canonical"),
    "unsorted": (b'{"b":1,"a":1}', "json.not-canonical"),
    "needless escape": (rb'"\u0061"', "json.not-canonical"),
    "escaped solidus": (rb'"\/"', "json.not-canonical"),
    "escaped non-ASCII": (rb'"\u00e9"', "json.not-canonical"),
    "upper-case escape": (rb'"\u001F"', "json.not-canonical"),
    "long form of a short escape": (rb'"\u000a"', "json.not-canonical"),
    "one level too many": (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "json.too-deep"),
    "nested objects": (b'{"a":' * 40 + b"1" + b"}" * 40, "json.too-deep"),
    "nested, and closed within texts": (_within_texts(MAX_DEPTH + 1), "json.too-deep"),
    "nested to exhaust the stack": (b"[" * 200_000, "json.too-deep"),
    "nested and closed": (b"[" * 200_000 + b"]" * 200_000, "json.too-deep"),
}


@pytest.mark.parametrize(("data", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


@pytest.mark.parametrize("data", [data for data, code in REFUSED.values() if code != "json.not-canonical"])
def test_strict_reading_of_any_layout_refuses_the_same(data: bytes) -> None:
    with pytest.raises(MalformedError):
        canonical.parse(data)


@pytest.mark.parametrize(
    "data", [b'{ "b" : 1 , "a" : [ ] }\n', rb'"\u0061\/"', b"-0"], ids=["layout", "escapes", "minus zero"]
)
def test_strict_reading_takes_any_layout(data: bytes) -> None:
    assert canonical.encode(canonical.parse(data)) != data


ACCEPTED = {
    "literals": b"[null,true,false]",
    "edges of the integers": f"[{-MAX_INTEGER},0,{MAX_INTEGER}]".encode(),
    "empty": b'[{},[],""]',
    "short escapes": rb'"\b\t\n\f\r\"\\"',
    "long escapes": rb'"\u0000\u001f"',
    "not escaped": '"/\x7f\u2028é落款😀"'.encode(),
    "as deep as allowed, with brackets in texts": _within_texts(MAX_DEPTH),
    "as deep as allowed": b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH,
    # RFC 8785 §3.2.3: sorted by UTF-16 code units, where U+1F600 (D83D …) comes before U+FB33.
    "sorted as UTF-16": '{"\\r":1,"1":2,"\x80":3,"ö":4,"€":5,"😀":6,"\ufb33":7}'.encode(),
}


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_and_given_back(data: bytes) -> None:
    assert canonical.encode(canonical.decode(data)) == data


def test_sorting_is_not_by_code_point() -> None:
    """The two orders differ only beyond the basic plane, where nobody looks."""
    assert sorted(["😀", "\ufb33"]) == ["\ufb33", "😀"]
    assert canonical.encode({"\ufb33": 1, "😀": 2}) == '{"😀":2,"\ufb33":1}'.encode()


UNWRITABLE = {
    "float": (1.5, "json.number"),
    "NaN": (float("nan"), "json.number"),
    "huge integer": (10**5000, "json.number"),
    "bytes": (b"a", "json.malformed"),
    "set": ({1}, "json.malformed"),
    "number as a name": ({1: 1}, "json.malformed"),
    "half a surrogate pair": ("\ud800", "json.malformed"),
    "half a surrogate pair as a name": ({"\ud800": 1}, "json.malformed"),
}


@pytest.mark.parametrize(("value", "code"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_has_no_canonical_form_is_not_written(value: object, code: str) -> None:
    with pytest.raises(MalformedError) as error:
        canonical.encode([value])
    assert error.value.code == code


def test_a_value_inside_itself_is_too_deep() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(MalformedError) as error:
        canonical.encode(value)
    assert error.value.code == "json.too-deep"


def test_true_is_not_one() -> None:
    assert canonical.encode([True, 1, False, 0]) == b"[true,1,false,0]"


def test_the_input_is_left_as_it_was() -> None:
    value = {"b": [1], "a": {"d": 1, "c": 2}}
    canonical.encode(value)
    assert list(value) == ["b", "a"]


def test_many_members_are_looked_through_once() -> None:
    """A quadratic search for the duplicate took seconds on one small envelope."""
    members = ",".join(f'"{number}":1' for number in range(200_000))
    assert refusal(f'{{{members},"199999":1}}'.encode()) == "json.duplicate-key"
