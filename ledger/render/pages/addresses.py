"""The addresses of shots: names are whatever a tool sends, and each of them needs an address of its own.

A name is written as it is, but for what an address cannot hold as a part of its path: a slash, a name of dots
alone, and the dash that stands for no name. Those are written in percent, and so is the percent sign.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from ledger.core.predicates import step
from ledger.service.places import Place

NOBODY = "-"


def part_of(name: str | None) -> str:
    """Return a name as a part of an address, ready to be put into one; ``-`` for no name."""
    if name is None:
        return NOBODY
    written = name.replace("%", "%25").replace("/", "%2F")
    if not written.strip(".") or written == NOBODY:
        written = "".join(f"%{ord(char):02X}" for char in written) or "%"
    return quote(written, safe="", errors="surrogatepass")


def name_of(part: str) -> str | None:
    """Return the name that a part of an address means, as it arrives: read out of percent once already."""
    if part == NOBODY:
        return None
    return "" if part == "%" else unquote(part)


def shot_address(production: str, place: Place | step.Place) -> str:
    """Return where a shot is looked at: of one in no episode, by its sequence and its name."""
    of = "" if place.episode is None else f"{part_of(place.episode)}/"
    return (
        f"/productions/{quote(production, safe='')}/shots/{of}{part_of(place.sequence)}/{part_of(place.shot)}"
    )
