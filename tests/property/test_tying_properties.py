"""A tie is what the digests say, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.tying import Run, Tie, resembling, tie

PICTURES = st.lists(st.sampled_from("abcdef"), max_size=12)
FILES = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30, unique=True)


def shown(found: Tie) -> list[int | None]:
    """Return the file of each frame."""
    files: list[int | None] = [None] * found.frames
    for run in found.runs:
        files[run.first : run.last + 1] = [run.file] * (run.last - run.first + 1)
    return files


@given(PICTURES, PICTURES)
def test_each_frame_is_a_file_with_its_picture_or_none(film: list[str], files: list[str]) -> None:
    found = tie(film, files)
    for digest, number in zip(film, shown(found), strict=True):
        assert (number is None) == (digest not in files)
        assert number is None or files[number] == digest
    unexplained = [at for first, last in found.extra for at in range(first, last + 1)]
    assert unexplained == [at for at, digest in enumerate(film) if digest not in files]


@given(PICTURES, PICTURES)
def test_a_file_is_shown_or_missing(film: list[str], files: list[str]) -> None:
    found = tie(film, files)
    assert sorted((*found.files, *found.missing)) == list(range(len(files)))
    assert set(found.missing) == {at for at, digest in enumerate(files) if digest not in film}


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30))
def test_a_film_of_its_files_is_tied_in_order_whatever_pictures_repeat(files: list[str]) -> None:
    found = tie(files, files)
    assert shown(found) == list(range(len(files)))
    assert found.complete
    assert (found.holds, found.back, found.extra, found.missing) == ((), (), (), ())
    assert found.stretches == (((0, len(files) - 1), (0, len(files) - 1)),)


@given(PICTURES, PICTURES)
def test_stretches_and_runs_say_the_same(film: list[str], files: list[str]) -> None:
    found = tie(film, files)
    spans = [frames for frames, _ in found.stretches]
    covered = [at for first, last in spans for at in range(first, last + 1)]
    assert covered == [at for at, number in enumerate(shown(found)) if number is not None]


@pytest.mark.parametrize(
    ("film", "expected"),
    [
        ("abcd", Tie(4, (Run(0, 0, 0), Run(1, 1, 1), Run(2, 2, 2), Run(3, 3, 3)), (0, 1, 2, 3), ())),
        ("aab", Tie(3, (Run(0, 1, 0), Run(2, 2, 1)), (0, 1), (2, 3))),
        ("ba", Tie(2, (Run(0, 0, 1), Run(1, 1, 0)), (1, 0), (2, 3))),
        ("axb", Tie(3, (Run(0, 0, 0), Run(2, 2, 1)), (0, 1), (2, 3))),
        ("", Tie(0, (), (), (0, 1, 2, 3))),
    ],
)
def test_holds_reorders_and_strangers(film: str, expected: Tie) -> None:
    found = tie(film, "abcd")
    assert found == expected
    assert found.complete == (film not in ("axb", ""))


def test_ten_thousand_black_frames_take_no_time() -> None:
    black = ["black"] * 10_000
    assert tie(black, black).stretches == (((0, 9_999), (0, 9_999)),)


@given(FILES, st.data())
def test_what_is_near_is_found_and_what_is_far_is_not(files: list[int], data: st.DataObject) -> None:
    film = [likeness ^ 1 << data.draw(st.integers(0, 63)) for likeness in files]
    for at, number in enumerate(shown(resembling(film, files))):
        assert number is not None
        assert (files[number] ^ film[at]).bit_count() <= 1
    assert resembling([files[0] ^ (2**64 - 1)], files[:1]).runs == ()
