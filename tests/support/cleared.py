"""A production with rights to clear: a title, a licensed model, its grant, three shots, and a policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.conftest import Studio

SVR = "https://in-toto.io/attestation/svr/v0.2"
PROFILE = "https://rakkan.org/policy-profile/v1"
FACTS = """
[[party]]
id = "mori"
kind = "organisation"
name = "Mori Studio"

[[title]]
id = "T-1"
name = "Nightfall"
productions = ["nightfall"]

[[dataset]]
name = "plates"
inventory = "plates.csv"

[[model]]
name = "sky"
weights = "sky.safetensors"
trained_on = ["plates:focused"]

[[grant]]
id = "G-7"
covers = ["plates", "sky"]
uses = ["focused-training", "inference-run", "output-final", "output-marketing"]
from = 2026-01-01
assigner = "mori"
contract = "contract.txt"
titles = ["T-1"]
territories = ["JP"]
media = ["broadcast", "streaming"]

[[review]]
about = ["sky", "plates"]
standing = "accepted"
reviewer = "actor:legal-2"
since = 2026-01-01
"""

POLICY = """
extends = "broadcast-jp"
name = "house"
version = "3"
summary = "What our own house asks for."

[grades]
final = "L1"
marketing = "L1"
merch = "L1"
"""


def license_production(studio: Studio, facts: str = FACTS) -> Path:
    """Import the facts into a studio, and return the policy's file."""
    (studio.work / "plates.csv").write_text(
        f"work,sha256,rights_holder\na,{'0' * 64},Mori\nb,{'1' * 64},Kawa\n"
    )
    (studio.work / "sky.safetensors").write_bytes(b"weights of the sky model")
    (studio.work / "contract.txt").write_text("Whereas the parties agree.\n")
    file = studio.work / "rights.toml"
    file.write_text(facts)
    studio.ok("rights", "import", file, "--apply")
    policy = studio.work / "house.toml"
    policy.write_text(POLICY)
    return policy


def place(shot: str, frames: str = "1001-1001", sequence: str = "sq010") -> tuple[str, ...]:
    """Return the options of `rakkan record` for a place."""
    return "--sequence", sequence, "--shot", shot, "--frames", frames


def shoot(studio: Studio) -> dict[str, Path]:
    """Make three shots: `sh010` painted with `sky` and graded, `sh020` painted, `sh030` drawn by hand."""
    painted = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky")
    files = {
        "plate": studio.record(studio.png("bg.1001.png", 1), *painted, *place("sh010")),
        "sh020": studio.record(studio.png("sh020.1001.png", 2), *painted, *place("sh020")),
        "sh030": studio.record(studio.png("sh030.1001.png", 3), "--action", "draw", *place("sh030")),
    }
    graded = ("--action", "edit", "--tool", "grade 2", "--parent", files["plate"])
    files["sh010"] = studio.record(studio.png("final.1001.png", 4), *graded, *place("sh010"))
    return files


def policy(studio: Studio) -> tuple[str, str]:
    """Return the options that name the house's own policy."""
    return "--policy", str(studio.work / "house.toml")


def clear(studio: Studio, *targets: object, code: int = 0) -> Any:
    """Clear as JSON; the command must end with this code."""
    result = studio("clear", *targets, *policy(studio), "--json")
    assert result.code == code, result.err or result.out
    return result.json


def verdicts(studio: Studio) -> list[dict[str, Any]]:
    """Every verdict in the log, oldest first, each with its subjects and its index."""
    rows = sorted(row[1] for row in studio.rows("statement") if row[2] == SVR)
    shown = [studio.ok("show", index).json for index in rows]
    return [{"index": item["index"], **item["statement"]} for item in shown]


def revoke(studio: Studio) -> int:
    """Revoke the grant with effect before the work was made; return the entry."""
    studio.ok("grant", "revoke", "G-7", "--effective", "2026-02-01")
    return studio.size() - 1
