"""Reading policy profiles: from files that people write, and from signed documents; and which are refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.adapters.profiles import load, shipped_names, shipped_text
from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.predicates.policy_profile import PolicyProfile
from ledger.core.predicates.reasons import Code, Severity
from ledger.core.rights.profile import Principle, to_json
from ledger.core.rights.profile_document import MAX_DOCUMENT, MAX_FILE, parse_profile, read_profile
from ledger.core.statement import Statement
from ledger.errors import MalformedError, RakkanError, UsageError
from tests.architecture.project import ROOT
from tests.support.builders import NOW, REGISTRAR

GUIDE = (ROOT / "docs" / "rights" / "profiles.md").read_text(encoding="utf-8")
SPEC = (ROOT / "docs" / "spec" / "policy-profile.md").read_text(encoding="utf-8")


def block(page: str, kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


EXAMPLE = block(SPEC, "toml profile")


def test_the_two_examples_of_the_specification_are_one_profile() -> None:
    document = json.loads(block(SPEC, "json"))
    assert to_json(parse_profile(EXAMPLE)) == document
    assert read_profile(document) == parse_profile(EXAMPLE)


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_profile_reads_back_from_an_entry(name: str) -> None:
    data = canonical.encode(to_json(load(name)))
    assert read_profile(canonical.decode(data)) == load(name)


def test_the_extension_of_the_guide_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "show-x.toml"
    path.write_text(block(GUIDE, "toml extension"), encoding="utf-8")
    own, base = load(str(path)), load("streamer")
    assert {rule.by for rule in own.approvals} == {"distributor-z"}
    assert [replace(rule, by=None) for rule in own.approvals] == list(base.approvals)
    assert own.severities == {**base.severities, Code.SIMILARITY_HIT_OPEN: Severity.BLOCKED}
    kept = {
        "name": own.name,
        "summary": own.summary,
        "approvals": own.approvals,
        "severities": own.severities,
    }
    assert own == replace(base, **kept)  # type: ignore[arg-type] # each of its own type


def test_an_extension_may_empty_a_list_and_has_its_own_name() -> None:
    base = {"base": EXAMPLE}
    own = parse_profile('extends = "base"\nname = "a"\nversion = "1"\nsummary = "b"\napprovals = []', base)
    assert own.approvals == ()
    with pytest.raises(MalformedError, match="name is missing"):
        parse_profile('extends = "base"\nversion = "1"\nsummary = "b"', base)


DEFECTS = {
    "unknown code": (
        "STYLE_REFERENCE =",
        "STYLE_REFERENSE =",
        "severities.STYLE_REFERENSE .*Known: NO_GRANT",
    ),
    "misspelt table": ("[severities]", "[severites]", "severites is not known here.*severities"),
    "misspelt stage": ("focused-training", "focussed-training", "accepted.focussed-training"),
    "severity warn": (
        '= "needs_review"',
        '= "warn"',
        "cannot be warn. It may be: noted, needs_review, blocked",
    ),
    "severity of another type": (
        '= "needs_review"',
        "= 1",
        "severities.STYLE_REFERENCE cannot be of type int",
    ),
    "unknown legal basis": ('["licence", "vendor-terms"]', '["license"]', "accepted.other cannot be license"),
    "stage left out": ("focused-training = []\n", "", "accepted.focused-training is missing"),
    "unknown grade": ('"L2"', '"L5"', "grades.final cannot be L5. It may be: L0"),
    "unknown deliverable": ("final =", "finals =", "grades.finals"),
    "unknown medium": ('["broadcast"]', '["tv"]', "delivery.media cannot be tv"),
    "no media": ('["broadcast"]', "[]", "delivery.media must name at least one"),
    "no territories": ('["JP"]', "[]", "delivery.territories must name at least one"),
    "unknown territory": ('["JP"]', '["EU"]', "delivery.territories.*name the states"),
    "territory of another form": ('["JP"]', '["Japan"]', "delivery.territories cannot hold"),
    "territory twice": ('["JP"]', '["JP", "JP"]', "territories must not hold anything twice"),
    "no approvers": ("approvers = 2", "approvers = 0", "overrides.approvers must be 1 to 100"),
    "negative approvers": ("approvers = 2", "approvers = -2", "overrides.approvers must be 1 to 100"),
    "approvers in words": ("approvers = 2", 'approvers = "two"', "overrides.approvers must be of type int"),
    "approvers true": ("approvers = 2", "approvers = true", "overrides.approvers must be of type int"),
    "unknown trigger": ('"any-model"', '"any_model"', r"approvals\[0\].when cannot be any_model"),
    "approval for nothing": ('deliverables = ["final"]', "deliverables = []", r"approvals\[0\].deliverables"),
    "misspelt approver": ('by = "channel-8"', 'form = "channel-8"', r"approvals\[0\].form is not known"),
    "principle of nothing": (
        'codes = ["STYLE_REFERENCE", "SIMILARITY_HIT_OPEN"]',
        "codes = []",
        r"principles\[0\].codes must name at least one",
    ),
    "principle that nothing breaks": (
        '["STYLE_REFERENCE", "SIM',
        '["WEAK_EVIDENCE", "SIM',
        "looked-at: WEAK_EVIDENCE is only noted here",
    ),
    "never an unknown code": (
        '["SIGNATURE_INVALID"]',
        '["SIGNATURE"]',
        "overrides.never cannot be SIGNATURE",
    ),
    "name with a space": ('"show-x-pilot"', '"show x"', "name must be small letters"),
    "summary in two lines": ('"The pilot', '"The\\npilot', "summary must be 1 to 1024 printable"),
    "not TOML": ("[grades]", "[grades", r"Not TOML: .*at line 17"),
    "table twice": ("[grades]", "[accepted]", r"Not TOML: .*at line 17"),
    "extends what is not shipped": ('name = "show', 'extends = "me"\nname = "show', "extends cannot be me"),
    "byte order mark": ("", "\ufeff", "Line 1 begins with a byte order mark"),
    "too long": ("", "#" * MAX_FILE, "at most 100,000 characters"),
}

PRINCIPLE = """
[[principles]]
id = "{}"
text = "{}"
codes = ["CHAIN_GAP"]
"""
APPROVAL = """
[[approvals]]
kind = "final-output"
when = "any-model"
deliverables = ["final"]
by = "channel-8"
"""


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_file_with_a_defect_is_refused_in_words_that_say_where(defect: str) -> None:
    old, new, message = DEFECTS[defect]
    text = EXAMPLE.replace(old, new, 1)
    assert text != EXAMPLE
    with pytest.raises(MalformedError, match=message) as caught:
        parse_profile(text)
    assert caught.value.code == "profile.malformed"


def long_principle(number: int) -> str:
    return PRINCIPLE.format(number, "x" * 1000)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (PRINCIPLE.format("looked-at", "Again."), "principles must not hold anything twice"),
        (APPROVAL, "approvals must not hold anything twice"),
        ("".join(map(long_principle, range(10, 50))), "at most 32,000 bytes"),
    ],
    ids=["principle id twice", "approval twice", "too long for an entry"],
)
def test_a_file_with_a_rule_too_many_is_refused(more: str, message: str) -> None:
    with pytest.raises(MalformedError, match=message):
        parse_profile(EXAMPLE + more)


def test_the_longest_profile_fits_into_an_entry() -> None:
    room = MAX_DOCUMENT - len(canonical.encode(to_json(parse_profile(EXAMPLE))))
    each = len(canonical.encode(Principle("10", "x" * 1000, frozenset((Code.CHAIN_GAP,))).to_json())) + 1
    profile = parse_profile(EXAMPLE + "".join(map(long_principle, range(10, 10 + room // each))))
    predicate = PolicyProfile(profile.name, NOW, to_json(profile))
    assert len(canonical.encode(predicate.profile)) > MAX_DOCUMENT - 1100
    statement = statements.encode(Statement((predicate.subject,), predicate))
    assert len(dsse.sign(statement, REGISTRAR, REGISTRAR)) <= dsse.MAX_BYTES


@pytest.mark.parametrize(
    "change",
    [
        {"statutes": []},
        {"licensees": ["b", "a"]},
        {"licensees": ["a", "a"]},
        {"extends": "streamer"},
        {"delivery": {"media": ["streaming", "broadcast"], "territories": ["JP"]}},
        {"overrides": {"approvers": 1, "never": []}},
    ],
    ids=["empty list", "not in order", "twice", "extends", "media not in order", "empty never"],
)
def test_a_signed_document_in_another_form_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(MalformedError) as caught:
        read_profile(to_json(parse_profile(EXAMPLE)) | change)
    assert caught.value.code == "profile.malformed"


@pytest.mark.parametrize("document", [None, [], "streamer", 7, {}], ids=str)
def test_what_is_no_document_is_refused(document: object) -> None:
    with pytest.raises(MalformedError):
        read_profile(document)


def test_a_signed_document_stays_readable_when_its_rules_are_out_of_date() -> None:
    profile = parse_profile(EXAMPLE)
    mild = replace(profile, territories=("AN",), severities=dict.fromkeys(Code, Severity.NOTED))
    assert read_profile(to_json(mild)) == mild


# --- files --------------------------------------------------------------------------------------------------


def refusal(name: str) -> RakkanError:
    with pytest.raises(RakkanError) as caught:
        load(name)
    return caught.value


def test_a_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "streamer"
    path.write_text(EXAMPLE.replace("\n", "\r\n"), encoding="utf-8", newline="")
    assert load(str(path)) == parse_profile(EXAMPLE)


def test_a_shipped_name_means_the_shipped_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "streamer").write_text(EXAMPLE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load("streamer").name == "streamer"
    assert load("./streamer").name == "show-x-pilot"


@pytest.mark.parametrize("name", ["streamr", "no/such/file.toml", "Streamer", "streamer.toml"])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    error = refusal(name)
    assert isinstance(error, UsageError)
    assert error.code == "profile.unknown"
    assert all(known in error.message for known in shipped_names())


def test_the_text_of_an_unknown_profile_is_refused() -> None:
    with pytest.raises(UsageError, match="streamer"):
        shipped_text("../errors")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xef\xbb\xbf" + EXAMPLE.encode(), "byte order mark"),
        (EXAMPLE.encode("utf-16"), "not UTF-8"),
        (EXAMPLE.replace("pilot", "パイロット").encode("shift-jis"), "not UTF-8"),
        (b"#" * 2_000_000, "too large"),
        (("#" + "画" * (MAX_FILE - 1)).encode(), "delivery is missing|name is missing"),
        (b"", "is missing"),
        (b"a = " + b"[" * 20_000, "Not TOML"),
        (bytes(range(256)), "not UTF-8"),
    ],
    ids=["BOM", "UTF-16", "Shift JIS", "2 MB", "long in bytes", "empty", "deep", "binary"],
)
def test_a_file_that_is_no_profile_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(data)
    error = refusal(str(path))
    assert error.code == "profile.malformed"
    assert re.search(words, error.message)


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)).code == "file.not-a-file"
