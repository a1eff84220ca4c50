"""What a bundle that somebody was given says of a file: its entries with receipts, and the verdict on it.

* Only a bundle that was proven is kept (``rakkan reports import``); what it says of a file is judged again,
  by the trust root that it was proven with, as evidence from anywhere is.
* Looked at are the entries about the file, the one that made it, and those that register what that one used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.core import canonical
from ledger.core import envelope as dsse
from ledger.core.audit.bundle import CHECKPOINT, DOCUMENT, ENTRIES, PROOF, Line, read_line
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.evidence import LoggedEnvelope
from ledger.core.multiproof import multiproof_root, path_of
from ledger.core.predicates import Enrolment, LogKey, Revocation, Seal, types_of
from ledger.core.receipt import Receipt, format_receipt
from ledger.core.verify import Asked, Sighting
from ledger.errors import IntegrityError, UndecidedError
from ledger.verifier.anchors import Given
from ledger.verifier.archive import Archive
from ledger.verifier.verify import verify

_KEYS = frozenset(types_of(Enrolment, Revocation, LogKey))
_SEALS = frozenset(types_of(Seal))


@dataclass(frozen=True, slots=True)
class Told:
    """What a report says of a file: which report, its policy, and the verdict then and now."""

    identifier: str
    view: str
    policy: str
    at: str
    then: str
    now: str


def check(archive: Archive, trust: bytes) -> None:
    """Return if the bundle is proven by this trust root.

    Raises ``IntegrityError("bundle.altered")`` or ``UndecidedError("bundle.not-proven")``.
    """
    outcome = verify(archive, Given(trust=trust))
    said = "; ".join(words for item in outcome.checks if item.result != "passed" for words in item.said)
    if outcome.exit_code == 1:
        raise IntegrityError("bundle.altered", f"The bundle is not what the studio made. {said}")
    if outcome.exit_code:
        raise UndecidedError("bundle.not-proven", f"The bundle is not proven. {said}")


def asked_of(archive: Archive, sha256: str) -> Asked | None:
    """Return what the bundle's entries say of a file; ``None`` where none that is shown names it."""
    known = _Known.of(archive)
    if sha256 not in known.about:
        return None
    sightings, subject = known.about[sha256], sha256
    for source in known.sources.get(sha256, ()):
        subject = source
    makers = known.about.get(subject, {})
    used = {digest for index in makers for digest in known.used.get(index, ())}
    wanted = {*sightings, *makers, *known.keys, *(n for digest in used for n in known.about.get(digest, ()))}
    return Asked(
        tuple(Sighting(index, name, "bytes") for index, name in sorted(sightings.items(), reverse=True)),
        tuple(_logged(archive, wanted)),
        subject,
    )


def told_of(archive: Archive, sha256: str) -> Told | None:
    """Return what the bundle's report says of a file; ``None`` where it is not in it."""
    document: Any = canonical.load(archive.read(DOCUMENT))
    table, head = document["tables"]["frames"], document["head"]
    place = {column["key"]: n for n, column in enumerate(table["columns"])}
    for row in table["rows"]:
        if isinstance(row, list) and row[place["sha256"]] == sha256:
            said = document["view"], head["policy"], head["at"], row[place["then"]], row[place["now"]]
            return Told(head["identifier"], *said)
    return None


@dataclass(slots=True)
class _Known:
    """By digest: the entries about it with the name that they give it, and what it was sealed from.

    ``used``: by entry, what it was made from. ``keys``: the entries about keys.
    """

    about: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    sources: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    used: dict[int, list[str]] = field(default_factory=dict)
    keys: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, archive: Archive) -> _Known:
        """Return what all shown entries say. The verifier has read each of them strictly."""
        found = cls()
        for line in _lines(archive):
            if line.envelope is not None:
                found._take(line.index, canonical.load(dsse.decode(line.envelope).payload))
        return found

    def _take(self, index: int, statement: Mapping[str, Any]) -> None:
        subjects, predicate = statement["subject"], statement["predicate"]
        for subject in subjects:
            self.about[subject["digest"]["sha256"]][index] = subject["name"]
        if statement["predicateType"] in _SEALS:
            for subject, made in zip(subjects, predicate["manifests"], strict=True):
                self.sources[subject["digest"]["sha256"]].append(made["source"])
        elif statement["predicateType"] in _KEYS:
            self.keys.add(index)
        self.used[index] = [item["digest"]["sha256"] for item in predicate.get("materials", ())]


def _logged(archive: Archive, wanted: Collection[int]) -> Iterator[LoggedEnvelope]:
    """Yield these entries, each with its own receipt, read out of the one proof."""
    checkpoint = archive.read(CHECKPOINT)
    size = parse_checkpoint(checkpoint).size
    hashes: dict[tuple[int, int], bytes] = {}

    def seen(low: int, high: int, found: bytes) -> None:
        hashes[low, high] = found

    multiproof_root(size, ((item.index, item.leaf) for item in _lines(archive)), archive.read(PROOF), seen)
    for line in _lines(archive):
        if line.index in wanted and line.envelope is not None:
            path = path_of(line.index, size, lambda low, high: hashes[low, high])
            yield LoggedEnvelope(line.envelope, format_receipt(Receipt(line.index, path, checkpoint)))


def _lines(archive: Archive) -> Iterator[Line]:
    return map(read_line, archive.lines(ENTRIES))
