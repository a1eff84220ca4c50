"""The specifications: every JSON example is read by the code it describes, and every name is in the text.

The first line of an example says what it is: ```json envelope, ```json predicate <type>, and so on.
"""

import json
import re
from collections.abc import Callable, Iterator
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

import pytest

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Role
from ledger.core.evidence import read_evidence
from ledger.core.identity import parse_public_key
from ledger.core.manifest import LEDGER_ENTRY
from ledger.core.note import parse_vkey
from ledger.core.predicates import PREDICATES, read_predicate
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity, LegalBasis
from ledger.core.predicates.label import About
from ledger.core.predicates.log_key import LogKeyState
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.reasons import Severity, Verdict
from ledger.core.predicates.review import Standing
from ledger.core.predicates.revocation import Reason
from ledger.core.predicates.scope import Media
from ledger.core.predicates.seal import Form
from ledger.core.predicates.service_call import CallOutcome
from ledger.core.predicates.service_terms import InputTraining, Ownership
from ledger.core.predicates.step import Evidence, StepAction
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.core.report import EXIT_CODES, Outcome, Status
from ledger.core.trust import parse_trust
from ledger.core.verify import Asked, verify
from ledger.core.verify.ledger_checks import MAX_ENTRIES
from tests.architecture.project import ROOT
from tests.support.builders import NOW, REGISTRAR, Story, examined, manifest, reading

SPEC = ROOT / "docs" / "spec"
PAGES = ["entry", "predicates", "ledger-entry", "trust-root", "report"]
BLOCK = re.compile(r"^```json(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


WORDS = [
    About,
    Afterwards,
    ApprovalKind,
    CallOutcome,
    Decision,
    Deliverable,
    Evidence,
    Exclusivity,
    FindingKind,
    FindingState,
    Form,
    Grade,
    InputTraining,
    KeyRole,
    LegalBasis,
    LogKeyState,
    Media,
    ModelKind,
    Ownership,
    ParentRole,
    PartyKind,
    Reason,
    Severity,
    Standing,
    StepAction,
    TrainingStage,
    Use,
    Verdict,
]
"""The enumerations whose words stand in statements."""


def text(page: str) -> str:
    return (SPEC / f"{page}.md").read_text(encoding="utf-8")


def examples() -> Iterator[Any]:
    for path in sorted(SPEC.glob("*.md")):
        for number, match in enumerate(BLOCK.finditer(path.read_text(encoding="utf-8"))):
            yield pytest.param(match["kind"].split(), match["text"], id=f"{path.stem}-{number}")


def read_envelope(data: bytes) -> None:
    envelope = dsse.decode(canonical.encode(canonical.parse(data)))
    dsse.verify(envelope, parse_public_key(REGISTRAR.public_key))
    statements.decode(envelope.payload)


def read_statement(data: bytes) -> None:
    statements.decode(canonical.encode(canonical.parse(data)))


def read_assertion(data: bytes) -> None:
    log = Story().log
    found = read_evidence(canonical.parse(data))
    for item in found.entries:
        stated = statements.decode(dsse.decode(item.envelope).payload)
        assert found.subject in {subject.sha256 for subject in stated.subjects}
        verify_receipt(parse_receipt(item.receipt), item.envelope, [parse_vkey(log.vkey)])


def read_report(data: bytes) -> None:
    shown, made = canonical.parse(data), story_report()
    assert shape(shown) == shape(made)
    assert [check["check"] for check in shown["checks"]] == [check["check"] for check in made["checks"]]
    assert {check["status"] for check in shown["checks"]} <= set(Status)


def shape(value: Any) -> Any:
    """Return the members of a document without its values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value[:1] if isinstance(item, dict)] if isinstance(value, list) else None


def story_report(asked: Asked | None = None) -> dict[str, Any]:
    story = Story()
    report = verify(examined(reading(manifest("active", story.whole))), story.trust, NOW, asked)
    found: dict[str, Any] = json.loads(json.dumps(report.to_json()))
    return found


READERS: dict[str, Callable[[bytes], object]] = {
    "envelope": read_envelope,
    "statement": read_statement,
    "ledger-entry": read_assertion,
    "trust-root": parse_trust,
    "report": read_report,
}


@pytest.mark.parametrize(("kind", "example"), list(examples()))
def test_an_example_is_what_it_says(kind: list[str], example: str) -> None:
    value = canonical.parse(example.encode()) if kind else json.loads(example)
    if not kind:
        assert value is not None  # another page's example: it is JSON
    elif kind[0] == "predicate":
        assert canonical.encode(read_predicate(kind[1], value).to_json()) == canonical.encode(value)
    else:
        READERS[kind[0]](example.encode())


def test_every_page_of_ours_has_its_example() -> None:
    kinds = {match["kind"].split()[0] for page in PAGES for match in BLOCK.finditer(text(page))}
    assert kinds == {*READERS, "predicate"}


def test_every_predicate_has_a_section_and_an_example() -> None:
    shown = {match["kind"].split()[1] for match in BLOCK.finditer(text("predicates"))}
    assert shown == set(PREDICATES)
    for name in PREDICATES:
        assert f"## {name.removeprefix('https://rakkan.org/')}" in text("predicates")


def spelt(item: Enum) -> str:
    """Return the word as a statement holds it."""
    if isinstance(item, StrEnum):
        return item.value
    return item.name if isinstance(item, Grade) else item.name.lower()


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_of_an_enumeration_is_in_the_text(kind: Any) -> None:
    assert [word for word in map(spelt, kind) if f"`{word}`" not in text("predicates")] == []


def test_every_role_is_in_the_text() -> None:
    assert [role for role in Role if f"`{role}`" not in text("entry")] == []


OPEN = {"parameters", "facts", "predicate", "profile", "identifiers", "blocks"}
"""Members that hold texts by any names, or what is described elsewhere."""


def members(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            if name not in OPEN:
                yield from members(item)
    elif isinstance(value, list):
        for item in value:
            yield from members(item)


@pytest.mark.parametrize("page", PAGES)
def test_every_member_of_an_example_is_in_a_table(page: str) -> None:
    whole = text(page) + (text("entry") if page == "predicates" else "")
    prose = BLOCK.sub("", whole)
    quoted = re.findall(r"`([^`\n]+)`", prose)
    named = {*quoted, *(part for match in quoted for part in re.split(r"[.\[\]]+", match))}
    shown = {name for match in BLOCK.finditer(text(page)) for name in members(json.loads(match["text"]))}
    assert sorted(shown - named) == []


def test_every_check_and_every_outcome_is_in_the_text() -> None:
    page = text("report")
    for check in story_report(Asked((), (), None))["checks"]:
        assert f"| `{check['check']}` |" in page
    for outcome in Outcome:
        assert re.search(rf"\| `{outcome}` \| [^|]+ \| {EXIT_CODES[outcome]} \|", page)


def test_numbers_and_names_in_the_text_are_those_of_the_code() -> None:
    assert f"{dsse.MAX_BYTES:,} bytes" in text("entry")
    assert f"At most {canonical.MAX_DEPTH} arrays" in text("entry")
    assert f"DSSEv1 {len(dsse.PAYLOAD_TYPE)} {dsse.PAYLOAD_TYPE}" in text("entry")
    assert f"after {MAX_ENTRIES} entries" in text("ledger-entry")
    assert f"`{LEDGER_ENTRY}`" in text("ledger-entry")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_to_another_page_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text(page)):
        assert (SPEC / Path(target)).resolve().exists(), target
