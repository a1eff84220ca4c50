"""The studio's secret for what reports hide: the salts of all their commitments are derived from it.

* It is made when the first report is, and never leaves the home. Whoever has it can open every hidden cell
  that they can guess; who loses it keeps every report, and can open no more of the old ones.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from ledger.errors import IntegrityError
from ledger.service.files import discard, scratch_beside, sync_folder, writing_errors

NAME = "report.secret"
SIZE = 32


def report_secret(home: Path) -> bytes:
    """Return the secret of this home; it is made where there is none.

    Of several that make one at the same time, one is kept, and all of them get that. Raises
    ``IntegrityError("report.secret")`` for a file of another length, and ``RefusedError("target.…")``.
    """
    path = home / NAME
    if not path.exists():
        with writing_errors(path):
            _make(path)
    found = path.read_bytes()
    if len(found) != SIZE:
        words = f"{path} is damaged: without it, hidden parts of reports cannot be opened."
        raise IntegrityError("report.secret", words, path=path)
    return found


def _make(path: Path) -> None:
    """Put a secret in its place, durable and whole, unless another one is faster."""
    scratch = scratch_beside(path)
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(scratch)
        sync_folder(path.parent)
    finally:
        discard(scratch)
