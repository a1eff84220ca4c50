"""What the page about a file says of an answer: which headline, and each check in plain words.

An answer is the JSON of ``/v1/verify`` (docs/spec/http-verify.md) as its viewer may see it: a page can say no
more than a program is told.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any, NamedTuple

from ledger.core.fields import parse_time
from ledger.core.report import SIGNER_LISTED
from ledger.render.pages.verify_words import ANSWERS, HEADLINES, STATUSES, Headline

Json = Mapping[str, Any]
_BROKEN = frozenset({"verify.crashed", "verify.too-costly", "verify.timeout"})
_TORN = frozenset({"manifest.malformed", "manifest.too-large"})


class Line(NamedTuple):
    """One check: its name, class, mark and word of its status, its answer, and that of a program.

    The name is a key of ``verify_words.CHECKS``, unless a stranger chose it.
    """

    name: str
    look: str
    mark: str
    word: str
    answer: str
    technical: str
    codes: tuple[str, ...]


class Download(NamedTuple):
    """A small file that is in the page itself: its name, and its content as a ``data:`` address."""

    name: str
    href: str


def headline(said: Json) -> Headline:
    """Return what the page begins with."""
    return HEADLINES[_situation(said)]


def confirmed(said: Json) -> bool:
    """Whether the signer is whom the seal names, as far as anybody known here vouches for it."""
    found = {check["check"]: check for check in said["checks"]}
    if "signer" not in found or found["claim"]["status"] != "passed":
        return False
    return found["signer"]["status"] == "passed" or SIGNER_LISTED in found["signer"]["codes"]


def lines(said: Json) -> list[Line]:
    """Return the checks in their order."""
    found = []
    for check in said["checks"]:
        name, status, codes = check["check"], check["status"], check["codes"]
        answer = next((ANSWERS[name, code] for code in codes if (name, code) in ANSWERS), None)
        plain = answer or ANSWERS.get((name, status), "")
        found.append(Line(name, *STATUSES[status], plain, check["words"], tuple(codes)))
    return found


def steps(said: Json) -> list[Json]:
    """Return the steps; a moment that cannot be read is none, for a stranger's file may have said it."""
    return [{**step, "finished": moment(step["finished"])} for step in said["steps"]]


def moment(text: str | None) -> str | None:
    """Return the text if it is a moment."""
    try:
        parse_time(text or "")
    except ValueError:
        return None
    return text


def raw(said: Json) -> str:
    """Return the answer as a program reads it."""
    return dumps(said, indent=2, ensure_ascii=False)


def downloads(said: Json) -> Iterator[Download]:
    """Yield the answer itself, and the receipt of each entry that it brings."""
    yield Download("verification.json", _data("application/json", b64encode(raw(said).encode()).decode()))
    for entry in (said["ledger"] or {}).get("entries", ()):
        href = _data("application/octet-stream", entry["receipt"])
        yield Download(f"entry-{entry['index']}.tlog-proof", href)


def _data(media_type: str, base64: str) -> str:
    return f"data:{media_type};base64,{base64}"


def _situation(said: Json) -> str:
    outcome = said["outcome"]
    if outcome == "proven":
        return "proven" if said["named"] else "proven-bare"
    if outcome == "altered":
        return _altered({check["check"] for check in said["checks"] if check["status"] == "failed"})
    codes = {code for check in said["checks"] for code in check["codes"]}
    if outcome == "recorded":
        return "recorded-digest" if "verify.digest-only" in codes else "recorded"
    return "signed" if outcome == "signed" else _undecided(said, codes)


def _altered(failed: set[str]) -> str:
    if "claim" in failed:
        return "tampered"
    return "changed" if failed & {"bytes", "subject"} else "contradicted"


def _undecided(said: Json, codes: set[str]) -> str:
    """Return the first of these that it is: what says most comes first."""
    undecided = {check["check"] for check in said["checks"] if check["status"] == "undecided"}
    digest, bare = "verify.digest-only" in codes, "verify.no-manifest" in codes
    pictured, unknown = "ledger.pixels" in codes, said["ledger"] is None
    found = {
        "broken": bool(codes & _BROKEN),
        "copy-digest": pictured and digest,
        "copy": pictured and bare,
        "resealed": pictured,
        "alone": not unknown and said["ledger"]["by"] == "manifest",
        "unlicensed": undecided == {"grants"},
        "gaps": undecided <= {"history", "materials", "grants"},
        "unreadable": unknown and "file.malformed" in codes,
        "torn": unknown and bool(codes & _TORN),
        "unknown-digest": unknown and digest,
        "unknown": unknown and bare,
        "stranger": "signer" in undecided and not undecided & {"bytes", "claim"},
    }
    return next((key for key, holds in found.items() if holds), "open")
