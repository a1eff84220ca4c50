"""Whatever text a stranger sends for a credential: it is read as one of ours, or refused with its code."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import request_signature as signatures
from ledger.core.request_signature import Target
from ledger.core.secret_text import Kind, compose, identifier_of
from ledger.errors import RakkanError
from tests.support.builders import digest

PIECES = st.sampled_from(
    [
        'rakkan=("@method" "@authority" "@path" "@query")',
        'rakkan=("@method" "@authority" "@path" "@query" "content-digest")',
        ";created=1",
        ";created=01",
        f';keyid="{digest("k")}"',
        ';nonce="0123456789abcdef"',
        ';tag="rakkan"',
        ';alg="ed25519"',
        ";",
    ]
)
INPUTS = st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join))
SIGNATURE = "rakkan=:" + "A" * 86 + "==:"


@given(INPUTS, st.one_of(st.just(SIGNATURE), st.text()))
def test_a_signature_is_read_as_its_one_form_or_refused(given_input: str, signature: str) -> None:
    try:
        found = signatures.parse(given_input, signature)
    except RakkanError as error:
        assert error.code == "access.signature-form"  # noqa: PT017 - most texts are refused, few are read
        return
    assert given_input == f"rakkan={found.params}"
    assert re.fullmatch("[0-9a-f]{64}", found.keyid)
    assert len(found.sig) == 64


TARGETS = st.builds(
    Target,
    st.sampled_from(["GET", "GETGET", "POST"]),
    st.text("abc.", max_size=6),
    st.text("ab/?%:", min_size=1, max_size=6),
    st.text("ab=&?", max_size=6),
)


@given(TARGETS, TARGETS)
def test_no_two_requests_have_one_base(one: Target, other: Target) -> None:
    claimed = signatures.RequestSignature("0" * 64, 1, "n" * 16, None, False, "()", b"")
    assert (signatures.base(claimed, one) == signatures.base(claimed, other)) == (one == other)


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=32, max_size=32), st.sampled_from(Kind))
def test_a_text_is_of_one_kind_and_a_slip_is_seen(identifier: bytes, secret: bytes, kind: Kind) -> None:
    text = compose(kind, identifier, secret)
    assert [identifier_of(other, text) for other in Kind if other is not kind] == [None] * 3
    assert identifier_of(kind, text) == identifier.hex()
    for place in (0, 6, 30, len(text) - 1):
        slip = text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
        assert identifier_of(kind, slip) is None


@pytest.mark.parametrize("kind", Kind)
@given(st.text())
def test_any_other_text_is_nobodys(kind: Kind, text: str) -> None:
    assert identifier_of(kind, text) is None
