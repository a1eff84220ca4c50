"""Showing what is behind an entry's commitments: each time is an entry itself, before anything is shown.

* What is opened, by whom and when is signed by the server's own key and durable in the log; only then does an
  opening leave. Where that cannot be said, nothing is shown.
* Why is asked for, and committed to: it may name people, and must be erasable.
* Where nothing is at hand to be shown, nothing is said either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.access import Viewer
from ledger.core.disclosure import Disclosure, open_disclosure
from ledger.core.predicates.disclosure_access import DisclosureAccess
from ledger.core.statement import Statement
from ledger.errors import RakkanError, UsageError
from ledger.service.erase import subject_of
from ledger.service.log.sequencer import Sequencer
from ledger.service.record import keep_secrets
from ledger.service.studio import Device, Studio


@dataclass(frozen=True, slots=True)
class Shown:
    """``access`` is the index of the entry that says so; ``None`` where there was nothing to show.

    ``absent`` are the digests whose openings are not here: erased, or never brought.
    """

    access: int | None
    opened: tuple[Disclosure, ...]
    absent: tuple[str, ...]


def show(
    studio: Studio,
    sequencer: Sequencer,
    server: Callable[[], Device],
    index: int,
    viewer: Viewer,
    purpose: str,
) -> Shown:
    """Return the openings at hand of an entry's commitments, once the log says who was shown them.

    Raises ``UsageError`` with ``log.no-such-entry`` or ``disclosure.none``, what ``server`` raises for a
    server without a key, ``clock.…`` or ``key.…`` for that key, and the log's errors.
    """
    if not 0 <= index < studio.entries.head().size:
        raise UsageError("log.no-such-entry", "The log has no such entry.", index=index)
    committed: tuple[str, ...] = getattr(studio.statement(index).predicate, "commitments", ())
    if not committed:
        raise UsageError("disclosure.none", f"Entry {index} commits to nothing.", index=index)
    found = [opened for digest in committed if (opened := _opened(studio, digest)) is not None]
    here = {item.digest for item in found}
    absent = tuple(digest for digest in committed if digest not in here)
    if not found:
        return Shown(None, (), absent)
    device, now = server(), studio.clock.now()
    device.check_clock(now)
    kept = keep_secrets(studio.openings, {"purpose": purpose})
    said = DisclosureAccess(now, viewer.name, tuple(sorted(here)), kept)
    payload = statements.encode(Statement((subject_of(studio, index),), said))
    (future,) = sequencer.submit([dsse.sign(payload, device.signer)])
    return Shown(future.result().index, tuple(found), absent)


def _opened(studio: Studio, digest: str) -> Disclosure | None:
    """Return the opening of a commitment; ``None`` where it is not here, or damaged and so opens nothing."""
    text = studio.openings.get(digest)
    try:
        return None if text is None else open_disclosure(text, (digest,))
    except RakkanError:
        return None
