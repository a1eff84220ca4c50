"""What a server needs to show the demo's production to whoever sits before it: a guest of each role."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ledger.adapters.home import Home
from ledger.core.access import Role
from ledger.core.predicates.disclosure_access import SERVER
from ledger.core.secret_text import Kind
from ledger.demo.cast import HOLDERS_PARTY, Folders
from ledger.demo.run import is_demo
from ledger.errors import UsageError
from ledger.service.access.credentials import DAY, OWNER, Wanted
from ledger.wiring import home_at
from ledger.wiring.access import open_credentials
from ledger.wiring.enrolment import enrol_device

GUESTS = (
    *(Role.PRODUCER, Role.LEGAL, Role.LEGAL, Role.ARTIST, Role.AUDITOR),
    *(Role.DISTRIBUTOR, Role.RIGHTS_HOLDER, Role.OPERATOR),
)
"""In the order in which they are offered. What one of the two lawyers proposes, the other one confirms."""


def prepare(root: Path) -> Home:
    """Return the demo's studio, with settings in the environment by which anybody here may look at it.

    Raises ``UsageError("home.no-demo")`` where no demo is.
    """
    if not is_demo(root):
        raise UsageError("home.no-demo", f"There is no demo in {root}.", path=root)
    home = home_at(Folders(root).home)
    production = home.settings().production
    tokens = []
    with open_credentials(home) as credentials:
        for role in GUESTS:
            party = HOLDERS_PARTY if role is Role.RIGHTS_HOLDER else None
            wanted = Wanted(Kind.TOKEN, "guest", {production: frozenset({role})}, 30 * DAY, party)
            tokens.append((role.value, credentials.make(wanted, OWNER)[0]))
    if SERVER not in home.devices():  # without it nobody could be shown what is behind a commitment
        enrol_device(home, SERVER)
    guests = home.folder / "guests.json"
    guests.unlink(missing_ok=True)
    with os.fdopen(os.open(guests, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(tokens, file)
    os.environ["RAKKAN_SERVE_PAGES_GUESTS"] = str(guests)
    os.environ["RAKKAN_SERVE_PAGES_DECISIONS"] = "true"
    folders = Folders(root)
    os.environ["RAKKAN_SERVE_PAGES_PICTURES"] = f"{folders.files},{folders.attacked}"
    return home
