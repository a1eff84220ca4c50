"""Only positives are claimed: nothing that we write calls a picture free of AI, or safe from anybody."""

import re
from pathlib import Path

import pytest

from tests.architecture.project import ROOT, committed

CLAIM = re.compile(
    r"\b(AI|copyright|infringement|risk)[- ](free|safe|proof)\b|\bfree (of|from) (AI|infringement)\b"
    r"|\b(legally|copyright) (safe|cleared)\b|\bnon-infringing\b|\bwithout (any )?AI\b"
    r"|\bno AI (was|is) used\b|\bAI was not used\b",
    re.IGNORECASE,
)
DENIAL = re.compile(r"\b(never|not|no|none|nobody|nothing|cannot|neither|impossible)\b", re.IGNORECASE)
READ = {".py", ".md", ".toml", ".html", ".css", ".js", ".txt", ".svg"}


def claims(text: str) -> list[str]:
    """Return the sentences that make such a claim and, apart from its words, deny nothing."""
    flat = re.sub(r"\s*\n[ \t#>*]*", " ", text)
    sentences = re.split(r"(?<=[.!?;|])[\s\"')*]+", flat)
    return [
        item.strip() for item in sentences if CLAIM.search(item) and not DENIAL.search(CLAIM.sub("", item))
    ]


def pages() -> list[Path]:
    folders = {"ledger", "api", "docs", "README.md", "migrations"}
    return [
        path for path in committed() if path.relative_to(ROOT).parts[0] in folders and path.suffix in READ
    ]


def test_nothing_that_is_printed_or_documented_claims_what_cannot_be_proven() -> None:
    assert len(pages()) > 100
    found = {str(path.relative_to(ROOT)): claims(path.read_text(encoding="utf-8")) for path in pages()}
    assert {name: sentences for name, sentences in found.items() if sentences} == {}


@pytest.mark.parametrize(
    "sentence",
    [
        "This film is AI-free.",
        "Every frame is copyright-safe now.",
        "Made without any AI, by hand.",
        "No AI was used.",
        "A cleared frame is\nnon-infringing.",
    ],
)
def test_a_claim_is_found(sentence: str) -> None:
    assert claims(f"All is well. {sentence} Rest assured.") != []


@pytest.mark.parametrize(
    "sentence",
    [
        "Words we do not use: *AI-free*, *copyright-safe*.",
        "That no AI was used cannot be proven.",
        "No frame is ever called AI-free.",
    ],
)
def test_a_denial_is_no_claim(sentence: str) -> None:
    assert claims(sentence) == []
