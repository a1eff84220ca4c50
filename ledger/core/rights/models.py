"""What is to be said of a model: of itself, of what it was made from, and of what those were trained on.

* What may not be done with a parent may not be done with the child: each model of the tree needs a permission
  to be run and one for its output, each dataset one for the stage that it trained.
* A dataset's licence speaks of the output, too, unless the law or the ownership makes that needless.
* A model without training is opaque, unless its parents' weights are all that it is (a merge). What continues
  the training of its base, or works on top of it, was trained on something, and nobody knows on what.
* The training is judged at its start and at its end, as its attestation gives them; without one, at the
  model's registration. Of several attestations the first one counts, and the others may not contradict it or
  name what the registration leaves out: so nobody mends a training by stating it again.
* A model under itself is a contradiction of the records, and the walk ends there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ledger.core.predicates import Dataset, DatasetV2, Model, ModelV2, TrainingRun
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.dataset_v2 import Source
from ledger.core.predicates.grant import Use
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ParentRole
from ledger.core.predicates.reasons import Code
from ledger.core.predicates.review import Standing
from ledger.core.predicates.step import Evidence
from ledger.core.rights.basis import slot_of, slot_start
from ledger.core.rights.facts import Facts, Known
from ledger.core.rights.grants import Coverage, documented
from ledger.core.rights.side import Found, Side, Thing, in_force

LONGEST_PATH = 32
"""Names in a path. Of a longer one, a reason shows both ends."""


@dataclass(frozen=True, slots=True)
class _Trained:
    """A training as it is judged: in which slots, and by which attestation, if there is one."""

    slots: tuple[int, ...]
    run: Known[TrainingRun] | None


class ModelJudge:
    """Judges models for one side of the answer."""

    def __init__(self, side: Side) -> None:
        self._side = side

    def judge(self, found: Found, thing: Thing) -> bool:
        """Add what is to be said of a model that was used; whether it, or a model under it, is opaque."""
        opaque = False
        done: set[str] = set()
        above: set[str] = set()
        # A model stands here twice: when the walk enters it, and when it leaves it.
        left = [(thing, True)]
        while left:
            model, entering = left.pop()
            if not entering:
                above.discard(model.sha256)
            elif model.sha256 in above:
                self._contradiction(found, model, "a model under itself")
            elif model.sha256 not in done:
                done.add(model.sha256)
                above.add(model.sha256)
                parents, unknown = self._model(found, model)
                opaque |= unknown
                left += [(model, False), *((parent, True) for parent in reversed(parents))]
        return opaque

    def standing(self, found: Found, thing: Thing) -> bool:
        """Add what the reviews of a model or service say; whether it was accepted."""
        review = self._side.facts.review(thing.sha256, self._side.moment(thing.slot))
        if review is None:
            self._side.add(found, thing, Code.MODEL_UNREVIEWED)
            return False
        stands = review.predicate
        if stands.standing is Standing.CONTESTED:
            words = f"since {stands.since:%Y-%m-%d}" + (f", {stands.source}" if stands.source else "")
            self._side.add(found, thing, Code.MODEL_CONTESTED, words, known_since=stands.recorded)
        elif stands.standing is Standing.WITHDRAWN:
            words = f"since {stands.since:%Y-%m-%d}"
            self._side.add(found, thing, Code.MODEL_WITHDRAWN, words, known_since=stands.recorded)
        return stands.standing is Standing.ACCEPTED

    def _model(self, found: Found, thing: Thing) -> tuple[list[Thing], bool]:
        """Add what is to be said of one model; return its parents, and whether it is opaque."""
        side, known = self._side, self._side.facts.model(thing.sha256)
        if known is None:
            side.add(found, thing, Code.WEIGHTS_HASH_UNKNOWN)
            found.grade(thing.sha256, Grade.L0)
            return [], True
        model = known.predicate
        parents = model.parents if isinstance(model, ModelV2) else ()
        whole = bool(parents) and all(parent.role is ParentRole.MERGED for parent in parents)
        opaque = not model.training and not whole
        accepted = self.standing(found, thing)
        if opaque:
            side.add(found, thing, Code.MODEL_OPAQUE)
        trained = self._trained(found, thing, known)
        if model.training and trained.run is None:
            side.add(found, thing, Code.TRAINING_ATTESTATION_MISSING)
        run = side.covered(found, thing, Use.INFERENCE_RUN)
        output = side.covered(found, thing, side.delivery.deliverable.use)
        grade = self._grade(model, run, output, attested=trained.run is not None or not model.training)
        grade = self._capped(found, thing, model, grade, accepted=accepted)
        if any(side.facts.model(parent.sha256) is None for parent in parents):
            grade = Grade.L0
        found.grade(thing.sha256, min(grade, Grade.L2) if opaque else grade)
        for training in model.training:
            dataset = _under(thing, "dataset", training.dataset, training.sha256)
            self._dataset(found, dataset, training, trained)
        return [_under(thing, "model", parent.name, parent.sha256) for parent in parents], opaque

    def _grade(self, model: Model, *coverages: Coverage, attested: bool) -> Grade:
        licence = model.licence if isinstance(model, ModelV2) else None
        text = licence is not None and licence.text_sha256 is not None
        return _graded(text=text, coverages=coverages, complete=attested)

    def _capped(
        self, found: Found, thing: Thing, predicate: Model | Dataset, grade: Grade, *, accepted: bool
    ) -> Grade:
        """Return the grade, at most L1 for what somebody typed and nobody has accepted since."""
        typed = isinstance(predicate, ModelV2 | DatasetV2) and predicate.evidence is Evidence.DECLARED
        if not typed or accepted:
            return grade
        self._side.add(found, thing, Code.WEAK_EVIDENCE, "its registration was declared")
        return min(grade, Grade.L1)

    def _trained(self, found: Found, thing: Thing, known: Known[Model]) -> _Trained:
        """Return the first attestation of exactly this training that is more than somebody's word.

        That is one that a tool observed, or one that a review of the model has accepted since.
        """
        model, stated = known.predicate, _inputs(known.predicate)
        runs = attestations(self._side.facts, thing.sha256, self._side.moment(thing.slot))
        if stated and any(not _inputs(run.predicate) <= stated for run in runs):
            self._contradiction(
                found, thing, "trained on more than it is registered with, by its attestation"
            )
        whole = whole_runs(known.predicate, runs)
        if len({(run.predicate.started, run.predicate.finished) for run in whole}) > 1:
            self._contradiction(found, thing, "its training is attested at different times")
        if whole:
            run = whole[0].predicate
            return _Trained((slot_of(run.started), slot_of(run.finished)), whole[0])
        # A later registration does not move an earlier use.
        registered = slot_of(model.recorded) if isinstance(model, ModelV2) else thing.slot
        return _Trained((min(registered, thing.slot),), None)

    def _contradiction(self, found: Found, thing: Thing, words: str) -> None:
        self._side.add(found, thing, Code.CYCLE_OR_FORK, words)
        found.grade(thing.sha256, Grade.L0)

    def _dataset(self, found: Found, thing: Thing, training: Training, trained: _Trained) -> None:
        side, known = self._side, self._side.facts.dataset(thing.sha256)
        training_use = Use(f"{training.stage.value}-training")
        coverages = [side.covered(found, thing, training_use, slot) for slot in dict.fromkeys(trained.slots)]
        # Also of a training that no grant covers: an override of that says nothing about the output.
        silent = not all(coverage.permits_output for coverage in coverages)
        if silent and side.facts.grants_about(thing.sha256):
            coverages.append(side.covered(found, thing, side.delivery.deliverable.use))
        if known is None:
            side.add(found, thing, Code.CHAIN_GAP, "the dataset is not registered")
            found.grade(thing.sha256, Grade.L0)
            return
        dataset = known.predicate
        committed = self._committed(found, thing, known, trained)
        licence = dataset.licence if isinstance(dataset, DatasetV2) else None
        text = licence is not None and licence.text_sha256 is not None
        grade = _graded(text=text, coverages=coverages, complete=committed)
        review = side.facts.review(thing.sha256, side.moment(thing.slot))
        accepted = review is not None and review.predicate.standing is Standing.ACCEPTED
        found.grade(thing.sha256, self._capped(found, thing, dataset, grade, accepted=accepted))
        for source in dataset.outputs_of if isinstance(dataset, DatasetV2) else ():
            self._source(found, thing, source, trained.slots)

    def _committed(self, found: Found, thing: Thing, known: Known[Dataset], trained: _Trained) -> bool:
        """Whether the inventory was committed before an attested training began."""
        first = self._side.facts.committed(thing.sha256)
        if first is None or not isinstance(first.predicate, DatasetV2):
            self._side.add(found, thing, Code.INVENTORY_MISSING)
            return False
        if trained.run is None:
            return False
        committed, started = first.predicate.recorded, trained.run.predicate.started
        if committed > started or first.index > trained.run.index:
            words = f"committed {committed:%Y-%m-%d %H:%M}, training began {started:%Y-%m-%d %H:%M} UTC"
            self._side.add(found, thing, Code.INVENTORY_AFTER_TRAINING, words)
            return False
        return True

    def _source(self, found: Found, thing: Thing, source: Source, slots: tuple[int, ...]) -> None:
        """Add a reason unless the model whose output the dataset holds permits to train on it."""
        permitted = all(
            not self._side.cover(source.sha256, Use.OUTPUT_AS_TRAINING, slot).shortfalls
            or self._terms_permit(source.sha256, slot)
            for slot in slots
        )
        if not permitted:
            self._side.add(found, thing, Code.OUTPUT_AS_TRAINING_PROHIBITED, f"output of {source.name}")

    def _terms_permit(self, sha256: str, slot: int) -> bool:
        """Whether the terms of the service permit it in this slot, under every plan on record."""
        model = self._side.facts.model(sha256)
        service = model.predicate.service if model and isinstance(model.predicate, ModelV2) else None
        if service is None:
            return False
        moment, plans = slot_start(slot), dict[str, bool]()
        for item in self._side.facts.service_terms(service.vendor, service.product):
            terms = item.predicate
            if in_force(terms.effective_from, terms.effective_until, moment):
                plans[terms.plan_tier] = terms.output_as_training
        return bool(plans) and all(plans.values())


def attestations(facts: Facts, sha256: str, moment: datetime) -> list[Known[TrainingRun]]:
    """Return the attested runs that are more than somebody's word, oldest first.

    Those are the ones that a tool observed, and those that a review of the model has accepted since.
    """
    review = facts.review(sha256, moment)
    reviewed = review.index if review and review.predicate.standing is Standing.ACCEPTED else 0
    return [
        run
        for run in facts.runs(sha256)
        if run.predicate.evidence is Evidence.OBSERVED or run.index < reviewed
    ]


def whole_runs(model: Model, runs: Iterable[Known[TrainingRun]]) -> list[Known[TrainingRun]]:
    """Return the runs of exactly the training that the model is registered with."""
    stated = _inputs(model)
    return [run for run in runs if stated and _inputs(run.predicate) == stated]


def _graded(*, text: bool, coverages: list[Coverage] | tuple[Coverage, ...], complete: bool) -> Grade:
    """Return the grade of a registered thing: L4 only if ``complete``, whatever else that asks of it."""
    covering = [grant for coverage in coverages for grant in coverage.by]
    if not (text or any(documented(grant) for grant in covering)):
        return Grade.L1
    if any(coverage.shortfalls for coverage in coverages):
        return Grade.L2
    return Grade.L4 if complete else Grade.L3


def _inputs(stated: Model | TrainingRun) -> frozenset[tuple[str, TrainingStage]]:
    return frozenset((item.sha256, item.stage) for item in stated.training)


def _under(thing: Thing, kind: str, name: str, sha256: str) -> Thing:
    path = (*thing.path, f"{kind} {name}")
    if len(path) > LONGEST_PATH:
        path = (*path[: LONGEST_PATH // 2], "…", *path[1 - LONGEST_PATH // 2 :])
    return replace(thing, name=name, sha256=sha256, path=path)
