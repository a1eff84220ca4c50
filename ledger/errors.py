"""Every error Rakkan raises on purpose: one tree, each with a stable code.

    RakkanError
    ├── MalformedError    the bytes are not what their format says      exit 2
    ├── UsageError        the request cannot be carried out as asked    exit 2
    ├── RefusedError      well-formed, but a rule forbids it            exit 2
    ├── UndecidedError    something needed for an answer is missing     exit 3
    └── IntegrityError    two records that must agree do not            exit 1

A code (``envelope.too-large``) is part of the public interface: it never changes its meaning, and a
script may match on it. The sentence beside it may be improved at any time. ``ledger.codes`` holds every code
with what to do about it; ``docs/reference/errors.md`` is generated from it, and a test checks that each
code is raised somewhere and that nothing is raised without one.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.codes import CODES


class RakkanError(Exception):
    """An error with a code, a sentence, and the evidence that belongs to it.

    ``evidence`` holds what a person needs to see for themselves (both roots, the index, the path); its
    values are shown with ``str`` and never contain secrets.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, code: str, message: str, **evidence: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.evidence = evidence

    @property
    def hint(self) -> str:
        """What to do about it."""
        return CODES[self.code]

    def to_json(self) -> dict[str, object]:
        """The error as every JSON output of ours prints it."""
        shown = {name: str(value) for name, value in self.evidence.items()}
        return {"code": self.code, "message": self.message, "hint": self.hint, "evidence": shown}

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class MalformedError(RakkanError):
    """The bytes are not what their format says."""

    exit_code = 2


class UsageError(RakkanError):
    """The request cannot be carried out as it was asked."""

    exit_code = 2


class RefusedError(RakkanError):
    """Well-formed, but a rule forbids it."""

    exit_code = 2


class UndecidedError(RakkanError):
    """Something that an answer needs is missing. Never evidence of forgery."""

    exit_code = 3


class IntegrityError(RakkanError):
    """Two records that must agree do not."""

    exit_code = 1
