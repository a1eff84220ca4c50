"""What may stand in one setting, by its type: see ``service_settings``."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from ledger.core.secret import Secret
from ledger.errors import MalformedError, UsageError
from ledger.service.files import read_whole

CODE = "settings.malformed"
NEW_PLACE = object()
"""Annotates a path that need not exist yet."""
MAX_SECRET = 1 << 16
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_TABLES = (dict, Mapping)
_PLAIN: Mapping[Any, str] = {
    str: "text",
    int: "number",
    float: "decimal",
    bool: "true or false",
    Path: "path",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, for a complaint; ``folder`` is what its paths are relative to."""

    name: str
    source: str
    folder: Path

    def inner(self, name: str) -> Place:
        """Return the place of a member."""
        return Place(f"{self.name}.{name}", self.source, self.folder)

    def wrong(self, problem: str) -> MalformedError:
        """Return the error for what stands here."""
        words = f"{self.name} ({self.source}) {problem}."
        return MalformedError(CODE, words, setting=self.name, source=self.source)


@dataclass(frozen=True, slots=True)
class Item:
    """One field of a section: its key in the file, its bare type, its words, its default (or ``MISSING``)."""

    name: str
    key: str
    kind: Any
    new_place: bool
    words: str
    default: Any

    @property
    def in_text(self) -> bool:
        """Whether one line of text can hold it, as in an environment variable."""
        kind = _without_none(self.kind)
        kind = get_args(kind)[0] if get_origin(kind) is tuple else kind
        return get_origin(kind) not in _TABLES and (kind is Secret or not dataclasses.is_dataclass(kind))


def items(section: type) -> list[Item]:
    """Return the fields of a section, in order."""
    hints = get_type_hints(section, include_extras=True)
    return [_item(field, hints[field.name]) for field in dataclasses.fields(section)]


def _item(field: dataclasses.Field[Any], hint: Any) -> Item:
    kind, notes = hint, tuple[Any, ...]()
    if get_origin(hint) is Annotated:
        kind, *rest = get_args(hint)
        notes = tuple(rest)
    words = next((note for note in notes if isinstance(note, str)), "")
    default = field.default if field.default_factory is MISSING else field.default_factory()
    key = f"{field.name}_file" if _without_none(kind) is Secret else field.name
    return Item(field.name, key, kind, NEW_PLACE in notes, words, default)


def read_table(section: type, table: Any, place: Place) -> Any:
    """Return a dataclass filled from a table. Raises as ``service_settings.read_service``."""
    if not isinstance(table, dict):
        raise place.wrong("must be a table")
    return filled(section, {key: (place.inner(key), value) for key, value in table.items()}, place)


def filled(section: type, given: Mapping[str, tuple[Place, Any]], place: Place) -> Any:
    """Return a dataclass filled from values that each stand somewhere."""
    found = items(section)
    if stray := sorted(set(given) - {item.key for item in found}):
        where = given[stray[0]][0]
        known = ", ".join(item.key for item in found)
        raise Place(repr(where.name[:160])[1:-1], where.source, where.folder).wrong(
            f"is not a setting of this version; there are: {known}"
        )
    values = {}
    for item in found:
        if item.key in given:
            where, value = given[item.key]
            values[item.name] = _value(item.kind, value, where, new_place=item.new_place)
        elif item.default is MISSING:
            raise place.inner(item.key).wrong("is missing, and has no default")
    try:
        return section(**values)
    except ValueError as error:  # a section's own rule over several fields
        raise place.wrong(str(error)) from error


def from_text(item: Item, text: str, place: Place) -> Any:
    """Return what the file would hold for this text of an environment variable: lists with commas."""
    kind = _without_none(item.kind)
    if get_origin(kind) is tuple:
        inner = get_args(kind)[0]
        return [_from_text(inner, part.strip(), place) for part in text.split(",") if part.strip()]
    return _from_text(kind, text, place)


def _from_text(kind: Any, text: str, place: Place) -> Any:
    if kind is bool:
        if text not in {"true", "false"}:
            raise place.wrong("must be true or false")
        return text == "true"
    if kind in {int, float}:
        try:
            return kind(text)
        except ValueError as error:
            raise place.wrong(f"must be a {_PLAIN[kind]}") from error
    return text


def _value(kind: Any, value: Any, place: Place, *, new_place: bool = False) -> Any:
    kind = _without_none(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise place.wrong("must be a list")
        return tuple(
            _value(arguments[0], one, place.inner(str(n)), new_place=new_place) for n, one in enumerate(value)
        )
    if origin in _TABLES:
        if not isinstance(value, dict):
            raise place.wrong("must be a table")
        return {name: _value(arguments[1], one, place.inner(name)) for name, one in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind is not Secret:
        return read_table(kind, value, place)
    return _single(kind, value, place, new_place=new_place)


def _single(kind: Any, value: Any, place: Place, *, new_place: bool) -> Any:
    if kind is Secret:
        return _secret(_path(value, place, new_place=False), place)
    if kind is Path:
        return _path(value, place, new_place=new_place)
    if kind is timedelta:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise place.wrong('must be a duration such as "30s", "5m", "12h" or "7d"')
        return timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise place.wrong(f"must be one of {', '.join(get_args(kind))}")
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise place.wrong(f"must be a {_PLAIN[kind]}")
    return value


def _path(value: Any, place: Place, *, new_place: bool) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise place.wrong("must be a path")
    path = place.folder / value
    if not new_place and not path.exists():
        words = f"{place.name} ({place.source}) names {path}, which is not there."
        raise UsageError("settings.missing", words, setting=place.name, path=path)
    return path


def _secret(path: Path, place: Place) -> Secret:
    if path.stat().st_mode & 0o077:
        words = f"{place.name} ({place.source}) names {path}, which others on this machine can read."
        raise UsageError("settings.secret", words, setting=place.name, path=path)
    try:
        text = read_whole(path, MAX_SECRET).decode().strip()
    except UnicodeDecodeError as error:
        raise place.wrong("must name a file of text") from error
    if not text:
        raise place.wrong("names a file that is empty")
    return Secret(text)


def form(kind: Any) -> str:
    """Return in words what may stand in a setting of this type."""
    kind = _without_none(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple:
        return f"list of {form(arguments[0])}"
    if origin in _TABLES:
        return f"table of {form(arguments[1])}"
    if origin is Literal:
        return " or ".join(arguments)
    if kind is Secret:
        return "path of a file that holds it"
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return f"table ({', '.join(item.key for item in items(kind))})"
    return "duration" if kind is timedelta else _PLAIN[kind]


def shown(value: Any) -> str:
    """Return a value as the file would have it, without secrets."""
    if value is None or isinstance(value, bool):
        return {None: "(none)", True: "true", False: "false"}[value]
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, tuple):
        return f"[{', '.join(shown(one) for one in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name} = {shown(one)}' for name, one in value.items())}}}"
    if dataclasses.is_dataclass(value) and not isinstance(value, Secret):
        members = ((item.key, getattr(value, item.name)) for item in items(type(value)))
        return f"{{{', '.join(f'{name} = {shown(one)}' for name, one in members)}}}"
    return str(value)


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    size, unit = next(
        (size, unit) for unit, size in reversed(_UNITS.items()) if seconds % size == 0 or size < 1
    )
    return f"{round(seconds / size)}{unit}"


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in {Union, types.UnionType}:
        return next(one for one in get_args(kind) if one is not type(None))
    return kind
