"""A bill of materials as SPDX 3.0.1 JSON-LD: the AI and Dataset profiles.

* A model is an AIPackage, a dataset a DatasetPackage, a frame a File. The one file, or the package of all of
  them, depends on what they were made with.
* SPDX has no word for the stage of a training or for a merge's weights: they are the relationship's comment.
* A grant is a licence with an identifier of its own; the comment says what it permits and until when. Where a
  value is not known the relationship is left out: the relationship's completeness says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ledger.core.artifact import Artifact, named
from ledger.core.fields import format_time, present
from ledger.core.predicates import Dataset, DatasetV2, Model, ModelV2
from ledger.core.predicates.licence import Licence
from ledger.core.rights.basis import Item
from ledger.core.rights.bill import Bill, parties_of
from ledger.core.rights.facts import Known, KnownGrant
from ledger.core.rights.materials import Unregistered

Json = dict[str, Any]

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
PROFILES = ("core", "software", "simpleLicensing", "ai", "dataset")
_CREATION = "_:creation"


def to_spdx(bill: Bill, version: str) -> Json:
    """Return the document. ``version`` is that of the program."""
    names = _Names(bill)
    elements = [
        *_agents(bill, names, version),
        *(_file(names, item) for item in bill.subjects),
        *_delivery(bill, names),
        *(_model(names, item) for item in bill.materials.models),
        *(_dataset(names, item) for item in bill.materials.datasets),
        *(_unregistered(names, item) for item in bill.materials.unregistered),
        *(_outside(names, item) for item in bill.materials.outside),
        *(_file(names, item, "no record explains it") for item in bill.unexplained),
        *_licensing(bill, names),
        *_relationships(bill, names),
    ]
    listed = [item["spdxId"] for item in elements]
    bom = names.element("software_Sbom", "bill", rootElement=[_whole(bill, names)], element=listed)
    document = names.element(
        "SpdxDocument",
        "document",
        rootElement=[names.id("bill")],
        element=[*listed, names.id("bill")],
        profileConformance=list(PROFILES),
        comment=f"{bill.limits} Log {bill.origin}, tree {bill.size}, root {bill.root}.",
    )
    return {"@context": CONTEXT, "@graph": [_creation(bill, names), *elements, bom, document]}


class _Names:
    """Identifiers of the elements of one document."""

    def __init__(self, bill: Bill) -> None:
        self._base = f"urn:uuid:{bill.identifier}#"

    def id(self, name: str) -> str:
        return self._base + name

    def file(self, item: Artifact) -> str:
        return self.id(f"file-{item.sha256}")

    def thing(self, kind: str, sha256: str) -> str:
        return self.id(f"{'dataset' if kind == 'dataset' else 'model'}-{sha256}")

    def element(self, kind: str, ref: str, /, **members: Any) -> Json:
        return {"type": kind, "spdxId": self.id(ref), "creationInfo": _CREATION} | present(**members)

    def link(self, source: str, relation: str, targets: Sequence[str], comment: str | None = None) -> Json:
        name = f"{relation}-{source.partition('#')[2]}"
        if comment is not None:
            name += f"-{targets[0].partition('#')[2]}"
        return self.element(
            "Relationship",
            name,
            **{"from": source, "to": list(targets)},
            relationshipType=relation,
            completeness="noAssertion",
            comment=comment,
        )


def _creation(bill: Bill, names: _Names) -> Json:
    return {
        "type": "CreationInfo",
        "@id": _CREATION,
        "specVersion": "3.0.1",
        "created": format_time(bill.created),
        "createdBy": [names.id("studio")],
        "createdUsing": [names.id("rakkan")],
    }


def _agents(bill: Bill, names: _Names, version: str) -> Iterator[Json]:
    yield names.element("Organization", "studio", name=bill.studio)
    yield names.element("Tool", "rakkan", name=f"rakkan {version}")
    for party in dict.fromkeys(
        party for grant in bill.materials.grants for party in parties_of(grant) if party
    ):
        name, person = bill.party(party)
        kind = "Person" if person else "Organization"
        yield names.element(kind, f"party-{named('party', party).sha256}", name=name)


def _whole(bill: Bill, names: _Names) -> str:
    """Return the identifier of what the bill is of: the one file, or all of them together."""
    return names.file(bill.subjects[0]) if len(bill.subjects) == 1 else names.id("delivery")


def _delivery(bill: Bill, names: _Names) -> Iterator[Json]:
    """Yield what holds several files together: each of them may rest on less than all of it."""
    if len(bill.subjects) == 1:
        return
    whole = names.element("software_Package", "delivery", name=f"{len(bill.subjects)} files")
    yield whole
    if bill.subjects:
        yield names.link(whole["spdxId"], "contains", [names.file(item) for item in bill.subjects])


def _file(names: _Names, item: Artifact, comment: str | None = None) -> Json:
    return names.element(
        "software_File",
        f"file-{item.sha256}",
        name=item.name,
        contentType=item.media_type,
        verifiedUsing=_hash(item.sha256),
        comment=comment,
    )


def _model(names: _Names, known: Known[Model]) -> Json:
    model, sha256 = known.predicate, known.subjects[0].sha256
    service = model.service if isinstance(model, ModelV2) else None
    return names.element(
        "ai_AIPackage",
        f"model-{sha256}",
        name=model.name,
        software_packageVersion=model.version,
        software_primaryPurpose="model",
        # A service has no weights at hand: the digest of its name is not one of content.
        verifiedUsing=_hash(sha256) if service is None else None,
        ai_typeOfModel=[model.kind.value] if isinstance(model, ModelV2) else None,
        ai_informationAboutTraining="; ".join(
            f"{item.dataset}: {item.stage.value}" for item in model.training
        ),
        comment=f"entry {known.index}" + (f"; remote service of {service.vendor}" if service else ""),
    )


def _dataset(names: _Names, known: Known[Dataset]) -> Json:
    dataset, sha256 = known.predicate, known.subjects[0].sha256
    inventory = dataset.inventory if isinstance(dataset, DatasetV2) else None
    facets = dataset.composition if isinstance(dataset, DatasetV2) else ()
    committed = f"; inventory of {inventory.size} works, root {inventory.root}" if inventory else ""
    return names.element(
        "dataset_DatasetPackage",
        f"dataset-{sha256}",
        name=dataset.name,
        software_packageVersion=dataset.version,
        software_primaryPurpose="data",
        dataset_datasetType=["noAssertion"],
        description="; ".join(f"{facet}: {works} works" for facet, works in facets) or None,
        verifiedUsing=_hash(sha256),
        comment=f"entry {known.index}; {dataset.works} works of {dataset.rights_holders} holders{committed}",
    )


def _unregistered(names: _Names, item: Unregistered) -> Json:
    data = item.kind == "dataset"
    return names.element(
        "dataset_DatasetPackage" if data else "ai_AIPackage",
        f"{'dataset' if data else 'model'}-{item.sha256}",
        name=item.name,
        verifiedUsing=None if item.kind == "service" else _hash(item.sha256),
        **({"dataset_datasetType": ["noAssertion"]} if data else {}),
        comment="named by a record, and registered by nobody",
    )


def _outside(names: _Names, item: Item) -> Json:
    return names.element(
        "software_File",
        f"outside-{item.sha256}",
        name=item.name,
        verifiedUsing=_hash(item.sha256),
        comment=f"came from outside ({item.kind.value}); {item.evidence.value}",
    )


def _licensing(bill: Bill, names: _Names) -> Iterator[Json]:
    for grant in bill.materials.grants:
        yield names.element(
            "simplelicensing_LicenseExpression",
            f"grant-{grant.stated.index}",
            simplelicensing_licenseExpression=f"LicenseRef-grant-{grant.stated.index}",
            comment=_permits(grant),
        )
    for _, sha256, licence in _declared(bill):
        yield names.element(
            "simplelicensing_LicenseExpression",
            f"licence-{sha256}",
            simplelicensing_licenseExpression=licence.expression,
            comment=f"text sha256 {licence.text_sha256}" if licence.text_sha256 else "no copy of the text",
        )


def _permits(known: KnownGrant) -> str:
    grant, terms = known.grant, known.terms
    until = f" until {format_time(grant.valid_until)}" if grant.valid_until else ""
    basis = f", {terms.legal_basis.value}" if terms else ""
    ended = f"; revoked from {format_time(known.revoked.predicate.effective)}" if known.revoked else ""
    uses = ", ".join(use.value for use in grant.uses)
    return f"{grant.grant_id}{basis}: {uses}; from {format_time(grant.valid_from)}{until}{ended}"


def _declared(bill: Bill) -> Iterator[tuple[str, str, Licence]]:
    """Yield ``model`` or ``dataset``, the digest, and the licence that its registration names."""
    predicates: list[tuple[str, str, Model | Dataset]] = [
        *(("model", item.subjects[0].sha256, item.predicate) for item in bill.materials.models),
        *(("dataset", item.subjects[0].sha256, item.predicate) for item in bill.materials.datasets),
    ]
    for kind, sha256, predicate in predicates:
        if isinstance(predicate, ModelV2 | DatasetV2) and predicate.licence is not None:
            yield kind, sha256, predicate.licence


def _relationships(bill: Bill, names: _Names) -> Iterator[Json]:
    found = bill.materials
    below = [names.thing("model", sha256) for sha256 in sorted(found.used)]
    below += [names.id(f"outside-{item.sha256}") for item in found.outside]
    if below:
        yield names.link(_whole(bill, names), "dependsOn", below)
    for known in found.models:
        yield from _made_from(names, known)
    for kind, sha256, _ in _declared(bill):
        yield names.link(names.thing(kind, sha256), "hasDeclaredLicense", [names.id(f"licence-{sha256}")])
    yield from _granted(bill, names)


def _made_from(names: _Names, known: Known[Model]) -> Iterator[Json]:
    model, source = known.predicate, names.thing("model", known.subjects[0].sha256)
    for training in model.training:
        target = names.thing("dataset", training.sha256)
        yield names.link(source, "trainedOn", [target], f"{training.stage.value} training")
    for parent in model.parents if isinstance(model, ModelV2) else ():
        weight = f", weight {parent.weight}" if parent.weight else ""
        target = names.thing("model", parent.sha256)
        yield names.link(source, "descendantOf", [target], f"{parent.role.value}{weight}")


def _granted(bill: Bill, names: _Names) -> Iterator[Json]:
    found = bill.materials
    things: Iterable[tuple[str, str]] = (
        *((item.subjects[0].sha256, names.thing("model", item.subjects[0].sha256)) for item in found.models),
        *(
            (item.subjects[0].sha256, names.thing("dataset", item.subjects[0].sha256))
            for item in found.datasets
        ),
        *((item.sha256, names.id(f"outside-{item.sha256}")) for item in found.outside),
    )
    for sha256, name in things:
        for grant in bill.grants_about(sha256):
            target = names.id(f"grant-{grant.stated.index}")
            yield names.link(name, "hasConcludedLicense", [target], grant.grant.grant_id)


def _hash(sha256: str) -> list[Json]:
    return [{"type": "Hash", "algorithm": "sha256", "hashValue": sha256}]
