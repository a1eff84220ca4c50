"""`erasure/v1`: what it may say, and each defect that is refused."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import canonical
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.predicates import Erasure, read_predicate
from ledger.core.predicates.erasure import ErasureReason
from ledger.core.statement import Statement
from ledger.errors import MalformedError
from tests.architecture.project import ROOT
from tests.support.builders import commitment, digest

WHEN = datetime(2026, 4, 1, 9, tzinfo=UTC)
SUBJECT = Artifact("entry-7.dsse.json", digest("entry"))
DIGESTS = tuple(sorted(map(commitment, ["prompt", "negative"])))
PLAIN = Erasure(WHEN, DIGESTS, ErasureReason.MISTAKE, (commitment("note"),))

digests = st.binary(min_size=32, max_size=32).map(lambda data: urlsafe_b64encode(data).rstrip(b"=").decode())


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.sets(digests, min_size=1, max_size=5),
    st.sampled_from(ErasureReason),
    st.sets(digests, max_size=2),
)
def test_what_it_says_is_read_back(
    when: datetime, erased: set[str], reason: ErasureReason, note: set[str]
) -> None:
    stated = Erasure(when.replace(microsecond=0), tuple(sorted(erased)), reason, tuple(sorted(note)))
    payload = statements.encode(Statement((SUBJECT,), stated))
    assert statements.decode(payload) == Statement((SUBJECT,), stated)
    assert statements.encode(statements.decode(payload)) == payload


DEFECTS: dict[str, dict[str, Any]] = {
    "no time": {"erased": None},
    "a time of its own kind": {"erased": "2026-04-01"},
    "no digests": {"digests": None},
    "no digest": {"digests": []},
    "digests out of order": {"digests": list(reversed(DIGESTS))},
    "a digest twice": {"digests": [DIGESTS[0], DIGESTS[0]]},
    "the secret itself": {"digests": ["a robot paints a lantern"]},
    "no reason": {"reason": None},
    "a reason in words": {"reason": "Mr Mori asked"},
    "a note in the open": {"_sd": ["Mr Mori asked"]},
    "an unknown field": {"field": "prompt"},
}


@pytest.mark.parametrize("change", DEFECTS.values(), ids=DEFECTS)
def test_defect(change: dict[str, Any]) -> None:
    document = {**PLAIN.to_json(), **change}
    document = {name: value for name, value in document.items() if value is not None}
    with pytest.raises(MalformedError) as error:
        read_predicate(Erasure.TYPE, canonical.decode(canonical.encode(document)))
    assert error.value.code == "statement.field"


def test_it_is_about_one_entry() -> None:
    other = Artifact("entry-8.dsse.json", digest("other"))
    with pytest.raises(MalformedError) as error:
        statements.encode(Statement((SUBJECT, other), PLAIN))
    assert error.value.code == "statement.malformed"


def test_every_reason_is_in_the_text() -> None:
    text = (ROOT / "docs/spec/predicates.md").read_text(encoding="utf-8")
    assert [reason for reason in ErasureReason if f"`{reason}`" not in text] == []
