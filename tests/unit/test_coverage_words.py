"""Coverage in words: shares are rounded down, places are read from paths, devices show their gaps."""

import json
import re
from base64 import b64decode, b64encode

import pytest

from ledger.errors import IntegrityError, UsageError
from ledger.render import coverage as page
from ledger.service.coverage.coverage import Axis, Chain, Class, Coverage, How, Tally, share
from ledger.service.coverage.explain import Maker, _rank, _said
from ledger.service.places import place_pattern, shot_at
from ledger.service.walk import IGNORED
from tests.architecture.project import ROOT
from tests.support.builders import envelope, seal, step


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "–"),
        (0, 5, "0.0 %"),
        (5, 5, "100.0 %"),
        (199_999, 200_000, "99.9 %"),
        (1, 200_000, "0.0 %"),
        (2, 3, "66.6 %"),
    ],
)
def test_a_share_is_rounded_down(part: int, whole: int, shown: str) -> None:
    assert page.percent(share(part, whole)) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (10**15 * 5000, "5000.0 PB")]
)
def test_a_size_is_said_as_people_read_it(number: int, shown: str) -> None:
    assert page.size(number) == shown


@pytest.mark.parametrize(
    ("pattern", "path", "shot"),
    [
        ("{sequence}/{shot}/{task}", "sq010/sh020/comp/f.exr", "sq010/sh020"),
        ("{sequence}/{shot}", "sq010/sh020/comp/v3/f.exr", "sq010/sh020"),
        ("{sequence}/{shot}", "sq010/f.exr", None),
        ("/shots/sq_{sequence}/{shot}/", "shots/sq_010/020/f.exr", "010/020"),
        ("*/{shot}", "anything/020/f.exr", "020"),
        ("{sequence}_{shot}", "010_020_x/f.exr", "010/020_x"),
        ("a.b/{shot}", "axb/020/f.exr", None),
        ("{shot}", "new\nline/f.exr", "new\nline"),
    ],
)
def test_a_path_says_its_shot(pattern: str, path: str, shot: str | None) -> None:
    assert shot_at(place_pattern(pattern), path) == shot


@pytest.mark.parametrize(
    "pattern", ["", "{sequence}", "{shot}/{shot}", "{shot}/{user}", "{shot", "shot}", "{}"]
)
def test_a_pattern_that_says_no_shot_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError) as error:
        place_pattern(pattern)
    assert error.value.code == "coverage.place"


def test_an_entry_says_its_layer_of_capture() -> None:
    plain = json.loads(envelope(step()))
    said = json.loads(b64decode(plain["payload"]))
    said["predicate"]["capture"] = {"layer": "app", "sequence": 7}
    plain["payload"] = b64encode(json.dumps(said).encode()).decode()
    maker = _said(4, json.dumps(plain).encode())
    assert isinstance(maker, Maker)
    assert (maker.entry, maker.evidence, maker.layer, maker.shot) == (4, "observed", "app", "sh0020")
    assert _rank(maker) < _rank(maker._replace(layer="run")) < _rank(maker._replace(layer=None, entry=1))
    assert _rank(maker) < _rank(maker._replace(evidence="declared"))


@pytest.mark.parametrize("data", [b"", b"{}", b'{"payload": "!"}', b"[1]", envelope(seal())[:-9]])
def test_an_entry_that_is_none_is_damage(data: bytes) -> None:
    with pytest.raises(IntegrityError) as error:
        _said(3, data)
    assert error.value.code == "log.corrupt"


def test_a_device_shows_its_gaps_and_what_came_late_where_they_are_known() -> None:
    found = Coverage("/mnt/nightfall", 9)
    tally = Tally()
    tally.counts[Class.BYTES].add(10)
    found.by[Axis.DEVICE]["ws-01"] = tally
    assert page.columns(found, Axis.DEVICE)[-1] == "Explained"
    assert page.document(found, 100, reached=True)["by"]["device"][0]["gaps"] is None
    found.chains = {"ws-01": Chain(gaps=2, late=1)}
    assert page.columns(found, Axis.DEVICE)[-2:] == ["Gaps", "Late"]
    assert page.columns(found, Axis.DAY)[-1] == "Explained"
    cells, colour = page.row(found, Axis.DEVICE, "ws-01", tally)
    assert (cells[0], cells[-2:], colour) == ("ws-01", ["2", "1"], "green")
    (device,) = page.document(found, 100, reached=True)["by"]["device"]
    assert (device["gaps"], device["late"]) == (2, 1)


def test_a_group_is_named_for_people() -> None:
    assert page.name(Axis.HOW, How("step", "observed", "app")) == "step, observed, layer app"
    assert page.name(Axis.HOW, None) == "(nothing)"
    assert page.name(Axis.DEVICE, "ws-01") == "ws-01"


def test_the_specification_lists_every_name_that_is_set_apart() -> None:
    text = (ROOT / "docs" / "spec" / "coverage.md").read_text(encoding="utf-8")
    listed = text.partition("The names, as shell patterns:")[2].partition("A pattern of `--ignore`")[0]
    assert re.findall("`([^`]+)`", listed) == " ".join(IGNORED).split()
