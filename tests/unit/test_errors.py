"""The table of error codes: complete, used, and what the reference page prints."""

import importlib.util
import re
import subprocess
import sys
from types import ModuleType

import pytest

from ledger import errors
from ledger.codes import CODES
from ledger.errors import RakkanError
from tests.architecture.project import ROOT

GENERATOR = ROOT / "docs" / "reference" / "generate.py"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_generate", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_code_is_raised_somewhere(generate: ModuleType) -> None:
    missing = CODES.keys() - generate.written()
    patterns = generate.composed()
    assert sorted(code for code in missing if not any(re.fullmatch(p, code) for p in patterns)) == []


def test_nothing_is_raised_with_an_unlisted_code(generate: ModuleType) -> None:
    raised = generate.raised()
    assert len(raised) > 40, "the search finds too little to prove anything"
    assert {code: sorted(places) for code, places in raised.items() if code not in CODES} == {}


@pytest.mark.parametrize("code", CODES)
def test_a_code_reads_like_one(code: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*", code)


@pytest.mark.parametrize("code", CODES)
def test_a_hint_is_a_sentence_that_says_what_to_do(code: str) -> None:
    hint = CODES[code]
    assert hint[0].isupper()
    assert hint.endswith(".")
    assert len(hint) < 140
    assert "|" not in hint


def test_each_code_stands_in_one_section(generate: ModuleType) -> None:
    prefixes = [prefix for line in generate.SECTIONS for prefix in line.split()]
    assert len(set(prefixes)) == len(prefixes)
    assert {code.split(".")[0] for code in CODES} == set(prefixes)


def test_the_reference_page_is_up_to_date(generate: ModuleType) -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert page == generate.page(), "run docs/reference/generate.py"


def test_the_check_option_of_the_generator_agrees() -> None:
    assert subprocess.run([sys.executable, str(GENERATOR), "--check"], check=False).returncode == 0


EXITS = {
    errors.MalformedError: 2,
    errors.UsageError: 2,
    errors.RefusedError: 2,
    errors.UndecidedError: 3,
    errors.IntegrityError: 1,
}


def test_every_kind_has_its_exit_code() -> None:
    assert {kind: kind.exit_code for kind in RakkanError.__subclasses__()} == EXITS
    assert RakkanError.exit_code == 70


def test_an_error_shows_code_sentence_hint_and_evidence() -> None:
    error = errors.IntegrityError("log.rollback", "The database is behind.", held=3, path=ROOT)
    assert str(error) == "The database is behind. [log.rollback]"
    assert error.to_json() == {
        "code": "log.rollback",
        "message": "The database is behind.",
        "hint": CODES["log.rollback"],
        "evidence": {"held": "3", "path": str(ROOT)},
    }
