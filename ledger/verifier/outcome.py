"""What came of each check, and of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ledger.errors import RakkanError, UndecidedError

T = TypeVar("T")
PASSED, FAILED, UNDECIDED = "passed", "failed", "undecided"
WORDS = {PASSED: "ok", FAILED: "ALTERED", UNDECIDED: "cannot decide"}
OUTCOMES = {0: "proven", 1: "altered", 3: "cannot decide"}
MOST_SAID = 20
"""Of one check, how much that is wrong is told in words; the rest is counted."""


@dataclass(slots=True)
class Check:
    """One check: what it is, what came of it, and in words what was looked at and what is wrong."""

    key: str
    title: str
    result: str = PASSED
    said: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    wrong: int = 0

    def say(self, words: str) -> None:
        """Add what was found."""
        self.said.append(words)

    def mark(self, error: RakkanError, words: str = "") -> None:
        """Take in something that is wrong, or that cannot be decided."""
        self.wrong += 1
        self.codes = list(dict.fromkeys((*self.codes, error.code)))
        if self.wrong <= MOST_SAID:
            self.say(f"{words}{error}")
        if self.result != FAILED:
            self.result = UNDECIDED if isinstance(error, UndecidedError) else FAILED


@dataclass(frozen=True, slots=True)
class Outcome:
    """All checks, in order."""

    checks: list[Check] = field(default_factory=list)

    def run(self, key: str, title: str, look: Callable[[Check], T]) -> T | None:
        """Return what a check finds; ``None`` where it ends with an error, which is what came of it."""
        check = Check(key, title)
        self.checks.append(check)
        found = None
        try:
            found = look(check)
        except RakkanError as error:
            check.mark(error)
        if check.wrong > MOST_SAID:
            check.say(f"and {check.wrong - MOST_SAID:,} more of the kind")
        return found

    @property
    def exit_code(self) -> int:
        """0 proven, 1 altered, 3 cannot decide."""
        results = {check.result for check in self.checks}
        return 1 if FAILED in results else 3 if UNDECIDED in results else 0

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as a document."""
        checks = [
            {"check": item.key, "result": item.result, "said": item.said, "codes": item.codes}
            for item in self.checks
        ]
        return {"outcome": OUTCOMES[self.exit_code], "exitCode": self.exit_code, "checks": checks}

    def lines(self) -> Iterator[str]:
        """Yield the outcome for a person."""
        for item in self.checks:
            yield f"{WORDS[item.result]:>13}  {item.title}"
            yield from (f"{'':15}{words}" for words in item.said)
        yield ""
        yield f"{OUTCOMES[self.exit_code].capitalize()}."
