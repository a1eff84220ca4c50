"""From settings to concrete ports for whoever mends a log: without private keys, also without a database.

Giving a log up runs over several places: trust root, database, settings. Its order makes it repeatable: the
settings change last, in one step, and until then the old log is the studio's log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ledger.adapters.home import Home
from ledger.core.note import parse_vkey, verifier_of
from ledger.core.predicates.enrolment import Enrolment, KeyRole
from ledger.errors import UsageError
from ledger.ports import PublishedLog
from ledger.wiring import REGISTRAR, SystemClock, database_url, open_studio, publication_at
from ledger.wiring.outside import alarms

if TYPE_CHECKING:
    from ledger.ports import Clock
    from ledger.service.log.records import Records
    from ledger.service.log.succession import Loss


@contextmanager
def open_records(home: Home, origin: str | None = None, clock: Clock | None = None) -> Iterator[Records]:
    """Open what the studio keeps of its log, or of one that it gave up. Raises ``home.*``, ``trust.*``."""
    with _opened(home, database_url(home), origin or home.settings().origin, clock) as records:
        yield records


@contextmanager
def open_or_make_records(home: Home, *, dry_run: bool, clock: Clock | None = None) -> Iterator[Records]:
    """Open the same; a database that is lost is made anew, for a dry run in a temporary folder."""
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.schema import upgrade
    from ledger.adapters.sql.store import create_log

    origin, url = home.settings().origin, database_url(home)
    with TemporaryDirectory() as scratch:
        lost = url.startswith("sqlite:") and not home.database.exists()
        if lost:
            url = f"sqlite:///{Path(scratch) / 'ledger.sqlite'}" if dry_run else url
            upgrade(url)
        if lost or not dry_run:
            engine = open_database(url)
            try:
                create_log(engine, origin)
            finally:
                engine.dispose()
        with _opened(home, url, origin, clock) as records:
            yield records


@contextmanager
def _opened(home: Home, url: str, origin: str, clock: Clock | None) -> Iterator[Records]:
    from ledger.adapters.files import FileLastSigned
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.store import SqlEntryStore
    from ledger.service.log.projection import project
    from ledger.service.log.records import Records

    verifiers = home.trust().log_verifiers(origin)
    aside = home.given_up(origin)
    record = FileLastSigned(aside if aside.exists() else home.last_signed)
    engine = open_database(url)
    try:
        store = SqlEntryStore(engine, origin)
        yield Records(store, origin, verifiers, project, record, clock or SystemClock())
    finally:
        engine.dispose()


def published_at(home: Home, place: str | None) -> PublishedLog:
    """Return the published log to read from: the studio's own, or the one at a folder or URL.

    Raises ``UsageError`` with ``http.url``, ``s3.url`` or ``s3.driver``.
    """
    from ledger.adapters.http import published_log

    named = home.publication() if place is None else place
    return publication_at(named) if named.startswith("s3:") or place is None else published_log(named)


def declare_fork(home: Home, reason: str, clock: Clock | None = None) -> tuple[str, int]:
    """Give the studio's log up and found its successor; return the new origin and the incident's index.

    Can be repeated until it has succeeded. Raises ``RefusedError("recover.not-needed")`` for a log that can
    go on, ``home.*``, ``key.*``, and the log's errors.
    """
    from ledger.service.log.publish import CHECKPOINT
    from ledger.service.log.succession import begin_successor, find_loss, give_up

    unfinished = _unfinished(home)
    with open_records(home, unfinished, clock) as records:
        loss: Loss = find_loss(records)
        if unfinished is None:
            note = published_at(home, None).get(CHECKPOINT)
            give_up(records, loss, reason, alarms(home), note)
    if unfinished is None:
        _succeed(home)
    with open_studio(home, clock) as studio:
        registrar = home.statement_signer(REGISTRAR)
        index = begin_successor(studio, registrar, _enrolments(home), loss, reason)
    return home.settings().origin, index


def _unfinished(home: Home) -> str | None:
    """Return the log that was given up, if its successor has not been founded to the end."""
    from ledger.core.predicates import Incident

    names, origin = _names(home), home.settings().origin
    at = names.index(origin) if origin in names else 0
    if at == 0:
        return None
    with open_records(home) as records:
        return None if records.store.statements(Incident.TYPE) else names[at - 1]


def _succeed(home: Home) -> None:
    """Make the next log of this name the studio's."""
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.store import create_log

    settings, names = home.settings(), _names(home)
    engine = open_database(database_url(home))
    try:
        number = names.index(settings.origin) + 2
        while _in_use(home, origin := f"{names[0]}-{number}"):
            number += 1
        create_log(engine, origin)
    finally:
        engine.dispose()
    for signer in home.log_signers():
        home.trust_log_key(verifier_of(origin, signer.public_key).vkey)
    home.succeed(replace(settings, origin=origin, publication=_numbered(settings.publication, number)))


def _in_use(home: Home, origin: str) -> bool:
    """Whether the database holds a log of this name with entries: that of another production."""
    try:
        with open_records(home, origin) as records:
            return records.store.head().size > 0
    except UsageError:
        return False


def _names(home: Home) -> list[str]:
    """Return the names of the studio's logs, oldest first."""
    return list(dict.fromkeys(parse_vkey(vkey).name for vkey in home.trust().logs))


def _numbered(publication: str, number: int) -> str:
    """Return where the next log is published: beside the older one, with the number in the name."""
    place, query, rest = publication.partition("?")
    return f"{re.sub('-[0-9]+$', '', place.rstrip('/'))}-{number}{query}{rest}"


def _enrolments(home: Home) -> list[Enrolment]:
    """Return the enrolments of the registrar, then of every device, as the home has them."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    found = []
    for device in sorted(home.devices(), key=lambda name: name != REGISTRAR):
        first, last = home.enrolled_between(device)
        leaf = x509.load_pem_x509_certificates(home.credential(device).chain_pem)[0]
        role = KeyRole.REGISTRAR if device == REGISTRAR else KeyRole.DEVICE
        key = home.statement_signer(device).public_key
        found.append(Enrolment(device, role, key, first, last, leaf.fingerprint(SHA256()).hex()))
    return found
