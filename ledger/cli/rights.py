"""`rakkan rights`: bring in what is permitted, see what is on record, and decide about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import REGISTRAR, examples, home, json_option, print_json, printable
from ledger.cli.rights_state import FILE, said, say_registered, state_one
from ledger.core.predicates.approval import ApprovalKind, Decision
from ledger.core.predicates.review import Standing

if TYPE_CHECKING:
    from ledger.service.rights.importing import Fact, Outcome
    from ledger.service.studio import Studio

KINDS = (
    *("party", "title", "work", "dataset", "model", "training", "grant", "revocation"),
    *("service_terms", "consent", "approval", "finding", "review", "override"),
)
"""``service.rights.registry.TABLES`` by name; a test compares them. Help must not load the registry."""
_MANY = "; may be given several times."


@click.group()
def rights() -> None:
    """The facts about rights: bring them in from files, list them, review and approve."""


@rights.command(
    "import",
    epilog=examples(
        "rakkan rights import rights.toml",
        "rakkan rights import rights.toml grants.csv --apply",
        "rakkan rights import README.md --weights sky.safetensors",
    ),
)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--apply", is_flag=True, help="Sign it. Without this, only say what would be signed.")
@click.option("--weights", type=FILE, help="The weights of the one model that a model card is about.")
@click.option("--name", help="What the studio calls the one model that a file is about.")
@click.option("--anyway", is_flag=True, help="Also what contradicts an exclusive grant.")
@json_option
def import_facts(
    files: tuple[Path, ...],
    *,
    apply: bool,
    weights: Path | None,
    name: str | None,
    anyway: bool,
    as_json: bool,
) -> None:
    """Say what FILES would state, or with --apply sign all of it, or nothing.

    A file is TOML with facts of every kind; CSV with a grant in each row; or what another tool wrote about a
    model: safetensors, a Hugging Face card, mergekit's configuration, CycloneDX, SPDX. What such a file says
    is recorded as declared. Importing twice changes nothing. docs/howto/register-rights.md shows how.
    """
    from ledger.errors import RefusedError
    from ledger.wiring import open_studio
    from ledger.wiring.rights import read_facts

    with open_studio(home()) as studio:
        read = [read_facts(path, weights, name) for path in files]
        outcomes = _judged(studio, [fact for found, _ in read for fact in found], apply=apply, anyway=anyway)
        refused = sum(item.refused is not None for item in outcomes)
        if apply and not refused:
            _sign(studio, outcomes)
    _say(
        outcomes,
        [note for _, notes in read for note in notes],
        applied=apply and not refused,
        as_json=as_json,
    )
    if refused:
        raise RefusedError("rights.refused", f"{refused} of {len(outcomes)} facts cannot be stated.")


@rights.command(
    "list",
    epilog=examples(
        "rakkan rights list",
        "rakkan rights list title",
    ),
)
@click.argument("kind", type=click.Choice(KINDS), required=False)
@json_option
def list_facts(kind: str | None, *, as_json: bool) -> None:
    """List the facts on record, oldest first: all of them, or those of one KIND."""
    from ledger.cli.rights_words import said_of
    from ledger.service.rights.reading import records_of
    from ledger.service.rights.registry import kind_of
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        records = [(kind_of(item.statement.predicate), item) for item in records_of(studio)]
    found = [(of, item) for of, item in records if of is not None and kind in (None, of)]
    if as_json:
        print_json(
            [
                {
                    "index": item.index,
                    "kind": of,
                    "subjects": [subject.to_json() for subject in item.statement.subjects],
                    "predicate": item.statement.predicate.to_json(),
                    "byRegistrar": item.by_registrar,
                }
                for of, item in found
            ]
        )
        return
    for of, item in found:
        click.echo(printable(f"{item.index:>6}  {of:<13} {said_of(item.statement)}"))
    if not found:
        click.echo("Nothing is on record.")


@rights.command(
    epilog=examples(
        "rakkan rights review sky accepted --reviewer actor:legal-2",
        "rakkan rights review sea contested --reviewer actor:legal-2 --source https://example.org/claim",
    ),
)
@click.argument("thing")
@click.argument("standing", type=click.Choice([item.value for item in Standing]))
@click.option("--reviewer", required=True, help="Who looked at it: a pseudonym, never a name.")
@click.option("--since", metavar="DAY", help="When the standing began. Default: this quarter of an hour.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of that day.")
@click.option("--source", help="Where a claim can be read.")
@click.option("--note", help="Why. Enters the log only as a salted digest.")
@json_option
def review(thing: str, *, since: str | None, as_json: bool, **options: Any) -> None:
    """Record where THING stands: a dataset, a model, a service (service:NAME) or a file.

    A declared fact counts for more than a claim only after an accepted review.
    """
    done = state_one("review", said(about=[thing], since=since or _quarter(), **options))
    say_registered("Review of", thing, done, as_json=as_json)


@rights.command(
    epilog=examples(
        "rakkan rights approve service:openai/gpt-image --kind tool --by mori --from 2026-04-01",
    ),
)
@click.argument("things", nargs=-1, required=True)
@click.option(
    "--kind",
    required=True,
    type=click.Choice([item.value for item in ApprovalKind]),
    help="What the approval is for.",
)
@click.option("--by", required=True, metavar="PARTY", help="Who decided: a registered party.")
@click.option("--refused", is_flag=True, help="It was refused.")
@click.option("--from", "from", required=True, metavar="DAY", help="First day on which it holds.")
@click.option("--until", metavar="DAY", help="First day on which it no longer holds.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of the days.")
@click.option("--title", "titles", multiple=True, help=f"A registered title; none given: every title{_MANY}")
@click.option("--reference", help="The approver's own reference.")
@click.option("--document", type=FILE, help="The written approval. Its digest enters the log, salted.")
@json_option
def approve(things: tuple[str, ...], *, refused: bool, as_json: bool, **options: Any) -> None:
    """Record that somebody with the say approved THINGS: models, services, files or titles."""
    decision = Decision.REFUSED if refused else Decision.APPROVED
    done = state_one("approval", said(about=things, decision=decision.value, **options))
    say_registered("Approval of", ", ".join(things), done, as_json=as_json)


@rights.command(
    epilog=examples(
        "rakkan rights override sky MODEL_UNREVIEWED --approver actor:legal-1 --approver actor:producer-3 \\",
        '    --expires 2027-01-01 --reason "accepted for the trailer"',
    ),
)
@click.argument("thing")
@click.argument("code", metavar="REASON")
@click.option(
    "--approver", "approvers", multiple=True, required=True, help=f"A pseudonym, never a name{_MANY}"
)
@click.option("--expires", required=True, metavar="DAY", help="The first day on which it counts again.")
@click.option("--zone", default="UTC", show_default=True, help="The time zone of that day.")
@click.option("--title", "titles", multiple=True, help=f"A registered title; none given: every title{_MANY}")
@click.option("--reason", required=True, help="Why. Enters the log only as a salted digest.")
@json_option
def override(thing: str, code: str, *, as_json: bool, **options: Any) -> None:
    """Accept the finding REASON about THING until a day.

    It stays in every verdict, with the override beside it, and counts again from that day on.
    """
    done = state_one("override", said(about=[thing], code=code, **options))
    say_registered("Override for", thing, done, as_json=as_json)


def _judged(studio: Studio, facts: list[Fact], *, apply: bool, anyway: bool) -> list[Outcome]:
    """Return what would become of every fact. A dry run leaves no file behind."""
    from tempfile import TemporaryDirectory

    from ledger.service.rights.importing import judge
    from ledger.service.rights.register import desk_of
    from ledger.wiring.rights import readers

    with TemporaryDirectory(prefix="rakkan-") as scratch:
        desk = desk_of(studio, readers(), indices=None if apply else Path(scratch))
        return judge(studio, desk, facts, anyway=anyway)


def _sign(studio: Studio, outcomes: list[Outcome]) -> None:
    from ledger.service.rights.register import seal_files, state
    from ledger.wiring import open_device

    registrar = open_device(home(), REGISTRAR)
    planned = [item.planned for item in outcomes if item.planned]
    state(studio, registrar, planned)
    seal_files(studio, registrar, planned)


def _say(outcomes: list[Outcome], notes: list[str], *, applied: bool, as_json: bool) -> None:
    from ledger.cli.rights_words import outcome_json, outcome_lines

    if as_json:
        print_json({"applied": applied, "facts": [outcome_json(item) for item in outcomes], "notes": notes})
        return
    for item in outcomes:
        for line in outcome_lines(item, applied=applied):
            click.echo(printable(line))
    for note in notes:
        click.echo(printable(f"note: {note}"))
    fresh = sum(item.planned is not None and not item.planned.again for item in outcomes)
    count = f"{fresh} of {len(outcomes)} facts"
    if not outcomes:
        click.echo("There is no fact in it that could be signed.")
    elif not fresh and not any(item.refused for item in outcomes):
        click.echo("Nothing is to be signed: everything is on record.")
    elif applied:
        click.echo(f"{count} were signed.")
    elif not any(item.refused for item in outcomes):
        click.echo(f"{count} would be signed. To sign them, add --apply.")


def _quarter() -> str:
    """Return the beginning of the present quarter of an hour, the grain at which uses are judged."""
    from ledger.core.fields import format_time
    from ledger.wiring import SystemClock

    now = SystemClock().now()
    return format_time(now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0))
