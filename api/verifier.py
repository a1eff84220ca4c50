"""What the verification routes work with, for as long as the application runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from api.served import Service
from ledger.adapters.isolation import Workers
from ledger.adapters.scratch import Scratch
from ledger.errors import RefusedError
from ledger.service.verifying import Verifying
from ledger.wiring.apart import VerifySettings, workers

_LOG = logging.getLogger("rakkan.verify")
_RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Verifier:
    """The use case, the place for uploads, and how many of each there may be at once."""

    verifying: Verifying
    workers: Workers
    scratch: Scratch
    settings: VerifySettings
    uploads: asyncio.Semaphore
    jobs: asyncio.Semaphore

    @asynccontextmanager
    async def turn(self, places: asyncio.Semaphore) -> AsyncIterator[None]:
        """Hold one of the places. Raises ``RefusedError("verify.busy")`` when none gets free in time."""
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
def open_verifier(service: Service, settings: VerifySettings) -> Iterator[Verifier]:
    """Open what verifying needs. Raises ``file.*``, ``trust.malformed`` and ``target.*``."""
    served = list(service.productions.values())
    folder = settings.folder or served[0].home.folder / "uploads"
    studios = [item.studio for item in served]
    with Scratch(folder) as scratch, workers([item.trust for item in studios], settings) as isolated:
        yield Verifier(
            Verifying(studios, isolated),
            isolated,
            scratch,
            settings,
            asyncio.Semaphore(settings.uploads),
            asyncio.Semaphore(settings.limits.at_once),
        )


def verifier_of(request: Request) -> Verifier:
    """Return what the application that answers this request verifies with."""
    found: Verifier = request.app.state.verifier
    return found


Verifies = Annotated[Verifier, Depends(verifier_of)]
