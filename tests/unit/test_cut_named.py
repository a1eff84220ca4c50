"""Files that a cut names and that do not lie here: found by their name, where the clip or its path says."""

from __future__ import annotations

import time

import pytest

from ledger.service.clear.store import Final
from ledger.service.cuts.named import Named, episodes_in, key_of, words_of


def final(index: int, shot: str | None, sequence: str | None = "sq010", episode: str | None = None) -> Final:
    about = index, 0, f"{index:064x}", "comp.1001.exr", 0
    return Final(*about, sequence, shot, "comp", "v1", 1001, 1001, episode)


def named(*finals: Final, cut: str = "") -> Named:
    by_shot: dict[str | None, list[Final]] = {}
    for each in finals:
        by_shot.setdefault(None if each.shot is None else key_of(each.shot), []).append(each)
    episodes = frozenset(each.episode for each in finals if each.episode)
    of = episodes_in(episodes, words_of(cut))
    return Named({"comp.1001.exr": by_shot}, {0: frozenset()}, episodes, of)


def found(held: Named, said: str) -> list[int]:
    return [file.final.index for file in held.at("comp.1001.exr", said) if file.final]


@pytest.mark.parametrize(
    "said",
    [
        "sh010/comp.1001.exr",
        "clip/shots/SH010/comp.1001.exr",
        "nf_sq010-sh010_v3/comp.1001.exr",
        "sh010",
    ],
)
def test_the_clip_or_the_path_says_the_shot_as_a_word(said: str) -> None:
    assert found(named(final(1, "sh010"), final(2, "sh0101"), final(3, "ash010")), said) == [1]


def test_a_part_of_a_word_says_nothing() -> None:
    assert found(named(final(1, "sh01")), "sh010/comp.1001.exr") == []
    assert found(named(final(1, "h010")), "sh010/comp.1001.exr") == []


def test_a_shot_may_have_several_words_and_signs_around_them() -> None:
    for shot in ("sh-010 b", "_sh-010 b!", "夜-010 b"):
        assert found(named(final(1, shot)), f"cut/{shot}/comp.1001.exr") == [1]
    assert found(named(final(1, "sh-010 b")), "cut/sh/010/b/comp.1001.exr") == []


def test_the_sequence_decides_where_it_is_said() -> None:
    both = named(final(1, "sh010", "sq010"), final(2, "sh010", "sq020"))
    assert found(both, "sq020/sh010/comp.1001.exr") == [2]
    assert found(both, "sh010/comp.1001.exr") == [1, 2]


@pytest.mark.parametrize(
    ("said", "cut", "expected"),
    [
        ("ep02/sq010/sh010/comp.1001.exr", "", [2]),
        ("sq010/sh010/comp.1001.exr", "ep02 final", [2]),
        ("EP01_sq010_sh010/comp.1001.exr", "ep02_final", [1]),
        ("sq010/sh010/comp.1001.exr", "final", []),
        ("ep03/sq010/sh010/comp.1001.exr", "", []),
    ],
)
def test_of_two_episodes_one_must_be_named_by_clip_path_or_cut(
    said: str, cut: str, expected: list[int]
) -> None:
    both = (final(1, "sh010", episode="ep01"), final(2, "sh010", episode="ep02"))
    other = final(3, "sh020", episode="ep03")
    assert found(named(*both, other, cut=cut), said) == expected


def test_what_is_in_no_episode_goes_before_what_may_be_in_any() -> None:
    held = named(final(1, "sh010"), final(2, "sh010", episode="ep02"))
    assert found(held, "sh010/comp.1001.exr") == [1]
    assert found(named(final(2, "sh010", episode="ep02")), "sh010/comp.1001.exr") == [2]


def test_a_file_of_no_shot_is_anybodys() -> None:
    assert found(named(final(1, None)), "anything/comp.1001.exr") == [1]


def test_many_shots_of_one_name_and_a_long_path_take_no_time() -> None:
    held = named(*(final(number, f"sh{number:04}") for number in range(2_000)))
    begun = time.process_time()
    for number in range(500):
        assert found(held, f"sh{number:04}/comp.1001.exr") == [number]
    assert found(held, "/".join(["x"] * 50_000)) == []
    assert time.process_time() - begun < 2
