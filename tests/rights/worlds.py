"""Any small registry, any uses of what is in it, and any policy: for property tests.

The worlds are narrow on purpose: few things, few moments, so that terms meet, lineages cross and grants
overlap.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from ledger.core.predicates import GrantV2
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity, LegalBasis
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.predicates.reasons import Code, Severity
from ledger.core.predicates.review import Standing
from ledger.core.predicates.scope import Media, Scope
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import TIMELESS, Item, ItemKind, slot_of
from ledger.core.rights.profile import ApprovalRule, Profile, Trigger
from tests.rights.nightfall import HOUSE, NIGHTFALL
from tests.rights.story import Story, day, digest, inventory, sources, weights

MODELS, DATASETS = ("m0", "m1", "m2", "m3"), ("d0", "d1", "d2")
THINGS = (*MODELS, *DATASETS, "photo.jpg")
UNKNOWN = "unregistered"
START = day("2026-01-01")
PERSON = "person:4a7d"

moments = st.integers(0, 24).map(lambda quarters: START + timedelta(minutes=15 * quarters))
stages = st.sampled_from(TrainingStage)
evidence = st.sampled_from(Evidence)
titles = st.sampled_from([(), (NIGHTFALL,), ("title:other",)])
media = st.sampled_from([(), (Media.BROADCAST,), (Media.STREAMING,), (Media.BROADCAST, Media.STREAMING)])
codes = st.sampled_from(Code)
scopes = st.builds(
    Scope, titles, media, st.sampled_from([(), ("JP",), ("030",), ("001",)]), st.sampled_from([(), ("JP",)])
)


@st.composite
def terms(draw: st.DrawFn) -> tuple[datetime, datetime | None]:
    first, second = sorted((draw(moments), draw(moments)))
    return first, second if second > first and draw(st.booleans()) else None


@st.composite
def licences(draw: st.DrawFn, basis: LegalBasis | None = None) -> GrantV2:
    """Draw a grant that nobody ended and that excludes nobody; of this basis, where one is given."""
    since, until = draw(terms())
    uses = draw(st.sets(st.sampled_from(Use), min_size=1).map(lambda found: tuple(sorted(found))))
    legal = basis or draw(st.sampled_from(LegalBasis))
    return GrantV2(
        "G",
        uses,
        since,
        until,
        recorded=START,
        legal_basis=legal,
        statute="JP-30-4" if legal is LegalBasis.STATUTORY_EXCEPTION else None,
        assignee=draw(st.sampled_from([None, "party:kumo", "party:rival"])),
        scope=draw(scopes),
        attribution=draw(st.sampled_from([None, "a credit"])),
        on_expiry=draw(st.sampled_from(Afterwards)),
        on_revocation=draw(st.sampled_from(Afterwards)),
    )


@st.composite
def registries(draw: st.DrawFn) -> Story:
    """Draw a few models, datasets, grants and decisions, some of which contradict one another."""
    story = Story(START)
    story.title(NIGHTFALL, "Nightfall", "nightfall", credits=draw(st.sampled_from([(), ("G0",)])))
    for name in draw(st.sets(st.sampled_from(DATASETS)).map(sorted)):
        story.dataset(name, recorded=draw(moments), evidence=draw(evidence))
        if draw(st.booleans()):
            story.suppose(name, outputs_of=sources("m0"), inventory=None)
    for name in draw(st.sets(st.sampled_from(MODELS)).map(sorted)):
        _model(draw, story, name)
    for number in range(draw(st.integers(0, 6))):
        _grant(draw, story, f"G{number}")
    for _ in range(draw(st.integers(0, 6))):
        _decision(draw, story)
    return story


def _model(draw: st.DrawFn, story: Story, name: str) -> None:
    pairs = st.tuples(st.sampled_from(DATASETS), stages)
    parents = st.tuples(st.sampled_from([*MODELS, UNKNOWN]), st.sampled_from(ParentRole))
    story.model(
        name,
        draw(st.sampled_from([ModelKind.BASE, ModelKind.LORA, ModelKind.OTHER])),
        on=draw(st.lists(pairs, unique=True, max_size=2)),
        parents=draw(st.lists(parents, unique_by=lambda pair: pair[0], max_size=2)),
        recorded=draw(moments),
        evidence=draw(evidence),
        licence=None,
    )
    for _ in range(draw(st.integers(0, 2))):
        began, ended = sorted((draw(moments), draw(moments)))
        stated = story.log[-1].statement.predicate
        if getattr(stated, "training", ()):
            story.trained(name, began, ended, evidence=draw(evidence))


def _grant(draw: st.DrawFn, story: Story, grant_id: str) -> None:
    grant = draw(licences())
    about = draw(st.sets(st.sampled_from(THINGS), min_size=1).map(sorted))
    more = {name: getattr(grant, name) for name in ("valid_until", "scope", "assignee", "attribution")}
    after = {name: getattr(grant, name) for name in ("on_expiry", "on_revocation", "legal_basis", "statute")}
    exclusivity = draw(st.sampled_from(Exclusivity))
    story.grant(
        grant_id, about, *grant.uses, since=grant.valid_from, exclusivity=exclusivity, **more, **after
    )
    if draw(st.booleans()):
        story.revoke(grant_id, draw(moments))


def _decision(draw: st.DrawFn, story: Story) -> None:
    name = draw(st.sampled_from([*THINGS, NIGHTFALL]))
    since, until = draw(terms())
    kind = draw(st.integers(0, 4))
    if kind == 0:
        story.review(name, draw(st.sampled_from(Standing)), since=since)
    elif kind == 1:
        decision = draw(st.sampled_from(Decision))
        story.approve(
            ApprovalKind.TOOL, name, "party:nami", decision=decision, valid_from=since, valid_until=until
        )
    elif kind == 2:
        approvers = ("actor:legal", "actor:producer")
        story.accept(
            draw(codes), name, *approvers, until=draw(moments) + timedelta(hours=1), titles=draw(titles)
        )
    elif kind == 3:
        story.consent(PERSON, "face in the crowd", since, valid_until=until, scope=draw(scopes))
    else:
        story.finds("F-1", draw(st.sampled_from(FindingKind)), "a.png", person=PERSON)
        if draw(st.booleans()):
            story.closes("F-1", draw(st.sampled_from(FindingState)))


used = st.one_of(
    st.tuples(st.just(ItemKind.MODEL), st.sampled_from([*MODELS, UNKNOWN])),
    st.tuples(st.just(ItemKind.SERVICE), st.just("lumen/video")),
    st.tuples(st.just(ItemKind.DATASET), st.sampled_from(DATASETS)),
    st.tuples(st.sampled_from([ItemKind.IMPORT, ItemKind.GAP]), st.sampled_from(["photo.jpg", "b.png"])),
    st.tuples(st.just(ItemKind.PERSON), st.just(PERSON)),
    st.tuples(st.sampled_from([ItemKind.FORK, ItemKind.CYCLE, ItemKind.INVALID]), st.just("b.png")),
    st.tuples(st.just(ItemKind.WEAK), st.sampled_from(["photo.jpg", "b.png"])),
)


@st.composite
def items(draw: st.DrawFn, slot: int | None = None) -> Item:
    """Draw a use, in any slot or in this one; a finding, which is no use, only in the former."""
    kind, name = draw(used)
    digests = {ItemKind.MODEL: weights(name).sha256, ItemKind.DATASET: inventory(name).sha256}
    sha256 = digests.get(kind, digest("file", name))
    if slot is None and kind is ItemKind.GAP and draw(st.booleans()):
        return Item(ItemKind.FINDING, digest("file", "a.png"), "a.png", "F-1", TIMELESS)
    at = slot_of(draw(moments)) if slot is None else slot
    detail = draw(st.sampled_from(["", "studio"])) if kind is ItemKind.SERVICE else ""
    return Item(kind, sha256, name, detail, at, draw(evidence))


bases = st.frozensets(items(), max_size=5)
deliveries = st.builds(
    Delivery,
    st.sampled_from([None, NIGHTFALL]),
    st.sampled_from(Deliverable),
    media.filter(bool),
    st.sampled_from([("JP",), ("001",), ("KR",), ("ZZ",)]),
)
rules = st.builds(
    ApprovalRule,
    st.just(ApprovalKind.TOOL),
    st.sampled_from(Trigger),
    st.just(frozenset(Deliverable)),
    st.sampled_from([None, "party:nami"]),
)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    severities = draw(st.dictionaries(codes, st.sampled_from(Severity), max_size=6))
    grades = draw(st.dictionaries(st.sampled_from(Deliverable), st.sampled_from(Grade), max_size=4))
    licensees = draw(st.sampled_from([(), ("party:kumo",)]))
    approvals = tuple(draw(st.lists(rules, max_size=2)))
    return replace(HOUSE, severities=severities, grades=grades, licensees=licensees, approvals=approvals)
