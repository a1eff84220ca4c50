"""Views: what each reader of a report sees, and the commitments that stand in place of the rest.

* A view hides by column, by table and, for a rights holder, by row. What is hidden is replaced by the digest
  of its disclosure (RFC 9901 §4.2.4.1): whoever is given the opening later can see that it was in there.
* The salt of each disclosure is derived from a secret of the studio, the report and the place of the cell:
  all views of one report commit to one value in the same way, and the same report comes out to the byte.
* Figures are those of the whole report in every view: they are what may be known. Sentences are said anew,
  of what the view knows.
* How much is hidden is counted, by whose eyes it is for.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, partial
from typing import Any

from ledger.core.audit import Column, Hidden, Report, Row, Schema, Sight, Table
from ledger.core.audit.document import cell_to_json
from ledger.core.audit.words import Told
from ledger.core.disclosure import SALT_BYTES, Disclosure, commit


class View(StrEnum):
    """A reader. The views of a court and of a registrar come later, and have their place here."""

    STUDIO = "studio"
    DISTRIBUTOR = "distributor"
    INSURER = "insurer"
    RIGHTS_HOLDER = "rights-holder"
    PUBLIC = "public"


SEES = {
    View.STUDIO: frozenset(Sight),
    View.DISTRIBUTOR: frozenset({Sight.OPEN, Sight.WORK, Sight.RIGHTS}),
    View.INSURER: frozenset({Sight.OPEN, Sight.WORK, Sight.RIGHTS, Sight.TERMS}),
    View.RIGHTS_HOLDER: frozenset({Sight.OPEN, Sight.RIGHTS, Sight.TERMS}),
    View.PUBLIC: frozenset({Sight.OPEN}),
}
"""What each view shows."""
_OPEN = frozenset({Sight.OPEN})
_encoder = json.JSONEncoder(ensure_ascii=False)  # made once: that takes a good part of the time of using it
MEANINGS = {
    View.STUDIO: "everything, for the studio itself",
    View.DISTRIBUTOR: "shots, verdicts, models and their licences, the answers to a client's principles",
    View.INSURER: "the same with the terms of contracts and services, then and now",
    View.RIGHTS_HOLDER: "what concerns one party's own works, and no one else's",
    View.PUBLIC: "verdicts, grades and coverage: no names of shots, people, models or parties",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads. ``party`` is the identifier of the rights holder, for that view alone."""

    view: View
    party: str | None = None


def seen_by(report: Report, reader: Reader, secret: bytes) -> Report:
    """Return the report as this reader may see it. The report must be the whole one.

    ``secret`` is the studio's, at least 32 bytes.
    """
    sees = SEES[reader.view]
    maker = _Maker(hmac.digest(secret, report.head.identifier.encode(), "sha256"))
    withheld: Counter[str] = Counter()
    tables = {key: _table(table, reader, sees, maker, withheld) for key, table in report.tables.items()}
    work = Sight.WORK in sees
    withheld[Sight.WORK] += 0 if work else len(report.lineages)
    head = (
        report.head
        if work
        else replace(report.head, cut=None, scope=f"the production {report.head.production}")
    )
    told = Told(head, report.tables, {item.key: item.value for item in report.figures}, report.verdict_now)
    return replace(
        report,
        view=reader.view.value,
        head=head,
        tables=tables,
        chapters=tuple(
            replace(item, words=told.of(item.key), lineages=item.lineages if work else ())
            for item in report.chapters
        ),
        lineages=report.lineages if work else {},
        pictures=report.pictures if work else {},
        withheld={sight.value: withheld[sight] for sight in Sight if withheld[sight]},
        worst=report.worst,
    )


def openings(report: Report, secret: bytes, names: Collection[str]) -> Iterator[str]:
    """Yield the disclosures of these cells of the whole report: ``table/row/column``, or ``table/row``."""
    maker = _Maker(hmac.digest(secret, report.head.identifier.encode(), "sha256"))
    for table in report.tables.values():
        for row in table.shown:
            places = [(None, row), *((item.key, row[n]) for n, item in enumerate(table.schema.columns))]
            for key, value in places:
                if (name := _name(table.schema, row, key)) in names:
                    yield maker.disclose(name, value)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes disclosures, each with the salt of its place."""

    key: bytes

    def disclose(self, name: str, value: Any) -> str:
        """Return the disclosure of a cell, or of a row."""
        return self._commit(name, value).text

    def hide(self, name: str, value: Any) -> Hidden:
        """Return what stands in its place."""
        return Hidden(self._commit(name, value).digest)

    def _commit(self, name: str, value: Any) -> Disclosure:
        salt = hmac.digest(self.key, name.encode(), "sha256")[:SALT_BYTES]
        return commit(salt, name, _encoder.encode(cell_to_json(value)))


def _table(
    table: Table, reader: Reader, sees: frozenset[Sight], maker: _Maker, withheld: Counter[str]
) -> Table:
    rows: list[Row | Hidden] = []
    hidden = cache(partial(_hidden, table.schema))
    for row in table.shown:
        shown = _shown(table.schema, row, reader, sees)
        if shown is None:
            withheld[table.schema.sight if table.schema.sight not in sees else Sight.RIGHTS] += 1
            rows.append(maker.hide(_name(table.schema, row, None), row))
            continue
        cells = list(row)
        for place, column in hidden(shown):
            if cells[place] is not None and cells[place] != ():
                withheld[column.sight] += 1
                cells[place] = maker.hide(_name(table.schema, row, column.key), row[place])
        rows.append(tuple(cells))
    return Table(table.schema, tuple(rows))


def _hidden(schema: Schema, shown: frozenset[Sight]) -> list[tuple[int, Column]]:
    """Return the columns that are hidden, with their places: never the first one."""
    return [(n, item) for n, item in enumerate(schema.columns) if n > 0 and item.sight not in shown]


def _shown(schema: Schema, row: Row, reader: Reader, sees: frozenset[Sight]) -> frozenset[Sight] | None:
    """Return what of a row is shown; ``None``: nothing at all.

    A rights holder sees the rows that concern them. Of one that concerns others as well they see no terms.
    """
    if schema.sight not in sees:
        return None
    if reader.view is not View.RIGHTS_HOLDER:
        return sees
    if schema.owner is None:
        return _OPEN
    parties = row[schema.place(schema.owner)] or ()
    if reader.party not in parties:
        return None
    return sees if set(parties) == {reader.party} else _OPEN | {Sight.RIGHTS}


def _name(schema: Schema, row: Row, column: str | None) -> str:
    return "/".join(part for part in (schema.key, str(row[0]), column) if part)
