"""What a hook left in the spool: one JSON document, read strictly (``docs/spec/capture.md``).

* Hooks live in many tools and languages, and one may be newer than the agent: another ``rakkan`` number is
  ``capture.newer``, anything else that is not of this form ``capture.malformed``. Neither loses the record.
* A path is any sequence of bytes that the system took: what is not UTF-8 in it stands as lone surrogates
  (PEP 383), as Python has them.
* Nothing here is signed yet, and nothing is believed: it is what a program on this device said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.core.artifact import Role
from ledger.core.fields import MAX_TEXT, Fields
from ledger.core.predicates.capture import Event, Layer
from ledger.core.predicates.model_v2 import Service, read_service
from ledger.core.predicates.step import StepAction
from ledger.errors import MalformedError, UndecidedError

FORMAT = 1
PLACE = ("production", "episode", "sequence", "shot", "task", "version")
CODE = "capture.malformed"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
_ABSOLUTE = re.compile(r"/|[A-Za-z]:[\\/]|\\\\")
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

Stamp = tuple[int, int, int, int, int]
"""Device, inode, size, time of change of the content and of the file (ns): what tells two states apart."""


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A file that a step read (``role``) or wrote. ``sha256`` (hex) is the hook's own, of that moment."""

    path: str
    role: Role | None = None
    name: str | None = None
    stamp: Stamp | None = None
    sha256: str | None = None

    @property
    def shown(self) -> str:
        """The file's own name as a statement can hold it."""
        return printable_name(re.split(r"[/\\]", self.path)[-1] or self.path)


@dataclass(frozen=True, slots=True)
class SpooledTool:
    """The program that ran; ``path`` is of its executable, to be hashed where nobody has."""

    name: str
    version: str
    path: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """One record. ``monotonic`` counts seconds since the machine started, which ``boot`` names.

    ``call`` is the raw account of a call to a remote service, for ``spooled_call``; ``failed`` says how the
    tool ended, if badly.
    """

    record_id: str
    captured: datetime
    started: datetime
    finished: datetime
    hook: str
    layer: Layer
    event: Event
    action: StepAction
    tool: SpooledTool
    outputs: tuple[SpooledFile, ...]
    inputs: tuple[SpooledFile, ...] = ()
    place: Mapping[str, Any]
    user: str | None = None
    boot: str | None = None
    monotonic: float | None = None
    service: Service | None = None
    plan_tier: str | None = None
    people: tuple[str, ...] = ()
    parameters: Mapping[str, str]
    secrets: Mapping[str, str]
    failed: str | None = None
    call: Mapping[str, Any] | None = None


def read_spooled(data: bytes) -> Spooled:
    """Return the record.

    Raises ``UndecidedError("capture.newer")`` and ``MalformedError("capture.malformed")``.
    """
    try:
        value = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise MalformedError(CODE, f"The record is not JSON: {error}.") from error
    fields = Fields(_without_nulls(value), code=CODE)
    version = fields.take("rakkan", int)
    if version != FORMAT:
        raise UndecidedError("capture.newer", f"The record is of format {version}, not {FORMAT}.")
    try:
        found = _read(fields)
    except MalformedError as error:
        raise MalformedError(CODE, error.message) from error
    fields.end()
    return found


def read_input(data: bytes) -> SpooledFile:
    """Return an input that stands by itself, as a line of a list. Raises ``capture.malformed``."""
    try:
        value = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise MalformedError(CODE, f"A line of the list is not JSON: {error}.") from error
    return _file(Fields(_without_nulls(value), "inputs", CODE), material=True)


def printable_name(text: str) -> str:
    """Return a file's name as a statement can hold it: ``?`` stands for what cannot be printed."""
    return _HIDDEN.sub("?", text)[:MAX_TEXT] or "?"


def _read(fields: Fields) -> Spooled:
    if fields.has("pid"):  # for whoever reads the file
        fields.take("pid", int)
    hook = fields.sub("hook")
    captured = read_time(fields, "captured")
    finished = read_time(fields, "finished") if fields.has("finished") else captured
    started = read_time(fields, "started") if fields.has("started") else finished
    found = Spooled(
        record_id=fields.text("id"),
        captured=captured,
        started=min(started, finished),
        finished=finished,
        hook=f"{hook.text('name')} {hook.text('version')}",
        layer=fields.choice("layer", Layer),
        event=fields.choice("event", Event) if fields.has("event") else Event.SAVE,
        action=fields.choice("action", StepAction),
        tool=_read_tool(fields.sub("tool")),
        outputs=_files(fields, "outputs", material=False),
        inputs=_files(fields, "inputs", material=True),
        place=_place(fields.sub("place")) if fields.has("place") else {},
        user=fields.optional_text("user"),
        boot=fields.optional_text("boot"),
        monotonic=_number(fields, "monotonic"),
        service=read_service(fields),
        plan_tier=fields.optional_text("plan"),
        people=fields.texts("people"),
        parameters=_texts(fields, "parameters"),
        secrets=_texts(fields, "secrets"),
        failed=fields.optional_text("failed"),
        call=fields.take("call", dict) if fields.has("call") else None,
    )
    hook.end()
    return found


def _read_tool(fields: Fields) -> SpooledTool:
    sha256 = fields.sha256("sha256") if fields.has("sha256") else None
    found = SpooledTool(fields.text("name"), fields.text("version"), _path(fields), sha256)
    fields.end()
    return found


def _files(fields: Fields, name: str, *, material: bool) -> tuple[SpooledFile, ...]:
    items: list[Any] = fields.take(name, list) if fields.has(name) else []
    return tuple(_file(Fields(item, f"{name}[{n}]", CODE), material=material) for n, item in enumerate(items))


def _file(fields: Fields, *, material: bool) -> SpooledFile:
    role = fields.choice("role", Role) if material else None
    name = fields.optional_text("name")
    sha256 = fields.sha256("sha256") if fields.has("sha256") else None
    found = SpooledFile(_path(fields) or "", role, name, _stamp(fields), sha256)
    if not found.path and not (sha256 and name):
        raise fields.error("path", "is missing; without one, sha256 and name must be there")
    fields.end()
    return found


def _path(fields: Fields) -> str | None:
    if not fields.has("path"):
        return None
    path = fields.take("path", str)
    if not _ABSOLUTE.match(path) or "\x00" in path:
        raise fields.error("path", "must be absolute, without a zero byte")
    return path


def _stamp(fields: Fields) -> Stamp | None:
    if not fields.has("stamp"):
        return None
    match fields.take("stamp", list):
        case [int(device), int(inode), int(size), int(written), int(changed)]:
            return device, inode, size, written, changed
    raise fields.error("stamp", "must be five integers")


def _place(fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {name: fields.text(name) for name in PLACE if fields.has(name)}
    if fields.has("frames"):
        match fields.take("frames", list):
            case [int(first), int(last)] if first <= last:
                found["frames"] = (first, last)
            case _:
                raise fields.error("frames", "must be the first and the last frame")
    fields.end()
    return found


def _texts(fields: Fields, name: str) -> dict[str, str]:
    """Return an object of texts by texts, of any length."""
    found: dict[str, Any] = fields.take(name, dict) if fields.has(name) else {}
    if not all(isinstance(value, str) for value in found.values()):
        raise fields.error(name, "must be an object of texts")
    return found


def read_time(fields: Fields, name: str) -> datetime:
    """Take a moment as records have it: RFC 3339, UTC, up to microseconds."""
    text = fields.take(name, str)
    if _TIME.fullmatch(text):
        with suppress(ValueError):
            return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    raise fields.error(name, "must be a time such as 2026-11-22T03:00:00.5Z")


def _number(fields: Fields, name: str) -> float | None:
    if not fields.has(name):
        return None
    found: object = fields.take(name, object)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise fields.error(name, "must be a number")
    return float(found)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _without_nulls(value: Any) -> Any:
    """Return the value without members that are null: hooks write them where they know nothing."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
