"""The tables of files: verdicts, strips, the pictures of shots, and the shots to look at first."""

from __future__ import annotations

import pytest

from ledger.core.audit import Table
from ledger.core.audit.tables import SHOTS
from ledger.core.predicates.answer import Answer, Grade
from ledger.core.predicates.reasons import Verdict
from ledger.core.rights.basis import Item, ItemKind
from ledger.core.rights.clearance import Clearance
from ledger.service.places import Place
from ledger.service.report.frames import Basis, frames_table, gaps_table, shots_table, worst_shots
from ledger.service.report.population import Frame, Known, Population, Shot
from ledger.service.report.shots import Disclosed
from tests.support.reports import shot as row

VERDICTS = {"c": Verdict.CLEARED, "r": Verdict.NEEDS_REVIEW, "b": Verdict.BLOCKED}


def basis(letter: str) -> frozenset[Item]:
    return frozenset({Item(ItemKind.MODEL, letter * 64, f"model {letter}")})


def answer(letter: str) -> Answer:
    return Answer(VERDICTS[letter], Grade.L2, (), (0, 0, 1, 0, 0))


NUMBERED = {
    basis(letter): Basis(n, Clearance(answer("c"), answer(letter)), True, (f"model {letter}",), ())
    for n, letter in enumerate("crb", 1)
}


def shot(letters: str, absent: int = 0) -> Shot:
    frames = [
        Frame(
            f"a.{n}.png",
            f"{n:064x}",
            Known.UNKNOWN if letter == "u" else Known.BYTES,
            None if letter == "u" else basis(letter),
            n,
            "v1",
            n,
        )
        for n, letter in enumerate(letters)
    ]
    return Shot("sh010", Place(None, "sq010", "sh010"), None, frames, absent)


def table(*shots: Shot) -> Table:
    population = Population("", shots, ())
    return shots_table(population, NUMBERED, [Disclosed(None, ()) for _ in shots])


def cell(shot: Shot, key: str) -> object:
    return table(shot).column(key)[0]


@pytest.mark.parametrize(
    ("letters", "absent", "now"),
    [
        ("ccc", 0, "cleared"),
        ("crc", 0, "needs_review"),
        ("crb", 0, "blocked"),
        ("ccu", 0, "undecided"),
        ("ccc", 1, "undecided"),
        ("", 3, "undecided"),
        ("ru", 0, "needs_review"),
        ("bu", 2, "blocked"),
    ],
)
def test_a_shot_has_its_worst_verdict_and_none_where_not_all_is_known(
    letters: str, absent: int, now: str
) -> None:
    assert cell(shot(letters, absent), "now") == now


def test_the_strip_has_the_frames_in_order_and_what_is_absent_last() -> None:
    assert cell(shot("ccrrcu", 2), "strip") == ("c", 2, "r", 2, "c", 1, "u", 3)
    assert cell(shot("", 0), "strip") == ()


@pytest.mark.parametrize(("letters", "place"), [("cccbbbc", 4), ("ccrcc", 2), ("cuc", 1), ("ccc", 1)])
def test_the_middle_one_of_the_worst_frames_stands_for_a_shot(letters: str, place: int) -> None:
    assert cell(shot(letters), "picture") == f"{place:064x}"
    assert cell(shot("", 1), "picture") is None


def test_every_frame_has_a_row_and_one_that_is_absent_too() -> None:
    rows = frames_table(Population("", (shot("cu", 1), shot("b")), ()), NUMBERED).shown
    assert [(each[0], each[1], each[6], each[8]) for each in rows] == [
        (1, 1, "bytes", "cleared"),
        (2, 1, "unknown", "undecided"),
        (3, 1, "absent", "undecided"),
        (4, 2, "bytes", "blocked"),
    ]


def test_gaps_are_numbered_through_all_shots() -> None:
    gaps = gaps_table(Population("", (shot("cu", 2), shot("u")), ())).shown
    assert [each[:3] for each in gaps] == [(1, "absent", 1), (2, "unknown", 1), (3, "unknown", 2)]


def test_the_worst_shots_are_those_with_most_that_is_blocked_then_to_be_reviewed_then_open() -> None:
    shots = [row(1, "ccc"), row(2, "rrr"), row(3, "bcc"), row(4, "bbc"), row(5, "cuu"), row(6, "cuu")]
    assert worst_shots(Table(SHOTS, tuple(shots))) == ("4", "3", "2", "5", "6")
    assert worst_shots(Table(SHOTS, tuple(shots)), 2) == ("4", "3")
    assert worst_shots(Table(SHOTS, (row(1, "ccc"),))) == ()
