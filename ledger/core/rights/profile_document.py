"""Reading a policy profile: from the file that people write (TOML), and from the signed document (JSON).

* Both have the same members (docs/spec/policy-profile.md). What is unknown, misspelt or twice is refused, and
  the message names the member and lists what it may be.
* A file may say ``extends = "streamer"``: it is laid over that shipped profile, table by table and member by
  member; a list replaces a list. One level: what is extended extends nothing.
* A file is held to more than a signed document, which must stay readable: its territories are known, a
  principle can fail, and it fits into an entry.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar

from ledger.core import canonical
from ledger.core.fields import Fields, in_order
from ledger.core.predicates.answer import Grade
from ledger.core.predicates.approval import ApprovalKind
from ledger.core.predicates.delivery import Deliverable
from ledger.core.predicates.grant_v2 import LegalBasis
from ledger.core.predicates.reasons import Code, Severity
from ledger.core.predicates.scope import Media, read_territories
from ledger.core.rights.profile import (
    OTHER,
    STAGES,
    ApprovalRule,
    OverrideRule,
    Principle,
    Profile,
    Trigger,
    to_json,
)
from ledger.core.rights.territories import check
from ledger.errors import MalformedError, UsageError

MAX_FILE = 100_000
"""Characters of a file."""

MAX_DOCUMENT = 32_000
"""Bytes of the canonical document: an entry holds 65,535, and its payload is base64."""

T = TypeVar("T")

_CODE = "profile.malformed"
_NAME = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_OWN = ("name", "summary", "version")
_MEMBERS = (
    *_OWN,
    "delivery",
    "licensees",
    "statutes",
    "accepted",
    "grades",
    "severities",
    "approvals",
    "principles",
    "overrides",
)


def _words(kind: Iterable[Enum]) -> dict[str, Any]:
    return {str(item.value): item for item in kind}


_CODES, _BASES, _MEDIA, _DELIVERABLES = map(_words, (Code, LegalBasis, Media, Deliverable))
_KINDS, _TRIGGERS = map(_words, (ApprovalKind, Trigger))
_SEVERITIES = {item.name.lower(): item for item in Severity}
_GRADES = {item.name: item for item in Grade}
_USES = (*(use.value for use in STAGES), OTHER)


def parse_profile(text: str, shipped: Mapping[str, str] | None = None) -> Profile:
    """Return the profile that a file describes. ``shipped`` has the texts that it may extend, by name.

    Raises ``MalformedError("profile.malformed")``.
    """
    own = _toml(text)
    name = own.pop("extends", None)
    if name is not None:
        texts = shipped or {}
        base = _toml(texts[_word(name, "extends", {key: key for key in texts})])
        own = _laid_over({key: value for key, value in base.items() if key not in _OWN}, own)
    found = _read(own)
    _check_file(found)
    return found


def read_profile(document: Any) -> Profile:
    """Return the profile of a signed document. Raises ``MalformedError("profile.malformed")``.

    The document must be what ``to_json`` makes of it: lists in order, nothing empty.
    """
    found = _read(document)
    if to_json(found) != document:
        raise MalformedError(_CODE, "The profile's lists are not in order, or one is empty.")
    return found


def _toml(text: str) -> dict[str, Any]:
    if len(text) > MAX_FILE:
        raise MalformedError(_CODE, f"A profile has at most {MAX_FILE:,} characters.")
    if text.startswith("\ufeff"):
        raise MalformedError(_CODE, "Line 1 begins with a byte order mark: save the file without one.")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(_CODE, f"Not TOML: {error}.") from error


def _laid_over(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    pairs = ((base.get(name), value) for name, value in own.items())
    both = (old | new if isinstance(old, dict) and isinstance(new, dict) else new for old, new in pairs)
    return base | dict(zip(own, both, strict=True))


def _check_file(found: Profile) -> None:
    try:
        check(found.territories)
    except UsageError as error:
        raise MalformedError(_CODE, f"delivery.territories: {error.message}", **error.evidence) from error
    for principle in found.principles:
        for code in sorted(principle.codes):
            if found.severity(code) is Severity.NOTED:
                problem = f"{code} is only noted here, so it could never break the principle"
                raise MalformedError(_CODE, f"principles: {principle.id}: {problem}.")
    if len(canonical.encode(to_json(found))) > MAX_DOCUMENT:
        raise MalformedError(_CODE, f"A profile's document has at most {MAX_DOCUMENT:,} bytes.")


def _read(document: Any) -> Profile:
    fields = _open(document, "", _MEMBERS)
    delivery = _open(fields.take("delivery", dict), "delivery", ("media", "territories"))
    return Profile(
        name=_name(fields, "name"),
        summary=fields.text("summary"),
        version=fields.text("version"),
        accepted=_read_accepted(fields.take("accepted", dict)),
        severities=_read_map(fields, "severities", _CODES, _SEVERITIES),
        grades=_read_map(fields, "grades", _DELIVERABLES, _GRADES),
        approvals=_read_approvals(fields),
        principles=_read_principles(fields),
        overrides=_read_overrides(fields.take("overrides", dict)),
        media=tuple(sorted(_some(delivery, "delivery", "media", _MEDIA))),
        territories=_read_territories(delivery),
        licensees=tuple(in_order(_texts(fields, "licensees"))),
        statutes=frozenset(_texts(fields, "statutes")),
    )


def _read_accepted(value: Any) -> dict[str, frozenset[LegalBasis]]:
    fields = _open(value, "accepted", _USES)
    return {use: frozenset(_choices(fields.take(use, list), f"accepted.{use}", _BASES)) for use in _USES}


def _read_map(fields: Fields, name: str, keys: Mapping[str, Any], words: Mapping[str, T]) -> dict[Any, T]:
    value = fields.take(name, dict) if fields.has(name) else {}
    _check_names(value, name, keys)
    return {keys[key]: _word(word, f"{name}.{key}", words) for key, word in value.items()}


def _read_approvals(fields: Fields) -> tuple[ApprovalRule, ...]:
    found = tuple(_read_approval(item, path) for item, path in _items(fields, "approvals"))
    return _once(found, "approvals")


def _read_approval(value: Any, path: str) -> ApprovalRule:
    fields = _open(value, path, ("kind", "when", "deliverables", "by"))
    return ApprovalRule(
        _word(fields.take("kind", str), f"{path}.kind", _KINDS),
        _word(fields.take("when", str), f"{path}.when", _TRIGGERS),
        frozenset(_some(fields, path, "deliverables", _DELIVERABLES)),
        fields.optional_text("by"),
    )


def _read_principles(fields: Fields) -> tuple[Principle, ...]:
    found = tuple(_read_principle(item, path) for item, path in _items(fields, "principles"))
    _once(tuple(principle.id for principle in found), "principles")
    return found


def _read_principle(value: Any, path: str) -> Principle:
    fields = _open(value, path, ("id", "text", "codes"))
    return Principle(
        _name(fields, "id"), fields.text("text"), frozenset(_some(fields, path, "codes", _CODES))
    )


def _read_overrides(value: Any) -> OverrideRule:
    fields = _open(value, "overrides", ("approvers", "never"))
    approvers = fields.take("approvers", int)
    if not 1 <= approvers <= 100:
        raise fields.error("approvers", "must be 1 to 100 people")
    return OverrideRule(approvers, frozenset(_choices(_list(fields, "never"), "overrides.never", _CODES)))


def _read_territories(fields: Fields) -> tuple[str, ...]:
    found = _texts(fields, "territories")
    if not found:
        raise fields.error("territories", 'must name at least one, as in ["JP"] or ["001"] for the world')
    return read_territories(Fields({"territories": in_order(found)}, "delivery", _CODE), "territories")


def _open(value: Any, path: str, names: Iterable[str]) -> Fields:
    fields = Fields(value, path, _CODE)
    _check_names(value, path, names)
    return fields


def _check_names(value: Mapping[str, Any], path: str, names: Iterable[str]) -> None:
    known = dict.fromkeys(names)
    for name in value:
        if name not in known:
            where = f"{path}.{_shown(name)}".strip(".")
            raise MalformedError(_CODE, f"{where} is not known here. Known: {', '.join(known)}.", field=where)


def _word(value: Any, where: str, words: Mapping[str, T]) -> T:
    if not isinstance(value, str) or value not in words:
        shown = _shown(value)
        raise MalformedError(_CODE, f"{where} cannot be {shown}. It may be: {', '.join(words)}.", field=where)
    return words[value]


def _shown(value: Any) -> str:
    # A stranger's text: its control characters are escaped, and it is not shown at any length.
    return repr(value[:80])[1:-1] if isinstance(value, str) else f"of type {type(value).__name__}"


def _name(fields: Fields, name: str) -> str:
    found = fields.text(name)
    if len(found) > 64 or not _NAME.fullmatch(found):
        raise fields.error(name, "must be small letters and digits, parted by hyphens or dots")
    return found


def _list(fields: Fields, name: str) -> list[Any]:
    return fields.take(name, list) if fields.has(name) else []


def _items(fields: Fields, name: str) -> Iterator[tuple[Any, str]]:
    return ((item, f"{name}[{number}]") for number, item in enumerate(_list(fields, name)))


def _texts(fields: Fields, name: str) -> tuple[str, ...]:
    return _once(
        tuple(Fields({path: item}, "", _CODE).text(path) for item, path in _items(fields, name)), name
    )


def _choices(values: list[Any], where: str, words: Mapping[str, T]) -> tuple[T, ...]:
    return _once(tuple(_word(value, where, words) for value in values), where)


def _some(fields: Fields, path: str, name: str, words: Mapping[str, T]) -> tuple[T, ...]:
    found = _choices(fields.take(name, list), f"{path}.{name}", words)
    if not found:
        raise fields.error(name, f"must name at least one of: {', '.join(words)}")
    return found


def _once(found: tuple[T, ...], where: str) -> tuple[T, ...]:
    if len(set(found)) != len(found):
        raise MalformedError(_CODE, f"{where} must not hold anything twice.", field=where)
    return found
