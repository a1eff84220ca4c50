"""Territories as sets of countries, so that "the world except" can be compared with "Asia".

* A code is ISO 3166-1 alpha-2 (JP) or a region of UN M49 (001 the world, 030 Eastern Asia);
  territory_table has them, and says why EU and XK are none.
* Nothing included is no limit: the world. What is excluded is taken away from what is included.
* A published entry stays readable. An unknown code that is included adds nothing; one that is excluded leaves
  nothing, for nobody can say what remains. So neither makes a grant wider than it was meant.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.core.rights.territory_table import COUNTRIES, GROUPS, NOWHERE, WORLD
from ledger.errors import UsageError

_NOT_CODES = {
    "EU": "its members change, so name the states that the contract means",
    "UK": "the United Kingdom is GB",
    "XK": "ISO 3166 has no code for Kosovo",
}


def _members(code: str) -> frozenset[str]:
    if code in GROUPS:
        return frozenset[str]().union(*map(_members, GROUPS[code].split()))
    return frozenset(COUNTRIES[code].split())


_REGIONS = {code: _members(code) for code in (*COUNTRIES, *GROUPS)}
_REGIONS[WORLD] = frozenset[str]().union(NOWHERE.split(), *_REGIONS.values())
_SETS = _REGIONS | {code: frozenset((code,)) for code in _REGIONS[WORLD]}


def known(code: str) -> bool:
    """Whether this is a country or a region that is known here."""
    return code in _SETS


def expand(include: Iterable[str], exclude: Iterable[str] = ()) -> frozenset[str]:
    """Return the ISO 3166-1 alpha-2 codes of what is included without what is excluded.

    Nothing included is the world. Raises nothing: see above for unknown codes.
    """
    included, excluded = tuple(include) or (WORLD,), tuple(exclude)
    if not all(map(known, excluded)):
        return frozenset()
    return _union(included) - _union(excluded)


def asked(codes: Iterable[str]) -> frozenset[str]:
    """Return what ``expand`` returns, for where something is delivered: an unknown code stays.

    No grant reaches it, so a delivery to nobody knows where is never covered.
    """
    wanted = tuple(codes)
    return expand(wanted) | frozenset(code for code in wanted if not known(code))


def check(include: Iterable[str], exclude: Iterable[str] = ()) -> frozenset[str]:
    """Return what ``expand`` returns, for territories that somebody is writing down now.

    Raises ``UsageError("rights.territory")`` for a code that is not known, and where nothing is left.
    """
    included, excluded = tuple(include), tuple(exclude)
    for code in (*included, *excluded):
        if not known(code):
            why = _NOT_CODES.get(code, "write two capital letters (ISO 3166-1) or a region of UN M49")
            raise UsageError("rights.territory", f"{code[:20]!r} is not a territory: {why}.")
    found = expand(included, excluded)
    if not found:
        raise UsageError(
            "rights.territory",
            "No territory is left: everything that is included is also excluded.",
            included=" ".join(included),
            excluded=" ".join(excluded),
        )
    return found


def _union(codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(_SETS.get(code, frozenset()) for code in codes))
