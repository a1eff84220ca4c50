"""Audit reports made up out of nothing, of any size and with any names: the value alone, without a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ledger.core.audit import Answer, Head, Lineage, Report, Row, Stop, Table, figures
from ledger.core.audit.chapters import FIGURES, chapters
from ledger.core.audit.tables import TABLES
from ledger.core.audit.views import Reader, View, seen_by
from ledger.core.audit.words import COMMANDS, GLOSSARY
from ledger.service.report.frames import episodes_table

AT = "2026-11-22T09:00:00Z"
SECRET = b"s" * 32
SOURCE = "compositeWithTrainedAlgorithmicMedia"
NOW_OF = {"c": "cleared", "r": "needs_review", "b": "blocked", "u": "undecided"}
ORDINARY = ("Kiri lineart", "Aoi palette", "moonlit-brush", "Studio Lantern")
EPISODES = ("ep01", "ep02")


@dataclass(frozen=True)
class Size:
    """How much there is of what."""

    shots: int = 12
    frames: int = 80
    findings: int = 9
    things: int = 6
    failed: int = 0


def digest(text: str) -> str:
    """Return a digest that is always the same for the same text."""
    return sha256(text.encode()).hexdigest()


def audit_report(size: Size = Size(), names: Sequence[str] = ORDINARY) -> Report:
    """Return the whole report of an invented production. ``names`` are what its things are called."""
    tables = (
        {key: Table(schema, ()) for key, schema in TABLES.items()}
        if size.shots == 0
        else _tables(size, names)
    )
    head = Head(
        identifier="R-20261122-165022a0",
        studio=names[-1],
        production="moonrise",
        title="Moonrise",
        scope="the cut moonrise ep03 final v12",
        population=digest("population"),
        at=AT,
        known=None,
        policy="streamer",
        policy_version="2",
        policy_sha256=digest("policy"),
        delivery={"title": "moonrise", "deliverable": "final", "media": ["streaming"], "territories": ["JP"]},
        origin="ledger.studio-lantern.example/moonrise",
        size=48_213,
        root=digest("root"),
        engine="1",
        cut="moonrise ep03 final v12",
        rate="24",
        verify="https://ledger.studio-lantern.example/r/R-20261122-165022a0",
    )
    counted = figures(tables, FIGURES)
    now = {str(row[TABLES["shots"].place("now")]) for row in tables["shots"].shown}
    worst = next(
        (item for item in ("blocked", "needs_review", "undecided", "cleared") if item in now), "undecided"
    )
    told = chapters(head, tables, counted, worst, ())
    lineage = _lineage(names)
    return Report(
        head=head,
        view="studio",
        verdict_then="cleared" if size.shots else "undecided",
        verdict_now=worst,
        grade_then="L3" if size.shots else None,
        grade_now="L1" if size.shots else None,
        figures=counted,
        chapters=tuple(
            replace(
                item,
                answers=_answers() if item.key == "summary" else (),
                lineages=("worst",) if item.key == "models" and size.shots else (),
            )
            for item in told
        ),
        tables=tables,
        lineages={"worst": lineage} if size.shots else {},
        worst=tuple(str(n) for n in range(2, size.shots, 5))[:5],
    )


def as_seen(report: Report, view: View) -> Report:
    """Return the report in a view; a rights holder's is that of ``party-1``."""
    return seen_by(report, Reader(view, "party-1" if view is View.RIGHTS_HOLDER else None), SECRET)


def _answers() -> tuple[Answer, ...]:
    return (
        Answer("Outputs do not replicate identifiable characteristics of unowned material.", True, "shown"),
        Answer("The tools used do not store, reuse or train on production data.", False, "not shown"),
        Answer("Generated material is temporary, or it is approved.", None, "nobody can tell"),
    )


def _tables(size: Size, names: Sequence[str]) -> dict[str, Table]:
    rows = {
        "shots": [_shot(n, size, names) for n in range(1, size.shots + 1)],
        "findings": [_finding(n, names) for n in range(1, size.findings + 1)],
        "gaps": [(1, "absent", 4, f"{names[0]} sh040", None, 3, "Frames were asked for that no file has.")],
        "services": [_service(n, names) for n in range(1, size.things + 1)],
        "tools": [_tool(n) for n in range(1, 5)],
        "models": [_model(n, names) for n in range(1, size.things + 1)],
        "datasets": [_dataset(n, names) for n in range(1, size.things + 1)],
        "grants": [_grant(n, names) for n in range(1, size.things + 1)],
        "authorship": [_work(n) for n in range(1, 8)],
        "people": [(1, names[0], 24, AT, "consent-7", "likeness, final pictures", AT, None, True, (7,))],
        "decisions": [
            (
                1,
                "override",
                names[0],
                digest("x"),
                "accepted",
                ("legal", "director"),
                AT,
                None,
                "letter 12",
                (9,),
            )
        ],
        "devices": [_device(n) for n in range(1, 4)],
        "checks": [
            (
                "entries",
                "failed" if size.failed else "passed",
                48_213,
                size.failed,
                "Every signature was checked.",
                tuple(range(12, 12 + size.failed)),
            ),
            ("checkpoint", "passed", 1, 0, "The tree has the signed root.", ()),
        ],
        "checkpoints": [(1, 48_213, digest("root"), "ledger.studio-lantern.example", "log", AT, "valid")],
        "policy": [(1, "at least", "grade of final pictures", ("L3",))],
        "commands": [(about, command, says) for about, command, says in COMMANDS],
        "glossary": [(term, meaning) for term, meaning in GLOSSARY],
        "changes": [(1, "verdict", f"{names[0]} sh020", "cleared", "blocked", 12, (40, 41))],
        "bases": [_basis(n, size) for n in range(1, 4)],
    }
    tables = {key: Table(TABLES[key], tuple(held)) for key, held in rows.items()}
    tables["episodes"] = episodes_table(tables["shots"])
    return tables | {"frames": Table(TABLES["frames"], tuple(_frames(size)))}


def _letters(n: int, size: Size) -> list[tuple[str, int]]:
    whole = size.frames
    match n % 5:
        case 2:
            return [("c", whole // 2), ("b", 3), ("c", whole - whole // 2 - 3)]
        case 3:
            return [("r", whole // 4), ("c", whole - whole // 4)]
        case 4:
            return [("c", whole - 3), ("u", 3)]
        case _:
            return [("c", whole)]


def _shot(n: int, size: Size, names: Sequence[str]) -> Row:
    runs = _letters(n, size)
    count = {letter: sum(k for found, k in runs if found == letter) for letter in NOW_OF}
    worst = next(NOW_OF[letter] for letter in "bruc" if count[letter])
    name = f"sq{n // 20:03}/sh{n * 10:04}" if names is ORDINARY else names[n % len(names)]
    ai = size.frames if n % 3 == 0 else 0
    start = (n - 1) * size.frames
    return (
        n,
        name,
        name,
        _timecode(start),
        _timecode(start + size.frames),
        size.frames,
        size.frames - count["u"],
        0,
        count["u"],
        0,
        "cleared",
        worst,
        "L1" if worst == "blocked" else "L3",
        count["c"],
        count["r"],
        count["b"],
        SOURCE if ai else None,
        ai,
        (names[2 % len(names)],) if ai else (),
        tuple(f"F-{k:03}" for k in range(1, min(4, size.findings + 1))) if worst == "blocked" else (),
        ("director",),
        tuple(part for run in runs if run[1] for part in run),
        None,
        tuple(range(start, start + 3)),
        EPISODES[n % 2],
    )


def _timecode(frame: int) -> str:
    seconds, rest = divmod(frame, 24)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{rest:02}"


def _frames(size: Size) -> list[Row]:
    found: list[Row] = []
    for n in range(1, size.shots + 1):
        for letter, count in _letters(n, size):
            for _ in range(count):
                number = len(found) + 1
                named = (number, n, f"sh{n}.{number:06}.exr", number, "v003", None, "bytes", "cleared")
                grade = {"c": "L4", "r": "L2", "b": "L1", "u": None}[letter]
                found.append((*named, NOW_OF[letter], grade, n % 3 == 0, 1, number, EPISODES[n % 2]))
    return found


def _basis(n: int, size: Size) -> Row:
    evidence = ("observed", "inferred", "declared")[n - 1]
    files = size.shots * size.frames // (4**n) or 1
    return (n, digest(f"b{n}"), files, "cleared", "cleared", "L4", "L3", True, evidence, (), (), ())


def _finding(n: int, names: Sequence[str]) -> Row:
    severity, state = (("blocked", "open"), ("needs_review", "open"), ("noted", "noted"))[n % 3]
    return (
        f"F-{n:03}",
        severity,
        state,
        ("TITLE_NOT_GRANTED", "GRANT_NOT_IN_FORCE", "TERMS_CHANGED")[n % 3],
        names[n % len(names)],
        digest(f"f{n}"),
        "inference-run",
        "Grant G-88 names the title Nightfall alone.",
        (f"model {names[0]}", f"dataset {names[1 % len(names)]}"),
        "The grant that would permit it does not name this title.",
        "Have the grant extended to this title, or make the work again without it.",
        n * 3,
        n * 4,
        n % 7 + 1,
        AT,
        None,
        ("G-88",),
        "observed",
        (),
        None,
        (n,),
    )


def _service(n: int, names: Sequence[str]) -> Row:
    then, now = (("offered", "none"), ("conditional", "conditional"), ("unknown", "offered"))[n % 3]
    return (
        n,
        names[-1],
        names[n % len(names)],
        f"snapshot-2026-0{n % 9 + 1}",
        "Enterprise",
        120 * n,
        14 * n,
        "2026-03-01T00:00:00Z",
        "2026-10-02T00:00:00Z",
        digest(f"terms{n}"),
        "2026-02-27T00:00:00Z",
        "the customer",
        "not allowed",
        "30 days",
        then,
        now,
        ("filters on",) if then == "conditional" else (),
        "approved",
        ("legal",),
        (n, n + 1),
    )


def _tool(n: int) -> Row:
    name = ("Blender 4.2.1", "Nuke 15.1v3", "ComfyUI 0.3.60", "Krita 5.2.6")[n - 1]
    return (
        name,
        ("render", "composite", "generate", "draw")[n - 1 : n],
        210 * n,
        200 * n,
        8 * n,
        2 * n,
        n == 3,
        "2026-03-01T00:00:00Z",
        "2026-10-02T00:00:00Z",
        (digest(name),),
        (n,),
    )


def _model(n: int, names: Sequence[str]) -> Row:
    return (
        digest(f"m{n}"),
        names[n % len(names)],
        f"{n}.2",
        ("checkpoint", "lora")[n % 2],
        n % 3 > 0,
        90 * n,
        (names[0],) if n % 2 else (),
        (names[1 % len(names)],),
        ("fine-tuning",),
        "Apache-2.0",
        "licence",
        n % 2 == 0,
        "approved",
        f"L{n % 5}",
        ("G-88",),
        ("legal",),
        (n,),
    )


def _dataset(n: int, names: Sequence[str]) -> Row:
    return (
        digest(f"d{n}"),
        names[n % len(names)],
        "3",
        24_100 * n,
        3 * n,
        digest(f"i{n}"),
        "2026-01-05T00:00:00Z",
        ("fine-tuning",),
        (names[0],),
        40 * n,
        "proprietary",
        "approved",
        f"L{n % 5}",
        ("G-88",),
        (f"party-{n}",),
        (f"{names[0]} (900 works)",),
        (n,),
    )


def _grant(n: int, names: Sequence[str]) -> Row:
    until = (None, "2026-06-01T00:00:00Z", "2028-12-31T15:00:00Z")[n % 3]
    state = ("in force", "ended", "in force")[n % 3]
    return (
        n,
        f"G-{80 + n}",
        1,
        (names[n % len(names)],),
        ("training", "output-final"),
        ("fine-tuning",),
        ("moonrise",),
        ("world except US",),
        ("streaming",),
        "licence",
        f"202{n % 5}-04-01T00:00:00Z",
        until,
        "stop",
        None,
        state,
        names[-1],
        (f"party-{n}",),
        40 * n,
        digest(f"c{n}"),
        (n,),
    )


def _work(n: int) -> Row:
    actor, task = ("aoi.tanaka", "compositing") if n % 2 else ("binh.nguyen", "layout")
    return (n, actor, task, "draw", 300 * n, 20 * n, 90 * n, n, "observed", AT, AT, (n,))


def _device(n: int) -> Row:
    return (f"{digest(f'k{n}')[:16]}", f"paint-0{n}", "device", 900 * n, AT, None, None, None, 0, 0, (n,))


def _lineage(names: Sequence[str]) -> Lineage:
    stops = (
        Stop(digest("l1"), "dataset", names[0], ("24,100 works", "party-1"), "Grant G-88", True, 12),
        Stop(digest("l2"), "dataset", names[1 % len(names)], ("900 works",), "no grant on record", False, 13),
        Stop(digest("l3"), "model", names[2 % len(names)], ("LoRA, 1.2",), "recorded", True, 14),
        Stop(digest("l4"), "unknown", "an unnamed layer", (), "no record", None, None),
        Stop(digest("l5"), "file", "sh020.1007.exr", ("generated in ComfyUI",), "signed", True, 16),
        Stop(digest("l6"), "file", "sh020.final.1007.exr", ("composited in Nuke",), "signed", True, 17),
    )
    links = ((0, 2, "training"), (1, 2, "training"), (2, 4, "model"), (3, 5, "layer"), (4, 5, "plate"))
    return Lineage(
        "worst",
        "sh020.final.1007.exr",
        digest("l6"),
        "It is the first blocked frame of the worst shot.",
        stops,
        tuple((stops[a].sha256, stops[b].sha256, role) for a, b, role in links),
    )
