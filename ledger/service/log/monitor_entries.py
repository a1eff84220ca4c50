"""Reading every entry of somebody else's log, once, and proving that they are the entries it signed.

* The entries of a bundle must hash to the tile over it: so a bad one is named exactly.
* All leaf hashes since the first entry must lead to the signed root: so tiles and bundles that are wrong
  together are found too, at the end.
* What was read is carried as the peaks over whole bundles, a few hashes. So memory is flat, and a reading
  that was stopped goes on where it was. A root that is missed at the end starts it anew.
* Entries are not kept. Follow them with another tool, or copy the bundles: they are static files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ledger.core import canonical
from ledger.core.checkpoint import Checkpoint
from ledger.core.encoding import encode_base64
from ledger.core.fields import Fields
from ledger.core.merkle import HASH_SIZE, Peaks, extend, leaf_hash, root
from ledger.core.tiles import WIDTH, Tile, decode_bundle
from ledger.errors import IntegrityError, MalformedError, RakkanError, RefusedError, UndecidedError
from ledger.ports import Publication, PublishedLog
from ledger.service.log.monitor import bad_state
from ledger.service.log.monitor_proofs import read_tile

PROGRESS = "entries.json"
"""How far the entries are read: ``{"entries": n, "peaks": base64}``, n a multiple of 256."""

_SAVED_EVERY = 64 * WIDTH


@dataclass(frozen=True, slots=True)
class _Progress:
    entries: int
    peaks: Peaks


def read_entries(
    log: PublishedLog, state: Publication, signed: Checkpoint, stopped: Callable[[], bool]
) -> int:
    """Read the entries up to ``signed``, from where the last reading ended; return how many are checked.

    ``signed`` must be a checkpoint that a ``Monitor`` with the same state has kept. ``stopped`` is asked
    after each bundle. Raises ``IntegrityError("monitor.tiles")``, ``UndecidedError("monitor.incomplete")``,
    ``UsageError("monitor.state")``, and what the log and the state raise.
    """
    saved = state.get(PROGRESS)
    done = _parse(saved)
    if done.entries > signed.size:
        raise bad_state(PROGRESS, "more was read than the log has")
    try:
        while done.entries + WIDTH <= signed.size:
            if stopped():
                return done.entries
            done = _extended(log, done, WIDTH)
            if done.entries % _SAVED_EVERY == 0:
                saved = _save(state, saved, done)
        rest = signed.size - done.entries
        last = _extended(log, done, rest) if rest else done
        if root(last.peaks) != signed.root:
            done = _Progress(0, ())
            raise IntegrityError(
                "monitor.tiles", "The log's entries do not lead to the root that it signed.", size=signed.size
            )
    finally:
        _save(state, saved, done)
    return signed.size


def _extended(log: PublishedLog, done: _Progress, width: int) -> _Progress:
    """Return the progress with one bundle more, checked against its tile."""
    tile = Tile(0, done.entries // WIDTH, width)
    leaves = [leaf_hash(entry) for entry in read_bundle(log, tile)]
    if b"".join(leaves) != read_tile(log, tile):
        raise IntegrityError(
            "monitor.tiles", "Entries do not hash to the tile over them.", bundle=tile.bundle_path
        )
    return _Progress(done.entries + width, extend(done.entries, done.peaks, leaves))


def read_bundle(log: PublishedLog, tile: Tile) -> Sequence[bytes]:
    """Return the entries under a tile; from the full bundle where the log has dropped the partial one."""
    for held in dict.fromkeys((tile, Tile(0, tile.index, WIDTH))):
        data = log.get(held.bundle_path)
        if data is not None:
            return _decoded(data, held)[: tile.width]
    raise UndecidedError("monitor.incomplete", "A bundle of entries is missing.", bundle=tile.bundle_path)


def _decoded(data: bytes, tile: Tile) -> Sequence[bytes]:
    try:
        entries = decode_bundle(data)
    except MalformedError as error:
        raise _cut_short(tile) from error
    if len(entries) != tile.width:
        raise _cut_short(tile)
    return entries


def _cut_short(tile: Tile) -> UndecidedError:
    return UndecidedError("monitor.incomplete", "A bundle of entries is cut short.", bundle=tile.bundle_path)


def _parse(saved: bytes | None) -> _Progress:
    if saved is None:
        return _Progress(0, ())
    try:
        fields = Fields(canonical.decode(saved), code="monitor.state")
        entries, hashes = fields.take("entries", int), fields.base64("peaks")
        fields.end()
    except RakkanError as error:
        raise bad_state(PROGRESS, error) from error
    if entries < 0 or entries % WIDTH or len(hashes) != entries.bit_count() * HASH_SIZE:
        raise bad_state(PROGRESS, "its numbers do not belong together")
    peaks = tuple(hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE))
    return _Progress(entries, peaks)


def _save(state: Publication, saved: bytes | None, done: _Progress) -> bytes | None:
    """Save the progress if nobody else has meanwhile; return what is saved now."""
    data = canonical.encode({"entries": done.entries, "peaks": encode_base64(b"".join(done.peaks))})
    if data == saved:
        return saved
    try:
        state.swap(PROGRESS, saved, data)
    except RefusedError as error:
        # Another monitor reads the same entries. Its progress is as good.
        if error.code != "log.fenced":
            raise
        return state.get(PROGRESS)
    return data
