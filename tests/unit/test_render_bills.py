"""Bills of materials: each form is read by its own standard's schema or library, and says what is known."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import rdflib
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from rdflib.namespace import ODRL2, RDF
from spdx_python_model import v3_0_1 as spdx

from ledger.core.predicates import GrantRevocation
from ledger.core.rights.bill import Bill
from ledger.render.cyclonedx import to_cyclonedx
from ledger.render.odrl import to_odrl
from ledger.render.spdx import to_spdx
from tests.support.bills import HOSTILE, NOW, bill, facts
from tests.support.builders import digest


def cyclonedx(made: Bill) -> dict[str, Any]:
    """Return the document, after CycloneDX's own strict validator has read it."""
    document = to_cyclonedx(made, "1")
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(json.dumps(document)) is None
    return document


def components(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["bom-ref"]: item for item in [*document["components"], *document["services"]]}


@pytest.mark.parametrize("judged", [True, False], ids=["with a verdict", "without"])
def test_cyclonedx_is_valid_by_its_own_schema(judged: bool) -> None:
    assert ("declarations" in cyclonedx(bill(judged=judged))) is judged


def test_every_reference_in_cyclonedx_leads_somewhere() -> None:
    document = cyclonedx(bill())
    known = {"delivery", *components(document)}
    named = {ref for item in document["dependencies"] for ref in [item["ref"], *item.get("dependsOn", [])]}
    assert named <= known
    assert {f"model:{digest('mix')}", f"dataset:{digest('plates')}", f"model:{digest('web')}"} <= named


def test_what_nobody_registered_is_in_the_bill() -> None:
    found = components(cyclonedx(bill()))[f"model:{digest('web')}"]
    assert {"name": "rakkan:registered", "value": "no"} in found["properties"]
    assert "version" not in found


def test_a_grant_is_a_licence_with_its_parties_and_its_end() -> None:
    licences = components(cyclonedx(bill()))[f"model:{digest('base')}"]["licenses"]
    licensing = licences[0]["license"]["licensing"]
    assert licensing["licensor"] == {"organization": {"name": HOSTILE}}
    assert licensing["licensee"] == {"individual": {"name": "ran"}}
    assert licensing["expiration"] == "2026-12-26T00:00:00Z"
    assert licences[1]["expression"] == "LicenseRef-mori-1 OR Apache-2.0"


def test_a_revocation_moves_the_end_of_the_licence() -> None:
    revocation = GrantRevocation("G 1/ü", NOW + timedelta(days=1), NOW + timedelta(days=9))
    known = facts(("base", revocation))
    licence = components(cyclonedx(bill(known)))[f"model:{digest('base')}"]["licenses"][0]["license"]
    assert licence["licensing"]["expiration"] == "2026-03-02T00:00:00Z"
    assert "revoked from 2026-03-02" in json.dumps(to_spdx(bill(known), "1"))
    assert "2026-03-02" in json.dumps(to_odrl(bill(known)))


def test_the_verdict_is_a_claim_with_its_reasons_against_it() -> None:
    declared = cyclonedx(bill())["declarations"]
    claim = declared["claims"][0]
    assert claim["predicate"].startswith("blocked, grade L0, by the policy strict")
    assert claim["counterEvidence"] == ["reason:0"]
    assert declared["evidence"][0]["propertyName"] == "WEIGHTS_HASH_UNKNOWN"


def read_spdx(document: dict[str, Any]) -> Any:
    """Return the objects, read and written again by SPDX's own bindings, which check types and counts."""
    found = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(json.dumps(document).encode()), found)
    assert found.missing_ids == set()
    spdx.JSONLDSerializer().write(found, io.BytesIO())
    return found


def test_spdx_is_read_by_its_own_bindings_and_holds_together() -> None:
    found = read_spdx(to_spdx(bill(), "1"))
    models = {item.name for item in found.foreach_type("ai_AIPackage")}
    datasets = {item.name for item in found.foreach_type("dataset_DatasetPackage")}
    assert (models, datasets) == ({"mix", "base", "web", "video"}, {"plates"})


def test_spdx_says_which_dataset_at_which_stage_and_which_parent_with_which_weight() -> None:
    found = read_spdx(to_spdx(bill(), "1"))
    links = {
        (item.relationshipType.rpartition("/")[2], item.from_.name, item.to[0].name, item.comment)
        for item in found.foreach_type("Relationship")
    }
    assert ("trainedOn", "base", "plates", "foundation training") in links
    assert ("descendantOf", "mix", "web", "merged, weight 0.3") in links


def test_spdx_identifiers_are_distinct() -> None:
    graph = to_spdx(bill(), "1")["@graph"]
    names = [item["spdxId"] for item in graph if "spdxId" in item]
    assert len(set(names)) == len(names)


# rdflib's own JSON-LD parser still uses a class that rdflib deprecates.
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_odrl_is_read_without_a_network_and_says_what_is_permitted() -> None:
    graph = rdflib.Graph().parse(data=json.dumps(to_odrl(bill())), format="json-ld")
    agreement = graph.value(predicate=RDF.type, object=ODRL2.Agreement)
    assert str(agreement) == "urn:rakkan:grant:G%201%2F%C3%BC:1"
    permission = graph.value(agreement, ODRL2.permission)
    actions = {
        str(item).rpartition("#")[2].rpartition("/")[2] for item in graph.objects(permission, ODRL2.action)
    }
    assert actions == {"foundation-training", "inference-run", "output-final", "index"}
    assert graph.value(permission, ODRL2.duty) is not None
    operands = [graph.value(item, ODRL2.leftOperand) for item in graph.objects(permission, ODRL2.constraint)]
    assert operands.count(ODRL2.spatial) == 2
    assert graph.value(agreement, ODRL2.assignee) == rdflib.URIRef("urn:rakkan:party:ran")


def test_the_same_bill_has_the_same_bytes_and_another_tree_another_identifier() -> None:
    assert to_spdx(bill(), "1") == to_spdx(bill(), "1")
    assert bill().identifier != replace(bill(), root=digest("another tree")).identifier


@pytest.mark.parametrize("write", [to_cyclonedx, to_spdx], ids=["CycloneDX", "SPDX"])
def test_no_bill_claims_more_than_it_knows(write: Any) -> None:
    text = json.dumps(write(bill(), "1"))
    assert "not that nothing else was used" in text
