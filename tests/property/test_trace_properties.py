"""Random work on files, done for real under each tracer, against a model of what was read and written."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.hooks.trace.files import UNKNOWN
from tests.support.traced import desk, require

WORKER = Path(__file__).with_name("traced_worker.py")
NAMES = [
    "a.png",
    "b c.exr",
    'q") = 3<x>.png',
    "line\nbreak\\.png",
    os.fsdecode(b"\xff\xe9.dpx"),
    "d/x.png",
    "d/y.png",
]
THERE = ["a.png", "b c.exr", os.fsdecode(b"\xff\xe9.dpx"), "d/x.png"]
OPENS = ["rb", "wb", "ab", "r+b", "w+b", "unlink"]

name = st.sampled_from(NAMES)
simple = st.one_of(
    st.tuples(st.sampled_from(OPENS), name),
    st.tuples(st.sampled_from(["rename", "copy"]), name, name),
)
operation = st.one_of(
    simple,
    simple.map(lambda one: ("thread", *one)),
    simple.map(lambda one: ("fork", *one)),
    st.tuples(st.sampled_from(OPENS), name).map(
        lambda one: ("within", "d", one[0], one[1][2:] if one[1].startswith("d/") else "../" + one[1])
    ),
    st.sampled_from([("rename", "d", "e"), ("rename", "e", "d")]),
)


class Model:
    """What is where: each name has the number of a file that was there before, or ``None`` for our own."""

    def __init__(self) -> None:
        self.files: dict[str, int | None] = {name: number for number, name in enumerate(THERE)}
        self.read: set[int] = set()
        self.folders = {"d"}

    def do(self, kind: str, *names: str) -> None:
        if kind in {"thread", "fork"}:
            self.do(*names)
        elif kind == "within":
            if names[0] in self.folders:
                self.do(names[1], os.path.normpath(f"{names[0]}/{names[2]}"))
        elif kind == "rename":
            self._rename(*names)
        elif kind == "copy":
            if names[0] != names[1] and names[0] in self.files:
                self._use(names[0])  # also where the copy cannot be made
                if self._possible(names[1]):
                    self.files[names[1]] = None
        elif kind == "unlink":
            self.files.pop(names[0], None)
        else:
            self._open(kind, names[0])

    def _open(self, kind: str, name: str) -> None:
        if kind in {"rb", "r+b"}:
            if name not in self.files:
                return
            self._use(name)
        if kind != "rb" and self._possible(name):
            self.files[name] = None

    def _use(self, name: str) -> None:
        number = self.files[name]
        if number is not None:
            self.read.add(number)

    def _possible(self, name: str) -> bool:
        return "/" not in name or name.partition("/")[0] in self.folders

    def _rename(self, old: str, new: str) -> None:
        if old in self.folders and new not in self.folders:
            self.folders = {new}
            for known in [one for one in self.files if one.startswith(old + "/")]:
                self.files[new + known[len(old) :]] = self.files.pop(known)
        elif old in self.files and old != new and self._possible(new):
            self.files[new] = self.files.pop(old)


@pytest.mark.parametrize("tracer", ["strace", "preload"])
@settings(max_examples=20)
@given(operations=st.lists(operation, min_size=1, max_size=25))
def test_what_was_read_and_written_is_what_the_record_says(
    tracer: str, operations: list[tuple[str, ...]]
) -> None:
    require(tracer)
    with tempfile.TemporaryDirectory() as place:
        work = desk(Path(place))
        (work.folder / "d").mkdir()
        inodes = {}
        for number, known in enumerate(THERE):
            path = work.folder / known
            path.write_text(f"there before {number}")
            inodes[path.stat().st_ino] = number
        told = Path(place) / "told.json"
        told.write_text(json.dumps(operations))
        model = Model()
        for one in operations:
            model.do(*one)
        ran = work.run(sys.executable, "-S", str(WORKER), str(told), options=("--tracer", tracer))
        assert (ran.returncode, ran.stderr) == (0, b"")
        written = sorted(known for known, number in model.files.items() if number is None)
        if not written:
            assert work.records() == []
            return
        record = work.record()
        assert work.names(record.outputs) == written
        root = os.path.realpath(work.folder)
        inputs = [file for file in record.inputs if file.path.startswith(root + "/")]
        seen = [file.stamp[1] for file in inputs if file.stamp and list(file.stamp) != UNKNOWN]
        assert {inodes[inode] for inode in seen} <= model.read
        assert len(inputs) == len(model.read)
        if tracer == "preload":  # looks at each file as it is opened, strace a moment later
            assert len(seen) == len(model.read)
