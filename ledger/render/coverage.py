"""Coverage as tables for a terminal, and as a document for a program (docs/spec/coverage.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.render.words import counted
from ledger.service.coverage.coverage import (
    Axis,
    Class,
    Count,
    Coverage,
    How,
    Key,
    Tally,
    Told,
    share,
)
from ledger.service.walk import Apart, Undecided

ROWS = 10
"""Groups that a table shows before it counts the rest."""
LISTED = 20
"""Files that are listed before the rest is counted."""
TITLES = {
    Axis.SHOT: "Shot",
    Axis.FOLDER: "Folder",
    Axis.DEVICE: "Device",
    Axis.DAY: "Day (UTC)",
    Axis.HOW: "Explained by",
}
_UNKNOWN = {
    Axis.SHOT: "(no shot known)",
    Axis.DEVICE: "(no device known)",
    Axis.DAY: "(no day known)",
    Axis.HOW: "(nothing)",
}
_CLASSES = {
    Class.BYTES: ("explained by their bytes", "green"),
    Class.PIXELS: ("explained by their picture", "green"),
    Class.USED: ("used, origin unknown", "yellow"),
    Class.UNATTRIBUTED: ("unattributed", "red"),
    Class.UNDECIDED: ("could not be read", "yellow"),
}
_APART = {
    Apart.SIDECAR: ("sidecar", "sidecars"),
    Apart.IGNORED: ("of no interest by name", "of no interest by name"),
    Apart.EMPTY: ("empty file", "empty files"),
    Apart.LINK: ("link, not followed", "links, not followed"),
    Apart.SPECIAL: ("socket, pipe or device", "sockets, pipes and devices"),
    Apart.VANISHED: ("gone before it was read", "gone before they were read"),
}
_WHY = {
    Undecided.UNREADABLE: "cannot be read",
    Undecided.CHANGING: "is being written",
    Undecided.UNSEEN: "folder that cannot be listed",
}
_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")


def headline(found: Coverage) -> str:
    """Return the one sentence at the top."""
    total = found.whole.total
    if not total.files:
        return f"{found.root}: there is no file to explain. Is the volume mounted?"
    explained = found.whole.explained
    files = f"{explained.files:,} of {counted(total.files, 'file')} explained"
    of_bytes = f"{percent(share(explained.bytes, total.bytes))} of {size(total.bytes)}"
    return f"{found.root}: {percent(share(explained.files, total.files))} ({files}; {of_bytes})"


def classes(found: Coverage) -> Iterator[tuple[str, str]]:
    """Yield a line and its colour for each class that has files, then what is set apart."""
    for what, (words, colour) in _CLASSES.items():
        count = found.whole.counts[what]
        if count.files:
            yield f"{count.files:>12,}  {words:<28} {size(count.bytes):>9}", colour
    apart = [
        f"{count.files:,} {_APART[what][count.files != 1]}"
        for what, count in found.apart.items()
        if count.files
    ]
    if apart:
        yield f"{'':>12}  set apart: {', '.join(apart)}", "dim"


def size(number: int) -> str:
    """Return a number of bytes as people read it."""
    value = float(number)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{number} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("the last unit takes every number")


def percent(value: float | None) -> str:
    """Return a share; ``–`` for that of nothing."""
    return "–" if value is None else f"{value:.1f} %"


def groups(found: Coverage, axis: Axis) -> list[tuple[Key, Tally]]:
    """Return the groups: the newest day first, devices and evidence by name, others by their open files.

    The files of which the group is not known come last.
    """
    rows = sorted(found.by[axis].items(), key=lambda row: name(axis, row[0]), reverse=axis is Axis.DAY)
    if axis in {Axis.SHOT, Axis.FOLDER}:
        rows.sort(key=lambda row: -row[1].open)
    return sorted(rows, key=lambda row: row[0] is None)


def name(axis: Axis, key: Key) -> str:
    """Return what a group is called."""
    if key is None:
        return _UNKNOWN.get(axis, "–")
    if isinstance(key, How):
        said = [key.kind, key.evidence, key.layer and f"layer {key.layer}"]
        return ", ".join(part for part in said if part)
    return key


def columns(found: Coverage, axis: Axis) -> list[str]:
    """Return the titles of a table's columns."""
    chains = ["Gaps", "Late"] if axis is Axis.DEVICE and found.chains else []
    classes = ["By bytes", "By picture", "Used", "Unattributed", "Unread"]
    return [TITLES[axis], "Files", *classes, "Explained", *chains]


def row(found: Coverage, axis: Axis, key: Key, tally: Tally) -> tuple[list[str], str]:
    """Return one row of a table, and its colour. The first cell may hold a stranger's text."""
    counts = [f"{tally.counts[what].files:,}" if tally.counts[what].files else "" for what in Class]
    shown = percent(share(tally.explained.files, tally.total.files))
    colour = "red" if tally.counts[Class.UNATTRIBUTED].files else "yellow" if tally.open else "green"
    chain = found.chains.get(key) if axis is Axis.DEVICE and isinstance(key, str) else None
    said = [f"{chain.gaps:,}", f"{chain.late:,}"] if chain else []
    return [name(axis, key), f"{tally.total.files:,}", *counts, shown, *said], colour


def line(told: Told) -> str:
    """Return one reported file."""
    if told.what in _WHY:
        said = f"{_WHY[Undecided(told.what)]}: {told.why}"
    elif told.what is not None:
        said = _APART[Apart(told.what)][0]
    else:
        said = size(told.bytes)
        if told.use is not None:
            said += f", read by entry {told.use.entry} as {told.use.role}"
    return f"{told.path}  ({', '.join(part for part in (told.day, told.shot, said) if part)})"


def document(found: Coverage, at_least: float, *, reached: bool) -> dict[str, Any]:
    """Return the answer as a document (docs/spec/coverage.md)."""
    return {
        "coverage": 1,
        "root": found.root,
        "entries": found.size,
        "atLeast": at_least,
        "reached": reached,
        **_tally(found.whole),
        "apart": {what.value: _count(count) for what, count in found.apart.items()},
        "by": {
            axis.value: [
                {**_key(key), **_tally(tally), **_chain(axis, key, found.chains)}
                for key, tally in groups(found, axis)
            ]
            for axis in Axis
        },
        "unattributed": [_told(item) for item in found.unattributed],
        "used": [_told(item) for item in found.used],
        "undecided": [_told(item) for item in found.undecided],
        "reported": [_told(item) for item in found.reported],
    }


def _tally(tally: Tally) -> dict[str, Any]:
    total, explained = tally.total, tally.explained
    return {
        "total": _count(total),
        "explained": _count(explained),
        "percent": {
            "files": share(explained.files, total.files),
            "bytes": share(explained.bytes, total.bytes),
        },
        "classes": {what.value: _count(count) for what, count in tally.counts.items()},
    }


def _count(count: Count) -> dict[str, int]:
    return {"files": count.files, "bytes": count.bytes}


def _key(key: Key) -> dict[str, Any]:
    if isinstance(key, How):
        return key._asdict()
    return {"name": key}


def _chain(axis: Axis, key: Key, chains: Mapping[str, Any]) -> dict[str, Any]:
    if axis is not Axis.DEVICE or not isinstance(key, str):
        return {}
    chain = chains.get(key)
    return {"gaps": chain and chain.gaps, "late": chain and chain.late}


def _told(told: Told) -> dict[str, Any]:
    said: dict[str, Any] = {"path": told.path, "bytes": told.bytes, "day": told.day, "shot": told.shot}
    if told.sha256 is not None:
        said["sha256"] = told.sha256
    if told.use is not None:
        said |= {"entry": told.use.entry, "role": told.use.role}
    if told.what is not None:
        said |= {"what": told.what.value, "why": told.why}
    return said
