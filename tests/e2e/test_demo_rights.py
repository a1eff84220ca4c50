"""What the demo answers about rights: by its own documents, by its log, and asked again by command."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ledger.core.predicates.reasons import EXPLAINED, Code
from tests.support.demo import Demo, rakkan, run_once

pytestmark = [pytest.mark.slow, pytest.mark.sample]

STRICT, BROADCAST = "strict-authorised-only", "broadcast-jp"
ORDER = ("party", "title", "dataset", "grant", "model", "training")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return run_once(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def rights(demo: Demo) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((demo.folder / "clearance.json").read_text(encoding="utf-8"))
    return found


@cache
def stated(folder: Path) -> list[dict[str, Any]]:
    """Every fact of the demo's registry, oldest first."""
    found: list[dict[str, Any]] = json.loads(asked(folder, "rights", "list")[1])
    return found


def asked(folder: Path, *arguments: str) -> tuple[int, str]:
    """Ask the demo's studio; the answer is JSON."""
    done = rakkan(*arguments, "--json", home=folder / "home")
    return done.returncode, done.stdout


def test_the_cut_is_cleared_at_the_highest_grade_under_both_policies(rights: dict[str, Any]) -> None:
    assert [item["policy"]["name"] for item in rights["delivered"]] == [STRICT, BROADCAST]
    for item in rights["delivered"]:
        assert item["verdict"] == {"then": "cleared", "now": "cleared"}
        assert item["grade"] == {"then": "L4", "now": "L4"}
        assert item["dependencyLevels"]["now"] == {"L4": 2}
        assert item["delivery"]["title"] == "moonrise"
        assert item["coverage"]["complete"] == item["coverage"]["files"] >= 12
        assert all(principle["holds"] for principle in item["principles"])


def test_the_same_question_has_the_same_answer_on_the_command_line(demo: Demo) -> None:
    frames = sorted(map(str, (demo.folder / "files").glob("sh020.final.*.png")))
    code, answer = asked(demo.folder, "clear", *frames, "--policy", STRICT, "--record")
    found = json.loads(answer)
    assert (code, found["grade"]["now"], len(frames)) == (0, "L4", 12)
    # The verdicts are on record since the demo: nothing is appended.
    assert (found["recorded"]["entries"], [item["files"] for item in found["recorded"]["unchanged"]]) == (
        [],
        [12],
    )


def test_the_list_of_works_and_the_contract_are_older_than_the_training(demo: Demo) -> None:
    first = {
        kind: min(item["index"] for item in stated(demo.folder) if item["kind"] == kind) for kind in ORDER
    }
    assert all(first[earlier] < first[later] for earlier, later in pairwise(ORDER))
    facts = {item["kind"]: item["predicate"] for item in stated(demo.folder)}
    assert facts["dataset"]["recorded"] <= facts["training"]["started"] <= facts["training"]["finished"]
    assert facts["training"]["evidence"] == "observed"


def test_the_machine_that_trained_attests_it_and_not_the_registrar(demo: Demo) -> None:
    by_registrar = {item["kind"]: item["byRegistrar"] for item in stated(demo.folder)}
    assert [kind for kind, registrar in by_registrar.items() if not registrar] == ["training"]


def test_a_person_stands_in_the_registry_under_a_pseudonym(demo: Demo) -> None:
    people = [item for item in stated(demo.folder) if item["predicate"].get("kind") == "person"]
    assert [item["predicate"]["partyId"] for item in people] == ["painter-2"]
    assert "Minazuki" not in json.dumps(stated(demo.folder))


def test_what_was_made_without_papers_is_blocked_with_reasons_and_mends(
    demo: Demo, rights: dict[str, Any]
) -> None:
    refused = rights["refused"]
    assert refused["path"] == "attacked/unlicensed-model.png"
    assert refused["verdict"] == {"then": "blocked", "now": "blocked"}
    blocked = {item["code"] for item in refused["reasons"] if item["severity"] == "blocked"}
    assert blocked == {"NO_GRANT", "MODEL_OPAQUE", "MODEL_UNREVIEWED", "GRADE_BELOW_POLICY"}
    assert all(item["mend"] for item in refused["reasons"])
    assert {item["way"][0]["name"] for item in refused["reasons"] if item["way"]} == {"unlicensed-model.png"}
    assert f"NO_GRANT: {EXPLAINED[Code.NO_GRANT].meaning}" in demo.out


def test_a_supposed_revocation_blocks_everything_and_signs_nothing(
    demo: Demo, rights: dict[str, Any]
) -> None:
    supposed = rights["ifRevoked"]
    assert supposed["grants"] == ["MR-2026-01"]
    assert {(move["from"], move["to"]) for move in supposed["moves"]} == {("cleared", "blocked")}
    assert supposed["changed"] >= 12
    assert "GRANT_REVOKED" in {reason["code"] for reason in supposed["reasons"]}
    assert "revocation" not in {item["kind"] for item in stated(demo.folder)}
    code, answer = asked(demo.folder, "recheck", "--dry-run")
    assert (code, [item["changed"] for item in json.loads(answer)]) == (0, [[], []])


def test_two_rights_holders_get_a_proof_that_they_can_check_without_the_studio(
    demo: Demo, rights: dict[str, Any], tmp_path: Path
) -> None:
    dataset = next(item["predicate"] for item in stated(demo.folder) if item["kind"] == "dataset")
    commitment = ("--size", str(dataset["inventory"]["size"]), "--root", dataset["inventory"]["root"])
    pictures = {"member": "materials/works/work-4.png", "absent": "proofs/valley.png"}
    assert [item["kind"] for item in rights["inquiries"]] == ["member", "absent"]
    for item in rights["inquiries"]:
        picture = str(demo.folder / pictures[item["kind"]])
        proof = str(demo.folder / item["proof"])
        done = rakkan("inventory", "check", proof, "--work", picture, *commitment, "--json", home=tmp_path)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["kind"], found["work"]) == (item["kind"], item["sha256"])
