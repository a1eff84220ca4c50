"""The credentials of a studio's server: they are kept in the database of its home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledger.adapters.home import Home
from ledger.wiring import SystemClock, database_url

if TYPE_CHECKING:
    from ledger.ports import Clock
    from ledger.service.access.credentials import Credentials
    from ledger.service.access.settings import SignIn
    from ledger.service.access.signing_in import Provider


@contextmanager
def open_credentials(home: Home, clock: Clock | None = None) -> Iterator[Credentials]:
    """Open the credentials for as long as the block runs. Raises ``home.*`` and ``database.*``."""
    from ledger.adapters.sql.accounts import SqlCredentialStore
    from ledger.adapters.sql.engine import open_database
    from ledger.service.access.credentials import Credentials

    engine = open_database(database_url(home))
    try:
        yield Credentials(SqlCredentialStore(engine), clock or SystemClock())
    finally:
        engine.dispose()


def identity_provider(settings: SignIn) -> Provider:
    """Return the identity provider of these settings. Connects to nothing yet."""
    from ledger.adapters.oidc import OidcProvider

    return OidcProvider(settings)
