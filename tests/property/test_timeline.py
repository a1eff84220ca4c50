"""The timeline of grants is a well-formed picture inside its canvas, whatever the grants say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.core.artifact import Artifact
from ledger.core.predicates import GrantRevocation, GrantV2
from ledger.core.predicates.grant import Use
from ledger.core.rights.facts import Known, KnownGrant
from ledger.render.pages.languages import LANGUAGES, language
from ledger.render.pages.timeline import DRAWN, Plan, timeline
from tests.support.drawn import parsed
from tests.support.strategies import moments, perhaps, texts

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SUBJECT = (Artifact("plates", "0" * 64),)


@st.composite
def grants(draw: st.DrawFn) -> KnownGrant:
    start = draw(moments)
    end = draw(perhaps(st.timedeltas(timedelta(days=1), timedelta(days=20_000))))
    until = start + end if end and start < datetime(9900, 1, 1, tzinfo=UTC) else None
    stated = GrantV2(draw(texts), (Use.OUTPUT_FINAL,), start, until, recorded=draw(moments))
    revoked = draw(perhaps(st.builds(GrantRevocation, texts, moments, moments)))
    known = Known(1, SUBJECT, revoked) if revoked else None
    return KnownGrant(Known(0, SUBJECT, stated), known)


@given(
    held=st.lists(grants(), min_size=1, max_size=4),
    known=perhaps(moments),
    used=st.lists(moments, max_size=5),
    code=st.sampled_from(LANGUAGES),
)
def test_it_is_well_formed_and_nothing_stands_outside(
    held: list[KnownGrant], known: datetime | None, used: list[datetime], code: str
) -> None:
    root = parsed(timeline(Plan(held, NOW, known, used, used), language(code)))
    width = float(root.attrib["width"])
    for each in root.iter():
        if "x" in each.attrib:
            assert 0 <= float(each.attrib["x"]) <= width
        for x in re.findall(r"M(-?[0-9.]+)", each.attrib.get("d", "")):
            assert -8 <= float(x) <= width
    names = [each.text for each in root.iter() if each.tag.endswith("title")]
    assert sum(name is not None for name in names) >= len(held)


def test_a_revocation_cuts_the_bar_and_leaves_the_outline() -> None:
    start = NOW - timedelta(days=300)
    stated = GrantV2("G", (Use.OUTPUT_FINAL,), start, NOW + timedelta(days=300), recorded=start)
    whole = KnownGrant(Known(0, SUBJECT, stated))
    ended = GrantRevocation("G", NOW - timedelta(days=100), NOW - timedelta(days=20))
    cut = KnownGrant(whole.stated, Known(1, SUBJECT, ended))

    def bar(grant: KnownGrant) -> tuple[float, float]:
        drawn = timeline(Plan([grant], NOW), language("en"))
        shape = re.search(r'class="c"[^>]*d="M([0-9.]+) \d+H([0-9.]+)', drawn)
        assert shape is not None
        return float(shape[1]), float(shape[2])

    assert bar(cut)[0] == bar(whole)[0]
    assert bar(cut)[1] < bar(whole)[1]
    broken = timeline(Plan([cut], NOW), language("en"))
    assert "stroke-dasharray" in broken
    assert "The revocation became known" in broken
    assert "stroke-dasharray" not in timeline(Plan([whole], NOW), language("en"))


def test_of_many_grants_the_newest_are_drawn() -> None:
    held = [
        KnownGrant(Known(n, SUBJECT, GrantV2(f"G-{n}", (Use.OUTPUT_FINAL,), NOW, None, recorded=NOW)))
        for n in range(2_000)
    ]
    drawn = timeline(Plan(held, NOW), language("ja"))
    assert drawn.count("<title>G-") == DRAWN
    assert "G-1999" in drawn
    assert len(drawn) < 20_000
