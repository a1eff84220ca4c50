"""What the page about a file says: every situation has its words, and none says more than was found."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import Any

import pytest

from api.pages.verify import told
from ledger.core.report import Check, Status, VerificationReport
from ledger.render.pages import verified
from ledger.render.pages.languages import language
from ledger.render.pages.shell import Shell, page
from ledger.render.pages.verify_words import ANSWERS, CHECKS, HEADLINES, STATUSES

MANIFEST = ("bytes", "claim", "signer", "time", "ancestry")
LEDGER = ("log", "statement", "subject", "history", "materials", "grants", "ledger")
BARE = ("claim", *LEDGER)


def said(names: tuple[str, ...], known: str | None = "bytes", **others: tuple[str, str]) -> dict[str, Any]:
    """Return an answer: each check passed but those named, which have this status and this code."""
    checks = []
    for name in names:
        status, code = others.get(name, ("passed", ""))
        checks.append(Check(name, name, Status(status), "words", (code,) if code else ()))
    report = VerificationReport("a.png", "0" * 64, tuple(checks), signer="who, where").to_json()
    return {
        **report,
        "ledger": known and {"by": known, "origin": "log.example/a", "entries": []},
        "clearance": None,
        "page": "/verify/0",
    }


OPEN = "undecided"
NEITHER = (OPEN, "log.no-such-entry")
CASES = {
    "proven-bare": said((*MANIFEST, *LEDGER)),
    "changed": said((*MANIFEST, *LEDGER), bytes=("failed", "assertion.dataHash.mismatch")),
    "tampered": said((*MANIFEST, *LEDGER), claim=("failed", "x"), bytes=("failed", "x")),
    "contradicted": said((*MANIFEST, *LEDGER), ancestry=("failed", "x")),
    "signed": said((*MANIFEST, *LEDGER), None, signer=(OPEN, "signer.listed"), ledger=NEITHER),
    "recorded": said(BARE, claim=(OPEN, "verify.no-manifest")),
    "recorded-digest": said(BARE, claim=(OPEN, "verify.digest-only")),
    "copy": said(BARE, "pixels", claim=(OPEN, "verify.no-manifest"), ledger=(OPEN, "ledger.pixels")),
    "copy-digest": said(BARE, "pixels", claim=(OPEN, "verify.digest-only"), ledger=(OPEN, "ledger.pixels")),
    "resealed": said((*MANIFEST, *LEDGER), "pixels", signer=(OPEN, "x"), ledger=(OPEN, "ledger.pixels")),
    "alone": said((*MANIFEST, *LEDGER), "manifest", bytes=(OPEN, ""), ledger=(OPEN, "")),
    "unlicensed": said((*MANIFEST, *LEDGER), grants=(OPEN, "grant.missing")),
    "gaps": said((*MANIFEST, *LEDGER), history=(OPEN, "x"), grants=(OPEN, "x")),
    "stranger": said((*MANIFEST, *LEDGER), None, signer=(OPEN, "x"), ledger=NEITHER),
    "broken": said(BARE, claim=(OPEN, "verify.crashed")),
    "unreadable": said(BARE, None, claim=(OPEN, "file.malformed"), ledger=NEITHER),
    "torn": said(BARE, None, claim=(OPEN, "manifest.malformed"), ledger=NEITHER),
    "unknown": said(BARE, None, claim=(OPEN, "verify.no-manifest"), ledger=NEITHER),
    "unknown-digest": said(BARE, None, claim=(OPEN, "verify.digest-only"), ledger=NEITHER),
    "open": said((*MANIFEST, *LEDGER), time=(OPEN, "x")),
}


@pytest.mark.parametrize("key", CASES)
def test_each_situation_has_a_headline(key: str) -> None:
    assert verified.headline(CASES[key]) is HEADLINES[key]


def test_every_headline_belongs_to_a_situation() -> None:
    assert HEADLINES.keys() == CASES.keys() | {"proven"}


def test_only_what_holds_looks_cleared_and_only_what_failed_looks_blocked() -> None:
    looks = {key: headline.look for key, headline in HEADLINES.items()}
    for key, answer in CASES.items():
        outcome = answer["outcome"]
        assert (looks[key] == "cleared") is (outcome in {"proven", "signed", "recorded"})
        assert (looks[key] == "blocked") is (outcome == "altered")


def test_nothing_that_cannot_be_proven_is_said() -> None:
    texts = [text for headline in HEADLINES.values() for text in headline[1:]] + list(ANSWERS.values())
    for text, word in product(texts, ("AI-free", "without AI", "copyright-safe", "original", "authentic")):
        assert word not in text


def test_every_check_has_plain_words_for_every_answer() -> None:
    names = {*MANIFEST, *LEDGER}
    assert names == CHECKS.keys()
    assert {(name, status) for name in names for status in STATUSES} <= ANSWERS.keys()
    for answer in CASES.values():
        for line in verified.lines(answer):
            assert line.answer


def test_a_check_of_tomorrow_is_shown_by_its_name() -> None:
    (line,) = verified.lines(said(("horoscope",)))
    assert (line.name, line.answer, line.technical) == ("horoscope", "", "words")


def test_a_signer_is_only_named_as_such_where_somebody_vouches_for_them() -> None:
    assert verified.confirmed(CASES["proven-bare"])
    assert verified.confirmed(CASES["signed"])
    for key in ("tampered", "resealed", "stranger", "copy", "recorded"):
        assert not verified.confirmed(CASES[key]), key


def test_a_moment_that_is_none_is_not_shown() -> None:
    assert verified.moment("2026-11-22T03:00:00Z") == "2026-11-22T03:00:00Z"
    for text in ("", None, "tomorrow", "<b>", "2026-13-40T00:00:00Z", "9" * 2_000):
        assert verified.moment(text) is None


HOSTILE = "<img src=x onerror=alert(1)>%(signer)s\u202e"


def hostile(value: Any) -> Any:
    """Return the answer with a stranger's text wherever a text is not one of a few."""
    if isinstance(value, dict):
        kept = ("outcome", "status", "by", "receipt", "then", "now", "page", "sha256")
        return {key: item if key in kept else hostile(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


@pytest.mark.parametrize("outcome", ["passed", "failed", "undecided"])
def test_a_stranger_s_words_are_text_wherever_they_stand(outcome: str) -> None:
    step = {"index": 1, "action": "a", "tool": "t", "device": "d", "finished": "f", "evidence": "e"}
    grant = {"grantId": "g", "uses": ["u"], "index": 2, "inTerm": False}
    thing = {"kind": "k", "name": "n", "sha256": None, "index": None, "stages": ["s"], "grants": [grant]}
    verdict = {"entry": 3, "policy": "p", "deliverable": "d", "then": "cleared", "now": "blocked"}
    answer = hostile(
        {
            **said((*MANIFEST, *LEDGER), bytes=(outcome, "x")),
            "named": [{**thing, "licensed": False}],
            "steps": [step],
            "clearance": verdict,
            "facts": {"timeStamp": "t"},
        }
    )
    shell = Shell(language("en"), "/verify", (), "studio", defaultdict(str))
    shown = page("verified.html.j2", shell, **told(answer), limit=1, size="1 B")
    assert "<img src=x" not in shown
    assert "\u202e" not in shown
    assert shown.count("&lt;img src=x") > 20
