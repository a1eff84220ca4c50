"""What the routes work with: the productions that this process serves, each with its open studio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.bodies import Room
from api.intake import Intake
from api.metrics import ProductionTally
from ledger.adapters.home import Home
from ledger.adapters.service_settings import ServiceSettings
from ledger.errors import RefusedError, UsageError
from ledger.service.access.credentials import Credentials
from ledger.service.access.devices import Devices
from ledger.service.access.settings import AccessSettings, SignIn
from ledger.service.access.signing_in import SigningIn
from ledger.service.board.keeping import Boards, open_boards
from ledger.service.capture.upload import IntakeSettings, Pace
from ledger.service.labels.since import Watch
from ledger.service.log.public import PublicLog
from ledger.service.log.publishing import Publishing, PublishSettings
from ledger.service.log.sequencer import Sequencer
from ledger.service.report.jobs import ReportSettings
from ledger.service.rights.proposals import Proposals
from ledger.service.studio import Studio
from ledger.wiring import home_at, open_studio
from ledger.wiring.access import identity_provider, open_credentials
from ledger.wiring.outside import keeping_up, published_checkpoint, publishing
from ledger.wiring.reports.serving import Reports, reporting
from ledger.wiring.reports.standing import kept_reports
from ledger.wiring.rights import open_proposals


@dataclass(frozen=True, slots=True)
class Served:
    """One production: its home, its studio, and what this process does for it.

    ``publishing`` is ``None`` where the settings switch it off.
    """

    home: Home
    studio: Studio
    intake: Intake
    devices: Devices
    public: PublicLog
    publishing: Publishing | None
    reports: Reports
    boards: Boards
    labels: Watch
    proposals: Proposals


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that is served, by production.

    The first home's database also holds the credentials; a server of nothing has none.
    """

    productions: Mapping[str, Served]
    accounts: Credentials | None
    people: SigningIn | None

    @property
    def credentials(self) -> Credentials:
        """What was given to people and programs. Raises ``RefusedError("access.credential")`` for none."""
        if self.accounts is None:
            raise RefusedError("access.credential", "This server has made no such credential.")
        return self.accounts

    @property
    def signing_in(self) -> SigningIn:
        """How people sign in. Raises ``UsageError("signin.off")`` where they do not."""
        if self.people is None:
            raise UsageError("signin.off", "Nobody signs in at this server.")
        return self.people

    def production(self, name: str) -> Served:
        """Return a production. Raises ``UsageError("production.unknown")``."""
        found = self.productions.get(name)
        if found is None:
            raise UsageError(
                "production.unknown", "No log of this production is here.", production=name[:200]
            )
        return found


@contextmanager
def open_service(homes: tuple[Path, ...], settings: ServiceSettings) -> Iterator[Service]:
    """Open every home for as long as the block runs, then commit what waits, and publish that.

    Raises as ``open_studio``.
    """
    room = Room(settings.of(IntakeSettings).max_bulk_bytes)
    with ExitStack() as stack:
        found: dict[str, Served] = {}
        if not homes:
            yield Service(found, None, None)
            return
        accounts = stack.enter_context(open_credentials(home_at(homes[0])))
        for folder in homes:
            one = _opened(home_at(folder), accounts, settings, room, stack)
            if found.setdefault(one.studio.production, one) is not one:
                words = f"Two homes hold the production “{one.studio.production}”."
                raise UsageError("home.exists", words, path=folder)
        yield Service(found, accounts, _signing_in(settings, accounts))


def _opened(
    home: Home, accounts: Credentials, settings: ServiceSettings, room: Room, stack: ExitStack
) -> Served:
    limits = settings.of(IntakeSettings)
    studio = stack.enter_context(open_studio(home))
    # What is entered last ends first: what waits is committed, then published, and then the database closed.
    publisher = stack.enter_context(publishing(home, studio, settings.of(PublishSettings)))
    sequencer = Sequencer(
        studio.log,
        max_waiting=limits.max_waiting,
        max_bytes=limits.max_waiting_bytes,
        tally=ProductionTally(studio.production),
    )
    stack.enter_context(sequencer)
    stack.enter_context(keeping_up(home, studio))
    intake = Intake(sequencer, room, settings.of(Pace))
    public = PublicLog(studio.log, published_checkpoint(home))
    reports = stack.enter_context(reporting(home, studio, settings.of(ReportSettings)))
    boards = stack.enter_context(open_boards(studio))
    labels = Watch(studio, kept_reports(home))
    proposals = stack.enter_context(open_proposals(home, studio, accounts))
    return Served(
        home, studio, intake, Devices(studio), public, publisher, reports, boards, labels, proposals
    )


def _signing_in(settings: ServiceSettings, accounts: Credentials) -> SigningIn | None:
    chosen, access = settings.of(SignIn), settings.of(AccessSettings)
    if not chosen.issuer or not access.public_url:
        return None
    return SigningIn(chosen, identity_provider(chosen), accounts, f"{access.public_url}/login/callback")


def service_of(request: Request) -> Service:
    """Return what the application that answers this request serves."""
    found: Service = request.app.state.service
    return found


async def served(production: str, request: Request) -> Served:
    """Return the production that the path names. Raises ``UsageError("production.unknown")``."""
    return service_of(request).production(production)


Production = Annotated[Served, Depends(served)]
