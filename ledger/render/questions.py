"""Answers to a client's questions, in lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ledger.render.reasons import Line
from ledger.render.words import counted
from ledger.service.questions.origin import Origin

_TONES = {"cleared": "good", "needs_review": "open", "blocked": "bad"}
_ORIGINS = {
    Origin.UNKNOWN: "origin unknown: a record is missing or cannot be relied on",
    Origin.IMPORTED: "came in from outside, out of no dataset on record",
    Origin.DECLARED: "only declared: somebody typed a step under it",
}


def unknown(found: Mapping[str, Any]) -> Iterator[Line]:
    """Yield which files have no origin on record."""
    asked = counted(found["asked"], "final file")
    if not found["found"] and not found.get("absent"):
        yield f"✓ Of {asked}, every origin is on record.", "good"
    elif found["found"]:
        yield f"✕ Of {asked}, {found['found']:,} have no origin that was seen or read:", "bad"
    for origin, words in _ORIGINS.items():
        if count := found["origins"][origin.value]:
            yield f"    {count:>7,}  {words}", ""
    if found.get("absent"):
        yield f"✕ {counted(found['absent'], 'frame')} that were asked for: no file on record has them.", "bad"
    for axis in ("shots", "devices", "vendors"):
        yield from _groups(axis, found[axis])
    yield from _files(found, lambda file: f"{file['origin']}, {file['device']}")
    if found.get("says"):
        yield found["says"], "dim"


def used(found: Mapping[str, Any]) -> Iterator[Line]:
    """Yield which files used a thing, and the steps."""
    thing, steps = found["thing"], found["steps"]
    between = ((" since ", found["since"]), (" before ", found["until"]))
    span = "".join(f"{word}{moment}" for word, moment in between if moment)
    which = "delivered file" if found["delivered"] else "final file"
    yield f"{counted(found['found'], which)} used the {thing['kind']} {thing['name']}{span}.", "head"
    yield from _groups("shots", found["shots"])
    yield from _files(found, _uses)
    shown = ", ".join(map(str, steps["entries"]))
    more = f" and {steps['others']:,} more" if steps["others"] else ""
    if steps["count"]:
        yield f"{counted(steps['count'], 'step')} did, directly: entries {shown}{more}.", ""


def ended(found: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the files that would have another verdict."""
    yield from _files(found, _change, tone=lambda file: _TONES[file["to"]])


def coverage(found: Mapping[str, Any]) -> Iterator[Line]:
    """Yield a table of groups."""
    names = [origin.value for origin in Origin]
    width = max((len(item["name"]) for item in found["groups"]), default=0)
    width = max(width, len("all"), len(found["by"]))
    yield f"{found['by']:<{width}}  {'files':>9}" + "".join(f"  {name:>9}" for name in names), "head"
    for item in (*found["groups"], {**found, "name": "all"}):
        bad = item[Origin.UNKNOWN.value] or item[Origin.IMPORTED.value]
        row = f"{item['name']:<{width}}  {item['files']:>9,}"
        tone = "dim" if item["name"] == "all" else "bad" if bad else ""
        yield row + "".join(f"  {item[name]:>9,}" for name in names), tone
    if (rest := found["of"] - len(found["groups"])) > 0:
        yield f"and {rest:,} more: --limit shows them.", "dim"
    if "derived" in found:
        yield found["derived"], "dim"


def _groups(title: str, found: Mapping[str, Any]) -> Iterator[Line]:
    if not found["groups"]:
        return
    yield "", ""
    yield title, "head"
    for item in found["groups"][:_SHOWN]:
        yield f"    {item['files']:>7,}  {item['name']}", ""
    rest = found["groups"][_SHOWN:]
    if others := len(rest) + found["others"]["groups"]:
        files = sum(item["files"] for item in rest) + found["others"]["files"]
        yield f"    {files:>7,}  in {others:,} more", "dim"


def _files(found: Mapping[str, Any], said: Any, tone: Any = lambda _: "") -> Iterator[Line]:
    files: Sequence[Mapping[str, Any]] = found["files"]
    if not files:
        return
    yield "", ""
    yield "files", "head"
    for file in files:
        place = f"{file['shot']}  " if "shot" in file else ""
        yield f"    {place}{file['name']}  ({said(file)})", tone(file)
    if (rest := found["found"] - len(files)) > 0:
        yield f"    and {rest:,} more: --limit shows them.", "dim"


def _change(file: Mapping[str, Any]) -> str:
    return f"{file['from']} → {file['to']}"


def _uses(file: Mapping[str, Any]) -> str:
    parts = []
    for use in file["uses"]:
        until = f" to {use['last']}" if use["last"] != use["first"] else ""
        parts.append(f"{use['name']}, {use['first']}{until}")
    return "; ".join(parts)


_SHOWN = 12
"""Groups that a list shows before it counts the rest."""
