"""Writes the vectors of the log beside this file: `python -m tests.vectors.log.generate`.

Each file is named after what a reader must do with it. They come from this library, and
`tests/integration/test_log_vectors.py` has aics-tlog and pymerkle judge the good ones. The key is derived
from a word (SHA-256 of `vectors`), so running this again gives the same bytes.
"""

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

from ledger.core.checkpoint import sign_checkpoint
from ledger.core.merkle import consistency_proof, leaf_hash, peaks_of, root
from ledger.core.note import NoteSigner
from ledger.core.receipt import format_receipt
from ledger.core.tiles import TileNodes, encode_bundle, grow, tiles_of
from ledger.service.log.sequence import Log
from ledger.testing import AdmitAll, FixedClock, MemoryEntryStore, MemoryLastSigned, SeedSigner
from tests.support.log import project

HERE = Path(__file__).parent
ORIGIN = "ledger.example/vectors"
KEY = SeedSigner("vectors")
ENTRIES = [f"vector {number}".encode() for number in range(300)]
SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 300)
PAIRS = ((1, 2), (1, 300), (2, 3), (3, 7), (7, 8), (8, 257), (255, 256), (256, 300), (299, 300), (300, 300))


def vectors() -> dict[str, bytes]:
    """Return the files by name."""
    return {**_receipts(), **_checkpoints(), "trees.json": _json(_trees()), "tiles.json": _json(_tiles())}


def _nodes(size: int) -> TileNodes:
    tiles = grow(0, lambda tile: b"", [leaf_hash(entry) for entry in ENTRIES])
    return TileNodes(size, lambda tile: tiles[tile.level, tile.index])


def _root(size: int) -> bytes:
    return root(peaks_of(0, size, _nodes(size)))


def _trees() -> dict[str, Any]:
    return {
        "entries": "the texts `vector 0` to `vector 299`",
        "roots": {str(size): _root(size).hex() for size in SIZES},
        "consistency": [
            {
                "old": old,
                "new": new,
                "proof": [item.hex() for item in consistency_proof(old, new, _nodes(new))],
            }
            for old, new in PAIRS
        ],
    }


def _tiles() -> dict[str, Any]:
    tiles = grow(0, lambda tile: b"", [leaf_hash(entry) for entry in ENTRIES])
    found: dict[str, str] = {}
    for tile in tiles_of(0, len(ENTRIES)):
        if tile.level == 0:
            bundle = encode_bundle(ENTRIES[tile.index * 256 : tile.index * 256 + tile.width])
            found[tile.bundle_path] = base64.b64encode(bundle).decode()
        found[tile.path] = base64.b64encode(tiles[tile.level, tile.index]).decode()
    return found


def _log() -> Log:
    return Log(MemoryEntryStore(), [KEY], ORIGIN, FixedClock(), AdmitAll(project), MemoryLastSigned())


def _receipts() -> dict[str, bytes]:
    log = _log()
    log.append(ENTRIES)
    good = log.receipt(77)
    text = format_receipt(good)
    flipped = dataclasses.replace(good, proof=(bytes(32), *good.proof[1:]))
    return {
        "vkey.txt": log.verifier.vkey.encode() + b"\n",
        "entry.txt": ENTRIES[77],
        "good.tlog-proof": text,
        "bad-another-index.tlog-proof": text.replace(b"index 77", b"index 78"),
        "bad-extra-line.tlog-proof": text.replace(b"index 77", b"extra AAAA\nindex 77"),
        "bad-hash-changed.tlog-proof": format_receipt(flipped),
        "bad-hash-missing.tlog-proof": format_receipt(dataclasses.replace(good, proof=good.proof[1:])),
        "bad-index-padded.tlog-proof": text.replace(b"index 77", b"index 077"),
        "bad-line-ends.tlog-proof": text.replace(b"\n", b"\r\n"),
        "bad-version.tlog-proof": text.replace(b"tlog-proof@v1", b"tlog-proof@v2"),
    }


def _checkpoints() -> dict[str, bytes]:
    own, stranger = NoteSigner(ORIGIN, KEY), NoteSigner(ORIGIN, SeedSigner("stranger"))
    good = sign_checkpoint(ORIGIN, 300, _root(300), [own])
    return {
        "good.checkpoint": good,
        "good-unknown-signature-too.checkpoint": sign_checkpoint(ORIGIN, 300, _root(300), [stranger, own]),
        "bad-another-key.checkpoint": sign_checkpoint(ORIGIN, 300, _root(300), [stranger]),
        "bad-no-final-newline.checkpoint": good[:-1],
        "bad-size-changed.checkpoint": good.replace(b"\n300\n", b"\n301\n"),
        "bad-size-padded.checkpoint": good.replace(b"\n300\n", b"\n0300\n"),
    }


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"


if __name__ == "__main__":
    for name, data in vectors().items():
        (HERE / name).write_bytes(data)
