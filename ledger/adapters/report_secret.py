"""The studio's secret for what reports hide: the salts of all their commitments are derived from it.

* It is made when the first report is, and never leaves the home. Whoever has it can open every hidden cell
  that they can guess; who loses it keeps every report, and can open no more of the old ones.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ledger.errors import IntegrityError

NAME = "report.secret"
SIZE = 32


def report_secret(home: Path) -> bytes:
    """Return the secret of this home; it is made where there is none.

    Raises ``IntegrityError("report.secret")`` for a file of another length.
    """
    path = home / NAME
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = path.read_bytes()
        if len(found) != SIZE:
            words = f"{path} is damaged: without it, hidden parts of reports cannot be opened."
            raise IntegrityError("report.secret", words, path=path) from None
        return found
    with os.fdopen(descriptor, "wb") as file:
        made = secrets.token_bytes(SIZE)
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    return made
