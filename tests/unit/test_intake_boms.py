import json
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.intake import read_declared
from ledger.core.digest import sha256_hex
from ledger.core.predicates.model import TrainingStage
from ledger.core.predicates.model_v2 import ModelKind, ParentRole
from ledger.core.rights.declared import (
    Declared,
    DeclaredLicence,
    DeclaredParent,
    DeclaredTraining,
)
from ledger.errors import MalformedError
from tests.support.intake import BASE, OTHER, THIRD, cyclonedx


def read(folder: Path, document: dict[str, Any]) -> Declared:
    path = folder / "bom.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return read_declared(path)


def test_a_component_is_a_model_with_its_ancestors_and_datasets(tmp_path: Path) -> None:
    model = read(tmp_path, cyclonedx()).models[0]
    assert (model.name, model.version, model.sha256) == ("kumo-style", "3", BASE)
    assert model.parents == (DeclaredParent("anime-base", OTHER, ParentRole.BASE),)
    assert model.training == (DeclaredTraining("kumo-frames", THIRD), DeclaredTraining("sketches"))
    assert model.facts["task"] == "text-to-image"


def test_a_commercial_licence_is_pinned_and_its_terms_are_facts(tmp_path: Path) -> None:
    model = read(tmp_path, cyclonedx()).models[0]
    assert model.licence == DeclaredLicence("LicenseRef-Kumo-contract-12", sha256_hex(b"the exact text\n"))
    assert model.facts["licensing.licensor"] == "Studio Kumo"
    assert model.facts["licensing.expiration"] == "2027-01-01T00:00:00Z"


def test_datasets_are_those_referred_to_and_those_in_place(tmp_path: Path) -> None:
    declared = read(tmp_path, cyclonedx())
    assert [(item.name, item.sha256) for item in declared.datasets] == [
        ("kumo-frames", THIRD),
        ("sketches", None),
    ]
    assert declared.datasets[0].licence == DeclaredLicence("CC-BY-4.0 AND MIT")
    assert declared.datasets[0].composition["owners"] == "Studio Kumo"


def test_components_may_lie_inside_one_another(tmp_path: Path) -> None:
    document = cyclonedx()
    document["metadata"] = {"component": {"type": "application", "components": document.pop("components")}}
    assert [model.name for model in read(tmp_path, document).models] == ["kumo-style"]


def ours(**values: str) -> list[dict[str, str]]:
    return [{"name": f"rakkan:{name.replace('__', ':')}", "value": value} for name, value in values.items()]


def test_what_the_format_has_no_words_for_comes_back_from_our_own_bills(tmp_path: Path) -> None:
    document = cyclonedx()
    component = document["components"][0]
    component["properties"] = ours(kind="merge", **{"stage__kumo-frames": "focused"})
    ancestor = component["pedigree"]["ancestors"][0]
    ancestor["properties"] = ours(role="merged", weight="0.3", weight__IN00="0.5")
    model = read(tmp_path, document).models[0]
    assert model.kind is ModelKind.MERGE
    assert model.training[0] == DeclaredTraining("kumo-frames", THIRD, TrainingStage.FOCUSED)
    assert model.parents == (
        DeclaredParent("anime-base", OTHER, ParentRole.MERGED, "0.3", (("IN00", "0.5"),)),
    )


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"specVersion": "1.4"}, "specVersion"),
        ({"components": [{"bom-ref": "a"}, {"bom-ref": "a"}]}, "components[1].bom-ref"),
    ],
)
def test_a_bill_that_breaks_its_rules_is_refused(tmp_path: Path, changes: dict[str, Any], place: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(tmp_path, cyclonedx() | changes)
    assert caught.value.evidence["place"] == place


MODEL: dict[str, Any] = {"type": "machine-learning-model", "name": "m"}


@pytest.mark.parametrize(
    ("component", "note"),
    [
        ({"type": "machine-learning-model"}, "components[0] has no name: it was left out"),
        (
            MODEL | {"modelCard": {"modelParameters": {"datasets": [{"ref": "nowhere"}]}}},
            "components[0].modelCard.modelParameters.datasets[0] refers to no dataset of this document",
        ),
        (
            MODEL | {"hashes": [{"alg": "SHA-256", "content": "abc"}]},
            "components[0].hashes[0].content is not a SHA-256",
        ),
        (MODEL | {"pedigree": 5}, "components[0].pedigree is not an object"),
        (MODEL | {"properties": ours(kind="pen")}, "components[0].properties.kind cannot be 'pen'"),
        (
            MODEL
            | {"licenses": [{"license": {"id": "MIT", "text": {"content": "?", "encoding": "base64"}}}]},
            "components[0].licenses[0].license.text.content is not base64",
        ),
    ],
)
def test_a_bad_component_is_a_note(tmp_path: Path, component: dict[str, Any], note: str) -> None:
    declared = read(tmp_path, {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [component]})
    assert note in declared.notes


def graph(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": list(elements)}


def package(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "spdxId": f"urn:{name}", "name": name, **more}


def relation(start: str, kind: str, *ends: str) -> dict[str, Any]:
    return {"type": "Relationship", "from": start, "relationshipType": kind, "to": list(ends)}


AI = "ai_AIPackage"
DATA = "dataset_DatasetPackage"
EXPRESSION = {
    "type": "simplelicensing_LicenseExpression",
    "spdxId": "urn:l",
    "simplelicensing_licenseExpression": "mit or apache-2.0",
}
TEXT = {
    "type": "simplelicensing_SimpleLicensingText",
    "spdxId": "urn:t",
    "name": "Kumo 12",
    "simplelicensing_licenseText": "As is.",
}


def test_relationships_join_models_and_datasets(tmp_path: Path) -> None:
    digest = {"verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": THIRD}]}
    declared = read(
        tmp_path,
        graph(
            package(AI, "lora", software_packageVersion="3"),
            package(AI, "base"),
            package(AI, "root", ai_typeOfModel=["diffusion", "Base"]),
            package(DATA, "frames", **digest),
            package(DATA, "renders"),
            relation("urn:lora", "trainedOn", "urn:frames", "urn:elsewhere"),
            relation("urn:lora", "dependsOn", "urn:base"),
            relation("urn:base", "descendantOf", "urn:root"),
            relation("urn:base", "generates", "urn:renders"),
            relation("urn:base", "testedOn", "urn:frames"),
        ),
    )
    models = {model.name: model for model in declared.models}
    assert models["lora"].kind is ModelKind.LORA
    assert models["lora"].version == "3"
    assert models["lora"].parents == (DeclaredParent("base", None, ParentRole.ADAPTER_BASE),)
    assert models["lora"].training == (DeclaredTraining("frames", THIRD), DeclaredTraining("urn:elsewhere"))
    assert models["base"].parents == (DeclaredParent("root", None, ParentRole.BASE),)
    assert models["base"].facts["testedOn"] == "frames"
    assert models["root"].kind is ModelKind.BASE
    assert [(item.name, item.outputs_of) for item in declared.datasets] == [
        ("frames", ()),
        ("renders", ("base",)),
    ]
    assert "urn:elsewhere is not in this document" in declared.notes


def test_an_ancestor_may_say_it_too(tmp_path: Path) -> None:
    declared = read(
        tmp_path,
        graph(package(AI, "base"), package(AI, "tune"), relation("urn:base", "ancestorOf", "urn:tune")),
    )
    assert declared.models[1].parents == (DeclaredParent("base", None, ParentRole.BASE),)


def test_a_concluded_licence_counts_before_a_declared_one(tmp_path: Path) -> None:
    declared = read(
        tmp_path,
        graph(
            package(AI, "m"),
            EXPRESSION,
            TEXT,
            relation("urn:m", "hasDeclaredLicense", "urn:l"),
            relation("urn:m", "hasConcludedLicense", "urn:t"),
        ),
    )
    assert declared.models[0].licence == DeclaredLicence("LicenseRef-Kumo-12", sha256_hex(b"As is."))
    assert any("differs from the declared MIT OR Apache-2.0" in note for note in declared.notes)


def test_a_licence_of_the_list_need_not_be_in_the_document(tmp_path: Path) -> None:
    declared = read(
        tmp_path,
        graph(
            package(DATA, "d"), relation("urn:d", "hasDeclaredLicense", "https://spdx.org/licenses/CC0-1.0")
        ),
    )
    assert declared.datasets[0].licence == DeclaredLicence("CC0-1.0", url="https://spdx.org/licenses/CC0-1.0")


def test_two_elements_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedError, match="the element urn:m stands there twice"):
        read(tmp_path, graph(package(AI, "m"), package(DATA, "m")))


@pytest.mark.parametrize("broken", [{"from": 7}, {"relationshipType": None}, {"to": [7]}])
def test_a_relationship_without_ends_is_a_note(tmp_path: Path, broken: dict[str, Any]) -> None:
    declared = read(tmp_path, graph(package(AI, "m"), relation("urn:m", "trainedOn", "urn:d") | broken))
    assert declared.models[0].training == ()
    assert declared.notes == ("element 1 is a relationship without its ends",)
