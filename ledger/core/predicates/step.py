"""``step/v1``: one recorded generation or edit. The subjects are what it wrote.

Shaped after in-toto ``link``: materials are what it read, each with its role. Prompts and names of people are
not here; their salted digests are, in ``_sd`` (RFC 9901), and the openings live where they can be erased.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from ledger.core.artifact import ROLES_V1, Artifact, read_artifact
from ledger.core.fields import Fields, format_time, present


class StepAction(StrEnum):
    """What kind of step it was."""

    GENERATE = "generate"
    EDIT = "edit"
    COMPOSITE = "composite"
    DRAW = "draw"
    RENDER = "render"
    CONVERT = "convert"
    IMPORT = "import"


class Evidence(StrEnum):
    """How the record came to be, strongest first (design invariant: evidence has a class)."""

    # Enum's own is written in Python, and this is part of every item of a basis.
    __hash__ = str.__hash__

    OBSERVED = "observed"
    INFERRED = "inferred"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the production: episode, sequence, shot, task, version, frame range (inclusive).

    Episode, sequence and shot say together which shot it is: two episodes may both have sq010/sh020.
    """

    production: str
    sequence: str | None = None
    shot: str | None = None
    task: str | None = None
    version: str | None = None
    frames: tuple[int, int] | None = None
    episode: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the members of the predicate."""
        frames = self.frames and {"first": self.frames[0], "last": self.frames[1]}
        return present(
            production=self.production,
            episode=self.episode,
            sequence=self.sequence,
            shot=self.shot,
            task=self.task,
            version=self.version,
            frames=frames,
        )


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that ran; ``sha256`` is of its executable where that is known."""

    name: str
    version: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``actor`` is a pseudonymous identifier such as ``actor:9f3b6c52``, never a name."""

    TYPE: ClassVar[str] = "https://rakkan.org/step/v1"

    step_id: str
    action: StepAction
    evidence: Evidence
    place: Place
    started: datetime
    finished: datetime
    actor: str
    tool: Tool
    materials: tuple[Artifact, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    commitments: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the predicate object."""
        return present(
            stepId=self.step_id,
            action=self.action.value,
            evidence=self.evidence.value,
            place=self.place.to_json(),
            started=format_time(self.started),
            finished=format_time(self.finished),
            actor=self.actor,
            tool=present(name=self.tool.name, version=self.tool.version, sha256=self.tool.sha256),
            materials=[material.to_json() for material in self.materials],
            parameters=self.parameters,
            _sd=list(self.commitments),
        )

    @classmethod
    def read(cls, fields: Fields) -> Step:
        """Take the predicate's fields."""
        materials = enumerate(fields.items("materials"))
        return cls(
            **read_parts(fields),
            materials=tuple(
                read_artifact(item, f"predicate.materials[{n}]", ROLES_V1) for n, item in materials
            ),
        )


def read_parts(fields: Fields) -> dict[str, Any]:
    """Take the fields that every version of a step has, but for the materials: arguments by name."""
    started, finished = fields.time("started"), fields.time("finished")
    if finished < started:
        raise fields.error("finished", "is earlier than started")
    return {
        "step_id": fields.text("stepId"),
        "action": fields.choice("action", StepAction),
        "evidence": fields.choice("evidence", Evidence),
        "place": read_place(fields.sub("place")),
        "started": started,
        "finished": finished,
        "actor": fields.text("actor"),
        "tool": _read_tool(fields.sub("tool")),
        "parameters": fields.map("parameters"),
        "commitments": fields.commitments("_sd"),
    }


def read_place(fields: Fields) -> Place:
    """Take the fields of a place."""
    frames = _read_frames(fields.sub("frames")) if fields.has("frames") else None
    place = Place(
        fields.text("production"),
        fields.optional_text("sequence"),
        fields.optional_text("shot"),
        fields.optional_text("task"),
        fields.optional_text("version"),
        frames,
        fields.optional_text("episode"),
    )
    fields.end()
    return place


def _read_frames(fields: Fields) -> tuple[int, int]:
    first, last = fields.take("first", int), fields.take("last", int)
    if last < first:
        raise fields.error("last", "is before first")
    fields.end()
    return first, last


def _read_tool(fields: Fields) -> Tool:
    sha256 = fields.sha256("sha256") if fields.has("sha256") else None
    tool = Tool(fields.text("name"), fields.text("version"), sha256)
    fields.end()
    return tool
