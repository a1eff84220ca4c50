"""Whether grants cover a use: for which title, in which media and territories, at which moment.

* Terms are half-open, and a use fills its quarter of an hour: the grant must hold for all of it.
* A grant fails by its legal basis, its licensee, its uses, its term or its titles. The others cover media and
  territories *together*: one may permit Japan and another one the rest of the world.
* Media limit also what a model or a reference may be used for; territories only where an output may go: where
  a model runs is not on record.
* If every grant fails, the one that fails least says why: by the worst severity, then by the number of ways.
  So one more grant that does not help makes no verdict worse. And one that would cover it, had it not been
  revoked, is always named: a promise for later must not hide that somebody took it back.
* Grants that ask for a credit are needed where the others alone do not reach as far.
* A grant that has ended may let what was made under it live on: then an output that was made while it held is
  still covered.
* An exclusive grant to somebody else is a conflict, and no grant is chosen over the other. Two licensees of
  whom one is exclusive are one, too, even if nobody says which of them is the studio.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.core.predicates.delivery import Deliverable, Delivery
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import Afterwards, Exclusivity, LegalBasis
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.scope import Media
from ledger.core.rights.basis import SLOT, slot_start
from ledger.core.rights.facts import Facts, KnownGrant
from ledger.core.rights.profile import STAGES, Profile
from ledger.core.rights.territories import asked, expand

TRAININGS = (*STAGES, Use.OUTPUT_AS_TRAINING)
OUTPUTS = frozenset(item.use for item in Deliverable)
FOREVER = 1 << 60
SURVIVES = (Afterwards.OUTPUTS_SURVIVE, Afterwards.MODEL_MUST_RETIRE)
PERMITS_OUTPUT = (
    LegalBasis.STATUTORY_EXCEPTION,
    LegalBasis.PUBLIC_DOMAIN,
    LegalBasis.OWN_WORK,
    LegalBasis.WORK_FOR_HIRE,
)
"""Bases on which a work may be trained on without a word about what comes out: the law asks of an output only
whether it resembles the work, which is another question."""
SHOWN = 6
"""How many territories a reason names."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One way in which no grant covers the use. ``known_since``: when the deciding fact came to be known."""

    code: Code
    detail: str | None = None
    known_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """``by`` are the grants that cover the use, at least in part; ``considered`` names all about it.

    ``closest`` is the one that fails least where none covers it.
    """

    by: tuple[KnownGrant, ...]
    shortfalls: tuple[Shortfall, ...]
    considered: tuple[str, ...]
    closest: KnownGrant | None = None

    @property
    def permits_output(self) -> bool:
        """Whether the grant that the training rests on says all that need be said about the output, too."""
        relied = self.by or ((self.closest,) if self.closest else ())
        return any(basis_of(grant) in PERMITS_OUTPUT for grant in relied)


class Coverer:
    """Answers for one delivery under one profile. Remembers what it answered."""

    def __init__(self, facts: Facts, profile: Profile, delivery: Delivery) -> None:
        self._facts = facts
        self._profile = profile
        self._delivery = delivery
        self._names = facts.names_of(delivery.title) if delivery.title else frozenset[str]()
        self._territories = asked(delivery.territories)
        title = facts.titles.get(delivery.title) if delivery.title else None
        self._credits = frozenset(title.predicate.credits) if title else frozenset[str]()
        self._views: dict[str, tuple[_View, ...]] = {}
        self._bounds: dict[str, list[int]] = {}
        self._answered: dict[tuple[str, Use, int, int], Coverage] = {}

    def cover(self, sha256: str, use: Use, slot: int, made: int) -> Coverage:
        """Return who permits this use of a thing in this slot.

        ``made`` is the slot in which the output was made, for a use of an output that is judged later.
        """
        if sha256 not in self._views:
            views = tuple(_view(grant) for grant in self._facts.grants_about(sha256))
            self._views[sha256] = views
            self._bounds[sha256] = sorted({bound for view in views for bound in view.bounds})
        # Between two bounds of its grants, nothing about a thing changes.
        bounds = self._bounds[sha256]
        key = (sha256, use, bisect_right(bounds, slot), bisect_right(bounds, made))
        found = self._answered.get(key)
        if found is None:
            found = self._answered[key] = self._cover(self._views[sha256], use, slot, made)
        return found

    def _cover(self, views: tuple[_View, ...], use: Use, slot: int, made: int) -> Coverage:
        considered = tuple(dict.fromkeys(view.known.grant.grant_id for view in views))
        if not views:
            return Coverage((), (Shortfall(Code.NO_GRANT),), ())
        failed = [(view, tuple(self._failures(view, use, slot, made))) for view in views]
        good = [view for view, problems in failed if not problems]
        if not good:
            closest, problems = min(failed, key=lambda pair: self._distance(pair[1]))
            revoked = next((found for _, found in failed if _only_revoked(found)), ())
            return Coverage((), tuple(dict.fromkeys(problems + revoked)), considered, closest.known)
        shortfalls = [*self._conflicts(views, good, use, slot)]
        if use in OUTPUTS:
            shortfalls += [*self._scope(good), *self._attribution(good)]
        elif use not in TRAININGS:
            shortfalls += self._media(self._missing(good)[0])
        return Coverage(tuple(view.known for view in good), tuple(shortfalls), considered)

    def _distance(self, problems: Sequence[Shortfall]) -> tuple[int, int]:
        return max(self._profile.severity(item.code) for item in problems), len(problems)

    def _failures(self, view: _View, use: Use, slot: int, made: int) -> Iterator[Shortfall]:
        profile, terms = self._profile, view.known.terms
        basis = basis_of(view.known)
        statute = terms.statute if terms else None
        if not profile.accepts(use, basis, statute):
            named = f" ({statute})" if statute else ""
            yield Shortfall(Code.LEGAL_BASIS_NOT_ACCEPTED, f"the basis is {basis.value}{named}")
        assignee = terms.assignee if terms else None
        if profile.licensees and assignee and assignee not in profile.licensees and not view.sublicence:
            yield Shortfall(Code.NO_GRANT, f"it was granted to {assignee}, who may not pass it on")
        if use not in view.uses:
            staged = use in STAGES and any(stage in view.uses for stage in STAGES)
            yield Shortfall(Code.STAGE_NOT_GRANTED if staged else Code.USE_NOT_GRANTED)
        yield from _term(view, use, slot, made)
        # A training is not for one title: what limits it is where its output may go.
        if view.titles and use not in TRAININGS and not view.titles & self._names:
            yield Shortfall(Code.TITLE_NOT_GRANTED, f"it is for {_listed(view.titles)}")

    def _scope(self, good: Sequence[_View]) -> Iterator[Shortfall]:
        """Yield the media and territories of the delivery that the grants do not cover together."""
        media, territories = self._missing(good)
        yield from self._media(media)
        if territories:
            yield Shortfall(Code.TERRITORY_NOT_GRANTED, f"not for {_listed(territories)}")

    def _media(self, missing: Iterable[Media]) -> Iterator[Shortfall]:
        return (Shortfall(Code.MEDIA_NOT_GRANTED, f"not for {medium.value}") for medium in missing)

    def _missing(self, views: Sequence[_View]) -> tuple[list[Media], frozenset[str]]:
        """Return the media that no grant has, and the territories that are missing in some other one."""
        media, territories = [], frozenset[str]()
        for medium in self._delivery.media:
            allowing = [view.territories for view in views if not view.media or medium in view.media]
            if allowing:
                territories |= self._territories.difference(*allowing)
            else:
                media.append(medium)
        return media, territories

    def _attribution(self, good: Sequence[_View]) -> Iterator[Shortfall]:
        if self._delivery.deliverable is Deliverable.TEMP:
            return
        free = [view for view in good if not view.attribution or view.known.grant.grant_id in self._credits]
        if self._missing(free) != self._missing(good):
            for words in sorted({view.attribution for view in good if view.attribution and view not in free}):
                yield Shortfall(Code.ATTRIBUTION_MISSING, f"the credit is “{words}”")

    def _conflicts(
        self, views: Sequence[_View], good: Sequence[_View], use: Use, slot: int
    ) -> Iterator[Shortfall]:
        for view in views:
            if view.exclusive and self._rivals(view, good) and self._overlaps(view, use, slot):
                holder = view.assignee or "another party"
                yield Shortfall(
                    Code.EXCLUSIVITY_CONFLICT, f"{view.known.grant.grant_id} is exclusive to {holder}"
                )

    def _rivals(self, view: _View, good: Sequence[_View]) -> bool:
        """Whether somebody else than the holder of this exclusive grant is covered, as far as is known."""
        if view.assignee in self._profile.licensees:
            return False
        covered = {item.assignee for item in good}
        others = covered - {view.assignee, None}
        return view.assignee not in covered or (view.assignee is not None and bool(others))

    def _overlaps(self, view: _View, use: Use, slot: int) -> bool:
        """Whether a grant is for this use, at this time and, of an output, for this delivery."""
        return (
            use in view.uses
            and view.first <= slot < view.last
            and (not view.titles or bool(view.titles & self._names) or use in TRAININGS)
            and (use not in OUTPUTS or not view.territories.isdisjoint(self._territories))
            and (use not in OUTPUTS or not view.media or not view.media.isdisjoint(self._delivery.media))
        )


@dataclass(frozen=True, slots=True)
class _View:
    """A grant in the terms that are asked about. Slots: it holds for ``first <= slot < last``.

    ``last`` is the earlier one of ``until`` and ``revoked``. No ``titles`` or ``media``: not limited.
    """

    known: KnownGrant
    uses: frozenset[Use]
    first: int
    until: int
    revoked: int
    titles: frozenset[str]
    media: frozenset[Media]
    territories: frozenset[str]
    assignee: str | None
    exclusive: bool
    sublicence: bool
    attribution: str | None

    @property
    def last(self) -> int:
        return min(self.until, self.revoked)

    @property
    def bounds(self) -> tuple[int, int, int]:
        return self.first, self.until, self.revoked


def basis_of(known: KnownGrant) -> LegalBasis:
    """Return the legal basis; what ``grant/v1`` records is a licence."""
    return known.terms.legal_basis if known.terms else LegalBasis.LICENCE


def documented(known: KnownGrant) -> bool:
    """Whether the text behind the grant is on record, or none is needed.

    ``grant/v1`` does not say what its commitments are to; where there are some, the contract counts as one.
    """
    terms = known.terms
    if terms is None:
        return bool(known.grant.commitments)
    return terms.document or terms.legal_basis in PERMITS_OUTPUT


def _view(known: KnownGrant) -> _View:
    grant, terms, revoked = known.grant, known.terms, known.revoked
    scope = terms.scope if terms else None
    return _View(
        known=known,
        uses=frozenset(grant.uses),
        first=-(-int(grant.valid_from.timestamp()) // SLOT),
        until=int(grant.valid_until.timestamp()) // SLOT if grant.valid_until else FOREVER,
        revoked=int(revoked.predicate.effective.timestamp()) // SLOT if revoked else FOREVER,
        titles=frozenset(scope.titles) if scope else frozenset(),
        media=frozenset(scope.media) if scope else frozenset(),
        territories=expand(scope.territories, scope.except_territories) if scope else expand(()),
        assignee=terms.assignee if terms else None,
        exclusive=bool(terms and terms.exclusivity is Exclusivity.EXCLUSIVE),
        sublicence=bool(terms and terms.sublicence),
        attribution=terms.attribution if terms else None,
    )


def _term(view: _View, use: Use, slot: int, made: int) -> Iterator[Shortfall]:
    terms, recorded = view.known.terms, view.known.terms.recorded if view.known.terms else None
    if slot < view.first:
        yield Shortfall(Code.GRANT_NOT_IN_FORCE, f"it begins on {_day(view.first)}", recorded)
    revoked = view.known.revoked
    if revoked is not None and slot >= view.revoked:
        lives = terms is not None and terms.on_revocation in SURVIVES
        if not (lives and use in OUTPUTS and made < view.revoked):
            words = f"with effect from {_day(view.revoked)}"
            yield Shortfall(Code.GRANT_REVOKED, words, revoked.predicate.recorded)
    if slot >= view.until:
        lives = terms is not None and terms.on_expiry in SURVIVES
        if not (lives and use in OUTPUTS and made < view.until):
            yield Shortfall(Code.GRANT_NOT_IN_FORCE, f"it ended on {_day(view.until)}", recorded)


def _only_revoked(problems: Sequence[Shortfall]) -> bool:
    return all(item.code is Code.GRANT_REVOKED for item in problems)


def _day(slot: int) -> str:
    return f"{slot_start(slot):%Y-%m-%d %H:%M} UTC"


def _listed(items: Iterable[str]) -> str:
    found = sorted(items)
    more = f" and {len(found) - SHOWN} more" if found[SHOWN:] else ""
    return ", ".join(found[:SHOWN]) + more
