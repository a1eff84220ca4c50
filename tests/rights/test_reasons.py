"""Each reason code: a story that produces it, and the same story with one fact mended, which does not."""

import runpy

import pytest

from ledger.core.predicates.answer import Grade
from ledger.core.predicates.reasons import EXPLAINED, Code, Severity, Verdict
from tests.architecture.project import ROOT
from tests.rights import grant_cases, model_cases, record_cases
from tests.rights.cases import CASES, Case, Question, codes
from tests.rights.nightfall import nightfall

MODULES = (grant_cases, model_cases, record_cases)


def named(case: Case) -> str:
    return f"{case.code}-{getattr(case.tell, '__name__', '')}"


def test_every_code_has_its_case() -> None:
    assert sorted(case.code for case in CASES) == sorted(Code)


def test_as_it_is_told_everything_is_in_order() -> None:
    found = Question().put(nightfall())
    assert codes(found) == set()
    for answer in (found.then, found.now):
        assert (answer.verdict, answer.grade) == (Verdict.CLEARED, Grade.L4)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_trouble_gives_its_reason_and_no_other(case: Case) -> None:
    story = nightfall()
    found = case.tell(story, False).put(story)
    assert codes(found) == {case.code} | case.too | case.always


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_same_story_mended_does_not_give_it(case: Case) -> None:
    story = nightfall()
    found = case.tell(story, True).put(story)
    assert codes(found) == case.always


@pytest.mark.parametrize("case", CASES, ids=named)
def test_its_severity_decides_the_verdict(case: Case) -> None:
    """Of the trouble alone: what is mended shows what else there is."""
    story = nightfall()
    worst = EXPLAINED[case.code].severity
    rest = [EXPLAINED[code].severity for code in case.too | case.always]
    now = case.tell(story, False).put(story).now
    assert now.verdict is Verdict.of(max([worst, *rest], default=Severity.NOTED))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_reason_can_be_read_and_acted_on(case: Case) -> None:
    story = nightfall()
    now = case.tell(story, False).put(story).now
    for reason in now.reasons:
        assert reason.name
        assert reason.meaning.endswith(".")
        assert reason.mend.endswith(".")
        assert reason.path or reason.code in (Code.APPROVAL_MISSING, Code.GRADE_BELOW_POLICY)


def test_the_page_of_the_codes_is_what_the_code_says() -> None:
    make = runpy.run_path(str(ROOT / "docs" / "reference" / "generate.py"))["reasons_page"]
    page = (ROOT / "docs" / "rights" / "reasons.md").read_text(encoding="utf-8")
    assert page == make(), "run docs/reference/generate.py"
    assert all(f"| `{code}` |" in page for code in Code)


@pytest.mark.parametrize("code", Code)
def test_meaning_and_mend_are_plain_sentences(code: Code) -> None:
    for text in EXPLAINED[code][:2]:
        assert text[0].isupper()
        assert text.endswith(".")
        assert len(text) < 120
        assert "|" not in text
