"""Any statement that may stand in a log, for property tests."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from ledger.core.artifact import Artifact, Role
from ledger.core.digest import sha256_hex
from ledger.core.predicates import Dataset, Enrolment, Grant, Incident, Model, Seal, Step
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.seal import Form, SealedManifest
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.statement import Statement
from tests.support.builders import commitment

texts = st.text(
    st.characters(
        exclude_categories=["Cs", "Cc", "Zl", "Zp"],
        exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    min_size=1,
    max_size=12,
)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis takes naive bounds and adds the zone
    lambda moment: moment.replace(microsecond=0)
)
spans = st.tuples(moments, moments).map(sorted)
terms = spans.filter(lambda span: span[0] < span[1])
commitments = st.lists(texts, max_size=3, unique=True).map(lambda words: tuple(map(commitment, words)))


def perhaps(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str | None]:
    return st.none() | strategy


subjects = st.builds(Artifact, texts, digests, perhaps(texts), perhaps(digests), st.none())
materials = st.builds(Artifact, texts, digests, perhaps(texts), perhaps(digests), st.sampled_from(Role))
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
def datasets(draw: st.DrawFn) -> Dataset:
    works = draw(st.integers(1, 10**12))
    return Dataset(draw(texts), draw(texts), works, draw(st.integers(1, works)))


trainings = st.builds(Training, texts, digests, st.sampled_from(TrainingStage))
models = st.builds(Model, texts, texts, st.lists(trainings, max_size=4).map(tuple))


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    begins, ends = draw(terms)
    uses = tuple(draw(st.lists(st.sampled_from(Use), min_size=1, max_size=4)))
    return Grant(draw(texts), uses, begins, draw(st.sampled_from([None, ends])), draw(commitments))


@st.composite
def enrolments(draw: st.DrawFn) -> Enrolment:
    begins, ends = draw(terms)
    key = draw(st.binary(min_size=1, max_size=60))
    return Enrolment(draw(texts), draw(st.sampled_from(KeyRole)), key, begins, ends, draw(perhaps(digests)))


incidents = st.builds(
    Incident, texts, texts, st.integers(0, 10**12), digests, st.integers(1, 10**12), digests
)
manifests = st.builds(SealedManifest, digests, digests, st.sampled_from(Form))
many_subjects = st.lists(subjects, min_size=1, max_size=4, unique_by=lambda item: item.name).map(tuple)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Draw a statement of any kind, with the subjects that its kind may have."""
    predicate = draw(st.one_of(steps(), datasets(), models, grants(), enrolments(), incidents, st.just(None)))
    several = draw(many_subjects)
    if predicate is None:
        count = len(several)
        sealed = draw(st.lists(manifests, min_size=count, max_size=count))
        return Statement(several, Seal(draw(moments), tuple(sealed)))
    if isinstance(predicate, Enrolment):
        return Statement((Artifact(predicate.device, sha256_hex(predicate.public_key)),), predicate)
    if isinstance(predicate, Dataset | Model | Incident):
        return Statement(several[:1], predicate)
    return Statement(several, predicate)
