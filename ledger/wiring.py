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

from ledger.adapters.home import Home, Settings, check_device_name
from ledger.core.predicates.enrolment import Enrolment, KeyRole
from ledger.errors import UsageError
from ledger.ports import Anchors

if TYPE_CHECKING:
    from ledger.adapters.files import DirectoryPublication
    from ledger.adapters.timestamps import LocalTimestampAuthority
    from ledger.core.report import VerificationReport
    from ledger.core.trust import TrustRoot
    from ledger.ports import Clock, ManifestCodec, PixelReader
    from ledger.service.studio import Device, Studio

REGISTRAR = "registrar"


class SystemClock:
    """The machine's clock. Implements ``ports.Clock``."""

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return datetime.now(UTC)


def home_at(folder: Path) -> Home:
    """Return the home in this folder, with the passphrase of the environment."""
    passphrase = os.environ.get("RAKKAN_PASSPHRASE")
    return Home(folder, passphrase.encode() if passphrase else None)


def found_studio(home: Home, settings: Settings, device: str, clock: Clock | None = None) -> None:
    """Make a studio: keys, certificates, database, the registrar's own enrolment, a first device.

    Raises ``RefusedError("home.exists")``; nothing of an existing studio is touched. After any other error
    there is no studio, and the same call can be made again.
    """
    from ledger.adapters.sql.engine import open_database, upgrade
    from ledger.adapters.sql.store import create_log

    now = (clock or SystemClock()).now()
    check_device_name(device)
    home.create(settings, now)
    try:
        upgrade(_url(home))
        engine = open_database(_url(home))
        try:
            create_log(engine, settings.origin)
        finally:
            engine.dispose()
        _enrol(home, REGISTRAR, KeyRole.REGISTRAR, clock)
        _enrol(home, device, KeyRole.DEVICE, clock)
    except BaseException:
        home.abandon()
        raise


def enrol_device(home: Home, device: str, clock: Clock | None = None) -> int:
    """Enrol a device or renew it, and return the entry's index."""
    return _enrol(home, device, KeyRole.REGISTRAR if device == REGISTRAR else KeyRole.DEVICE, clock)


def upgrade_database(home: Home) -> None:
    """Bring the database to this version's schema."""
    from ledger.adapters.sql.engine import upgrade

    home.settings()
    upgrade(_url(home))


@contextmanager
def open_studio(home: Home, clock: Clock | None = None) -> Iterator[Studio]:
    """Open a studio's ledger for as long as the block runs. Raises ``home.*``, ``key.*``, ``trust.*``."""
    from ledger.adapters.files import DirectoryManifestStore, FileLastSigned
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.store import SqlEntryStore, SqlOpeningStore
    from ledger.service.projection import project
    from ledger.service.sequence import Log
    from ledger.service.studio import Studio

    settings, trust = home.settings(), home.trust()
    time = clock or SystemClock()
    engine = open_database(_url(home))
    try:
        entries = SqlEntryStore(engine, settings.origin)
        reader = offline_reader(trust, time)
        yield Studio(
            production=settings.production,
            log=Log(
                entries, home.log_signer(), settings.origin, time, project, FileLastSigned(home.last_signed)
            ),
            entries=entries,
            openings=SqlOpeningStore(engine),
            manifests=DirectoryManifestStore(home.manifests),
            codec=reader.codec,
            pixels=reader.pixels,
            clock=time,
            trust=trust,
        )
    finally:
        engine.dispose()


def open_device(home: Home, name: str) -> Device:
    """Return an enrolled device with its keys. Raises ``UsageError("key.missing")`` for one that is not."""
    from ledger.service.studio import Device

    if name not in home.devices():
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

    def verify(self, path: Path, trust: TrustRoot | None, sidecar: Path | None = None) -> VerificationReport:
        """Judge a file by itself and a trust root."""
        from ledger.service.verify import verify_offline

        return verify_offline(self.codec, self.pixels, path, trust, self.clock.now(), sidecar)


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


def publication(home: Home) -> DirectoryPublication:
    """Return the folder that the static log is published to."""
    from ledger.adapters.files import DirectoryPublication

    return DirectoryPublication(home.publication())


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


def _enrol(home: Home, device: str, role: KeyRole, clock: Clock | None) -> int:
    from ledger.service.enrol import enrol

    with open_studio(home, clock) as studio:
        enrolment, _ = home.new_device(device, role, studio.clock.now())
        appended = enrol(studio, home.statement_signer(REGISTRAR), enrolment)
    home.save_enrolment(enrolment)
    return appended.index


def _url(home: Home) -> str:
    return f"sqlite:///{home.database}"
