"""What a clearance says, in lines of plain text; see ``reasons``.

Only positives are claimed, and the last line says what the answer does not say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ledger.core.predicates.answer import Answer, Grade
from ledger.core.predicates.reasons import Severity, Verdict
from ledger.render.reasons import MARKS, SHOWN, TONES, WORDS, Line, alone, at, by_code, path
from ledger.render.words import counted, day, listed
from ledger.service.clear.clear import SAYS, Cleared, Coverage, Touching, levels, tally, worst
from ledger.service.clear.impact import Impact, WhatIf
from ledger.service.clear.places import WHOLE
from ledger.service.clear.question import Question
from ledger.service.clear.recorded import Target
from ledger.service.clear.why import Told, Why

MAX_TARGETS = 50
"""How many targets are listed one by one; of more, those not cleared. The summary counts them all."""


def cleared(found: Cleared) -> Iterator[Line]:
    """Yield the answer for some targets."""
    lines = [_target(found, target) for target in found.targets]
    if len(lines) > MAX_TARGETS:
        shown = [line for line in lines if line[1] != TONES[Verdict.CLEARED]][:MAX_TARGETS]
        yield from shown
        yield f"… and {counted(len(lines) - len(shown), 'target')} more", "dim"
    else:
        yield from lines
    yield "", ""
    yield from _summary(found)
    yield from by_code(found.reasons, found.coverage.files)
    if found.principles:
        yield "", ""
    for principle, holds in found.principles:
        words, tone = ("✓ shown", "good") if holds else ("✕ not shown", "bad")
        yield f"{words}: {principle.text}", tone
    yield "", ""
    yield SAYS, "dim"


def why(found: Why) -> Iterator[Line]:
    """Yield the reasons of one file, each with the way to it."""
    whole = found.cleared.whole
    verdict = whole.now.verdict
    pair = _pair(whole.then.verdict, verdict)
    yield f"{MARKS[verdict]} {found.file.name}: {pair}, grade {whole.now.grade.name}", TONES[verdict]
    yield f"  {asked(found.cleared.question)}", "dim"
    if found.same:
        yield f"  {counted(found.same, 'other file')} of the target: the same answer.", "dim"
    yield from _changed(found.cleared)
    loud = [told for told in found.told if told.touching.reason.severity is not Severity.NOTED]
    if not loud:
        yield "", ""
        yield "  Nothing that is on record speaks against it under this policy.", ""
    for told in loud:
        yield "", ""
        yield from _told(found, told)
    quiet = [told.touching for told in found.told if told.touching.reason.severity is Severity.NOTED]
    yield from by_code(quiet, 1)
    yield "", ""
    yield SAYS, "dim"


def impact(found: Impact) -> Iterator[Line]:
    """Yield what rests on a thing."""
    thing = found.thing
    yield f"{thing.kind} {thing.name}", "head"
    if thing.grants and thing.kind != "grant":
        yield f"  grants: {listed(list(thing.grants))}", ""
    for kind, name in found.through:
        yield f"  through {kind} {name}", ""
    where = f"{counted(len(found.finals), 'final file')} in {counted(len(found.shots), 'shot')}"
    bases = counted(found.bases, "distinct basis", "distinct bases")
    yield f"  {where} rest on it: {counted(found.steps, 'step')}, {bases}.", ""
    yield from _shots(found.shots.items())


def what_if(found: WhatIf) -> Iterator[Line]:
    """Yield what a revocation would change."""
    yield "", ""
    yield f"If {listed(list(found.grants))} were revoked with effect from {at(found.effective)}:", "head"
    yield f"  {asked(found.question)}", "dim"
    for (before, after), files in sorted(found.moves.items()):
        if before is after:
            yield f"  {counted(files, 'final file')} would stay: {WORDS[before]}", "dim"
        else:
            would = f"{WORDS[before]} now, would be {WORDS[after]}"
            yield f"  {counted(files, 'final file')}: {would}", TONES[after]
    yield from _shots(found.shots.items())
    yield from by_code(found.reasons, sum(found.moves.values()))
    yield "", ""
    yield "Nothing was signed. This is a calculation, not a verdict.", "dim"


def asked(question: Question) -> str:
    """Return what was asked, in one sentence."""
    delivery = question.delivery
    title = f" of {delivery.title}" if delivery.title else ", for no title on record"
    media = listed([item.value for item in delivery.media])
    territories = " ".join(delivery.territories)
    as_known = f", as known on {day(question.known)}" if question.known else ""
    policy = f"policy {question.profile.name} {question.profile.version}"
    return (
        f"Asked: {delivery.deliverable.value}{title}; {media}; territories {territories}; {policy}; "
        f"on {day(question.at)}{as_known}."
    )


def _target(found: Cleared, target: Target) -> Line:
    name = "the whole production" if target.text == WHOLE else target.text
    answers = found.of(target)
    then, now = worst(item.then for item in answers), worst(item.now for item in answers)
    if then is None or now is None:
        return f"– {name}: undecided; no record says how it was made", "open"
    grade = min(item.now.grade for item in answers).name
    said = f"{name}: {_pair(then, now)}, grade {grade}, {counted(len(answers), 'file')}{_notes(target)}"
    if now is Verdict.CLEARED and (target.unknown or target.absent):
        return f"– {said}", "open"
    return f"{MARKS[now]} {said}", TONES[now]


def _notes(target: Target) -> str:
    """Return how the files of a target are known, and what of it is not."""
    gaps = len(target.unknown) + target.absent
    notes = (
        ("known by its picture, not by its bytes", any(file.pixels for file in target.files)),
        (f"{target.by_name} known by name alone", target.by_name),
        (f"undecided: {gaps} that no record explains", gaps),
    )
    return "".join(f"; {note}" for note, holds in notes if holds)


def _summary(found: Cleared) -> Iterator[Line]:
    yield asked(found.question), "dim"
    if found.by_file:
        then = _tallied(item.then for item in found.by_file.values())
        now = _tallied(item.now for item in found.by_file.values())
        yield f"Now: {now}.", "head"
        if then != now:
            yield f"When they were made: {then}.", ""
        yield f"What they rest on, by grade: {_named(levels(found.whole.now))}.", ""
        if found.lowest and found.whole.now.grade is not Grade.L4:
            yield f"At {found.whole.now.grade.name}, and so the whole: {_some(found.lowest)}.", ""
    if found.unknown:
        yield f"Undecided: {counted(len(found.unknown), 'file')} that no record explains.", "open"
    if found.absent:
        yield f"Undecided: {counted(found.absent, 'frame')} asked for that no record has.", "open"
    yield _coverage(found.coverage), ""
    yield from _changed(found)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if names[SHOWN:] else ""
    return ", ".join(names[:SHOWN]) + more


def _changed(found: Cleared) -> Iterator[Line]:
    """Yield what speaks against it now and did not at the time of use, and what nobody could know then."""
    for reasons, words in (
        (found.changed, "Changed since they were made"),
        (found.learned, "Not known then"),
    ):
        yield from _shortly(reasons, words)


def _shortly(reasons: Iterable[Touching], words: str) -> Iterator[Line]:
    """Yield one line for all things of which the same is said, in the order of the reasons."""
    things: dict[tuple[str, str], dict[str, None]] = {}
    files: Counter[tuple[str, str]] = Counter()
    for item in reasons:
        reason = item.reason
        detail = f" ({reason.detail})" if reason.detail else ""
        since = f"since {day(reason.known_since)} the studio knows: " if reason.known_since else ""
        key = since, f"{reason.meaning.rstrip('.')}{detail}"
        things.setdefault(key, {})[path(reason)[-1]] = None
        files[key] = max(files[key], item.now, item.then)
    for (since, meaning), named in things.items():
        about = listed(list(named)[:SHOWN]) + (" and more" if len(named) > SHOWN else "")
        yield f"{words}, {counted(files[since, meaning], 'file')}: {since}{meaning}: {about}.", "open"


def _told(found: Why, told: Told) -> Iterator[Line]:
    item = told.touching
    when = "now, and not when it was made" if not item.then else "then and now"
    way = list(_way(found, told))
    return alone(item.reason, when if item.now else "when it was made, and no longer", way)


def _way(found: Why, told: Told) -> Iterator[Line]:
    if told.way:
        yield "    The way to it:", ""
    indent = "      "
    for number, stop in enumerate(told.way):
        name = found.file.name if number == 0 else stop.name
        task = f" ({stop.task})" if stop.task else ""
        made = f"{stop.action}{task} with {stop.tool}, {at(stop.finished)}"
        yield f"{indent}{name}: {made}, {stop.evidence}, entry {stop.index}", ""
        indent += "  "
    for name in path(told.touching.reason) if told.way else ():
        yield f"{indent}{name}", ""
        indent += "  "


def _shots(shots: Iterable[tuple[str, int]]) -> Iterator[Line]:
    return ((f"    {shot:<24} {counted(files, 'final file')}", "") for shot, files in shots)


def _coverage(coverage: Coverage) -> str:
    counts = (
        (coverage.declared, "declared step", "declared steps"),
        (coverage.inferred, "inferred step", "inferred steps"),
        (coverage.gaps, "file without a record", "files without a record"),
    )
    missing = [counted(number, one, many) for number, one, many in counts if number]
    rest = f"; under the others: {listed(missing)}" if missing else ""
    whole = f"{coverage.complete:,} of {counted(coverage.files, 'file')}"
    return f"Evidence: {whole} observed in every recorded step{rest}."


def _tallied(answered: Iterable[Answer]) -> str:
    found: dict[str, Any] = tally(answered)
    held = [(found["verdicts"][verdict.value], WORDS[verdict]) for verdict in Verdict]
    counts = [f"{count:,} {word}" for count, word in held if count]
    return f"{listed(counts)}; grades: {_named(found['grades'])}"


def _named(counts: dict[str, int]) -> str:
    return listed([f"{count:,} at {name}" for name, count in counts.items()]) or "nothing"


def _pair(then: Verdict, now: Verdict) -> str:
    return WORDS[now] if then is now else f"{WORDS[then]} when made, {WORDS[now]} now"
