"""A predicate's document with one thing changed, and the words with which it is then refused."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.core import canonical
from ledger.core import statement as statements
from ledger.core.predicates import Predicate, read_predicate
from ledger.errors import MalformedError
from tests.support.builders import statement

Change = Callable[[dict[str, Any]], object]
ABSENT = object()


def refusal(predicate: Predicate, change: Change) -> tuple[str, str]:
    """Return the code and the sentence with which the predicate is refused after a change."""
    document = canonical.decode(statements.encode(statement(predicate)))["predicate"]
    change(document)
    with pytest.raises(MalformedError) as error:
        read_predicate(predicate.TYPE, document)
    return error.value.code, error.value.message


def nested(*path: str | int, value: Any = ABSENT) -> Change:
    """Return a change that sets, or with no value removes, what the path leads to."""

    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        if value is ABSENT:
            document.pop(path[-1])
        else:
            document[path[-1]] = value

    return change
