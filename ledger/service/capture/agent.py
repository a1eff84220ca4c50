"""The agent: takes records out of the spool, signs and chains them, brings them to the log, seals.

* Whatever fails leaves the work where it was, and the next turn does it again: a record leaves the spool when
  the chain holds it durably, and counts as sent when a receipt covers it.
* A record that cannot be read, or belongs to no production, is held: unchanged, with the reason.
* The numbers that hooks took tell when a record never came, or was taken away. That is signed, too.
* A server that is away is asked again later, with growing patience and at the time that it asks for. What it
  refuses is kept and offered again: somebody may enrol the device in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.checkpoint import open_checkpoint
from ledger.core.merkle import leaf_hash, verify_inclusion
from ledger.core.note import NoteVerifier
from ledger.core.predicates.lost_record import LossReason
from ledger.core.receipt import parse_receipt
from ledger.core.spooled import Spooled, SpooledFile, read_input, read_spooled
from ledger.core.statement import Statement
from ledger.errors import RakkanError, UsageError
from ledger.ports import Signer
from ledger.service.capture.clocks import Now
from ledger.service.capture.drafts import Draft, gap
from ledger.service.capture.steps import Drafting, Production
from ledger.service.capture.store import Chain, Link, Receipted, Spool, Uplink, Waiting

TAKEN = 500
"""Records taken out of the spool at a time: what a crash makes the agent hash again."""
SENT = 500
"""Entries offered to the log at a time."""
PATIENCE = timedelta(seconds=1), timedelta(minutes=5)
"""Between two tries of a log that is away: at first, and at most."""
REFUSED_FOR = timedelta(minutes=10)
"""How long the agent waits before it offers again what the log refused."""
KEPT = timedelta(days=14)
"""How long a record stays on the device after a checkpoint covers it."""

LEFT_ALONE = frozenset({"file.missing", "file.changed", "file.not-a-file", "seal.not-recorded"})
"""Why a file that was to be sealed is left as it is: it has become another one."""

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

Keeping = Callable[[Path, str], None]
"""Keeps the manifest that a file of this SHA-256 (hex) came with, if it has one."""
Sealing = Callable[[Sequence[Path]], None]
"""Seals recorded files, those that are sealed already left out. Raises ``RakkanError``."""


class Ends(NamedTuple):
    """What is at the other end: the log, and what is done against it.

    Where the ledger is elsewhere, ``offer`` gives the studio the manifests that are kept here (raises
    ``RakkanError``), and ``left`` counts those that it does not have.
    """

    uplink: Uplink
    seal: Sealing
    keep: Keeping
    offer: Callable[[], None] = lambda: None
    left: Callable[[], int] = lambda: 0


@dataclass(slots=True)
class Way:
    """One production: its chain, the way to its log, and when to try again.

    See ``Ends``. ``shares``: the studio may have the openings.
    """

    production: Production
    signer: Signer
    verifiers: Sequence[NoteVerifier]
    chain: Chain
    uplink: Uplink
    seal: Sealing
    keep: Keeping
    offer: Callable[[], None]
    left: Callable[[], int]
    shares: bool = False
    again: datetime = NEVER
    offered: datetime = NEVER
    seals_again: datetime = NEVER
    offers_again: datetime = NEVER
    patience: timedelta = PATIENCE[0]
    trouble: RakkanError | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did: statements signed, entries that the log took, files sealed; is there more?"""

    signed: int = 0
    sent: int = 0
    sealed: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Drafted:
    """The drafts of a record; ``name`` is that of the spool's file, if there is one."""

    record: str
    drafts: Sequence[Draft]
    name: str | None = None


class Agent:
    """One device's agent. ``now`` tells both clocks."""

    def __init__(self, spool: Spool, ways: Sequence[Way], drafting: Drafting, now: Callable[[], Now]) -> None:
        self.ways = tuple(ways)
        self._spool = spool
        self._drafting = drafting
        self._now = now
        self._lists: list[str] = []
        self._held: dict[str, RakkanError] = {}

    @property
    def unfinished(self) -> bool:
        """Whether a record waits in the spool, or one that was signed is not in the log."""
        counts = [way.chain.counts() for way in self.ways]
        unsent = any(item["signed"] or item["refused"] for item in counts)
        return bool(self._spool.waiting(1)) or unsent or any(way.left() for way in self.ways)

    def turn(self) -> Turn:
        """Do all that can be done now, one batch of each kind."""
        waiting = self._spool.waiting(TAKEN)
        signed = self._take(waiting) if waiting else 0
        sent = sum(self._send(way) for way in self.ways)
        sealed = sum(self._seal(way) for way in self.ways)
        for way in self.ways:
            self._offer(way)
        if not (signed or sent):
            for way in self.ways:
                way.chain.forget(self._now().wall - KEPT)
        return Turn(signed, sent, sealed, more=bool(waiting) or sent >= SENT)

    def _take(self, waiting: Sequence[Waiting]) -> int:
        """Sign what waits and keep it, then remove it from the spool; return how many statements."""
        first, now = self.ways[0], self._now()
        records = list(self._read(waiting))
        names = [record_name(record) for _, record in records]
        known = frozenset[str]().union(*(way.chain.knows(names) for way in self.ways))
        fresh = {item.name for item, record in records if record_name(record) not in known}
        missing, last = _missing(first.chain.last_number(), waiting, fresh, now.wall)
        drafted = {way.production.name: list(missing) if way is first else [] for way in self.ways}
        self._drafting.read(record for item, record in records if item.name in fresh)
        for item, record in records:
            name = record_name(record)
            if name in known:
                continue
            known |= {name}
            with self._holding(item.name):
                way = self._way_of(record)
                drafts = self._drafting.drafts(way.production, record, item, now)
                drafted[way.production.name].append(_Drafted(name, drafts, item.name))
        signed = sum(
            self._sign(way, drafted[way.production.name], last if way is first else None) for way in self.ways
        )
        # Only now: what was put aside before a crash would be taken for a number without a record.
        for name, error in self._held.items():
            self._spool.hold(name, error)
        self._spool.remove([item.name for item in waiting if item.name not in self._held], self._lists)
        return signed

    def _read(self, waiting: Sequence[Waiting]) -> Iterator[tuple[Waiting, Spooled]]:
        self._lists.clear()
        self._held.clear()
        for item in waiting:
            with self._holding(item.name):
                yield item, self._whole(read_spooled(item.data))

    def _whole(self, record: Spooled) -> Spooled:
        """Return the record with the inputs that its hook wrote into a list, because they were many."""
        inputs: list[SpooledFile] = []
        for item in record.inputs:
            lines = self._spool.listed(item.path) if item.path else None
            if lines is None:
                inputs.append(item)
            else:
                inputs += map(read_input, lines)
                self._lists.append(item.path)
        return replace(record, inputs=tuple(inputs))

    def _sign(self, way: Way, drafted: Sequence[_Drafted], last: int | None) -> int:
        sequence, previous = way.chain.head()
        links: list[Link] = []
        for each in drafted:
            with self._holding(each.name):
                # All statements of a record, or none.
                made = list(_signed(each, way.signer, sequence, previous))
                self._keep(way, each)
                for link in made:  # none for a record that says nothing: its tool wrote nothing
                    sequence, previous = sequence + 1, sha256(link.envelope).hexdigest()
                links += made
        way.chain.add(links, last)
        return len(links)

    def _keep(self, way: Way, drafted: _Drafted) -> None:
        """Keep the manifests that came in: sealing what was made from them must not lose a mark."""
        for path, digest in (pair for draft in drafted.drafts for pair in draft.brought):
            way.keep(Path(path), digest)

    @contextmanager
    def _holding(self, name: str | None) -> Iterator[None]:
        """Take note of a record that cannot become a statement: it will be put aside."""
        try:
            yield
        except RakkanError as error:
            if name is None:
                raise
            self._held[name] = error

    def _way_of(self, record: Spooled) -> Way:
        """Return the production that the record names, else the one under whose roots its files lie.

        Raises ``UsageError("capture.no-production")``.
        """
        named = record.place.get("production")
        paths = [item.path for item in (*record.outputs, *record.inputs)]
        for way in self.ways:
            if named == way.production.name or (
                named is None and any(way.production.under(path) is not None for path in paths)
            ):
                return way
        if named is None and len(self.ways) == 1 and not self.ways[0].production.roots:
            return self.ways[0]
        words = f"No production of this device is called {named}" if named else "The files lie under no root"
        raise UsageError("capture.no-production", f"{words}.", paths=paths[:3])

    def _send(self, way: Way) -> int:
        now = self._now().wall
        if now < way.again:
            return 0
        if now > way.offered + REFUSED_FOR:
            way.chain.reconsider()
            way.offered = now
        links = way.chain.unsent(SENT)
        try:
            outcomes = way.uplink.send([link.envelope for link in links]) if links else ()
            way.chain.settle(dict(_judged(way, links, outcomes)))
            self._share(way)
        except RakkanError as error:
            asked = timedelta(seconds=int(str(error.evidence.get("retry_after", 0))))
            way.trouble, way.again = error, now + max(way.patience, asked)
            way.patience = min(way.patience * 2, PATIENCE[1])
            return 0
        way.trouble, way.patience = None, PATIENCE[0]
        return len(links)

    def _share(self, way: Way) -> None:
        """Give the studio the openings of what its log has, where the production says so."""
        openings = way.chain.unshared(SENT) if way.shares else {}
        if openings:
            way.uplink.share(openings)
            way.chain.shared(list(openings))

    def _offer(self, way: Way) -> None:
        """Give the studio the manifests that came in or were made here, after the entries."""
        now = self._now().wall
        if now < max(way.again, way.offers_again) or not way.left():
            return
        try:
            way.offer()
        except RakkanError as error:
            way.trouble, way.offers_again = error, now + PATIENCE[1]

    def _seal(self, way: Way) -> int:
        """Seal what was published or final. A file that is no longer the recorded one is left alone.

        Not while records wait: one may speak of a file in the state in which its tool read it.
        """
        now = self._now().wall
        if now < way.seals_again or self._spool.waiting(1):
            return 0
        done, settled = 0, []
        for sequence, paths in way.chain.unsealed().items():
            count, error = _sealed(way.seal, list(map(Path, paths)))
            done += count
            if error is None:
                settled.append(sequence)
                continue
            way.trouble, way.seals_again = error, now + PATIENCE[1]
            if _away(error):
                break
        way.chain.sealed(settled)
        return done


def record_name(record: Spooled) -> str:
    """Return what names a record for ever: its identifier, and the files that it wrote.

    Both, because a hook that gave two records one identifier must not lose the second.
    """
    paths = "\0".join(sorted(f"{item.path or item.sha256} {item.stamp}" for item in record.outputs))
    return f"{record.record_id} {sha256(paths.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _sealed(seal: Sealing, paths: Sequence[Path]) -> tuple[int, RakkanError | None]:
    """Seal a record's files together, or one by one where one is not the recorded one any more.

    Return how many were sealed, and what has to be mended before the others can be.
    """
    try:
        seal(paths)
    except RakkanError as error:
        if len(paths) == 1 or _away(error):
            return 0, None if error.code in LEFT_ALONE else error
        results = [_sealed(seal, [path]) for path in paths]
        return sum(count for count, _ in results), next((each for _, each in results if each), None)
    return len(paths), None


def _away(error: RakkanError) -> bool:
    """Whether the trouble is the server's, so that every other file would have the same."""
    return error.code == "server.unreachable" or "retry_after" in error.evidence


def _missing(
    last: int, waiting: Sequence[Waiting], fresh: Collection[str], now: datetime
) -> tuple[list[_Drafted], int]:
    """Return drafts for numbers that were taken and have no record, and the newest number."""
    found = []
    for item in waiting:
        if item.number == 0 or (item.number <= last and item.name not in fresh):
            continue
        if item.number <= last:
            found.append(_gap(LossReason.RESTARTED, last, item.number, now))
        elif item.number > last + 1:
            found.append(_gap(LossReason.ABANDONED, last + 1, item.number - 1, now))
        last = item.number
    return found, last


def _gap(reason: LossReason, first: int, last: int, now: datetime) -> _Drafted:
    return _Drafted(f"{reason.value} {first} {last} {now.isoformat()}", [gap(reason, first, last, now)])


def _signed(drafted: _Drafted, signer: Signer, sequence: int, previous: str | None) -> Iterator[Link]:
    """Yield the record's statements; the first one has the record's own identifier."""
    for number, draft in enumerate(drafted.drafts):
        payload = statements.encode(Statement(draft.subjects, draft.numbered(sequence, previous)))
        envelope = dsse.sign(payload, signer)
        record = f"{drafted.record}#{number}" if number else drafted.record
        yield Link(sequence, record, envelope, draft.openings, draft.seal)
        sequence, previous = sequence + 1, sha256(envelope).hexdigest()


def _judged(
    way: Way, links: Sequence[Link], outcomes: Sequence[Receipted | RakkanError]
) -> Iterator[tuple[int, Receipted | RakkanError]]:
    """Yield each record's number with its outcome; a receipt that does not hold for the record is none."""
    checkpoint = cache(partial(open_checkpoint, verifiers=way.verifiers))
    for link, outcome in zip(links, outcomes, strict=True):
        if isinstance(outcome, Receipted):
            try:
                receipt = parse_receipt(outcome.receipt)
                known = checkpoint(receipt.checkpoint)
                leaf = leaf_hash(link.envelope)
                verify_inclusion(receipt.index, known.size, leaf, receipt.proof, known.root)
            except RakkanError as error:
                yield link.sequence, error
                continue
        yield link.sequence, outcome
