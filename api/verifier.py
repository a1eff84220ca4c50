"""What the verification routes work with, for as long as the application runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.served import Service
from ledger.adapters.isolation import Workers
from ledger.adapters.scratch import Scratch
from ledger.adapters.service_settings import ServiceSettings
from ledger.errors import RefusedError
from ledger.service.capture.upload import Pace
from ledger.service.verifying import Verifying
from ledger.wiring.apart import VerifySettings, workers

_RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Verifier:
    """The use case, the place for uploads, and how many of each there may be at once."""

    verifying: Verifying
    workers: Workers
    scratch: Scratch
    settings: VerifySettings
    pace: Pace
    uploads: asyncio.Semaphore
    jobs: asyncio.Semaphore

    @asynccontextmanager
    async def turn(self, places: asyncio.Semaphore) -> AsyncIterator[None]:
        """Hold one of the places. Raises ``RefusedError("verify.busy")`` when none gets free in time."""
        self.workers.start()  # while the file comes in
        try:
            async with asyncio.timeout(self.settings.wait_seconds):
                await places.acquire()
        except TimeoutError as error:
            words = "Others are being verified; there is no place free."
            raise RefusedError("verify.busy", words, retry_after=_RETRY_AFTER) from error
        try:
            yield
        finally:
            places.release()


@contextmanager
def open_verifier(service: Service, settings: ServiceSettings) -> Iterator[Verifier | None]:
    """Open what verifying needs; ``None`` on a server of nothing. Raises ``file.*``, ``trust.malformed``."""
    served = list(service.productions.values())
    if not served:
        yield None
        return
    own = settings.of(VerifySettings)
    studios = [item.studio for item in served]
    folder = own.folder or served[0].home.folder / "uploads"
    with Scratch(folder) as scratch, workers([item.trust for item in studios], own) as isolated:
        yield Verifier(
            Verifying(studios, isolated),
            isolated,
            scratch,
            own,
            settings.of(Pace),
            asyncio.Semaphore(own.uploads),
            asyncio.Semaphore(own.at_once),
        )


def verifier_of(request: Request) -> Verifier:
    """Return what the application that answers this request verifies with."""
    found: Verifier = request.app.state.verifier
    return found


Verifies = Annotated[Verifier, Depends(verifier_of)]
