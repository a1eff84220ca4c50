"""From settings to concrete ports: the one place that knows every adapter.

What is not used is not loaded: each function imports its adapters when it is called, so that an offline
verification pays for no database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.adapters.home import Home, check_device_name
from ledger.adapters.settings import Settings
from ledger.core.predicates.enrolment import Enrolment, KeyRole
from ledger.errors import RakkanError, UsageError
from ledger.ports import Anchors

if TYPE_CHECKING:
    from ledger.adapters.alarms import DirectoryAlarms
    from ledger.adapters.timestamps import LocalTimestampAuthority
    from ledger.adapters.witness_home import WitnessHome
    from ledger.adapters.witness_http import HttpWitness
    from ledger.core.policy import Policy
    from ledger.core.report import VerificationReport
    from ledger.core.trust import TrustRoot
    from ledger.ports import Clock, ManifestCodec, PixelReader, Publication
    from ledger.service.monitor import Monitor
    from ledger.service.studio import Device, Studio
    from ledger.service.witness import Cosigner
    from ledger.service.witnessing import Witnessing

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


def found_studio(home: Home, settings: Settings, device: str, clock: Clock | None = None) -> None:
    """Make a studio: keys, certificates, database, the registrar's own enrolment, a first device.

    Raises ``RefusedError("home.exists")``; nothing of an existing studio is touched. After any other error
    there is no studio, and the same call can be made again.
    """
    from ledger.adapters.sql.engine import upgrade
    from ledger.adapters.sql.founding import new_log

    now = (clock or SystemClock()).now()
    check_device_name(device)
    publication_at(settings.publication)
    home.create(settings, now)
    try:
        upgrade(database_url(home))
        with new_log(database_url(home), settings.origin):
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
    upgrade(database_url(home))


def rotate_log_key(home: Home, clock: Clock | None = None) -> int:
    """Make the next key of the log and announce it; return the entry's index.

    Can be repeated until it has succeeded. Raises ``key.*`` and the log's errors.
    """
    from ledger.core.note import verifier_of
    from ledger.service.keys import announce

    if home.settings().log_key is not None:
        raise UsageError("key.in-token", "The log's key lives in a token.", uri=home.settings().log_key)
    with open_studio(home, clock) as studio:
        studio.log.head()  # before a key is made: there must be a log that it can be announced in
    home.new_log_key()
    with open_studio(home, clock) as studio:
        signer, following = home.log_signers()
        appended = announce(studio, signer, following)
        home.trust_log_key(verifier_of(studio.log.origin, following.public_key).vkey)
    return appended.index


def retire_log_key(home: Home, clock: Clock | None = None) -> int:
    """End the log's older key, after ``rotate_log_key``; return the entry's index.

    Raises ``UsageError("key.missing")`` when no key was announced, and the log's errors.
    """
    from ledger.service.keys import retire

    if len(home.log_signers()) == 1:
        raise UsageError("key.missing", "No key has been announced that could take over.")
    with open_studio(home, clock) as studio:
        signer, following = home.log_signers()
        appended = retire(studio, signer, following)
    home.retire_log_key()
    with open_studio(home, clock) as studio:
        studio.log.fence()
    return appended.index


def revoke_device(
    home: Home, device: str, reason: str, suspect_from: int | None = None, clock: Clock | None = None
) -> int:
    """End a device's key for good, and return the entry's index. Enrolled anew, it gets another key."""
    from ledger.core.predicates.revocation import Reason
    from ledger.service.keys import revoke

    if device == REGISTRAR:
        raise UsageError("key.registrar", "The registrar cannot end its own key: nobody could enrol then.")
    check_device_name(device)
    with open_studio(home, clock) as studio:
        appended = revoke(studio, home.statement_signer(REGISTRAR), device, Reason(reason), suspect_from)
    home.forget_device(device)
    return appended.index


@contextmanager
def open_studio(home: Home, clock: Clock | None = None) -> Iterator[Studio]:
    """Open a studio's ledger for as long as the block runs. Raises ``home.*``, ``key.*``, ``trust.*``."""
    from ledger.adapters.files import DirectoryManifestStore, FileLastSigned
    from ledger.adapters.sql.checkpoints import SqlCheckpointStore
    from ledger.adapters.sql.engine import open_database
    from ledger.adapters.sql.openings import SqlOpeningStore
    from ledger.adapters.sql.store import SqlEntryStore
    from ledger.service.admission import KeyAdmission
    from ledger.service.guard import Guard
    from ledger.service.sequence import Log
    from ledger.service.studio import Studio

    settings, trust = home.settings(), home.trust()
    time = clock or SystemClock()
    engine = open_database(database_url(home))
    try:
        entries = SqlEntryStore(engine, settings.origin)
        reader = offline_reader(trust, time)
        yield Studio(
            production=settings.production,
            log=Log(
                entries,
                home.log_signers(),
                settings.origin,
                time,
                KeyAdmission(settings.origin, trust.registrars, trust.log_keys(settings.origin)),
                FileLastSigned(home.last_signed),
                Guard(
                    settings.origin,
                    trust.log_verifiers(settings.origin),
                    lambda: _published_checkpoint(home),
                ),
            ),
            entries=entries,
            openings=SqlOpeningStore(engine),
            checkpoints=SqlCheckpointStore(engine, settings.origin),
            manifests=DirectoryManifestStore(home.manifests),
            codec=reader.codec,
            pixels=reader.pixels,
            clock=time,
            trust=trust,
        )
    finally:
        engine.dispose()


def _published_checkpoint(home: Home) -> bytes | None:
    """Return the published checkpoint; ``None`` also where the publication cannot be reached."""
    from ledger.service.publish import CHECKPOINT

    try:
        return publication(home).get(CHECKPOINT)
    except RakkanError:
        return None  # a store that is away stops no recording; `publish` compares again


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

    def verify(
        self,
        path: Path,
        trust: TrustRoot | None,
        sidecar: Path | None = None,
        policy: Policy | None = None,
    ) -> VerificationReport:
        """Judge a file by itself, a trust root, and the witnesses that the verifier asks for."""
        from ledger.service.verify import verify_offline

        return verify_offline(self.codec, self.pixels, path, trust, self.clock.now(), sidecar, policy)


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


def open_monitor(place: str, state: Path, keys: Sequence[str], policy: bytes | None) -> Monitor:
    """Return a monitor of the published log at a URL or in a folder. Reads nothing yet.

    ``keys`` are vkeys of the log, ``policy`` a tlog-policy file, ``state`` the folder to keep what was seen.
    Raises ``MalformedError`` with ``key.malformed`` or ``policy.malformed``, ``UsageError("http.url")``.
    """
    from ledger.adapters.files import DirectoryPublication
    from ledger.adapters.http import published_log
    from ledger.core.note import parse_vkey
    from ledger.core.policy import parse_policy
    from ledger.service.monitor import Monitor

    verifiers = [parse_vkey(key) for key in keys]
    return Monitor(
        published_log(place),
        DirectoryPublication(state),
        verifiers,
        None if policy is None else parse_policy(policy),
    )


def alarms(home: Home) -> DirectoryAlarms:
    """Return the folder of what somebody has to look at before anything more is published."""
    from ledger.adapters.alarms import DirectoryAlarms

    return DirectoryAlarms(home.folder / "alarms", SystemClock())


def use_policy(home: Home, policy: bytes, *, fail_closed: bool) -> int:
    """Have the log's checkpoints cosigned as this policy says; return how many witnesses are to be asked.

    Raises ``MalformedError("policy.malformed")``, also for a witness without a URL or another log's policy.
    """
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.core.policy import parse_policy
    from ledger.errors import MalformedError

    parsed, origin = parse_policy(policy), home.settings().origin
    if parsed.logs and origin not in {log.verifier.name for log in parsed.logs}:
        raise MalformedError("policy.malformed", "This policy is about other logs.", origin=origin)
    count = len(_witnesses(parsed))
    WitnessSettings(home.folder).save(policy, fail_closed=fail_closed)
    return count


def witnessing(home: Home, studio: Studio) -> Witnessing | None:
    """Return who cosigns the studio's checkpoints; ``None`` without ``use_policy``. Raises ``home.*``."""
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.service.witnessing import Witnessing

    found = WitnessSettings(home.folder).read()
    if found is None:
        return None
    policy, fail_closed = found
    return Witnessing(policy, _witnesses(policy), studio.checkpoints, fail_closed)


def witness_at(folder: Path) -> WitnessHome:
    """Return the folder of a witness of ours, with the passphrase of the environment."""
    from ledger.adapters.witness_home import WitnessHome

    passphrase = os.environ.get("RAKKAN_PASSPHRASE")
    return WitnessHome(folder, passphrase.encode() if passphrase else None)


def open_witness(folder: Path, logs: Sequence[str]) -> Cosigner:
    """Return the witness in this folder, for the logs of these vkeys. Raises ``key.*``, ``witness.key``."""
    from ledger.core.note import parse_vkey
    from ledger.service.witness import Cosigner

    place, time = witness_at(folder), SystemClock()
    keys = [parse_vkey(log) for log in logs]
    return Cosigner(place.signer(), keys, place.state(), place.alarms(time), time)


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


def _witnesses(policy: Policy) -> list[HttpWitness]:
    from ledger.adapters.witness_http import HttpWitness

    return [HttpWitness(witness.name, witness.url or "") for witness in policy.witnesses]


def database_url(home: Home) -> str:
    """Return the URL of the studio's database: the one in its settings, else the file in its folder."""
    return home.settings().database or f"sqlite:///{home.database}"
