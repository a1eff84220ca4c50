"""The work that faults are put into, and what must hold after each of them.

`work` appends and publishes, and tells what it acknowledged in the moment it does. `examine` opens what a
fault left behind and holds it against that:

- every entry acknowledged is there, under its index; its receipt is valid, and so is a new one;
- the last-signed record is not behind what was acknowledged;
- what is published is complete, is the log's, and is not less than what was acknowledged as published;
- fsck finds nothing wrong;
- every checkpoint that was ever signed and kept is consistent with every other one.

`resume` does the work again and must end where undisturbed work ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from ledger.adapters.files import DirectoryPublication
from ledger.core.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint
from ledger.core.digest import sha256_hex
from ledger.core.merkle import leaf_hash, peaks_of, root, verify_consistency
from ledger.core.receipt import format_receipt, parse_receipt, verify_receipt
from ledger.core.report import Status
from ledger.core.tiles import TileNodes, decode_bundle, tiles_of
from ledger.errors import RakkanError
from ledger.ports import Publication
from ledger.service.log.fsck import fsck
from ledger.service.log.publish import publish
from ledger.service.log.sequence import Log
from tests.support.log import entries, new_log, publication, sqlite_log, tree_hash
from tests.support.records import records_of

OLD = entries(250, "old")
# The second batch fills a tile, so that one more level begins.
BATCHES = [
    [*entries(4, "first"), OLD[7]],
    [*entries(5, "second"), b"second 3", b"first 0"],
    [b"last"],
]
ALL = [*OLD, *entries(4, "first"), *entries(5, "second"), b"last"]
VERIFIER = new_log().verifier
_SLOT = 4096

Tell = Callable[[dict[str, Any]], None]


@dataclass
class Told:
    """What the work said, in order: acknowledgements, codes of errors, a traceback, its end."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, message: dict[str, Any]) -> None:
        self.messages.append(message)

    def all(self, name: str) -> list[Any]:
        """Every value that was told under this name."""
        return [message[name] for message in self.messages if name in message]

    @property
    def published(self) -> int:
        """The largest size acknowledged as published."""
        return max(self.all("published"), default=0)

    @property
    def done(self) -> bool:
        return bool(self.all("done"))


def prepare(folder: Path) -> Path:
    """Make a log with a tile that is nearly full, never published, and without its last-signed record."""
    folder.mkdir(parents=True, exist_ok=True)
    with sqlite_log(folder) as log:
        log.append(OLD)
    (folder / "last-signed").unlink()
    return folder


def work(folder: Path, tell: Tell) -> None:
    """Append each batch and publish after it; an error is told, and the same step done again, three times."""
    with sqlite_log(folder) as log:
        public = publication(folder)
        for batch in BATCHES:
            insist(partial(_append, log, batch, tell), tell)
            insist(partial(_publish, log, public, tell), tell)


def insist(step: Callable[[], None], tell: Tell, times: int = 3) -> None:
    """Do the step until it succeeds, telling every error of ours; raise the last one."""
    for left in reversed(range(times)):
        try:
            return step()
        except RakkanError as error:
            tell({"error": error.code})
            if not left:
                raise
    return None


def _append(log: Log, batch: list[bytes], tell: Tell) -> None:
    for entry, found in zip(batch, log.append(batch), strict=True):
        tell({"entry": [found.index, entry.hex(), format_receipt(found.receipt).decode()]})


def _publish(log: Log, public: Publication, tell: Tell) -> None:
    tell({"published": publish(log, public).size})


def resume(folder: Path) -> None:
    """Do the whole work again, which must succeed at once and end like work that nothing disturbed."""
    told = Told()
    work(folder, told)
    assert told.all("error") == []
    examine(folder, told)
    with sqlite_log(folder) as log:
        assert list(log.store.envelopes(0, MAX_SIZE)) == ALL
        assert root(log.head().peaks) == tree_hash([leaf_hash(entry) for entry in ALL])


def examine(folder: Path, told: Told) -> None:
    """Hold what is on disk against what was told; `AssertionError` or `RakkanError` if something is lost."""
    recorded, acknowledged, public = _recorded(folder), _acknowledged(told), publication(folder)
    # Otherwise a database from an older backup would be signed over.
    assert _largest(recorded) >= _largest(acknowledged)
    signed = [*recorded, *acknowledged, *filter(None, [public.get("checkpoint")])]
    with sqlite_log(folder) as log:
        check_report(log, public)
        held = list(log.store.envelopes(0, MAX_SIZE))
        head = log.head()
        signed.append(head.checkpoint)
        assert root(head.peaks) == tree_hash([leaf_hash(entry) for entry in held])
        for index, entry, _ in told.all("entry"):
            assert held[index].hex() == entry
            verify_receipt(log.receipt(index), held[index], [VERIFIER])
        agree(log, signed)
    check_published(public, held, told.published)


def check_report(log: Log, public: DirectoryPublication) -> None:
    """Let fsck look: no fault here damages more than one copy in the last-signed record, half written."""
    report = fsck(records_of(log), public)
    bad = [one.check for one in report.findings if one.check.status is Status.FAILED]
    assert [one for one in bad if "last-signed.damaged" not in one.codes] == []


def _largest(signed: Sequence[bytes]) -> int:
    return max((open_checkpoint(note, [VERIFIER]).size for note in signed), default=0)


def _acknowledged(told: Told) -> list[bytes]:
    """Return the checkpoints of the receipts that left, each of which must hold for its entry."""
    for _, entry, text in told.all("entry"):
        verify_receipt(parse_receipt(text.encode()), bytes.fromhex(entry), [VERIFIER])
    return [parse_receipt(text.encode()).checkpoint for _, _, text in told.all("entry")]


def _recorded(folder: Path) -> list[bytes]:
    """Return what the whole slots of the last-signed record hold."""
    record = folder / "last-signed"
    raw = record.read_bytes() if record.exists() else b""
    found = []
    for at in range(0, len(raw), _SLOT):
        digest, _, note = raw[at : at + _SLOT].rstrip(b"\0").partition(b"\n")
        if sha256_hex(note).encode() == digest:
            found.append(note)
    return found


def agree(log: Log, signed: Sequence[bytes]) -> None:
    """Prove that no two of these checkpoints contradict each other."""
    opened = {open_checkpoint(note, [VERIFIER]) for note in signed}
    by_size: dict[int, Checkpoint] = {}
    for checkpoint in sorted(opened, key=lambda one: one.size):
        assert by_size.setdefault(checkpoint.size, checkpoint) == checkpoint
    for old, new in combinations(by_size.values(), 2):
        proof = log.consistency(old.size, new.size)
        verify_consistency(old.size, new.size, proof, old.root, new.root)


def check_published(public: Publication, held: Sequence[bytes], at_least: int) -> None:
    """Read the published log as a stranger would, every byte of it."""
    note = public.get("checkpoint")
    if note is None:
        assert at_least == 0
        return
    checkpoint = open_checkpoint(note, [VERIFIER])
    assert at_least <= checkpoint.size <= len(held)
    assert checkpoint.root == tree_hash([leaf_hash(entry) for entry in held[: checkpoint.size]])
    nodes = TileNodes(checkpoint.size, lambda tile: public.get(tile.path) or b"")
    assert root(peaks_of(0, checkpoint.size, nodes)) == checkpoint.root
    found: list[bytes] = []
    for tile in tiles_of(0, checkpoint.size):
        if tile.level == 0:
            found += decode_bundle(public.get(tile.bundle_path) or b"")
    assert found == list(held[: checkpoint.size])
