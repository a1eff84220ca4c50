"""Reports of cuts of any length, made of rows and without a studio: for what draws and writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.core.audit import Head, Hidden, Report, Row, Schema, Table, figures
from ledger.core.audit.chapters import FIGURES, chapters
from ledger.core.audit.tables import TABLES

HEAD = Head(
    identifier="R-20261122-0badcafe",
    studio="Studio Yoimachi",
    production="moonrise",
    title="Moonrise",
    scope="the cut final",
    population="5" * 64,
    at="2026-11-22T09:00:00Z",
    known=None,
    policy="broadcast-jp",
    policy_version="1",
    policy_sha256="9" * 64,
    delivery={"title": "moonrise", "deliverable": "final", "media": ["broadcast"], "territories": ["JP"]},
    origin="ledger.studio-yoimachi.example/moonrise",
    size=60,
    root="7" * 64,
    engine="1",
    cut="final",
    rate="24",
)
LETTERS = {"c": "cleared", "r": "needs_review", "b": "blocked", "u": "undecided"}
WORST = ("b", "r", "u", "c")


def row(schema: Schema, **cells: Any) -> Row:
    """Return a row with these cells; the others are empty."""
    unknown = set(cells) - {column.key for column in schema.columns}
    assert not unknown, unknown
    return tuple(cells.get(column.key) for column in schema.columns)


def shot(number: int, strip: str, **cells: Any) -> Row:
    """Return a shot with this strip, a letter for each frame."""
    runs: list[str | int] = []
    for letter in strip:
        if runs and runs[-2] == letter:
            runs[-1] = int(runs[-1]) + 1
        else:
            runs += [letter, 1]
    worst = LETTERS[next(letter for letter in WORST if letter in strip)]
    known = {
        "name": f"sq010/sh{number:04}",
        "place": f"sq010/sh{number:04}",
        "in": "01:00:00:00",
        "out": "01:00:04:00",
        "frames": len(strip),
        "found": len(strip) - strip.count("u"),
        "unknown": strip.count("u"),
        "then": worst,
        "now": worst,
        "grade": "L3",
        "cleared": strip.count("c"),
        "needs_review": strip.count("r"),
        "blocked": strip.count("b"),
        "absent": 0,
        "versions": 0,
        "ai": strip.count("b"),
        "models": ("kiri-7",) if "b" in strip else (),
        "findings": ("F-001",) if "b" in strip else (),
        "approved": (),
        "strip": tuple(runs),
        "entries": (number,),
    }
    return row(TABLES["shots"], shot=number, **{**known, **cells})


def finding(number: int, **cells: Any) -> Row:
    """Return a finding."""
    known = {
        "severity": "blocked",
        "state": "open",
        "code": "NO_GRANT",
        "subject": "kiri-7",
        "use": "output-final",
        "path": ("model kiri-7",),
        "meaning": "Nobody has recorded a permission for it.",
        "mend": "Record the contract with `rakkan rights import`, or make the work again without it.",
        "then": 1,
        "now": 1,
        "shots": 1,
        "grants": (),
        "approvers": (),
        "entries": (),
    }
    return row(TABLES["findings"], finding=f"F-{number:03}", **{**known, **cells})


def report(
    shots: Sequence[Row], more: dict[str, Sequence[Row | Hidden]] | None = None, **head: Any
) -> Report:
    """Return a report of these shots, with a frame for each of their slivers, and these rows besides."""
    tables = {key: Table(schema, tuple((more or {}).get(key, ()))) for key, schema in TABLES.items()}
    tables["shots"] = Table(TABLES["shots"], tuple(shots))
    tables["frames"] = Table(TABLES["frames"], tuple(_frames(tables["shots"])))
    about = Head(**{name: getattr(HEAD, name) for name in HEAD.__slots__} | head)
    counted = figures(tables, FIGURES)
    states = tables["frames"].column("now")
    verdict = next((LETTERS[letter] for letter in WORST if LETTERS[letter] in states), "undecided")
    bad = [str(item[0]) for item in shots if item[TABLES["shots"].place("now")] != "cleared"]
    return Report(
        head=about,
        view="studio",
        verdict_then=verdict,
        verdict_now=verdict,
        grade_then="L3",
        grade_now="L3",
        figures=counted,
        chapters=chapters(about, tables, counted, verdict, ()),
        tables=tables,
        worst=tuple(bad[:5]),
    )


def _frames(shots: Table) -> list[Row]:
    found: list[Row] = []
    for item in shots.shown:
        strip = item[shots.schema.place("strip")]
        for letter, count in zip(strip[::2], strip[1::2], strict=True):
            for _ in range(count):
                number = len(found) + 1
                found.append(
                    row(
                        TABLES["frames"],
                        row=number,
                        shot=item[0],
                        name=f"sh.{number:06}.png",
                        sha256=f"{number:064x}",
                        known="unknown" if letter == "u" else "bytes",
                        now=LETTERS[letter],
                        then=LETTERS[letter],
                        grade=None if letter == "u" else "L3",
                        ai=letter == "b",
                    )
                )
    return found
