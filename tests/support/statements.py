"""Any statement that may stand in a log, for property tests."""

from dataclasses import fields, replace

from hypothesis import strategies as st

from ledger.core.artifact import Artifact, Role
from ledger.core.digest import sha256_hex
from ledger.core.predicates import (
    Dataset,
    Enrolment,
    Grant,
    Incident,
    LostRecord,
    Model,
    Seal,
    ServiceCall,
    Step,
    StepV2,
)
from ledger.core.predicates.capture import Capture, Event, Layer
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.grant import USES_V1
from ledger.core.predicates.lost_record import LossReason
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.predicates.service_call import CallOutcome, Run, Terms, counted, summarised
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.statement import Statement
from tests.support.facts import facts, services, trainings
from tests.support.strategies import (
    commitments,
    digests,
    many_subjects,
    materials,
    moments,
    perhaps,
    sets,
    spans,
    terms,
    texts,
)

frames = st.none() | st.tuples(st.integers(-9999, 9999), st.integers(0, 9999)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)
places = st.builds(Place, texts, perhaps(texts), perhaps(texts), perhaps(texts), perhaps(texts), frames)
tools = st.builds(Tool, texts, texts, perhaps(digests))


@st.composite
def steps(draw: st.DrawFn) -> Step:
    started, finished = draw(spans)
    return Step(
        draw(texts),
        draw(st.sampled_from(StepAction)),
        draw(st.sampled_from(Evidence)),
        draw(places),
        started,
        finished,
        draw(texts),
        draw(tools),
        tuple(draw(st.lists(materials, max_size=4))),
        draw(st.dictionaries(texts, texts, max_size=3)),
        draw(commitments),
    )


@st.composite
def captures(draw: st.DrawFn) -> Capture:
    sequence = draw(st.integers(0, 2**53 - 1))
    return Capture(
        sequence=sequence,
        previous=draw(digests) if sequence else None,
        layer=draw(st.sampled_from(Layer)),
        hook=draw(texts),
        event=draw(st.sampled_from(Event)),
        captured=draw(moments),
        clock_off=draw(st.integers(-(10**6), 10**6)),
        missed=draw(sets),
        superseded=draw(sets),
    )


@st.composite
def lost_records(draw: st.DrawFn) -> LostRecord:
    return LostRecord(
        reason=draw(st.sampled_from(LossReason)),
        finished=draw(moments),
        capture=draw(captures()),
        files=draw(sets),
    )


@st.composite
def later_steps(draw: st.DrawFn) -> StepV2:
    step, service = draw(steps()), draw(perhaps(services))
    known = {item.name: getattr(step, item.name) for item in fields(step)}
    known["materials"] += tuple(
        Artifact(name, draw(digests), role=role)
        for name, role in draw(st.lists(st.tuples(texts, st.sampled_from(Role)), max_size=2))
    )
    capture = draw(perhaps(captures()))
    if service is None:
        return StepV2(**known, people=draw(sets), capture=capture)
    known["materials"] += (replace(service.subject, role=Role.MODEL),)
    return StepV2(
        **known, service=service, plan_tier=draw(perhaps(texts)), people=draw(sets), capture=capture
    )


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    works = draw(st.integers(1, 10**12))
    return Dataset(draw(texts), draw(texts), works, draw(st.integers(1, works)))


models = st.builds(Model, texts, texts, st.lists(trainings, max_size=4).map(tuple))


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    begins, ends = draw(terms)
    uses = tuple(draw(st.lists(st.sampled_from(sorted(USES_V1)), min_size=1, max_size=4)))
    return Grant(draw(texts), uses, begins, draw(st.sampled_from([None, ends])), draw(commitments))


@st.composite
def enrolments(draw: st.DrawFn) -> Enrolment:
    begins, ends = draw(terms)
    key = draw(st.binary(min_size=1, max_size=60))
    return Enrolment(draw(texts), draw(st.sampled_from(KeyRole)), key, begins, ends, draw(perhaps(digests)))


words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=12)
attempts = st.builds(
    Run,
    at=moments,
    outcome=st.sampled_from(CallOutcome),
    status=perhaps(st.integers(100, 599)),
    code=perhaps(words),
    request_id=perhaps(words),
    took=st.integers(0, 10**6),
    waited=st.integers(0, 10**6),
)


@st.composite
def calls(draw: st.DrawFn) -> ServiceCall:
    started, finished = draw(spans)
    made, outcome = draw(st.lists(attempts, max_size=70)), draw(st.sampled_from(CallOutcome))
    some = draw(st.lists(digests, max_size=3, unique=True)) if outcome is CallOutcome.ACCEPTED else ()
    return ServiceCall(
        call_id=draw(texts),
        outcome=outcome,
        service=draw(services),
        place=draw(places),
        actor=draw(texts),
        started=started,
        finished=finished,
        evidence=draw(st.sampled_from(Evidence)),
        attempts=counted(made),
        runs=summarised(made),
        plan_tier=draw(perhaps(texts)),
        account=draw(perhaps(texts)),
        terms=draw(perhaps(st.builds(Terms, digests, moments))),
        model=draw(perhaps(texts)),
        job=draw(perhaps(texts)),
        outputs=tuple(sorted(some)),
        capture=draw(perhaps(captures())),
        commitments=draw(commitments),
    )


incidents = st.builds(
    Incident, texts, texts, st.integers(0, 10**12), digests, st.integers(1, 10**12), digests
)
manifests = st.builds(SealedManifest, digests, digests, st.sampled_from(Form))


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Draw a statement of any kind, with the subjects that its kind may have."""
    if draw(st.booleans()):
        return draw(facts())
    first = st.one_of(
        *(steps(), later_steps(), datasets(), models, grants(), enrolments()),
        *(incidents, lost_records(), calls()),
    )
    predicate = draw(first | st.just(None))
    several = draw(many_subjects)
    if predicate is None:
        count = len(several)
        sealed = draw(st.lists(manifests, min_size=count, max_size=count))
        return Statement(several, Seal(draw(moments), tuple(sealed)))
    if isinstance(predicate, Enrolment):
        return Statement((Artifact(predicate.device, sha256_hex(predicate.public_key)),), predicate)
    if isinstance(predicate, ServiceCall):
        return Statement((predicate.subject,), predicate)
    if isinstance(predicate, Dataset | Model | Incident):
        return Statement(several[:1], predicate)
    return Statement(several, predicate)
