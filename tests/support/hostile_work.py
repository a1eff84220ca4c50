"""What a file that has taken over its reader might do there. Only tests start workers with this module."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

Json = dict[str, Any]
Ask = Callable[[Json], Json]


def allocate(_: Json, __: Ask) -> Json:
    held = []
    while True:
        held.append(bytearray(1 << 24))


def allocate_natively(_: Json, __: Ask) -> Json:
    """Allocate where no Python exception can come of it."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while (piece := libc.malloc(1 << 24)) is not None:
        ctypes.memset(piece, 1, 1 << 24)
    os.abort()


def loop(_: Json, __: Ask) -> Json:
    while True:
        pass


def sleep(_: Json, __: Ask) -> Json:
    time.sleep(1000)
    return {}


def crash(_: Json, __: Ask) -> Json:
    ctypes.string_at(0)
    return {}


def abort(_: Json, __: Ask) -> Json:
    os.abort()


def leave(_: Json, __: Ask) -> Json:
    os._exit(0)


def fail(_: Json, __: Ask) -> Json:
    raise ValueError("\x1b[2J a file made me say this")


def recurse(job: Json, ask: Ask) -> Json:
    return recurse(job, ask)


def write_much(_: Json, __: Ask) -> Json:
    with Path("big").open("wb") as file:
        while True:
            file.write(bytes(1 << 20))


def leave_a_grandchild(job: Json, _: Ask) -> Json:
    """Start a program that would outlive the job, and say its number as the job sees it."""
    program = f"import time, pathlib; time.sleep(2); pathlib.Path({job['mark']!r}).write_text('alive')"
    with subprocess.Popen([sys.executable, "-I", "-c", program]):
        os._exit(0)


def fork_without_end(_: Json, __: Ask) -> Json:
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)


def connect(job: Json, _: Ask) -> Json:
    return _tried(lambda: socket.create_connection(("127.0.0.1", job["port"]), 1).close())


def connect_from_a_program(job: Json, _: Ask) -> Json:
    program = f"import socket; socket.create_connection(('127.0.0.1', {job['port']}), 1)"
    ended = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=False)
    return {"tried": "done" if ended.returncode == 0 else "refused"}


def read_elsewhere(job: Json, _: Ask) -> Json:
    return _tried(lambda: Path(job["path"]).read_bytes())


def write_elsewhere(job: Json, _: Ask) -> Json:
    return _tried(lambda: Path(job["path"]).write_text("was here"))


def kill_elsewhere(job: Json, _: Ask) -> Json:
    return _tried(lambda: os.kill(job["pid"], signal.SIGTERM))


def leave_the_group(_: Json, __: Ask) -> Json:
    return _tried(os.setsid)


def say_no_json(_: Json, __: Ask) -> NoReturn:
    _say((9).to_bytes(4, "big") + b"not json!")


def say_a_deep_thing(_: Json, __: Ask) -> NoReturn:
    text = b'{"answer":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    _say(len(text).to_bytes(4, "big") + text)


def say_too_much(_: Json, __: Ask) -> NoReturn:
    _say((1 << 31).to_bytes(4, "big") + b"x" * 1000)


def say_half(_: Json, __: Ask) -> NoReturn:
    _say((1 << 20).to_bytes(4, "big") + b'{"answer"')


def ask_without_end(_: Json, ask: Ask) -> Json:
    while True:
        ask({"pixels": "0" * 64})


def say(job: Json, _: Ask) -> Json:
    found: Json = job["words"]
    return found


def _say(data: bytes) -> NoReturn:
    """Write past the protocol, to whatever socket there is."""
    for number in range(3, 64):
        try:
            os.write(number, data)
        except OSError:
            continue
    os._exit(0)


def _tried(action: Callable[[], object]) -> Json:
    try:
        action()
    except OSError as error:
        return {"tried": type(error).__name__}
    return {"tried": "done"}


def main() -> None:
    from ledger.adapters.isolation import zygote

    zygote.main(lambda _: lambda job, ask: globals()[job["do"]](job, ask))
