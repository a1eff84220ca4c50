"""What the registry holds: parties, works, titles, datasets, models, services; each rule by its defect."""

import pytest

from ledger.core import canonical
from ledger.core import statement as statements
from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import (
    Dataset,
    DatasetV2,
    Grant,
    GrantV2,
    Model,
    ModelV2,
    Predicate,
    ServiceTerms,
    Step,
    StepV2,
    types_of,
)
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.model import Training, TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, Service
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.service_terms import Indemnity
from ledger.core.predicates.step import Evidence
from ledger.errors import MalformedError
from tests.support.builders import DAY, digest, statement
from tests.support.defects import Change, nested, refusal
from tests.support.stated import (
    RECORDED,
    dataset_v2,
    model_v2,
    party,
    person,
    service_model,
    service_terms,
    step_v2,
    title,
    training_run,
    work,
)

REQUIRED: dict[str, tuple[Predicate, list[str]]] = {
    "party": (party(), ["partyId", "kind", "recorded"]),
    "work": (work(), ["workId", "shares", "recorded"]),
    "title": (title(), ["titleId", "name", "recorded"]),
    "dataset": (dataset_v2(), ["name", "version", "works", "rightsHolders", "recorded", "evidence"]),
    "model": (model_v2(kind=ModelKind.BASE), ["name", "version", "recorded", "kind", "evidence"]),
    "training": (training_run(), ["trainer", "started", "finished", "evidence", "training"]),
    "service terms": (
        service_terms(indemnity=Indemnity()),
        [
            "vendor",
            "product",
            "planTier",
            "validFrom",
            "fetched",
            "recorded",
            "ownership",
            "inputTraining",
            "outputAsTraining",
            "indemnified",
        ],
    ),
}


@pytest.mark.parametrize("kind", REQUIRED)
def test_each_member_is_required_or_may_be_left_out(kind: str) -> None:
    """What is not in the list above may be left out, and nothing else may."""
    predicate, required = REQUIRED[kind]
    for name in predicate.to_json():
        if name in required:
            assert refusal(predicate, nested(name))[0] == "statement.field"
        else:
            document = {key: value for key, value in predicate.to_json().items() if key != name}
            assert canonical.encode(_read_back(predicate, document)) == canonical.encode(document)


def _read_back(predicate: Predicate, document: dict[str, object]) -> object:
    whole = canonical.decode(statements.encode(statement(predicate))) | {"predicate": document}
    return statements.decode(canonical.encode(whole)).predicate.to_json()


@pytest.mark.parametrize("kind", REQUIRED)
def test_an_unknown_member_is_refused(kind: str) -> None:
    code, message = refusal(REQUIRED[kind][0], nested("extra", value=1))
    assert (code, "predicate.extra" in message) == ("statement.field", True)


KIRI = {"party": "party:kiri", "points": 1}
PLATES = {"dataset": "plates", "sha256": digest("x"), "stage": "focused"}
LORA = {"name": "kiri-lora", "sha256": digest("kiri-lora"), "role": "merged"}
DEFECTS: dict[str, tuple[Predicate, Change, str]] = {
    "person with a name in the open": (person(), nested("name", value="Ada"), "name of a person"),
    "person with an identifier": (
        person(),
        nested("identifiers", value={"ipi": "1"}),
        "identifiers of a person",
    ),
    "party of an unknown kind": (party(), nested("kind", value="robot"), "kind cannot be"),
    "party with a hostile name": (party(), nested("name", value="Kiri\u202e"), "name must be"),
    "work of nobody": (work(), nested("shares", value=[]), "shares must not be an empty list"),
    "work of one party twice": (work(), nested("shares", value=[KIRI, KIRI]), "shares must name"),
    "share of nothing": (work(), nested("shares", 0, "points", value=0), "points must be at least 1"),
    "share of half a point": (
        work(),
        nested("shares", 0, "points", value="1/2"),
        "points must be of type int",
    ),
    "share with a note": (work(), nested("shares", 0, "note", value="x"), "shares[0].note"),
    "title with productions out of order": (
        title(),
        nested("productions", value=["b", "a"]),
        "productions must be sorted",
    ),
    "title with one credit twice": (title(), nested("credits", value=["L", "L"]), "credits must be sorted"),
    "dataset of no works": (dataset_v2(), nested("works", value=0), "works must count"),
    "dataset with an inventory of another size": (
        dataset_v2(),
        nested("inventory", "size", value=4),
        "inventory.size must be the number of works",
    ),
    "dataset with half a commitment": (dataset_v2(), nested("inventory", "root"), "inventory.root"),
    "dataset with a note on its inventory": (
        dataset_v2(),
        nested("inventory", "note", value="x"),
        "inventory.note is not a field",
    ),
    "dataset of which others were kept": (
        dataset_v2(curation=None),
        nested("curation", value={"candidates": 2, "kept": 2, "sampled": 0, "sampledRejected": 0}),
        "curation.kept must be the number of works",
    ),
    "curation in another spelling": (
        dataset_v2(),
        nested("curation", "sampled_rejected", value=0),
        "curation.sampled_rejected is not a field",
    ),
    "dataset with one facet twice": (
        dataset_v2(),
        nested("composition", value=[{"facet": "origin: JP", "works": 1}] * 2),
        "composition must be sorted",
    ),
    "dataset with facets out of order": (
        dataset_v2(),
        nested("composition", 0, "facet", value="z"),
        "composition must be sorted",
    ),
    "facet of nothing": (dataset_v2(), nested("composition", 0, "works", value=0), "at least one work"),
    "facet of more works than there are": (
        dataset_v2(),
        nested("composition", 0, "works", value=4),
        "no more than there are",
    ),
    "facet with a note": (dataset_v2(), nested("composition", 0, "note", value=1), "composition[0].note"),
    "dataset of one model's output twice": (
        dataset_v2(),
        nested(
            "outputsOf", value=[{"name": "a", "sha256": digest("a")}, {"name": "b", "sha256": digest("a")}]
        ),
        "outputsOf must not name a model twice",
    ),
    "source with a note": (dataset_v2(), nested("outputsOf", 0, "note", value=1), "outputsOf[0].note"),
    "licence without an expression": (dataset_v2(), nested("licence", "expression"), "licence.expression"),
    "licence with a note": (dataset_v2(), nested("licence", "note", value=1), "licence.note"),
    "model of an unknown kind": (model_v2(), nested("kind", value="brain"), "kind cannot be"),
    "merge of nothing": (model_v2(), nested("parents"), "parents must name what was merged"),
    "merge with one parent twice": (model_v2(), nested("parents", value=[LORA, LORA]), "a model twice"),
    "parent in an unknown role": (model_v2(), nested("parents", 0, "role", value="muse"), "role cannot be"),
    "parent with a note": (model_v2(), nested("parents", 0, "note", value=1), "parents[0].note"),
    "model trained twice on one dataset at one stage": (
        model_v2(),
        nested("training", value=[PLATES, PLATES]),
        "training must not name a dataset twice",
    ),
    "weights that are served": (
        model_v2(),
        nested("service", value={"vendor": "Orbit", "product": "Painter"}),
        "service goes with the kind service",
    ),
    "service without a vendor": (service_model(), nested("service"), "service goes with the kind service"),
    "vendor with a slash": (service_model(), nested("service", "vendor", value="a/b"), "hold a slash"),
    "product with a slash": (service_model(), nested("service", "product", value="a/b"), "hold a slash"),
    "service with a note": (service_model(), nested("service", "note", value=1), "service.note"),
    "training that ends before it starts": (
        training_run(),
        nested("finished", value="2026-01-01T00:00:00Z"),
        "finished is earlier than started",
    ),
    "training on nothing": (training_run(), nested("training"), "training must name at least one"),
    "training on one dataset twice": (
        training_run(),
        nested("training", value=[PLATES, PLATES]),
        "training must not name a dataset twice",
    ),
    "terms of a product with a slash": (service_terms(), nested("product", value="a/b"), "hold a slash"),
    "terms that end as they begin": (
        service_terms(),
        nested("validUntil", value="2026-01-01T00:00:00Z"),
        "validUntil is not later",
    ),
    "terms from some minute on": (
        service_terms(),
        nested("validFrom", value="2026-01-01T00:01:00Z"),
        "validFrom must be on a quarter",
    ),
    "terms recorded before they were fetched": (
        service_terms(),
        nested("fetched", value="2026-05-01T00:00:00Z"),
        "recorded is earlier than fetched",
    ),
    "conditions of no indemnity": (
        service_terms(),
        nested("indemnified", value=False),
        "indemnityConditions go with an indemnity",
    ),
    "condition met that is none": (
        service_terms(),
        nested("indemnityConditionsMet", value=["something else"]),
        "indemnityConditionsMet must be among the conditions",
    ),
    "conditions out of order": (
        service_terms(),
        nested("indemnityConditions", value=["b", "a"]),
        "indemnityConditions must be sorted",
    ),
    "unknown owner": (service_terms(), nested("ownership", value="nobody"), "ownership cannot be"),
    "unknown use of input": (service_terms(), nested("inputTraining", value="maybe"), "inputTraining cannot"),
    "output as training in words": (
        service_terms(),
        nested("outputAsTraining", value="no"),
        "outputAsTraining must be of type bool",
    ),
    "step with a plan and no service": (
        step_v2(service=None, plan_tier=None),
        nested("planTier", value="x"),
        "goes with",
    ),
    "step over a service that is no material": (step_v2(), nested("materials", 1), "among the materials"),
    "step over a service in another role": (
        step_v2(),
        nested("materials", 1, "annotations", "role", value="reference"),
        "in the role of a model",
    ),
    "step over another service": (
        step_v2(),
        nested("service", "product", value="Sculptor"),
        "among the materials",
    ),
    "step with people out of order": (step_v2(), nested("people", value=["b", "a"]), "people must be sorted"),
    "step with a material in an unknown role": (
        step_v2(),
        nested("materials", 0, "annotations", "role", value="muse"),
        "role cannot be",
    ),
}


@pytest.mark.parametrize(("predicate", "change", "words"), DEFECTS.values(), ids=DEFECTS)
def test_defect(predicate: Predicate, change: Change, words: str) -> None:
    code, message = refusal(predicate, change)
    assert (code, words in message) == ("statement.field", True), message


@pytest.mark.parametrize("weight", ["", "1e-05", ".5", "0.", "+1", "01", "0,5", "½", "nan"])
def test_a_weight_is_a_plain_decimal(weight: str) -> None:
    assert refusal(model_v2(), nested("parents", 0, "weight", value=weight))[0] == "statement.field"
    assert refusal(model_v2(), nested("parents", 0, "blocks", "IN01", value=weight))[0] == "statement.field"


VALID: dict[str, Predicate] = {
    "collective without a name": party(kind=PartyKind.COLLECTIVE, name=None, identifiers={}),
    "work of one party": work(shares=work().shares[:1], parent=None, identifiers={}, commitments=()),
    "title that nothing is delivered under yet": title(productions=(), credits=()),
    "dataset without an inventory tree": DatasetV2("a", "1", 1, 1, recorded=RECORDED),
    "licence without its text": dataset_v2(licence=Licence("CC0-1.0")),
    "model of unknown making": ModelV2("a", "1", recorded=RECORDED, kind=ModelKind.OTHER),
    "model trained on one dataset in two stages": model_v2(
        training=tuple(Training("plates", digest("x"), stage) for stage in TrainingStage)
    ),
    "service without a snapshot": service_model(service=Service("Orbit", "Painter")),
    "terms without an end or an indemnity": service_terms(
        effective_until=None, indemnity=None, retention=None
    ),
    "step over a service of unknown plan": step_v2(plan_tier=None, people=()),
    "every role": step_v2(
        service=None,
        plan_tier=None,
        materials=tuple(Artifact(role, digest(role), role=role) for role in Role),
    ),
    "training in an instant": training_run(finished=training_run().started, evidence=Evidence.DECLARED),
}


@pytest.mark.parametrize("predicate", VALID.values(), ids=VALID)
def test_what_may_be_left_out_may_be_left_out(predicate: Predicate) -> None:
    assert statements.decode(statements.encode(statement(predicate))).predicate == predicate


def test_an_indemnity_without_conditions_is_not_lost() -> None:
    """What is empty is left out when written; so a member of its own says that there is an indemnity."""
    offered = service_terms(indemnity=Indemnity())
    found = statements.decode(statements.encode(statement(offered))).predicate
    assert isinstance(found, ServiceTerms)
    assert found.indemnity == Indemnity()
    assert found != service_terms(indemnity=None)


def test_a_set_is_written_in_one_order_whatever_it_was_built_in() -> None:
    shuffled = step_v2(people=("person:b", "person:a", "person:b"))
    assert shuffled.to_json()["people"] == ["person:a", "person:b"]
    assert statements.encode(statement(shuffled)) == statements.encode(
        statement(step_v2(people=("person:a", "person:b")))
    )


def test_facets_are_written_in_order_and_none_is_dropped() -> None:
    facets = (("origin: JP", 3), ("genre: landscape", 2))
    assert dataset_v2(composition=facets).to_json() == dataset_v2(composition=facets[::-1]).to_json()
    with pytest.raises(MalformedError):
        statements.encode(statement(dataset_v2(composition=(("origin: JP", 3), ("origin: JP", 2)))))


def test_a_set_is_sorted_as_the_names_of_members_are() -> None:
    """By UTF-16, where what takes a pair of units comes before U+E000 to U+FFFF."""
    last, first = "\ufffd", "\U0001f58b"
    assert title(productions=(last, first)).to_json()["productions"] == [first, last]


LATER = {Step: StepV2, Dataset: DatasetV2, Model: ModelV2, Grant: GrantV2}


@pytest.mark.parametrize(("first", "later"), LATER.items())
def test_a_later_version_is_found_with_the_first(first: type, later: type) -> None:
    names = types_of(first)
    assert issubclass(later, first)
    assert [name.rpartition("/")[2] for name in names] == ["v1", "v2"]
    assert len({name.rpartition("/")[0] for name in names}) == 1


def test_terms_that_are_fetched_later_say_so() -> None:
    later = service_terms(recorded=RECORDED + DAY)
    assert statements.decode(statements.encode(statement(later))).predicate == later
