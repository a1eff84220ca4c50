"""The tables of integrity: what was checked anew when the report was made, and whose word it rests on.

* What fails is in the report, by its index, and the report goes on.
* ``undecided`` is what nothing here shows or refutes: an unknown key, a checkpoint without a witness.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

from ledger.core.audit import Row, Table
from ledger.core.audit.tables import CHECKPOINTS, CHECKS, DEVICES
from ledger.core.checkpoint import parse_checkpoint
from ledger.core.cosignature import CosignatureVerifier, open_cosigned, time_of
from ledger.core.fields import format_time
from ledger.core.keyring import KeyRecord
from ledger.core.note import Verifier, parse_note
from ledger.core.policy import Policy
from ledger.core.report import Status
from ledger.errors import RakkanError, UndecidedError
from ledger.service.capture.devices import DeviceChain, chains
from ledger.service.clear.question import Clearer
from ledger.service.log.receipts import held, tree
from ledger.service.report.beside import Beside, Last
from ledger.service.report.entries import Rests
from ledger.service.report.issuing import stood_on
from ledger.service.report.judged import Judged, judged
from ledger.service.studio import Studio

LISTED = 1_000
"""Failing entries that a row names at most. ``failed`` counts all of them."""


def integrity(studio: Studio, clearer: Clearer, rests: Rests, beside: Beside) -> tuple[Table, Table, Table]:
    """Return the tables ``checks``, ``checkpoints`` and ``devices`` of a report that rests on these."""
    found = judged(studio, clearer, rests.entries)
    told = {chain.keyid: chain for chain in chains(studio)}
    checks = [
        *_entry_checks(found),
        _checkpoint_check(studio, clearer),
        _witness_check(studio, rests, beside.policy),
        _chain_check(found, told),
        *(_last_checks(studio, beside.last) if beside.last else ()),
    ]
    return (
        Table(CHECKS, tuple(checks)),
        Table(CHECKPOINTS, tuple((n, *row) for n, row in enumerate(_signatures(studio, clearer, beside), 1))),
        Table(DEVICES, tuple(_device_rows(found, told))),
    )


def _check(
    name: str, status: Status, looked: int, words: str, failed: Collection[int] = (), count: int | None = None
) -> Row:
    wrong = len(failed) if count is None else count
    return name, status.value, looked, wrong, words, tuple(sorted(failed)[:LISTED])


def _entry_checks(found: Judged) -> Iterator[Row]:
    """Yield what came of the entries: altogether, by their place, by their signature, and what is open."""
    held = "Every entry under this report is in the log, and signed by whom it must be."
    signed = "Every signature holds, by a key that might say this at that point."
    inside = "Every entry is in the tree, under its root, with these bytes."
    yield _entry_check("entries", found, found.failed, held)
    if found.outside:
        yield _check("inclusion", Status.FAILED, found.looked, _codes(found.outside), found.outside)
    else:
        yield _check("inclusion", Status.PASSED, found.looked, inside)
    yield _entry_check("signatures", found, found.forged, signed)
    if found.undecided:
        words = f"Nobody can say here whose word these entries are. {_codes(found.undecided)}"
        yield _check("open-entries", Status.UNDECIDED, len(found.undecided), words, found.undecided, 0)


def _entry_check(name: str, found: Judged, failed: Mapping[int, str], words: str) -> Row:
    if failed:
        return _check(name, Status.FAILED, found.looked, _codes(failed), failed)
    if found.undecided:
        words = f"None fails. Of {len(found.undecided)}, nobody can say here whose word they are."
        return _check(name, Status.UNDECIDED, found.looked, words)
    return _check(name, Status.PASSED, found.looked, words)


def _codes(wrong: Mapping[int, str]) -> str:
    return "; ".join(
        f"{code}: {sum(item == code for item in wrong.values())}" for code in sorted(set(wrong.values()))
    )


def _checkpoint_check(studio: Studio, clearer: Clearer) -> Row:
    """Return whether the log's key signed the tree that the report stands on."""
    try:
        stated = held(studio.log, stood_on(studio, clearer))
    except RakkanError as error:
        status = Status.UNDECIDED if isinstance(error, UndecidedError) else Status.FAILED
        return _check("checkpoint", status, 1, error.message, count=int(status is Status.FAILED))
    if stated.root.hex() != clearer.root:
        return _check("checkpoint", Status.FAILED, 1, "The signed root is not that of the entries.", count=1)
    return _check("checkpoint", Status.PASSED, 1, "The log's key signed the tree that this report stands on.")


def _witness_check(studio: Studio, rests: Rests, policy: Policy | None) -> Row:
    """Return whether enough witnesses cosigned a tree that holds every entry."""
    note = studio.checkpoints.newest()
    if note is None or policy is None:
        words = (
            "No witness has vouched for this log."
            if note is None
            else "No policy says who the witnesses are."
        )
        return _check("witnesses", Status.UNDECIDED, 0, words)
    try:
        size = held(studio.log, note).size
        _, found = open_cosigned(
            note, studio.log.verifiers, [witness.verifier for witness in policy.witnesses]
        )
    except UndecidedError as error:
        return _check("witnesses", Status.UNDECIDED, 0, error.message)
    except RakkanError as error:
        return _check("witnesses", Status.FAILED, 1, error.message, count=1)
    quorum = policy.evaluate([cosignature.verifier for cosignature in found])
    beyond = sum(index >= size for index in rests.entries)
    passed = quorum.met and bool(quorum.signed) and not beyond
    words = f"Cosigned up to entry {size}, by {', '.join(quorum.signed) or 'nobody'}."
    if quorum.missing:
        words += f" Not by {', '.join(quorum.missing)}."
    if beyond:
        words += f" {beyond} entries are newer."
    return _check("witnesses", Status.PASSED if passed else Status.UNDECIDED, len(found), words)


def _chain_check(found: Judged, told: Mapping[str, DeviceChain]) -> Row:
    """Return whether the devices' own chains are whole, of those that signed something here."""
    own = [told[keyid] for keyid in sorted(found.signed) if keyid in told]
    forked = [chain for chain in own if chain.forks]
    missing = sum(_missing(chain) for chain in own)
    if forked:
        words = f"Told twice, under one number: by {', '.join(chain.device for chain in forked)}."
        return _check("devices", Status.FAILED, len(own), words, count=len(forked))
    if missing or any(chain.lost for chain in own):
        lost = sum(len(chain.lost) for chain in own)
        words = f"{missing} records were never told, {lost} entries speak of records that were lost."
        return _check("devices", Status.UNDECIDED, len(own), words)
    words = (
        "Every record that a device numbered is there, once."
        if own
        else "No device here numbers its records."
    )
    return _check("devices", Status.PASSED, len(own), words)


def _missing(chain: DeviceChain) -> int:
    return sum(last - first + 1 for first, last in chain.missing)


def _last_checks(studio: Studio, last: Last) -> Iterator[Row]:
    yield _consistency_check(studio, last)
    if last.report is None:
        words = f"{last.identifier} is not kept here as it was: what changed since cannot be listed."
        yield _check("changes", Status.UNDECIDED, 0, words)


def _consistency_check(studio: Studio, last: Last) -> Row:
    """Return whether the log of today begins with all of that which the last report stood on."""
    try:
        if last.checkpoint is not None:
            held(studio.log, last.checkpoint)
        if last.size > studio.log.head().size or tree(studio.log, last.size).root.hex() != last.root:
            words = f"The log does not hold the tree of {last.size} entries that {last.identifier} stood on."
            return _check("consistency", Status.FAILED, 1, words, count=1)
    except UndecidedError as error:
        return _check("consistency", Status.UNDECIDED, 1, error.message)
    except RakkanError as error:
        return _check("consistency", Status.FAILED, 1, error.message, count=1)
    if last.index is None:
        words = f"The log does not hold the entry of {last.identifier}, which was issued here."
        return _check("consistency", Status.FAILED, 1, words, count=1)
    words = f"The log begins with all that {last.identifier} (entry {last.index}) stood on, unchanged."
    return _check("consistency", Status.PASSED, 1, words)


def _signatures(studio: Studio, clearer: Clearer, beside: Beside) -> Iterator[Row]:
    """Yield a row for each signature: on the report's tree, on the newest cosigned one, on the last's."""
    notes = dict.fromkeys((stood_on(studio, clearer), studio.checkpoints.newest()))
    if beside.last:
        notes[beside.last.checkpoint] = None
    witnesses = [witness.verifier for witness in beside.policy.witnesses] if beside.policy else []
    known: list[Verifier] = [*studio.log.verifiers, *witnesses]
    for note in notes:
        if note is not None:
            yield from _signature_rows(note, known)


def _signature_rows(data: bytes, known: Collection[Verifier]) -> Iterator[Row]:
    stated, note = parse_checkpoint(data), parse_note(data)
    by_name = {(verifier.name, verifier.key_id): verifier for verifier in known}
    for line in dict.fromkeys(note.signatures):
        verifier = by_name.get((line.name, line.key_id))
        role, status, when = "unknown", Status.UNDECIDED, None
        if verifier is not None:
            witness = isinstance(verifier, CosignatureVerifier)
            role, status = "witness" if witness else "log", Status.PASSED
            try:
                verifier.verify(note.text, line.signature)
                if witness:
                    when = format_time(datetime.fromtimestamp(time_of(line.signature), UTC))
            except RakkanError:
                status = Status.FAILED
        yield stated.size, stated.root.hex(), line.name, role, when, status.value


def _device_rows(found: Judged, told: Mapping[str, DeviceChain]) -> Iterator[Row]:
    states = {record.key.keyid: (record, ended) for record, ended in found.history.states()}
    for keyid in sorted(found.signed, key=lambda keyid: (_name(states.get(keyid)), keyid)):
        record, ended = states.get(keyid, (None, None))
        chain = told.get(keyid)
        entries = [index for index in (record.index if record else None, ended) if index is not None]
        yield (
            keyid,
            record.device if record else None,
            _role(record),
            found.signed[keyid],
            format_time(record.valid_from) if record and record.valid_from else None,
            format_time(record.valid_until) if record and record.valid_until else None,
            ended,
            found.history.suspect_from(keyid),
            _missing(chain) if chain else None,
            chain.late if chain else None,
            tuple(sorted(entries)),
        )


def _name(state: tuple[KeyRecord, int | None] | None) -> str:
    return state[0].device if state else ""


def _role(record: KeyRecord | None) -> str:
    if record is None:
        return "unknown"
    return record.role.value if record.role else "log"
