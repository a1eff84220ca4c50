"""The checks that rest on the log: receipts, statements and keys, and that the record is about this file.

Rules:

* a receipt is believed when its checkpoint is signed by a log key of the trust root and its proof leads from
  the entry's exact bytes to that root;
* where the verifier brings a witness policy, a receipt below its quorum is undecided;
* two checkpoints of one log with the same size and different roots, or two proven entries at one index, prove
  a fork: failed;
* a proven entry in words that this version does not know (a newer predicate) is in the log and is undecided;
* statements are judged in the order of the log by the rules of ``keyring``, each by the state of its key at
  its own index; a key that the log announced signs checkpoints as those of the trust root do;
* an entry that comes with several receipts is one entry; more than ``MAX_ENTRIES`` are not looked at;
* an entry that cannot be judged (unknown log, unknown key) makes its check undecided and is left out of what
  the later checks build on. An entry that is *wrong* makes it failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.checkpoint import Checkpoint, open_checkpoint
from ledger.core.cosignature import open_cosigned
from ledger.core.evidence import LoggedEnvelope
from ledger.core.keyring import KeyHistory, KeyRecord, judge
from ledger.core.merkle import leaf_hash, verify_inclusion
from ledger.core.note import NoteVerifier, parse_vkey, verifier_of
from ledger.core.policy import Policy
from ledger.core.predicates import LogKey
from ledger.core.predicates.log_key import LogKeyState
from ledger.core.receipt import parse_receipt
from ledger.core.report import Check, Status
from ledger.core.statement import Statement
from ledger.core.trust import TrustRoot
from ledger.errors import IntegrityError, MalformedError, RakkanError, RefusedError, UndecidedError

MAX_ENTRIES = 4096
"""Entries. A manifest store of the largest size that is read holds a few hundred."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry whose receipt holds: in which log, where, and its envelope."""

    origin: str
    index: int
    envelope: dsse.Envelope
    statement: Statement


@dataclass(frozen=True, slots=True)
class Judged:
    """An entry whose statement was signed by a key that was allowed to."""

    entry: Entry
    signer: KeyRecord
    certificates: frozenset[str] = frozenset()
    """SHA-256 (hex) of every claim certificate that the signer's key was enrolled with, as far as at hand."""


@dataclass(slots=True)
class Ledger:
    """What the evidence came to, and what was wrong with it, by the check that it belongs to.

    ``located`` has the leaf hash of every proven entry by its log and index, readable or not.
    """

    entries: list[Entry] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    located: dict[tuple[str, int], bytes] = field(default_factory=dict)
    log_problems: list[RakkanError] = field(default_factory=list)
    key_problems: list[RakkanError] = field(default_factory=list)
    checkpoints: dict[tuple[str, int], bytes] = field(default_factory=dict)
    offered: int = 0

    def among(self, some: Iterable[LoggedEnvelope]) -> Ledger:
        """Return what these entries came to; of what was wrong, only what concerns the log itself."""
        leaves = {leaf_hash(item.envelope) for item in some}
        places = {place: leaf for place, leaf in self.located.items() if leaf in leaves}
        entries = [item for item in self.entries if (item.origin, item.index) in places]
        judged = [item for item in self.judged if (item.entry.origin, item.entry.index) in places]
        return Ledger(
            entries,
            judged,
            places,
            log_problems=self.log_problems,
            checkpoints=self.checkpoints,
            offered=len(leaves),
        )

    def of(self, *kinds: type) -> list[Judged]:
        """Return the judged entries with these predicates, in the order of the log."""
        return [item for item in self.judged if isinstance(item.entry.statement.predicate, kinds)]


class _Opened:
    """Opens checkpoints, each once: receipts issued together share one, and signatures are the dear part."""

    def __init__(self, policy: Policy | None) -> None:
        self._policy = policy
        self._found: dict[bytes, Checkpoint] = {}

    def __call__(self, note: bytes, verifiers: list[NoteVerifier]) -> Checkpoint:
        if note not in self._found:
            checkpoint = open_checkpoint(note, verifiers)
            if self._policy is not None:
                witnesses = [witness.verifier for witness in self._policy.witnesses]
                _, signed = open_cosigned(note, verifiers, witnesses)
                self._policy.require(self._policy.evaluate([item.verifier for item in signed]))
            self._found[note] = checkpoint
        return self._found[note]


def examine(evidence: Iterable[LoggedEnvelope], trust: TrustRoot, policy: Policy | None = None) -> Ledger:
    """Verify every entry against the trust root. Never raises: each problem is kept for its check.

    With a ``policy``, a receipt counts only when as many witnesses cosigned its checkpoint as that asks for.
    """
    ledger = Ledger()
    verifiers = [parse_vkey(vkey) for vkey in trust.logs]
    opened = _Opened(policy)
    left = list(dict.fromkeys(evidence))
    ledger.offered = len(left)
    unplaced = _place_all(left[:MAX_ENTRIES], verifiers, ledger, opened)
    while unplaced and (announced := _announced(ledger, trust, verifiers)):
        verifiers += announced
        unplaced = _place_all([logged for logged, _ in unplaced], verifiers, ledger, opened)
    # An entry that came with two receipts needs only one that meets the verifier's policy.
    proven = set(ledger.located.values())
    ledger.log_problems += [
        error
        for logged, error in unplaced
        if error.code != "witness.quorum" or leaf_hash(logged.envelope) not in proven
    ]
    if len(left) > MAX_ENTRIES:
        words = f"There are more than {MAX_ENTRIES:,} entries; the others were not looked at."
        ledger.log_problems.append(UndecidedError("manifest.too-large", words))
    ledger.entries.sort(key=lambda entry: (entry.origin, entry.index))
    _judge_all(ledger, trust)
    return ledger


def _place_all(
    evidence: Iterable[LoggedEnvelope],
    verifiers: list[NoteVerifier],
    ledger: Ledger,
    opened: _Opened,
) -> list[tuple[LoggedEnvelope, RakkanError]]:
    """Read what the receipts prove; return what could not be decided, to be tried with more keys."""
    undecided: list[tuple[LoggedEnvelope, RakkanError]] = []
    for logged in evidence:
        try:
            place = _locate(logged, verifiers, ledger, opened)
        except UndecidedError as error:
            undecided.append((logged, error))
            continue
        except RakkanError as error:
            ledger.log_problems.append(error)
            continue
        if place is not None:
            _read(place, logged.envelope, ledger)
    return undecided


def _announced(ledger: Ledger, trust: TrustRoot, known: list[NoteVerifier]) -> list[NoteVerifier]:
    """Return the verifiers of log keys that proven entries announce, and that are not known yet."""
    histories: dict[str, KeyHistory] = {}
    found: list[NoteVerifier] = []
    for entry in sorted(ledger.entries, key=lambda entry: (entry.origin, entry.index)):
        predicate = entry.statement.predicate
        if not isinstance(predicate, LogKey) or predicate.origin != entry.origin:
            continue
        history = histories.setdefault(entry.origin, KeyHistory((), trust.log_keys(entry.origin)))
        with suppress(RakkanError):  # `_judge_all` says what is wrong with it
            judge(history, entry.index, entry.envelope, entry.statement)
            if predicate.state is LogKeyState.ANNOUNCED:
                found.append(verifier_of(entry.origin, predicate.public_key))
    return [verifier for verifier in found if verifier not in known]


def _locate(
    logged: LoggedEnvelope, verifiers: list[NoteVerifier], ledger: Ledger, opened: _Opened
) -> tuple[str, int] | None:
    """Return the log and index that the receipt proves; ``None`` for an entry that was already there."""
    receipt = parse_receipt(logged.receipt)
    checkpoint = opened(receipt.checkpoint, verifiers)
    leaf = leaf_hash(logged.envelope)
    verify_inclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root)
    known = ledger.checkpoints.setdefault((checkpoint.origin, checkpoint.size), checkpoint.root)
    if known != checkpoint.root:
        raise IntegrityError(
            "log.conflict",
            "The log signed two different trees of the same size: a fork.",
            size=checkpoint.size,
        )
    place = (checkpoint.origin, receipt.index)
    if place not in ledger.located:
        ledger.located[place] = leaf
        return place
    if ledger.located[place] != leaf:
        words = "The log signed two trees with different entries at one index: a fork."
        raise IntegrityError("log.conflict", words, index=receipt.index)
    return None


def _read(place: tuple[str, int], data: bytes, ledger: Ledger) -> None:
    try:
        envelope = dsse.decode(data)
        statement = statements.decode(envelope.payload)
    except RakkanError as error:
        unknown = error.code == "statement.predicate-type"
        ledger.key_problems.append(UndecidedError(error.code, error.message) if unknown else error)
        return
    ledger.entries.append(Entry(*place, envelope, statement))


def _judge_all(ledger: Ledger, trust: TrustRoot) -> None:
    histories: dict[str, KeyHistory] = {}
    for entry in ledger.entries:
        origin = entry.origin
        if origin not in histories:
            histories[origin] = KeyHistory(trust.registrars, trust.log_keys(origin))
        history = histories[origin]
        try:
            signer = judge(history, entry.index, entry.envelope, entry.statement)
        except RakkanError as error:
            ledger.key_problems.append(error)
            continue
        ledger.judged.append(Judged(entry, signer))
    # Only now are all revocations and certificates known.
    found, ledger.judged = ledger.judged, []
    for item in found:
        keyid, history = item.signer.key.keyid, histories[item.entry.origin]
        try:
            history.check_suspect(keyid, item.entry.index)
        except UndecidedError as error:
            ledger.key_problems.append(error)
            continue
        ledger.judged.append(Judged(item.entry, item.signer, history.certificates(keyid)))


def check_log(ledger: Ledger) -> Check:
    """Whether the log holds the entries that the file brings."""
    title = "The log holds the record"
    if not ledger.offered:
        words = "The file brings no entry of a log: nothing says that it was recorded."
        return Check("log", title, Status.UNDECIDED, words, ("receipt.missing",))
    if ledger.log_problems:
        return _problem_check("log", title, ledger.log_problems)
    origins = ", ".join(dict.fromkeys(origin for origin, _ in ledger.located))
    size = max(size for _, size in ledger.checkpoints)
    words = f"{len(ledger.located)} entries, each proven to be in the log {origins} (tree of {size})."
    return Check("log", title, Status.PASSED, words)


def check_statement(ledger: Ledger) -> Check:
    """Whether every record was signed by an enrolled key that was allowed to."""
    title = "The record is signed by an enrolled device"
    if ledger.key_problems:
        return _problem_check("statement", title, ledger.key_problems)
    if not ledger.judged:
        return Check("statement", title, Status.UNDECIDED, "No proven entry to judge.", ("key.unknown",))
    devices = ", ".join(sorted({f"“{item.signer.device}”" for item in ledger.judged}))
    words = f"Signed by {devices}; each key was enrolled before it signed, and valid when it did."
    plain = "Each key that signed was enrolled before it signed, and valid when it did."
    return Check("statement", title, Status.PASSED, words, plain=plain)


def _problem_check(name: str, title: str, problems: list[RakkanError]) -> Check:
    failed = [item for item in problems if isinstance(item, IntegrityError | RefusedError | MalformedError)]
    shown = failed or problems
    status = Status.FAILED if failed else Status.UNDECIDED
    codes = tuple(dict.fromkeys(item.code for item in shown))
    plain = "Not every entry about the file could be relied on."
    return Check(name, title, status, shown[0].message, codes, plain)
