"""Two episodes with the same shots, on every surface: nothing of one is ever taken for the other's."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.adapters.home import Home
from ledger.adapters.profiles import load
from ledger.core.artifact import Artifact, Role
from ledger.core.audit import Report
from ledger.core.audit.views import Reader as Eyes
from ledger.core.audit.views import View, seen_by
from ledger.core.predicates import AuditReport, Step
from ledger.core.statement import Statement
from ledger.errors import UsageError
from ledger.render.report.csv_table import to_csv
from ledger.service.board import glances, shots
from ledger.service.board.board import Board, make_board
from ledger.service.board.shots import Filters
from ledger.service.clear.places import at_place
from ledger.service.clear.projecting import catch_up
from ledger.service.clear.question import Asked, ask, clearer_over, see
from ledger.service.clear.store import Where, steps_of
from ledger.service.places import Place
from ledger.service.reading.pages import Page
from ledger.service.report.last import series_of
from ledger.service.report.population import Population, of_cut, of_recorded
from ledger.service.report.report import Made, make
from ledger.service.studio import Studio
from ledger.verifier.figures import check_counts, check_figures
from ledger.verifier.outcome import Check
from ledger.wiring import REGISTRAR, open_studio
from tests.support.builders import audit_report, digest
from tests.support.feature_home import AT, POLICY, append
from tests.support.reading import Reader, reading
from tests.support.series import EPISODES, SHOTS, cut_of

ONE, TWO = (Place(episode, "sq000", "sh0001") for episode in EPISODES)


@pytest.fixture(scope="module")
def studio(series: Home) -> Iterator[Studio]:
    with open_studio(series) as found:
        catch_up(found)
        yield found


@pytest.fixture(scope="module")
def board(studio: Studio) -> Board:
    return make_board(studio, load(POLICY), AT)


@pytest.fixture(scope="module")
def served(series: Home) -> Iterator[Reader]:
    with reading(series.folder) as found:
        yield found


def report(studio: Studio, population: Population) -> Made:
    seen = see(studio)
    return make(studio, clearer_over(seen, ask(studio, load(POLICY), Asked(at=AT))), population)


def digests(studio: Studio, place: Place) -> set[str]:
    """Return the final files of just this shot."""
    return {
        each.sha256 for each in studio.bases.finals_of([row.index for row in steps_of(studio.bases, place)])
    }


def counted_again(made: Report) -> list[str]:
    """Return what a receiver's verifier finds wrong with the figures."""
    check = Check("report", "The report")
    check_counts(made, check)
    check_figures(made, check)
    return check.codes


def test_the_board_has_each_shot_of_each_episode(board: Board, studio: Studio) -> None:
    assert [line.place for line in board.lines] == [
        Place(episode, "sq000", f"sh{shot:04}") for episode in EPISODES for shot in range(SHOTS)
    ]
    frames = {line.place: line.frames for line in board.lines}
    assert all(frames[place] == len(digests(studio, place)) > 0 for place in (ONE, TWO))
    assert digests(studio, ONE).isdisjoint(digests(studio, TWO))
    groups = shots.episodes(board)
    assert [(group.name, group.shots) for group in groups] == [(name, SHOTS) for name in EPISODES]
    assert sum((group.strip for group in groups), ()) == shots.joined(board.lines)
    assert [group.shots for group in shots.sequences(board, "ep02")] == [SHOTS]
    wanted = shots.select(board, Filters(episode="ep02"), Page(("x",)))
    assert {line.place.episode for line in wanted.lines} == {"ep02"}
    named = shots.select(board, Filters(text="EP02/sq000/sh0001"), Page(("x",)))
    assert [line.place for line in named.lines] == [TWO]


def test_a_step_of_one_episode_takes_nothing_out_of_another(series: Home, tmp_path: Path) -> None:
    shutil.copytree(series.folder, tmp_path / "home")
    home = Home(tmp_path / "home", None)
    with open_studio(home) as studio:
        catch_up(studio)
        row = steps_of(studio.bases, TWO)[-1]
        (plate, *_) = sorted(digests(studio, ONE))
        step = studio.statement(row.index).predicate
        assert isinstance(step, Step)
        read = replace(step, materials=(Artifact("plate.exr", plate, role=Role.COMPONENT),))
        signer = home.statement_signer("workstation")
        append(studio, [(signer, Statement((Artifact("x.exr", digest("theirs")),), read))])
        catch_up(studio)
        assert plate in digests(studio, ONE)
        own = replace(read, place=replace(read.place, episode="ep01"))
        append(studio, [(signer, Statement((Artifact("y.exr", digest("ours")),), own))])
        catch_up(studio)
        assert plate not in digests(studio, ONE)


def test_a_report_is_of_the_episode_that_was_asked_for(studio: Studio) -> None:
    two = of_recorded(studio, ["ep02/."])
    assert two.scope == "the episode ep02"
    assert {shot.place.episode for shot in two.shots} == {"ep02"}
    assert {frame.sha256 for shot in two.shots if shot.place == TWO for frame in shot.frames} == digests(
        studio, TWO
    )
    assert of_recorded(studio, ["ep02"]).digest == two.digest
    made = report(studio, two)
    assert made.report.tables["episodes"].rows == ()
    assert set(made.report.tables["frames"].column("episode")) == {"ep02"}
    with pytest.raises(UsageError, match="ep01, ep02") as raised:
        of_recorded(studio, ["sq000/sh0001"])
    assert raised.value.code == "clear.ambiguous"


def test_a_report_of_several_episodes_has_each_in_every_table(studio: Studio) -> None:
    whole = report(studio, of_recorded(studio, ["."]))
    tables = whole.report.tables
    assert list(tables["shots"].column("episode")) == [name for name in EPISODES for _ in range(SHOTS)]
    assert tables["shots"].column("name")[1] == "ep01/sq000/sh0001"
    episodes = tables["episodes"]
    assert list(episodes.column("episode")) == list(EPISODES)
    assert sum(episodes.column("frames")) == whole.report.figure("frames").value
    for key in ("cleared", "needs_review", "blocked", "undecided"):
        figure = whole.report.figure(key.replace("_", "-")).value
        assert sum(episodes.column(key)) == figure, key
    head, *rows = csv.reader("".join(to_csv(episodes)).lstrip("\ufeff").splitlines())
    assert head[1] == "episode"
    assert [row[1] for row in rows] == list(EPISODES)


def test_a_file_that_two_episodes_show_is_in_each_and_the_report_still_adds_up(
    series: Home, tmp_path: Path
) -> None:
    shutil.copytree(series.folder, tmp_path / "home")
    home = Home(tmp_path / "home", None)
    with open_studio(home) as studio:
        catch_up(studio)
        row = steps_of(studio.bases, ONE)[-1]
        statement = studio.statement(row.index)
        assert isinstance(statement.predicate, Step)
        place = replace(statement.predicate.place, episode="ep02", shot="sh0009")
        titles = replace(statement, predicate=replace(statement.predicate, place=place, step_id="titles"))
        append(studio, [(home.statement_signer("workstation"), titles)])
        catch_up(studio)
        made = report(studio, of_recorded(studio, ["."])).report
        again = Place("ep02", "sq000", "sh0009")
        assert digests(studio, again) <= digests(studio, ONE)
        shown = dict(
            zip(made.tables["shots"].column("place"), made.tables["shots"].column("frames"), strict=True)
        )
        assert shown[again.words] == len(statement.subjects)
        assert counted_again(made) == []
        twice = report(studio, of_cut(studio, cut_of(tmp_path, "ep01", (0, 1, 0)))).report
        assert counted_again(twice) == []


def test_who_may_not_see_the_work_learns_no_name_of_an_episode(studio: Studio) -> None:
    whole = report(studio, of_recorded(studio, ["."])).report
    public = seen_by(whole, Eyes(View.PUBLIC), b"s" * 32)
    word = re.compile(
        rf"(?<![\w-])({'|'.join(EPISODES)})(?![\w-])"
    )  # a commitment may hold any four characters
    for key in ("shots", "frames", "episodes"):
        assert word.search(str(whole.tables[key].rows)), key
        assert not word.search(str(public.tables[key].rows)), key


@pytest.mark.parametrize(("name", "episode"), [("ep02", "ep02"), ("Nightfall EP01 v3", "ep01")])
def test_a_cut_of_an_episode_shows_its_frames_alone(
    studio: Studio, tmp_path: Path, name: str, episode: str
) -> None:
    found = of_cut(studio, cut_of(tmp_path, name))
    assert {shot.place.episode for shot in found.shots} == {episode}
    assert {frame.episode for shot in found.shots for frame in shot.frames} == {episode}


def test_a_cut_that_names_no_episode_takes_frames_of_none(studio: Studio, tmp_path: Path) -> None:
    found = of_cut(studio, cut_of(tmp_path, "final"))
    assert [(len(shot.frames), shot.absent) for shot in found.shots] == [(0, 3)] * SHOTS


def test_what_was_delivered_is_named_where_the_production_knows_it(series: Home, tmp_path: Path) -> None:
    shutil.copytree(series.folder, tmp_path / "home")
    home = Home(tmp_path / "home", None)
    with open_studio(home) as studio:
        reader = Eyes(View.DISTRIBUTOR)
        for number, scope in enumerate(("the episode ep02", "ep01/sq000/sh0001", "the cut secret")):
            follows = series_of(studio.log.origin, scope, reader)
            said = replace(audit_report(), series=follows, view=reader.view.value, identifier=f"AR-{number}")
            issued = Statement((Artifact("report.json", digest(scope)),), said)
            append(studio, [(home.statement_signer(REGISTRAR), issued)])
        catch_up(studio)
        places = [final.place for final in studio.bases.finals_at(Where())]
        found = glances.delivered(studio, places)
        assert [item.of for item in found] == ["", "ep01/sq000/sh0001", "ep02/."]
        assert all(isinstance(item.report, AuditReport) for item in found)


def test_over_http_an_episode_bounds_what_is_listed(served: Reader, studio: Studio) -> None:
    listed = served.get("/shots")["shots"]
    assert {(row["episode"], row["sequence"], row["shot"]) for row in listed} == {
        (episode, "sq000", f"sh{shot:04}") for episode in EPISODES for shot in range(SHOTS)
    }
    shown = served.get("/shots/ep02/sq000/sh0001")
    assert (shown["episode"], shown["shot"]) == ("ep02", "sh0001")
    assert {final["sha256"] for final in shown["finals"]} == digests(studio, TWO)
    served.get("/shots/sq000/sh0001", 404)
    served.get("/shots/-/sq000/sh0001", 404)
    for path, name in (("/assets", "assets"), ("/steps", "steps")):
        both = [len(list(served.pages(path, name, shot="sh0001", episode=each))) for each in EPISODES]
        assert sum(both) == len(list(served.pages(path, name, shot="sh0001"))) > max(both)
    files = [served.get("/coverage", episode=each)["files"] for each in EPISODES]
    assert sum(files) == served.get("/coverage")["files"] > max(files)
    groups = served.get("/questions/coverage", by="episode")["groups"]
    assert [(group["name"], group["files"]) for group in groups] == list(zip(EPISODES, files, strict=True))
    groups = served.get("/questions/coverage", by="shot", episode="ep01")["groups"]
    assert [group["name"] for group in groups] == [f"ep01/sq000/sh{shot:04}" for shot in range(SHOTS)]


def test_a_target_that_may_be_in_two_episodes_is_refused_over_http(served: Reader, studio: Studio) -> None:
    refused = served.post("/clearances", {"policy": POLICY, "targets": ["sq000/sh0001"]}, 400)
    assert refused["code"] == "clear.ambiguous"
    found = served.post("/clearances", {"policy": POLICY, "targets": ["ep01/sq000/sh0001"]})
    target = at_place(studio, "ep01/sq000/sh0001")
    assert target is not None
    assert found["targets"][0]["files"] == len(target.files) == len(digests(studio, ONE))
