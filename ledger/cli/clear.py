"""`rakkan clear`, `why`, `impact`, `recheck`: may this be used so, why not, and what hangs on what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import REGISTRAR, Moment, examples, home, json_option, print_json, printable
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.scope import Media

if TYPE_CHECKING:
    from ledger.core.rights.profile import Profile
    from ledger.render.reasons import Line
    from ledger.service.clear.clear import Cleared
    from ledger.service.clear.question import Asked, Question
    from ledger.service.clear.recorded import Target
    from ledger.service.clear.verdicts import Plan
    from ledger.service.studio import Studio

COLOURS = {"good": "green", "open": "yellow", "bad": "red"}


def asking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is asked: policy, delivery, moment."""
    for option in reversed(
        (
            click.option(
                "--policy",
                envvar="RAKKAN_POLICY",
                metavar="NAME|FILE",
                help="A shipped profile or your own file: rakkan profile list.",
            ),
            click.option(
                "--for",
                "deliverable",
                type=click.Choice([item.value for item in Deliverable]),
                default="final",
                show_default=True,
                help="The class of the deliverable.",
            ),
            click.option("--title", help="A title's identifier or name. Default: that of this production."),
            click.option(
                "--media",
                multiple=True,
                type=click.Choice([item.value for item in Media]),
                help="How it reaches its audience. Default: what the profile says.",
            ),
            click.option(
                "--territory",
                "territories",
                multiple=True,
                metavar="CODE",
                help="ISO 3166 (JP) or UN M49 (150; 001 is the world). Default: what the profile says.",
            ),
            click.option("--at", type=Moment(), help="The moment that “now” means. Default: the present."),
            click.option("--known", type=Moment(), help="Leave out what the studio came to know later."),
        )
    ):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "rakkan clear sq010/sh020 --policy streamer",
        "rakkan clear . --policy broadcast-jp --for marketing --territory JP",
        "rakkan clear @final.otio --policy strict-authorised-only --record",
    )
)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET…")
@asking
@click.option("--record", "recording", is_flag=True, help="Append the verdicts to the log.")
@json_option
def clear(targets: tuple[str, ...], *, recording: bool, as_json: bool, **said: Any) -> int:
    """Clear TARGETs under a policy: does it find a grant for every recorded use, when made and now?

    A TARGET is a file, a SHA-256, a place (sq010/sh020, sq010/sh020/1006, sh020; . is the whole production;
    of an episode ep03/sq010/sh020, ep03/. is all of it) or a cut list (@cut.txt, @cut.csv, with one target
    on each line; or a timeline, @final.otio). A place means its final files.

    Exit code, by the verdict now: 0 cleared, 3 needs review or undecided, 4 blocked, 2 usage.
    """
    from ledger.render import clearance
    from ledger.render.verdicts import recorded
    from ledger.service.clear.clear import clear as clear_targets
    from ledger.service.clear.question import ask, clearer_over, see
    from ledger.service.clear.targets import resolve
    from ledger.wiring import open_studio

    profile = policy_of(said)
    if recording and said["known"]:
        raise click.UsageError("--record goes without --known: a verdict on record says all that is known.")
    with open_studio(home()) as studio:
        question = ask(studio, profile, asked_of(said))
        if recording and question.at > studio.clock.now():
            raise click.UsageError("--record goes without an --at that is still to come.")
        clearer = clearer_over(see(studio, question.known), question)
        found = clear_targets(clearer, resolve(studio, targets))
        plan, indices = _record(studio, found) if recording else (None, ())
    if as_json:
        print_json({**found.to_json(), **_recorded(plan, indices)})
        return found.exit_code
    show(clearance.cleared(found))
    if plan is not None:
        click.echo()
        show(recorded(plan, indices))
    return found.exit_code


@click.command(
    epilog=examples(
        "rakkan why sq010/sh020/1006 --policy streamer",
        "rakkan why night.png",
    )
)
@click.argument("target")
@asking
@json_option
def why(target: str, *, as_json: bool, **said: Any) -> int:
    """Say why TARGET has its verdict: each reason, the way to it through the steps, and how to mend it.

    Of a TARGET that stands for several files, one of those with the worst verdict is explained. Without
    --policy, the newest verdict on record says which policy and which delivery.

    Exit code: as of `rakkan clear`.
    """
    from ledger.render import clearance
    from ledger.service.clear.question import clearer_over, see
    from ledger.service.clear.targets import resolve
    from ledger.service.clear.why import why as explain
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        seen = see(studio, said["known"])
        found = resolve(studio, [target])
        clearer = clearer_over(seen, _question(studio, found, said))
        told = explain(studio, clearer, found)
    if as_json:
        print_json(told.to_json())
    else:
        show(clearance.why(told))
    return told.cleared.exit_code


@click.command(
    epilog=examples(
        "rakkan impact G-2026-014",
        "rakkan impact plates --if-revoked 2026-06-01 --policy broadcast-jp",
    )
)
@click.argument("thing")
@click.option(
    "--if-revoked",
    "effective",
    type=Moment(),
    help="Calculate what would change if its grants were revoked with effect from this moment.",
)
@asking
@json_option
def impact(thing: str, effective: datetime | None, *, as_json: bool, **said: Any) -> None:
    """Show what rests on THING: a grant, a dataset, a model, a service, or a file.

    The answer counts final files by shot. With --if-revoked (and --policy) it says which of them would have
    another verdict, and why; nothing is signed.
    """
    from ledger.render import clearance
    from ledger.service.clear.impact import find_thing, what_if
    from ledger.service.clear.impact import impact as rests_on
    from ledger.service.clear.question import ask, see
    from ledger.wiring import open_studio

    profile = policy_of(said) if effective else None
    with open_studio(home()) as studio:
        seen = see(studio, said["known"])
        found = rests_on(studio, seen, find_thing(studio, seen.facts, thing))
        supposed = None
        if effective is not None and profile is not None:
            question = ask(studio, profile, asked_of(said))
            supposed = what_if(studio, seen, question, found, effective)
    if as_json:
        print_json({**found.to_json(), **({"ifRevoked": supposed.to_json()} if supposed else {})})
        return
    show(clearance.impact(found))
    if supposed is not None:
        show(clearance.what_if(supposed))


@click.command(
    epilog=examples(
        "rakkan recheck",
        "rakkan recheck --policy streamer --dry-run",
    )
)
@click.option("--policy", "name", help="Only verdicts by the policy of this name.")
@click.option("--dry-run", is_flag=True, help="Say what has changed, and append nothing.")
@json_option
def recheck(name: str | None, *, dry_run: bool, as_json: bool) -> int:
    """Look again at the verdicts on record, and append what has changed.

    Only what a newer fact, a newer record or a passed day touches is judged anew. Each new verdict names the
    one that it changes, and the entry that made the difference. Safe to repeat, for instance every night.

    Exit code, by what has changed: 0 nothing or cleared, 3 needs review, 4 blocked.
    """
    from ledger.render.verdicts import changes, rechecked
    from ledger.service.clear.clear import EXIT_CODES
    from ledger.service.clear.recheck import recheck as look_again
    from ledger.service.clear.verdicts import record
    from ledger.wiring import open_device, open_studio

    place = home()
    with open_studio(place) as studio:
        found = look_again(studio, name)
        registrar = None if dry_run else open_device(place, REGISTRAR)
        appended = [
            record(studio, registrar, item.profile, item.plan.planned) if registrar else () for item in found
        ]
        pairs = list(zip(found, appended, strict=True))
        if as_json:
            print_json([changes(item, indices, studio.statement) for item, indices in pairs])
        for item, indices in pairs if not as_json else ():
            show(rechecked(item, indices, studio.statement))
    if not found and not as_json:
        click.echo("There are no verdicts on record: rakkan clear --record appends them.")
    return max(
        (EXIT_CODES[each.verdict.now.verdict] for item in found for each in item.plan.planned), default=0
    )


def show(lines: Iterable[Line]) -> None:
    """Print lines in the colours of their tones."""
    for text, tone in lines:
        click.secho(
            printable(text), fg=COLOURS.get(tone), bold=tone == "head" or None, dim=tone == "dim" or None
        )


def policy_of(said: dict[str, Any]) -> Profile:
    """Return the profile that the options of ``asking`` name. Raises ``profile.…``."""
    from ledger.adapters.profiles import load, shipped_names

    if said["policy"] is None:
        names = ", ".join(shipped_names())
        raise click.UsageError(f"Give --policy: one of {names}, or your own file.")
    return load(said["policy"])


def asked_of(said: dict[str, Any]) -> Asked:
    """Return the delivery that the options of ``asking`` describe."""
    from ledger.service.clear.question import Asked

    return Asked(
        deliverable=Deliverable(said["deliverable"]),
        title=said["title"],
        media=tuple(map(Media, said["media"])),
        territories=said["territories"],
        at=said["at"],
        known=said["known"],
    )


def _question(studio: Studio, targets: tuple[Target, ...], said: dict[str, Any]) -> Question:
    """Return what is asked; without a policy, what the newest verdict on record answers."""
    from ledger.service.clear.question import ask
    from ledger.service.clear.verdicts import question_on_record

    if said["policy"] is None:
        found = question_on_record(studio, targets, said["at"], said["known"])
        if found is not None:
            return found
    return ask(studio, policy_of(said), asked_of(said))


def _record(studio: Studio, found: Cleared) -> tuple[Plan, tuple[int, ...]]:
    """Append the verdicts that are not on record yet."""
    from ledger.service.clear.verdicts import History, plan, record
    from ledger.wiring import open_device

    planned = plan(studio, found.clearer, found.groups, History(studio))
    registrar = open_device(home(), REGISTRAR)
    return planned, record(studio, registrar, found.question.profile, planned.planned)


def _recorded(plan: Plan | None, indices: tuple[int, ...]) -> dict[str, Any]:
    if plan is None:
        return {}
    unchanged = [{"entry": index, "files": files} for index, files in plan.unchanged.items()]
    return {"recorded": {"entries": list(indices), "unchanged": unchanged}}
