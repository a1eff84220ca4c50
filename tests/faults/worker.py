"""A process that does the work of `tests.support.faults` in children, each ready to be traced first.

Everything is imported and done once before the first child, so that a child makes only the system calls of
the work itself, in the same order every time. What a child acknowledges goes out with `sendto`, which nothing
else uses: a fault in any other call cannot touch it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import secrets
import signal
import socket
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from ledger.adapters import files
from ledger.adapters.sql.sqlite import Sqlite
from ledger.service.log import publish
from tests.support.faults import insist, prepare, work

_ANYBODY_MAY_TRACE = (0x59616D61, ctypes.c_ulong(-1))


def main() -> None:
    """Serve until the other side closes: each message is a folder and what to break, with a socket."""
    # One file after the other: threads would make the calls of each run come in another order.
    patch.object(publish, "_ahead", map).start()
    with tempfile.TemporaryDirectory() as folder:
        work(prepare(Path(folder)), lambda message: None)
    gc.collect()
    gc.freeze()
    # Children are nobody's to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=0) as control:
        while True:
            message, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
            if not message:
                return
            if os.fork() == 0:
                _child(descriptors[0], **json.loads(message))
            os.close(descriptors[0])


def _child(descriptor: int, folder: str, broken: str, seed: int) -> None:
    with socket.socket(fileno=descriptor) as out:

        def tell(message: dict[str, Any]) -> None:
            out.sendall(json.dumps(message).encode() + b"\n")

        ctypes.CDLL(None).prctl(*_ANYBODY_MAY_TRACE)
        tell({"pid": os.getpid()})
        out.recv(1)
        try:
            # The names of temporary files.
            patch.object(secrets, "token_hex", _hexadecimal(seed)).start()
            BROKEN[broken]()
            insist(lambda: work(Path(folder), tell), tell)
            tell({"done": True})
        except BaseException:  # noqa: BLE001 - whatever it was, the test must see it
            tell({"traceback": traceback.format_exc()})
    os._exit(0)


def _hexadecimal(seed: int) -> Callable[[int], str]:
    random = Random(seed)

    def token_hex(size: int) -> str:
        return random.randbytes(size).hex()

    return token_hex


def _forget_files() -> None:
    """Files of ours are written, and never synchronised."""
    patch.object(os, "fsync").start()
    patch.object(files, "_sync").start()


def _forget_database() -> None:
    """The database hands its writes to the system, and does not wait for the disk."""
    real = Sqlite.set_up

    def careless(self: Sqlite, connection: Any, busy_seconds: float) -> None:
        real(self, connection, busy_seconds)
        connection.execute("PRAGMA synchronous = OFF").close()

    patch.object(Sqlite, "set_up", careless).start()


BROKEN: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "files": _forget_files,
    "database": _forget_database,
}

if __name__ == "__main__":
    main()
