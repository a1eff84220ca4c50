"""Tables about parties, titles, works, datasets and the terms of services."""

from __future__ import annotations

from pathlib import Path

from ledger.core.artifact import Artifact, named
from ledger.core.predicates import DatasetV2, Party, ServiceTerms, Title, Work
from ledger.core.predicates.dataset_v2 import InventoryRoot, Source
from ledger.core.predicates.party import PartyKind
from ledger.core.predicates.service_terms import Indemnity, InputTraining, Ownership
from ledger.core.predicates.work import Share
from ledger.errors import RefusedError
from ledger.service.inventory.check import read_curation
from ledger.service.inventory.index import SUFFIX
from ledger.service.rights.tables import Desk, Draft, Table

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
}


def party(table: Table) -> Draft:
    """Return the statement about a party. A person's name is a secret."""
    name = table.text("id")
    kind = table.choice("kind", PartyKind)
    secrets = table.secrets(name="name") if kind is PartyKind.PERSON else {}
    found = Party(name, kind, table.desk.now, table.optional_text("name"), table.map("identifiers"))
    return Draft((named("party", name),), found, secrets)


def title(table: Table) -> Draft:
    """Return the statement about a title. The grants whose credits it shows must be registered."""
    name = table.text("id")
    found = Title(
        name,
        table.text("name"),
        table.many("productions"),
        table.desk.now,
        tuple(table.known("grant", item) for item in table.many("credits")),
    )
    return Draft((named("title", name),), found)


def work(table: Table) -> Draft:
    """Return the statement about a work: who holds how many points of it. Its name is a secret."""
    name = table.text("id")
    shares = tuple(
        Share(table.known("party", item), points) for item, points in table.counts("shares").items()
    )
    parent = table.known("work", table.text("parent")) if table.has("parent") else None
    secrets = table.secrets(name="name")
    found = Work(name, shares, table.desk.now, parent, table.map("identifiers"))
    return Draft((work_artifact(table, name),), found, secrets)


def work_artifact(table: Table, name: str) -> Artifact:
    """Take ``file`` or ``sha256``: the bytes of a work."""
    return Artifact(
        name, table.desk.sha256(table.file("file")) if table.has("file") else table.sha256("sha256")
    )


def dataset(table: Table) -> Draft:
    """Return the statement about a dataset. Builds the index of its inventory, where a list is given."""
    name, version = table.text("name"), table.label("version", "1")
    source = table.file("inventory") if table.has("inventory") else None
    artifact = dataset_artifact(table, name, source)
    check_name(table.desk, "dataset", name, version, artifact)
    works, holders, root = _counted(table, name, source)
    found = DatasetV2(
        name,
        version,
        works,
        holders,
        recorded=table.desk.now,
        evidence=table.desk.evidence,
        inventory=root,
        curation=read_curation(table.file("curation")) if table.has("curation") else None,
        licence=table.licence(),
        outputs_of=tuple(_source(table.desk, item) for item in table.many("outputs_of")),
        composition=tuple(table.counts("composition").items()),
    )
    return Draft((artifact,), found, seal=source)


def dataset_artifact(table: Table, name: str, source: Path | None) -> Artifact:
    """Return how statements name the dataset: by its list's bytes, or by the ``sha256`` of the table."""
    if source is None:
        return Artifact(name, table.sha256("sha256"))
    return Artifact(name, table.desk.sha256(source), MEDIA_TYPES.get(source.suffix.lower()))


def service_terms(table: Table) -> Draft:
    """Return the statement about a service's terms. The subject is the saved copy of them."""
    path = table.file("document")
    during = table.period()
    found = ServiceTerms(
        vendor=table.text("vendor"),
        product=table.text("product"),
        plan_tier=table.text("plan"),
        effective_from=during.valid_from,
        fetched=table.moment("fetched"),
        recorded=table.desk.now,
        ownership=table.choice("ownership", Ownership),
        input_training=table.choice("input_training", InputTraining),
        output_as_training=table.take("output_as_training", bool),
        effective_until=during.valid_until,
        indemnity=_indemnity(table),
        retention=table.optional_text("retention"),
    )
    return Draft((Artifact(path.name, table.desk.sha256(path)),), found)


def _indemnity(table: Table) -> Indemnity | None:
    if not table.has("indemnity"):
        return None
    inner = table.sub("indemnity")
    found = Indemnity(inner.texts("conditions"), inner.texts("met"))
    inner.end()
    return found


def check_name(desk: Desk, kind: str, name: str, version: str, artifact: Artifact) -> None:
    """Return, if this version of the name is free, or its own. Raises ``RefusedError("registry.exists")``."""
    taken = desk.registry.version(kind, name, version)
    if taken is not None and taken.sha256 != artifact.sha256:
        raise RefusedError(
            "registry.exists",
            f"Version {version} of the {kind} {name!r} is already registered with other bytes.",
            sha256=taken.sha256,
        )


def _counted(table: Table, name: str, source: Path | None) -> tuple[int, int, InventoryRoot | None]:
    """Return the works, the rights holders and the commitment. Without a list the table says the counts."""
    desk = table.desk
    if source is None:
        return table.take("works", int), table.take("rights_holders", int), None
    folder = desk.indices or source.parent
    target = folder / source.with_suffix(SUFFIX).name
    made = desk.readers.index(source, name, target)
    commitment = InventoryRoot(made.commitment.size, made.commitment.root.hex())
    return made.commitment.size, made.rights_holders, commitment


def _source(desk: Desk, name: str) -> Source:
    found = desk.registry.find("model", name)
    return Source(found.name, found.sha256)
