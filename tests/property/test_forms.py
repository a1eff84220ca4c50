"""What forms send is read as fields or refused with a code, whatever it is; nothing is added to it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from api.forms import fields_of, text
from ledger.errors import MalformedError
from ledger.render.text import visible
from ledger.service.rights.forms import FIELDS, table_of

KINDS = st.sampled_from(["override", "review", "approve", "revoke"])


@given(st.binary(max_size=400))
def test_any_body_is_fields_or_refused(body: bytes) -> None:
    try:
        found = fields_of(body)
    except MalformedError:
        return
    assert all(isinstance(value, str) for _, value in found.multi_items())


@given(st.text(max_size=80))
def test_what_is_shown_is_what_is_taken_and_stays_so(typed: str) -> None:
    once = text(FormData([("reason", typed)]), "reason")
    assert once == visible(once)
    assert text(FormData([("reason", once)]), "reason") == once
    assert text(FormData([]), "reason") == ""


@given(KINDS, st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=40)))
def test_a_table_holds_what_was_typed_and_who_types(kind: str, typed: dict[str, str]) -> None:
    found = table_of(kind, typed, ("person:1",))
    said = {" ".join(value.split()) for value in typed.values()}
    assert (found.get("approvers", ["person:1"])[0], found.get("reviewer", "person:1")) == (
        "person:1",
        "person:1",
    )
    single = {value for name, value in found.items() if isinstance(value, str) and name != "reviewer"}
    assert single <= said
    assert "" not in single
