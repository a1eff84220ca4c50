"""How each item of a basis is judged: models by their tree, services by their terms, people by consent."""

from __future__ import annotations

from collections.abc import Callable

from ledger.core.artifact import named
from ledger.core.predicates import Finding
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.finding import FindingKind, FindingState
from ledger.core.predicates.grant import Use
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.review import Standing
from ledger.core.predicates.service_terms import InputTraining, Ownership, ServiceTerms
from ledger.core.rights.basis import Item, ItemKind, slot_of, slot_start
from ledger.core.rights.models import ModelJudge
from ledger.core.rights.profile import Trigger
from ledger.core.rights.side import Found, Side, Thing, in_force
from ledger.core.rights.terms import registered_service, service_of, terms_at

_FINDINGS = {
    FindingKind.PERFORMER_NAME: Code.PERFORMER_NAME_IN_PROMPT,
    FindingKind.STYLE_REFERENCE: Code.STYLE_REFERENCE,
    FindingKind.SIMILARITY_HIT: Code.SIMILARITY_HIT_OPEN,
}


class ItemJudge:
    """Judges items for one side of the answer."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._models = ModelJudge(side)
        self._kinds: dict[ItemKind, Callable[[Found, Thing, Item], None]] = {
            ItemKind.MODEL: self._model,
            ItemKind.SERVICE: self._service,
            ItemKind.DATASET: self._outside,
            ItemKind.REFERENCE: self._outside,
            ItemKind.IMPORT: self._outside,
            ItemKind.GAP: self._gap,
            ItemKind.PERSON: self._person,
            ItemKind.FINDING: self._finding,
            ItemKind.FORK: self._contradiction,
            ItemKind.CYCLE: self._contradiction,
            ItemKind.INVALID: self._invalid,
            ItemKind.WEAK: self._weak,
        }

    def judge(self, item: Item) -> Found:
        """Return what the item adds: reasons, and the grade of each thing under it."""
        found = Found()
        path = (f"{item.kind.value} {item.name}",)
        self._kinds[item.kind](found, Thing(item.name, item.sha256, path, item.slot, item.evidence), item)
        return found

    def _model(self, found: Found, thing: Thing, item: Item) -> None:
        if registered_service(self._side.facts, item.sha256) is not None:
            self._service(found, thing, item)
            return
        opaque = self._models.judge(found, thing)
        triggers = [Trigger.ANY_MODEL, *([Trigger.OPAQUE_MODEL] if opaque else [])]
        self._side.needs_approval(found, thing, triggers)

    def _service(self, found: Found, thing: Thing, item: Item) -> None:
        side = self._side
        self._models.standing(found, thing)
        side.add(found, thing, Code.MODEL_OPAQUE, "a remote service")
        side.needs_approval(found, thing, (Trigger.ANY_MODEL, Trigger.SERVICE, Trigger.OPAQUE_MODEL))
        if not item.detail:
            side.add(found, thing, Code.PLAN_TIER_UNKNOWN)
            found.grade(item.sha256, Grade.L1)
            return
        moment, service = slot_start(item.slot), service_of(side.facts, item.sha256, item.name)
        terms = terms_at(side.facts, service, item.detail, moment)
        if terms is None:
            side.add(found, thing, Code.TERMS_SNAPSHOT_MISSING, f"plan {item.detail}", at=moment)
            found.grade(item.sha256, Grade.L1)
            return
        found.grade(item.sha256, Grade.L2)
        self._judge_terms(found, thing, terms.predicate)

    def _judge_terms(self, found: Found, thing: Thing, terms: ServiceTerms) -> None:
        side = self._side
        output = side.delivery.deliverable.use
        if terms.input_training is InputTraining.ENABLED:
            side.add(found, thing, Code.INPUT_TRAINING_NOT_DISABLED)
        for condition in terms.indemnity.conditions if terms.indemnity else ():
            if terms.indemnity and condition not in terms.indemnity.met:
                side.add(found, thing, Code.INDEMNITY_CONDITION_UNMET, condition)
        if not side.profile.accepts(output, LegalBasis.VENDOR_TERMS):
            side.add(found, thing, Code.LEGAL_BASIS_NOT_ACCEPTED, "the basis is vendor-terms", use=output)
        if terms.ownership is not Ownership.USER:
            side.add(
                found,
                thing,
                Code.USE_NOT_GRANTED,
                f"by the terms the output is {terms.ownership}'s",
                use=output,
            )

    def _outside(self, found: Found, thing: Thing, item: Item) -> None:
        """Judge a file from outside: the permission for what it was used as, else for showing it."""
        uses = {ItemKind.DATASET: Use.REFERENCE_INPUT, ItemKind.IMPORT: self._side.delivery.deliverable.use}
        use = uses.get(item.kind) or Use(item.detail)
        self._side.needs_approval(found, thing, (Trigger.REFERENCE,))
        if not self._side.facts.grants_about(item.sha256):
            self._side.add(found, thing, Code.REFERENCE_RIGHTS_MISSING, use=use, at=slot_start(item.slot))
            found.grade(item.sha256, Grade.L0)
            return
        coverage = self._side.covered(found, thing, use)
        found.grade(item.sha256, Grade.L2 if coverage.shortfalls else Grade.L4)

    def _gap(self, found: Found, thing: Thing, item: Item) -> None:
        if self._side.facts.grants_about(item.sha256):
            self._outside(found, thing, item._replace(kind=ItemKind.IMPORT))
            return
        self._side.add(found, thing, Code.CHAIN_GAP, at=slot_start(item.slot))
        found.grade(item.sha256, Grade.L0)

    def _person(self, found: Found, thing: Thing, item: Item) -> None:
        self._side.needs_approval(found, thing, (Trigger.LIKENESS,))
        if not self._consented(item.sha256, item.slot):
            self._side.add(found, thing, Code.LIKENESS_CONSENT_MISSING, at=slot_start(item.slot))

    def _consented(self, person: str, slot: int) -> bool:
        """Whether a consent of the person covers the moment and the delivery."""
        moment = self._side.moment(slot)
        return any(
            in_force(item.predicate.valid_from, item.predicate.valid_until, moment)
            and self._side.reaches(item.predicate.scope)
            for item in self._side.facts.consents(person)
        )

    def _finding(self, found: Found, thing: Thing, item: Item) -> None:
        for stated in self._side.facts.findings(item.detail, item.sha256):
            finding = stated.predicate
            if finding.state is not FindingState.DISMISSED and not self._permitted(finding):
                words = f"{finding.finding_id}, {finding.state.value}"
                self._side.add(found, thing, _FINDINGS[finding.kind], words, known_since=finding.recorded)

    def _permitted(self, finding: Finding) -> bool:
        """Whether it names a performer who has consented."""
        if finding.kind is not FindingKind.PERFORMER_NAME or finding.person is None:
            return False
        return self._consented(named("person", finding.person).sha256, slot_of(finding.recorded))

    def _contradiction(self, found: Found, thing: Thing, item: Item) -> None:
        words = "under itself" if item.kind is ItemKind.CYCLE else "recorded twice, from different things"
        self._side.add(found, thing, Code.CYCLE_OR_FORK, words)
        found.grade(item.sha256, Grade.L0)

    def _invalid(self, found: Found, thing: Thing, item: Item) -> None:
        self._side.add(found, thing, Code.SIGNATURE_INVALID, item.detail or None)
        found.grade(item.sha256, Grade.L0)

    def _weak(self, found: Found, thing: Thing, item: Item) -> None:
        review = self._side.facts.review(item.sha256, self._side.moment(item.slot))
        if review is None or review.predicate.standing is not Standing.ACCEPTED:
            self._side.add(found, thing, Code.WEAK_EVIDENCE, f"the step was {item.evidence.value}")
            found.grade(item.sha256, Grade.L1)
