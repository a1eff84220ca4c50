"""CBOR as COSE needs it, held to the examples of RFC 8949 appendix A."""

from typing import Any

import pytest

from ledger.core import cbor

EXAMPLES: list[tuple[Any, str]] = [
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (100, "1864"),
    (1000, "1903e8"),
    (1_000_000, "1a000f4240"),
    (1_000_000_000_000, "1b000000e8d4a51000"),
    (2**64 - 1, "1bffffffffffffffff"),
    (-1, "20"),
    (-10, "29"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (-(2**64), "3bffffffffffffffff"),
    (None, "f6"),
    (b"", "40"),
    (bytes([1, 2, 3, 4]), "4401020304"),
    ("", "60"),
    ("IETF", "6449455446"),
    ("水", "63e6b0b4"),
    ([], "80"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
]


@pytest.mark.parametrize(("value", "data"), EXAMPLES, ids=[data for _, data in EXAMPLES])
def test_an_example_of_the_specification(value: Any, data: str) -> None:
    assert cbor.encode(value).hex() == data
    assert cbor.decode(bytes.fromhex(data)) == value


def test_keys_are_written_in_the_order_of_their_bytes() -> None:
    assert cbor.encode({395: 0, -1: 0, 4: 0, 1: 0}).hex() == "a40100040019018b002000"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "18",
        "1b00",
        "41",
        "61",
        "61ff",
        "81",
        "a101",
        "9f01ff",
        "5f4101ff",
        "1c",
        "a1a00100",
        "81" * 9 + "01",
    ],
)
def test_what_is_cut_short_indefinite_reserved_or_too_deep_is_refused(data: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cbor.decode(bytes.fromhex(data))


def test_a_length_that_lies_costs_nothing() -> None:
    with pytest.raises(ValueError, match="not CBOR"):
        cbor.decode(bytes.fromhex("9bffffffffffffffff00"))
