"""CBOR and COSE Receipts read back what was written, and nothing else is read."""

from typing import Any

import cbor2
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.core import cbor
from ledger.core.checkpoint import MAX_SIZE
from ledger.core.cose_receipt import (
    Consistency,
    CoseReceipt,
    Inclusion,
    format_cose_receipt,
    parse_cose_receipt,
    verify_cose_inclusion,
)
from ledger.errors import MalformedError, RakkanError
from tests.property.test_log_formats import HASHES, ORIGINS, mutants
from tests.vectors.log.generate import ENTRIES
from tests.vectors.receipts.generate import HERE, LOG

GOOD = (HERE / "good-inclusion.cose").read_bytes()
INTEGERS = st.integers(-(2**64), 2**64 - 1)
ITEMS: st.SearchStrategy[Any] = st.recursive(
    st.none() | INTEGERS | st.binary(max_size=300) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(INTEGERS, inner, max_size=30),
    max_leaves=20,
)
SIZES = st.integers(0, MAX_SIZE)
PATHS = st.lists(HASHES, max_size=63).map(tuple)
RECEIPTS = st.builds(
    CoseReceipt,
    st.builds("{}+{:08x}".format, ORIGINS, st.integers(0, 2**32 - 1)),
    st.builds(Inclusion, SIZES, SIZES, PATHS) | st.builds(Consistency, SIZES, SIZES, PATHS),
    st.binary(min_size=64, max_size=64),
)


def depth(item: Any) -> int:
    inner = list(item.values()) if isinstance(item, dict) else item if isinstance(item, list) else []
    return 1 + max(map(depth, inner), default=-1)


@given(item=ITEMS.filter(lambda item: depth(item) <= 8))
def test_an_item_reads_back(item: Any) -> None:
    assert cbor.decode(cbor.encode(item)) == item


def ordered(item: Any) -> Any:
    """The item with its keys in the order of RFC 8949; cbor2 keeps the order, its own is that of RFC 7049."""
    if isinstance(item, dict):
        return {key: ordered(item[key]) for key in sorted(item, key=cbor2.dumps)}
    return [ordered(member) for member in item] if isinstance(item, list) else item


@given(item=ITEMS)
def test_cbor2_writes_the_same(item: Any) -> None:
    assert cbor.encode(item) == cbor2.dumps(ordered(item))


@given(data=st.binary(max_size=100))
@example(data=b"\x81" * 10_000)
@example(data=b"\xa1" * 10_000)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        cbor.decode(data)
    except ValueError:
        return


@given(receipt=RECEIPTS)
def test_a_receipt_reads_back(receipt: CoseReceipt) -> None:
    assert parse_cose_receipt(format_cose_receipt(receipt)) == receipt


@given(mutant=mutants(GOOD) | st.binary(max_size=200).map(lambda tail: GOOD[:50] + tail))
def test_what_is_read_would_be_written_the_same(mutant: bytes) -> None:
    try:
        written = format_cose_receipt(parse_cose_receipt(mutant))
    except MalformedError:
        return
    assert written == mutant


@given(mutant=mutants(GOOD))
def test_a_changed_receipt_never_verifies_as_another_place(mutant: bytes) -> None:
    """But for the size, which is not signed: where the shape allows several, any of them passes."""
    try:
        parsed = parse_cose_receipt(mutant)
        verify_cose_inclusion(parsed, ENTRIES[77], [LOG.verifier])
    except RakkanError:
        return
    good = parse_cose_receipt(GOOD)
    assert isinstance(parsed.proof, Inclusion)
    assert isinstance(good.proof, Inclusion)
    assert (parsed.signature, parsed.proof.path) == (good.signature, good.proof.path)
    assert parsed.proof.index == 77
