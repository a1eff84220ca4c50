"""While a server runs, what the log takes in is projected, so that no question has to do it."""

from __future__ import annotations

from ledger.wiring import home_at, open_studio
from tests.e2e.conftest import Studio
from tests.support.service import running, until


def test_a_server_at_rest_has_projected_everything(production: Studio) -> None:
    def projected() -> bool:
        with open_studio(home_at(production.home)) as studio:
            return studio.bases.mark().size == studio.entries.head().size

    assert not projected()
    with running(production, "--workers", 2):
        until(projected)
        production.record(production.png("later.png", 7))
        assert not projected()
        until(projected)
