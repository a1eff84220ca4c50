"""`audit-report/v1`: what it says is read back, and each defect that is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import statement as statements
from ledger.core.predicates import AuditReport
from tests.support.builders import audit_report, digest, statement
from tests.support.defects import Change, nested, refusal
from tests.support.strategies import moments, texts

VERDICTS = st.sampled_from(["cleared", "needs_review", "blocked", "undecided"])
GRADES = st.none() | st.sampled_from(["L0", "L1", "L2", "L3", "L4"])
DIGESTS = texts.map(digest)


@given(
    st.builds(
        AuditReport,
        identifier=texts,
        series=DIGESTS,
        view=texts,
        at=moments,
        population=DIGESTS,
        policy=texts,
        policy_version=texts,
        policy_sha256=DIGESTS,
        size=st.integers(1, 2**53 - 1),
        root=DIGESTS,
        verdict_then=VERDICTS,
        verdict_now=VERDICTS,
        grade_then=GRADES,
        grade_now=GRADES,
        figures=st.dictionaries(texts, st.integers(0, 2**53 - 1), min_size=1, max_size=3),
        whole=DIGESTS,
        previous=st.none() | st.integers(0, 2**53 - 1),
        title=st.none() | texts,
    )
)
def test_what_it_says_is_read_back(stated: AuditReport) -> None:
    payload = statements.encode(statement(stated))
    assert statements.decode(payload).predicate == stated
    assert statements.encode(statements.decode(payload)) == payload


DEFECTS: dict[str, tuple[Change, str]] = {
    "a verdict of its own": (nested("verdict", "now", value="fine"), "must be two of"),
    "no verdict": (nested("verdict", value={}), "is missing"),
    "a grade of its own": (nested("grade", "now", value="L9"), "must be L0 to L4"),
    "an empty tree": (nested("tree", "size", value=0), "at least 1"),
    "a previous entry before the first": (nested("previous", value=-1), "must be an entry"),
    "a figure that is no count": (nested("figures", "frames", value=-1), "must be counts"),
    "a figure that is a word": (nested("figures", "frames", value="many"), "must be counts"),
    "a figure that is a truth": (nested("figures", "frames", value=True), "must be counts"),
    "no figures": (nested("figures", value={}), "must be counts"),
    "more than a digest": (nested("whole", "sha512", value="0" * 128), "is not a field"),
    "a policy without a digest": (nested("policy", "digest", value={}), "is missing"),
    "an unknown member": (nested("issued", value="2026-06-01T00:00:00Z"), "is not a field"),
}


@pytest.mark.parametrize(("change", "words"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_refused(change: Change, words: str) -> None:
    assert words in refusal(audit_report(), change)[1]
