"""`rakkan agent`, `rakkan doctor`, `rakkan devices`: records that make themselves, and whether they do."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.common import examples, home, json_option, print_json, printable, until_stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    from ledger.adapters.agent_home import AgentHome
    from ledger.adapters.spool import DirectorySpool
    from ledger.service.capture.agent import Agent

IDLE = 1.0
"""Seconds between two looks at the spool."""
TROUBLED = 5.0
RECOVER = 60.0
"""Seconds between two looks for calls whose process has died."""
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def agent() -> None:
    """Sign what hooks recorded on this device, and bring it to the log."""


@agent.command(
    epilog=examples(
        "rakkan agent install --root /prod/nightfall",
        "rakkan agent install --home ws-07 --device ws-07 --server http://ledger:8321 --root /prod/nightfall",
    )
)
@click.option(
    "--home", "studio", type=FOLDER, help="Keys and trust root of the device. Default: RAKKAN_HOME."
)
@click.option("--device", default="workstation", show_default=True, help="The device, by its enrolled name.")
@click.option("--server", metavar="URL", help="Where the log is. Default: in the home.")
@click.option("--root", "roots", multiple=True, type=FOLDER, help="A folder of the production; repeat.")
@click.option("--place", metavar="PATTERN", help="What paths under a root say: {sequence}/{shot}/{task}.")
@click.option(
    "--seal",
    multiple=True,
    type=click.Choice(["save", "publish", "final"]),
    help="Seal files after this; repeat.",
)
@click.option(
    "--share-prompts", is_flag=True, help="Give the studio the prompts, too. Default: they stay here."
)
@click.option("--refuse", is_flag=True, help="No work without a record: hooks stop their tools.")
@click.option(
    "--http", metavar="HOST:PORT", help="Take records over HTTP too, on this machine: 127.0.0.1:8322."
)
@click.option("--no-service", is_flag=True, help="Write the settings only; start no systemd unit.")
def install(
    studio: Path | None, device: str, roots: tuple[Path, ...], *, no_service: bool, **said: Any
) -> None:
    """Make this machine record by itself: settings, spool, and a systemd user unit that runs the agent.

    Safe to repeat, and for each production in turn: one of another log is added, the same one is replaced.
    """
    from ledger.adapters.agent_home import ProductionSettings
    from ledger.adapters.systemd import start_agent
    from ledger.wiring.capture import agent_home, install_agent

    given = ProductionSettings(
        home=str((studio or home().folder).resolve()),
        server=said["server"],
        roots=tuple(str(root.resolve()) for root in roots),
        place=said["place"],
        seal=said["seal"],
        prompts="studio" if said["share_prompts"] else "device",
        policy="refuse" if said["refuse"] else "spool",
    )
    folder = agent_home()
    install_agent(folder, device, given, said["http"])
    click.echo(printable(f"The settings are in {folder.settings_file}."))
    if not no_service:
        click.echo(printable(start_agent()))


@agent.command(epilog=examples("rakkan agent run", "rakkan agent run --once"))
@click.option("--once", is_flag=True, help="Do what there is to do, then end: 3 when something is left.")
def run(*, once: bool) -> int:
    """Run the agent until told to stop. One serves every hook of the device."""
    from contextlib import ExitStack

    from ledger.adapters.hook_server import hook_server
    from ledger.adapters.spool import only_agent
    from ledger.wiring.capture import agent_home, hand_in, open_spool

    folder, spool = agent_home(), open_spool()
    os.nice(10)  # the artist's tools come first
    with ExitStack() as stack:
        stack.enter_context(only_agent(folder.lock))
        stopped = stack.enter_context(until_stopped())
        spool.prepare()
        stack.enter_context(spool.beating())
        listen = folder.settings().http
        if listen is not None and not once:
            url = stack.enter_context(hook_server(listen, folder.token(), hand_in))
            click.echo(f"Records are taken at {url}/v1/records; the token is in {folder.folder / 'token'}.")
        done = _work(folder, spool, stopped, once=once)
    return 0 if done else 3


@agent.command(epilog=examples("rakkan agent release"))
def release() -> None:
    """Look again at records that were put aside: after an upgrade, or a correction of agent.toml."""
    from ledger.wiring.capture import open_spool

    count = open_spool().release()
    click.echo(f"{count} {'record waits' if count == 1 else 'records wait'} again.")


@click.command(epilog=examples("rakkan doctor", "rakkan doctor --json"))
@json_option
def doctor(*, as_json: bool) -> int:
    """Say in one screen whether this device records, and what to do where it does not."""
    from ledger.wiring.doctor import examine

    found = examine()
    if as_json:
        print_json([item.to_json() for item in found])
    else:
        for item in found:
            click.echo(printable(f"{item.mark} {item.name}: {item.words}"))
            if item.mend:
                click.echo(printable(f"    what to do: {item.mend}"))
    return 3 if any(item.mark == "✕" for item in found) else 0


@click.command(epilog=examples("rakkan devices", "rakkan devices --check --json"))
@click.option("--check", is_flag=True, help="Read every entry: does each name the one before?")
@json_option
def devices(*, check: bool, as_json: bool) -> int:
    """Show what each device brought to the log: gaps, late records, what was told twice. 3 when not sound."""
    from ledger.render.devices import devices_page
    from ledger.service.capture.devices import chains
    from ledger.wiring import open_studio

    with open_studio(home()) as studio:
        found = chains(studio, check=check)
    if as_json:
        print_json([chain.to_json() for chain in found])
    else:
        for line in devices_page(found):
            click.echo(printable(line))
    return 0 if all(chain.sound for chain in found) else 3


def _work(folder: AgentHome, spool: DirectorySpool, stopped: Event, *, once: bool) -> bool:
    """Take turns until told to stop, or until there is nothing to do; whether nothing is left."""
    from ledger.errors import RakkanError
    from ledger.wiring.capture import hook_settings, open_agent

    tell, left = _Teller(), True
    while not stopped.is_set():
        try:
            spool.prepare()
            spool.tell_hooks(hook_settings(folder))
            with open_agent(folder, spool, warn=lambda text: click.echo(text, err=True)) as worker:
                for done in _turns(worker, spool, folder):
                    tell([str(way.trouble) for way in worker.ways if way.trouble])
                    if stopped.is_set():
                        return True
                    if done:
                        left = worker.unfinished
                        if once:
                            return not left
                        stopped.wait(IDLE)
        except RakkanError as error:
            if once:
                raise
            tell([str(error)])
            stopped.wait(TROUBLED)
    return not left


def _turns(worker: Agent, spool: DirectorySpool, folder: AgentHome) -> Iterator[bool]:
    """Take turns for as long as the agent may go on as it was opened; yield whether there is nothing to do.

    It is to be opened again when its settings have changed, and when the log has another key.
    """
    from ledger.wiring.capture import recover_calls

    settings, soon = folder.changed(), 0.0
    while folder.changed() == settings:
        spool.keep_reserve()
        if time.monotonic() > soon:
            recover_calls()
            soon = time.monotonic() + RECOVER
        yield not worker.turn().more
        if any(way.trouble is not None and way.trouble.code == "log.epoch" for way in worker.ways):
            return


class _Teller:
    """Prints what is wrong once, not every second."""

    def __init__(self) -> None:
        self._before: list[str] = []

    def __call__(self, troubles: list[str]) -> None:
        for text in troubles:
            if text not in self._before:
                click.echo(printable(text), err=True)
        self._before = troubles
