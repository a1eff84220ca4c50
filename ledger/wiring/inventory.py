"""From the name of a list of works to its reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import UsageError

if TYPE_CHECKING:
    from ledger.core.rights.inventory import Rows


def read_list(path: Path) -> Iterator[Rows]:
    """Return the rows of a list of works, as the end of its name says: CSV, NDJSON or Parquet.

    Raises ``UsageError`` with ``inventory.extension`` or ``inventory.parquet`` at once; the rows raise
    ``MalformedError("registry.inventory")`` and ``UsageError("file.…")`` as they come.
    """
    return _rows(path, _reader(path))


def _rows(path: Path, read: Callable[[Path], Iterator[Rows]]) -> Iterator[Rows]:
    from ledger.service.files import reading_errors

    with reading_errors(path):
        yield from read(path)


def _reader(path: Path) -> Callable[[Path], Iterator[Rows]]:
    from ledger.adapters.tabular import read_csv, read_ndjson

    match path.suffix.lower():
        case ".csv":
            return read_csv
        case ".ndjson" | ".jsonl":
            return read_ndjson
        case ".parquet":
            return _parquet()
    raise UsageError(
        "inventory.extension",
        f"{path} is not named as a list of works: .csv, .ndjson, .jsonl or .parquet.",
        path=path,
    )


def _parquet() -> Callable[[Path], Iterator[Rows]]:
    try:
        from ledger.adapters.parquet import read_parquet
    except ImportError as error:
        raise UsageError("inventory.parquet", "The library that reads Parquet is not installed.") from error
    return read_parquet
