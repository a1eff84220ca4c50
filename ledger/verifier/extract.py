"""One entry out of a bundle, in the forms that other programs read: docs/howto/check-a-bundle.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ledger.core.audit.bundle import CHECKPOINT, ENTRIES, PROOF, Line, read_line
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.multiproof import multiproof_root, path_of
from ledger.core.receipt import Receipt, format_receipt
from ledger.errors import UsageError
from ledger.verifier.archive import Archive


def extract(archive: Archive, index: int, folder: Path) -> list[Path]:
    """Write ``entry-N.dsse.json`` and ``entry-N.tlog-proof``, and return where. Nothing is checked.

    A withheld entry has its leaf hash in ``entry-N.leaf`` instead of its envelope. Raises
    ``UsageError("bundle.no-entry")``, and ``MalformedError`` for a proof that is not one.
    """
    line = next((line for line in _lines(archive) if line.index == index), None)
    if line is None:
        raise UsageError("bundle.no-entry", f"The bundle has no entry {index}.", index=index)
    checkpoint = archive.read(CHECKPOINT)
    size = parse_checkpoint(checkpoint).size
    hashes: dict[tuple[int, int], bytes] = {}

    def seen(low: int, high: int, found: bytes) -> None:
        hashes[low, high] = found

    multiproof_root(size, ((item.index, item.leaf) for item in _lines(archive)), archive.read(PROOF), seen)
    path = path_of(index, size, lambda low, high: hashes[low, high])
    receipt = format_receipt(Receipt(index, path, checkpoint))
    named = {f"entry-{index}.tlog-proof": receipt}
    if line.envelope is None:
        named[f"entry-{index}.leaf"] = line.leaf.hex().encode()
    else:
        named[f"entry-{index}.dsse.json"] = line.envelope
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in named.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in sorted(named)]


def _lines(archive: Archive) -> Iterator[Line]:
    return map(read_line, archive.lines(ENTRIES))
