"""The drawings of a report: what they show is what the tables say, and a name is never more than text."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.audit import Hidden, Lineage, Stop, Table
from ledger.core.audit.tables import TABLES
from ledger.render.report import drawings
from tests.support.drawn import parsed
from tests.support.reports import report, row, shot

NS = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert(1)</script>\u202e\x00落款"


def reach(root: ET.Element, kind: str) -> list[tuple[float, float]]:
    """Return from where to where the slivers of a state are drawn."""
    path = next((item.get("d", "") for item in root.iter(f"{NS}path") if item.get("class") == kind), "")
    boxes = re.findall(r"M([\d.]+) [\d.]+h([\d.]+)", path)
    return sorted({(float(x), float(x) + float(width)) for x, width in boxes})


def shots(*strips: str) -> Table:
    return report([shot(number, strip) for number, strip in enumerate(strips, 1)]).tables["shots"]


def test_every_frame_has_its_place_and_its_state() -> None:
    root = parsed(drawings.strip(shots("cccc", "ccrr", "bbuu")))
    assert reach(root, "c") == [(0, 600)]
    assert reach(root, "r") == [(600, 800)]
    assert reach(root, "b") == [(800, 1000)]
    assert reach(root, "u") == [(1000, 1200)]


def test_one_bad_frame_of_a_feature_is_wide_enough_to_be_seen() -> None:
    root = parsed(drawings.strip(shots("c" * 60_000 + "b" + "c" * 69_999)))
    ((start, stop),) = reach(root, "b")
    assert stop - start >= 2.9
    assert start == 3 * (60_000 * 400 // 130_000)  # the column that the frame is in, of 400


@settings(max_examples=30)
@given(st.lists(st.text("crbu", min_size=1, max_size=40), min_size=1, max_size=30))
def test_the_strip_is_drawn_of_any_cut_and_stays_small(strips: list[str]) -> None:
    drawn = drawings.strip(shots(*strips), "shot-")
    root = parsed(drawn)
    words = next(root.iter(f"{NS}desc")).text or ""
    for letter, name in (("b", "blocked"), ("r", "needs review"), ("u", "undecided"), ("c", "cleared")):
        count = "".join(strips).count(letter)
        assert (f"{count:,} {name}" in words) == (count > 0)
        assert bool(reach(root, letter)) == (count > 0)
    assert [link.get("href") for link in root.iter(f"{NS}a")] == [
        f"#shot-{n + 1}" for n in range(len(strips))
    ]


def test_a_feature_of_a_mess_is_still_a_small_drawing() -> None:
    made = report([shot(n, "crbu" * 19) for n in range(1, 1701)])
    assert len(drawings.strip(made.tables["shots"], "shot-") or "") < 80_000
    assert len(drawings.shares(made.tables["shots"]) or "") < 20_000


def test_links_of_a_long_cut_lead_to_what_matters() -> None:
    strips = ["c"] * 500 + ["b", "r"]
    root = parsed(drawings.strip(shots(*strips), "shot-"))
    assert [link.get("href") for link in root.iter(f"{NS}a")] == ["#shot-501", "#shot-502"]


def test_the_share_of_a_model_is_as_high_as_it_is_large() -> None:
    root = parsed(drawings.shares(shots("bbbb", "cccb", "cccc")))
    path = next(item for item in root.iter(f"{NS}path") if item.get("class") == "g3").get("d", "")
    assert re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", path) == [
        ("0", "0", "400", "44"),
        ("400", "33", "400", "11"),
    ]


def test_the_bars_say_their_figures() -> None:
    made = report([shot(1, "ccccrb")])
    for picture, said in (
        (drawings.grades(made), "L3 Licensed: 6"),
        (drawings.verdicts(made), "✓ Cleared: 4"),
    ):
        words = " ".join((next(parsed(picture).iter(f"{NS}desc")).text or "").split())
        assert said in words


def test_there_is_no_drawing_of_nothing() -> None:
    made = report([])
    assert drawings.strip(made.tables["shots"]) is None
    assert drawings.shares(made.tables["shots"]) is None
    assert drawings.grades(made) is None
    assert drawings.evidence(made) is None
    assert drawings.terms(made.tables["grants"], made.head.at) is None


def test_a_grant_ends_when_it_is_revoked_and_a_hidden_term_is_not_drawn() -> None:
    about = {"grant": HOSTILE, "from": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z"}
    grants = [
        row(TABLES["grants"], row=1, state="revoked", revoked="2026-06-01T00:00:00Z", **about),
        row(TABLES["grants"], **{"row": 2, "grant": Hidden("x"), "state": "in force", "from": Hidden("y")}),
    ]
    root = parsed(drawings.terms(Table(TABLES["grants"], tuple(grants)), "2026-11-22T00:00:00Z"))
    bars = [item for item in root.iter(f"{NS}path") if item.get("class") == "u"]
    assert len(bars) == 1
    assert "1 grant," in (next(root.iter(f"{NS}desc")).text or "")
    now = next(item for item in root.iter(f"{NS}path") if item.get("class") == "rule").get("d", "")
    start, width = map(float, re.findall(r"M([\d.]+) [\d.]+h([\d.]+)", bars[0].get("d", ""))[0])
    assert start + width < float(now[1:].split()[0])


@pytest.mark.parametrize("name", [HOSTILE, '" onload="alert(1)', "\ud800"])
def test_names_are_text(name: str) -> None:
    made = report([shot(1, "b", name=name)])
    stop = Stop("a" * 64, "model", name, (name,), name, None, 4)
    way = Lineage("one", name, "b" * 64, name, (stop,), ())
    for picture in (drawings.strip(made.tables["shots"], "shot-"), drawings.lineage(way, "way-1")):
        root = parsed(picture)
        assert {item.tag.removeprefix(NS) for item in root.iter()} <= {
            *("svg", "title", "desc", "g", "rect", "path", "text", "a")
        }
        assert not any(key.startswith("on") for item in root.iter() for key in item.attrib)
