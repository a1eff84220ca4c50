"""Which files count: those in a production's roots, and weights wherever they are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from ledger.hooks import rakkan_capture

WEIGHTS = (".safetensors", ".ckpt", ".pt", ".gguf", ".onnx")
AMBIGUOUS_WEIGHTS = (".bin", ".pth")
WEIGHTS_BYTES = 10 << 20
"""What is called .bin or .pth is a model from this size on."""
SYSTEM = (
    *("/bin/", "/boot/", "/dev/", "/etc/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/proc/", "/run/"),
    *("/sbin/", "/snap/", "/sys/", "/usr/", "/var/"),
)
KERNEL = ("/dev/", "/proc/", "/sys/")
_CODE = re.compile(r"\.(so(\.[0-9.]+)?|pyc|dll|dylib)$")
# Folders of programs and caches, in which no production keeps its files.
_ASIDE = re.compile(r"/(\.[^/]+|__pycache__|site-packages|dist-packages|node_modules)/")


class Roots:
    """The folders in which a command's files count, without links."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.folders = _chosen() or _around(argv)
        self._spool = os.path.realpath(rakkan_capture.folder())

    def hold(self, path: str) -> bool:
        """Whether a file stands in one of the roots, and is no program, cache or part of the spool."""
        if path.startswith(KERNEL) or _CODE.search(path) or rakkan_capture.is_under(path, self._spool):
            return False
        return any(
            rakkan_capture.is_under(path, root) and not _ASIDE.search(path, len(root.rstrip("/")))
            for root in self.folders
        )

    def want(self, path: str) -> bool:
        """Whether a file that is read counts."""
        return self.hold(path) or (not path.startswith(SYSTEM) and is_weights(path))


def is_weights(path: str) -> bool:
    """Whether a file holds the weights of a model, by its name, and where that says little by its size."""
    name = path.lower()
    if name.endswith(WEIGHTS):
        return True
    try:
        return name.endswith(AMBIGUOUS_WEIGHTS) and os.stat(path).st_size >= WEIGHTS_BYTES
    except OSError:
        return False


def named(argv: Sequence[str]) -> list[str]:
    """Return what may be paths in a command's arguments, also in ``--name=path``; absolute."""
    texts = [text for argument in argv[1:] for text in {argument, argument.partition("=")[2]}]
    return [os.path.abspath(text) for text in texts if text and "\0" not in text]


def _chosen() -> list[str]:
    """Return the roots of the productions, and those of ``RAKKAN_ROOTS``."""
    found = [root for one in rakkan_capture.productions() for root in one["roots"]]
    return _real([*found, *os.environ.get("RAKKAN_ROOTS", "").split(os.pathsep)])


def _around(argv: Sequence[str]) -> list[str]:
    """Return where the command runs and where its arguments lead, but no folder of the system."""
    paths = [path if os.path.isdir(path) else os.path.dirname(path) for path in named(argv)]
    found = _real([os.getcwd(), *(path for path in paths if os.path.isdir(path))])
    return [root for root in found if root != "/" and not (root + "/").startswith(SYSTEM)]


def _real(paths: Iterable[str]) -> list[str]:
    return sorted({os.path.realpath(path) for path in paths if path})
