"""A timeline as a tree, and what of it can be seen: stacks, tracks, clips, gaps, transitions, speeds.

* The rules of time are OpenTimelineIO's: the children of a track follow each other, those of a stack lie over
  each other, both from time 0; a source range cuts a piece out of that.
* A transition shows the clip before it beyond its end, and the clip after it before its beginning.
* Every enabled picture counts, also one under another: what is above may be transparent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ledger.core.cut import (
    MAX_FRAMES,
    Aside,
    Cut,
    Images,
    Media,
    Nothing,
    Record,
    Shot,
    end_frame,
    first_frame,
)
from ledger.errors import MalformedError

VIDEO = "Video"
DEFAULT_RATE = Fraction(24)
ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in seconds, and the rate that it was written with."""

    start: Fraction
    duration: Fraction
    rate: Fraction

    @property
    def stop(self) -> Fraction:
        """Return the moment after it."""
        return self.start + self.duration

    def within(self, start: Fraction, stop: Fraction) -> Span | None:
        """Return what of it lies between two moments, or ``None``."""
        first, last = max(self.start, start), min(self.stop, stop)
        return replace(self, start=first, duration=last - first) if first < last else None


@dataclass(frozen=True, slots=True)
class Item:
    """What takes time. ``speed`` is 1 as it was shot, 0 frozen, negative backwards, ``None`` unknown."""

    name: str
    source: Span | None = None
    speed: Fraction | None = ONE
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Gap(Item):
    """Time in which a track shows nothing."""


@dataclass(frozen=True, slots=True)
class Clip(Item):
    """Media on a track. ``available`` is all of the media, in its own time; ``where`` is as in ``Shot``."""

    media: Media = field(default_factory=Nothing)
    available: Span | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Track(Item):
    """Children one after the other. What is not ``Video`` has no picture."""

    children: tuple[Node, ...] = ()
    kind: str = VIDEO


@dataclass(frozen=True, slots=True)
class Stack(Item):
    """Children over each other, the lowest first."""

    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Transition:
    """Lasts from ``before`` its place between two clips until ``after`` it."""

    before: Fraction
    after: Fraction


Node = Gap | Clip | Track | Stack | Transition
OnRecord = Callable[[Fraction], Fraction]
"""From a time inside an item to the time in the film."""


def flatten(name: str, top: Stack, start: Fraction, rate: Fraction | None) -> Cut:
    """Return what can be seen of a timeline whose record begins at ``start`` (seconds).

    Raises ``MalformedError("cut.malformed")`` for more frames than a film has.
    """
    rate = rate or next(_rates(top), DEFAULT_RATE)
    walk = _Walk(rate)
    span = _extent(top)
    walk.item(top, span, lambda moment: start + moment - span.start, "")
    order = sorted(range(len(walk.shots)), key=lambda at: (walk.shots[at].record.start, at))
    cut = Cut(name, rate, first_frame(start, rate), tuple(walk.shots[at] for at in order), tuple(walk.asides))
    if cut.frames > MAX_FRAMES:
        raise MalformedError(
            "cut.malformed", f"The timeline shows {cut.frames:,} frames: more than a film has.", cut=name
        )
    return cut


class _Walk:
    """Collects the shots, from the lowest track up."""

    def __init__(self, rate: Fraction) -> None:
        self.shots: list[Shot] = []
        self.asides: list[Aside] = []
        self._rate = rate

    def item(self, item: Item, window: Span, on_record: OnRecord, track: str) -> None:
        """Take what of an item lies in the window, which is in the time of the item's parent's child.

        ``window`` counts as the item's source range does at speed 1: it begins at ``item.source.start``.
        """
        if isinstance(item, Gap):
            return
        if not item.enabled:
            self._aside(item, "disabled")
        elif isinstance(item, Track) and item.kind != VIDEO:
            self._aside(item, item.kind.lower())
        else:
            inner, on_inner = _slowed(item, window, on_record)
            if isinstance(item, Clip):
                self._shot(item, inner, window, on_record, track)
            elif isinstance(item, Track):
                self._track(item, inner, on_inner)
            elif isinstance(item, Stack):
                for child in item.children:
                    if not isinstance(child, Transition):
                        self._child(child, ZERO, (ZERO, ZERO), inner, on_inner, track)

    def _track(self, track: Track, window: Span | None, on_record: OnRecord) -> None:
        at = ZERO
        for number, child in enumerate(track.children):
            if not isinstance(child, Transition):
                self._child(child, at, _handles(track.children, number), window, on_record, track.name)
                at += _extent(child).duration

    def _child(
        self,
        child: Item,
        at: Fraction,
        handles: tuple[Fraction, Fraction],
        window: Span | None,
        on_record: OnRecord,
        track: str,
    ) -> None:
        """Take what of a child at this time, with its handles, lies in the window; ``None`` takes it all."""
        own = _extent(child)
        seen = replace(own, start=at - handles[0], duration=own.duration + sum(handles))
        shown = seen if window is None or not own.duration else seen.within(window.start, window.stop)
        if shown is not None:
            shift = own.start - at
            moved = replace(shown, start=shown.start + shift)
            self.item(child, moved, lambda moment: on_record(moment - shift), track)

    def _shot(self, clip: Clip, inner: Span | None, window: Span, on_record: OnRecord, track: str) -> None:
        if not window.duration and (clip.source or clip.available):
            return
        ends = sorted((on_record(window.start), on_record(window.stop)))
        start = first_frame(ends[0], self._rate)
        record = Record(start, max(start + 1, end_frame(ends[1], self._rate)))
        rate = (clip.available or clip.source or window).rate
        frames = _frames(clip, inner, rate)
        self.shots.append(Shot(clip.name, track, clip.media, frames, record, rate, clip.where))

    def _aside(self, node: Item | Transition, why: str) -> None:
        if isinstance(node, Clip):
            self.asides.append(Aside(node.name, why, node.media.label))
        elif isinstance(node, Track | Stack):
            for child in node.children:
                self._aside(child, why)


def _slowed(item: Item, window: Span, on_record: OnRecord) -> tuple[Span | None, OnRecord]:
    """Return the window in the time of what is inside the item, and that time's way to the record.

    ``None``, when nobody can say which part is shown.
    """
    start, speed = _extent(item).start, item.speed
    if speed is None or not speed:
        frame = None if speed is None else replace(window, start=start, duration=1 / window.rate)
        return frame, lambda _: on_record(window.start)
    if speed > 0:
        first, last = start + speed * (window.start - start), start + speed * (window.stop - start)
        return _between(window, first, last), lambda moment: on_record(start + (moment - start) / speed)
    stop, back = _extent(item).stop, -speed
    first, last = start + back * (stop - window.stop), start + back * (stop - window.start)
    return _between(window, first, last), lambda moment: on_record(stop - (moment - start) / back)


def _between(like: Span, first: Fraction, last: Fraction) -> Span:
    return replace(like, start=first, duration=last - first)


def _frames(clip: Clip, inner: Span | None, rate: Fraction) -> tuple[int, int] | None:
    """Return the first and the last frame of the media that are seen, or ``None`` when nobody can say."""
    seen = inner if clip.source or clip.available else None
    seen = seen or clip.available
    if seen is None or (isinstance(clip.media, Images) and clip.available is None):
        return None
    zero = clip.available.start if clip.available and not isinstance(clip.media, Nothing) else ZERO
    first = first_frame(seen.start - zero, rate)
    last = max(first, end_frame(seen.stop - zero, rate) - 1)
    if not isinstance(clip.media, Images):
        return first, last
    number, step = clip.media.first, clip.media.step
    return number + first // step * step, number + last // step * step


def _handles(children: Sequence[Node], at: int) -> tuple[Fraction, Fraction]:
    """Return how much of a child is seen before it begins and after it ends."""
    before = children[at - 1] if at else None
    after = children[at + 1] if at + 1 < len(children) else None
    return (
        before.before if isinstance(before, Transition) else ZERO,
        after.after if isinstance(after, Transition) else ZERO,
    )


def _extent(item: Item) -> Span:
    """Return the part of an item's own time that it takes of its parent's."""
    if item.source is not None:
        return item.source
    if isinstance(item, Clip) and item.available is not None:
        return item.available
    lengths = [_extent(child).duration for child in _items(item)]
    length = sum(lengths, ZERO) if isinstance(item, Track) else max(lengths, default=ZERO)
    return Span(ZERO, length, next(_rates(item), DEFAULT_RATE))


def _items(item: Item) -> Iterator[Item]:
    if isinstance(item, Track | Stack):
        yield from (child for child in item.children if not isinstance(child, Transition))


def _rates(item: Item) -> Iterator[Fraction]:
    """Yield the rates that the clips of an item are cut with, the lowest track first."""
    if isinstance(item, Clip) and (span := item.source or item.available):
        yield span.rate
    for child in _items(item):
        yield from _rates(child)
