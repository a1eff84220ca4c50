"""Lists of works as Parquet, read in pieces. The one place that imports pyarrow (the extra ``parquet``).

* The columns are text, plain or dictionary-encoded; other columns are not read.
* Rows are numbered from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from ledger.adapters.tabular import AT_ONCE
from ledger.core.rights.inventory import COLUMNS, GRANT, Rows, not_a_list


def read_parquet(path: Path) -> Iterator[Rows]:
    """Yield the rows of a Parquet file. Raises ``MalformedError("registry.inventory")``."""
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            names = set(file.schema_arrow.names)
            if missing := [name for name in COLUMNS if name not in names]:
                raise not_a_list(f"The list has no column {missing[0]!r}.")
            yield from _rows(file, [*COLUMNS, *({GRANT} & names)])
    except (pa.ArrowException, OSError) as error:
        raise not_a_list(f"The list is not Parquet, or is damaged: {error}.") from error


def _rows(file: parquet.ParquetFile, names: list[str]) -> Iterator[Rows]:
    first = 1
    for piece in file.iter_batches(AT_ONCE, columns=names):
        columns = {name: piece.column(name).to_pylist() for name in names}
        none = [None] * piece.num_rows
        if none:
            yield Rows(first, *(columns.get(name, none) for name in (*COLUMNS, GRANT)))
        first += piece.num_rows
