"""The two engines that every SQL store is tested on."""

from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.log import database, opened


def engine_on(
    request: pytest.FixtureRequest, folder: Path, busy_seconds: float = 5.0
) -> AbstractContextManager[Engine]:
    """Open an empty log in the kind of database that the fixture's parameter names."""
    if request.param == "sqlite":
        return database(folder, busy_seconds)
    return opened(request.getfixturevalue("postgres_url"), busy_seconds)
