"""What all answers to readers have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """An object with these members and no others."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Problem(BaseModel):
    """An error as problem details (RFC 9457). ``code`` is stable; ``evidence`` depends on it.

    ``requestId`` is the number that the server's log has.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
    evidence: dict[str, Any] = Field(default_factory=dict)
    request_id: str | None = Field(None, alias="requestId")


class Log(Shape):
    """The tree that an answer was computed at: everything in it is in the answer."""

    origin: str
    size: int


class Answered(Shape):
    """Any answer."""

    log: Log


class Paged(Answered):
    """Any page. ``next`` goes into ``after``; a page may be short, even empty, and still have one."""

    next: str | None


class Span(Shape):
    """The first and the last frame."""

    first: int
    last: int
