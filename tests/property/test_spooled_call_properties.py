"""The account of a call: whatever a hook wrote is read or refused with one code, and can then be stated."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.core import statement as statements
from ledger.core.predicates.service_call import MAX_RUNS, CallOutcome
from ledger.core.predicates.step import Place
from ledger.core.spooled import read_spooled
from ledger.core.spooled_call import read_call, stated
from ledger.core.statement import Statement
from ledger.errors import MalformedError
from tests.support.calls import ACCOUNT, record
from tests.support.statements import words
from tests.support.strategies import texts

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(sorted(ACCOUNT)) | st.text(max_size=5)
times = st.datetimes().map(lambda moment: f"{moment:%Y}".zfill(4) + f"{moment:-%m-%dT%H:%M:%S.%fZ}")
attempts = st.fixed_dictionaries(
    {"at": times, "outcome": st.sampled_from([item.value for item in CallOutcome])},
    optional={
        "status": st.integers(100, 599),
        "code": words,
        "requestId": words,
        "took": st.integers(1, 10**9),
        "waited": st.integers(1, 10**9),
    },
)


@given(st.dictionaries(names, json_values, max_size=4))
def test_anything_else_is_refused_with_its_code(changes: dict[str, Any]) -> None:
    code = None
    try:
        read_call({**ACCOUNT, **changes})
    except MalformedError as error:
        code = error.code
    assert code in {None, "capture.malformed", "digest.malformed"}


@given(st.lists(attempts, max_size=MAX_RUNS * 2), texts)
def test_whatever_attempts_there_were_can_be_stated(made: list[dict[str, Any]], name: str) -> None:
    call = read_call({**ACCOUNT, "id": name, "attempts": made})
    found = stated(read_spooled(record()), call, place=Place("nightfall"), actor="actor:1")
    statement = Statement((found.subject,), found)
    assert statements.decode(statements.encode(statement)) == statement
    assert sum(count for _, count in found.attempts) == len(made)
