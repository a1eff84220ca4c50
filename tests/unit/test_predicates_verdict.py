"""A verdict: what a stranger reads in it, and each rule that a written one can break."""

from typing import Any

import pytest

from ledger.core import canonical
from ledger.core import statement as statements
from ledger.core.predicates import Predicate, VerdictResult
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.reasons import Code, Severity
from ledger.core.predicates.scope import Media
from ledger.core.predicates.verdict import CLEARANCE
from ledger.core.rights.clearance import VERSION
from tests.support.builders import statement
from tests.support.defects import Change, nested, refusal
from tests.support.stated import answer, policy_profile, reason, verdict


def clearance(*path: str | int, value: Any) -> Change:
    return nested(CLEARANCE, *path, value=value)


SET: dict[str, Any] = {"name": "other", "digest": {"sha256": "0" * 64}}
FIRST = verdict(change=None)
DEFECTS: dict[str, tuple[Predicate, Change, str]] = {
    "another verifier": (
        verdict(),
        nested("verifier", "id", value="https://example.com/v1"),
        "must begin with",
    ),
    "verifier without a version": (
        verdict(),
        nested("verifier", "id", value="https://rakkan.org/clearance-engine/"),
        "the version of the engine",
    ),
    "verifier that is no URI": (
        verdict(),
        nested("verifier", "id", value="https://rakkan.org/clearance-engine/1 beta"),
        "the version of the engine",
    ),
    "no policies": (verdict(), nested("verifier", "policies"), "policies must hold one policy"),
    "two policies": (verdict(), nested("verifier", "policies", value=[SET, SET]), "policies must hold one"),
    "policy without a digest": (verdict(), nested("verifier", "policies", 0, "digest"), "digest is missing"),
    "policy with a place": (
        verdict(),
        nested("verifier", "policies", 0, "uri", value="x"),
        "uri is not a field",
    ),
    "no properties": (verdict(), nested("properties"), "properties is missing"),
    "property that did not pass": (
        verdict(),
        nested("properties", value=[*verdict().properties, "RAKKAN_CLEARED_FINAL"]),
        "properties are not those",
    ),
    "property too few": (verdict(), nested("properties", value=[]), "properties are not those"),
    "no clearance": (verdict(), nested(CLEARANCE), f"{CLEARANCE} is missing"),
    "clearance of another version": (
        verdict(),
        clearance("spec", value="https://rakkan.org/clearance/v2"),
        "spec must be",
    ),
    "unknown event": (verdict(), clearance("event", value="opinion"), "event cannot be"),
    "first verdict with a cause": (FIRST, clearance("cause", value=3), "cause is not a field"),
    "change without a cause": (verdict(), nested(CLEARANCE, "cause"), "cause is missing"),
    "cause before the log": (verdict(), clearance("cause", value=-1), "must be entries"),
    "cause after the tree": (verdict(), clearance("cause", value=12), "must be entries"),
    "change of what was before the log": (verdict(), clearance("previous", value=-1), "must be entries"),
    "empty tree": (FIRST, clearance("tree", "size", value=0), "tree.size must be at least 1"),
    "tree with a note": (verdict(), clearance("tree", "note", value=1), "tree.note is not a field"),
    "no title spelt out": (
        verdict(),
        clearance("delivery", "title", value=None),
        "title must be of type str",
    ),
    "delivery of an unknown class": (verdict(), clearance("delivery", "deliverable", value="x"), "cannot be"),
    "delivery in no medium": (verdict(), nested(CLEARANCE, "delivery", "media"), "at least one each"),
    "delivery to nowhere": (verdict(), nested(CLEARANCE, "delivery", "territories"), "at least one each"),
    "delivery to a country by name": (
        verdict(),
        clearance("delivery", "territories", value=["Japan"]),
        "territories cannot hold",
    ),
    "delivery in one medium twice": (
        verdict(),
        clearance("delivery", "media", value=["streaming", "streaming"]),
        "media must be sorted",
    ),
    "delivery with a note": (verdict(), clearance("delivery", "note", value=1), "delivery.note"),
    "verdict better than its reasons": (
        verdict(),
        clearance("now", "verdict", value="cleared"),
        "not the worst",
    ),
    "verdict worse than its reasons": (
        verdict(),
        clearance("then", "verdict", value="blocked"),
        "not the worst",
    ),
    "reasons out of order": (
        verdict(now=answer(reason(), reason(severity=Severity.NEEDS_REVIEW))),
        lambda d: d[CLEARANCE]["now"]["reasons"].reverse(),
        "reasons must stand worst first",
    ),
    "fewer reasons than none left out": (
        verdict(),
        clearance("now", "omitted", value=-1),
        "omitted must count",
    ),
    "unknown grade": (verdict(), clearance("now", "grade", value="L5"), "grade cannot be"),
    "unknown code": (verdict(), clearance("now", "reasons", 0, "code", value="BAD"), "code cannot be"),
    "unknown severity": (
        verdict(),
        clearance("now", "reasons", 0, "severity", value="fatal"),
        "severity cannot",
    ),
    "severity in capitals": (
        verdict(),
        clearance("now", "reasons", 0, "severity", value="BLOCKED"),
        "cannot be",
    ),
    "reason with a note": (verdict(), clearance("now", "reasons", 0, "note", value=1), "note is not a field"),
    "override before the log": (
        verdict(),
        clearance("then", "reasons", 0, "override", value=-1),
        "override must be the index",
    ),
    "fewer dependencies than none": (
        verdict(),
        clearance("now", "dependencyLevels", "L3", value=-1),
        "dependencyLevels must hold counts",
    ),
    "dependencies of an unknown grade": (
        verdict(),
        clearance("now", "dependencyLevels", "L5", value=1),
        "dependencyLevels.L5 is not a field",
    ),
    "answer with a note": (verdict(), clearance("now", "note", value=1), "now.note is not a field"),
    "clearance with a note": (verdict(), clearance("note", value=1), "note is not a field"),
}


@pytest.mark.parametrize(("predicate", "change", "words"), DEFECTS.values(), ids=DEFECTS)
def test_defect(predicate: Predicate, change: Change, words: str) -> None:
    code, message = refusal(predicate, change)
    assert (code, words in message) == ("statement.field", True), message


@pytest.mark.parametrize("path", [("now", "omitted"), ("now", "dependencyLevels", "L0")])
def test_a_zero_is_left_out(path: tuple[str, ...]) -> None:
    """Otherwise one answer would have two spellings."""
    document = canonical.decode(statements.encode(statement(verdict())))
    clearance(*path, value=0)(document["predicate"])
    with pytest.raises(Exception, match="does not format back"):
        statements.decode(canonical.encode(document))


@pytest.mark.parametrize("deliverable", Deliverable)
def test_the_properties_say_what_passed_and_for_which_class(deliverable: Deliverable) -> None:
    """A reader who takes nothing but the properties must not take a cleared storyboard for a cleared film."""
    delivery = Delivery(None, deliverable, (Media.INTERNAL,), ("001",))
    word = deliverable.value.upper()
    assert verdict(delivery=delivery).properties == [
        "RAKKAN_GRADE_L3",
        f"RAKKAN_CLEARED_{word}_AT_TIME_OF_USE",
    ]
    assert verdict(delivery=delivery, now=answer()).properties[2] == f"RAKKAN_CLEARED_{word}"


def test_unknown_origin_is_nothing_that_passed() -> None:
    nothing = verdict(then=answer(reason()), now=answer(reason(), grade=Grade.L0))
    assert nothing.properties == []
    assert nothing.to_json()["properties"] == []
    assert statements.decode(statements.encode(statement(nothing))).predicate == nothing


def test_a_verdict_names_its_profile_as_the_log_does() -> None:
    named = verdict().to_json()["verifier"]["policies"]
    profile = statement(policy_profile()).subjects[0]
    assert named == [{"name": profile.name, "digest": {"sha256": profile.sha256}}]


def test_the_engine_that_runs_may_stand_in_a_verdict() -> None:
    stated = verdict(engine=VERSION)
    assert statements.decode(statements.encode(statement(stated))).predicate == stated


@pytest.mark.parametrize("code", Code)
def test_every_code_may_stand_in_a_verdict(code: Code) -> None:
    found = verdict(now=answer(reason(code=code)))
    again = statements.decode(statements.encode(statement(found))).predicate
    assert isinstance(again, VerdictResult)
    assert again.now.reasons[0].code is code
