"""`rakkan profile`: the shipped policies, a studio's own, and a draft tried on the whole production."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.support.cleared import license_production, shoot

OWN = 'extends = "streamer"\nname = "x"\nversion = "1"\nsummary = "s"\n'


@pytest.fixture
def nightfall(studio: Studio) -> Studio:
    license_production(studio)
    shoot(studio)
    return studio


def test_the_shipped_profiles_are_listed_and_can_be_begun_from(studio: Studio) -> None:
    names = [item["name"] for item in studio.ok("profile", "list", "--json").json]
    assert names == ["broadcast-jp", "insurer", "internal-previz", "streamer", "strict-authorised-only"]
    own = studio.work / "own.toml"
    own.write_text(studio.ok("profile", "show", "streamer").out)
    checked = studio.ok("profile", "check", own, "--json").json
    assert checked == studio.ok("profile", "list", "--json").json[3]
    assert studio.ok("profile", "show", own, "--json").json["digest"] == checked["digest"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ('name = "x"\nversion = = 1\n', "line 2"),
        (OWN + '[severity]\nNO_GRANT = "noted"\n', "severity"),
        (OWN + '[severities]\nNO_GRANT = "warn"\n', "severities.NO_GRANT"),
    ],
)
def test_check_names_what_is_wrong(studio: Studio, content: str, named: str) -> None:
    file = studio.work / "draft.toml"
    file.write_text(content)
    assert named in studio.fails("profile.malformed", "profile", "check", file).err


def test_a_draft_is_tried_on_the_whole_production(nightfall: Studio) -> None:
    house = nightfall.work / "house.toml"
    nightfall.ok("clear", "sh010", "--policy", house, "--record")
    draft = _draft(nightfall.work, house)
    before = nightfall.state()
    found = nightfall.ok("profile", "try", draft, "--json").json
    assert found["moves"] == [
        {"against": None, "draft": "needs_review", "files": 2},
        {"against": "cleared", "draft": "needs_review", "files": 1},
    ]
    assert found["different"] == 1
    beside = nightfall.ok("profile", "try", draft, "--against", house, "--json").json
    assert (beside["different"], beside["against"]) == (3, "house")
    shown = nightfall.ok("profile", "try", draft, "--against", house).out
    assert "3 files cleared there: needs review by the draft" in shown
    assert "Nothing was signed." in shown
    assert nightfall.state() == before


def _draft(work: Path, house: Path) -> Path:
    """The house's own policy, but somebody's word is not enough."""
    path = work / "draft.toml"
    path.write_text(f'{house.read_text()}\n[severities]\nWEAK_EVIDENCE = "needs_review"\n')
    return path
