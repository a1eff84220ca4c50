"""Two people decide: one proposes, another one who may decide confirms, and only then is anything signed.

* It waits for a week at most. It does not count any more when it comes to something else, when somebody
  decided about the same meanwhile, or when the token of whoever proposed it was revoked.
* Nobody confirms what they proposed: neither in another session, nor with a token that one's own made.
* Whether it still waits is asked once more where only one can write to the log: what was withdrawn is never
  signed afterwards.
* What is decided or withdrawn is erased: the reason is then in the openings, or nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto
from pathlib import Path
from typing import NamedTuple

from ledger.core import canonical
from ledger.core.predicates.decided import FORM, Agreed
from ledger.errors import RakkanError, RefusedError, UsageError
from ledger.service.access.credentials import Credentials
from ledger.service.rights.deciding import (
    Form,
    Plan,
    changed,
    plan,
    sign,
    signed_by_anyone,
    signed_in,
    thing_named,
)
from ledger.service.rights.forms import table_of
from ledger.service.rights.importing import Fact
from ledger.service.rights.proposal import Kept, Proposal, ProposalStore, is_whole, keep
from ledger.service.rights.tables import Readers
from ledger.service.studio import Device, Studio

SECOND = "second:to-be-confirmed"
"""Stands for the second person until there is one."""
MOST, MOST_OF_ONE = 64, 8
_KIND = "override"
_NOTHING = frozenset[str]()


class Standing(StrEnum):
    """How a proposal stands for whoever looks at it."""

    WAITS = auto()
    """They may confirm it."""
    OWN = auto()
    """They proposed it themselves."""
    DECLINED = auto()
    CHANGED = auto()
    """It comes to something else by now, or somebody decided about the same."""
    ALTERED = auto()
    """It is not as it was signed, or the registrar has another key since."""
    REVOKED = auto()
    """The token of whoever proposed it was revoked."""


@dataclass(frozen=True, slots=True)
class Looked:
    """How a proposal stands, and what it would sign if whoever looks confirmed it now."""

    standing: Standing
    plan: Plan


class Listed(NamedTuple):
    """A proposal in a list: what it is about is called ``name``; ``own`` says that the reader proposed it."""

    proposal: Proposal
    name: str
    own: bool


class Proposals:
    """The proposals of one production. May be used by several threads."""

    def __init__(
        self, studio: Studio, store: ProposalStore, credentials: Credentials, readers: Readers
    ) -> None:
        self._studio, self._store, self._credentials, self._readers = studio, store, credentials, readers

    def waiting(self) -> list[Proposal]:
        """Return those that have not ended, the newest first, their signatures unchecked."""
        found = [each for kept in self._store.all() if (each := self._read(kept)) is not None]
        return sorted(found, key=lambda each: (each.first.at, each.id), reverse=True)

    def listed(self, by: str) -> list[Listed]:
        """Return what waits as a list for this reader has it. What was declined, its author alone is told."""
        found = [
            Listed(each, thing_named(self._studio, each.typed.get("thing", ""))[1], self.is_own(each, by))
            for each in self.waiting()
        ]
        return [each for each in found if each.own or not each.proposal.declined]

    def get(self, name: str) -> Proposal:
        """Return one. Raises ``UsageError("decide.no-proposal")`` when it has ended or never was."""
        kept = self._store.get(name) if FORM.fullmatch(name) else None
        found = self._read(kept) if kept else None
        if found is None:
            raise UsageError("decide.no-proposal", "No such proposal waits here.")
        return found

    def plan_of(self, form: Form, typed: Mapping[str, str]) -> Plan:
        """Return what a form for two people comes to, for ``form.people``. Signs nothing."""
        fact = Fact(_KIND, _KIND, table_of(_KIND, typed, form.people), Path())
        return plan(self._studio, self._readers, [fact], form, Path(), _NOTHING)

    def propose(self, registrar: Device, form: Form, typed: Mapping[str, str], expected: str) -> Proposal:
        """Keep a proposal, signed and durable; again is fine. ``form`` is that of ``first_form``.

        Raises ``RefusedError`` with ``decide.changed`` for what does not come to what was shown, and
        ``decide.full``; ``UsageError("decide.too-long")``.
        """
        found = self.plan_of(form, typed)
        if form.first is None or not found.ready or found.digest != expected:
            raise changed()
        self._make_room(form.first.by, form.number)
        origin = self._studio.log.origin
        kept = keep(origin, registrar.signer, form.number, form.seen, form.first, typed, expected)
        read = Proposal.read(kept)
        self._store.add(kept, MOST)
        return read

    def first_form(self, form: Form) -> Form:
        """Return a sheet as whoever fills it in proposes it, with somebody else to come."""
        now = self._studio.clock.now().replace(microsecond=0)
        return Form(form.number, form.seen, SECOND, Agreed(form.by, now, signed_in(form.by)))

    def look(self, registrar: Device, proposal: Proposal, by: str) -> Looked:
        """Return how it stands for this viewer, and what would be signed. Signs nothing."""
        own = self.is_own(proposal, by)
        found = self.plan_of(self._form(proposal, SECOND if own else by), proposal.typed)
        if proposal.declined:
            standing = Standing.DECLINED
        elif not self._is_whole(registrar, proposal):
            standing = Standing.ALTERED
        elif not self._credentials.stands(proposal.first.by):
            standing = Standing.REVOKED
        elif not found.ready or self._came_to(proposal) != proposal.comes_to:
            standing = Standing.CHANGED
        else:
            standing = Standing.OWN if own else Standing.WAITS
        return Looked(standing, found)

    def confirm(self, registrar: Device, name: str, by: str, expected: str) -> tuple[int, ...]:
        """Sign what was proposed, with who decided it; return its entries, durable. Again is fine.

        ``expected`` is the digest of the plan that was shown. Raises ``RefusedError`` with
        ``decide.same-person``, ``decide.altered``, ``decide.author``, and ``decide.changed`` for what is not
        any more as it was shown, or was declined or withdrawn; as ``get``. Then nothing was signed.
        """
        if before := signed_by_anyone(self._studio, name, 0, by):
            return before
        proposal = self.get(name)
        if self.is_own(proposal, by):
            raise RefusedError("decide.same-person", "Somebody else has to confirm what you proposed.")
        if not self._is_whole(registrar, proposal):
            raise RefusedError("decide.altered", "The proposal is not as it was signed.")
        if not self._credentials.stands(proposal.first.by):
            raise RefusedError("decide.author", "The token of whoever proposed it was revoked.")
        if proposal.declined:
            raise changed()
        form = self._form(proposal, by)

        def made() -> Plan:
            found = self.plan_of(form, proposal.typed)  # first: what changes after it is found below
            if self._came_to(proposal) != proposal.comes_to:
                raise changed()
            return found

        def waits() -> None:
            if self._store.get(proposal.id) != proposal.kept:
                raise changed()

        done = sign(self._studio, registrar, form, made, expected, waits)
        self._store.remove([proposal.id])
        return done

    def decline(self, proposal: Proposal, by: str, why: str) -> None:
        """Note that somebody does not agree. Raises ``decide.changed`` when it does not wait any more."""
        if self.is_own(proposal, by):
            raise RefusedError("decide.same-person", "Whoever proposed it withdraws it.")
        now = self._studio.clock.now().replace(microsecond=0)
        said = {"by": Agreed(by, now, signed_in(by)).to_json(), "why": why}
        if not self._store.decline(proposal.id, canonical.encode(said).decode()) or self._signed(proposal):
            raise changed()

    def withdraw(self, proposal: Proposal, by: str) -> None:
        """Take one's own proposal back. Raises ``decide.changed`` when it was signed meanwhile."""
        if not self.is_own(proposal, by):
            raise RefusedError("access.denied", "Only whoever proposed it withdraws it.")
        self._store.remove([proposal.id])
        if self._signed(proposal):
            raise changed()

    def is_own(self, proposal: Proposal, by: str) -> bool:
        """Whether a viewer is, as far as anybody can tell, the person who proposed it."""
        return self._credentials.person(by) == self._credentials.person(proposal.first.by)

    def _form(self, proposal: Proposal, by: str) -> Form:
        return Form(proposal.id, proposal.seen, by, proposal.first)

    def _came_to(self, proposal: Proposal) -> str:
        return self.plan_of(self._form(proposal, SECOND), proposal.typed).digest

    def _is_whole(self, registrar: Device, proposal: Proposal) -> bool:
        return is_whole(proposal, self._studio.log.origin, registrar.signer)

    def _signed(self, proposal: Proposal) -> bool:
        return bool(signed_by_anyone(self._studio, proposal.id, proposal.seen))

    def _read(self, kept: Kept) -> Proposal | None:
        """Return what a row holds; ``None`` for what has ended, and for what nobody can read."""
        try:
            found = Proposal.read(kept)
        except RakkanError:
            return None
        over = found.expires <= self._studio.clock.now() or self._signed(found)
        return None if over else found

    def _make_room(self, by: str, name: str) -> None:
        """Erase what has ended, and refuse one more of somebody who has enough."""
        rows = {kept.id: self._read(kept) for kept in self._store.all()}
        if gone := [each for each, found in rows.items() if found is None]:
            self._store.remove(gone)
        person = self._credentials.person(by)
        own = [
            each
            for each, found in rows.items()
            if found and each != name and self._credentials.person(found.first.by) == person
        ]
        if len(own) >= MOST_OF_ONE:
            raise RefusedError("decide.full", f"{len(own)} proposals of yours wait already.", own=len(own))
