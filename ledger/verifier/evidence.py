"""The entries of a bundle, judged one by one in the order of the log, and the checkpoint over them.

* Each shown envelope has the leaf hash that stands beside it; a key that could sign it then signed it.
* All leaf hashes, shown or withheld, lead by one proof to the root of the checkpoint.
* The checkpoint is signed by the log: by a key that is believed, or by one that such a key announced.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.audit.bundle import CHECKPOINT, ENTRIES, PROOF, Line, Manifest, read_line
from ledger.core.checkpoint import Checkpoint
from ledger.core.cosignature import open_cosigned
from ledger.core.keyring import KeyHistory, judge
from ledger.core.merkle import leaf_hash
from ledger.core.multiproof import multiproof_root
from ledger.core.note import verifier_of
from ledger.core.predicates import Seal
from ledger.core.statement import Statement
from ledger.errors import IntegrityError, MalformedError, RakkanError
from ledger.verifier.anchors import Anchors
from ledger.verifier.archive import Archive, altered
from ledger.verifier.outcome import Check


@dataclass(slots=True)
class Entries:
    """What the entries say that the report is held against.

    ``listed``: every entry's leaf hash. ``made``: by entry, which of the asked-for files it is about.
    ``sources``: of a sealed file, what was sealed. ``stores``: of a sealed file, the manifest stores.
    ``openable``: the commitments. ``signed``: by key, the entries that bear its name.
    """

    history: KeyHistory
    listed: dict[int, bytes] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)
    made: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    sources: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stores: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    openable: set[str] = field(default_factory=set)
    signed: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def read_entries(
    archive: Archive, manifest: Manifest, anchors: Anchors, about: Mapping[int, Collection[str]], check: Check
) -> Entries:
    """Return what the entries say, each judged. ``about`` names the entries whose files are asked for.

    Raises ``IntegrityError`` or ``MalformedError`` when the leaf hashes do not lead to the signed root.
    """
    trust = anchors.trust
    found = Entries(KeyHistory(trust.registrars, trust.log_keys(manifest.origin)))
    leaves = _leaves(archive, found, about, check)
    root = multiproof_root(manifest.size, leaves, archive.read(PROOF))
    if root.hex() != manifest.root:
        raise IntegrityError("proof.mismatch", "The entries do not lead to the root.", computed=root.hex())
    withheld = len(found.listed) - len(found.shown)
    if (len(found.shown), withheld) != (manifest.shown, manifest.withheld):
        raise altered(ENTRIES, "it has another number of entries than MANIFEST.json says")
    check.say(f"{len(found.listed):,} entries are in the tree of {manifest.size:,}.")
    check.say(f"{len(found.shown):,} of them are shown; {len(found.shown) - check.wrong:,} are well signed.")
    _suspects(found, check)
    if withheld:
        check.say(f"{withheld:,} are withheld in the view {manifest.view}: known by their leaf hash.")
    return found


def open_signed(
    archive: Archive, manifest: Manifest, anchors: Anchors, entries: Entries, check: Check
) -> None:
    """Return if the log signed the tree, and as many witnesses as the policy wants.

    Raises what ``open_checkpoint`` raises, and ``UndecidedError("witness.quorum")``.
    """
    keys = [
        record.key.spki for record, ended in entries.history.states() if not record.role and ended is None
    ]
    logs = [verifier_of(manifest.origin, spki) for spki in keys]
    policy = anchors.witnesses
    witnesses = [item.verifier for item in policy.witnesses] if policy else []
    stated, cosigned = open_cosigned(archive.read(CHECKPOINT), logs, witnesses)
    if stated != Checkpoint(manifest.origin, manifest.size, bytes.fromhex(manifest.root)):
        raise altered(CHECKPOINT, "it is of another tree than MANIFEST.json says")
    check.say(f"{stated.origin} signed its tree of {stated.size:,} entries.")
    for item in cosigned:
        moment = datetime.fromtimestamp(item.time, UTC).strftime("%Y-%m-%d %H:%M")
        check.say(f"{item.verifier.name} cosigned it at {moment} UTC.")
    if policy is None:
        check.say("No witness policy is known: nobody else is asked for.")
        return
    if not anchors.pinned:
        check.say("Which witnesses there are is by the studio's word; give --policy to say it yourself.")
    policy.require(policy.evaluate([item.verifier for item in cosigned]))


def _leaves(
    archive: Archive, found: Entries, about: Mapping[int, Collection[str]], check: Check
) -> Iterator[tuple[int, bytes]]:
    for data in archive.lines(ENTRIES):
        line = read_line(data)
        found.listed[line.index] = line.leaf
        if line.envelope is not None:
            found.shown.add(line.index)
            try:
                _judge(line, line.envelope, found, about.get(line.index, ()))
            except RakkanError as error:
                check.mark(error, f"Entry {line.index}: ")
        yield line.index, line.leaf


def _judge(line: Line, data: bytes, found: Entries, about: Collection[str]) -> None:
    if leaf_hash(data) != line.leaf:
        raise altered(ENTRIES, "an envelope is not the one that the log holds", index=line.index)
    envelope = dsse.decode(data)
    statement = statements.decode(envelope.payload)
    for signature in envelope.signatures:
        found.signed[signature.keyid].append(line.index)
    _note(line.index, statement, found, about)
    judge(found.history, line.index, envelope, statement)


def _note(index: int, statement: Statement, found: Entries, about: Collection[str]) -> None:
    predicate = statement.predicate
    found.openable.update(getattr(predicate, "commitments", ()))
    if about:
        found.made[index] = {item.sha256 for item in statement.subjects}
    if isinstance(predicate, Seal):
        for subject, made in zip(statement.subjects, predicate.manifests, strict=True):
            found.sources[subject.sha256].add(made.source)
            found.stores[subject.sha256].add(made.store)


def _suspects(found: Entries, check: Check) -> None:
    """Say which entries somebody else may have signed. A revocation may come long after them."""
    for keyid, indices in found.signed.items():
        for index in indices:
            try:
                found.history.check_suspect(keyid, index)
            except RakkanError as error:
                check.mark(error, f"Entry {index}: ")


def check_signature(archive: Archive, name: str, payload: bytes, entries: Entries, size: int) -> str:
    """Return the name of the registrar who signed this payload.

    Raises ``UndecidedError`` for a key that nobody vouches for, ``IntegrityError`` for a wrong signature or
    another payload, ``RefusedError("key.revoked")``.
    """
    try:
        envelope = dsse.decode(archive.read(name))
    except MalformedError as error:
        raise altered(name, str(error)) from error
    if envelope.payload != payload:
        raise altered(name, "it was signed for other bytes of MANIFEST.json")
    record = entries.history.find(envelope.signatures[0].keyid, size)
    dsse.verify(envelope, record.key)
    if record.role is None or record.role.value != "registrar":
        raise IntegrityError("key.not-valid", "A key that is no registrar's signed the manifest.")
    entries.history.check_suspect(record.key.keyid, size)
    return record.device
