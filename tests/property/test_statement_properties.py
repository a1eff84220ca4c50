"""Statements of every kind: each comes back, has one spelling, and survives no change unnoticed."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ledger.core import canonical
from ledger.core import statement as statements
from ledger.core.statement import Statement
from ledger.errors import MalformedError
from tests.property.test_canonical_properties import values
from tests.support.builders import refusal
from tests.support.statements import statements as any_statement


@given(any_statement())
def test_what_is_stated_is_read_again(stated: Statement) -> None:
    payload = statements.encode(stated)
    assert statements.decode(payload) == stated
    assert statements.encode(statements.decode(payload)) == payload


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a document, the document's own first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for name, item in inner for deeper in paths(item, (*path, name)))]


def mutated(document: Any, data: st.DataObject) -> Any:
    """Return a copy of the document in which one value is another, is gone, or has company."""
    found = copy.deepcopy(document)
    path = data.draw(st.sampled_from(paths(found)[1:]))
    parent = found
    for name in path[:-1]:
        parent = parent[name]
    change = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if change == "remove":
        parent.pop(path[-1])
    elif change == "replace" or not isinstance(parent[path[-1]], dict):
        parent[path[-1]] = data.draw(values)
    else:
        parent[path[-1]]["note"] = data.draw(values)
    return found


@given(any_statement(), st.data())
def test_a_changed_document_is_refused_or_is_another_statement(
    stated: Statement, data: st.DataObject
) -> None:
    """No two documents read as the same statement, and nothing but our own error is raised."""
    document = canonical.decode(statements.encode(stated))
    changed = mutated(document, data)
    payload = canonical.encode(changed)
    try:
        found = statements.decode(payload)
    except MalformedError:
        return
    assert (found == stated) == (changed == document)
    assert statements.encode(found) == payload


@given(values)
def test_any_document_is_read_or_refused(value: Any) -> None:
    code = refusal(statements.decode, canonical.encode(value))
    assert code is not None
    assert code.startswith("statement.")
