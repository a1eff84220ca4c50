"""What the database says went wrong, as our errors.

* Nothing was acknowledged in any of these cases: the transaction is undone.
* A full disk, a failing disk and a lost connection are told apart from a damaged database: only the last is a
  reason to rebuild.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ledger.adapters.sql.dialect import Dialect
from ledger.errors import IntegrityError, RefusedError


@contextmanager
def translated(dialect: Dialect) -> Iterator[None]:
    """Run the block; what the database raises in it leaves as a ``RakkanError``."""
    try:
        yield
    except DBAPIError as error:
        raise dialect.translate(error) from error
    except UnicodeDecodeError as error:
        # SQLite quotes the damaged text in its complaint, and the driver cannot read that.
        raise IntegrityError("log.corrupt", "The database file is damaged: a text in it is none.") from error
    except PoolTimeoutError as error:
        raise RefusedError("log.busy", "Every connection to the database is in use.") from error
