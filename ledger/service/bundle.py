"""Evidence for somebody elsewhere: every entry that sealing a file looks at, with receipts, in one answer.

* The server walks as a device will (``Archive``, ``basis``, ``plan_of``) and sends what it looked at. A
  device whose walk is another one asks for the rest.
* For each digest in ``digests`` the answer holds every entry of ``KINDS`` that has it as a subject or was
  sealed from it. What is not in ``digests`` was not looked at, which says nothing.
* The answer is bounded: what does not fit is left out, digest by digest, and asked for later.

Form: docs/spec/http-manifests.md. Nothing in a bundle is believed: see ``elsewhere``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.core.digest import parse_sha256, sha256_hex
from ledger.core.evidence import LoggedEnvelope
from ledger.core.fields import Fields
from ledger.core.predicates import (
    Dataset,
    Enrolment,
    Grant,
    GrantRevocation,
    LogKey,
    Model,
    Revocation,
    Seal,
    Step,
)
from ledger.errors import MalformedError, RefusedError
from ledger.service.archive import Archive, Known
from ledger.service.evidence import basis
from ledger.service.log.projection import SEALED_FROM
from ledger.service.plan import plan_of

KINDS = (Step, Dataset, Model, Seal, Grant, GrantRevocation, Enrolment, Revocation, LogKey)
"""What an ``Archive`` tells apart."""
CODE = "evidence.malformed"
MAX_BYTES = 8 << 20
"""Bytes of envelopes and receipts in one answer."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """``entries`` by index; ``manifests``: the SHA-256 (hex) of the store that is kept for each digest."""

    digests: tuple[str, ...]
    entries: Mapping[int, LoggedEnvelope]
    manifests: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the answer."""
        return {
            "digests": list(self.digests),
            "entries": [
                {"index": index, "envelope": item.envelope.decode(), "receipt": item.receipt.decode()}
                for index, item in self.entries.items()
            ],
            "manifests": [{"sha256": asset, "store": store} for asset, store in self.manifests.items()],
        }


def bundle_of(studio: Known, sha256: str) -> Bundle:
    """Return what is known under these bytes (hex). Raises ``RefusedError("evidence.too-large")``."""
    looked = _walk(studio, sha256)
    digests: list[str] = []
    entries = {index: studio.logged(index) for index in looked.announcements()}
    for digest in looked.asked:
        fresh = {index: studio.logged(index) for index in _about(studio, digest) if index not in entries}
        if _size(entries.values()) + _size(fresh.values()) > MAX_BYTES:
            if not digests:
                raise RefusedError("evidence.too-large", "More entries than one answer holds.", sha256=sha256)
            break
        entries |= fresh
        digests.append(digest)
    stores = {digest: studio.manifests.get(digest) for digest in digests}
    manifests = {digest: sha256_hex(store) for digest, store in stores.items() if store is not None}
    return Bundle(tuple(digests), dict(sorted(entries.items())), manifests)


def read_bundle(document: object) -> Bundle:
    """Return the bundle that an answer holds, unverified. Raises ``MalformedError("evidence.malformed")``."""
    fields = Fields(document, code=CODE)
    try:
        digests = tuple(map(parse_sha256, fields.take("digests", list)))
        entries = dict(_entry(item) for item in _objects(fields, "entries"))
        pairs = [(item.sha256("sha256"), item.sha256("store")) for item in _objects(fields, "manifests")]
    except (MalformedError, TypeError) as error:
        raise MalformedError(CODE, f"This is no evidence: {error}") from error
    return Bundle(digests, entries, dict(pairs))


def _objects(fields: Fields, name: str) -> Iterator[Fields]:
    items = enumerate(fields.take(name, list))
    return (Fields(item, f"{name}[{n}]", CODE) for n, item in items)


def _walk(studio: Known, sha256: str) -> Archive:
    """Look at all that sealing these bytes looks at, unless its ancestors' manifests are too much for it."""
    archive = Archive(studio)
    record = archive.recorded(sha256)
    archive.sealed_as(sha256)
    if record is not None:
        subject = next(item for item in record.statement.subjects if item.sha256 == sha256)
        plan_of(archive, record, subject, basis(archive, sha256, subject.name))
    return archive


def _about(studio: Known, digest: str) -> Iterator[int]:
    for row in studio.entries.artifacts(sha256=digest):
        if row.role in ("subject", SEALED_FROM) and isinstance(studio.statement(row.index).predicate, KINDS):
            yield row.index


def _size(items: Iterable[LoggedEnvelope]) -> int:
    return sum(len(item.envelope) + len(item.receipt) for item in items)


def _entry(fields: Fields) -> tuple[int, LoggedEnvelope]:
    index = fields.take("index", int)
    texts = fields.take("envelope", str), fields.take("receipt", str)
    try:
        return index, LoggedEnvelope(*(text.encode() for text in texts))
    except UnicodeEncodeError as error:
        raise fields.error("envelope", "or its receipt holds half of a surrogate pair") from error
