"""Does to files what it is told, one operation after another; what fails is passed over.

Run as a program, with a JSON list of operations in a file. It imports nothing of ours.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path


def touch(path: Path, mode: str, content: bytes) -> None:
    with path.open(mode) as file:
        if "r" in mode or mode == "a+b":
            file.seek(0)
            file.read()
        if "+" in mode or "r" not in mode:
            file.write(content)


def do(operation: list[str], number: int) -> None:
    kind, *names = operation
    paths = [Path(name) for name in names]
    content = b"%08d" % number
    if kind in {"rb", "wb", "ab", "r+b", "w+b"}:
        touch(paths[0], kind, content)
    elif kind == "rename":
        paths[0].rename(paths[1])
    elif kind == "unlink":
        paths[0].unlink()
    elif kind == "copy":
        subprocess.run(["cp", "--", *paths], stderr=subprocess.DEVNULL, check=False)
    elif kind == "thread":
        one = threading.Thread(target=quietly, args=([names[0], *names[1:]], number))
        one.start()
        one.join()
    elif kind == "fork":
        pid = os.fork()
        if not pid:
            quietly(names, number)
            os._exit(0)
        os.waitpid(pid, 0)
    elif kind == "within":
        here = Path.cwd()
        os.chdir(paths[0])
        quietly(names[1:], number)
        os.chdir(here)


def quietly(operation: list[str], number: int) -> None:
    with contextlib.suppress(OSError):
        do(operation, number)


if __name__ == "__main__":
    operations = json.loads(Path(sys.argv[1]).read_text(encoding="ascii"))
    for number, operation in enumerate(operations, 1):
        quietly(operation, number)
