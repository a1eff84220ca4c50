"""Verdicts on record: the newest for each file and question, and what came before.

* Only what a registrar signed is a verdict.
* A page is worked out from a bounded number of entries: it may hold less than was asked for, even nothing,
  and still have a next one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger.core.fields import format_time, present
from ledger.core.predicates import VerdictResult
from ledger.core.predicates.answer import Answer
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.reasons import Verdict
from ledger.errors import UsageError
from ledger.service.archive import Archive
from ledger.service.clear.store import ANYWHERE, Final, Where
from ledger.service.clear.verdicts import Asked, Recorded, read
from ledger.service.reading.pages import Listing, Page, caught_up, size_of
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio

ENTRIES = 50
"""Verdicts that one page of a listing reads; each is about up to hundreds of files."""
HISTORY = 200
"""Verdicts about one file that are read to find the newest of each question."""


class Judged(NamedTuple):
    """A file, and the verdict on record about it."""

    sha256: str
    name: str
    recorded: Recorded


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which verdicts: of this state now, about the final files of this place; ``None`` and empty: any."""

    state: Verdict | None = None
    where: Where = ANYWHERE


class Verdicts:
    """The verdicts in entries before ``stop``, each read once."""

    def __init__(self, studio: Studio, stop: int) -> None:
        self._studio = studio
        self._stop = stop
        self._archive = Archive(studio)
        self._read: dict[int, Recorded | None] = {}

    def at(self, index: int) -> Recorded | None:
        """Return the verdict in an entry, if a registrar signed it."""
        if index not in self._read:
            self._read[index] = read(self._archive, index)
        return self._read[index]

    def about(self, sha256: str, before: int | None = None) -> Iterator[Recorded]:
        """Yield the verdicts about a file, newest first: those of the newest rows about it."""
        rows = self._studio.rows.made(sha256, self._stop if before is None else before)
        for index in self._verdicts({row.index for row in rows}, newest_first=True):
            found = self.at(index)
            if found is not None:
                yield found

    def newest(self, sha256: str) -> list[Recorded]:
        """Return the newest verdict for each question about a file, newest first."""
        found: dict[Asked, Recorded] = {}
        for count, item in enumerate(self.about(sha256)):
            if count == HISTORY:
                break
            found.setdefault(asked(item), item)
        return list(found.values())

    def superseded(self, recorded: Recorded) -> set[str]:
        """Return those of a verdict's files about which a newer one answers the same question."""
        files = {item.sha256 for item in recorded.subjects}
        links = self._studio.bases.links(files, self._stop, made=True)
        later = [link for link in links if link.index > recorded.index]
        newer = {index: self.at(index) for index in self._verdicts({link.index for link in later})}
        question = asked(recorded)
        return {
            link.sha256
            for link in later
            if (found := newer.get(link.index)) is not None and asked(found) == question
        }

    def final(self, files: Collection[str]) -> set[str]:
        """Return those of these files that nothing recorded was made from."""
        links = self._studio.bases.links(files, self._stop, made=True)
        sources = self._sources({link.index for link in links})
        finals = self._studio.bases.finals_of(sources)
        return {final.sha256 for final in finals} & set(files)

    def _sources(self, indices: Collection[int]) -> set[int]:
        """Return these entries, and the steps behind those of them that are seals."""
        before = [link.sha256 for link in self._studio.bases.rows(indices) if link.role == "sealed-from"]
        steps = self._studio.bases.links(before, self._stop, made=True) if before else ()
        return {*indices, *(link.index for link in steps)}

    def _verdicts(self, indices: Collection[int], *, newest_first: bool = False) -> Sequence[int]:
        types = self._studio.rows.types(indices)
        found = [index for index, kind in types.items() if kind == VerdictResult.TYPE]
        return sorted(found, reverse=newest_first)


def asked(recorded: Recorded) -> Asked:
    """Return what a verdict answers."""
    return recorded.verdict.policy_sha256, recorded.verdict.delivery


def verdicts_about(studio: Studio, sha256: str, stop: int) -> list[dict[str, Any]]:
    """Return the newest verdict for each question about a file, in a line each."""
    found = Verdicts(studio, stop).newest(sha256)
    return [line(Judged(sha256, _name(item, sha256), item)) for item in found]


def listing(studio: Studio, wanted: Wanted, page: Page, sight: Sight) -> Listing:
    """Return a page of newest verdicts, one for each file and question, in the order of their entries.

    Of a place, in the order of its final files. Raises ``MalformedError("page.cursor")``.
    """
    size = caught_up(studio)
    verdicts = Verdicts(studio, size)
    index, position = page.place(int, int) or (0, -1)
    if wanted.where != ANYWHERE:
        found, following = _of_place(studio, verdicts, wanted.where, page, (index, position))
    else:
        found, following = _of_log(studio, verdicts, page, (index, position), sight)
    shown = [item for item in found if _is_wanted(item.recorded, wanted.state, sight)]
    return Listing("verdicts", [line(item) for item in shown], following)


def history(studio: Studio, sha256: str, page: Page, sight: Sight) -> Listing:
    """Return a page of all verdicts about a file, newest first, with their reasons; ``current`` are newest.

    Raises ``UsageError("verdict.none")`` where there is none that may be shown, and ``page.cursor``.
    """
    size = caught_up(studio)
    verdicts = Verdicts(studio, size)
    (before,) = page.place(int) or (size,)
    is_shown = sight.work or sha256 in verdicts.final([sha256])
    current = {item.index for item in verdicts.newest(sha256)} if is_shown else set()
    found: list[dict[str, Any]] = []
    following = None
    for item in verdicts.about(sha256, before) if is_shown else ():
        if not _is_wanted(item, None, sight):
            continue
        if len(found) == page.limit:
            following = page.cursor(found[-1]["entry"])
            break
        found.append(
            {**_whole(Judged(sha256, _name(item, sha256), item), sight), "current": item.index in current}
        )
    if not found and page.after is None:
        raise UsageError("verdict.none", "No verdict on this file is on record.", sha256=sha256)
    return Listing("verdicts", found, following, {"sha256": sha256})


def line(item: Judged) -> dict[str, Any]:
    """Return a verdict in a line: its answers with the codes of their reasons."""
    return {
        **_head(item),
        "then": _short(item.recorded.verdict.then),
        "now": _short(item.recorded.verdict.now),
    }


def _of_log(
    studio: Studio, verdicts: Verdicts, page: Page, after: tuple[int, int], sight: Sight
) -> tuple[list[Judged], str | None]:
    rows = studio.rows.statements([VerdictResult.TYPE], after[0] - 1, size_of(studio))
    found: list[Judged] = []
    for row in rows[:ENTRIES]:
        recorded = verdicts.at(row.index)
        if recorded is None:
            continue
        hidden = verdicts.superseded(recorded)
        if not sight.work:
            hidden |= {each.sha256 for each in recorded.subjects} - verdicts.final(
                {each.sha256 for each in recorded.subjects}
            )
        for position, subject in enumerate(recorded.subjects):
            if (row.index, position) <= after or subject.sha256 in hidden:
                continue
            if len(found) == page.limit:
                return found, page.cursor(row.index, position - 1)
            found.append(Judged(subject.sha256, subject.name, recorded))
    return found, page.cursor(rows[ENTRIES].index, -1) if len(rows) > ENTRIES else None


def _of_place(
    studio: Studio, verdicts: Verdicts, where: Where, page: Page, after: tuple[int, int]
) -> tuple[list[Judged], str | None]:
    finals: list[Final] = [
        final for final in studio.bases.finals_at(where) if (final.index, final.position) > after
    ]
    shown = finals[: page.limit]
    found = [
        Judged(final.sha256, final.name, recorded)
        for final in shown
        for recorded in verdicts.newest(final.sha256)
    ]
    more = len(finals) > len(shown)
    return found, page.cursor(shown[-1].index, shown[-1].position) if more else None


def _is_wanted(recorded: Recorded, state: Verdict | None, sight: Sight) -> bool:
    verdict = recorded.verdict
    if not sight.work and verdict.delivery.deliverable is not Deliverable.FINAL:
        return False
    return state is None or verdict.now.verdict is state


def _name(recorded: Recorded, sha256: str) -> str:
    return next((item.name for item in recorded.subjects if item.sha256 == sha256), sha256)


def _head(item: Judged) -> dict[str, Any]:
    verdict = item.recorded.verdict
    return {
        "sha256": item.sha256,
        "name": item.name,
        "entry": item.recorded.index,
        "engine": verdict.engine,
        "policy": {"name": verdict.policy, "digest": {"sha256": verdict.policy_sha256}},
        "delivery": verdict.delivery.to_json(),
        "recorded": format_time(verdict.recorded),
        "validAt": format_time(verdict.valid_at),
        **present(previous=verdict.change and verdict.change.previous),
    }


def _short(answer: Answer) -> dict[str, Any]:
    codes = list(dict.fromkeys(reason.code.value for reason in answer.reasons))
    return {"verdict": answer.verdict.value, "grade": answer.grade.name, "reasons": codes}


def _whole(item: Judged, sight: Sight) -> dict[str, Any]:
    verdict = item.recorded.verdict
    cause = verdict.change.cause if verdict.change and sight.registry else None
    return {
        **_head(item),
        **present(cause=cause),
        "tree": {"size": verdict.size, "root": verdict.root},
        "basis": verdict.basis,
        "then": _answer(verdict.then, sight),
        "now": _answer(verdict.now, sight),
    }


def _answer(answer: Answer, sight: Sight) -> dict[str, Any]:
    said = answer.to_json()
    words = [{"meaning": reason.meaning, "mend": reason.mend} for reason in answer.reasons]
    pairs = zip(said.get("reasons", ()), words, strict=True)
    return sight.answer({**said, "reasons": [{**reason, **more} for reason, more in pairs]})
