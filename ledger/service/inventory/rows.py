"""The rows of a list of works: checked, counted, and written down as records.

* A work, a rights holder and a grant are one printable line each; a SHA-256 is 64 lower-case digits. Only the
  grant may be missing or empty. An error names the row.
* Rows are checked a piece at a time, and looked at one by one only where a piece is not plainly right.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from json.encoder import encode_basestring
from typing import IO, cast

import numpy as np

from ledger.core.fields import MAX_TEXT, Fields
from ledger.core.rights.inventory import GRANT, SALT_DIGITS, Rows, Salts, not_a_list
from ledger.errors import MalformedError
from ledger.service.inventory.sorted_rows import Array, SortedRows

WORK = np.dtype([("key", "S32"), ("record", "V32"), ("place", "V8")])
"""A leaf as an index stores it: key, digest of the record, and where in the records that begins.

The place is a big-endian number, held as bytes: numpy would turn a number round when it joins arrays.
"""

HOLDER = np.dtype([("key", "S32")])

_DIGEST = re.compile(r"[0-9a-f]{64}")
_KNOWN = 1 << 17


class Records:
    """Writes the records of a list to ``out``, from where it stands, and tells where each of them is."""

    def __init__(self, out: IO[bytes], salts: Salts) -> None:
        self.count = 0
        self.size = 0
        self._out = out
        self._base = out.tell()
        self._salts = salts
        self._starts: list[tuple[int, int]] = []

    def take(self, rows: Rows) -> Array:
        """Write these rows' records and return a leaf (``WORK``) for each. Raises ``registry.inventory``."""
        keys, lines = _keys(rows), self._encoded(rows)
        leaves = np.empty(len(lines), WORK)
        leaves["key"] = np.frombuffer(keys, "S32")
        leaves["record"] = np.frombuffer(b"".join([sha256(line).digest() for line in lines]), "V32")
        ends = np.cumsum(np.fromiter(map(len, lines), np.int64, len(lines)) + 1)
        places = np.concatenate([[self.size], self.size + ends[:-1]])
        leaves["place"] = places.astype(">u8").view("V8")
        self._starts.append((self.size, rows.first))
        self._out.write(b"\n".join(lines) + b"\n")
        self.size += int(ends[-1])
        self.count += len(lines)
        return leaves

    def doubled(self, leaves: Array) -> MalformedError:
        """Return the error for two leaves of one key, which names the rows that they came from."""
        first, second = sorted(self._row(int.from_bytes(place.tobytes(), "big")) for place in leaves["place"])
        # Not from the leaf: numpy drops the zeros at the end of a key.
        sha256_hex = leaves[:1].tobytes()[:32].hex()
        words = f"Row {second} lists the work of row {first} a second time."
        return not_a_list(words, sha256=sha256_hex, row=second)

    def _row(self, place: int) -> int:
        """Return the number of the row whose record begins at this place."""
        start, first = self._starts[bisect_right(self._starts, (place, 1 << 63)) - 1]
        self._out.seek(self._base + start)
        return first + self._out.read(place - start).count(b"\n")

    def _encoded(self, rows: Rows) -> list[bytes]:
        """Return what ``Record.encode`` would for each row, many times as fast."""
        works = map(encode_basestring, _texts(rows.first, "work", rows.works))
        holders = map(encode_basestring, _texts(rows.first, "rights_holder", rows.rights_holders))
        cells = ["" if cell is None else cell for cell in rows.grants]
        grants = [
            f'"grant":{encode_basestring(grant)},' if grant else ""
            for grant in _texts(rows.first, GRANT, cells, optional=True)
        ]
        digits = self._salts.take(len(grants))
        salts = [digits[at : at + SALT_DIGITS] for at in range(0, len(digits), SALT_DIGITS)]
        return [
            f'{{{grant}"rights_holder":{holder},"salt":"{salt}","work":{work}}}'.encode()
            for grant, holder, salt, work in zip(grants, holders, salts, works, strict=True)
        ]


class Holders:
    """Counts different rights holders, however many there are."""

    def __init__(self, rows: SortedRows) -> None:
        self._rows = rows
        self._known: set[object] = set()

    def take(self, names: Sequence[object]) -> None:
        """Count these names, which were checked."""
        new = set(names) - self._known
        if len(self._known) > _KNOWN:
            self._known.clear()
        self._known |= new
        digests = b"".join([sha256(str(name).encode()).digest() for name in new])
        self._rows.add(np.frombuffer(digests, HOLDER))

    def count(self) -> int:
        """Return how many there were."""
        return sum(1 + int((piece["key"][1:] != piece["key"][:-1]).sum()) for piece in self._rows.pieces())


def _keys(rows: Rows) -> bytes:
    """Return the keys of all rows, 32 bytes each."""
    texts = _texts(rows.first, "sha256", rows.keys)
    try:
        keys = bytes.fromhex("".join(texts))
    except ValueError:
        keys = b""
    # Formatted again, because fromhex passes over white space and takes capitals.
    if set(map(len, texts)) != {64} or keys.hex() != "".join(texts):
        number = next(number for number, text in enumerate(texts, rows.first) if not _DIGEST.fullmatch(text))
        raise not_a_list(f"Row {number} has no SHA-256 of 64 lower-case digits.", row=number)
    return keys


def _texts(first: int, name: str, column: Sequence[object], *, optional: bool = False) -> Sequence[str]:
    """Return the column, if every cell is text as a statement may hold it, or empty where that is allowed."""
    if not _plain(column, optional=optional):
        for number, cell in enumerate(column, first):
            if not (optional and cell == ""):
                _check(number, name, cell)
    return cast("Sequence[str]", column)


def _plain(column: Sequence[object], *, optional: bool) -> bool:
    """Whether nothing in the column needs a second look."""
    if set(map(type, column)) != {str}:
        return False
    texts = cast("Sequence[str]", column)
    # U+3000, the space in Japanese names, does not count as printable.
    printable = "".join(texts).replace("\u3000", "").isprintable()
    return printable and (optional or all(texts)) and max(map(len, texts)) <= MAX_TEXT


def _check(number: int, name: str, cell: object) -> None:
    if cell is None or cell == "":
        raise not_a_list(f"Row {number} has no {name}.", row=number)
    try:
        Fields({name: cell}).text(name)
    except MalformedError as error:
        words = f"Row {number}: {name} must be one printable line in UTF-8, at most {MAX_TEXT} characters."
        raise not_a_list(words, row=number) from error
