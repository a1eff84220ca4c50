"""A device's way to a ledger on another machine: the client, the manifests kept here, the log as shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.adapters.kept_manifests import DeviceManifests
from ledger.adapters.seal_journal import DirectoryJournal
from ledger.client import Client
from ledger.service.capture.agent import Ends
from ledger.service.elsewhere import Elsewhere, offer
from ledger.service.record import keep_manifest
from ledger.service.seal import seal
from ledger.wiring import SystemClock, offline_reader

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.ports import Clock
    from ledger.service.studio import Device


def open_server(home: Home, url: str, device: Device, patience: float = 30.0) -> Client:
    """Return the service at this URL, asked in the device's name. Raises ``home.*`` and ``http.url``.

    Receipts are checked by whoever works with them: the agent, ``Elsewhere``.
    """
    settings = home.settings()
    return Client(url, production=settings.production, device=device.signer, patience=patience)


def open_kept(home: Home) -> DeviceManifests:
    """Return the manifests that a home without a ledger keeps."""
    return DeviceManifests(home.manifests)


def open_journal(home: Home) -> DirectoryJournal:
    """Return where a home without a ledger keeps the seals that it began."""
    return DirectoryJournal(home.folder / "begun")


def open_elsewhere(home: Home, server: Client, clock: Clock | None = None) -> Elsewhere:
    """Return the home's log as the server shows it from now on. Raises ``home.*`` and ``trust.*``."""
    settings, trust = home.settings(), home.trust()
    reader = offline_reader(trust, clock or SystemClock())
    return Elsewhere(server, settings.origin, trust, open_kept(home), reader.codec, reader.clock)


def open_ends(home: Home, device: Device, url: str, clock: Clock) -> Ends:
    """Return what an agent does against a log that is elsewhere. Connects to nothing yet.

    Raises ``home.*``, ``trust.*`` and ``http.url``.
    """
    # Records prove by themselves who made them: a device whose clock is wrong must be able to deliver.
    uplink = Client(url, production=home.settings().production, patience=0)
    server, kept, trust = open_server(home, url, device, patience=0), open_kept(home), home.trust()
    codec = offline_reader(trust, clock).codec

    def keep(path: Path, sha256: str) -> None:
        keep_manifest(kept, codec, trust, path, sha256)

    def seal_recorded(paths: Sequence[Path]) -> None:
        log = open_elsewhere(home, server, clock)
        seal(log, device, paths, skip_sealed=True, journal=open_journal(home))

    return Ends(uplink, seal_recorded, keep, lambda: offer(server, kept), lambda: len(kept.waiting()))
