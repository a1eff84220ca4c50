"""What the log knows of files: of one by its bytes or its picture, and of all, in the order of the log."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.fields import present
from ledger.core.lineage import MAKES, Record
from ledger.core.predicates import Dataset, Model, Seal, Step
from ledger.errors import MalformedError, UsageError
from ledger.ports import ArtifactRow
from ledger.service.archive import Archive
from ledger.service.clear.store import ANYWHERE, Where
from ledger.service.log.projection import SEALED_FROM
from ledger.service.reading.entries import FILES, WORK, short
from ledger.service.reading.pages import Listing, Page, caught_up, size_of
from ledger.service.reading.sight import Sight
from ledger.service.reading.store import PIECE, Place
from ledger.service.reading.verdicts import verdicts_about
from ledger.service.rights.reading import facts_of
from ledger.service.studio import Studio

SHOWN = 20
"""Entries of each kind that an asset's page names; lineage has them all."""
WINDOW = 50_000
"""Entries that one page of a search looks through: a rare name takes several pages, some of them empty."""
AT_ONCE = 100
"""Steps whose files one page of a place looks at."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files: whose names hold ``name``, made at this place; ``None`` for any."""

    name: str | None = None
    where: Where = ANYWHERE


class Makers:
    """Who made which bytes, in entries before ``stop``; looks at a bounded number of rows for each."""

    def __init__(self, studio: Studio, stop: int) -> None:
        self.studio = studio
        self.stop = stop
        self._archive = Archive(studio)
        self._rows: dict[str, Sequence[ArtifactRow]] = {}

    def rows(self, sha256: str) -> Sequence[ArtifactRow]:
        """Return the newest rows with these bytes as a subject that say something of files, newest first."""
        if sha256 not in self._rows:
            self._rows[sha256] = _seen(self.studio, self.studio.rows.made(sha256, self.stop), Sight())
        return self._rows[sha256]

    def record(self, sha256: str) -> Record | None:
        """Return the newest record that made these bytes: a step, dataset or model, else a seal."""
        for kinds in ((Step, Dataset, Model), MAKES):
            for row in self.rows(sha256):
                statement = self.studio.statement(row.index)
                if isinstance(statement.predicate, kinds) and self._counts(row.index, statement.predicate):
                    return Record(row.index, statement)
        return None

    def _counts(self, index: int, predicate: object) -> bool:
        return not isinstance(predicate, Dataset | Model) or self._archive.by_registrar(index)


def find(studio: Studio, digest: str, stop: int, sight: Sight) -> tuple[str, str]:
    """Return the SHA-256 of the file that a digest names, and how it was found: by ``bytes`` or ``pixels``.

    A digest of bytes is preferred; of several files with one picture, the newest is meant. Raises
    ``MalformedError("digest.malformed")`` and ``UsageError("asset.unknown")``.
    """
    if not _DIGEST.fullmatch(digest):
        raise MalformedError("digest.malformed", "A file is named by 64 lower-case hexadecimal digits.")
    if any(
        _seen(studio, rows, sight)
        for rows in (studio.rows.made(digest, stop), studio.rows.uses(digest, -1, stop).rows)
    ):
        return digest, "bytes"
    twins = studio.rows.seen(digest, stop)
    if not twins:
        raise UsageError("asset.unknown", "The log knows no file of this digest.", sha256=digest)
    return twins[0].sha256, "pixels"


def asset(studio: Studio, digest: str, sight: Sight) -> dict[str, Any]:
    """Return what the log knows of one file. Raises as ``find``."""
    stop = size_of(studio)
    sha256, by = find(studio, digest, stop, sight)
    made = _seen(studio, studio.rows.made(sha256, stop), sight)
    found, more = studio.rows.uses(sha256, -1, stop)
    uses = _seen(studio, found, sight)
    used = [row for row in uses if row.role != SEALED_FROM]
    rows = [*made, *uses]
    return {
        **present(sha256=sha256, pixels=next((row.pixels for row in rows if row.pixels), None)),
        "foundBy": by,
        "names": list(dict.fromkeys(row.name for row in rows))[:SHOWN],
        "made": [{"name": row.name, **_shown(studio, row.index, sight)} for row in made[:SHOWN]],
        "madeMore": len(made) > SHOWN,
        "used": [{"name": row.name, "role": row.role, **short(studio, row.index)} for row in used[:SHOWN]],
        "usedMore": len(used) > SHOWN or more is not None,
        "seal": _seal(studio, made, uses),
        "manifest": _manifest(studio, sha256, uses),
        "verdicts": verdicts_about(studio, sha256, stop) if sight.verdicts else [],
    }


def listing(studio: Studio, wanted: Wanted, page: Page, sight: Sight) -> Listing:
    """Return a page of the files that steps, seals and registrations brought in, oldest record first.

    A file is there once for each entry that states it. A page may hold less than was asked for, even
    nothing, and still have a next one: ``WINDOW``. Raises ``MalformedError("page.cursor")``.
    """
    index, position = page.place(int, int) or (0, -1)
    if wanted.where == ANYWHERE:
        stop = min(size_of(studio), index + WINDOW)
        rows = studio.rows.subjects(_types(sight), Place(index, position), stop, wanted.name)
        end = stop if len(rows) < PIECE and stop < size_of(studio) else None
    else:
        rows, end = _at(studio, wanted, Place(index, position))
    shown = _shown_to(studio, rows[: page.limit], sight)
    following = None if end is None else page.cursor(end, -1)
    if len(rows) > page.limit or len(rows) == PIECE:
        last = rows[: page.limit][-1]
        following = page.cursor(last.index, last.position)
    return Listing("assets", [_line(studio, row) for row in shown], following)


def _at(studio: Studio, wanted: Wanted, after: Place) -> tuple[list[ArtifactRow], int | None]:
    """Return the subjects of the next steps at a place, and the entry behind them; ``None``: no more."""
    stop = caught_up(studio)
    steps = studio.rows.steps(wanted.where, after.index - 1, stop)[:AT_ONCE]
    links = sorted(studio.bases.rows(steps), key=lambda row: (row.index, row.position))
    name = (wanted.name or "").lower()
    rows = [
        ArtifactRow(*row)
        for row in links
        if row.role == "subject" and (row.index, row.position) > after and name in row.name.lower()
    ]
    return rows, steps[-1] + 1 if len(steps) == AT_ONCE else None


def _types(sight: Sight) -> Sequence[str]:
    return FILES if sight.registry else WORK


def _seen(studio: Studio, rows: Sequence[ArtifactRow], sight: Sight) -> list[ArtifactRow]:
    """Return the rows of entries about files that may be shown."""
    types = studio.rows.types({row.index for row in rows})
    return _shown_to(studio, [row for row in rows if types.get(row.index) in _types(sight)], sight)


def _shown_to(studio: Studio, rows: Sequence[ArtifactRow], sight: Sight) -> list[ArtifactRow]:
    """Leave out seals of what is registered, for who does not see the registry. That a step used it stays."""
    if sight.registry:
        return list(rows)
    facts = facts_of(studio)
    registered = facts.models.keys() | facts.datasets.keys()
    return [row for row in rows if not _is_sealed(studio, row, registered)]


def _is_sealed(studio: Studio, row: ArtifactRow, registered: Collection[str]) -> bool:
    predicate = studio.statement(row.index).predicate
    return isinstance(predicate, Seal) and predicate.manifests[row.position].source in registered


def _line(studio: Studio, row: ArtifactRow) -> dict[str, Any]:
    return {
        **present(sha256=row.sha256, pixels=row.pixels, name=row.name),
        **short(studio, row.index),
    }


def _shown(studio: Studio, index: int, sight: Sight) -> dict[str, Any]:
    """Return an entry in a line; of a registration, only to who sees the registry, what it says."""
    said = short(studio, index)
    predicate = studio.statement(index).predicate
    if sight.registry and isinstance(predicate, Dataset | Model):
        said["registered"] = predicate.to_json()
    return said


def _seal(studio: Studio, made: Iterable[ArtifactRow], uses: Iterable[ArtifactRow]) -> dict[str, Any]:
    """Return as what the file was sealed, or from what: the newest seal of each kind."""
    found: dict[str, Any] = {}
    for row in made:
        predicate = studio.statement(row.index).predicate
        if isinstance(predicate, Seal):
            item = predicate.manifests[row.position]
            found["from"] = {"sha256": item.source, "entry": row.index, "form": item.form.value}
            break
    sealed = [row for row in uses if row.role == SEALED_FROM]
    if sealed:
        newest = sealed[-1]
        subject: Artifact = studio.statement(newest.index).subjects[newest.position]
        found["as"] = {"sha256": subject.sha256, "name": subject.name, "entry": newest.index}
    return found


def _manifest(studio: Studio, sha256: str, uses: Iterable[ArtifactRow]) -> Mapping[str, Any] | None:
    """Return which manifest store is kept here for the file, or for what was sealed from it."""
    sealed = [
        studio.statement(row.index).subjects[row.position].sha256 for row in uses if row.role == SEALED_FROM
    ]
    for of in (sha256, *reversed(sealed[-SHOWN:])):
        store = studio.manifests.get(of)
        if store is not None:
            return {"asset": of, "sha256": sha256_hex(store), "bytes": len(store)}
    return None
