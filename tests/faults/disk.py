"""A model of a disk that forgets: what may be on it when the power fails, given the system calls made so far.

- What is written to a file is sure to be there after `fsync` or `fdatasync` of the file, and a name after
  `fsync` of its folder. Of everything else any part may be there, in any order: `Luck` decides.
- A write may be cut into sectors, each of which is there or not. A change of a folder (one creation, link,
  removal or renaming) is there as a whole or not at all.
- Where the synchronisation of a file fails, what was written is lost, although programs go on reading it: the
  system counts it as written, and the next synchronisation succeeds without it. Names are in the journal of
  the file system: where theirs fails they are not on disk yet, and the next one can still bring them there.
- SQLite's `-shm` file is shared memory. It is of no use after a crash, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

TRACED = (
    "openat,close,dup,dup2,dup3,lseek,write,pwrite64,pwritev,ftruncate,truncate,fallocate,fsync,fdatasync,"
    "sync_file_range,rename,renameat,renameat2,link,linkat,symlink,unlink,unlinkat,rmdir,mkdir,mkdirat,sendto"
)
RECORD = ["-xx", "-s", "10000000", "-e", f"trace={TRACED}"]
SYNCS = {"fsync", "fdatasync"}
SECTORS = (512, 4096)
_CALL = re.compile(r"\d+ +(\w+)\((.*)\) += (-?\d+)")


class Luck:
    """Keeps everything that was not synchronised, or nothing, or what a seed says, sector by sector."""

    def __init__(self, seed: int | None, *, keep: bool = False) -> None:
        self._random = None if seed is None else Random(seed)
        self._keep = keep

    def keeps(self) -> bool:
        return self._keep if self._random is None else self._random.random() < 0.5

    def torn(self, before: bytes, after: bytes) -> bytes:
        """Return what is on disk of a write that turned the one into the other."""
        if self._random is None or self._random.random() < 0.5:
            return after if self.keeps() else before
        sector = self._random.choice(SECTORS)
        size = max(len(before), len(after)) if self.keeps() else len(before)
        parts = []
        for at in range(0, size, sector):
            source = after if self.keeps() else before
            parts.append(source[at : at + sector].ljust(min(sector, size - at), b"\0"))
        return b"".join(parts)


NOTHING, EVERYTHING = Luck(None), Luck(None, keep=True)


@dataclass(eq=False)
class File:
    """A file as programs see it, as it surely is on disk, and the changes in between."""

    data: bytes = b""
    durable: bytes = b""
    pending: list[Callable[[bytes], bytes]] = field(default_factory=list)

    def change(self, change: Callable[[bytes], bytes]) -> None:
        self.data = change(self.data)
        self.pending.append(change)

    def sync(self, *, failed: bool) -> None:
        self.durable, self.pending = self.after(NOTHING if failed else EVERYTHING), []

    def after(self, luck: Luck) -> bytes:
        data = self.durable
        for change in self.pending:
            data = luck.torn(data, change(data))
        return data


@dataclass(eq=False)
class Folder:
    """A folder in the same three ways; a change gives names to nodes, or takes them away (``None``)."""

    names: dict[str, Node] = field(default_factory=dict)
    durable: dict[str, Node] = field(default_factory=dict)
    pending: list[dict[str, Node | None]] = field(default_factory=list)

    def change(self, change: dict[str, Node | None]) -> None:
        _rename(self.names, change)
        self.pending.append(change)

    def sync(self, *, failed: bool) -> None:
        if not failed:
            self.durable, self.pending = dict(self.names), []

    def after(self, luck: Luck) -> dict[str, Node]:
        names = dict(self.durable)
        for change in self.pending:
            if luck.keeps():
                _rename(names, change)
        return names


Node = File | Folder


def _rename(names: dict[str, Node], change: dict[str, Node | None]) -> None:
    for name, node in change.items():
        names.pop(name, None)
        if node is not None:
            names[name] = node


@dataclass
class _Opened:
    node: Node
    at: int = 0


class Disk:
    """The disk under one folder, to which recorded system calls are applied."""

    def __init__(self, root: Path) -> None:
        """Begin with the folder as it is, all of it durable."""
        self._root = root
        self._top = _load(root)
        self._opened: dict[int, _Opened] = {}

    def life(self, trace: Path) -> Iterator[tuple[str, bytes]]:
        """Apply the calls of one process; after each, yield its name, and what it sent if it did."""
        self._opened = {}
        for line in trace.read_text("ascii").splitlines():
            found = _CALL.match(line)
            if found is None:
                continue
            name, arguments, result = found[1], found[2].split(", "), int(found[3])
            if result < 0 and name not in SYNCS:
                continue
            if name == "sendto":
                yield name, _bytes(arguments[1])
            elif self._apply(name, arguments, result):
                yield name, b""

    def after(self, luck: Luck) -> dict[str, bytes]:
        """Return the files that are there when the power fails now, by path."""
        return dict(_files(self._top, "", luck))

    def _apply(self, name: str, arguments: list[str], result: int) -> bool:
        """Carry out the call if it is about this folder; return whether it was."""
        if name in {"openat", "close", "lseek"} or arguments[0] in map(str, self._opened):
            return self._by_descriptor(name, arguments, result)
        paths = [place for text in arguments if (place := self._place(text)) is not None]
        if not paths:
            return False
        (folder, leaf), (_, last) = paths[0], paths[-1]
        if name in {"mkdir", "mkdirat"}:
            folder.change({leaf: Folder()})
        elif name in {"unlink", "unlinkat"}:
            folder.change({leaf: None})
        elif name in {"link", "linkat"}:
            paths[-1][0].change({last: folder.names[leaf]})
        elif name in {"rename", "renameat", "renameat2"} and paths[-1][0] is folder:
            folder.change({leaf: None, last: folder.names[leaf]})
        else:
            raise NotImplementedError(name, arguments)
        return True

    def _by_descriptor(self, name: str, arguments: list[str], result: int) -> bool:
        if name == "openat":
            return self._open(arguments, result)
        opened = self._opened.get(int(arguments[0]))
        if opened is None:
            return False
        node = opened.node
        if name == "close":
            del self._opened[int(arguments[0])]
        elif name == "lseek":
            opened.at = result
        elif name in SYNCS:
            node.sync(failed=result < 0)
        elif isinstance(node, Folder):
            raise NotImplementedError(name, arguments)
        elif name in {"write", "pwrite64"}:
            at = opened.at if name == "write" else int(arguments[3])
            node.change(_overwriting(at, _bytes(arguments[1])[:result]))
            opened.at += result if name == "write" else 0
        elif name == "ftruncate":
            size = int(arguments[1])
            node.change(lambda data: data[:size].ljust(size, b"\0"))
        else:
            raise NotImplementedError(name, arguments)
        return True

    def _open(self, arguments: list[str], descriptor: int) -> bool:
        place = self._place(arguments[1])
        if place is None:
            return False
        folder, leaf = place
        flags = arguments[2].split("|")
        node = folder.names.get(leaf) if leaf else folder
        if node is None and "O_CREAT" in flags:
            node = File()
            folder.change({leaf: node})
        if node is None or "O_TRUNC" in flags or "O_APPEND" in flags:
            raise NotImplementedError(arguments)
        self._opened[descriptor] = _Opened(node)
        return True

    def _place(self, text: str) -> tuple[Folder, str] | None:
        """Return the folder and the name that a path leads to; ``None`` for what is elsewhere."""
        if not text.startswith('"'):
            return None
        path = Path(_bytes(text).decode())
        if path == self._root:
            return self._top, ""
        if not path.is_relative_to(self._root):
            return None
        *above, leaf = path.relative_to(self._root).parts
        folder = self._top
        for name in above:
            inner = folder.names[name]
            assert isinstance(inner, Folder)
            folder = inner
        return folder, leaf


def write(files: dict[str, bytes], folder: Path) -> Path:
    """Put the files on the real disk, where the code under test can open them."""
    folder.mkdir(parents=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    """Return the files as they really are, by path."""
    return dict(_files(_load(folder), "", NOTHING))


def _load(path: Path) -> Folder:
    names: dict[str, Node] = {}
    for inner in path.iterdir():
        data = b"" if inner.is_dir() else inner.read_bytes()
        names[inner.name] = _load(inner) if inner.is_dir() else File(data, data)
    return Folder(names, dict(names))


def _files(folder: Folder, prefix: str, luck: Luck) -> Iterator[tuple[str, bytes]]:
    for name, node in sorted(folder.after(luck).items()):
        if isinstance(node, Folder):
            yield from _files(node, f"{prefix}{name}/", luck)
        elif not name.endswith("-shm"):
            yield prefix + name, node.after(luck)


def _overwriting(at: int, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at].ljust(at, b"\0") + new + data[at + len(new) :]


def _bytes(text: str) -> bytes:
    """Return the string that strace printed with ``-xx``."""
    return bytes.fromhex(text.strip('"').replace("\\x", ""))
