"""The board of a small film: what it says of shots and files, which are wanted, and how boards are kept."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ledger.adapters.profiles import load
from ledger.core.audit import STRIP_LETTERS
from ledger.core.rights.profile import Profile
from ledger.errors import MalformedError, RefusedError, UsageError
from ledger.service.board import findings, shot, shots
from ledger.service.board.board import Board, Line, make_board
from ledger.service.board.glances import last_friday
from ledger.service.board.keeping import KEPT, WAITING, Boards
from ledger.service.board.shots import Filters
from ledger.service.places import Place
from ledger.service.reading.pages import Page
from ledger.service.studio import Studio
from ledger.wiring import open_studio
from tests.support.feature import Feature
from tests.support.feature_home import AT, POLICY, Kept, made


@pytest.fixture(scope="module")
def studio(small: Kept) -> Iterator[Studio]:
    with open_studio(small.home) as found:
        yield found


@pytest.fixture(scope="module")
def board(studio: Studio) -> Board:
    return make_board(studio, load(POLICY), AT)


def test_the_board_says_what_a_report_of_the_whole_says(board: Board, small: Kept) -> None:
    report = small.report(".").report
    rows = report.tables["shots"]
    assert ["/".join(filter(None, line.place)) for line in board.lines] == rows.column("place")
    for key in ("frames", "then", "now", "grade", "blocked", "models", "findings", "strip", "picture"):
        assert [getattr(line, key) for line in board.lines] == rows.column(key), key
    assert (board.then, board.now) == (report.verdict_then, report.verdict_now)
    assert board.findings == report.tables["findings"]
    assert sum(shots.evidence(board).values()) == board.frames
    assert sum(shots.counted(board).values()) == board.frames


def test_what_no_shot_names_and_what_nobody_explains_is_there(board: Board) -> None:
    assert shots.evidence(board)["unknown"] > 0
    (unexplained,) = [line for line in board.lines if line.evidence[-1]]
    wanted = shots.select(board, Filters(evidence="unknown"), Page(("x",)))
    assert wanted.lines == (unexplained,)


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        (Filters(verdict="blocked"), lambda line: line.now == "blocked"),
        (Filters(text="SH0003"), lambda line: line.place.shot == "sh0003"),
        (Filters(sequence="sq000", grade="L0"), lambda line: line.grade == "L0"),
        (Filters(model="model-0"), lambda line: "model-0" in line.models),
        (Filters(sequence="elsewhere"), lambda _: False),
    ],
)
def test_the_shots_that_are_wanted_are_those(board: Board, asked: Filters, holds: object) -> None:
    assert callable(holds)
    found = shots.select(board, asked, Page(("x",)))
    assert list(found.lines) == [line for line in board.lines if holds(line)]
    assert found.total == len(found.lines)


def test_pages_of_shots_are_all_of_them_once(board: Board) -> None:
    seen: list[Line] = []
    after = None
    while True:
        found = shots.select(board, Filters(), Page(("x",), 3, after))
        seen += found.lines
        after = found.next
        if after is None:
            break
    assert seen == list(board.lines)
    cursor = shots.select(board, Filters(), Page(("x",), 3)).next
    with pytest.raises(MalformedError):
        shots.select(board, Filters(), Page(("another question",), 3, cursor))


def test_the_worst_come_first(board: Board) -> None:
    first = shots.worst(board, 3)
    assert first[0].blocked == max(line.blocked for line in board.lines)
    assert all(line.now != "cleared" or line.doubles for line in first)


def test_who_does_not_read_the_registry_is_not_told_what_a_finding_is_about(board: Board) -> None:
    told = findings.kinds(board.findings, board.touched, registry=False)
    whole = findings.kinds(board.findings, board.touched, registry=True)
    assert [(kind.code, kind.state) for kind in told] == [(kind.code, kind.state) for kind in whole]
    for kind in told:
        for item in kind.findings:
            assert (item.about, item.sha256, item.detail, item.path, item.since) == (
                None,
                None,
                None,
                (),
                None,
            )
    assert any(item.about for kind in whole for item in kind.findings)


def test_a_finding_names_the_shots_that_it_touches(board: Board) -> None:
    for kind in findings.kinds(board.findings, board.touched, registry=True):
        for item in kind.findings:
            assert bool(item.places) == bool(item.now)


def test_a_shot_says_of_its_files_what_the_board_counts(board: Board, studio: Studio) -> None:
    for line in board.lines[:4]:
        found = shot.show(studio, load(POLICY), line.place, Page(("x",), 1_000))
        assert len(found.files) == found.total == line.frames
        now = Counter(file.now for file in found.files)
        coded = zip(line.strip[::2], line.strip[1::2], strict=True)
        counted = Counter[str]()
        for letter, count in coded:
            counted[STRIP_LETTERS[str(letter)]] += int(count)
        assert now == counted
        assert found.makers
        assert found.models == line.models


def test_a_shot_of_many_frames_comes_in_pages(board: Board, studio: Studio) -> None:
    place = board.lines[0].place
    seen: list[str] = []
    after = None
    while True:
        found = shot.show(studio, load(POLICY), place, Page(("x",), 7, after))
        seen += [file.frame.sha256 for file in found.files]
        after = found.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) == board.lines[0].frames


def test_a_board_is_computed_once_for_all_who_look(studio: Studio) -> None:
    computed: list[str] = []

    def make(studio: Studio, profile: Profile, at: datetime, known: datetime | None) -> Board:
        computed.append(profile.name)
        return make_board(studio, profile, at, known)

    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(6) as people:
        boards = Boards(studio, pool, make)
        found = list(people.map(lambda _: boards.get(load(POLICY), patience=30), range(6)))
        assert {item.board is None for item in found} == {False}
        assert computed == [POLICY]
        boards.get(load("insurer"), patience=30)
        assert computed == [POLICY, "insurer"]


def test_nobody_waits_for_long_and_the_last_board_is_shown_meanwhile(studio: Studio) -> None:
    go, begun = threading.Event(), threading.Event()

    def make(studio: Studio, profile: Profile, at: datetime, known: datetime | None) -> Board:
        begun.set()
        assert go.wait(30)
        return make_board(studio, profile, at - timedelta(hours=1), known)

    with ThreadPoolExecutor(1) as pool:
        boards = Boards(studio, pool, make)
        assert boards.get(load(POLICY), patience=0).board is None
        assert begun.wait(30)
        go.set()
        old = boards.get(load(POLICY), patience=30)
        assert old.board is not None  # of a quarter of an hour that is over
        go.clear()
        shown = boards.get(load(POLICY), patience=0)
        assert shown.board is old.board
        assert shown.behind
        go.set()


def test_boards_that_wait_and_boards_that_are_kept_are_few(studio: Studio) -> None:
    go = threading.Event()

    def make(studio: Studio, profile: Profile, at: datetime, known: datetime | None) -> Board:
        assert go.wait(30)
        return make_board(studio, profile, at, known)

    moments = [AT - timedelta(days=n) for n in range(KEPT + 3)]
    with ThreadPoolExecutor(1) as pool:
        boards = Boards(studio, pool, make)
        for moment in moments[:WAITING]:
            boards.get(load(POLICY), moment, patience=0)
        with pytest.raises(RefusedError, match="As many boards") as refused:
            boards.get(load(POLICY), moments[WAITING], patience=0)
        assert refused.value.code == "clear.busy"
        go.set()
        for moment in moments:
            assert boards.get(load(POLICY), moment, patience=30).board is not None
        assert sum(boards.get(load(POLICY), each, patience=0).board is not None for each in moments) <= KEPT


def test_the_working_week_ends_on_friday_evening() -> None:
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    friday = datetime(2026, 11, 20, 18, tzinfo=UTC)
    assert last_friday(monday) == friday
    assert last_friday(friday) == friday
    assert last_friday(friday - timedelta(seconds=1)) == friday - timedelta(days=7)


def test_an_empty_production_has_a_board_that_says_so(bare: Studio) -> None:
    found = make_board(bare, load(POLICY), bare.clock.now())
    assert (found.lines, found.now, found.grade) == ((), "undecided", None)
    assert shots.sequences(found) == []
    assert shots.evidence(found) == {}
    assert not findings.kinds(found.findings, found.touched, registry=True)


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = made(tmp_path_factory.mktemp("bare") / "home", Feature(0, 0, 1))
    with open_studio(home) as found:
        yield found


def test_a_place_without_steps_is_no_shot(studio: Studio) -> None:
    with pytest.raises(UsageError, match="No step"):
        shot.show(studio, load(POLICY), Place(None, None, "sh0001"), Page(("x",)))
