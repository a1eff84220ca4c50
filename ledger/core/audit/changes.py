"""What changed from one report to the next: answers, findings, files, the policy.

* Shots are the same by their name and place, findings by what they say (code, thing, use, way to it): their
  numbers mean nothing in another report.
* Where a view hides names, shots are the same by their numbers, and files by their digests alone.
* Files are counted for each shot. Where one came, went or was replaced, its digests say which.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger.core.audit import Head, Hidden, Report, Row, Table
from ledger.core.audit.tables import CHANGES

_OPEN = "open"
_Key = tuple[object, ...]
_Cells = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two reports, as far as it is compared."""

    head: Head
    tables: Mapping[str, Table]

    def rows(self, key: str) -> list[_Cells]:
        """Return the rows of a table that are shown, by column; none where the report has no such table."""
        table = self.tables.get(key)
        if table is None:
            return []
        names = [column.key for column in table.schema.columns]
        return [dict(zip(names, row, strict=True)) for row in table.shown]


def side(report: Report) -> Side:
    """Return a report as a side."""
    return Side(report.head, report.tables)


def changes(old: Side, new: Side) -> Table:
    """Return what is different in ``new``: the policy, then findings, then files, shot by shot."""
    found = [*_policy(old.head, new.head), *_findings(old, new), *_files(old, new)]
    return Table(CHANGES, tuple((number, *row) for number, row in enumerate(found, 1)))


def _policy(old: Head, new: Head) -> Iterator[Row]:
    if old.policy_sha256 != new.policy_sha256:
        yield "policy", None, _rules(old), _rules(new), None, ()


def _rules(head: Head) -> str:
    return f"{head.policy} {head.policy_version} ({head.policy_sha256[:16]})"


def _numbered(shots: Iterable[_Cells]) -> dict[_Key, _Cells]:
    """Return the shots by what makes them the same; the same name twice counts by its turn."""
    found: dict[_Key, _Cells] = {}
    turns: dict[_Key, int] = defaultdict(int)
    for shot in shots:
        key: _Key = (shot["shot"],) if isinstance(shot["name"], Hidden) else (shot["name"], shot["place"])
        found[(*key, turns[key])] = shot
        turns[key] += 1
    return found


def _findings(old: Side, new: Side) -> Iterator[Row]:
    before, after = (_by_essence(side.rows("findings")) for side in (old, new))
    for key in dict.fromkeys((*after, *before)):
        was, now = before.get(key), after.get(key)
        opened, stood = (item is not None and item["state"] == _OPEN for item in (now, was))
        if now is not None and opened and not stood:
            state = was["state"] if was else None
            yield "finding opened", now["subject"], state, _code(now), now["now"], now["entries"]
        if was is not None and stood and not opened:
            state, entries = (now["state"], now["entries"]) if now else ("closed", ())
            yield "finding closed", was["subject"], _code(was), state, was["now"], entries


def _code(finding: _Cells) -> str:
    use = finding["use"]
    return f"{finding['code']} ({use})" if use else str(finding["code"])


def _by_essence(findings: Iterable[_Cells]) -> dict[_Key, _Cells]:
    """Return the findings by what they say; of several, one that is open."""
    found: dict[_Key, _Cells] = {}
    for finding in findings:
        path = None if isinstance(finding["path"], Hidden) else finding["path"]
        key = (finding["code"], finding["sha256"], finding["use"], path)
        if key not in found or finding["state"] == _OPEN:
            found[key] = finding
    return found


class _File(NamedTuple):
    """A file of a shot: its digest, the step that made it, and its answer now."""

    sha256: str
    entry: int | None
    verdict: str
    grade: str | None


_Pairs = list[tuple[_File, _File]]


def _files(old: Side, new: Side) -> Iterator[Row]:
    """Yield, shot by shot, the files that have another answer, have other bytes, came or went."""
    before, after = _by_shot(old), _by_shot(new)
    for key in dict.fromkeys((*after, *before)):
        name, was = before.get(key, (None, {}))
        name, now = after.get(key, (name, {}))
        both = [(was[each], now[each]) for each in now if each in was]
        yield from _answers("verdict", name, both, lambda file: file.verdict)
        yield from _answers("grade", name, both, lambda file: file.grade)
        other = [(one, two) for one, two in both if one.sha256 != two.sha256]
        if other:
            yield _counted("file replaced", name, [one for one, _ in other], [two for _, two in other])
        if came := [now[each] for each in now if each not in was]:
            yield _counted("file added", name, [], came)
        if went := [was[each] for each in was if each not in now]:
            yield _counted("file removed", name, went, [])


def _answers(kind: str, name: Any, both: _Pairs, of: Callable[[_File], str | None]) -> Iterator[Row]:
    """Yield how many files went from which answer to which."""
    moved: dict[tuple[str | None, str | None], list[_File]] = defaultdict(list)
    for one, two in both:
        if of(one) != of(two):
            moved[of(one), of(two)].append(two)
    for (before, after), files in moved.items():
        yield kind, name, before, after, len(files), _entries(files)


def _by_shot(of: Side) -> dict[_Key, tuple[Any, dict[_Key, _File]]]:
    """Return the files of each shot, by frame or by name; where those are hidden, by digest."""
    keys = {shot["shot"]: (key, shot["name"]) for key, shot in _numbered(of.rows("shots")).items()}
    found: dict[_Key, tuple[Any, dict[_Key, _File]]] = {key: (name, {}) for key, name in keys.values()}
    for row in of.rows("frames"):
        if row["sha256"] is None:
            continue
        hidden = isinstance(row["name"], Hidden)
        place: _Key = (row["sha256"],) if hidden else (row["name"] if row["frame"] is None else row["frame"],)
        held = found[keys[row["shot"]][0]][1]
        while place in held:
            place = (*place, row["sha256"])
        held[place] = _File(row["sha256"], row["entry"], row["now"], row["grade"])
    return found


def _counted(kind: str, name: Any, before: list[_File], after: list[_File]) -> Row:
    return kind, name, _one(before), _one(after), max(len(before), len(after)), _entries(after)


def _entries(files: list[_File]) -> tuple[int, ...]:
    return tuple(sorted({file.entry for file in files if file.entry is not None}))


def _one(files: list[_File]) -> str | None:
    return files[0].sha256 if len(files) == 1 else None
