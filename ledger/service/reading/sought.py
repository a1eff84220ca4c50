"""Entries that are looked for: by number, by leaf hash, by a file's digest, or by the key that signed them.

A number and a leaf hash are found for everybody, who may have the proofs. Which files and keys a log knows is
told only to those who may read what the entries say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ledger.core.predicates import PREDICATES
from ledger.service.log.keys import Keys
from ledger.service.reading.entries import WORK
from ledger.service.reading.sight import Sight
from ledger.service.studio import Studio

MOST = 200
"""Entries that are named at most."""
MAX_TEXT = 100
_NUMBER = re.compile(r"#?(0|[1-9][0-9]{0,15})")
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})")


def sought(studio: Studio, keys: Keys, text: str, sight: Sight) -> Sequence[int]:
    """Return the entries that this names, in their order, ``MOST`` at most; none for what names nothing.

    A number is taken as it is: the log may not have come that far.
    """
    text = text.strip()
    if number := _NUMBER.fullmatch(text):
        return [int(number[1])]
    digest = _DIGEST.fullmatch(text)
    if digest is None:
        return []
    sha256 = digest[1].lower()
    found = studio.entries.index(bytes.fromhex(sha256))
    return [found] if found is not None else _about(studio, keys, sha256, sight)


def _about(studio: Studio, keys: Keys, sha256: str, sight: Sight) -> list[int]:
    """Return the entries about a file, or signed by a key, that this reader may be told of.

    What used it may be a dataset's use, so that is of the registry.
    """
    kinds = {*(WORK if sight.work else ()), *(set(PREDICATES) - set(WORK) if sight.registry else ())}
    if not kinds:
        return []
    history, size = keys.now()
    rows = [*studio.rows.made(sha256, size), *studio.rows.seen(sha256, size)]
    if sight.registry:
        rows += studio.rows.uses(sha256, -1, size).rows
    types = studio.rows.types({row.index for row in rows})
    found = {index for index, kind in types.items() if kind in kinds}
    if history.key(sha256) is not None:
        found |= {row.index for row in studio.rows.statements(sorted(kinds), -1, size, sha256)}
    return sorted(found)[:MOST]
