"""What `rakkan doctor` looks at: each thing that has to be so for this device to record."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.codes import CODES
from ledger.errors import RakkanError
from ledger.wiring import SystemClock, home_at, open_device
from ledger.wiring.capture import agent_home, open_spool

if TYPE_CHECKING:
    from ledger.adapters.agent_home import AgentHome, ProductionSettings
    from ledger.adapters.spool import DirectorySpool

GOOD, BAD, NOTE = "✓", "✕", "–"
SILENT = 30
"""Seconds after which an agent that said nothing is taken for dead."""
LITTLE = 256 << 20
"""Bytes of free space below which somebody should look."""
MANY = 10_000


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was looked at: ✓ well, ✕ not, – worth knowing. ``mend`` says what to do."""

    mark: str
    name: str
    words: str
    mend: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the members of the JSON answer."""
        states = {GOOD: "well", BAD: "ill", NOTE: "note"}
        return {"state": states[self.mark], "name": self.name, "words": self.words, "mend": self.mend}


def examine() -> list[Examined]:
    """Look at the device, from the hooks' end to the log's. Raises nothing that a device may be ill with."""
    folder, spool = agent_home(), open_spool()
    found = [*_spool(spool), _alive(spool), *_held(spool)]
    try:
        settings = folder.settings()
    except RakkanError as error:
        return [_ill("settings", error), *found]
    found.insert(0, Examined(GOOD, "settings", f"{folder.settings_file}: the device {settings.device}"))
    for given in settings.productions:
        try:
            found += _production(folder, settings.device, given)
        except RakkanError as error:
            found.append(_ill(given.home, error))
    return found


def _spool(spool: DirectorySpool) -> Iterator[Examined]:
    place = spool.folder
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        yield Examined(BAD, "spool", f"{place} cannot be written", "Give it to this user: hooks write there.")
        return
    waiting = spool.count()
    words = f"{spool.folder}: {waiting} waiting"
    ill = waiting > MANY
    yield Examined(BAD if ill else GOOD, "spool", words, "Look at the agent, below." if ill else "")
    free = shutil.disk_usage(place).free
    if free < LITTLE:
        yield Examined(
            BAD, "disk", f"{free >> 20} MiB free", "Free some space; hooks live on the reserve now."
        )
    if faults := spool.faults():
        words = f"hooks could not write {'1 record' if faults == 1 else f'{faults} records'}"
        yield Examined(
            BAD, "hooks", words, f"Read {spool.folder / 'faults.log'}, mend it, and remove the file."
        )


def _alive(spool: DirectorySpool) -> Examined:
    try:
        silent = time.time() - (spool.folder / "heartbeat").stat().st_mtime
    except OSError:
        return Examined(BAD, "agent", "it has never run", "Run rakkan agent install, or rakkan agent run.")
    if silent > SILENT:
        words = f"silent for {_duration(silent)}"
        return Examined(BAD, "agent", words, "systemctl --user restart rakkan-agent.service")
    return Examined(GOOD, "agent", "it runs")


def _held(spool: DirectorySpool) -> Iterator[Examined]:
    for code, count in sorted(Counter(code for _, code in spool.held()).items()):
        words = f"{count} of the code {code}, kept in {spool.folder / 'held'}"
        yield Examined(BAD, "put aside", words, f"{CODES.get(code, '')} Then rakkan agent release.".strip())


def _production(folder: AgentHome, name: str, given: ProductionSettings) -> Iterator[Examined]:
    from ledger.adapters.chain import SqliteChain

    home = home_at(Path(given.home))
    settings, device = home.settings(), open_device(home, name)
    device.check_clock(SystemClock().now())
    for root in given.roots:
        if not Path(root).is_dir():
            yield Examined(
                BAD, settings.production, f"its root {root} is not there", "Mount it, or correct it."
            )
    with closing(SqliteChain(folder.database, f"{settings.origin} {device.signer.keyid}")) as chain:
        counts, problems = chain.counts(), chain.problems()
    place = given.server or f"the log in {given.home}"
    words = f"{counts['covered']} in the log, {counts['signed']} to be sent to {place}"
    yield Examined(GOOD if counts["signed"] <= MANY else BAD, settings.production, words)
    for problem in problems:
        yield Examined(
            BAD, settings.production, f"the log refused {counts['refused']}: {problem}", "See the log."
        )
    if counts["unsealed"]:
        yield Examined(NOTE, settings.production, f"{counts['unsealed']} records wait for their seals")


def _ill(name: str, error: RakkanError) -> Examined:
    return Examined(BAD, name, str(error), error.hint)


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.0f} h"
    )
