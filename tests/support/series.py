"""A series in a home: two episodes with the same sequences, the same shots and the same names of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ledger.adapters.home import Home
from ledger.core.artifact import Artifact
from ledger.core.predicates import Step
from ledger.core.statement import Statement
from tests.support.feature import FIRST, Feature, frame_name
from tests.support.feature_home import made
from tests.support.timelines import clip, images, span, timeline, written

EPISODES = ("ep01", "ep02")
SHOTS = 4
"""Shots of each episode: sq000/sh0000 to sq000/sh0003."""
_SHOT = re.compile(r"(?<=sh)[0-9]{4}")


@dataclass(frozen=True)
class Series(Feature):
    """The work of a feature, cut into two episodes; what is left is in none, under the same names again."""

    def statements(self) -> Iterator[tuple[str, Statement]]:
        """Yield the same statements, each in its episode."""
        for device, statement in Feature.statements(self):
            yield device, _in_episode(statement)


SERIES = Series(len(EPISODES) * SHOTS, 80, 3)


@pytest.fixture(scope="session")
def series(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two episodes of four shots and some forty frames. Never written to."""
    return made(tmp_path_factory.mktemp("series") / "home", SERIES)


def cut_of(folder: Path, name: str, shots: Iterable[int] = range(SHOTS)) -> Path:
    """Write a cut of this name that shows these shots of an episode, none of the media here."""
    clips = []
    for shot in shots:
        word = frame_name(shot, FIRST).partition(".")[0]
        numbers = range(FIRST, FIRST + 3)
        clips.append(clip(f"sh{shot:04}", images(word[:12], f"{word}.", numbers, suffix=".exr"), span(0, 3)))
    return written(timeline(clips, name=name), folder / "cut.otio")


def _in_episode(statement: Statement) -> Statement:
    predicate = statement.predicate
    subjects = tuple(map(_renamed, statement.subjects))
    if not isinstance(predicate, Step):
        return replace(statement, subjects=subjects)
    number, shot = divmod(int(_SHOT.findall(predicate.place.shot or "")[0]), SHOTS)
    episode = EPISODES[number] if number < len(EPISODES) else None
    place = replace(predicate.place, episode=episode, shot=f"sh{shot:04}")
    materials = tuple(map(_renamed, predicate.materials))
    return Statement(subjects, replace(predicate, place=place, materials=materials))


def _renamed(file: Artifact) -> Artifact:
    return replace(file, name=_SHOT.sub(lambda found: f"{int(found[0]) % SHOTS:04}", file.name))
