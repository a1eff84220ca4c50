"""Every entry that a report rests on, judged anew: its place in the tree, and who signed it.

* In the order of the log, by the rules of ``core.keyring``: what a key may say, and when it might.
* An entry fails when its bytes are not those of the tree, when they cannot be read, when its signature is
  wrong, or when its signer might not say this. Whose key nobody knows here is undecided, never failed.
* A revocation that calls a key suspect reaches back, so that is asked when all is read.
* Signatures are verified by threads while this one reads: Ed25519 needs no interpreter.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.envelope import Envelope
from ledger.core.fields import parse_time
from ledger.core.identity import PublicKey
from ledger.core.keyring import KeyHistory, judge
from ledger.core.merkle import inclusion_proof, leaf_hash, verify_inclusion
from ledger.core.predicates import Seal, Step, types_of
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.statement import Statement
from ledger.core.tiles import WIDTH, TileNodes
from ledger.errors import IntegrityError, RakkanError, UndecidedError
from ledger.service.clear.question import Clearer
from ledger.service.log.nodes import stored
from ledger.service.report.entries import PIECE
from ledger.service.studio import Studio

_MOMENTS = {Seal.TYPE: "sealed", **dict.fromkeys(types_of(Step), "finished")}
"""Where a step and a seal say when it was."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_STEP = Step("", StepAction.IMPORT, Evidence.DECLARED, Place(""), _NEVER, _NEVER, "", Tool("", ""))
_SHARE = 125
"""Signatures that a thread verifies at once."""


@dataclass(slots=True)
class Judged:
    """What came of ``looked`` entries, by index: the codes of what is wrong with each.

    ``outside`` are not in the tree as they are here, ``forged`` not signed by whom they would have to be,
    ``undecided`` neither shown nor refuted. ``signed`` counts entries by keyid; ``history`` are the keys.
    """

    history: KeyHistory
    looked: int = 0
    outside: dict[int, str] = field(default_factory=dict)
    forged: dict[int, str] = field(default_factory=dict)
    undecided: dict[int, str] = field(default_factory=dict)
    signed: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> dict[int, str]:
        """Return the entries that fail, for whatever reason."""
        return self.outside | self.forged


class _Read(NamedTuple):
    """An entry as read. ``good`` says, once it is known, whether each signature by a known key holds."""

    envelope: Envelope
    statement: Statement
    good: Mapping[str, bool]


def judged(studio: Studio, clearer: Clearer, entries: Sequence[int]) -> Judged:
    """Return what comes of these entries, in ascending order, in the tree that ``clearer`` judges by."""
    history = KeyHistory(studio.trust.registrars, studio.trust.log_keys(studio.log.origin))
    found = Judged(history, len(entries))
    signers: dict[int, str] = {}
    with ThreadPoolExecutor() as pool:
        for at in range(0, len(entries), PIECE):
            piece = entries[at : at + PIECE]
            held = studio.entries.envelopes_at(piece)
            found.outside |= _outside(studio, clearer, piece, held)
            for index, read in _read(pool, found, piece, held):
                signers[index] = _judge(found, index, read)
    for index, keyid in signers.items():
        try:
            history.check_suspect(keyid, index)
        except UndecidedError as error:
            found.undecided.setdefault(index, error.code)
    found.undecided = {
        index: found.undecided[index] for index in found.undecided if index not in found.failed
    }
    found.signed = Counter(signers.values())
    return found


def _outside(
    studio: Studio, clearer: Clearer, piece: Sequence[int], held: Mapping[int, bytes]
) -> dict[int, str]:
    """Return the entries of which the tree says something else, or that are not there at all.

    The proof of one leaf is folded from all the other hashes of its tile, so it proves the whole tile.
    """
    nodes = TileNodes(studio.entries.head().size, stored(studio.entries.tile))
    root, wrong = bytes.fromhex(clearer.root), dict[int, str]()
    tiles: dict[int, str | None] = {}
    for index in piece:
        tile = index // WIDTH
        if tile not in tiles:
            tiles[tile] = _proven(nodes, index, clearer.size, root)
        if index not in held:
            wrong[index] = "log.no-such-entry"
        elif code := tiles[tile]:
            wrong[index] = code
        elif nodes(0, index) != leaf_hash(held[index]):
            wrong[index] = "proof.mismatch"
    return wrong


def _proven(nodes: TileNodes, index: int, size: int, root: bytes) -> str | None:
    """Return why the tile over an entry does not lead to the root; ``None`` where it does."""
    try:
        verify_inclusion(index, size, nodes(0, index), inclusion_proof(index, size, nodes), root)
    except RakkanError as error:
        return error.code
    return None


def _read(
    pool: ThreadPoolExecutor, found: Judged, piece: Sequence[int], held: Mapping[int, bytes]
) -> Iterator[tuple[int, _Read]]:
    """Yield the entries that can be read; the others are noted as forged."""
    envelopes: dict[int, Envelope] = {}
    for index in piece:
        try:
            if index in held:
                envelopes[index] = dsse.decode(held[index])
        except RakkanError as error:
            found.forged[index] = error.code
    verified = _verified(pool, found.history, envelopes)
    read = []
    for index, envelope in envelopes.items():
        try:
            read.append((index, envelope, _statement(envelope.payload)))
        except RakkanError as error:
            found.forged[index] = error.code
    good: dict[int, dict[str, bool]] = {}
    for future in verified:
        for index, keyid, holds in future.result():
            good.setdefault(index, {})[keyid] = holds
    for index, envelope, statement in read:
        yield index, _Read(envelope, statement, good.get(index, {}))


def _statement(payload: bytes) -> Statement:
    """Return what an entry states; of a step or a seal, which are many, only what its signer is judged by.

    That those are well formed the log has seen when it took them: to prove it again takes ten times as long.
    """
    try:
        said = json.loads(payload)
        member = _MOMENTS.get(said["predicateType"])
        moment = parse_time(said["predicate"][member]) if member else None
    except (ValueError, KeyError, TypeError):
        return statements.decode(payload)  # says what is wrong with it
    if moment is None:
        return statements.decode(payload)
    return Statement((), Seal(moment, ()) if member == "sealed" else replace(_STEP, finished=moment))


_Signed = tuple[int, str, bool]


def _verified(
    pool: ThreadPoolExecutor, history: KeyHistory, envelopes: Mapping[int, Envelope]
) -> list[Future[list[_Signed]]]:
    """Have the signatures by keys that are known so far verified."""
    tasks = [
        (index, key, signature.sig, envelope.payload)
        for index, envelope in envelopes.items()
        for signature in envelope.signatures
        if (key := history.key(signature.keyid)) is not None
    ]
    return [pool.submit(_verify, tasks[at : at + _SHARE]) for at in range(0, len(tasks), _SHARE)]


def _verify(tasks: Sequence[tuple[int, PublicKey, bytes, bytes]]) -> list[_Signed]:
    return [(index, key.keyid, key.signed(sig, dsse.pae(payload))) for index, key, sig, payload in tasks]


def _judge(found: Judged, index: int, read: _Read) -> str:
    """Note what is wrong with an entry, and return whose it is: the keyid."""

    def verify(envelope: Envelope, key: PublicKey) -> None:
        if key.keyid not in read.good:
            dsse.verify(envelope, key)
        elif not read.good[key.keyid]:
            words = "The signature does not fit the key and the bytes."
            raise IntegrityError("envelope.signature", words, keyid=key.keyid)

    try:
        return judge(found.history, index, read.envelope, read.statement, verify).key.keyid
    except UndecidedError as error:
        found.undecided[index] = error.code
    except RakkanError as error:
        found.forged[index] = error.code
    return read.envelope.signatures[0].keyid
