"""What a report says of a sealed file, in short."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Result, Studio

GENERATE = ("--action", "generate", "--tool", "painter 1.0")


def named(result: Result) -> dict[str, bool]:
    """The models and datasets of a report, and whether a grant covered each."""
    return {thing["name"]: any(g["inTerm"] for g in thing["grants"]) for thing in result.json["named"]}


def proven(studio: Studio, path: Path) -> Result:
    result = studio.verify(path)
    assert (result.code, result.json["outcome"]) == (0, "proven"), result.out
    return result
