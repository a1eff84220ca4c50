"""From settings to concrete ports: the one place that knows every adapter.

What is not used is not loaded: each function imports its adapters when it is called, so that an offline
verification pays for no database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.adapters.home import Home
from ledger.core.predicates.enrolment import Enrolment
from ledger.errors import RakkanError, UsageError
from ledger.ports import Anchors

if TYPE_CHECKING:
    from ledger.adapters.timestamps import LocalTimestampAuthority
    from ledger.core.report import VerificationReport
    from ledger.core.trust import TrustRoot
    from ledger.ports import Clock, EntryStore, ManifestCodec, PixelReader, Publication
    from ledger.service.log.sequence import Log
    from ledger.service.studio import Device, Studio
    from ledger.service.verify import Also

REGISTRAR = "registrar"


class SystemClock:
    """The machine's clock. Implements ``ports.Clock``."""

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return datetime.now(UTC)


def home_at(folder: Path) -> Home:
    """Return the home in this folder, with the passphrase and the token's PIN of the environment."""
    passphrase = os.environ.get("RAKKAN_PASSPHRASE")
    return Home(folder, passphrase.encode() if passphrase else None, os.environ.get("RAKKAN_PIN"))


@contextmanager
def open_studio(home: Home, clock: Clock | None = None) -> Iterator[Studio]:
    """Open a studio's ledger for as long as the block runs. Raises ``home.*``, ``key.*``, ``trust.*``."""
    from ledger.adapters.files import DirectoryManifestStore
    from ledger.adapters.sql.basis import SqlBasisStore
    from ledger.adapters.sql.checkpoints import SqlCheckpointStore
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.openings import SqlOpeningStore
    from ledger.adapters.sql.reading import SqlReadingStore
    from ledger.adapters.sql.store import SqlEntryStore
    from ledger.service.studio import Studio

    settings, trust = home.settings(), home.trust()
    time = clock or SystemClock()
    engine = open_database(database_url(home))
    try:
        entries = SqlEntryStore(engine, settings.origin)
        reader = offline_reader(trust, time)
        yield Studio(
            production=settings.production,
            log=_log(home, entries, time),
            entries=entries,
            openings=SqlOpeningStore(engine),
            checkpoints=SqlCheckpointStore(engine, settings.origin),
            manifests=DirectoryManifestStore(home.manifests),
            codec=reader.codec,
            pixels=reader.pixels,
            clock=time,
            trust=trust,
            bases=SqlBasisStore(engine, settings.origin),
            rows=SqlReadingStore(engine, settings.origin),
        )
    finally:
        engine.dispose()


def _log(home: Home, entries: EntryStore, clock: Clock) -> Log:
    from ledger.adapters.files import FileLastSigned
    from ledger.service.log.admission import KeyAdmission
    from ledger.service.log.guard import Guard
    from ledger.service.log.sequence import Log

    origin, trust = home.settings().origin, home.trust()
    admission = KeyAdmission(origin, trust.registrars, trust.log_keys(origin))
    guard = Guard(origin, trust.log_verifiers(origin), lambda: _published_checkpoint(home))
    return Log(entries, home.log_signers(), origin, clock, admission, FileLastSigned(home.last_signed), guard)


def _published_checkpoint(home: Home) -> bytes | None:
    """Return the published checkpoint; ``None`` also where the publication cannot be reached."""
    from ledger.service.log.publish import CHECKPOINT

    try:
        return publication(home).get(CHECKPOINT)
    except RakkanError:
        return None  # a store that is away stops no recording; `publish` compares again


def open_device(home: Home, name: str) -> Device:
    """Return an enrolled device with its keys. Raises ``UsageError("key.missing")`` for one that is not."""
    from ledger.service.studio import Device

    if name not in home.devices():
        home.trust()  # where there is no studio at all, that is what is wrong
        known = ", ".join(home.devices())
        raise UsageError("key.missing", f"No device “{name}” is enrolled here. Known: {known}.", device=name)
    first, last = home.enrolled_between(name)
    return Device(name, home.statement_signer(name), home.credential(name), first, last)


@dataclass(frozen=True, slots=True)
class OfflineReader:
    """What verifying needs, and nothing more: no home, no database, no key."""

    codec: ManifestCodec
    pixels: PixelReader
    clock: Clock

    def verify(
        self,
        path: Path,
        trust: TrustRoot | None,
        sidecar: Path | None = None,
        also: Also | None = None,
    ) -> VerificationReport:
        """Judge a file by itself, a trust root, and what else the verifier brings."""
        from ledger.service.verify import NOTHING_ELSE, verify_offline

        now = self.clock.now()
        return verify_offline(self.codec, self.pixels, path, trust, now, sidecar, also or NOTHING_ELSE)


def offline_reader(trust: TrustRoot | None = None, clock: Clock | None = None) -> OfflineReader:
    """Return the codec and the pixel reader. ``trust`` is what new manifests' ingredients are judged by."""
    from ledger.adapters.c2pa_codec import C2paCodec
    from ledger.adapters.images import Pixels

    time = clock or SystemClock()
    anchors = Anchors(trust.manifest_anchors, trust.timestamp_anchors) if trust else Anchors("", "")
    return OfflineReader(C2paCodec(time, anchors), Pixels(), time)


def timestamp_authority(home: Home, clock: Clock | None = None) -> LocalTimestampAuthority:
    """Return the studio's own time stamp authority, to be served on the loopback."""
    from ledger.adapters.timestamps import LocalTimestampAuthority

    tsa = home.timestamps()
    return LocalTimestampAuthority(tsa.chain_pem, tsa.key_pem(), clock or SystemClock())


def publication(home: Home) -> Publication:
    """Return where the static log is published to. Raises as ``publication_at`` does, and ``home.*``."""
    return publication_at(home.publication())


def publication_at(place: str) -> Publication:
    """Return the publication in a folder, or at the URL of a place in S3. Connects to nothing yet.

    Raises ``UsageError`` with ``s3.url``, ``s3.driver`` or ``s3.denied``.
    """
    from ledger.adapters.files import DirectoryPublication

    if "://" not in place:
        return DirectoryPublication(Path(place))
    try:
        from ledger.adapters.s3 import open_s3
    except ImportError as error:
        raise UsageError("s3.driver", "The library that speaks S3 is not installed.") from error
    return open_s3(place)


def signer_key_pem(studio: Studio, index: int) -> bytes:
    """Return the PEM public key that signed an entry, as its enrolment in the log gives it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    from ledger.core import envelope as dsse

    keyid = dsse.decode(studio.entries.envelope(index)).signatures[0].keyid
    for row in studio.entries.artifacts(sha256=keyid):
        predicate = studio.statement(row.index).predicate
        if isinstance(predicate, Enrolment):
            return load_der_public_key(predicate.public_key).public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            )
    raise UsageError(
        "key.unknown", "The log has no enrolment of the key that signed this entry.", keyid=keyid
    )


def database_url(home: Home) -> str:
    """Return the URL of the studio's database: the one in its settings, else the file in its folder."""
    return home.settings().database or f"sqlite:///{home.database}"
