"""Which entries a population rests on: all that somebody needs who wants to check the report alone.

* The steps and seals under its files, down to what came in from outside: by bytes, else by pictures.
* Every entry about one of these files, or about a model, dataset, service or person under them: what is
  registered, granted, revoked, reviewed, approved, overridden, found, attested, answered.
* The title, the parties of the grants, the terms of the services, the policy.
* The keys that signed any of it: their enrolments and ends, up to the registrars, and the log's own keys.

Read from the projections. No entry is believed here, and one that nobody can read is in the answer as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from ledger.core.artifact import named
from ledger.core.predicates import LogKey, ModelV2, types_of
from ledger.core.rights import profile as profiles
from ledger.core.rights.facts import Facts
from ledger.service.clear.question import Clearer
from ledger.service.clear.store import STEPS, BasisStore, Kind, Link
from ledger.service.log.projection import SEALED_FROM
from ledger.service.report.population import Population
from ledger.service.studio import Studio

_SUBJECT = "subject"
PIECE = 1_000
"""How many entries are read at once."""
# A payload is base64, so nothing in it looks like this. What is no envelope at all names no key.
_KEYID = re.compile(rb'"keyid":"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class Rests:
    """Indices, each in ascending order: ``steps`` and ``seals`` under the files, ``entries`` all of them.

    ``things`` are the digests (hex) of the files, models, datasets, services and persons under it.
    """

    steps: tuple[int, ...]
    seals: tuple[int, ...]
    entries: tuple[int, ...]
    things: frozenset[str]


def rests_on(studio: Studio, clearer: Clearer, population: Population) -> Rests:
    """Return the entries under a population, in the tree that ``clearer`` judges by."""
    walk = _Walk(studio.bases, clearer.facts, clearer.size)
    files = [file for target in population.targets for file in target.files]
    unknown = {file.sha256 for target in population.targets for file in target.unknown}
    items = {item.sha256 for basis in {file.basis for file in files} for item in basis}
    digests = {file.sha256 for file in files} | unknown | items
    walk.down(digests, {file.pixels for file in files if file.pixels})
    things = frozenset(walk.things)
    walk.down(_named(clearer, things), set())
    about = walk.about | _terms(clearer.facts, things)
    return Rests(
        steps=tuple(sorted(walk.steps)),
        seals=tuple(sorted({index for index, _ in walk.seals})),
        entries=tuple(sorted(about | _keys(studio, about, clearer.size))),
        things=things,
    )


class _Walk:
    """Goes from files to what they were made from, a layer at a time."""

    def __init__(self, store: BasisStore, facts: Facts, stop: int) -> None:
        self._store, self._facts, self._stop = store, facts, stop
        self.steps: set[int] = set()
        self.seals: set[tuple[int, int]] = set()
        self.about: set[int] = set()
        self.things: set[str] = set()

    def down(self, digests: set[str], pixels: set[str]) -> None:
        """Take in everything under these files, and under those with these pictures."""
        links = self._about(self._store.twins(pixels, self._stop, made=True)) if pixels else []
        seen: dict[str, str] = {}
        while fresh := digests - self.things:
            self.things |= fresh
            found = self._about(self._store.links(fresh, self._stop, made=True))
            made = {link.sha256 for link in found}
            lost = {seen[digest] for digest in fresh if digest in seen and digest not in made}
            twins = self._about(self._store.twins(lost, self._stop, made=True)) if lost else []
            rows = list(self._under([*links, *found, *twins]))
            seen |= {row.sha256: row.pixels for row in rows if row.pixels}
            digests = {row.sha256 for row in rows} | set(self._ancestors(fresh))
            links = []

    def _about(self, links: Iterable[Link]) -> list[Link]:
        """Note the entries, and return those of the links that say how a file was made."""
        found = list(links)
        kinds = self._store.entries({link.index for link in found})
        self.about |= {link.index for link in found}
        makes = (*STEPS, Kind.SEAL)
        return [link for link in found if link.index in kinds and kinds[link.index].kind in makes]

    def _under(self, links: Collection[Link]) -> Iterator[Link]:
        """Yield what the files of these links were made from."""
        kinds = self._store.entries({link.index for link in links})
        steps = {index for index, row in kinds.items() if row.kind in STEPS} - self.steps
        sealed = {(link.index, link.position) for link in links if kinds[link.index].kind == Kind.SEAL}
        sealed -= self.seals
        self.steps |= steps
        self.seals |= sealed
        for row in self._store.rows(steps | {index for index, _ in sealed}):
            if row.role == SEALED_FROM:
                if (row.index, row.position) in sealed:
                    yield row
            elif row.index in steps and row.role != _SUBJECT:
                yield row

    def _ancestors(self, digests: Iterable[str]) -> Iterator[str]:
        """Yield what the models among these were made from and trained on."""
        for digest in digests:
            known = self._facts.model(digest)
            if known is None:
                continue
            yield from (training.sha256 for training in known.predicate.training)
            if isinstance(known.predicate, ModelV2):
                yield from (parent.sha256 for parent in known.predicate.parents)


def _named(clearer: Clearer, things: Collection[str]) -> set[str]:
    """Return the digests of the policy, of the title, and of the parties to the grants about these things."""
    question = clearer.question
    grants = [item.terms for thing in things for item in clearer.facts.grants_about(thing)]
    parties = {party for terms in grants if terms for party in (terms.assigner, terms.assignee) if party}
    found = {named("party", party).sha256 for party in parties} | {profiles.digest(question.profile)}
    title = question.delivery.title
    return found | ({named("title", title).sha256} if title else set())


def _terms(facts: Facts, things: Collection[str]) -> set[int]:
    """Return the entries with the terms of the services among these things."""
    models = [known.predicate for known in map(facts.model, things) if known]
    services = {model.service for model in models if isinstance(model, ModelV2) and model.service}
    stated = (facts.service_terms(service.vendor, service.product) for service in services)
    return {item.index for known in stated for item in known}


def _keys(studio: Studio, entries: Collection[int], stop: int) -> set[int]:
    """Return the entries about the keys that signed these, and about those that signed them."""
    rows = (row.index for name in types_of(LogKey) for row in studio.entries.statements(name))
    found = {index for index in rows if index < stop}
    known: set[str] = set()
    fresh = set(entries) | found
    while fresh:
        signers = _signers(studio, fresh) - known
        known |= signers
        links = studio.bases.links(signers, stop, made=True) if signers else ()
        fresh = {link.index for link in links} - found
        found |= fresh
    return found


def _signers(studio: Studio, entries: Collection[int]) -> set[str]:
    ordered = sorted(entries)
    pieces = (ordered[at : at + PIECE] for at in range(0, len(ordered), PIECE))
    envelopes = (envelope for piece in pieces for envelope in studio.entries.envelopes_at(piece).values())
    return {keyid.decode() for envelope in envelopes for keyid in _KEYID.findall(envelope)}
