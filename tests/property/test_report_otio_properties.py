"""Whatever a timeline holds: if it can be read, it can be marked, and the markers are all that is new."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.otio import read_otio
from ledger.errors import MalformedError
from ledger.render.report.otio import to_otio
from tests.support.reports import report, shot
from tests.support.timelines import clip, data, film, images, span, timeline

SEED = data(timeline([clip("a", images("x", "a.", range(1, 9))), clip("b", film("b.mov", 9), span(2, 3))]))
JUNK = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every member and element of a document as its holder and its key."""
    if not isinstance(value, dict | list):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [found for key in keys for found in places(value[key])]


def without_ours(value: Any) -> Any:
    """Return a document without our markers, and without markers that are no list."""
    if isinstance(value, list):
        return [without_ours(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_ours(item) for key, item in value.items()}
    held = kept.pop("markers", None)
    others = [item for item in held if "rakkan" not in str(item)] if isinstance(held, list) else []
    return {**kept, "markers": others}


@settings(max_examples=200)
@given(st.data())
def test_a_timeline_that_can_be_read_can_be_marked_and_stays_what_it_was(draw: st.DataObject) -> None:
    document = json.loads(SEED)
    found = places(document)
    for _ in range(draw.draw(st.integers(0, 3))):
        holder, key = draw.draw(st.sampled_from(found))
        holder[key] = draw.draw(JUNK)
    text = json.dumps(document).encode()
    try:
        cut = read_otio(text)
    except MalformedError:
        return
    shots = [shot(number, "cb") for number, _ in enumerate(cut.shots, 1)]
    made = to_otio(report(shots), cut, text)
    assert read_otio(made) == cut
    assert made.count(b'"rakkan":') == len(shots)
    assert without_ours(json.loads(made)) == without_ours(json.loads(text))
