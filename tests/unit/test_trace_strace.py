"""Lines that strace 6.1 really wrote, and what they say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.hooks.trace.files import Files
from ledger.hooks.trace.strace import Trace, command, decoded

# Of `sh -c 'cd /tmp; cat hr/t2 >hr/x; mv hr/x hr/y'`, with -y and without -xx, as an older strace has it.
FORKED = rb"""
21386 1795350321.404488 execve("/usr/bin/sh", ["sh", "-c", "cd /tmp; cat hr"...], 0x7f /* 42 vars */) = 0
21386 1795350321.405795 openat(AT_FDCWD</>, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3</etc/ld.so.cache>
21386 1795350321.423992 chdir("/tmp")   = 0
21386 1795350321.431975 openat(AT_FDCWD</tmp>, "hr/x", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</tmp/hr/x>
21386 1795350321.439485 vfork( <unfinished ...>
21395 1795350321.439735 execve("/usr/bin/cat", ["cat", "hr/t2"], 0x55b76c845e08 /* 42 vars */ <unfinished ...>
21386 1795350321.440266 <... vfork resumed>) = 21395
21395 1795350321.440308 <... execve resumed>) = 0
21395 1795350321.513517 openat(AT_FDCWD</tmp>, "hr/t2", O_RDONLY) = 3</tmp/hr/t2>
21395 1795350321.523968 +++ exited with 0 +++
21386 1795350321.528076 vfork( <unfinished ...>
21396 1795350321.532200 execve("/usr/bin/mv", ["mv", "hr/x", "hr/y"], 0x55 /* 42 vars */ <unfinished ...>
21386 1795350321.532886 <... vfork resumed>) = 21396
21396 1795350321.532907 <... execve resumed>) = 0
21396 1795350321.571450 renameat2(AT_FDCWD</tmp>, "hr/x", AT_FDCWD</tmp>, "hr/y", RENAME_NOREPLACE) = 0
21396 1795350321.572028 +++ exited with 0 +++
21386 1795350321.580194 +++ exited with 37 +++
"""


class Told(Files):
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        super().__init__(lambda path: True)
        self.calls: list[tuple[str, ...]] = []

    def read(self, path: str, time: float, seen: list[int] | None = None) -> None:
        self.calls.append(("read", path))

    def write(self, path: str) -> None:
        self.calls.append(("write", path))

    def update(self, path: str, time: float, seen: list[int] | None = None, *, creates: bool) -> None:
        self.calls.append(("update", path, "creates" if creates else "finds"))

    def rename(self, old: str, new: str) -> None:
        self.calls.append(("rename", old, new))

    def exchange(self, old: str, new: str) -> None:
        self.calls.append(("exchange", old, new))

    def link(self, old: str, new: str) -> None:
        self.calls.append(("link", old, new))

    def unlink(self, path: str) -> None:
        self.calls.append(("unlink", path))


def told(*lines: bytes, folder: str = "/w") -> list[tuple[str, ...]]:
    files = Told()
    trace = Trace(files, 7, folder)
    for number, line in enumerate(lines):
        trace.line(b"7 1795350321.%06d " % number + line)
    return files.calls


def test_children_and_a_rename() -> None:
    files = Told()
    trace = Trace(files, 21386, "/")
    for line in FORKED.splitlines():
        trace.line(line)
    assert files.calls[1:] == [
        ("write", "/tmp/hr/x"),
        ("read", "/tmp/hr/t2"),
        ("rename", "/tmp/hr/x", "/tmp/hr/y"),
    ]
    assert (trace.started, trace.ended, trace.running()) == (True, True, [])


OPENED = [
    (rb'openat(AT_FDCWD</w>, "a", O_RDONLY) = 3</w/a>', [("read", "/w/a")]),
    (rb'open("a", O_RDONLY|O_CLOEXEC) = 3</w/a>', [("read", "/w/a")]),
    (rb'openat(AT_FDCWD</w>, "a", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</w/a>', [("write", "/w/a")]),
    (rb'openat(AT_FDCWD</w>, "a", O_RDWR|O_CREAT|O_TRUNC, 0666) = 3</w/a>', [("write", "/w/a")]),
    (rb'openat(AT_FDCWD</w>, "a", O_RDWR|O_CREAT|O_EXCL, 0600) = 3</w/a>', [("write", "/w/a")]),
    (rb'openat(AT_FDCWD</w>, "a", O_RDWR|O_CREAT, 0600) = 3</w/a>', [("update", "/w/a", "creates")]),
    (rb'openat(AT_FDCWD</w>, "a", O_RDWR) = 3</w/a>', [("update", "/w/a", "finds")]),
    (rb'creat("a", 0666)      = 3</w/a>', [("write", "/w/a")]),
    (rb'openat2(AT_FDCWD</w>, "a", {flags=O_RDONLY, resolve=0}, 24) = 3</w/a>', [("read", "/w/a")]),
    (rb'openat(AT_FDCWD</w>, "a", O_RDONLY) = -1 ENOENT (No such file or directory)', []),
    (rb'openat(AT_FDCWD</w>, ".", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3</w>', []),
    (rb'openat(AT_FDCWD</w>, "a", O_RDWR|O_EXCL|O_TMPFILE, 0600) = 3</w/#12>(deleted)', []),
    (rb'openat(AT_FDCWD</w>, "a", O_WRONLY) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)', []),
    (
        rb'openat(AT_FDCWD<\x2f\x77>, "\x61", O_RDONLY) = 3<\x2f\x77\x2f\xff\x22\x3e>',
        [("read", '/w/\udcff">')],
    ),
    (rb'openat(AT_FDCWD</w>, "a\303\251\"", O_RDONLY) = 3</w/a\303\251\"\76>', [("read", '/w/aé">')]),
    (b"+++ killed by SIGKILL +++", []),
    (b"--- SIGCHLD {si_signo=SIGCHLD} ---", []),
    (b"strace: Process 9 attached", []),
    (b"", []),
]


@pytest.mark.parametrize(("line", "calls"), OPENED)
def test_openings(line: bytes, calls: list[tuple[str, ...]]) -> None:
    assert told(line) == calls


NAMED = [
    (rb'rename("a", "b") = 0', [("rename", "/w/a", "/w/b")]),
    (rb'renameat(3</d>, "a", AT_FDCWD</w>, "b") = 0', [("rename", "/d/a", "/w/b")]),
    (rb'renameat2(3</d>, "a", 4</e>, "/f/b", 0) = 0', [("rename", "/d/a", "/f/b")]),
    (rb'renameat2(3</d>, "a", 3</d>, "b", RENAME_EXCHANGE) = 0', [("exchange", "/d/a", "/d/b")]),
    (rb'rename("a", "b") = -1 ENOENT (No such file or directory)', []),
    (rb'link("a", "../b") = 0', [("link", "/w/a", "/b")]),
    (
        rb'linkat(AT_FDCWD</w>, "/proc/self/fd/3", AT_FDCWD</w>, "b", AT_SYMLINK_FOLLOW) = 0',
        [("link", "/proc/self/fd/3", "/w/b")],
    ),
    (rb'unlink("a") = 0', [("unlink", "/w/a")]),
    (rb'unlinkat(3</d>, "a", 0) = 0', [("unlink", "/d/a")]),
    (rb'truncate("a", 0) = 0', [("write", "/w/a")]),
]


@pytest.mark.parametrize(("line", "calls"), NAMED)
def test_names(line: bytes, calls: list[tuple[str, ...]]) -> None:
    assert [tuple(map(_without_self, call)) for call in told(line)] == calls


def _without_self(path: str) -> str:
    return path.replace(f"/proc/{os.getpid()}/", "/proc/self/")


def test_a_call_in_two_lines() -> None:
    lines = (
        rb'openat(AT_FDCWD</w>, "a", O_WRONLY|O_CREAT <unfinished ...>',
        rb"<... openat resumed>, 0666) = 3</w/a>",
    )
    assert told(*lines) == [("write", "/w/a")]


def test_folders_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    lines = (b'chdir("link") = 0', b'unlink("a") = 0', b"fchdir(3</d>) = 0", b'unlink("a") = 0')
    real = os.path.realpath(tmp_path)
    assert told(*lines, folder=real) == [("unlink", f"{real}/real/a"), ("unlink", "/d/a")]


def test_threads_move_together_and_children_alone() -> None:
    files = Told()
    trace = Trace(files, 7, "/")
    for line in (
        b"7 1.0 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_THREAD) = 8",
        b"7 1.1 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 9",
        b'8 1.2 chdir("/usr") = 0',
        b'7 1.3 unlink("thread") = 0',
        b'9 1.4 unlink("child") = 0',
    ):
        trace.line(line)
    assert files.calls == [("unlink", "/usr/thread"), ("unlink", "/child")]


def test_a_child_may_speak_first() -> None:
    files = Told()
    trace = Trace(files, 7, "/")
    for line in (b'7 1.0 chdir("/usr") = 0', b"7 1.1 vfork( <unfinished ...>", b'8 1.2 unlink("a") = 0'):
        trace.line(line)
    assert files.calls == [("unlink", "/usr/a")]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (rb"\x61\xff", "a\udcff"),
        (rb"a\n\\\42\1x", 'a\n\\"\x01x'),
        (b"plain", "plain"),
        (b"", ""),
        (rb"\303\251", "é"),
    ],
)
def test_escapes(text: bytes, name: str) -> None:
    assert decoded(text) == name


def test_the_command_line() -> None:
    line = command("/o", ["-x", "--"], seccomp=True)
    assert line[0] == "strace"
    assert "--seccomp-bpf" in line
    assert line[-3:] == ["--", "-x", "--"]
    assert "--seccomp-bpf" not in command("/o", ["x"], seccomp=False)
