"""From agent.toml to an agent, and what there is to know about one from outside."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.adapters.agent_home import AgentHome, ProductionSettings
from ledger.core.predicates.capture import Event
from ledger.core.predicates.model import TrainingStage
from ledger.core.watch import WatchList
from ledger.service.capture.clocks import Now
from ledger.service.capture.steps import Production
from ledger.service.capture.training import Datasets
from ledger.service.places import place_pattern
from ledger.service.said.watching import read_watch_list
from ledger.wiring import SystemClock, home_at, offline_reader, open_device, open_studio
from ledger.wiring.hashes import open_hash_cache
from ledger.wiring.inventory import read_list
from ledger.wiring.said import read_said

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.adapters.spool import DirectorySpool
    from ledger.ports import Clock
    from ledger.service.capture.agent import Agent, Ends, Way
    from ledger.service.studio import Device


def agent_home() -> AgentHome:
    """Return the agent's folder, whether it exists or not."""
    named = os.environ.get("RAKKAN_AGENT_HOME")
    return AgentHome(Path(named) if named else _state() / "agent")


def spool_folder() -> Path:
    """Return the spool, as hooks find it."""
    named = os.environ.get("RAKKAN_SPOOL")
    return Path(named) if named else _state() / "spool"


def open_spool() -> DirectorySpool:
    """Return the spool."""
    from ledger.adapters.spool import DirectorySpool

    return DirectorySpool(spool_folder())


def hand_in(record: dict[str, Any]) -> str | None:
    """Spool a record that came over HTTP, as a hook would; return its path, ``None`` when that failed.

    Raises ``capture.malformed`` and ``capture.newer``.
    """
    from ledger.core.spooled import read_spooled
    from ledger.hooks import rakkan_capture

    read_spooled(json.dumps(rakkan_capture.complete(record)).encode())
    return rakkan_capture.spool(record)


def recover_calls() -> None:
    """Spool the calls to remote services whose processes have died in the middle of one."""
    from ledger import hooks

    place = str(Path(hooks.__file__).parent)
    if (
        place not in sys.path
    ):  # hooks import one another by their bare names, as they do where they are installed
        sys.path.append(place)
    import_module("rakkan_journal").recover()


def both_clocks(clock: Clock) -> Now:
    """Return this moment by both clocks of the device."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    return Now(clock.now(), time.monotonic(), boot.read_text().strip() if boot.exists() else None)


@contextmanager
def open_agent(
    folder: AgentHome,
    spool: DirectorySpool,
    clock: Clock | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[Agent]:
    """Open the device's agent for as long as the block runs. ``warn`` hears of a damaged cache.

    Raises ``agent.*``, ``home.*``, ``key.*``, ``trust.*`` and ``http.url``.
    """
    from ledger.service.capture.agent import Agent
    from ledger.service.capture.identify import Identifier
    from ledger.service.capture.steps import Drafting
    from ledger.service.hashing import Hasher

    settings, time_of_day = folder.settings(), clock or SystemClock()
    with ExitStack() as stack:
        ways = [_way(stack, folder, settings.device, item, time_of_day) for item in settings.productions]
        reader = offline_reader(clock=time_of_day)
        hasher = stack.enter_context(Hasher(stack.enter_context(open_hash_cache(warn)), reader.pixels))
        drafting = Drafting(Identifier(hasher), folder.secret(), read_said)
        yield Agent(spool, ways, drafting, lambda: both_clocks(time_of_day))


def install_agent(folder: AgentHome, device: str, given: ProductionSettings, http: str | None) -> None:
    """Add a production to the device's settings, or replace the one of the same log; prepare the spool.

    Raises ``home.*`` and ``key.*`` for a home without this device's keys, ``agent.*``, ``target.*``.
    """
    from ledger.adapters.agent_home import AgentSettings

    home = home_at(Path(given.home))
    open_device(home, device)
    before = folder.settings() if folder.settings_file.exists() else AgentSettings(device, ())
    origin = home.settings().origin
    others = [item for item in before.productions if home_at(Path(item.home)).settings().origin != origin]
    folder.save(AgentSettings(device, (*others, given), http or before.http))
    spool = open_spool()
    spool.prepare()
    spool.keep_reserve()
    spool.tell_hooks(hook_settings(folder))


def hook_settings(folder: AgentHome) -> dict[str, Any]:
    """Return what hooks must know: see docs/spec/capture.md."""
    productions = [
        {"name": item.name, "roots": list(item.roots), "policy": given.policy}
        for given in folder.settings().productions
        for item in [production_of(folder, given)]
    ]
    return {"productions": productions}


def production_of(folder: AgentHome, given: ProductionSettings) -> Production:
    """Return what the agent must know of a production. Raises ``home.*`` and ``coverage.place``."""
    stages = {Path(path): TrainingStage(stage) for path, stage in given.datasets}
    return Production(
        home_at(Path(given.home)).settings().production,
        Datasets(folder.folder / "inventories", read_list, stages, given.trainer),
        tuple(os.path.realpath(root) for root in given.roots),
        place_pattern(given.place) if given.place is not None else None,
        frozenset(map(Event, given.seal)),
        WatchList(read_watch_list(Path(given.watch))) if given.watch is not None else None,
    )


def _way(stack: ExitStack, folder: AgentHome, name: str, given: ProductionSettings, clock: Clock) -> Way:
    from ledger.adapters.chain import SqliteChain
    from ledger.service.capture.agent import Way
    from ledger.wiring.elsewhere import open_ends

    home = home_at(Path(given.home))
    settings, device = home.settings(), open_device(home, name)
    # A device that was enrolled anew has another key, and begins another chain.
    chain = SqliteChain(folder.database, f"{settings.origin} {device.signer.keyid}")
    stack.enter_context(closing(chain))
    ends = open_ends(home, device, given.server, clock) if given.server else _own(stack, home, device, clock)
    verifiers = home.trust().log_verifiers(settings.origin)
    shares = given.prompts == "studio"
    return Way(production_of(folder, given), device.signer, verifiers, chain, *ends, shares=shares)


def _own(stack: ExitStack, home: Home, device: Device, clock: Clock) -> Ends:
    """Return what the agent does against the ledger of this machine."""
    from ledger.service.capture.agent import Ends
    from ledger.service.capture.taking import OwnLog
    from ledger.service.record import keep_manifest
    from ledger.service.seal import seal

    studio = stack.enter_context(open_studio(home, clock))

    def keep(path: Path, sha256: str) -> None:
        keep_manifest(studio.manifests, studio.codec, studio.trust, path, sha256)

    def seal_recorded(paths: Sequence[Path]) -> None:
        seal(studio, device, paths, skip_sealed=True)

    return Ends(OwnLog(studio), seal_recorded, keep)


def _state() -> Path:
    # As the hooks' client has it: both must find the same folder.
    named = os.environ.get("XDG_STATE_HOME")
    return (Path(named) if named else Path.home() / ".local/state") / "rakkan"
