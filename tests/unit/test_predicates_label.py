"""`label/v1`: what it says is read back, and each defect that is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import statement as statements
from ledger.core.predicates import Label
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.label import About, Claims, Counts, is_title
from ledger.core.predicates.scope import Media
from tests.support.builders import digest, label, statement
from tests.support.defects import Change, nested, refusal
from tests.support.strategies import moments, texts

GRADES = st.sampled_from(Grade)
DELIVERY = Delivery("NF-S1", Deliverable.FINAL, (Media.BROADCAST,), ("JP", "VN"))
COUNTS = st.tuples(*[st.integers(0, 2**40)] * 3).filter(any)


@st.composite
def claims(draw: st.DrawFn) -> Claims:
    observed, inferred, declared = draw(COUNTS)
    files = observed + inferred + declared
    counts = Counts(
        files, draw(st.integers(0, 9999)), draw(st.integers(0, files)), observed, inferred, declared
    )
    return Claims(
        about=draw(st.sampled_from(About)),
        title=draw(texts.filter(is_title)),
        entry=draw(st.integers(0, 2**53 - 1)),
        at=draw(moments),
        policy=draw(texts),
        policy_sha256=digest(draw(texts)),
        delivery=DELIVERY,
        verdict_then=draw(st.sampled_from(["cleared", "needs_review", "blocked", "undecided"])),
        grade_then=draw(GRADES),
        grade_now=draw(GRADES),
        counts=counts,
    )


IDENTIFIERS = st.lists(st.text("moonrise019", min_size=1, max_size=9), min_size=1, max_size=6).map("-".join)
PREVIOUS = st.none() | st.integers(0, 2**53 - 1)
LABELS = st.builds(Label, IDENTIFIERS, moments, claims(), st.none(), PREVIOUS) | st.builds(
    Label, IDENTIFIERS, moments, st.none(), texts, PREVIOUS
)


@given(LABELS)
def test_what_it_says_is_read_back(stated: Label) -> None:
    payload = statements.encode(statement(stated))
    assert statements.decode(payload).predicate == stated
    assert statements.encode(statements.decode(payload)) == payload


DEFECTS: dict[str, tuple[Change, str]] = {
    "not cleared": (nested("claims", "verdict", "now", value="needs_review"), "must be cleared"),
    "a verdict of its own": (nested("claims", "verdict", "then", value="fine"), "must be one of"),
    "a grade of its own": (nested("claims", "grade", "now", value="A+"), "must be L0 to L4"),
    "a name with capitals": (nested("labelId", value="Moonrise"), "must be a-z"),
    "a name with two hyphens": (nested("labelId", value="moon--rise"), "must be a-z"),
    "a name that leads elsewhere": (nested("labelId", value="../moonrise"), "must be a-z"),
    "a name with a letter that looks like another": (nested("labelId", value="mооnrise"), "must be a-z"),
    "a name that is too long": (nested("labelId", value="m" * 65), "must be a-z"),
    "a title that is turned around": (nested("claims", "title", value="\u202eesirnooM"), "printable"),
    "a title with something unseen": (nested("claims", "title", value="Moon\u200brise"), "that are seen"),
    "a title with a tag": (nested("claims", "title", value="Moonrise\U000e0041"), "that are seen"),
    "a title with a space around it": (nested("claims", "title", value=" Moonrise"), "that are seen"),
    "a title that fills the page": (nested("claims", "title", value="M" * 201), "that are seen"),
    "an entry before the first": (nested("claims", "entry", value=-1), "must be an entry"),
    "a previous entry before the first": (nested("previous", value=-1), "must be an entry"),
    "counts that do not add up": (nested("claims", "counts", "observed", value=1441), "counted"),
    "more models than files": (nested("claims", "counts", "models", value=1441), "counted"),
    "a count below nothing": (nested("claims", "counts", "shots", value=-1), "must be counts"),
    "a count that is a truth": (nested("claims", "counts", "files", value=True), "of type int"),
    "nothing claimed": (nested("claims"), "must be there"),
    "claimed and withdrawn": (nested("withdrawn", value="A mistake."), "not both"),
    "the name of a shot": (nested("claims", "shot", value="sh020"), "is not a field"),
    "more than a digest": (nested("claims", "policy", "digest", "md5", value="0"), "is not a field"),
    "an unknown member": (nested("issuer", value="Studio"), "is not a field"),
}


@pytest.mark.parametrize(("change", "words"), DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_refused(change: Change, words: str) -> None:
    assert words in refusal(label(), change)[1]
