"""`rakkan ask`: a client's questions, answered with the frames that they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.clear import asked_of, asking, policy_of, show
from ledger.cli.common import Moment, examples, home, json_option, print_json

if TYPE_CHECKING:
    from ledger.render.reasons import Line
    from ledger.service.reading.pages import Listing
    from ledger.service.studio import Studio

OPEN = 3
"""Exit code: something that an answer needs is missing."""
_limit = click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many are listed."
)


@click.group()
def ask() -> None:
    """Answer a client's questions from the ledger, by frames and shots.

    Every list says how many more there are. With --json the answer is a document for programs.
    """


@ask.command(
    "unknown-origin",
    epilog=examples("rakkan ask unknown-origin", "rakkan ask unknown-origin sq010/sh020 @final.otio"),
)
@click.argument("targets", nargs=-1, metavar="[TARGET]…")
@_limit
@json_option
def unknown_origin(targets: tuple[str, ...], limit: int, *, as_json: bool) -> int:
    """List the final files whose origin is unknown or only declared, counted by shot, device and vendor.

    TARGETs are those of `rakkan clear`; without any, the whole production is meant.

    Exit code: 0 every origin is on record, 3 one is not, 2 usage.
    """
    from ledger.render import questions
    from ledger.service.clear.projecting import catch_up
    from ledger.service.clear.store import ANYWHERE
    from ledger.service.questions.unknown import at_place, in_population
    from ledger.service.report.population import of_targets

    def answered(studio: Studio) -> Listing:
        page = _page("unknown-origin", limit)
        catch_up(studio)
        return (
            in_population(studio, of_targets(studio, targets), page)
            if targets
            else at_place(studio, ANYWHERE, page)
        )

    found = _answer(answered, questions.unknown, as_json=as_json)
    return OPEN if found["found"] or found.get("absent") else 0


@ask.command(
    epilog=examples(
        "rakkan ask used sky --after 2026-06-01",
        "rakkan ask used openai/gpt-image-2 --delivered --json",
    )
)
@click.argument("thing")
@click.option("--after", "since", type=Moment(), help="Only uses from this moment on.")
@click.option("--before", "until", type=Moment(), help="Only uses before this moment.")
@click.option("--delivered", is_flag=True, help="Only files that a step on record delivered.")
@_limit
@json_option
def used(thing: str, limit: int, *, as_json: bool, **wanted: Any) -> None:
    """List the final files that used THING: a model, a service, a dataset, or what a grant covers.

    What was made from a model or trained on a dataset counts as well. Time is on record by the quarter of an
    hour.
    """
    from ledger.render import questions
    from ledger.service.questions.used import Wanted
    from ledger.service.questions.used import used as uses

    _answer(
        lambda studio: uses(studio, thing, Wanted(**wanted), _page("used", limit)),
        questions.used,
        as_json=as_json,
    )


@ask.command(
    "if-ended",
    epilog=examples("rakkan ask if-ended G-2026-014 --on 2027-01-01 --policy broadcast-jp"),
)
@click.argument("grant")
@click.option("--on", "effective", type=Moment(), help="The moment it would end. Default: the present.")
@asking
@_limit
@json_option
def if_ended(grant: str, effective: datetime | None, limit: int, *, as_json: bool, **said: Any) -> None:
    """List the final files that would have another verdict if GRANT ended; nothing is signed.

    GRANT may also be a dataset, a model or a service: then all grants about it end.
    """
    from ledger.render import questions
    from ledger.service.questions import ended

    profile = policy_of(said)

    def answered(studio: Studio) -> Listing:
        return ended.if_ended(studio, (grant, effective), profile, asked_of(said), _page("if-ended", limit))

    _answer(answered, questions.ended, as_json=as_json)


@ask.command(epilog=examples("rakkan ask coverage --by vendor", "rakkan ask coverage --by shot --json"))
@click.option(
    "--by",
    "axis",
    type=click.Choice(["vendor", "device", "task", "episode", "shot"]),
    default="vendor",
    show_default=True,
    help="By what the files are counted together.",
)
@_limit
@json_option
def coverage(axis: str, limit: int, *, as_json: bool) -> None:
    """Say how far the making of the final files is on record, by who made them and where.

    A vendor is told by the party that granted the dataset which a file came out of, or by what stands before
    the first dot in the name of the device that recorded its making (`pixelhut.ws-3`). Which files nobody
    recorded, only `rakkan coverage` can tell.
    """
    from ledger.render import questions
    from ledger.service.clear.store import ANYWHERE
    from ledger.service.questions.coverage import Axis
    from ledger.service.questions.coverage import coverage as covered

    _answer(
        lambda studio: covered(studio, Axis(axis), ANYWHERE, _page("coverage", limit)),
        questions.coverage,
        as_json=as_json,
    )


def _answer(
    answered: Callable[[Studio], Listing],
    told: Callable[[Any], Iterator[Line]],
    *,
    as_json: bool,
) -> dict[str, Any]:
    from ledger.service.clear.projecting import catch_up
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        catch_up(studio)
        found = answered(studio).to_json()
    if as_json:
        print_json(found)
    else:
        show(told(found))
    return found


def _page(question: str, limit: int) -> Any:
    from ledger.service.reading.pages import Page

    return Page((question,), limit)
