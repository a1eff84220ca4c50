"""YAML as strangers write it, reduced to texts, lists and mappings.

* Every scalar is a text, as written: ``version: 1.10`` stays ``1.10``, and ``no`` stays ``no``. Only an empty
  plain scalar, ``~`` and ``null`` are ``None``.
* No tags that would make something else: an object of some program, a date, binary. No member twice.
* An alias counts as a copy, and everything together may be ``MAX_NODES`` nodes: no aliases of aliases that
  grow without bound, and none of what it is inside of.
* One document, at most ``MAX_BYTES`` characters and ``MAX_DEPTH`` levels. The parser is stopped where a limit
  is passed: what it does for open brackets grows with the square of their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from ledger.adapters.intake.json_text import MAX_DEPTH
from ledger.adapters.intake.values import malformed

MAX_BYTES = 1 << 20
MAX_NODES = 100_000

# The parser in C is the same grammar, and twenty times as fast; not every platform's wheel has it.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
# No tag, the one that says no more than none, and what every scalar, list and mapping is anyway.
_PLAIN_TAGS = {None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


def load_yaml(text: str, place: str) -> Any:
    """Return the document's value. Raises ``MalformedError("intake.malformed")``, naming ``place``."""
    if len(text) > MAX_BYTES:
        raise malformed(place, f"is larger than {MAX_BYTES:,} characters")
    try:
        return _Composer(place).document(list(_events(text, place)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f" at line {mark.line + 1}"
        raise malformed(place, f"is not YAML{line}") from error
    except ValueError as error:  # a number in an escape that no character has
        raise malformed(place, "is not YAML that can be read") from error


def _events(text: str, place: str) -> Iterator[Any]:
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise malformed(place, f"nests deeper than {MAX_DEPTH} levels")
        if number > 2 * MAX_NODES + 4:  # a node has one event or two; the stream and its document four more
            raise malformed(place, f"has more than {MAX_NODES:,} nodes")
        yield event


class _Composer:
    """Turns events into values. ``_anchors`` holds each finished anchor's value and its number of nodes."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0

    def document(self, events: list[Any]) -> Any:
        events.reverse()
        found = None
        documents = 0
        while events:
            event = events.pop()
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise malformed(self._place, "holds more than one YAML document")
                found = self._node(events)
        return found

    def _node(self, events: list[Any]) -> Any:
        event = events.pop()
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._nodes
        self._count(1)
        if event.tag not in _PLAIN_TAGS:
            raise malformed(
                self._place, f"has the tag {event.tag[:80]!r} at line {event.start_mark.line + 1}"
            )
        value = self._value(event, events)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._nodes - before)
        return value

    def _value(self, event: Any, events: list[Any]) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style in (None, "")
            return None if plain and event.value in _NULLS else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(events[-1], yaml.SequenceEndEvent):
                items.append(self._node(events))
            events.pop()
            return items
        return self._mapping(events)

    def _mapping(self, events: list[Any]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not isinstance(events[-1], yaml.MappingEndEvent):
            line = events[-1].start_mark.line + 1
            name = self._node(events)
            if not isinstance(name, str):
                raise malformed(self._place, f"has a member whose name is not a text at line {line}")
            if name in members:
                raise malformed(self._place, f"has the member {name[:80]!r} twice, again at line {line}")
            members[name] = self._node(events)
        events.pop()
        return members

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise malformed(self._place, f"has an alias of nothing at line {event.start_mark.line + 1}")
        value, nodes = self._anchors[event.anchor]
        self._count(nodes)
        return value

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise malformed(self._place, f"has more than {MAX_NODES:,} nodes")
