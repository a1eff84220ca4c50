"""What is permitted, decided and found: grants, consents, approvals, reviews; each rule by its defect."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ledger.core import canonical
from ledger.core import statement as statements
from ledger.core.digest import sha256_hex
from ledger.core.predicates import GrantV2, Predicate
from ledger.core.predicates.decided import Agreed, SignedIn
from ledger.core.predicates.finding import FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import EVERYWHERE, Scope, Term
from ledger.core.rights.profile_document import read_profile
from tests.support.builders import DAY, NOW, START, decided, statement
from tests.support.defects import Change, nested, refusal
from tests.support.stated import (
    HOUSE_RULES,
    RECORDED,
    approval,
    consent,
    finding,
    grant_revocation,
    grant_v2,
    override,
    policy_profile,
    review,
)

TERMS = [
    "grantId",
    "uses",
    "validFrom",
    "recorded",
    "version",
    "legalBasis",
    "exclusivity",
    "sublicence",
    "onExpiry",
    "onRevocation",
    "document",
]
AGREED = {"at": "2026-01-20T00:00:00Z", "by": "person:a", "signedIn": "provider"}
REQUIRED: dict[str, tuple[Predicate, list[str]]] = {
    "grant": (grant_v2(term=None, document=False), TERMS),
    "grant revocation": (grant_revocation(), ["grantId", "effective", "recorded"]),
    "consent": (consent(), ["consentId", "person", "covers", "validFrom", "recorded", "version"]),
    "approval": (approval(), ["kind", "decision", "by", "validFrom", "recorded"]),
    "override": (override(), ["code", "approvers", "recorded", "expires", "_sd"]),
    "review": (review(), ["standing", "reviewer", "since", "recorded"]),
    "finding": (finding(), ["findingId", "kind", "state", "evaluator", "evidence", "recorded"]),
    "policy profile": (policy_profile(), ["name", "recorded", "profile"]),
    "decision of one": (decided(signed_in=SignedIn.TOKEN), ["by", "form", "recorded"]),
    "decision of two": (
        decided(signed_in=SignedIn.TOKEN, proposed=Agreed("person:a", NOW, SignedIn.PROVIDER)),
        ["by", "form", "recorded", "signedIn"],
    ),
}


@pytest.mark.parametrize("kind", REQUIRED)
def test_each_member_is_required_or_may_be_left_out(kind: str) -> None:
    """What is not in the list above may be left out, and nothing else may."""
    predicate, required = REQUIRED[kind]
    for name in predicate.to_json():
        if name in required:
            assert refusal(predicate, nested(name))[0] == "statement.field"
        else:
            document = {key: value for key, value in predicate.to_json().items() if key != name}
            whole = canonical.decode(statements.encode(statement(predicate))) | {"predicate": document}
            found = statements.decode(canonical.encode(whole)).predicate
            assert canonical.encode(found.to_json()) == canonical.encode(document)


@pytest.mark.parametrize("kind", REQUIRED)
def test_an_unknown_member_is_refused(kind: str) -> None:
    code, message = refusal(REQUIRED[kind][0], nested("extra", value=1))
    assert (code, "predicate.extra" in message) == ("statement.field", True)


def scope(name: str, *value: str) -> Change:
    return nested("scope", name, value=list(value))


BARE = grant_v2(term=None)
DEFECTS: dict[str, tuple[Predicate, Change, str]] = {
    "grant of nothing": (grant_v2(), nested("uses", value=[]), "uses must not be an empty list"),
    "grant without a use": (grant_v2(), nested("uses"), "uses must name at least one use"),
    "grant of an unknown use": (grant_v2(), nested("uses", value=["everything"]), "cannot be 'everything'"),
    "grant of one use twice": (
        grant_v2(),
        nested("uses", value=["inference-run"] * 2),
        "uses must be sorted",
    ),
    "grant of uses out of order": (
        grant_v2(),
        nested("uses", value=["output-final", "inference-run"]),
        "uses must be sorted",
    ),
    "grant that ends before it begins": (
        BARE,
        nested("validUntil", value="2025-01-01T00:00:00Z"),
        "validUntil is not later than validFrom",
    ),
    "grant that begins at some minute": (
        BARE,
        nested("validFrom", value="2025-12-31T15:01:00Z"),
        "validFrom must be on a quarter",
    ),
    "grant that ends a second before midnight": (
        BARE,
        nested("validUntil", value="2026-12-31T14:59:59Z"),
        "validUntil must be on a quarter",
    ),
    "grant in version 0": (grant_v2(), nested("version", value=0), "version counts from 1"),
    "grant on an unknown basis": (grant_v2(), nested("legalBasis", value="hope"), "legalBasis cannot be"),
    "exception without its provision": (
        grant_v2(),
        nested("legalBasis", value="statutory-exception"),
        "statute names the provision",
    ),
    "provision of no exception": (
        grant_v2(),
        nested("statute", value="JP-30-4"),
        "statute names the provision",
    ),
    "document that is committed to nowhere": (grant_v2(), nested("_sd"), "document is committed to nowhere"),
    "grant to the licensor's name": (grant_v2(), nested("_sd", value=["Kiri"]), "_sd must hold SHA-256"),
    "sublicence in words": (grant_v2(), nested("sublicence", value="yes"), "sublicence must be of type bool"),
    "unknown exclusivity": (grant_v2(), nested("exclusivity", value="sole"), "exclusivity cannot be"),
    "unknown end": (grant_v2(), nested("onExpiry", value="perish"), "onExpiry cannot be"),
    "unknown revocation": (grant_v2(), nested("onRevocation", value="perish"), "onRevocation cannot be"),
    "days that are not those of the moments": (
        grant_v2(),
        nested("term", "first", value="2026-01-02"),
        "term.first does not agree",
    ),
    "end day of a perpetual grant": (grant_v2(), nested("validUntil"), "term.end does not agree"),
    "days without the end that the moments have": (
        grant_v2(),
        nested("term", "end"),
        "term.end does not agree",
    ),
    "day that does not exist": (
        grant_v2(),
        nested("term", "first", value="2026-02-30"),
        "must be a day such as",
    ),
    "day in the short form": (grant_v2(), nested("term", "first", value="20260101"), "must be a day such as"),
    "day of a week": (grant_v2(), nested("term", "first", value="2026-W01-4"), "must be a day such as"),
    "zone that is an offset": (
        grant_v2(),
        nested("term", "zone", value="+09:00"),
        "must be the name of a time zone",
    ),
    "term with a note": (grant_v2(), nested("term", "note", value="x"), "term.note"),
    "scope that limits nothing": (grant_v2(), nested("scope", value={}), "scope must not be an empty object"),
    "scope with a note": (grant_v2(), nested("scope", "note", value="x"), "scope.note"),
    "unknown medium": (grant_v2(), scope("media", "opera"), "cannot be 'opera'"),
    "media out of order": (grant_v2(), scope("media", "streaming", "broadcast"), "media must be sorted"),
    "one title twice": (grant_v2(), scope("titles", "NF", "NF"), "titles must be sorted"),
    "territory by name": (grant_v2(), scope("territories", "Japan"), "scope.territories cannot hold 'Japan'"),
    "territory in small letters": (grant_v2(), scope("territories", "jp"), "territories cannot hold"),
    "exception by name": (grant_v2(), scope("exceptTerritories", "China"), "exceptTerritories cannot hold"),
    "territories out of order": (grant_v2(), scope("territories", "US", "JP"), "territories must be sorted"),
    "revocation at some minute": (
        grant_revocation(),
        nested("effective", value="2026-03-01T12:07:00Z"),
        "effective must be on a quarter",
    ),
    "consent in version 0": (consent(), nested("version", value=0), "version counts from 1"),
    "consent that ends as it begins": (
        consent(),
        nested("validUntil", value="2026-01-01T00:00:00Z"),
        "validUntil is not later",
    ),
    "consent until some minute": (
        consent(),
        nested("validUntil", value="2026-12-31T23:59:00Z"),
        "validUntil must be on a quarter",
    ),
    "consent to everything spelt out": (consent(), nested("scope", value={}), "scope must not be an empty"),
    "approval of an unknown kind": (approval(), nested("kind", value="lunch"), "kind cannot be"),
    "approval that is undecided": (approval(), nested("decision", value="maybe"), "decision cannot be"),
    "approval that ends as it begins": (
        approval(),
        nested("validUntil", value="2026-01-01T00:00:00Z"),
        "validUntil is not later",
    ),
    "approval from some minute on": (
        approval(),
        nested("validFrom", value="2026-01-01T00:00:01Z"),
        "validFrom must be on a quarter",
    ),
    "approval of titles out of order": (
        approval(),
        nested("titles", value=["b", "a"]),
        "titles must be sorted",
    ),
    "decision with oneself": (
        decided(),
        nested("proposed", value=AGREED | {"by": decided().by}),
        "proposed must name somebody else than by",
    ),
    "decision that was proposed afterwards": (
        decided(),
        nested("proposed", value=AGREED | {"at": "2099-01-01T00:00:00Z"}),
        "proposed is later than recorded",
    ),
    "decision of two of whom one came in unseen": (
        decided(),
        nested("proposed", value=AGREED),
        "signedIn is missing",
    ),
    "decision that was proposed without a moment": (
        decided(),
        nested("proposed", value={"by": "person:a", "signedIn": "token"}),
        "proposed.at is missing",
    ),
    "decision that was proposed by more": (
        decided(),
        nested("proposed", value=AGREED | {"and": "b"}),
        "proposed.and is not a field",
    ),
    "decision by a way in that is none": (
        decided(),
        nested("signedIn", value="window"),
        "signedIn cannot be",
    ),
    "override of an unknown code": (override(), nested("code", value="MODEL_UNREVEIWED"), "code cannot be"),
    "override by nobody": (override(), nested("approvers"), "approvers must name at least one"),
    "override by one person twice": (
        override(),
        nested("approvers", value=["a", "a"]),
        "approvers must be sorted",
    ),
    "override that never ends": (override(), nested("expires"), "expires is missing"),
    "override that ended before it was made": (
        override(),
        nested("expires", value="2026-01-21T00:00:00Z"),
        "expires is not later than recorded",
    ),
    "override without a reason": (override(), nested("_sd"), "_sd must hold the reason"),
    "override for titles out of order": (
        override(),
        nested("titles", value=["b", "a"]),
        "titles must be sorted",
    ),
    "review with an unknown outcome": (review(), nested("standing", value="fine"), "standing cannot be"),
    "standing since some minute": (
        review(),
        nested("since", value="2026-01-21T00:07:00Z"),
        "since must be on a quarter",
    ),
    "finding of an unknown kind": (finding(), nested("kind", value="smell"), "kind cannot be"),
    "finding in an unknown state": (finding(), nested("state", value="lost"), "state cannot be"),
    "finding that quotes the prompt": (
        finding(),
        nested("prompt", value="as by Ada"),
        "prompt is not a field",
    ),
    "profile under another name": (
        policy_profile(),
        nested("name", value="strict"),
        "name must be the profile's",
    ),
    "profile without a name": (policy_profile(), nested("profile", "name"), "name must be the profile's"),
    "profile as text": (
        policy_profile(),
        nested("profile", value="name = 'house'"),
        "profile must be of type dict",
    ),
}


@pytest.mark.parametrize(("predicate", "change", "words"), DEFECTS.values(), ids=DEFECTS)
def test_defect(predicate: Predicate, change: Change, words: str) -> None:
    code, message = refusal(predicate, change)
    assert (code, words in message) == ("statement.field", True), message


def test_days_in_the_wrong_order_within_one_term_are_refused() -> None:
    """Each agrees with its moment to 14 hours, and together they make no sense."""
    moments = {"validFrom": "2026-01-01T11:00:00Z", "validUntil": "2026-01-01T12:00:00Z"}
    days = {"first": "2026-01-02", "end": "2026-01-01", "zone": "Asia/Tokyo"}
    message = refusal(grant_v2(), lambda d: d.update(moments, term=days))[1]
    assert "term.end is not later than first" in message


VALID: dict[str, Predicate] = {
    "perpetual grant of everything": GrantV2("G-1", tuple(sorted(Use)), START, recorded=RECORDED),
    "grant by law": grant_v2(legal_basis=LegalBasis.STATUTORY_EXCEPTION, statute="JP-30-4"),
    "grant without contract days": grant_v2(term=None, scope=EVERYWHERE),
    "grant for the world except": grant_v2(scope=Scope(except_territories=("CN",))),
    "grant for a territory that nobody knows": grant_v2(scope=Scope(territories=("ZZ",))),
    "perpetual grant with its first day": grant_v2(
        valid_until=None, term=Term(date(2026, 1, 1), "Asia/Tokyo")
    ),
    "retroactive revocation": grant_revocation(effective=START - 365 * DAY, commitments=()),
    "consent to everything": consent(scope=EVERYWHERE, valid_until=None, commitments=()),
    "consent that was withdrawn": consent(version=2, valid_until=START + DAY),
    "approval for every title": approval(titles=(), valid_until=None, reference=None, commitments=()),
    "override for every title": override(titles=()),
    "review of what is fine": review(standing=Standing.ACCEPTED, source=None, commitments=()),
    "finding that is dismissed": finding(state=FindingState.DISMISSED, person=None, commitments=()),
}


@pytest.mark.parametrize("predicate", VALID.values(), ids=VALID)
def test_what_may_be_left_out_may_be_left_out(predicate: Predicate) -> None:
    assert statements.decode(statements.encode(statement(predicate))).predicate == predicate


ZONES = ["Asia/Tokyo", "Pacific/Kiritimati", "Etc/GMT+12", "America/St_Johns", "Asia/Kathmandu", "UTC"]


@pytest.mark.parametrize("name", ZONES)
def test_midnight_of_the_contract_fits_in_every_time_zone(name: str) -> None:
    """The farthest zones on both sides, and those that are off by a half and by three quarters of an hour."""
    zone = ZoneInfo(name)
    first, end = date(2026, 3, 1), date(2026, 11, 1)
    begins, ends = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, end))
    stated = grant_v2(valid_from=begins, valid_until=ends, term=Term(first, name, end))
    found = statements.decode(statements.encode(statement(stated))).predicate
    assert isinstance(found, GrantV2)
    assert (found.valid_from, found.valid_until) == (begins, ends)
    assert found.valid_from.utcoffset() == timedelta(0)


def test_the_builders_profile_is_one() -> None:
    assert read_profile(HOUSE_RULES).name == "house"


def test_a_profile_is_its_own_subject_by_its_digest() -> None:
    stated = statement(policy_profile())
    assert stated.subjects[0].sha256 == sha256_hex(canonical.encode(HOUSE_RULES))
