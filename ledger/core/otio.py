"""OpenTimelineIO's JSON (``.otio``) as a tree: the one file format of timelines that is read here.

* Read by ourselves, since the file comes from anywhere: OpenTimelineIO's own reader ends the process when
  brackets are nested too deep (docs/adr/0001). Its maths is what the tests hold ours against.
* Members that do not say what can be seen are not read; an unknown kind of child is refused, because what is
  passed over would pass for cleared. An unknown effect leaves open which frames are seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NoReturn

from ledger.core.cut import Cut, Film, Images, Media, Nothing
from ledger.core.timeline import ONE, ZERO, Clip, Gap, Node, Span, Stack, Track, Transition, flatten
from ledger.errors import MalformedError

MAX_BYTES = 64 * 1024 * 1024
_DEEPEST = 64
"""Levels of stacks and tracks in each other."""
_LARGEST = 10**12
_EFFECTS = {"Effect": ONE, "FreezeFrame": ZERO}
_FILE = re.compile(r"file:(?://([^/]*))?(.*)", re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(rb"%([2-9a-fA-F][0-9a-fA-F])")
_DRIVE = re.compile(r"/[A-Za-z]:(/|$)")


def read_otio(data: bytes) -> Cut:
    """Return what can be seen of a timeline.

    Raises ``MalformedError``: ``cut.malformed`` when it breaks the format's rules, ``cut.unsupported`` when
    it needs more of them than this reader knows.
    """
    if len(data) > MAX_BYTES:
        _malformed(f"The timeline is larger than {MAX_BYTES:,} bytes.")
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_members, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise MalformedError("cut.malformed", f"The timeline is no JSON: {error}.") from error
    timeline = _Node(value, "timeline")
    if timeline.schema != "Timeline":
        _unsupported(f"This is a {timeline.schema}, not a Timeline.")
    start = timeline.time("global_start_time")
    tracks = _child(timeline.node("tracks"), 0)
    if not isinstance(tracks, Stack):
        _malformed("timeline.tracks is not a Stack.")
    return flatten(timeline.text("name"), tracks, start[0] if start else ZERO, start[1] if start else None)


def local_path(url: str) -> str:
    """Return the path that a media URL or path names, with ``/``. What is no file's URL stays as it is."""
    found = _FILE.fullmatch(url)
    if found is None:
        path = url if "://" in url else url.replace("\\", "/")
        return path if "://" in url else _unescaped(path)
    host, path = found[1] or "", _unescaped(found[2].replace("\\", "/"))
    if host and host.lower() != "localhost":
        return f"{host}{path}" if host.endswith(":") else f"//{host}{path}"
    return path[1:] if _DRIVE.match(path) else path


class _Node:
    """One object of the file. ``where`` names it in errors."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            _malformed(f"{where} is not an object.")
        self._members: dict[str, Any] = value
        self.where = where
        name, _, version = str(value.get("OTIO_SCHEMA", "")).partition(".")
        self.schema = {"Sequence": "Track", "Filler": "Gap"}.get(name, name)
        self.version = version

    def text(self, name: str) -> str:
        value = self._members.get(name)
        if value is not None and not isinstance(value, str):
            _malformed(f"{self.where}.{name} is no text.")
        return value or ""

    def number(self, name: str, default: int | None = None) -> Fraction:
        value = self._members.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST:
            _malformed(f"{self.where}.{name} is no number that a timeline could hold.")
        return Fraction(value)

    def whole(self, name: str, default: int) -> int:
        value = self.number(name, default)
        if value.denominator != 1:
            _malformed(f"{self.where}.{name} is no whole number.")
        return int(value)

    @property
    def enabled(self) -> bool:
        value = self._members.get("enabled", True)
        if not isinstance(value, bool):
            _malformed(f"{self.where}.enabled is neither true nor false.")
        return value

    def node(self, name: str) -> _Node:
        return _Node(self._members.get(name), f"{self.where}.{name}")

    def optional(self, name: str) -> _Node | None:
        return None if self._members.get(name) is None else self.node(name)

    def nodes(self, name: str) -> list[_Node]:
        values = self._members.get(name) or []
        if not isinstance(values, list):
            _malformed(f"{self.where}.{name} is no list.")
        return [_Node(value, f"{self.where}.{name}[{at}]") for at, value in enumerate(values)]

    def time(self, name: str) -> tuple[Fraction, Fraction] | None:
        """Return seconds and the rate."""
        found = self.optional(name)
        if found is None:
            return None
        rate = frame_rate(found.number("rate", 1))
        if rate <= 0:
            _malformed(f"{found.where}.rate is not above 0.")
        return found.number("value", 0) / rate, rate

    def span(self, name: str) -> Span | None:
        found = self.optional(name)
        start, duration = (found.time("start_time"), found.time("duration")) if found else (None, None)
        if found is None:
            return None
        if start is None or duration is None or duration[0] < 0:
            _malformed(f"{found.where} has no start or no duration.")
        return Span(start[0], duration[0], start[1])


def frame_rate(value: Fraction) -> Fraction:
    """Return the exact rate that a decimal stands for: 23.976, 23.98 and 23.976024 are 24000/1001."""
    whole = round(value)
    if abs(value - whole) < Fraction(1, 100_000):
        return Fraction(whole)
    slowed = Fraction(round(value * 1001 / 1000) * 1000, 1001)
    return slowed if abs(value - slowed) < Fraction(1, 200) else value.limit_denominator(1_000_000)


def _child(node: _Node, depth: int) -> Node:
    if depth > _DEEPEST:
        _malformed(f"{node.where} is nested too deep.")
    read = _CHILDREN.get(f"{node.schema}.{node.version}")
    if read is None:
        _unsupported(f"{node.where} is a {node.schema or 'nameless thing'}.{node.version}.")
    return read(node, depth)


def _item(node: _Node) -> dict[str, Any]:
    return {
        "name": node.text("name"),
        "source": node.span("source_range"),
        "speed": _speed(node),
        "enabled": node.enabled,
    }


def _speed(node: _Node) -> Fraction | None:
    """Return how fast all effects together let time run; ``None`` for one that nobody here knows."""
    speed = ONE
    for effect in node.nodes("effects"):
        if effect.schema == "LinearTimeWarp" and effect.enabled:
            speed *= effect.number("time_scalar", 1)
        elif effect.schema in _EFFECTS and effect.enabled:
            speed *= _EFFECTS[effect.schema]
        elif effect.enabled:
            return None
    return speed


def _gap(node: _Node, _: int) -> Gap:
    return Gap(**_item(node))


def _transition(node: _Node, _: int) -> Transition:
    before, after = node.time("in_offset"), node.time("out_offset")
    return Transition(max(ZERO, before[0] if before else ZERO), max(ZERO, after[0] if after else ZERO))


def _track(node: _Node, depth: int) -> Track:
    children = tuple(_child(child, depth + 1) for child in node.nodes("children"))
    return Track(**_item(node), children=children, kind=node.text("kind") or "Video")


def _stack(node: _Node, depth: int) -> Stack:
    return Stack(**_item(node), children=tuple(_child(child, depth + 1) for child in node.nodes("children")))


def _clip(node: _Node, _: int) -> Clip:
    if node.version == "1":
        reference = node.optional("media_reference")
    else:
        references = node.optional("media_references")
        key = node.text("active_media_reference_key") or "DEFAULT_MEDIA"
        reference = references.optional(key) if references else None
    media, available = _media(reference) if reference else (Nothing(), None)
    return Clip(**_item(node), media=media, available=available, where=node.where)


def _media(node: _Node) -> tuple[Media, Span | None]:
    available = node.span("available_range")
    match node.schema:
        case "ExternalReference":
            path = local_path(node.text("target_url"))
            return (Film(path) if path else Nothing()), available
        case "ImageSequenceReference":
            return _images(node, available)
        case "GeneratorReference":
            return Nothing(f"generator {node.text('generator_kind')}".strip()), available
        case "MissingReference":
            return Nothing(), available
        case other:
            return Nothing(f"media of the unknown kind {other}"), available


def _images(node: _Node, available: Span | None) -> tuple[Images, Span | None]:
    rate, step = frame_rate(node.number("rate", 1)), node.whole("frame_step", 1)
    padding = node.whole("frame_zero_padding", 0)
    if rate <= 0 or step < 1 or not 0 <= padding <= 32:
        _malformed(f"{node.where} has a rate, a frame step or a padding that no sequence has.")
    base = node.text("target_url_base")
    escaped = "://" in base and not base.lower().startswith("file:")
    prefix, suffix = (
        node.text(name) if escaped else _unescaped(node.text(name)) for name in ("name_prefix", "name_suffix")
    )
    images = Images(local_path(base), prefix, suffix, node.whole("start_frame", 1), step, padding)
    return images, Span(available.start, available.duration, rate) if available else None


_CHILDREN: dict[str, Callable[[_Node, int], Node]] = {
    "Clip.1": _clip,
    "Clip.2": _clip,
    "Gap.1": _gap,
    "Stack.1": _stack,
    "Track.1": _track,
    "Transition.1": _transition,
}


def _unescaped(text: str) -> str:
    """Undo percent-encoding, but for control characters: ``%04d`` is a pattern, not one."""
    raw = text.encode("utf-8", "surrogatepass")
    decoded = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), raw)
    return text if decoded == raw else decoded.decode("utf-8", "surrogateescape")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member occurs twice")
    return members


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _malformed(message: str) -> NoReturn:
    raise MalformedError("cut.malformed", message)


def _unsupported(message: str) -> NoReturn:
    raise MalformedError("cut.unsupported", message)
