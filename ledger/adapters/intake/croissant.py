"""Croissant 1.0 and 1.1: a dataset's card, JSON-LD on schema.org.

* The document says in ``conformsTo`` that it is one.
* Terms are read under the prefixes and addresses that the specification gives them. A document whose context
  renames them is not understood: nothing is fetched and no context is evaluated.
* ``usageInfo`` holds the terms of use (1.1, Data Use Conditions): ODRL offers, terms of a vocabulary,
  addresses.
* No digest covers a dataset: each file has its own, and stands in ``composition``. Only a dataset of one file
  has that file's.
* ``prov:wasAttributedTo`` and ``prov:wasGeneratedBy`` name the software that made the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ledger.adapters.intake.licences import licence
from ledger.adapters.intake.odrl import read_usage
from ledger.adapters.intake.values import Facts, Members, Notes, as_list, malformed
from ledger.core.rights.declared import Declared, DeclaredDataset, DeclaredLicence

FORMAT = "croissant"
CONFORMS_TO = "mlcommons.org/croissant/"
VERSIONS = ("1.0", "1.1")

_PREFIX = re.compile(
    r"(?:sc|schema|cr|dct|dcterms):|https?://schema\.org/|http://mlcommons\.org/croissant/(?=[a-z])"
    r"|http://purl\.org/dc/terms/"
)
_PROV = re.compile(r"(?:prov:|http://www\.w3\.org/ns/prov#)")
_VERSION = re.compile(r"https?://" + re.escape(CONFORMS_TO) + r"(?P<version>[0-9]+\.[0-9]+)/?")
_FACETS = ("description", "url", "datePublished", "dateModified", "inLanguage", "keywords", "isLiveDataset")


def is_croissant(document: object) -> bool:
    """Whether a JSON document says that it conforms to Croissant."""
    return bool(isinstance(document, dict) and _versions(document))


def read_croissant(document: object, source_sha256: str) -> Declared:
    """Return what the card says. Raises ``MalformedError("intake.malformed")``."""
    if not isinstance(document, dict) or not (versions := _versions(document)):
        raise malformed("conformsTo", f"does not name {CONFORMS_TO}")
    if not set(versions) & set(VERSIONS):
        raise malformed("conformsTo", f"names none of the versions {', '.join(VERSIONS)}")
    notes = Notes()
    members = Members(_plain(document), "", notes)
    if "Dataset" not in [_local(kind) for kind in as_list(document.get("@type"))]:
        members.note("@type", "is not Dataset")
    name = members.text("name")
    if name is None:
        raise malformed("name", "is missing")
    distribution = as_list(members.values.get("distribution"))
    files = [Members(_plain(item), "distribution", notes) for item in distribution]
    dataset = DeclaredDataset(
        name,
        members.text("version"),
        files[0].sha256("sha256") if len(files) == 1 else None,
        licence=_licence(members),
        usage=read_usage(as_list(members.values.get("usageInfo")), "usageInfo", notes),
        composition=_composition(members, files),
        outputs_of=tuple(dict.fromkeys(_software(members))),
    )
    return Declared(FORMAT, source_sha256, datasets=(dataset,), notes=notes.lines())


def _local(term: object) -> str:
    return _PREFIX.sub("", term, count=1) if isinstance(term, str) else ""


def _plain(value: Any) -> Any:
    """Return an object with its terms as schema.org has them, and ``prov:…`` for PROV's; one level deep."""
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, item in value.items():
        short = _PROV.sub("prov:", name, count=1) if _PROV.match(name) else _local(name)
        found.setdefault(short, _value(item))
    return found


def _value(item: Any) -> Any:
    """Return a JSON-LD value object's value."""
    if isinstance(item, list):
        return [_value(inner) for inner in item]
    return item["@value"] if isinstance(item, dict) and "@value" in item else item


def _versions(document: dict[str, Any]) -> list[str]:
    terms = as_list(_plain(document).get("conformsTo"))
    texts = [term.get("@id") if isinstance(term, dict) else term for term in terms]
    matches = [_VERSION.fullmatch(text) for text in texts if isinstance(text, str)]
    return [match["version"] for match in matches if match]


def _licence(members: Members) -> DeclaredLicence | None:
    written = [_licence_name(item, members.notes) for item in as_list(members.values.get("license"))]
    texts = Members({"license": written}, "", members.notes).texts("license")
    return licence(texts, "license", members.notes) if texts else None


def _licence_name(item: object, notes: Notes) -> object:
    """Return the address or the text: schema.org lets a licence be either, or a work that has them."""
    if not isinstance(item, dict):
        return item
    inner = Members(_plain(item), "license", notes)
    return inner.text("url") or inner.text("@id") or inner.text("name")


def _composition(members: Members, files: list[Members]) -> Facts:
    facets = Facts()
    for facet in _FACETS:
        facets.put(facet, _words(members.values.get(facet)))
    for place in ("creator", "publisher"):
        facets.put(place, ", ".join(_people(members, place)))
    facets.put("prov:wasDerivedFrom", ", ".join(_names(members.values.get("prov:wasDerivedFrom"))))
    for name, value in members.values.items():
        if name.startswith("rai:"):
            facets.put(name, _words(value))
    facets.put("files", len(files))
    for file in files:
        facets.put(f"file {file.values.get('@id') or file.values.get('name')}", file.sha256("sha256"))
    return facets


def _words(value: object) -> str:
    return ", ".join(str(item) for item in as_list(value) if isinstance(item, str | int))


def _people(members: Members, place: str) -> Iterator[str]:
    for item in as_list(members.values.get(place)):
        inner = Members(_plain(item) if isinstance(item, dict) else {"name": item}, place, members.notes)
        if name := inner.text("name"):
            yield name


def _names(value: object) -> Iterator[str]:
    """Yield the name, label or identifier of each thing of a list."""
    for item in as_list(value):
        found = _plain(item)
        if isinstance(found, dict):
            found = found.get("prov:label") or found.get("name") or found.get("@id")
        if isinstance(found, str):
            yield found


def _software(members: Members) -> Iterator[str]:
    agents = as_list(members.values.get("prov:wasAttributedTo"))
    for activity in as_list(members.values.get("prov:wasGeneratedBy")):
        inner = _plain(activity)
        if isinstance(inner, dict):
            agents = agents + as_list(inner.get("prov:wasAssociatedWith"))
    for agent in agents:
        found = _plain(agent)
        if isinstance(found, dict) and "SoftwareAgent" in str(found.get("@type")):
            names = {"agent": list(_names(found))}
            yield from Members(names, "prov:wasAttributedTo", members.notes).texts("agent")
