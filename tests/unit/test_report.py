"""The verdict over the checks, and the report as JSON."""

import json

import pytest

from ledger.core.report import (
    EXIT_CODES,
    Check,
    NamedGrant,
    NamedStep,
    NamedThing,
    Outcome,
    Status,
    VerificationReport,
)

P, F, U = Status.PASSED, Status.FAILED, Status.UNDECIDED


def report(*statuses: Status, things: tuple[NamedThing, ...] = ()) -> VerificationReport:
    checks = tuple(
        Check(f"check{n}", f"Title {n}", status, f"Words {n}.", ("a.code",))
        for n, status in enumerate(statuses)
    )
    return VerificationReport("f.png", "0" * 64, checks, things, signer="ws-01, Studio X", log="log.example")


@pytest.mark.parametrize(
    ("statuses", "outcome", "exit_code"),
    [
        ((P,), Outcome.PROVEN, 0),
        ((P, P), Outcome.PROVEN, 0),
        ((P, U), Outcome.UNDECIDED, 3),
        ((U, U), Outcome.UNDECIDED, 3),
        ((P, F), Outcome.ALTERED, 1),
        ((U, F), Outcome.ALTERED, 1),
        ((F, P, U), Outcome.ALTERED, 1),
        ((), Outcome.UNDECIDED, 3),
    ],
)
def test_one_verdict_over_all_checks(statuses: tuple[Status, ...], outcome: Outcome, exit_code: int) -> None:
    assert report(*statuses).outcome is outcome
    assert report(*statuses).exit_code == exit_code


def test_every_outcome_has_its_exit_code() -> None:
    assert set(EXIT_CODES) == set(Outcome)
    assert {outcome for outcome, code in EXIT_CODES.items() if code == 0} == {Outcome.PROVEN}
    assert {outcome for outcome, code in EXIT_CODES.items() if code == 1} == {Outcome.ALTERED}


def test_the_verdict_quotes_the_first_check_that_decided_it() -> None:
    assert report(P, U, F, F).verdict == "Altered: Words 2."
    assert report(P, U, U).verdict == "Cannot decide: Words 1."


def thing(*, in_term: bool, covered: bool = True) -> NamedThing:
    grants = (NamedGrant("LIC-7", ("inference-run",), 4, in_term),)
    return NamedThing("model", "studio-xl", "0" * 64, 3, grants, (), covered)


@pytest.mark.parametrize(
    ("in_term", "covered", "licensed"),
    [(True, True, True), (False, True, False), (True, False, False), (False, False, False)],
)
def test_licensed_means_each_use(in_term: bool, covered: bool, licensed: bool) -> None:
    assert thing(in_term=in_term, covered=covered).licensed is licensed
    assert thing(in_term=in_term, covered=covered).to_json()["licensed"] is licensed


def test_without_a_grant_nothing_is_licensed() -> None:
    assert not NamedThing("model", "x", "0" * 64, 3).licensed


def test_the_proof_says_what_it_covers_and_no_more() -> None:
    proven = report(P, things=(thing(in_term=True), thing(in_term=False))).verdict
    assert "1 of 2 named models and datasets have a grant on record" in proven
    assert "no model or dataset" in report(P).verdict
    for verdict in (proven, report(P).verdict):
        assert not any(word in verdict.lower() for word in ("ai-free", "without ai", "copyright", "safe"))


def test_a_check_is_found_by_its_name() -> None:
    assert report(P, U).check("check1").status is U
    with pytest.raises(KeyError):
        report(P).check("check1")


def test_the_json_holds_everything() -> None:
    full = VerificationReport(
        "f.png",
        "0" * 64,
        (Check("bytes", "T", P, "W", ("c",)),),
        (thing(in_term=True),),
        (NamedStep(5, "generate", "ComfyUI 0.3.60", "ws-01", "2026-03-01T12:00:00Z", "observed"),),
        "ws-01, Studio X",
        "log.example",
        {"form": "embedded"},
    )
    shown = json.loads(json.dumps(full.to_json()))
    assert shown == {
        "spec": "https://rakkan.org/verification-report/v1",
        "file": "f.png",
        "sha256": "0" * 64,
        "outcome": "proven",
        "verdict": full.verdict,
        "signer": "ws-01, Studio X",
        "log": "log.example",
        "checks": [{"check": "bytes", "title": "T", "status": "passed", "words": "W", "codes": ["c"]}],
        "named": [
            {
                "kind": "model",
                "name": "studio-xl",
                "sha256": "0" * 64,
                "index": 3,
                "stages": [],
                "grants": [{"grantId": "LIC-7", "uses": ["inference-run"], "index": 4, "inTerm": True}],
                "licensed": True,
            }
        ],
        "steps": [
            {
                "index": 5,
                "action": "generate",
                "tool": "ComfyUI 0.3.60",
                "device": "ws-01",
                "finished": "2026-03-01T12:00:00Z",
                "evidence": "observed",
            }
        ],
        "facts": {"form": "embedded"},
    }
