"""The values that statements are made of, for property tests."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from ledger.core.artifact import ROLES_V1, Artifact
from ledger.core.fields import in_order
from tests.support.builders import commitment

T = TypeVar("T")

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
quarters = moments.map(lambda moment: moment - timedelta(minutes=moment.minute % 15, seconds=moment.second))
spans = st.tuples(moments, moments).map(sorted)
terms = spans.filter(lambda span: span[0] < span[1])
validities = st.tuples(quarters, quarters).map(sorted).filter(lambda span: span[0] < span[1])
commitments = st.lists(texts, max_size=3, unique=True).map(lambda words: tuple(map(commitment, words)))
sets = st.lists(texts, max_size=3, unique=True).map(lambda words: tuple(in_order(words)))
some = st.lists(texts, min_size=1, max_size=3, unique=True).map(lambda words: tuple(in_order(words)))
mappings = st.dictionaries(texts, texts, max_size=3)


def perhaps(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


subjects = st.builds(Artifact, texts, digests, perhaps(texts), perhaps(digests), st.none())
materials = st.builds(
    Artifact, texts, digests, perhaps(texts), perhaps(digests), st.sampled_from(sorted(ROLES_V1))
)
many_subjects = st.lists(subjects, min_size=1, max_size=4, unique_by=lambda item: item.name).map(tuple)
