"""The short hashes of a file of weights, as model catalogues compute them: for looking up, and nothing else.

* AutoV1: SHA-256 of 64 KiB at 1 MiB, 8 digits. AutoV2: of the file, 10. AutoV3: of what follows the header of
  a safetensors file, 12: it survives an edit of the header.
* The file is read once.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from ledger.adapters.intake.safetensors import is_safetensors
from ledger.core.said import HashKind, ShortHash

_PIECE = 1 << 20
_AUTOV1_BYTES = 1 << 16


def short_hashes(path: Path) -> tuple[str, tuple[ShortHash, ...]]:
    """Return the file's SHA-256 and its short hashes. Raises ``OSError``."""
    whole, tensors = sha256(), sha256()
    auto_v1 = ""
    with path.open("rb") as file:
        start = file.read(9)
        rest = 8 + int.from_bytes(start[:8], "little") if is_safetensors(start) else None
        file.seek(0)
        at = 0
        while piece := file.read(_PIECE):
            whole.update(piece)
            if rest is not None and at + len(piece) > rest:
                tensors.update(piece[max(0, rest - at) :])
            if at == _PIECE:
                auto_v1 = sha256(piece[:_AUTOV1_BYTES]).hexdigest()[:8]
            at += len(piece)
    digest = whole.hexdigest()
    found = [ShortHash(HashKind.AUTOV2, digest[:10])]
    if auto_v1:
        found.append(ShortHash(HashKind.AUTOV1, auto_v1))
    if rest is not None:
        found.append(ShortHash(HashKind.AUTOV3, tensors.hexdigest()[:12]))
    return digest, tuple(found)
