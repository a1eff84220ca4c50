"""What Linux can take away from a process that asks: the network, the files, the other processes.

* ``separate`` is asked once, by the zygote, and what it gives is inherited: namespaces of users, networks,
  processes and messages of its own;
* ``confine`` is asked by each child: no new privileges, no file but those of its folder and of the programs
  (Landlock), no system call that makes a socket, a trace or a mount (seccomp);
* a kernel, or a container around us, may refuse any of these. Each says so by its name; the others hold.
* elsewhere than on Linux there is none of it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from shutil import which

import ledger

NAMESPACES, LANDLOCK, SECCOMP = "namespaces", "landlock", "seccomp"

_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446  # the same on every architecture
_LANDLOCK_ABI = 1
"""Flag of ``landlock_create_ruleset`` that asks for the version."""

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_SCRATCH = _WRITE_FILE | _READ_FILE | _READ_DIR | 1 << 5 | 1 << 8
"""In its own folder a child may also make and remove regular files: decoders want a place for their words."""
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""By version of Landlock, how many kinds of access to files it knows; later ones know 16."""

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""The kernel's number for the architecture, and the column of ``_DENIED``."""
_DENIED = {
    # name: number on x86_64, on aarch64
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "io_uring_setup": (425, 425),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "setsid": (112, 157),  # nobody leaves the group that is killed
    "setpgid": (109, 154),
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
}
_EPERM = 1
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | _EPERM, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF
_X32 = 0x40000000
"""System calls from here on are x86_64's second set of the same numbers."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def separate() -> bool:
    """Move what this process forks next into namespaces of its own; return whether the kernel let it.

    The first fork is then the first process there: when it ends, the kernel ends all the others.
    """
    if sys.platform != "linux":
        return False
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWPID | _CLONE_NEWNET | _CLONE_NEWIPC):
        return False
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{user} {user} 1")
    (own / "gid_map").write_text(f"{group} {group} 1")
    return True


def die_with_parent(signal: int) -> None:
    """Have the kernel send this signal when the process that forked this one ends."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0)


def confine(folder: Path, wanted: Iterable[str] = (LANDLOCK, SECCOMP)) -> list[str]:
    """Take from this process all but its folder; return the names of what the kernel refused."""
    if sys.platform != "linux":
        return list(wanted)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    ways = {LANDLOCK: lambda: _landlock(folder), SECCOMP: _seccomp}
    return [name for name in wanted if not ways[name]()]


def _landlock(folder: Path) -> bool:
    version = _libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_ABI)
    if version < 1:
        return False
    files = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    connections = 3 if version >= 4 else 0  # to bind TCP, to connect
    scopes = 3 if version >= 6 else 0  # abstract sockets, and signals to processes outside
    rules = struct.pack("=QQQ", files, connections, scopes)[: 8 * (1 + (version >= 4) + (version >= 6))]
    ruleset = _libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    for place in programs():
        _allow(ruleset, place, _READ)
    _allow(ruleset, Path(os.devnull), _READ_FILE | _WRITE_FILE)
    _allow(ruleset, folder, _SCRATCH)
    held = _libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)
    return bool(held == 0)


@cache
def programs() -> list[Path]:
    """Return where Python, its libraries and the decoders lie: looked for once, before the first fork."""
    paths = sysconfig.get_paths()
    decoder = which("ffmpeg")
    found = [
        *map(Path, ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/dev/urandom")),
        *(Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        Path(sys.base_prefix),
        Path(ledger.__file__).parent,
        *([Path(decoder).resolve().parent] if decoder else []),
    ]
    return [place for place in dict.fromkeys(found) if place.exists()]


def _allow(ruleset: int, place: Path, rights: int) -> None:
    handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    if not place.is_dir():
        rights &= _EXECUTE | _WRITE_FILE | _READ_FILE
    rule = struct.pack("=Qi", rights, handle)
    _libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0)
    os.close(handle)


def _seccomp() -> bool:
    known = _ARCHITECTURES.get(platform.machine())
    if known is None:
        return False
    architecture, column = known
    numbers = [row[column] for row in _DENIED.values()]
    # Offsets in `struct seccomp_data`: 4 the architecture, 0 the number. A jump counts from the next line.
    lines = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, len(numbers) + 1, 0, _X32),
        *((_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = b"".join(struct.pack("=HBBI", *line) for line in lines)
    program = _Program(len(lines), code)
    return bool(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)
