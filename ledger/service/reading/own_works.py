"""Is my work in your data? What a rights holder may ask, and what is theirs to read.

* A question names works by their SHA-256: who asks has them. For each dataset that commits to an inventory
  the answer is a proof, either way, where the index is here; else the commitment, for the studio to answer.
* A proof shows no name. Who sees the registry is also given a member's record; nobody else is.
* Whoever may ask for any number of proofs can find out which of the works that they have are listed. So a
  question holds few works, nobody may ask about many in an hour, and every question is written to the log of
  the server: who asked, about how many works, and not about which.
* Who speaks for a party also reads what is on record of that party: its works, and the grants that it gives
  or is given. Of verdicts, the reasons that name one of its works, and of which file they are.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol

from ledger.core import canonical
from ledger.core.fields import present
from ledger.core.predicates import Dataset, DatasetV2, Work
from ledger.core.predicates.answer import Reason
from ledger.core.rights.facts import Facts, Known
from ledger.core.rights.inventory import Commitment
from ledger.core.rights.inventory_proof import Kind, format_proof
from ledger.errors import RakkanError, RefusedError, UsageError
from ledger.service.inventory.index import Index
from ledger.service.reading.pages import Listing, Page, size_of
from ledger.service.reading.sight import Sight
from ledger.service.reading.verdicts import Verdicts
from ledger.service.rights.lineage import glance
from ledger.service.rights.reading import facts_of
from ledger.service.studio import Studio

MOST_WORKS = 50
DATASETS = 20
"""Datasets that one page proves against at most."""
USES = 100
"""Direct uses of a work whose verdicts are looked at."""
_HOUR = 3600.0
_DIGEST = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{64}(?![0-9A-Za-z])")
_log = logging.getLogger("rakkan.own_works")


class Inventories(Protocol):
    """The indexes of inventories that are at hand."""

    def opened(self, commitment: Commitment) -> AbstractContextManager[Index | None]:
        """Open the index of an inventory for as long as the block runs; ``None`` where it is not here."""


@dataclass(frozen=True, slots=True)
class OwnWorksSettings:
    """``[own_works]``: what rights holders may ask."""

    hourly: Annotated[int, "works that one viewer may ask about in an hour, of each process"] = 2_000


@dataclass(slots=True)
class Allowance:
    """How many works one viewer may ask about in an hour. Each process counts for itself."""

    works: int = 2_000
    clock: Callable[[], float] = time.monotonic
    _asked: dict[str, tuple[float, int]] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def take(self, viewer: str, works: int) -> None:
        """Count works, or raise ``RefusedError("own-works.too-many")`` with when to come back."""
        now = self.clock()
        with self._turn:
            for name in [name for name, (began, _) in self._asked.items() if now - began >= _HOUR]:
                del self._asked[name]
            began, count = self._asked.get(viewer, (now, 0))
            if count + works > self.works:
                left = int(began + _HOUR - now) + 1
                raise RefusedError(
                    "own-works.too-many",
                    f"At most {self.works:,} works an hour are looked up.",
                    retry_after=left,
                )
            self._asked[viewer] = (began, count + works)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the name that the server's log calls them by, and the party that they speak for."""

    name: str
    party: str | None
    sight: Sight


def listed(text: str) -> list[str]:
    """Return the SHA-256 in a text, each once, in their order: a list, or a table with other columns."""
    return list(dict.fromkeys(found.lower() for found in _DIGEST.findall(text)))


def ask(studio: Studio, inventories: Inventories, asker: Asker, works: Sequence[str], page: Page) -> Listing:
    """Return, for each dataset with an inventory, whether these works (SHA-256) are in it, with the proofs.

    Raises ``MalformedError("page.cursor")``.
    """
    facts = facts_of(studio)
    (after,) = page.place(int) or (-1,)
    committed = sorted(
        (known for known in facts.datasets.values() if _commitment(known.predicate)),
        key=lambda known: known.index,
    )
    left = [known for known in committed if known.index > after]
    shown = left[: min(page.limit, DATASETS)]
    _log.info(
        "%s asked of %s about %d works, datasets %d", asker.name, studio.production, len(works), len(shown)
    )
    items = [_answered(inventories, known, works, asker.sight) for known in shown]
    following = page.cursor(shown[-1].index) if len(left) > len(shown) else None
    uncommitted = len(facts.datasets) - len(committed)
    return Listing("datasets", items, following, {"withoutInventory": uncommitted})


def of_work(studio: Studio, work_id: str, asker: Asker) -> str:
    """Return the SHA-256 of a registered work. Who sees no registry finds only those of their own party.

    Raises ``UsageError("registry.unknown-work")``.
    """
    for sha256, known in facts_of(studio).works.items():
        if known.predicate.work_id == work_id and (asker.sight.registry or _is_of(known, asker.party)):
            return sha256
    raise UsageError("registry.unknown-work", "No such work of yours is registered.", name=work_id)


def lines(studio: Studio, asker: Asker, at: datetime, page: Page) -> Listing:
    """Return a page of what is on record of the asker's party: itself, its works, its grants.

    Raises ``UsageError("own-works.no-party")`` for who speaks for none, and ``page.cursor``.
    """
    if asker.party is None:
        raise UsageError("own-works.no-party", "You do not speak for a party of the registry.")
    facts = facts_of(studio)
    verdicts = Verdicts(studio, size_of(studio))
    after = tuple(page.place(int, str) or (-1, ""))
    left = [line for line in sorted(_lines(facts, asker.party)) if line > after]
    shown = left[: page.limit]
    items = [_line(studio, facts, verdicts, kind, at) for kind in shown]
    return Listing("lines", items, page.cursor(*shown[-1]) if len(left) > len(shown) else None)


def _commitment(dataset: Dataset) -> Commitment | None:
    root = dataset.inventory if isinstance(dataset, DatasetV2) else None
    return Commitment(root.size, bytes.fromhex(root.root)) if root else None


def _answered(
    inventories: Inventories, known: Known[Dataset], works: Sequence[str], sight: Sight
) -> dict[str, Any]:
    dataset, commitment = known.predicate, _commitment(known.predicate)
    said = {
        "name": dataset.name,
        "version": dataset.version,
        "entry": known.index,
        "inventory": {"size": commitment.size, "root": commitment.root.hex()} if commitment else None,
    }
    if commitment is None:
        return {**said, "answer": "committed", "works": []}
    try:
        with inventories.opened(commitment) as index:
            if index is not None:
                return {**said, "answer": "proven", "works": [_proven(index, work, sight) for work in works]}
    except RakkanError as error:
        # A damaged index is the operator's to mend; whoever asks can still hold the studio to the root.
        _log.warning("the index of %s cannot be used: %s", dataset.name, error)
    return {**said, "answer": "committed", "works": []}


def _proven(index: Index, work: str, sight: Sight) -> dict[str, Any]:
    proof = index.prove(bytes.fromhex(work))
    member = proof.kind is Kind.MEMBER
    record = index.record(proof) if member and sight.registry else None
    return {
        "sha256": work,
        "answer": proof.kind.value,
        "proof": canonical.decode(format_proof(proof)),
        **present(record=record and canonical.decode(record.encode())),
    }


def _is_of(known: Known[Work], party: str | None) -> bool:
    return any(share.party == party for share in known.predicate.shares)


def _lines(facts: Facts, party: str) -> Iterator[tuple[int, str]]:
    """Yield what is on record of a party: the entry, and what it states."""
    if party in facts.parties:
        yield facts.parties[party].index, "party"
    for sha256, known in facts.works.items():
        if _is_of(known, party):
            yield known.index, f"work {sha256}"
    for grant in facts.grants:
        terms = grant.terms
        if terms is not None and party in (terms.assigner, terms.assignee):
            yield grant.stated.index, f"grant {terms.grant_id}"


def _line(
    studio: Studio, facts: Facts, verdicts: Verdicts, line: tuple[int, str], at: datetime
) -> dict[str, Any]:
    index, what = line
    kind, _, name = what.partition(" ")
    if kind == "work":
        known = facts.works[name]
        used = _used(studio, verdicts, name)
        return {
            "kind": kind,
            "entry": index,
            "sha256": name,
            "states": known.predicate.to_json(),
            "verdicts": used,
        }
    if kind == "grant":
        found = next(item for item in facts.grants_named(name) if item.stated.index == index)
        return {"kind": kind, "entry": index, "grant": glance(found, at).to_json()}
    return {"kind": kind, "entry": index, "states": studio.statement(index).predicate.to_json()}


def _used(studio: Studio, verdicts: Verdicts, sha256: str) -> list[dict[str, Any]]:
    """Return the verdicts on what was made straight from a work: of their reasons, those that name it."""
    stop = size_of(studio)
    steps = [row.index for row in studio.rows.uses(sha256, -1, stop).rows][:USES]
    files = dict.fromkeys(row.sha256 for row in studio.bases.rows(steps) if row.role == "subject")
    found = []
    for file in [sha256, *files][: USES + 1]:
        for item in verdicts.newest(file):
            reasons = {
                moment: [_bare(reason) for reason in answer.reasons if reason.sha256 == sha256]
                for moment, answer in (("then", item.verdict.then), ("now", item.verdict.now))
            }
            if any(reasons.values()):
                found.append({"file": file, "entry": item.index, **reasons})
    return found


def _bare(reason: Reason) -> dict[str, Any]:
    """Return a reason without the names of anybody else's things."""
    return {
        "code": reason.code.value,
        "severity": reason.severity.name.lower(),
        "meaning": reason.meaning,
        **present(use=reason.use and reason.use.value),
    }
