"""One label, and all labels of a production, as anybody may see them: what is said, since when, and if still.

* Nothing here names a shot, a file, a model, a dataset, a person or a finding: there is no field for them.
* The word of the studio is shown with what the log says since, and never without.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.core.fields import format_time, present
from ledger.core.predicates.label import About, Claims
from ledger.errors import RakkanError, UsageError
from ledger.service.clear.verdicts import policy
from ledger.service.labels.since import Since, Watch
from ledger.service.labels.stated import Stated, claims_of, place_of
from ledger.service.studio import Studio


@dataclass(frozen=True, slots=True)
class Shown:
    """``said`` is the entry with the ``claims``; the last of ``history`` says whether they are upheld.

    ``issuer`` is the studio by the trust root, ``summary`` what its policy says of itself, in whatever
    language; empty where the log does not have the policy.
    """

    production: str
    identifier: str
    issuer: str
    origin: str
    said: Stated
    claims: Claims
    since: Since
    history: Sequence[Stated]
    summary: str = ""

    @property
    def newest(self) -> Stated:
        """The entry that counts."""
        return self.history[-1]

    @property
    def place(self) -> str:
        """The path of its page."""
        return place_of(self.production, self.identifier)

    def to_json(self) -> dict[str, Any]:
        """Return the label for a program: docs/spec/label.md."""
        since = self.since
        return {
            "labelId": self.identifier,
            "issuer": self.issuer,
            "log": self.origin,
            "entry": self.newest.index,
            "holds": since.holds.value,
            "since": present(files=since.files, of=since.of, newer=since.newer),
            "subject": {"sha256": self.said.sha256},
            "claims": self.claims.to_json(),
            "history": [
                present(
                    entry=item.index,
                    recorded=format_time(item.label.recorded),
                    withdrawn=item.label.withdrawn,
                )
                for item in self.history
            ],
        }


def shown(studio: Studio, watch: Watch, identifier: str) -> Shown:
    """Return one label. Raises ``UsageError("label.unknown")``."""
    history = watch.labels().of(identifier)
    return _shown(studio, watch, identifier, history)


def all_shown(studio: Studio, watch: Watch) -> list[Shown]:
    """Return every label, the newest first. Raises ``UsageError("label.unknown")`` where there is none.

    So nobody learns here of a production that has said nothing in public.
    """
    found = watch.labels().by_identifier
    if not found:
        raise UsageError("label.unknown", "There is no such label here.")
    each = [_shown(studio, watch, identifier, history) for identifier, history in found.items()]
    return sorted(each, key=lambda item: -item.newest.index)


def on_files(studio: Studio, watch: Watch, files: Collection[str], *, titles: bool) -> list[Shown]:
    """Return the labels that any of these files carries, given by SHA-256, the newest first.

    A label of a file is about its bytes, for everybody to see. Which files a labelled title is made of is
    not: those labels are among them with ``titles``, for who may read of the production's files.
    """
    found = []
    for identifier, history in watch.labels().by_identifier.items():
        said, claims = claims_of(history)
        if (titles or claims.about is About.FILE) and watch.is_of(claims, said.sha256, files):
            found.append(_shown(studio, watch, identifier, history))
    return sorted(found, key=lambda item: -item.newest.index)


def _shown(studio: Studio, watch: Watch, identifier: str, history: Sequence[Stated]) -> Shown:
    said, claims = claims_of(history)
    return Shown(
        studio.production,
        identifier,
        studio.trust.studio,
        studio.log.origin,
        said,
        claims,
        watch.of(history),
        history,
        _summary(studio, claims.policy_sha256),
    )


def _summary(studio: Studio, sha256: str) -> str:
    try:
        return policy(studio, sha256).summary
    except RakkanError:
        return ""
