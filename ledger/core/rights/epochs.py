"""Epochs: the stretches of time in which nothing about a thing changes, so that its uses are judged once.

* Whatever begins or ends, for the thing, for what it was made from or for the delivery, bounds an epoch; and
  so does each moment that a reason may name by itself. Such a moment's own quarter is an epoch, too.
* Hence two uses in one epoch have the same reasons, but for the moment of the use.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime

from ledger.core.artifact import named
from ledger.core.predicates import ModelV2
from ledger.core.predicates.delivery import Delivery
from ledger.core.rights.basis import Item, slot_of
from ledger.core.rights.facts import Facts


class Epochs:
    """Numbers the epochs of each thing. Remembers the bounds that it has found."""

    def __init__(self, facts: Facts, delivery: Delivery, at: datetime) -> None:
        self._facts = facts
        about_title = self._decisions(named("title", delivery.title).sha256) if delivery.title else ()
        self._common = frozenset(map(slot_of, (at, *about_title)))
        self._bounds: dict[tuple[str, str], list[int]] = {}

    def of(self, item: Item) -> int:
        """Return the number of the epoch that the use falls into. Numbers grow with time."""
        key = (item.sha256, item.name)
        bounds = self._bounds.get(key)
        if bounds is None:
            slots = self._common.union(*map(self._slots, self._closure(item.sha256)))
            slots |= set(map(slot_of, self._terms(item.name)))
            bounds = self._bounds[key] = sorted(slots | {slot + 1 for slot in slots})
        return bisect_right(bounds, item.slot)

    def _closure(self, sha256: str) -> set[str]:
        """Return the thing, every model under it, their datasets, and whose output those hold."""
        found, left = set[str](), [sha256]
        while left:
            about = left.pop()
            if about in found:
                continue
            found.add(about)
            model, dataset = self._facts.model(about), self._facts.dataset(about)
            if model is not None:
                left += [training.sha256 for training in model.predicate.training]
                left += [parent.sha256 for parent in getattr(model.predicate, "parents", ())]
            if dataset is not None:
                left += [source.sha256 for source in getattr(dataset.predicate, "outputs_of", ())]
        return found

    def _slots(self, sha256: str) -> set[int]:
        return set(map(slot_of, self._moments(sha256)))

    def _moments(self, sha256: str) -> Iterator[datetime]:
        known = self._facts.model(sha256)
        if known is not None and isinstance(known.predicate, ModelV2):
            yield known.predicate.recorded
            if known.predicate.service is not None:
                yield from self._terms(known.predicate.service.name)
        for run in self._facts.runs(sha256):
            yield from (run.predicate.started, run.predicate.finished)
        for grant in self._facts.grants_about(sha256):
            yield grant.grant.valid_from
            ends = (grant.grant.valid_until, grant.revoked and grant.revoked.predicate.effective)
            yield from filter(None, ends)
        for consent in self._facts.consents(sha256):
            yield from _term(consent.predicate.valid_from, consent.predicate.valid_until)
        yield from self._decisions(sha256)

    def _decisions(self, sha256: str) -> Iterator[datetime]:
        for review in self._facts.reviews(sha256):
            yield review.predicate.since
        for approval in self._facts.approvals(sha256):
            yield from _term(approval.predicate.valid_from, approval.predicate.valid_until)

    def _terms(self, name: str) -> Iterator[datetime]:
        """Yield when the terms of a service of this name begin and end."""
        vendor, product = (*name.split("/"), "", "")[:2]
        for terms in self._facts.service_terms(vendor, product):
            yield from _term(terms.predicate.effective_from, terms.predicate.effective_until)


def _term(since: datetime, until: datetime | None) -> tuple[datetime, ...]:
    return (since,) if until is None else (since, until)
