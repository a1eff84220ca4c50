"""A bill of materials as CycloneDX 1.7 (ECMA-424), an ML-BOM: models with their cards, datasets, services.

* A grant is a commercial licence of its subject (``licenses[].license.licensing``).
* The verdict is a claim about the files (``declarations``), with each reason as counter-evidence.
* What a record names and nobody registered is a component without a version, and says so.
"""

from __future__ import annotations

from typing import Any

from ledger.core.artifact import Artifact
from ledger.core.fields import format_time, present
from ledger.core.predicates import Dataset, DatasetV2, Model, ModelV2
from ledger.core.predicates.licence import Licence
from ledger.core.rights.basis import Item
from ledger.core.rights.bill import Bill, Judgement, parties_of
from ledger.core.rights.facts import Known, KnownGrant
from ledger.core.rights.materials import Unregistered

Json = dict[str, Any]


def to_cyclonedx(bill: Bill, version: str) -> Json:
    """Return the document. ``version`` is that of the program."""
    found = bill.materials
    models = [item for item in found.models if not _service(item)]
    services = [_service_entry(bill, item) for item in found.models if _service(item)]
    components = [
        *(_model(bill, item) for item in models),
        *(_dataset(bill, item) for item in found.datasets),
        *(_unregistered(item) for item in found.unregistered),
        *(_outside(bill, item) for item in found.outside),
        *(_unexplained(item) for item in bill.unexplained),
    ]
    tool = {"type": "application", "name": "rakkan", "version": version}
    return present(
        bomFormat="CycloneDX",
        specVersion="1.7",
        serialNumber=f"urn:uuid:{bill.identifier}",
        version=1,
        metadata={
            "timestamp": format_time(bill.created),
            "tools": {"components": [tool]},
            "authors": [{"name": bill.studio}],
            "component": _whole(bill),
            "properties": [
                _property("log", bill.origin),
                _property("tree", f"{bill.size} {bill.root}"),
                _property("limits", bill.limits),
            ],
        },
        components=components,
        services=services,
        dependencies=_dependencies(bill),
        declarations=_declarations(bill, bill.judgement) if bill.judgement else None,
    )


def _whole(bill: Bill) -> Json:
    if len(bill.subjects) == 1:
        return _file(bill.subjects[0], "delivery")
    parts = [_file(item, f"file:{item.sha256}") for item in bill.subjects]
    name = f"{len(parts)} files"
    return present(**{"type": "file", "bom-ref": "delivery"}, name=name, components=parts)


def _file(item: Artifact, ref: str) -> Json:
    return present(
        **{"type": "file", "bom-ref": ref, "mime-type": item.media_type},
        name=item.name,
        hashes=_hashes(item.sha256),
    )


def _model(bill: Bill, known: Known[Model]) -> Json:
    model, sha256 = known.predicate, known.subjects[0].sha256
    parents = model.parents if isinstance(model, ModelV2) else ()
    datasets = [{"ref": f"dataset:{item.sha256}"} for item in model.training]
    ancestors = [
        present(
            type="machine-learning-model",
            name=parent.name,
            hashes=_hashes(parent.sha256),
            properties=[
                _property("role", parent.role.value),
                *([_property("weight", parent.weight)] if parent.weight else []),
                *(_property(f"weight:{block}", weight) for block, weight in parent.blocks),
            ],
        )
        for parent in parents
    ]
    kind = model.kind.value if isinstance(model, ModelV2) else None
    stages = [_property(f"stage:{item.dataset}", item.stage.value) for item in model.training]
    return present(
        **{"type": "machine-learning-model", "bom-ref": f"model:{sha256}"},
        name=model.name,
        version=model.version,
        hashes=_hashes(sha256),
        licenses=_licences(bill, sha256, model.licence if isinstance(model, ModelV2) else None),
        modelCard={"modelParameters": {"datasets": datasets}} if datasets else None,
        pedigree={"ancestors": ancestors} if ancestors else None,
        properties=[_entry(known), *([_property("kind", kind)] if kind else []), *stages],
    )


def _dataset(bill: Bill, known: Known[Dataset]) -> Json:
    dataset, sha256 = known.predicate, known.subjects[0].sha256
    inventory = dataset.inventory if isinstance(dataset, DatasetV2) else None
    facets = dataset.composition if isinstance(dataset, DatasetV2) else ()
    owners = [assigner for grant in bill.grants_about(sha256) if (assigner := parties_of(grant)[0])]
    data = present(
        type="dataset",
        name=dataset.name,
        description=f"{dataset.works} works of {dataset.rights_holders} rights holders",
        governance=present(owners=[_entity(bill, owner, "contact") for owner in dict.fromkeys(owners)]),
    )
    return present(
        **{"type": "data", "bom-ref": f"dataset:{sha256}"},
        name=dataset.name,
        version=dataset.version,
        hashes=_hashes(sha256),
        licenses=_licences(bill, sha256, dataset.licence if isinstance(dataset, DatasetV2) else None),
        data=[data],
        properties=[
            _entry(known),
            *([_property("inventory", f"{inventory.size} {inventory.root}")] if inventory else []),
            *(_property(f"composition:{facet}", str(works)) for facet, works in facets),
        ],
    )


def _unregistered(item: Unregistered) -> Json:
    data = item.kind == "dataset"
    return present(
        type="data" if data else "machine-learning-model",
        **{"bom-ref": f"{'dataset' if data else 'model'}:{item.sha256}"},
        name=item.name,
        # The digest of a service is that of its name: it is not one of content.
        hashes=[] if item.kind == "service" else _hashes(item.sha256),
        properties=[_property("registered", "no")],
    )


def _outside(bill: Bill, item: Item) -> Json:
    return present(
        **{"type": "file", "bom-ref": f"outside:{item.sha256}"},
        name=item.name,
        hashes=_hashes(item.sha256),
        licenses=_licences(bill, item.sha256, None),
        properties=[_property("outside", item.kind.value), _property("evidence", item.evidence.value)],
    )


def _unexplained(item: Artifact) -> Json:
    found = _file(item, f"file:{item.sha256}")
    return found | {"properties": [_property("explained", "no")]}


def _service_entry(bill: Bill, known: Known[Model]) -> Json:
    model, sha256 = known.predicate, known.subjects[0].sha256
    service = _service(known)
    if service is None:  # the caller chose the services
        raise ValueError(sha256)
    plans = bill.materials.plans.get(sha256, ())
    return present(
        **{"bom-ref": f"model:{sha256}"},
        provider={"name": service.vendor},
        name=service.product,
        version=service.snapshot or model.version,
        licenses=_licences(bill, sha256, None),
        properties=[_entry(known), *(_property("plan", plan or "unknown") for plan in plans)],
    )


def _licences(bill: Bill, sha256: str, licence: Licence | None) -> list[Json]:
    found = [_commercial(bill, grant) for grant in bill.grants_about(sha256)]
    if licence is not None:
        found.append({"expression": licence.expression, "acknowledgement": "declared"})
    return found


def _commercial(bill: Bill, known: KnownGrant) -> Json:
    grant, (assigner, assignee) = known.grant, parties_of(known)
    ends = [moment for moment in (grant.valid_until, _revoked(known)) if moment is not None]
    licensing = present(
        altIds=[grant.grant_id],
        licensor=_entity(bill, assigner, "individual") if assigner else None,
        licensee=_entity(bill, assignee, "individual") if assignee else None,
        expiration=format_time(min(ends)) if ends else None,
    )
    uses = ", ".join(use.value for use in grant.uses)
    return {
        "license": {
            "name": f"LicenseRef-grant-{grant.grant_id}",
            "acknowledgement": "concluded",
            "licensing": licensing,
            "properties": [_property("uses", uses), _property("entry", str(known.stated.index))],
        }
    }


def _revoked(known: KnownGrant) -> Any:
    return known.revoked.predicate.effective if known.revoked else None


def _entity(bill: Bill, party_id: str, person: str) -> Json:
    """Return a party; ``person`` is the member that holds one where it is no organisation."""
    name, is_person = bill.party(party_id)
    return {person if is_person else "organization": {"name": name}}


def _dependencies(bill: Bill) -> list[Json]:
    found = bill.materials
    used = [f"model:{sha256}" for sha256 in sorted(found.used)]
    graph = [{"ref": "delivery", "dependsOn": used + [f"outside:{item.sha256}" for item in found.outside]}]
    for known in found.models:
        model = known.predicate
        parents = [f"model:{item.sha256}" for item in (model.parents if isinstance(model, ModelV2) else ())]
        below = parents + [f"dataset:{item.sha256}" for item in model.training]
        graph.append({"ref": f"model:{known.subjects[0].sha256}", "dependsOn": list(dict.fromkeys(below))})
    for item in graph:
        item["dependsOn"] = list(dict.fromkeys(item["dependsOn"]))
    return [present(**item) for item in graph]


def _declarations(bill: Bill, judged: Judgement) -> Json:
    answer = judged.answer
    reasons = [
        {
            "bom-ref": f"reason:{number}",
            "propertyName": reason.code.value,
            "description": f"{reason.name}: {reason.meaning}",
        }
        for number, reason in enumerate(answer.reasons)
    ]
    claim = present(
        **{"bom-ref": "verdict"},
        target="delivery",
        predicate=f"{answer.verdict.value}, grade {answer.grade.name}, by the policy {judged.policy} "
        f"(sha256 {judged.policy_sha256})",
        reasoning=bill.limits,
        counterEvidence=[item["bom-ref"] for item in reasons],
    )
    attestation = {
        "summary": "Clearance of the recorded uses",
        "assessor": "assessor",
        "map": [{"claims": ["verdict"]}],
    }
    assessor = {"bom-ref": "assessor", "thirdParty": False, "organization": {"name": bill.studio}}
    return present(assessors=[assessor], attestations=[attestation], claims=[claim], evidence=reasons)


def _service(known: Known[Model]) -> Any:
    return known.predicate.service if isinstance(known.predicate, ModelV2) else None


def _hashes(sha256: str) -> list[Json]:
    return [{"alg": "SHA-256", "content": sha256}]


def _property(name: str, value: str) -> Json:
    return {"name": f"rakkan:{name}", "value": value}


def _entry(known: Known[Model] | Known[Dataset]) -> Json:
    return _property("entry", str(known.index))
