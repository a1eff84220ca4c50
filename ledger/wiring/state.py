"""What the metrics say of a production's state: numbers that somebody asks for now and then.

The devices' chains are read whole, which takes seconds in a log of a million entries: so only once in
``SLOW`` seconds.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ledger.adapters.home import Home
from ledger.errors import RakkanError
from ledger.service.events.store import WebhookStore
from ledger.service.studio import Studio
from ledger.wiring import publication

SLOW = 300.0
SILENT = 7 * 86400
"""Seconds after which a device that brought records before is called silent."""
BACKED_UP = "last-backup"
"""The file of the home whose time is that of the last backup."""


@dataclass(frozen=True, slots=True)
class Number:
    """One value of one gauge. ``labels`` come from short lists of ours, never from strangers."""

    name: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


class Numbers(Protocol):
    """Whoever has numbers of one production."""

    def numbers(self) -> Iterator[Number]:
        """Yield each number that can be had. Raises nothing."""


class WebhookNumbers:
    """How the webhooks of one production stand."""

    def __init__(self, store: WebhookStore) -> None:
        self._store = store

    def numbers(self) -> Iterator[Number]:
        """Yield how many there are in each state. Raises nothing."""
        with suppress(RakkanError):
            found = self._store.all()
            paused = sum(one.paused is not None for one in found)
            failing = sum(one.paused is None and one.failures > 0 for one in found)
            yield Number("rakkan_webhooks", len(found) - paused - failing, {"state": "delivering"})
            yield Number("rakkan_webhooks", failing, {"state": "failing"})
            yield Number("rakkan_webhooks", paused, {"state": "paused"})


class State:
    """The numbers of one production; for several threads."""

    def __init__(self, home: Home, studio: Studio) -> None:
        self._home = home
        self._studio = studio
        self._devices: tuple[float, list[Number]] = (float("-inf"), [])

    def numbers(self) -> Iterator[Number]:
        """Yield each number that can be had; what cannot be had is absent. Raises nothing."""
        parts: list[Callable[[], Iterator[Number]]] = [
            self._log,
            self._published,
            self._witnesses,
            self._alarms,
            self._files,
            self._chains,
        ]
        for part in parts:
            try:
                yield from part()
            except (RakkanError, OSError):
                continue  # `rakkan_ready` says what is wrong

    def _log(self) -> Iterator[Number]:
        yield Number("rakkan_log_entries", self._studio.entries.head().size)

    def _published(self) -> Iterator[Number]:
        from ledger.core.checkpoint import open_checkpoint
        from ledger.service.log.publish import CHECKPOINT

        note = publication(self._home).get(CHECKPOINT)
        if note is not None:
            yield Number("rakkan_published_entries", open_checkpoint(note, self._studio.log.verifiers).size)
        place = Path(self._home.publication()) / CHECKPOINT
        if place.exists():
            yield Number("rakkan_published_age_seconds", time.time() - place.stat().st_mtime)

    def _witnesses(self) -> Iterator[Number]:
        from ledger.adapters.witness_settings import WitnessSettings

        found = WitnessSettings(self._home.folder).read()
        newest = self._studio.checkpoints.newest()
        if found is not None and newest is not None:
            from ledger.core.cosignature import open_cosigned

            policy = found[0]
            verifiers = [witness.verifier for witness in policy.witnesses]
            _, cosignatures = open_cosigned(newest, self._studio.log.verifiers, verifiers)
            quorum = policy.evaluate([one.verifier for one in cosignatures])
            yield Number("rakkan_witness_quorum", quorum.met)
            yield Number("rakkan_witnesses_missing", len(quorum.missing))
            if quorum.met and cosignatures:
                yield Number(
                    "rakkan_witness_quorum_age_seconds", time.time() - max(one.time for one in cosignatures)
                )

    def _alarms(self) -> Iterator[Number]:
        from ledger.wiring.outside import alarms

        codes = Counter(
            Path(path).name.split("-", 1)[1].rpartition("-")[0] for path in alarms(self._home).open()
        )
        for code in {"witness.fork", "log.conflict", *codes}:
            yield Number("rakkan_alarms_open", codes[code], {"code": code})

    def _files(self) -> Iterator[Number]:
        yield Number("rakkan_disk_free_bytes", shutil.disk_usage(self._home.folder).free)
        backed_up = self._home.folder / BACKED_UP
        if backed_up.exists():
            yield Number("rakkan_backup_age_seconds", time.time() - backed_up.stat().st_mtime)

    def _chains(self) -> Iterator[Number]:
        from ledger.service.capture.devices import chains

        if time.monotonic() - self._devices[0] > SLOW:
            self._devices = (time.monotonic(), list(_of_devices(chains(self._studio))))
        yield from self._devices[1]


def _of_devices(found: list[Any]) -> Iterator[Number]:
    from ledger.core.fields import parse_time

    now = time.time()
    silent = sum(now - parse_time(chain.received).timestamp() > SILENT for chain in found)
    yield Number("rakkan_devices", len(found), {"state": "known"})
    yield Number("rakkan_devices", silent, {"state": "silent"})
    yield Number("rakkan_devices", sum(not chain.sound for chain in found), {"state": "unsound"})
    missing = sum(last - first + 1 for chain in found for first, last in chain.missing)
    yield Number("rakkan_device_records_missing", missing)
