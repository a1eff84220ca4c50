"""Links that show one file's verification and verdicts to whoever holds them, until they end.

* A link shows what the log says of one file, as a distributor may see it, and nothing else: no work, no
  registry, no other file. It cannot be used as a token, and a token not as a link.
* Each opening is counted; who opens it is not asked and not kept.
"""

from __future__ import annotations

from typing import Any

from ledger.core.access import Role, Viewer
from ledger.core.digest import parse_sha256
from ledger.core.secret_text import Kind
from ledger.errors import RefusedError, UsageError
from ledger.service.access.credentials import DAY, Credentials, Wanted
from ledger.service.access.store import Credential
from ledger.service.reading import verdicts
from ledger.service.reading.pages import MOST, Page
from ledger.service.reading.sight import sight_of
from ledger.service.studio import Studio
from ledger.service.verifying import Verifying

DEFAULT_DAYS = 30
PATH = "/s/"


def make(
    credentials: Credentials, studio: Studio, maker: Viewer, sha256: str, days: int, label: str = ""
) -> tuple[str, Credential]:
    """Return the path of a new link, which is shown once, and what is kept of it.

    Raises ``digest.malformed``, ``UsageError("asset.unknown")`` for a file that the log knows nothing of, and
    what ``Credentials.make`` raises.
    """
    rows = studio.entries.artifacts(sha256=parse_sha256(sha256))
    if not rows:
        raise UsageError("asset.unknown", "The log knows nothing of this file.", sha256=sha256)
    roles = {studio.production: frozenset({Role.DISTRIBUTOR})}
    wanted = Wanted(Kind.LINK, label or rows[-1].name[:100], roles, days * DAY, target=sha256)
    text, made = credentials.make(wanted, maker)
    return PATH + text, made


def target_of(credentials: Credentials, text: str) -> Credential:
    """Return the link whose text this is, and count the opening.

    Raises ``UsageError("share.unknown")``, and ``RefusedError("share.ended")`` to who holds one that ended.
    """
    try:
        return credentials.opened(text)
    except RefusedError as error:
        if error.code == "access.ended":
            raise RefusedError("share.ended", "This link has ended.") from None
        raise UsageError("share.unknown", "There is no such link.") from None


def shown(link: Credential, studio: Studio, verifying: Verifying) -> dict[str, Any]:
    """Return what the link shows, for a program."""
    viewer = Viewer(link.holder, link.roles)
    sight = sight_of(viewer, studio.production)
    try:
        found = verdicts.history(studio, link.target, Page(("share", link.target), MOST), sight).to_json()
    except UsageError as error:
        if error.code != "verdict.none":
            raise
        found = {"verdicts": []}  # recorded, and not judged yet
    return {
        "production": studio.production,
        "sha256": link.target,
        "name": link.label,
        "expires": link.to_json()["expires"],
        "verification": verifying.digests(link.target, None).to_json(viewer),
        "verdicts": found["verdicts"],
    }
