"""The page's part about rights: a contract's own days, reasons in words, and names that are only text."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ledger.adapters.profiles import load
from ledger.core.artifact import Artifact
from ledger.core.lineage import Link
from ledger.core.predicates import DatasetV2, GrantV2, ModelV2, TrainingRun
from ledger.core.predicates.dataset_v2 import InventoryRoot
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind
from ledger.core.predicates.reasons import EXPLAINED, Code, Verdict
from ledger.core.predicates.scope import EVERYWHERE, Scope, Term
from ledger.core.predicates.step import Evidence
from ledger.core.report import Check, Status, VerificationReport
from ledger.core.rights.basis import Item, ItemKind, slot_of
from ledger.core.rights.clearance import Engine
from ledger.core.rights.facts import FactRecord, Facts
from ledger.core.rights.inventory import Commitment
from ledger.core.rights.inventory_proof import InventoryProof, Kind, Shown
from ledger.core.statement import Statement
from ledger.demo.page.html import Pictures, page
from ledger.demo.page.rights import GRADES, Inquiry, OnRecord, Rights
from ledger.demo.page.story import LogState, Node, Story, StoryFile, StoryGrant, StoryThing, Trained
from ledger.service.clear.clear import Cleared, clear
from ledger.service.clear.impact import WhatIf
from ledger.service.clear.question import Clearer, Question
from ledger.service.clear.recorded import File, Target
from ledger.service.clear.recorded import Kind as TargetKind
from ledger.service.clear.why import Why

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DATASET, MODEL, FRAME, OTHER = (letter * 64 for letter in "abcd")
PICTURE = "data:image/jpeg;base64,AAAA"
TRAINING = Training("plates", DATASET, TrainingStage.FOCUSED)


def a_grant(scope: Scope = EVERYWHERE, end: date | None = date(2027, 1, 1)) -> GrantV2:
    """A grant over the days of a contract in Tokyo."""
    until = datetime(2026, 12, 31, 15, tzinfo=UTC) if end else None
    return GrantV2(
        "G-1",
        tuple(Use),
        datetime(2025, 12, 31, 15, tzinfo=UTC),
        until,
        recorded=NOW,
        scope=scope,
        term=Term(date(2026, 1, 1), "Asia/Tokyo", end),
    )


def facts(name: str, grant: GrantV2 | None) -> Facts:
    """A model that was trained on a dataset after its list was committed, and a grant for both."""
    dataset = DatasetV2(name, "1", 6, 2, recorded=NOW, inventory=InventoryRoot(6, "ee" * 32))
    model = ModelV2(name, "1", (TRAINING,), recorded=NOW, kind=ModelKind.BASE)
    run = TrainingRun("us", NOW, NOW + timedelta(minutes=3), Evidence.OBSERVED, (TRAINING,))
    subjects = (Artifact("plates", DATASET), Artifact("sky", MODEL))
    stated = [
        Statement(subjects[:1], dataset),
        Statement(subjects[1:], model),
        Statement(subjects[1:], run),
        *([Statement(subjects, grant)] if grant else []),
    ]
    return Facts([FactRecord(index, item) for index, item in enumerate(stated)], len(stated))


def cleared(known: Facts, name: str, policy: str = "strict-authorised-only") -> Cleared:
    """The answer for a frame that was made with the model."""
    profile = load(policy)
    delivery = Delivery(None, Deliverable.FINAL, profile.media, profile.territories)
    question = Question(profile, delivery, NOW)
    clearer = Clearer(question, known, Engine(known, profile, delivery, NOW), known.size, "ee" * 32, b"")
    basis = frozenset({Item(ItemKind.MODEL, MODEL, name, "", slot_of(NOW))})
    return clear(clearer, [Target(name, TargetKind.FILE, (File(name, FRAME, basis),))])


def asked(known: Facts, name: str) -> Rights:
    """Everything that may be asked, answered by these facts."""
    answer = cleared(known, name)
    proof = InventoryProof(name, Commitment(6, b"\xee" * 32), Kind.ABSENT, b"\xdd" * 32, ())
    return Rights(
        delivered=(OnRecord(answer, (7, 8)),),
        refused=Why(File(name, FRAME, frozenset()), answer, (), 0),
        refused_path=f"attacked/{name}.png",
        supposed=WhatIf(
            answer.question,
            NOW - timedelta(days=2),
            ("G-1",),
            {(Verdict.CLEARED, Verdict.BLOCKED): 3, (Verdict.BLOCKED, Verdict.BLOCKED): 1},
            {},
            (),
        ),
        inquiries=(
            Inquiry(name, Path("asked.png"), "proofs/a.json", 1234, Shown(proof, below=0, above=1)),
            Inquiry(name, Path("asked.png"), "proofs/b.json", 99, Shown(proof, index=4)),
        ),
    )


def an_audit(name: str, *, granted: bool) -> Story:
    report = VerificationReport(
        file="a.1001.png",
        sha256=FRAME,
        checks=(Check("bytes", "The bytes are unchanged", Status.PASSED, "Every byte is as it was."),),
        signer="ws, Studio",
        log="log.example/p",
    )
    grant = StoryGrant("G-1", 3, (DATASET, MODEL), ("focused-training",), NOW, None, {"licensor": name}, 1)
    return Story(
        studio=name,
        production=name,
        made=NOW,
        note="",
        log=LogState("log.example/p", 9, "ee" * 32, "checkpoint\n", "log+key"),
        things=(
            StoryThing("dataset", name, "1", DATASET, 0, 6, 2, (), {name: 6}, 1, licensed=granted),
            StoryThing(
                "model",
                name,
                "1",
                MODEL,
                1,
                None,
                None,
                (Trained(DATASET, "focused"),),
                {},
                1,
                licensed=granted,
            ),
        ),
        grants=(grant,) if granted else (),
        files=(StoryFile("files/a.1001.png", 10, None, FRAME, report),),
        nodes=(
            Node(DATASET, name, "dataset", None, 0),
            Node(MODEL, name, "model", None, 1),
            Node(OTHER, name, "unknown"),
            Node(FRAME, name, "file", None, 5, "generate", name, f"{name} 1", "observed", NOW),
        ),
        links=(
            Link(MODEL, DATASET, "focused training"),
            Link(FRAME, MODEL, "model"),
            Link(FRAME, OTHER, "component"),
            Link(FRAME, DATASET, "dataset"),
        ),
    )


def rendered(name: str = "sky", grant: GrantV2 | None = None) -> str:
    """The page's part about rights."""
    known = facts(name, grant)
    whole = page(
        an_audit(name, granted=grant is not None),
        "files/a.1001.png",
        Pictures({FRAME: PICTURE}, PICTURE),
        asked(known, name),
    )
    found = re.search(r'<section aria-labelledby="rights">.*?</section>', whole, re.DOTALL)
    assert found is not None
    return found[0]


class _Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, [name for name, _ in attrs]))


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?code>", "", html))).split())


@pytest.mark.parametrize(
    ("grant", "said"),
    [
        (a_grant(), "worldwide; from 1 January 2026 to 31 December 2026 (days in Asia/Tokyo)."),
        (a_grant(end=None), "worldwide; from 1 January 2026 without end (days in Asia/Tokyo)."),
        (a_grant(Scope(territories=("JP", "KR"))), "in JP and KR; from"),
        (a_grant(Scope(territories=("001",), except_territories=("CN",))), "worldwide except CN; from"),
        (a_grant(Scope(titles=("T-1",))), "for “T-1”, worldwide; from"),
    ],
)
def test_a_grant_is_told_in_the_days_and_places_of_its_contract(grant: GrantV2, said: str) -> None:
    assert said in text_of(rendered(grant=grant))


def test_a_grant_without_days_is_told_in_moments() -> None:
    grant = GrantV2("G-1", (Use.INFERENCE_RUN,), NOW, NOW + timedelta(days=1), recorded=NOW)
    assert "from 22 November 2026, 04:00:00 UTC to 23 November 2026, 04:00:00 UTC" in text_of(
        rendered(grant=grant)
    )


def test_what_nobody_granted_and_nobody_recorded_is_said_in_the_tree() -> None:
    text = text_of(rendered())
    assert "No grant is on record." in text
    assert "No record says how this came to be." in text


def test_a_thing_that_is_under_a_file_twice_is_told_once() -> None:
    text = text_of(rendered(grant=a_grant()))
    assert text.count("was committed in entry 0") == 1
    assert "as above" in text


def test_every_reason_stands_once_with_its_mend_and_the_delivery_comes_last() -> None:
    text = text_of(rendered())
    problems = text.partition("What may not be delivered")[2].partition("If the licence")[0]
    found = re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", problems)
    blocked = found[: found.index(Code.GRADE_BELOW_POLICY) + 1]
    assert {Code.NO_GRANT, Code.MODEL_UNREVIEWED} <= set(blocked)
    assert len(found) == len(set(found))
    for code in found:
        assert EXPLAINED[Code(code)].meaning in problems
        assert f"To mend it: {EXPLAINED[Code(code)].mend}".replace("`", "") in problems


def test_the_verdicts_stand_as_they_are() -> None:
    text = text_of(rendered())
    assert "✕ Blocked ✕ Blocked" in text
    assert "7 and 8" in text
    assert "Not shown." in text
    assert GRADES[cleared(facts("sky", None), "sky").whole.now.grade][0] in text


def test_what_a_revocation_would_do_counts_what_changes() -> None:
    text = text_of(rendered())
    assert "G-1 were revoked with effect from 20 November 2026" in text
    assert "3 of the 4 final files that rest on it would be blocked." in text


def test_both_answers_to_a_rights_holder_lead_to_their_proofs() -> None:
    html = rendered()
    assert "No: the list commits to 6 works, and this is not one of them." in html
    assert "Yes: it is number 5 of the 6 works." in html
    assert 'href="./proofs/a.json"' in html
    assert "1,234 bytes" in html


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "x\x00\u202egnp", "{{ 1234*9999 }}"],
)
def test_a_hostile_name_is_only_text(name: str) -> None:
    html = rendered(name, a_grant())
    tags = _Tags(html).tags
    assert "script" not in {tag for tag, _ in tags}
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", html)
    assert not any(attribute.startswith("on") for _, attributes in tags for attribute in attributes)
    assert str(1234 * 9999) not in html


def test_only_positives_are_claimed() -> None:
    for html in (rendered(), rendered(grant=a_grant())):
        assert not re.search(r"ai.free|copyright.safe|no ai was used", html, re.IGNORECASE)
        assert "not a legal opinion" in html
