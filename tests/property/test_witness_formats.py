"""Policies and add-checkpoint requests read back what they wrote; what else they read, they would write."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.core.checkpoint import MAX_SIZE, sign_checkpoint
from ledger.core.cosignature import parse_cosigner
from ledger.core.policy import Group, Policy, PolicyLog, PolicyWitness, format_policy, parse_policy
from ledger.core.witness import MAX_PROOF, Request, format_request, parse_request
from ledger.errors import MalformedError
from ledger.testing import SeedSigner
from tests.support.log import ORIGIN, new_log
from tests.support.witness import LOG, cosigner_key

CHECKPOINT = sign_checkpoint(ORIGIN, 1234, bytes(range(32)), [new_log().signer])
PROOF = tuple(bytes([number]) * 32 for number in range(11))
REQUEST = format_request(Request(1000, PROOF, CHECKPOINT))
KEYS = [cosigner_key(str(number), post_quantum=number == 3).verifier for number in range(5)]
OCTETS = bytes([*range(0x21, 0x7F), *range(0x80, 0x100)])
WORDS = st.lists(st.sampled_from(list(OCTETS)), min_size=1, max_size=8).map(
    lambda octets: bytes(octets).decode(errors="surrogateescape")
)
FREE = WORDS.filter(lambda word: word != "none" and not word.startswith("#"))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    names = draw(st.lists(FREE, min_size=1, max_size=8, unique=True))
    count = draw(st.integers(1, min(len(names), len(KEYS))))
    urls = draw(st.lists(st.none() | WORDS, min_size=count, max_size=count))
    witnesses = [PolicyWitness(*item) for item in zip(names[:count], KEYS[:count], urls, strict=True)]
    free, groups = list(names[:count]), []
    for name in names[count:]:
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True)) if free else []
        if members:
            groups.append(Group(name, draw(st.integers(1, len(members))), tuple(members)))
            free = [item for item in free if item not in members] + [name]
    quorum = draw(st.sampled_from(["none", *names[:count], *(group.name for group in groups)]))
    return Policy((PolicyLog(LOG, draw(st.none() | WORDS)),), tuple(witnesses), tuple(groups), quorum)


@given(policies())
def test_a_policy_reads_back(policy: Policy) -> None:
    data = format_policy(policy)
    assert parse_policy(data) == policy
    assert format_policy(parse_policy(data)) == data


@given(policies(), st.binary(max_size=4), st.integers(0, 400), st.integers(0, 4))
def test_a_damaged_policy_is_refused_or_reads_back(policy: Policy, new: bytes, at: int, old: int) -> None:
    data = format_policy(policy)
    damaged = data[:at] + new + data[at + old :]
    try:
        found = parse_policy(damaged)
    except MalformedError:
        return
    assert parse_policy(format_policy(found)) == found


@given(
    old=st.integers(0, MAX_SIZE),
    proof=st.lists(st.binary(min_size=32, max_size=32), max_size=MAX_PROOF).map(tuple),
)
def test_a_request_reads_back(old: int, proof: tuple[bytes, ...]) -> None:
    request = Request(old, proof, CHECKPOINT)
    assert parse_request(format_request(request)) == request


@given(st.binary(max_size=6), st.integers(0, len(REQUEST)), st.integers(0, 6))
@example(b"", 0, 0)
def test_what_is_read_as_a_request_is_written_the_same(new: bytes, at: int, old: int) -> None:
    damaged = REQUEST[:at] + new + REQUEST[at + old :]
    try:
        found = parse_request(damaged)
    except MalformedError:
        return
    assert format_request(found) == damaged


@given(name=st.sampled_from(["w", "witness.example/東京"]), post_quantum=st.booleans())
def test_a_witness_s_vkey_reads_back(name: str, post_quantum: bool) -> None:
    verifier = cosigner_key(name, post_quantum=post_quantum).verifier
    assert parse_cosigner(verifier.vkey).vkey == verifier.vkey


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REQUEST[:-1],
        REQUEST.replace(b"old ", b"old  "),
        REQUEST.replace(b"old 1000", b"old 01000"),
        REQUEST.replace(b"old 1000", b"old -1"),
        REQUEST.replace(b"old 1000", b"old 9223372036854775808"),
        REQUEST.replace(b"old 1000", b"new 1000"),
        REQUEST.replace(b"old 1000\n", b"old 1000\r\n"),
        REQUEST.replace(b"old 1000\n", b""),
        REQUEST.replace(b"AA=\n", b"AA\n", 1),
        REQUEST.replace(b"AA=\n", b"AB=\n", 1),
        REQUEST.replace(b"old 1000\n", b"old 1000\n\n"),
        format_request(Request(1, (bytes(31),), CHECKPOINT)),
        format_request(Request(1, (bytes(32),) * (MAX_PROOF + 1), CHECKPOINT)),
        format_request(Request(1, (), CHECKPOINT + b"\n" * 200_000)),
        format_request(Request(1, (), SeedSigner("x").public_key)),
        "old ٣\n\n".encode() + CHECKPOINT,
    ],
    ids=range(17),
)
def test_what_is_no_request_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_request(data)
