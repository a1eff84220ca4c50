"""The service's settings: frozen dataclasses, one for each section, filled from three places.

* A flag wins over the environment (``RAKKAN_SERVE_<SECTION>_<KEY>``), that over the file ``service.toml`` in
  the studio's folder, that over the default in the dataclass.
* Strict: an unknown section, key or variable, a wrong type, a file that is not there: an error that names the
  place and what would be right.
* A field's type says what may stand there: ``str int float bool``, ``Path``, ``Secret``, ``timedelta``
  (``"30s"``, ``"5m"``, ``"12h"``, ``"7d"``), a ``Literal`` of texts, ``X | None``, ``tuple[X, ...]``,
  ``Mapping[str, X]``, and a dataclass for a table within the table (``tuple[…, ...]`` of it for
  ``[[section.name]]``).
* ``Annotated[X, "words"]`` describes a field for docs/reference/settings.md. A dataclass that raises
  ``ValueError`` in ``__post_init__`` states a rule over several fields.
* A ``Secret`` never stands in the file or the environment: ``name_file`` names a file, its owner's only.
* A ``Path`` in the file is relative to the file's folder, and must exist unless ``NEW_PLACE`` annotates it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, TypeVar

from ledger.adapters.setting_values import CODE, Item, Place, filled, form, from_text, items, shown
from ledger.errors import MalformedError
from ledger.service.files import read_whole

FILE = "service.toml"
PREFIX = "RAKKAN_SERVE_"
MAX_FILE = 1 << 20
T = TypeVar("T")
Given = dict[str, tuple[Place, Any]]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is in effect: its full name, its value without secrets, and where that comes from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Every section by its type, and each setting with its source."""

    sections: Mapping[type, Any]
    settings: tuple[Setting, ...]

    def of(self, kind: type[T]) -> T:
        """Return the section of this type; its defaults where nothing was said of it."""
        found: T = self.sections.get(kind) or kind()
        return found


def in_code(*sections: Any) -> ServiceSettings:
    """Return settings that a program states itself, section by section."""
    return ServiceSettings({type(section): section for section in sections}, ())


def read_service(
    folder: Path,
    kinds: Mapping[str, type],
    environment: Mapping[str, str],
    flags: Mapping[str, tuple[str, Any]] | None = None,
) -> ServiceSettings:
    """Return the settings in effect for the studio in this folder.

    ``kinds`` gives each section's dataclass. ``flags`` maps ``section.key`` to the flag and its value.
    Raises ``MalformedError("settings.malformed")``, ``UsageError`` with ``settings.missing`` for a file that
    is named and not there, or ``settings.secret`` for one that others can read.
    """
    file = folder / FILE
    document = _document(file)
    if stray := sorted(set(document) - set(kinds)):
        where = Place(f"[{stray[0][:80]!r}]", str(file), folder)
        raise where.wrong(f"is not a section of this version; there are: {', '.join(kinds)}")
    known = {variable(name, item) for name, kind in kinds.items() for item in items(kind) if item.in_text}
    if stray := sorted({name for name in environment if name.startswith(PREFIX)} - known):
        raise Place(stray[0], "environment", folder).wrong("is not a setting of this version")
    sections: dict[type, Any] = {}
    settings: list[Setting] = []
    for name, kind in kinds.items():
        place = Place(name, str(file), folder)
        given = _of_file(document.get(name, {}), place)
        given |= _of_environment(name, kind, environment)
        given |= _of_flags(name, flags or {})
        sections[kind] = filled(kind, given, place)
        settings += _in_effect(name, sections[kind], given)
    return ServiceSettings(sections, tuple(settings))


def described(kinds: Mapping[str, type]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield for each setting: its name, its variable, what may stand there, its default, and its words."""
    for name, kind in kinds.items():
        for item in items(kind):
            default = "required" if item.default is MISSING else shown(item.default)
            named = variable(name, item) if item.in_text else ""
            yield f"{name}.{item.key}", named, form(item.kind), default, item.words


def variable(section: str, item: Item) -> str:
    """Return the environment variable of a setting."""
    return f"{PREFIX}{section}_{item.key}".upper().replace("-", "_")


def _document(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        return tomllib.loads(read_whole(file, MAX_FILE).decode())
    except (ValueError, RecursionError) as error:
        raise MalformedError(CODE, f"{file}: {error}.", path=file) from error


def _of_file(table: Any, place: Place) -> Given:
    if not isinstance(table, dict):
        raise place.wrong("must be a table")
    return {key: (place.inner(key), value) for key, value in table.items()}


def _of_environment(section: str, kind: type, environment: Mapping[str, str]) -> Given:
    found: Given = {}
    for item in items(kind):
        name = variable(section, item)
        if item.in_text and name in environment:
            place = Place(f"{section}.{item.key}", name, Path.cwd())
            found[item.key] = place, from_text(item, environment[name], place)
    return found


def _of_flags(section: str, flags: Mapping[str, tuple[str, Any]]) -> Given:
    return {
        name.partition(".")[2]: (Place(name, flag, Path.cwd()), value)
        for name, (flag, value) in flags.items()
        if name.startswith(f"{section}.")
    }


def _in_effect(section: str, values: Any, given: Given) -> Iterator[Setting]:
    for item in items(type(values)):
        source = given[item.key][0].source if item.key in given else "default"
        yield Setting(f"{section}.{item.key}", shown(getattr(values, item.name)), source)
