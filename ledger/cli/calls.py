"""`rakkan calls`: what remote services answered: what was throttled, refused, or never saved."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from ledger.cli.common import Moment, examples, home, json_option, print_json, printable
from ledger.core.fields import format_time
from ledger.core.predicates.service_call import CallOutcome

if TYPE_CHECKING:
    from ledger.core.predicates import ServiceCall

WORDS = {
    CallOutcome.ACCEPTED: "✓",
    CallOutcome.THROTTLED: "–",
    CallOutcome.REFUSED: "✕",
    CallOutcome.FAILED: "✕",
}


@click.command(
    epilog=examples(
        "rakkan calls --outcome refused",
        "rakkan calls --since 2026-11-01 --json",
    )
)
@click.option(
    "--outcome", type=click.Choice([item.value for item in CallOutcome]), help="Only those that ended so."
)
@click.option("--since", type=Moment(), help="Only those that ended at this moment or after it.")
@json_option
def calls(outcome: str | None, since: datetime | None, *, as_json: bool) -> None:
    """Show the calls to remote services on record, oldest first.

    A refusal stands with the provider's own code and request id: whether it was right, no record says.
    """
    from ledger.core.predicates import ServiceCall
    from ledger.wiring import open_studio

    found = []
    with open_studio(home()) as studio:
        for row in studio.entries.statements(ServiceCall.TYPE):
            call = studio.statement(row.index).predicate
            if not isinstance(call, ServiceCall) or outcome not in (None, call.outcome.value):
                continue
            if since is None or call.finished >= since:
                found.append((row.index, call))
    if as_json:
        print_json([{"entry": index, **call.to_json()} for index, call in found])
        return
    for index, call in found:
        click.echo(printable(_line(index, call)))
    if not found:
        click.echo("No such call is on record.")


def _line(index: int, call: ServiceCall) -> str:
    last = call.runs[-1] if call.runs else None
    several = sum(count for _, count in call.attempts) > 1
    attempts = ", ".join(f"{count} {kind.value}" for kind, count in call.attempts)
    parts = [
        f"{WORDS[call.outcome]} {format_time(call.finished)}  {call.service.subject.name}",
        call.outcome.value,
        f"attempts: {attempts}" if several else "",
        "/".join(filter(None, (call.place.episode, call.place.sequence, call.place.shot))),
        f"code {last.code}" if last and last.code else "",
        f"request {last.request_id}" if last and last.request_id else "",
        "no file was saved" if call.outcome is CallOutcome.ACCEPTED and not call.outputs else "",
        f"entry {index}",
    ]
    return ", ".join(filter(None, parts))
