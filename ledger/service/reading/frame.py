"""One file as the crew sees it: what it is, what made it, and what verdicts say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.scope import Media
from ledger.core.rights.profile import Profile
from ledger.errors import RefusedError, UsageError
from ledger.service.clear import question
from ledger.service.reading import clearances, verdicts
from ledger.service.reading.files import asset
from ledger.service.reading.pages import Page
from ledger.service.reading.sight import Sight
from ledger.service.reading.way import Stop, Stops
from ledger.service.studio import Studio

HISTORY = 20
"""Verdicts on record that are shown; the newest for each question are among them as a rule."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A file. ``known`` is what ``files.asset`` says, ``made`` how it came to be.

    ``recorded`` are its verdicts on record with their reasons, the newest for each question, newest first.
    """

    sha256: str
    made: Stop
    known: Mapping[str, Any]
    recorded: tuple[Mapping[str, Any], ...]

    @property
    def name(self) -> str:
        """Return its newest name."""
        return str(self.known["names"][0])


@dataclass(frozen=True, slots=True)
class Computed:
    """The answer of one policy now (``clearances.clearance``); ``None`` where it cannot be computed now."""

    policy: str
    delivery: Mapping[str, Any]
    answer: Mapping[str, Any] | None


def frame(studio: Studio, digest: str, sight: Sight) -> Frame:
    """Return what the log knows of a file. Raises as ``files.find``."""
    known = asset(studio, digest, sight)
    sha256 = known["sha256"]
    recorded: tuple[Mapping[str, Any], ...] = ()
    if sight.verdicts and known["verdicts"]:
        found = verdicts.history(studio, sha256, Page(("frame", sha256), HISTORY), sight)
        recorded = tuple(item for item in found.items if item["current"])
    made = Stops(studio, sight).stop({"sha256": sha256, "name": known["names"][0], "depth": 0}, None)
    return Frame(sha256, made, known, recorded)


def asked_as(recorded: Mapping[str, Any] | None) -> question.Asked:
    """Return the question of a verdict on record, or the plain one: finals, as the policy says."""
    if recorded is None:
        return question.Asked()
    said = recorded["delivery"]
    return question.Asked(
        Deliverable(said["deliverable"]),
        said.get("title"),
        tuple(map(Media, said["media"])),
        tuple(said["territories"]),
    )


def computed(
    studio: Studio, policy: Profile, asked: question.Asked, sha256: str, sight: Sight
) -> Computed | None:
    """Return a policy's answer about a file, now; ``None`` for what is no file of the work.

    A server that is busy, or behind its log, answers nothing for now: that says nothing of the file.
    """
    try:
        with clearances.one_of_few():
            found = clearances.clearance(studio, policy, asked, [sha256], sight)
    except RefusedError as error:
        if error.code not in {"clear.busy", "log.behind", "log.busy"}:
            raise
        return Computed(policy.name, {}, None)
    except UsageError as error:
        if error.code in {"clear.not-made", "clear.unknown-target"}:
            return None
        raise
    return Computed(policy.name, found["delivery"], found)
