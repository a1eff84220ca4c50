"""Publication of a log as static files (c2sp.org/tlog-tiles), readable without our code.

* The order is: entry bundles and tiles, leaf level first; then everything written is read back and must lead
  to the root; then the witnesses are asked; then the checkpoint. So a published checkpoint never promises a
  file that is not there.
* Every step can be repeated: the same size gives the same files, and a file that is there already with the
  same bytes is fine.
* What is published already binds the log: a smaller or different database publishes nothing.
* Only what is new since the published size is written. Partial tiles are written for the published size.
* The published checkpoint carries every cosignature there is, and may be replaced by the same one with more.
  Below the quorum, a log that fails closed leaves the older checkpoint published; one that fails open
  publishes what there is, and says so.
* A contradiction, with what is published or with a witness, sounds an alarm that keeps the checkpoints. While
  any alarm is open, nothing is published.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from ledger.core.checkpoint import Checkpoint, open_checkpoint
from ledger.core.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash, peaks_of, root
from ledger.core.note import parse_note
from ledger.core.policy import Quorum
from ledger.core.tiles import HEIGHT, WIDTH, Tile, TileNodes, decode_bundle, encode_bundle, fold, tiles_of
from ledger.errors import IntegrityError, RakkanError, RefusedError, UndecidedError
from ledger.ports import Alarms, Clock, Head, Publication
from ledger.service.log.nodes import corruption, root_at, stored
from ledger.service.log.sequence import Log
from ledger.service.log.witnessing import Cosigned, ForkError, Witnessing, cosign

T = TypeVar("T")
R = TypeVar("R")

CHECKPOINT = "checkpoint"
AT_ONCE = 8
"""Files on their way at a time."""
INTERVAL = timedelta(seconds=1)
"""The least time between two checkpoints of a publisher that runs in a loop."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication now holds: its size, its signed checkpoint, and how many files were new.

    ``quorum`` is how the checkpoint stands with the witness policy (``None``: there is no policy), and
    ``trouble`` says of each witness that was asked in vain why it is missing.
    """

    size: int
    checkpoint: bytes
    files: int
    quorum: Quorum | None = None
    trouble: tuple[UndecidedError, ...] = ()


def publish(
    log: Log,
    publication: Publication,
    *,
    alarms: Alarms | None = None,
    witnessing: Witnessing | None = None,
) -> Published:
    """Bring the publication up to the log's head.

    Raises ``UsageError("log.empty")``, ``RefusedError("log.rollback")`` when more is published or witnessed
    than the database holds, ``IntegrityError`` when something else is (``log.conflict``, ``witness.fork``),
    ``RefusedError("log.alarm")`` while an alarm is open, ``UndecidedError("witness.quorum")``, and what
    ``Log.head`` and the publication raise. After any error the publication is valid as it was: call again.
    """
    open_alarms = alarms.open() if alarms else ()
    if open_alarms:
        name = open_alarms[0]
        raise RefusedError("log.alarm", f"Nothing is published while an alarm is open: {name}.", alarm=name)
    head = log.head()
    note = publication.get(CHECKPOINT)
    try:
        return _publish(log, publication, head, note, witnessing)
    except IntegrityError as error:
        if alarms and error.code in {"log.conflict", "witness.fork"}:
            theirs = error.theirs if isinstance(error, ForkError) else note
            evidence = {"ours.checkpoint": head.checkpoint, "theirs.checkpoint": theirs or b""}
            error.evidence["alarm"] = kept = alarms.sound(error.code, error.message, evidence)
            error.message = f"{error.message} The evidence is in {kept}."
        raise


class Publisher:
    """Publishes in a loop, at most once in each ``INTERVAL``."""

    def __init__(self, run: Callable[[], Published], clock: Clock) -> None:
        self._run = run
        self._clock = clock
        self._last: datetime | None = None

    def tick(self) -> Published | None:
        """Publish, and raise as ``publish`` does; return ``None`` when it is too soon since the last time."""
        now = self._clock.now()
        # A clock that was set back must not stop publication until it has caught up.
        if self._last is not None and timedelta(0) <= now - self._last < INTERVAL:
            return None
        self._last = now
        return self._run()


def _publish(
    log: Log, publication: Publication, head: Head, note: bytes | None, witnessing: Witnessing | None
) -> Published:
    nodes = TileNodes(head.size, stored(log.store.tile))
    old = _published(log, note)
    _check_continues(old, head, nodes)
    files = 0
    if old.size < head.size:
        written = (_files(log, tile, nodes) for tile in tiles_of(old.size, head.size))
        files = sum(_ahead(partial(_put, publication), written))
        _read_back(publication, old.size, head)
    done = None if witnessing is None else _cosigned(log, head, note, witnessing)
    new = head.checkpoint if done is None else done.checkpoint
    if note is not None and old.size == head.size and not _adds(new, note):
        new = note
    else:
        publication.swap(CHECKPOINT, note, new)
        files += 1
    if done is None:
        return Published(head.size, new, files)
    return Published(head.size, new, files, done.quorum, done.trouble)


def _cosigned(log: Log, head: Head, note: bytes | None, witnessing: Witnessing) -> Cosigned:
    done = cosign(log, head, [note] if note else [], witnessing)
    if witnessing.fail_closed:
        witnessing.policy.require(done.quorum)
    return done


def _adds(new: bytes, note: bytes) -> bool:
    """Whether a checkpoint carries a signature that the published one of the same size does not."""
    return not set(parse_note(new).signatures) <= set(parse_note(note).signatures)


def _published(log: Log, note: bytes | None) -> Checkpoint:
    if note is None:
        return Checkpoint(log.origin, 0, EMPTY_ROOT)
    try:
        return open_checkpoint(note, log.verifiers)
    except RakkanError as error:
        raise IntegrityError(
            "log.conflict", "The published checkpoint is not by this log.", cause=error
        ) from error


def _check_continues(old: Checkpoint, head: Head, nodes: TileNodes) -> None:
    if old.size > head.size:
        raise RefusedError(
            "log.rollback", "More is published than the log holds.", published=old.size, held=head.size
        )
    held = root_at(old.size, head, nodes)
    if held != old.root:
        raise IntegrityError(
            "log.conflict",
            "The published checkpoint contradicts the log.",
            size=old.size,
            published=old.root.hex(),
            held=held.hex(),
        )


def _ahead(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield ``function`` of each item in order, a few of them worked on at once.

    A file costs a synchronisation or a round trip and hardly any work: most of the time is waiting. The items
    are made one after the other, by whoever iterates, and only as far ahead as needed.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: deque[Future[R]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == 2 * AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _files(log: Log, tile: Tile, nodes: TileNodes) -> list[tuple[str, bytes]]:
    """Return a tile's files: the entries under it, if it is of the leaf level, then its hashes.

    What is published stays, so nothing leaves that does not fit the signed root.
    """
    hashes = stored(log.store.tile)(tile)[: tile.width * HASH_SIZE]
    first = tile.index * WIDTH
    entries = list(log.store.envelopes(first, first + tile.width)) if tile.level == 0 else None
    _check_tile(tile, hashes, entries, nodes)
    bundle = [] if entries is None else [(tile.bundle_path, encode_bundle(entries))]
    return [*bundle, (tile.path, hashes)]


def _put(publication: Publication, files: Sequence[tuple[str, bytes]]) -> int:
    for path, data in files:
        publication.put_immutable(path, data)
    return len(files)


def _read_back(publication: Publication, old_size: int, head: Head) -> None:
    """Return if the files as published lead to the head's root; else ``IntegrityError("log.corrupt")``.

    Disks and memory do flip bits, and a published checkpoint cannot be taken back.
    """
    nodes = TileNodes(head.size, lambda tile: publication.get(tile.path) or b"")
    with corruption("The published files do not lead to the root."):
        for tile, bundle, hashes in _ahead(partial(_get, publication), tiles_of(old_size, head.size)):
            _check_tile(tile, hashes, None if bundle is None else decode_bundle(bundle), nodes)
        if root(peaks_of(0, head.size, nodes)) != root(head.peaks):
            raise IntegrityError("log.corrupt", "The tiles do not lead to the root.", size=head.size)


def _get(publication: Publication, tile: Tile) -> tuple[Tile, bytes | None, bytes]:
    """Return a tile with its entry bundle, if it is of the leaf level, and its hashes, as published."""
    bundle = (publication.get(tile.bundle_path) or b"") if tile.level == 0 else None
    return tile, bundle, publication.get(tile.path) or b""


def _check_tile(tile: Tile, hashes: bytes, entries: Sequence[bytes] | None, nodes: TileNodes) -> None:
    """Return if a tile has its width, fits the entries under it and, when full, the tile above it."""
    fits = len(hashes) == tile.width * HASH_SIZE
    if entries is not None:
        fits = fits and b"".join(leaf_hash(entry) for entry in entries) == hashes
    if fits and tile.width == WIDTH:
        fits = fold(hashes) == nodes((tile.level + 1) * HEIGHT, tile.index)
    if not fits:
        raise IntegrityError(
            "log.corrupt", "A tile does not fit what lies under and over it.", tile=tile.path
        )
