"""A log on another machine, as a device that seals sees it. Implements ``seal.SealingLog``.

* Every entry that counts came with a receipt that holds for this log, by the keys of the device's own trust
  root; what goes into a manifest is also signed by the key that it names. So a server can leave something
  out, but it can invent nothing.
* Rows are computed here from the entries; what a server says of an entry beside it is not read.
* A manifest speaks for a file when a seal in the log names its bytes, when its own hard binding is to the
  whole file, or when this device kept it itself. Any other stops the sealing: a claim would repeat a lie.
* It shows the log as it was when each digest was first asked for. Make a new one for each use.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any, Protocol

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.checkpoint import open_checkpoint
from ledger.core.containers.jumbf import bound_sha256
from ledger.core.digest import sha256_hex
from ledger.core.envelope import Envelope
from ledger.core.evidence import LoggedEnvelope
from ledger.core.identity import PublicKey, parse_public_key
from ledger.core.merkle import leaf_hash, verify_inclusion
from ledger.core.predicates import Enrolment, LogKey, Seal
from ledger.core.receipt import Receipt, parse_receipt
from ledger.core.statement import Statement
from ledger.core.trust import TrustRoot
from ledger.errors import IntegrityError, RakkanError, RefusedError
from ledger.ports import ArtifactRow, Clock, ManifestCodec, ManifestStore, StatementRow
from ledger.service.bundle import read_bundle
from ledger.service.capture.store import KeptManifests, Receipted
from ledger.service.log.projection import rows
from ledger.service.log.sequence import Appended


class Server(Protocol):
    """Where the log is; see ``ledger.client.Client``. Nothing that it answers is believed."""

    def send(self, envelopes: Sequence[bytes]) -> Sequence[Receipted | RakkanError]:
        """Offer entries in order, and return what became of each."""

    def evidence(self, sha256: str) -> Any:
        """Return what the log knows under a file: a ``Bundle`` as JSON."""

    def manifest(self, sha256: str) -> bytes | None:
        """Return the manifest store that the studio keeps for a file, or ``None``."""

    def share_manifest(self, sha256: str, store: bytes) -> None:
        """Give the studio the manifest store of a file."""


class Elsewhere:
    """The log named ``origin`` behind a server. ``kept`` are the manifests on this device."""

    def __init__(
        self,
        server: Server,
        origin: str,
        trust: TrustRoot,
        kept: ManifestStore,
        codec: ManifestCodec,
        clock: Clock,
    ) -> None:
        self.trust, self.codec, self.clock = trust, codec, clock
        self._server = server
        self._checkpoint = cache(partial(open_checkpoint, verifiers=trust.log_verifiers(origin)))
        self._shown: dict[int, tuple[LoggedEnvelope, Envelope, Statement]] = {}
        self._statements: list[StatementRow] = []
        self._artifacts: dict[str, list[ArtifactRow]] = {}
        self._asked: set[str] = set()
        self._listed: dict[str, str] = {}
        self.manifests = _Manifests(self, kept)

    @property
    def entries(self) -> Elsewhere:
        """The entries by what they are about."""
        return self

    def artifacts(self, *, sha256: str | None = None, pixels: str | None = None) -> Sequence[ArtifactRow]:
        """Return the rows about these bytes; by its picture, no file is looked for here.

        Raises what the server answers, and what a receipt that does not hold raises.
        """
        if sha256 is None or pixels is not None:
            return ()
        if sha256 not in self._asked:
            self._ask(sha256)
        return sorted(self._artifacts.get(sha256, ()), key=lambda row: (row.index, row.position))

    def statements(self, predicate_type: str) -> Sequence[StatementRow]:
        """Return the entries of this type that were shown, oldest first."""
        found = (row for row in self._statements if row.predicate_type == predicate_type)
        return sorted(found, key=lambda row: row.index)

    def envelope(self, index: int) -> Envelope:
        """Return an entry's envelope."""
        return self._shown[index][1]

    def statement(self, index: int) -> Statement:
        """Return what an entry states."""
        return self._shown[index][2]

    def logged(self, index: int) -> LoggedEnvelope:
        """Return an entry with its receipt, to be shown to others: its signature holds.

        Raises ``RefusedError("key.unknown")`` and ``IntegrityError("envelope.signature")``.
        """
        item, envelope, statement = self._shown[index]
        if not isinstance(statement.predicate, LogKey):  # whoever follows the log's keys judges that one
            dsse.verify(envelope, self._key(envelope.signatures[0].keyid))
        return item

    def append(self, envelope: bytes) -> Appended:
        """Append an entry, and return its index with its receipt, which holds.

        Raises what the server answers, and ``IntegrityError`` for a receipt that does not hold: the log may
        have the entry or not.
        """
        outcome = self._server.send([envelope])[0]
        if isinstance(outcome, RakkanError):
            raise outcome
        try:
            receipt = self._verified(outcome.index, LoggedEnvelope(envelope, outcome.receipt))
        except RakkanError as error:
            raise IntegrityError(error.code, error.message, **error.evidence) from error
        return Appended(receipt.index, receipt, duplicate=False)

    def listed(self, sha256: str) -> str | None:
        """Return the SHA-256 (hex) of the store that the studio says it keeps for these bytes."""
        self.artifacts(sha256=sha256)
        return self._listed.get(sha256)

    def fetched(self, sha256: str) -> bytes | None:
        """Return the store that the studio keeps for these bytes, unverified."""
        return self._server.manifest(sha256)

    def _key(self, keyid: str) -> PublicKey:
        """Return the key of this name: its name is its digest, so whoever gives it cannot give another."""
        found = list(self.trust.registrars)
        for row in self.artifacts(sha256=keyid):
            predicate = self.statement(row.index).predicate
            if isinstance(predicate, Enrolment):
                found.append(predicate.public_key)
        for key in map(parse_public_key, found):
            if key.keyid == keyid:
                return key
        raise RefusedError("key.unknown", "The server shows no enrolment of the key.", keyid=keyid)

    def _ask(self, sha256: str) -> None:
        bundle = read_bundle(self._server.evidence(sha256))
        for index, item in bundle.entries.items():
            self._show(index, item)
        self._asked.update(bundle.digests, (sha256,))
        self._listed.update(bundle.manifests)

    def _show(self, index: int, item: LoggedEnvelope) -> None:
        if index in self._shown:
            if self._shown[index][0].envelope != item.envelope:
                raise IntegrityError("log.conflict", "The server shows two entries as one.", index=index)
            return
        self._verified(index, item)
        envelope = dsse.decode(item.envelope)
        statement = statements.decode(envelope.payload)
        row, artifacts = rows(index, envelope, statement)
        self._shown[index] = item, envelope, statement
        self._statements.append(row)
        for artifact in artifacts:
            self._artifacts.setdefault(artifact.sha256, []).append(artifact)

    def _verified(self, index: int, item: LoggedEnvelope) -> Receipt:
        receipt = parse_receipt(item.receipt)
        if receipt.index != index:
            raise IntegrityError("receipt.signature", "The receipt is of another entry.", index=index)
        known = self._checkpoint(receipt.checkpoint)
        verify_inclusion(index, known.size, leaf_hash(item.envelope), receipt.proof, known.root)
        return receipt


class _Manifests:
    """The manifest stores of this device, and those of the studio that speak for their files."""

    def __init__(self, log: Elsewhere, kept: ManifestStore) -> None:
        self._log = log
        self._kept = kept

    def put(self, sha256: str, store: bytes) -> None:
        """Keep the store on this device, durable on return; it is shared later."""
        self._kept.put(sha256, store)

    def get(self, sha256: str) -> bytes | None:
        """Return the store that speaks for these bytes, or ``None``.

        Raises ``RefusedError("seal.unproven-manifest")`` where the studio has one that nothing vouches for.
        """
        kept, listed, sealed = self._kept.get(sha256), self._log.listed(sha256), self._sealed(sha256)
        digest = sha256_hex(kept) if kept is not None else None
        if listed in (None, digest) or (digest is not None and digest == next(iter(sealed), digest)):
            return kept
        store = self._log.fetched(sha256)
        if store is not None and (sha256_hex(store) in sealed or bound_sha256(store) == sha256):
            return store
        if store is None or kept is not None:
            return kept
        words = "The server has a manifest of this material, and nothing shows that it belongs to it."
        raise RefusedError("seal.unproven-manifest", words, sha256=sha256)

    def _sealed(self, sha256: str) -> list[str]:
        """Return the stores that seals in the log name for these bytes, by digest, the newest first."""
        found = []
        for row in reversed(self._log.artifacts(sha256=sha256)):
            predicate = self._log.statement(row.index).predicate
            if row.role == "subject" and isinstance(predicate, Seal):
                found.append(predicate.manifests[row.position].store)
        return found


def offer(server: Server, kept: KeptManifests) -> None:
    """Give the studio the manifests that it does not have. Raises what the server answers to any of them.

    The others are offered all the same; what was not taken is offered again the next time.
    """
    trouble: RakkanError | None = None
    for sha256, digest in kept.waiting():
        store = kept.get(sha256)
        try:
            if store is not None and sha256_hex(store) == digest:
                server.share_manifest(sha256, store)
        except RakkanError as error:
            if error.code == "server.unreachable":
                raise
            if error.code != "manifest.other":  # the studio keeps one, and will go on refusing this one
                trouble = error
                continue
        kept.shared(sha256, digest)
    if trouble is not None:
        raise trouble
