import json
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.intake import read_declared
from ledger.core.predicates.grant import Use
from ledger.core.rights.declared import Declared, DeclaredDataset, DeclaredLicence, DeclaredUsage
from ledger.errors import MalformedError
from tests.support.intake import THIRD, croissant, offer, rule

TRAINING = (Use.FOUNDATION_TRAINING, Use.ADDITIONAL_TRAINING, Use.FOCUSED_TRAINING)


def read(folder: Path, card: dict[str, Any]) -> Declared:
    path = folder / "croissant.json"
    path.write_text(json.dumps(card), encoding="utf-8")
    return read_declared(path)


def dataset(folder: Path, card: dict[str, Any]) -> DeclaredDataset:
    return read(folder, card).datasets[0]


def usage(folder: Path, terms: Any) -> DeclaredUsage:
    return dataset(folder, croissant(terms)).usage


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_card_is_a_dataset(tmp_path: Path, version: str) -> None:
    found = dataset(tmp_path, croissant(version=version))
    assert (found.name, found.version, found.sha256) == ("kumo-frames", "2.0.0", THIRD)
    assert found.licence == DeclaredLicence("CC-BY-4.0", url="https://creativecommons.org/licenses/by/4.0/")
    assert found.composition["creator"] == "Studio Kumo"
    assert found.usage == DeclaredUsage()


def test_terms_are_read_with_their_prefixes_and_addresses(tmp_path: Path) -> None:
    card = {
        "@context": {"sc": "https://schema.org/"},
        "@type": "https://schema.org/Dataset",
        "dct:conformsTo": [{"@id": "http://mlcommons.org/croissant/1.1"}, "https://other.example/1"],
        "https://schema.org/name": {"@value": "frames", "@language": "en"},
        "sc:license": {"@type": "sc:CreativeWork", "sc:url": "https://spdx.org/licenses/MIT"},
    }
    found = dataset(tmp_path, card)
    assert found.name == "frames"
    assert found.licence == DeclaredLicence("MIT", url="https://spdx.org/licenses/MIT")


def test_no_digest_covers_several_files(tmp_path: Path) -> None:
    files = [{"@id": "a", "sha256": THIRD}, {"@id": "b", "md5": "x"}]
    found = dataset(tmp_path, croissant(distribution=files))
    assert found.sha256 is None
    assert found.composition["file a"] == THIRD
    assert found.composition["files"] == "2"


def test_what_software_made_is_its_output(tmp_path: Path) -> None:
    agent = {"@type": "prov:SoftwareAgent", "prov:label": "kumo-style 3"}
    person = {"@type": "prov:Person", "prov:label": "Sora"}
    made = {"@type": "prov:Activity", "prov:wasAssociatedWith": agent}
    for member in ({"prov:wasAttributedTo": [agent, person]}, {"prov:wasGeneratedBy": made}):
        assert dataset(tmp_path, croissant(**member)).outputs_of == ("kumo-style 3",)


@pytest.mark.parametrize(
    ("action", "uses"),
    [
        ("odrl:distribute", (Use.DATASET_REDISTRIBUTION,)),
        ("http://www.w3.org/ns/odrl/2/index", (Use.SIMILARITY_INDEX,)),
        ("https://rakkan.org/odrl#focused-training", (Use.FOCUSED_TRAINING,)),
    ],
)
def test_a_permission_that_names_a_use(tmp_path: Path, action: str, uses: tuple[Use, ...]) -> None:
    assert usage(tmp_path, offer(permission=rule(action))) == DeclaredUsage(permitted=uses)


@pytest.mark.parametrize("action", ["odrl:use", "odrl:derive", "odrl:reproduce", "duo:0000042", "", "use"])
def test_a_permission_that_names_no_use_of_ours_permits_none(tmp_path: Path, action: str) -> None:
    found = usage(tmp_path, offer(permission=rule(action)))
    assert found.permitted == ()
    assert found.unmapped != ()


@pytest.mark.parametrize(
    ("action", "some"),
    [
        ("odrl:use", tuple(Use)),
        ("odrl:derive", (*TRAINING, Use.REFERENCE_INPUT, Use.OUTPUT_AS_TRAINING)),
        ("http://creativecommons.org/ns#CommercialUse", (Use.OUTPUT_FINAL, Use.OUTPUT_MERCH)),
        ("http://www.w3.org/ns/tdmrep#mine", TRAINING),
    ],
)
def test_a_prohibition_reaches_all_that_it_could_mean(
    tmp_path: Path, action: str, some: tuple[Use, ...]
) -> None:
    found = usage(tmp_path, offer(prohibition=rule(action)))
    assert set(found.prohibited) >= set(some)
    assert found.permitted == ()


CONDITION = {"odrl:leftOperand": "purpose", "odrl:operator": "eq", "odrl:rightOperand": "research"}


@pytest.mark.parametrize(
    "more",
    [
        {"constraint": CONDITION},
        {"duty": rule("odrl:attribute")},
        {"assignee": "https://kumo.example"},
        {"target": "urn:part"},
        {"something-new": 1},
    ],
)
def test_a_permission_under_a_condition_permits_nothing(tmp_path: Path, more: dict[str, Any]) -> None:
    found = usage(tmp_path, offer(permission=rule("odrl:distribute", **more)))
    assert found.permitted == ()
    assert next(iter(more)) in found.unmapped[0]


def test_a_refined_action_is_under_a_condition(tmp_path: Path) -> None:
    refined = {"rdf:value": {"@id": "odrl:distribute"}, "odrl:refinement": CONDITION}
    found = usage(tmp_path, offer(permission={"odrl:action": refined}))
    assert (found.permitted, found.unmapped) == ((), ("permission; distribute; with a refinement",))


def test_a_policy_for_some_binds_all_its_rules(tmp_path: Path) -> None:
    terms = offer(permission=rule("odrl:distribute")) | {"odrl:assignee": "https://kumo.example"}
    found = usage(tmp_path, terms)
    assert (found.permitted, found.unmapped) == ((), ("permission; distribute; under the policy's assignee",))


def test_a_prohibition_under_a_condition_prohibits(tmp_path: Path) -> None:
    found = usage(tmp_path, offer(prohibition=rule("odrl:distribute", constraint=CONDITION)))
    assert found.prohibited == (Use.DATASET_REDISTRIBUTION,)
    assert found.unmapped == ("prohibition; distribute; constraint: purpose eq research",)


def test_a_use_that_is_both_is_prohibited(tmp_path: Path) -> None:
    both = offer(permission=rule("odrl:distribute"), prohibition=rule("odrl:distribute"))
    declared = read(tmp_path, croissant(both))
    assert declared.datasets[0].usage == DeclaredUsage(prohibited=(Use.DATASET_REDISTRIBUTION,))
    assert any("taken as prohibited" in note for note in declared.notes)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ("https://kumo.example/terms", "https://kumo.example/terms"),
        (
            {"@type": "DefinedTerm", "name": "General Research Use", "termCode": "DUO_0000042"},
            "General Research Use DUO_0000042",
        ),
        (offer(obligation=rule("odrl:attribute")), "obligation; attribute"),
    ],
)
def test_what_is_no_rule_is_kept_in_words(tmp_path: Path, terms: Any, words: str) -> None:
    assert usage(tmp_path, terms) == DeclaredUsage(unmapped=(words,))


@pytest.mark.parametrize(
    ("card", "place"),
    [
        (croissant(version="2.0"), "conformsTo"),
        ({name: value for name, value in croissant().items() if name != "name"}, "name"),
    ],
)
def test_a_card_that_is_not_one_is_refused(tmp_path: Path, card: dict[str, Any], place: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(tmp_path, card)
    assert caught.value.evidence["place"] == place
