"""One table of a file of facts, read strictly: each key once, and none that nobody knows.

* A table is what `rakkan rights import` reads from TOML or from a row of CSV, and what the commands make of
  their options: there is one way to say a fact. docs/spec/rights-import.md lists the keys.
* A list may be written as one text. A path is relative to the file that names it.
* What enters the log only as a salted digest is kept apart, in ``Draft.secrets``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from ledger.core.artifact import Artifact, named
from ledger.core.digest import parse_sha256
from ledger.core.fields import Fields
from ledger.core.predicates import Predicate
from ledger.core.predicates.licence import Licence
from ledger.core.predicates.scope import Media, Scope
from ledger.core.predicates.step import Evidence
from ledger.core.rights import territories
from ledger.errors import RefusedError, UsageError
from ledger.ports import Clock
from ledger.service.files import FileIdentity, check_unchanged, identify
from ledger.service.inventory.index import Header
from ledger.service.rights.days import Period, Point, moment_of, period, read_point
from ledger.service.rights.registry import Registry

T = TypeVar("T")

CODE = "rights.file"
"""The code of every complaint about the form of a table."""


@dataclass(frozen=True, slots=True)
class Readers:
    """What the edge lends: how to index a list of works, and how to write a licence expression properly.

    ``index`` takes a list, the dataset's name and where to put the index; it raises ``inventory.…``,
    ``registry.inventory``, ``file.…`` and ``target.…``. ``licence`` returns ``None`` for what is none.
    """

    index: Callable[[Path, str, Path], Header]
    licence: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where facts are written down: the registry so far, the time, and where paths begin.

    ``evidence`` is the class of what is written down here. ``indices`` is the folder for the indices of
    inventories; ``None``: beside each list. ``unsealed`` gives the digest that a sealed file had before.
    ``lent`` are the names of the only files in ``folder`` that may be read; ``None``: any path may be named.
    ``read`` holds the files that were read: weights are large.
    """

    registry: Registry
    clock: Clock
    readers: Readers
    folder: Path = Path()
    zone: str = "UTC"
    evidence: Evidence = Evidence.DECLARED
    indices: Path | None = None
    unsealed: Callable[[str], str | None] | None = None
    lent: frozenset[str] | None = None

    read: dict[Path, FileIdentity] = field(default_factory=dict)

    def sha256(self, path: Path) -> str:
        """Return the SHA-256 of a file, which is read again only when it has changed. Raises ``file.…``."""
        known = self.read.get(path)
        try:
            if known is not None:
                check_unchanged(path, known)
                return known.sha256
        except RefusedError:
            pass  # another file lies there now
        self.read[path] = identify(path)
        return self.read[path].sha256

    def path(self, name: str) -> Path:
        """Return the path that a name means here. Raises ``UsageError("rights.not-lent")``."""
        if self.lent is not None and name not in self.lent:
            raise UsageError("rights.not-lent", f"{name[:200]!r} is none of the files that were sent along.")
        return self.folder / name

    def file(self, name: str) -> Path | None:
        """Return the path of a file of this name, or ``None`` when no file can have it, or has it here."""
        if self.lent is not None and name not in self.lent:
            return None
        path = self.folder / name
        try:
            return path if path.is_file() else None
        except OSError:  # too long a name, or a folder that is closed to us
            return None

    @property
    def now(self) -> datetime:
        """The present moment in whole seconds, as an entry holds it."""
        return self.clock.now().replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement that is not signed yet. ``secrets`` become its commitments.

    ``notes`` are what whoever signs should know; ``seal`` is the file that gets a manifest afterwards.
    """

    subjects: tuple[Artifact, ...]
    predicate: Predicate
    secrets: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seal: Path | None = None


class Table(Fields):
    """The keys of one table, each to be taken once. ``desk`` knows what the names in it mean."""

    def __init__(self, value: object, path: str, desk: Desk) -> None:
        super().__init__(value, path, CODE)
        self.desk = desk

    def many(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; one text alone is a list of one."""
        if not self.has(name):
            return ()
        value = self.take(name, object)
        return Fields({name: [value] if isinstance(value, str) else value}, self._path, CODE).texts(name)

    def flag(self, name: str) -> bool:
        """Return a truth value, false when it is absent."""
        return self.take(name, bool) if self.has(name) else False

    def pick(self, name: str, value: str, kind: Callable[[str], T]) -> T:
        """Return a member of an enumeration that a list under this name holds."""
        return Fields({name: value}, self._path, CODE).choice(name, kind)

    def choice_or(self, name: str, kind: Callable[[str], T], default: T) -> T:
        """Return a member of an enumeration, or the default when it is absent."""
        return self.choice(name, kind) if self.has(name) else default

    def count_or(self, name: str, default: int) -> int:
        """Return a whole number, or the default when it is absent."""
        return self.take(name, int) if self.has(name) else default

    def label(self, name: str, default: str) -> str:
        """Return a text, or a whole number as a text: a version. The default when it is absent."""
        value = self.take(name, object) if self.has(name) else default
        return Fields({name: str(value) if type(value) is int else value}, self._path, CODE).text(name)

    def mixed(self, name: str) -> list[Table | str]:
        """Return a list of tables, or of texts that stand for one; empty when it is absent."""
        return [
            item if isinstance(item, str) else Table(item, f"{self._path}.{name}[{n}]", self.desk)
            for n, item in enumerate(self.items(name), 1)
        ]

    def inner(self, name: str, value: object) -> Table:
        """Return what a text in the list ``name`` stands for, as the table that it could have been."""
        return Table(value, f"{self._path}.{name}", self.desk)

    def counts(self, name: str) -> dict[str, int]:
        """Return whole numbers by name, sorted by it, empty when absent."""
        value = self.take(name, dict) if self.has(name) else {}
        members = Fields(value, f"{self._path}.{name}", CODE)
        return {key: members.take(key, int) for key in sorted(value)}

    def labels(self, name: str) -> dict[str, str]:
        """Return texts, or whole numbers as texts, by name; empty when absent."""
        value = self.take(name, dict) if self.has(name) else {}
        members = Table(value, f"{self._path}.{name}", self.desk)
        return {key: members.label(key, "") for key in value}

    def secrets(self, **names: str) -> dict[str, str]:
        """Return the texts of these keys that are there, by the names that they are committed to under."""
        return {name: self.text(key) for name, key in names.items() if self.has(key)}

    def file(self, name: str) -> Path:
        """Return a path. Raises ``UsageError("rights.not-lent")``."""
        return self.desk.path(self.text(name))

    def document(self, name: str) -> dict[str, str]:
        """Return the secret that a file's digest is, where a file is named. Raises ``file.…``."""
        return {name: f"sha256:{self.desk.sha256(self.file(name))}"} if self.has(name) else {}

    # --- time and place ------------------------------------------------------------------------------------

    def zone(self) -> str:
        """Return the time zone: the table's, else the file's."""
        return self.text("zone") if self.has("zone") else self.desk.zone

    def point(self, name: str) -> Point:
        """Return a day or a moment, as TOML has them or as text."""
        value = self.take(name, object)
        if isinstance(value, str):
            return read_point(value)
        if not isinstance(value, date):
            raise self.error(name, "must be a day such as 2026-11-22")
        return value

    def moment(self, name: str) -> datetime:
        """Return the moment, UTC, in whole seconds: of a day its first one."""
        return moment_of(self.point(name), self.zone()).replace(microsecond=0)

    def period(self) -> Period:
        """Take ``from``, and ``until`` (the first day after) or ``until_including`` (the last day)."""
        including = self.has("until_including")
        if including and self.has("until"):
            raise self.error("until", "and until_including say the same: give one of them")
        first = self.point("from")
        name = "until_including" if including else "until"
        end = self.point(name) if self.has(name) else None
        return period(first, end, self.zone(), including=including)

    def scope(self) -> Scope:
        """Take titles, media, territories and those excepted. Raises ``UsageError("rights.territory")``."""
        media = tuple(self.pick("media", item, Media) for item in self.many("media"))
        found = Scope(self.titles(), media, self.many("territories"), self.many("except_territories"))
        territories.check(found.territories, found.except_territories)
        return found

    # --- names of other things -----------------------------------------------------------------------------

    def titles(self) -> tuple[str, ...]:
        """Take ``titles``, each of which must be registered."""
        return tuple(self.known("title", item) for item in self.many("titles"))

    def party(self, name: str) -> str | None:
        """Return the identifier of a registered party, or ``None`` when the key is absent."""
        return self.known("party", self.text(name)) if self.has(name) else None

    def known(self, kind: str, name: str) -> str:
        """Return the name, if something of the kind has it. Raises the kind's ``unknown`` code."""
        self.desk.registry.find(kind, name)
        return name

    def about(self, name: str = "about") -> tuple[Artifact, ...]:
        """Return the things that a list names, each once; see ``thing``.

        A sealed file is named by both of its digests: records speak of the bytes from before the seal.
        """
        found: dict[str, Artifact] = {}
        for item in (thing(self.desk, text) for text in self.many(name)):
            found[item.sha256] = item
            before = self.desk.unsealed(item.sha256) if self.desk.unsealed else None
            if before is not None:
                found[before] = Artifact(item.name, before)
        if not found:
            raise self.error(name, "must name at least one thing")
        return _distinct(tuple(found.values()))

    def licence(self) -> Licence | None:
        """Take ``licence`` and ``licence_text``, the path of the exact text."""
        if not self.has("licence"):
            return None
        expression = self.desk.readers.licence(self.text("licence"))
        if expression is None:
            raise self.error("licence", "is not a licence expression (SPDX, or LicenseRef-…)")
        text = self.desk.sha256(self.file("licence_text")) if self.has("licence_text") else None
        return Licence(expression, text)


def thing(desk: Desk, text: str) -> Artifact:
    """Return what a text names: a dataset or model by its name, or ``kind:name``, or a file by its path.

    Kinds are dataset, model, service, title, work, file and sha256. Raises ``registry.unknown-…``,
    ``record.unknown-…``, ``registry.ambiguous`` and ``file.…``.
    """
    kind, colon, name = text.partition(":")
    if colon and kind in ("dataset", "model", "work", "title"):
        return desk.registry.find(kind, name)
    if colon and kind == "service":
        return named("service", name)
    if colon and kind == "sha256":
        return Artifact(name, parse_sha256(name))
    found = None if colon and kind == "file" else desk.registry.find_any(text)
    if found is not None:
        return found
    path = desk.path(name) if colon and kind == "file" else desk.file(text)
    if path is not None:
        return Artifact(path.name, desk.sha256(path))
    raise UsageError(
        "record.unknown-dataset",
        f"No dataset or model named {text!r} is registered.{desk.registry.near(text)}",
        name=text,
    )


def _distinct(things: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
    """Return the things with names that differ, as subjects must: of two the same, each gets its digest."""
    names = [item.name for item in things]
    return tuple(
        Artifact(item.name if names.count(item.name) == 1 else f"{item.name} {item.sha256[:12]}", item.sha256)
        for item in things
    )
