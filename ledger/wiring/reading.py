"""What reading over HTTP needs from the edge: policies by name, and the indexes of inventories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.errors import UsageError

if TYPE_CHECKING:
    from ledger.adapters.home import Home
    from ledger.core.rights.profile import Profile
    from ledger.service.reading.own_works import Inventories
    from ledger.service.studio import Studio


def policy_named(studio: Studio, name: str) -> Profile:
    """Return a shipped profile, else the newest one of the log of this name or digest. Reads no file.

    Raises ``UsageError("profile.unknown")``.
    """
    from ledger.adapters.profiles import load, shipped_names
    from ledger.core.rights.profile_document import read_profile
    from ledger.service.clear.verdicts import policies

    if name in shipped_names():
        return load(name)
    stated = policies(studio)
    found = [item for sha256, item in stated.items() if name in (sha256, item.name)]
    if not found:
        known = ", ".join(policy_names(studio))
        raise UsageError("profile.unknown", f"No policy {name[:80]!r} is here. Known: {known}.")
    return read_profile(found[-1].profile)


def policy_names(studio: Studio) -> tuple[str, ...]:
    """Return the names of the policies that ``policy_named`` knows, in alphabetical order."""
    from ledger.adapters.profiles import shipped_names
    from ledger.service.clear.verdicts import policies

    return tuple(sorted({*shipped_names(), *(item.name for item in policies(studio).values())}))


def policy_in_use(studio: Studio) -> str:
    """Return the name of the policy that the log holds last; where it holds none, of one that is shipped."""
    from ledger.adapters.profiles import shipped_names
    from ledger.service.clear.verdicts import policies

    return next((item.name for item in reversed(policies(studio).values())), shipped_names()[0])


def inventories_of(home: Home) -> Inventories:
    """Return the indexes of inventories that lie in the home's folder for them."""
    from ledger.adapters.inventories import InventoryFolder

    return InventoryFolder(home.inventories)


def policies_shipped() -> list[Profile]:
    """Return the profiles that come with Rakkan, by name."""
    from ledger.adapters.profiles import load, shipped_names

    return [load(name) for name in shipped_names()]
