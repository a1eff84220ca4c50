"""What is asked of a clearance, and the engine that answers it from the log as it stands.

* A delivery is for one title. When nobody names it, it is the one title that this production is delivered
  under; where there is none, no grant that is limited to titles covers it.
* Media and territories that nobody names are the profile's own.
* An answer names the tree that it saw: every fact and every basis in it is of that tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from ledger.core.checkpoint import parse_checkpoint
from ledger.core.fields import format_time, in_order, present
from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.scope import Media
from ledger.core.rights.clearance import VERSION, Engine
from ledger.core.rights.facts import Facts
from ledger.core.rights.profile import Profile, digest
from ledger.core.rights.territories import check
from ledger.errors import RefusedError, UsageError
from ledger.service.clear.projecting import catch_up
from ledger.service.rights.reading import facts_of
from ledger.service.studio import Studio

TRIES = 10
"""How often the log may have grown while it was read, before somebody should look."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for, as they say it. ``None`` and empty: what the profile and the log say."""

    deliverable: Deliverable = Deliverable.FINAL
    title: str | None = None
    media: tuple[Media, ...] = ()
    territories: tuple[str, ...] = ()
    at: datetime | None = None
    known: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """``at`` is the moment that *now* means; ``known``: leave out what the studio came to know later."""

    profile: Profile
    delivery: Delivery
    at: datetime
    known: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the members that every answer begins with."""
        policy = {"name": self.profile.name, "version": self.profile.version}
        return {
            "engine": VERSION,
            "policy": {**policy, "digest": {"sha256": digest(self.profile)}},
            "delivery": self.delivery.to_json(),
            **present(at=format_time(self.at), known=self.known and format_time(self.known)),
        }


@dataclass(frozen=True, slots=True)
class Clearer:
    """The engine for one question, with the facts and the tree that it judges by.

    ``root`` is hex, ``checkpoint`` the tree as the log signed it.
    """

    question: Question
    facts: Facts
    engine: Engine
    size: int
    root: str
    checkpoint: bytes = b""


@dataclass(frozen=True, slots=True)
class Seen:
    """The log at one moment: its facts, and the tree that holds them; see ``Clearer``."""

    facts: Facts
    size: int
    root: str
    checkpoint: bytes = b""


def ask(studio: Studio, profile: Profile, asked: Asked) -> Question:
    """Return the question in full.

    Raises ``UsageError`` with ``registry.unknown-title`` or ``rights.territory``.
    """
    facts = facts_of(studio, asked.known)
    territories = tuple(in_order(asked.territories)) or profile.territories
    check(territories)
    media = tuple(Media(item) for item in in_order(asked.media)) or profile.media
    delivery = Delivery(_title(studio, facts, asked.title), asked.deliverable, media, territories)
    return Question(profile, delivery, asked.at or studio.clock.now(), asked.known)


def clearer_over(seen: Seen, question: Question) -> Clearer:
    """Return the engine for a question, by what was seen of the log."""
    engine = Engine(seen.facts, question.profile, question.delivery, question.at)
    return Clearer(question, seen.facts, engine, seen.size, seen.root, seen.checkpoint)


def see(studio: Studio, known: datetime | None = None) -> Seen:
    """Return what the log holds, once its bases are caught up. Raises ``RefusedError("log.busy")``."""
    for _ in range(TRIES):
        catch_up(studio)
        note = studio.log.head().checkpoint
        checkpoint = parse_checkpoint(note)
        facts = facts_of(studio, known)
        if facts.size == checkpoint.size and studio.bases.mark().size == checkpoint.size:
            return Seen(facts, checkpoint.size, checkpoint.root.hex(), note)
    raise RefusedError("log.busy", "The log grew faster than it could be read.")


@contextmanager
def still(studio: Studio, known: datetime | None = None) -> Iterator[tuple[Studio, Seen]]:
    """Yield the studio with its bases as they are at one moment, and the log as it is seen then.

    For an answer that takes many looks: others may record and catch up meanwhile. For this thread alone.
    Raises ``RefusedError("log.busy")``.
    """
    for _ in range(TRIES):
        seen = see(studio, known)
        with studio.bases.snapshot() as bases:
            if bases.mark().size == seen.size:
                yield replace(studio, bases=bases), seen
                return
    raise RefusedError("log.busy", "The log grew faster than it could be read.")


def _title(studio: Studio, facts: Facts, named: str | None) -> str | None:
    if named is None:
        found = facts.title_of(studio.production)
        return found.predicate.title_id if found else None
    if named in facts.titles:
        return named
    by_name = [title_id for title_id in facts.titles if named in facts.names_of(title_id)]
    if len(by_name) == 1:
        return by_name[0]
    near = get_close_matches(named, _names(facts), 3, 0.5)
    hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
    several = f"Several titles are named {named!r}; give the identifier."
    words = several if by_name else f"No title {named!r} is registered.{hint}"
    raise UsageError("registry.unknown-title", words, name=named)


def _names(facts: Facts) -> Sequence[str]:
    return sorted(frozenset[str]().union(*(facts.names_of(title_id) for title_id in facts.titles)))
