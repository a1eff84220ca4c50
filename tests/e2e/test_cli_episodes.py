"""Episodes at the command line: recorded, found on the disk, cleared and reported, and never mixed up."""

from __future__ import annotations

import csv
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.support.cleared import license_production, place, policy

DRAWN = ("--action", "draw", "--tool", "painter 1.0")


def path_of(studio: Studio, episode: str, shot: str = "sh010") -> Path:
    return studio.work / episode / "sq010" / shot / "comp.1001.png"


@pytest.fixture
def series(studio: Studio) -> Studio:
    """Two episodes with the same shot, and one in none."""
    license_production(studio)
    for seed, episode in enumerate(("ep01", "ep02", "film"), 1):
        file = path_of(studio, episode)
        file.parent.mkdir(parents=True)
        studio.png("comp.1001.png", seed).rename(file)
        named = () if episode == "film" else ("--episode", episode)
        studio.record(file, *DRAWN, *named, *place("sh010"))
    return studio


def meant(studio: Studio, *targets: str) -> list[str]:
    """Return the SHA-256s of the files that targets stand for: all of them are only declared."""
    answer = studio("ask", "unknown-origin", *targets, "--json")
    assert answer.code == 3, answer.err
    return sorted(file["sha256"] for file in answer.json["files"])


def digests(studio: Studio, *episodes: str) -> list[str]:
    return sorted(sha256(path_of(studio, each).read_bytes()).hexdigest() for each in episodes)


def test_a_target_is_of_one_episode(series: Studio) -> None:
    for target, episode in {
        "ep01/.": "ep01",
        "ep02": "ep02",
        "ep02/sq010/sh010": "ep02",
        "ep02/sq010/sh010/1001": "ep02",
        "sq010/sh010": "film",
        "nightfall/-/sq010": "film",
    }.items():
        assert meant(series, target) == digests(series, episode), target
    assert meant(series, ".") == digests(series, "ep01", "ep02", "film")


def test_what_may_be_of_two_episodes_is_refused_with_what_to_write(series: Studio) -> None:
    for number, episode in enumerate(("ep01", "ep02"), 8):
        file = path_of(series, episode, "sh020")
        file.parent.mkdir()
        series.png("comp.1001.png", number).rename(file)
        series.record(file, *DRAWN, "--episode", episode, *place("sh020"))
    refused = series.fails("clear.ambiguous", "clear", "sq010/sh020", *policy(series))
    assert "ep01, ep02" in refused.err
    assert "ep03/sq010/sh020" in refused.err
    assert "did you mean" in series("clear", "ep02/sq010/sh02", *policy(series)).err.lower()


def test_a_report_of_an_episode_and_of_all_of_them(series: Studio, tmp_path: Path) -> None:
    def written(name: str, *what: str) -> dict[str, Any]:
        out = tmp_path / name
        answer = series("report", *what, *policy(series), "--out", out)
        assert answer.code in (0, 3, 4), answer.err
        found: dict[str, Any] = json.loads((out / "report.json").read_bytes())
        return found

    one = written("one", "--episode", "ep01")
    assert one["head"]["scope"] == "the episode ep01"
    assert [row[1] for row in one["tables"]["shots"]["rows"]] == ["ep01/sq010/sh010"]
    assert one["tables"]["episodes"]["rows"] == []
    everything = written("all", "--production", "nightfall")
    assert [row[1:4] for row in everything["tables"]["episodes"]["rows"]] == [
        ["ep01", 1, 1],
        ["ep02", 1, 1],
        [None, 1, 1],
    ]
    with (tmp_path / "all" / "tables" / "frames.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["episode"] for row in rows) == ["", "ep01", "ep02"]
    page = (tmp_path / "all" / "report.html").read_text(encoding="utf-8")
    assert "Episode by episode" in page
    assert "Episode by episode" not in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    assert series("report", "--episode", "ep01", "sh010", *policy(series), "--out", tmp_path / "no").code == 2


def test_coverage_names_the_episode_of_the_step_or_of_the_path(
    series: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stray = path_of(series, "ep01", "sh090")
    stray.parent.mkdir()
    series.png("comp.1001.png", 90).rename(stray)
    pattern = "{episode}/{sequence}/{shot}/"
    found = series("coverage", series.work, "--place", pattern, "--by", "shot", "--json").json
    names = {group["name"] for group in found["by"]["shot"]}
    assert {"ep01/sq010/sh010", "ep02/sq010/sh010", "sq010/sh010", "ep01/sq010/sh090"} <= names
