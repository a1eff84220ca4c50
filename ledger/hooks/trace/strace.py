"""Reading what strace prints while the command runs.

* ``-xx`` writes every name in hexadecimal: no quote, bracket or byte in a name can be taken for strace's own.
* ``-y`` names the opened file itself, after links. Other names are made absolute with the folder in which the
  process stands, which its children inherit.
* ``-DDD`` keeps the command our own child, so that its exit code, its signals and its terminal are untouched.
* A call that another process interrupted comes in two lines, ``<unfinished ...>`` and ``<... resumed>``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from ledger.hooks.trace.files import Files

CALLS = (
    "open,openat,openat2,creat,truncate,rename,renameat,renameat2,link,linkat,unlink,unlinkat,"
    "execve,execveat,chdir,fchdir,clone,clone3,fork,vfork"
)
OPENS = {b"open", b"openat", b"openat2", b"creat"}
FORKS = {b"clone", b"clone3", b"fork", b"vfork"}

_LINE = re.compile(rb"(\d+) +(\d+\.\d+) (.*)")
_CALL = re.compile(rb"(\w+)\((.*)\) += (\d+)(?:<([^>]*)>)?(\(deleted\))?")
_NAMED = re.compile(rb'(?:(?:AT_FDCWD|\d+)(?:<([^>]*)>(?:\(deleted\))?)?, )?"([^"]*)"')
_HERE = re.compile(rb"AT_FDCWD<([^>]*)>")
_RESUMED = re.compile(rb"<\.\.\. (\w+) resumed>(.*)")
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)")
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f", b"a": b"\a", b"b": b"\b"}
_UNFINISHED = b" <unfinished ...>"


def command(output: str, argv: Sequence[str], *, seccomp: bool) -> list[str]:
    """Return the command line that runs ``argv`` under strace, which writes to ``output``."""
    options = ["-f", "-q", "-y", "-xx", "-ttt", "-e", "signal=none", "-e", "trace=" + CALLS, "-o", output]
    return ["strace", "-DDD", *(["--seccomp-bpf"] if seccomp else []), *options, "--", *argv]


class Trace:
    """The lines of one run, in order. What they say of files goes to ``files``."""

    def __init__(self, files: Files, pid: int, folder: str) -> None:
        self.files = files
        self.started = False
        self.ended = False
        self._pid = pid
        self._folders: dict[int, list[str]] = {pid: [folder]}
        self._unfinished: dict[int, bytes] = {}

    def running(self) -> list[int]:
        """Return the processes and threads that have not ended yet."""
        return list(self._folders)

    def line(self, line: bytes) -> None:
        """Take one line. Nothing is raised: what is not understood is passed over."""
        found = _LINE.match(line)
        if found is None:
            return
        pid, rest = int(found[1]), found[3].rstrip()
        if rest.startswith(b"+++"):
            self._folders.pop(pid, None)
            self._unfinished.pop(pid, None)
            self.ended = self.ended or pid == self._pid
        elif rest.endswith(_UNFINISHED):
            self._unfinished[pid] = rest[: -len(_UNFINISHED)]
        else:
            resumed = _RESUMED.match(rest)
            if resumed is not None:
                rest = self._unfinished.pop(pid, b"") + resumed[2]
            call = _CALL.match(rest)
            if call is not None:
                self._call(pid, float(found[2]), call)

    def _call(self, pid: int, time: float, call: re.Match[bytes]) -> None:
        """Take one call that succeeded."""
        name, arguments = call[1], call[2]
        here = _HERE.search(arguments)
        if here is not None:
            self._cell(pid)[0] = decoded(here[1])
        if name in OPENS:
            if call[4] is not None and call[5] is None:
                self._opened(name, decoded(call[4]), arguments, time)
        elif name in FORKS:
            self._forked(pid, int(call[3]), arguments)
        elif name in {b"execve", b"execveat"}:
            self.started = self.started or pid == self._pid
        elif name == b"fchdir":
            self._cell(pid)[0] = decoded(arguments.partition(b"<")[2].rstrip(b">"))
        elif name == b"chdir":
            self._cell(pid)[0] = os.path.realpath(self._joined(pid, *_NAMED.findall(arguments)[0]))
        else:
            self._named(name, arguments, [self._absolute(pid, *pair) for pair in _NAMED.findall(arguments)])

    def _named(self, name: bytes, arguments: bytes, paths: list[str]) -> None:
        """Take a call that has names, and no open file."""
        if name == b"truncate":
            self.files.write(paths[0])
        elif name.startswith(b"unlink"):
            self.files.unlink(paths[0])
        elif name.startswith(b"link"):
            self.files.link(*paths[:2])
        elif b"RENAME_EXCHANGE" in arguments:
            self.files.exchange(*paths[:2])
        elif name.startswith(b"rename"):
            self.files.rename(*paths[:2])

    def _opened(self, name: bytes, path: str, arguments: bytes, time: float) -> None:
        if name == b"creat" or b"O_WRONLY" in arguments:
            self.files.write(path)
        elif b"O_RDWR" in arguments:
            if b"O_TRUNC" in arguments or b"O_EXCL" in arguments:
                self.files.write(path)
            else:
                self.files.update(path, time, creates=b"O_CREAT" in arguments)
        elif b"O_DIRECTORY" not in arguments and b"O_PATH" not in arguments:
            self.files.read(path, time)

    def _forked(self, parent: int, child: int, arguments: bytes) -> None:
        """Let a child stand where its parent does; threads move together."""
        cell = self._cell(parent)
        self._folders.setdefault(child, cell if b"CLONE_FS" in arguments else list(cell))

    def _cell(self, pid: int) -> list[str]:
        """Return what holds a process's folder. A child may speak before its parent's fork has returned."""
        if pid not in self._folders:
            parents = [one for one, call in self._unfinished.items() if call.partition(b"(")[0] in FORKS]
            known = self._folders.get(parents[-1] if parents else self._pid) or [os.getcwd()]
            self._folders[pid] = list(known)
        return self._folders[pid]

    def _joined(self, pid: int, folder: bytes, name: bytes) -> str:
        return os.path.join(decoded(folder) if folder else self._cell(pid)[0], decoded(name))

    def _absolute(self, pid: int, folder: bytes, name: bytes) -> str:
        """Return a name as opened files have theirs: absolute, and without links on the way."""
        parent, last = os.path.split(os.path.normpath(self._joined(pid, folder, name)))
        return os.path.join(os.path.realpath(parent), last)


def decoded(text: bytes) -> str:
    """Return a name from strace's escapes."""
    try:
        return os.fsdecode(bytes.fromhex(text.replace(b"\\x", b"").decode()))
    except ValueError:
        return os.fsdecode(_ESCAPE.sub(_unescaped, text))


def _unescaped(found: re.Match[bytes]) -> bytes:
    text = found[1]
    if text[:1] == b"x":
        return bytes([int(text[1:], 16)])
    return bytes([int(text, 8) & 255]) if text.isdigit() else _LETTERS.get(text, text)
