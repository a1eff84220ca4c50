"""The registry as somebody who states facts needs it: by name, and with what is about to be stated.

* Only what a registrar signed is here.
* A name means the newest thing of that name; ``name@version`` means one version, a SHA-256 means the bytes.
* A file of facts may name what stands further down in it: such a name is *promised* first.
* Two statements say the same when all but ``recorded`` is equal. Secrets are compared by their openings; an
  opening that was erased cannot be compared and counts as equal, so that no import brings it back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from ledger.core import canonical
from ledger.core.artifact import Artifact, named
from ledger.core.disclosure import open_disclosure
from ledger.core.predicates import (
    Approval,
    Consent,
    Dataset,
    Finding,
    Grant,
    GrantRevocation,
    Model,
    Override,
    Party,
    Predicate,
    Review,
    ServiceTerms,
    Title,
    TrainingRun,
    Work,
)
from ledger.core.predicates.finding import FindingState
from ledger.core.rights.facts import FactRecord
from ledger.core.statement import Statement
from ledger.errors import UsageError
from ledger.ports import OpeningStore

_SHA256 = re.compile(r"[0-9a-f]{64}")

UNKNOWN = {
    "dataset": "record.unknown-dataset",
    "model": "record.unknown-model",
    "party": "registry.unknown-party",
    "title": "registry.unknown-title",
    "grant": "registry.unknown-grant",
    "work": "registry.unknown-work",
    "finding": "registry.unknown-finding",
}
"""What the registry knows by name, and the code for a name that it does not know."""


@dataclass(slots=True)
class Stated:
    """A statement, and the index of its entry; ``None`` until it is signed, then it gets one.

    ``secrets`` are those of one that was planned in this process: it has no commitments in ``statement``.
    """

    statement: Statement
    index: int | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)


class Registry:
    """What is stated and what is about to be. Grows by ``add`` and ``promise``."""

    def __init__(self, records: Iterable[FactRecord] = ()) -> None:
        self._named: dict[str, dict[str, Artifact]] = {kind: {} for kind in UNKNOWN}
        self._bytes: dict[str, dict[str, Artifact]] = {kind: {} for kind in UNKNOWN}
        self._versions: dict[tuple[str, str, str], Artifact] = {}
        self._stated: dict[tuple[str, str], list[Stated]] = defaultdict(list)
        self._same: dict[bytes, list[Stated]] = defaultdict(list)
        self._about: dict[str, list[Stated]] = defaultdict(list)
        self._models: dict[str, Model] = {}
        for record in records:
            predicate = record.statement.predicate
            opened = isinstance(predicate, Finding) and predicate.state is FindingState.OPEN
            if record.by_registrar or opened:
                self.add(record.statement, record.index)

    def add(
        self, statement: Statement, index: int | None = None, secrets: Mapping[str, str] | None = None
    ) -> Stated:
        """Take in a statement, which is newer than all before it."""
        stated = Stated(statement, index, secrets or {})
        predicate, subject = statement.predicate, statement.subjects[0]
        self._same[content(statement)].append(stated)
        identity = identity_of(statement)
        if identity is not None:
            self._stated[identity].append(stated)
        if isinstance(predicate, Dataset | Model):
            kind = "model" if isinstance(predicate, Model) else "dataset"
            self.promise(kind, predicate.name, subject, predicate.version)
        elif identity is not None:
            self.promise(*identity, subject)
        if isinstance(predicate, Model):
            self._models[subject.sha256] = predicate
        if isinstance(predicate, Grant):
            for item in statement.subjects:
                self._about[item.sha256].append(stated)
        return stated

    def all_titles(self) -> list[Title]:
        """Return every statement about a title, the older names too."""
        stated = (item for (kind, _), many in self._stated.items() if kind == "title" for item in many)
        return [item.statement.predicate for item in stated if isinstance(item.statement.predicate, Title)]

    def promise(self, kind: str, name: str, artifact: Artifact | None = None, version: str = "") -> None:
        """Take in a name that will be stated, and what it stands for: by default the name itself."""
        if kind in self._named:
            found = artifact or named(kind, name)
            self._named[kind][name] = found
            self._versions[kind, name, version] = found
            self._bytes[kind][found.sha256] = found

    def look(self, kind: str, name: str) -> Artifact | None:
        """Return the newest thing of this name, ``name@version`` or SHA-256, or ``None``."""
        plain, _, version = name.rpartition("@")
        found = self._named[kind].get(name) or self._versions.get((kind, plain, version))
        if found is None and _SHA256.fullmatch(name):
            return self._bytes[kind].get(name)
        return found

    def holds(self, kind: str, sha256: str) -> bool:
        """Whether something of this kind has these bytes."""
        return sha256 in self._bytes[kind]

    def find(self, kind: str, name: str) -> Artifact:
        """Return the newest thing of this name, ``name@version`` or SHA-256.

        Raises ``UsageError`` with the kind's code in ``UNKNOWN``, and names that are like it.
        """
        found = self.look(kind, name)
        if found is None:
            near = _near(name, self._named[kind])
            raise UsageError(UNKNOWN[kind], f"No {kind} named {name!r} is registered.{near}", name=name)
        return found

    def find_any(self, name: str) -> Artifact | None:
        """Return the dataset or else model of this name, ``name@version`` or SHA-256, or ``None``.

        Raises ``UsageError("registry.ambiguous")`` when there is one of each.
        """
        found = [thing for thing in (self.look("dataset", name), self.look("model", name)) if thing]
        if len({thing.sha256 for thing in found}) > 1:
            raise UsageError("registry.ambiguous", f"A dataset and a model are named {name!r}.", name=name)
        return found[0] if found else None

    def near(self, name: str) -> str:
        """Return a sentence with the datasets and models whose names are like this one; empty if none is."""
        return _near(name, [*self._named["dataset"], *self._named["model"]])

    def version(self, kind: str, name: str, version: str) -> Artifact | None:
        """Return the dataset or model of this name and version, or ``None``."""
        return self._versions.get((kind, name, version))

    def stated(self, kind: str, name: str) -> list[Stated]:
        """Return all that was stated under a name, oldest first: all versions of a grant, say."""
        return self._stated.get((kind, name), [])

    def grants(self, sha256: str) -> list[Stated]:
        """Return every grant, in every version, about these bytes."""
        return self._about.get(sha256, [])

    def model(self, sha256: str) -> Model | None:
        """Return what is stated about these weights, or this service."""
        return self._models.get(sha256)

    def same(self, statement: Statement, secrets: Mapping[str, str], openings: OpeningStore) -> Stated | None:
        """Return the statement that says this already, or ``None``.

        Of a thing that has one present state, such as a title's name, the newest statement must be the same;
        of anything else, any.
        """
        found = [
            stated
            for stated in self._same.get(content(statement), ())
            if _same_secrets(stated, secrets, openings)
        ]
        identity = present_state(statement)
        if identity is not None:
            newest = self._stated[identity][-1:]
            found = [stated for stated in found if stated is newest[0]]
        return found[0] if found else None


_VERSIONED = frozenset({"grant", "revocation", "consent", "finding"})
"""What never goes back: an older version that is stated again changes nothing."""


_IDENTIFIERS: tuple[tuple[type, str, str], ...] = (
    (Grant, "grant", "grant_id"),
    (GrantRevocation, "revocation", "grant_id"),
    (Party, "party", "party_id"),
    (Title, "title", "title_id"),
    (Work, "work", "work_id"),
    (Consent, "consent", "consent_id"),
    (Finding, "finding", "finding_id"),
)


def identity_of(statement: Statement) -> tuple[str, str] | None:
    """Return the kind and the name of what the statement is the present state of; ``None`` for an event."""
    predicate = statement.predicate
    if isinstance(predicate, Dataset | Model):
        kind = "model" if isinstance(predicate, Model) else "dataset"
        return kind, f"{statement.subjects[0].sha256} {predicate.name}@{predicate.version}"
    for of, kind, member in _IDENTIFIERS:
        if isinstance(predicate, of):
            return kind, getattr(predicate, member)
    return None


def kind_of(predicate: Predicate) -> str | None:
    """Return the kind of fact that this is, by the name of its table; ``None`` for what is no such fact."""
    return next((name for of, name in TABLES.items() if isinstance(predicate, of)), None)


TABLES: dict[type, str] = {
    Party: "party",
    Title: "title",
    Work: "work",
    Dataset: "dataset",
    Model: "model",
    TrainingRun: "training",
    Grant: "grant",
    GrantRevocation: "revocation",
    ServiceTerms: "service_terms",
    Consent: "consent",
    Approval: "approval",
    Finding: "finding",
    Review: "review",
    Override: "override",
}
"""The predicates that are facts of the registry, by what docs/spec/rights-import.md calls their tables."""


def present_state(statement: Statement) -> tuple[str, str] | None:
    """Return what the statement is the present state of, if it may be stated again; else ``None``."""
    identity = identity_of(statement)
    return identity if identity is not None and identity[0] not in _VERSIONED else None


def content(statement: Statement) -> bytes:
    """Return what the statement says, without when it was recorded and without its commitments."""
    said = statement.predicate.to_json()
    said.pop("recorded", None)
    said.pop("_sd", None)
    subjects: list[canonical.Json] = [*sorted(subject.sha256 for subject in statement.subjects)]
    return canonical.encode([statement.predicate.TYPE, subjects, said])


def _same_secrets(stated: Stated, secrets: Mapping[str, str], openings: OpeningStore) -> bool:
    if stated.secrets or stated.index is None:
        return stated.secrets == secrets
    digests: tuple[str, ...] = getattr(stated.statement.predicate, "commitments", ())
    kept = [text for text in map(openings.get, digests) if text is not None]
    opened = [open_disclosure(text, digests) for text in kept]
    return len(digests) == len(secrets) and all(secrets.get(item.name) == item.value for item in opened)


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 3, 0.5)
    return f" Did you mean {', '.join(map(repr, near))}?" if near else ""
