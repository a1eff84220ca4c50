"""What would change if a grant ended: which final files would have another verdict, and in which shots."""

from __future__ import annotations

from datetime import datetime

from ledger.core.rights.profile import Profile
from ledger.service.clear.impact import impact, thing_on_record, what_if
from ledger.service.clear.question import Asked, ask, see
from ledger.service.questions.finals import of_finals
from ledger.service.reading.pages import Listing, Page, caught_up
from ledger.service.studio import Studio


def if_ended(
    studio: Studio, end: tuple[str, datetime | None], profile: Profile, asked: Asked, page: Page
) -> Listing:
    """Return a page of the files that would have another verdict, after what ``rakkan impact`` says.

    ``end`` is a thing, and when the grants about it would end; ``None``: now. The rule is that of
    ``clear.impact``. Raises ``UsageError`` with ``clear.unknown-thing`` or ``clear.no-grant``, what ``ask``
    raises, ``RefusedError("log.behind")`` and ``page.cursor``.
    """
    text, moment = end
    after = tuple(page.place(int, int) or (-1, -1))
    caught_up(studio)
    seen = see(studio, asked.known)
    found = impact(studio, seen, thing_on_record(studio, seen.facts, text))
    effective = moment or studio.clock.now()
    changed = what_if(studio, seen, ask(studio, profile, asked), found, effective)
    verdicts = {(final.index, final.position): (before, now) for final, before, now in changed.moved}
    files = list(of_finals(studio, seen.facts, (final for final, _, _ in changed.moved)))
    left = [file for file in files if (file.index, file.position) > after]
    shown = left[: page.limit]
    last = shown[-1] if len(left) > len(shown) else None
    items = []
    for file in shown:
        before, now = verdicts[file.index, file.position]
        items.append({**file.to_json(), "from": before.value, "to": now.value})
    document = {**found.to_json(), "ifEnded": changed.to_json(), "found": len(files)}
    return Listing("files", items, page.cursor(last.index, last.position) if last else None, document)
