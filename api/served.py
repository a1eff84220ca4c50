"""What the routes work with: the productions that this process serves, each with its open studio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.bodies import Pace, Room
from api.intake import Intake, IntakeSettings
from ledger.adapters.home import Home
from ledger.errors import RefusedError, UsageError
from ledger.service.access.credentials import Credentials
from ledger.service.access.devices import Devices
from ledger.service.log.sequencer import Sequencer
from ledger.service.studio import Studio
from ledger.wiring import home_at, open_studio
from ledger.wiring.access import open_credentials


@dataclass(frozen=True, slots=True)
class Served:
    """One production: its home, its studio, what adds to its log, and the devices that it knows."""

    home: Home
    studio: Studio
    intake: Intake
    devices: Devices


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that is served, by production.

    The first home's database also holds the credentials; a server of nothing has none.
    """

    productions: Mapping[str, Served]
    accounts: Credentials | None

    @property
    def credentials(self) -> Credentials:
        """What was given to people and programs. Raises ``RefusedError("access.credential")`` for none."""
        if self.accounts is None:
            raise RefusedError("access.credential", "This server has made no such credential.")
        return self.accounts

    def production(self, name: str) -> Served:
        """Return a production. Raises ``UsageError("production.unknown")``."""
        found = self.productions.get(name)
        if found is None:
            raise UsageError(
                "production.unknown", "No log of this production is here.", production=name[:200]
            )
        return found


@contextmanager
def open_service(
    homes: tuple[Path, ...], settings: IntakeSettings | None = None, pace: Pace | None = None
) -> Iterator[Service]:
    """Open every home for as long as the block runs, then commit what waits. Raises as ``open_studio``."""
    limits = settings or IntakeSettings()
    room = Room(limits.max_bulk_bytes)
    with ExitStack() as stack:
        found: dict[str, Served] = {}
        for folder in homes:
            home = home_at(folder)
            studio = stack.enter_context(open_studio(home))
            sequencer = Sequencer(
                studio.log, max_waiting=limits.max_waiting, max_bytes=limits.max_waiting_bytes
            )
            stack.enter_context(sequencer)
            one = Served(home, studio, Intake(sequencer, room, pace or Pace()), Devices(studio))
            if found.setdefault(studio.production, one) is not one:
                raise UsageError(
                    "home.exists", f"Two homes hold the production “{studio.production}”.", path=folder
                )
        accounts = stack.enter_context(open_credentials(home_at(homes[0]))) if homes else None
        yield Service(found, accounts)


def service_of(request: Request) -> Service:
    """Return what the application that answers this request serves."""
    found: Service = request.app.state.service
    return found


def served(production: str, request: Request) -> Served:
    """Return the production that the path names. Raises ``UsageError("production.unknown")``."""
    return service_of(request).production(production)


Production = Annotated[Served, Depends(served)]
