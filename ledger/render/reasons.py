"""Reasons in lines of plain text for a terminal: for a producer, a lawyer, a TD.

* Every line comes with its tone (``good``, ``open``, ``bad``, ``dim``, ``head`` or none); whoever prints it
  chooses the colours, and makes strangers' names safe to show.
* What means the same is told once, with each thing that it is said of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from ledger.core.predicates.answer import Reason
from ledger.core.predicates.reasons import Severity, Verdict
from ledger.render.words import counted, listed
from ledger.service.clear.clear import Touching

Line = tuple[str, str]
"""A line and its tone."""

TONES = {Verdict.CLEARED: "good", Verdict.NEEDS_REVIEW: "open", Verdict.BLOCKED: "bad"}
WORDS = {Verdict.CLEARED: "cleared", Verdict.NEEDS_REVIEW: "needs review", Verdict.BLOCKED: "blocked"}
MARKS = {Verdict.CLEARED: "✓", Verdict.NEEDS_REVIEW: "–", Verdict.BLOCKED: "✕"}
SHOWN = 12
"""How many things are named for one code; ``--json`` names all."""
_SEVERITIES = {
    Severity.BLOCKED: ("✕ blocked", "bad"),
    Severity.NEEDS_REVIEW: ("– needs review", "open"),
    Severity.NOTED: ("· noted", "dim"),
}
_KINDS = {
    "weak": "the step that wrote",
    "gap": "the file",
    "import": "the file from outside",
    "reference": "the reference",
    "fork": "the file",
    "cycle": "the file",
    "invalid": "the record of",
    "finding": "the finding about",
}
"""What an item of the basis is called, where its own word says too little."""


def by_code(reasons: Iterable[Touching], total: int) -> Iterator[Line]:
    """Yield the reasons, those with one code together; ``total`` is the number of files."""
    for (severity, _), group in groupby(
        sorted(reasons, key=_gathered), key=lambda item: (item.reason.severity, item.reason.code)
    ):
        things = list(group)
        first, (words, tone) = things[0].reason, _SEVERITIES[severity]
        yield "", ""
        yield f"{words}: {first.code}", tone
        yield f"    {first.meaning}", ""
        for item in things[:SHOWN]:
            yield f"    - {_thing(item.reason)}; {touched(item, total)}{known(item.reason)}", ""
        if len(things) > SHOWN:
            yield f"    - and {counted(len(things) - SHOWN, 'more', 'more')}", ""
        if severity is not Severity.NOTED:
            yield f"    To mend it: {first.mend}", ""


def alone(reason: Reason, touches: str, between: Iterable[Line] = ()) -> Iterator[Line]:
    """Yield one reason in full; the lines ``between`` stand before how to mend it."""
    words, tone = _SEVERITIES[reason.severity]
    yield f"{words}: {reason.code}, {touches}", tone
    yield f"    {_thing(reason)}", ""
    yield f"    {reason.meaning}", ""
    more = known(reason).removeprefix("; ")
    if more:
        yield f"    {more[0].upper()}{more[1:]}", ""
    yield from between
    yield f"    To mend it: {reason.mend}", ""


def touched(item: Touching, total: int) -> str:
    """Return how many of the files a reason touches."""
    if not item.now:
        return f"{counted(item.then, 'file')} when made, no longer"
    when = "" if item.then == item.now else f" ({item.then:,} when made)"
    return f"{item.now:,} of {counted(total, 'file')}{when}"


def known(reason: Reason) -> str:
    """Return what was looked at, since when it is known, and who accepted it; begins with a semicolon."""
    parts = []
    if reason.override is not None:
        parts.append(f"accepted by entry {reason.override}")
    if reason.grants:
        parts.append(f"looked at {listed(list(reason.grants))}")
    if reason.known_since:
        parts.append(f"known since {at(reason.known_since)}")
    if reason.evidence and reason.path:
        parts.append(f"evidence: {reason.evidence.value}")
    return "".join(f"; {part}" for part in parts)


def path(reason: Reason) -> Sequence[str]:
    """Return the things from the step to what the reason is about, each in words."""
    if not reason.path:
        return (f"the delivery of {reason.name}",)
    kind, _, name = reason.path[0].partition(" ")
    return (f"{_KINDS.get(kind, kind)} {name}", *reason.path[1:])


def at(moment: datetime) -> str:
    """Return a moment."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _thing(reason: Reason) -> str:
    """Return what a reason is about: the thing, what it is under, for which use, when, and the detail."""
    *above, last = path(reason)
    under = f", under {', under '.join(reversed(above))}" if above else ""
    use = f", for {reason.use.value}" if reason.use else ""
    when = f", at {at(reason.at)}" if reason.at else ""
    detail = f": {reason.detail}" if reason.detail else ""
    return f"{last}{under}{use}{when}{detail}"


def _gathered(item: Touching) -> tuple[object, ...]:
    return (-item.reason.severity, not item.now, item.reason.code)
