"""A studio's home: the folder that holds its settings, keys, certificates and database.

    studio.json          names and places
    trust.json           what a stranger needs (safe to hand out)
    ledger.sqlite        the log and its projections
    manifests/           manifest stores by the asset's SHA-256
    keys/                root, issuing, tsa, log; devices/<name>/statement, claim (mode 0600). No log where
                         the settings name a key in a token. reports: with its certificates, once there is one
    certificates/        root, issuing, tsa; devices/<name> (PEM chains)
    last-signed          the newest checkpoint this home's log key signed

``RAKKAN_HOME`` names the folder; ``RAKKAN_PASSPHRASE``, when set, encrypts every key made and opens every key
read; ``RAKKAN_PIN`` opens the token that holds the log's key.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from ledger.adapters import pki
from ledger.adapters.keys import (
    KeySigner,
    load_signer,
    new_claim_key,
    new_statement_key,
    parse_signer,
    read_private,
    save_private,
)
from ledger.adapters.pkcs11 import Pkcs11Signer, find_or_make, parse_uri
from ledger.adapters.settings import Settings, format_settings, read_settings
from ledger.core import canonical
from ledger.core.fields import Fields, format_time
from ledger.core.manifest import ClaimCredential
from ledger.core.note import verifier_of
from ledger.core.predicates.enrolment import Enrolment, KeyRole
from ledger.core.trust import TrustRoot, format_trust, parse_trust
from ledger.errors import MalformedError, RefusedError, UsageError
from ledger.ports import Signer
from ledger.service.files import replacing

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DEVICE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class Home:
    """The folder, and every path in it."""

    def __init__(self, folder: Path, passphrase: bytes | None, pin: str | None = None) -> None:
        self.folder = folder
        self._passphrase = passphrase
        self._pin = pin

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "ledger.sqlite"

    @property
    def manifests(self) -> Path:
        """The folder of manifest stores."""
        return self.folder / "manifests"

    @property
    def inventories(self) -> Path:
        """The folder of the indexes of inventories that the server may prove from; it need not be there."""
        return self.folder / "inventories"

    @property
    def last_signed(self) -> Path:
        """The rollback guard's record, beside the keys and outside the database."""
        return self.folder / "last-signed"

    @property
    def trust_file(self) -> Path:
        """The trust root to hand out."""
        return self.folder / "trust.json"

    def settings(self) -> Settings:
        """Return the settings. Raises ``home.missing``, ``home.malformed``."""
        data = self._public("studio.json")
        try:
            return read_settings(canonical.parse(data), "home.malformed")
        except MalformedError as error:
            path = self.folder / "studio.json"
            raise MalformedError("home.malformed", f"{path}: {error.message}", path=path) from error

    def holds_ledger(self) -> bool:
        """Whether there is a ledger to ask: the SQLite file, or settings that name a server's database."""
        if self.database.exists():
            return True
        return (self.folder / "studio.json").exists() and self.settings().database is not None

    def publication(self) -> str:
        """Where the static log is published to: the path of a folder, or the URL of a place in S3."""
        place = self.settings().publication
        return place if "://" in place else str(self.folder / place)

    def trust(self) -> TrustRoot:
        """Return the studio's own trust root. Raises ``home.missing``, ``trust.malformed``."""
        data = self._public("trust.json")
        try:
            return parse_trust(data)
        except MalformedError as error:
            path = self.trust_file
            raise MalformedError("trust.malformed", f"{path}: {error.message}", path=path) from error

    def create(self, settings: Settings, now: datetime) -> TrustRoot:
        """Make keys, certificates, settings and trust root.

        Raises ``RefusedError("home.exists")``, ``RefusedError("target.…")`` for a folder that cannot be
        written, ``MalformedError`` for a name that nothing could carry, and what a token raises; then nothing
        is left behind but a key that was made in the token.
        """
        read_settings(settings.to_json(), "statement.field")
        verifier_of(settings.origin, new_statement_key().public_key)
        with _folder_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if any((self.folder / name).exists() for name in ("studio.json", "keys", self.database.name)):
                raise RefusedError("home.exists", f"{self.folder} already holds a studio.", path=self.folder)
            (self.folder / "keys").mkdir(mode=0o700)
            try:
                return self._create(settings, now)
            except BaseException:
                self.abandon()
                raise

    def abandon(self) -> None:
        """Remove what ``create`` and the first enrolments made, before anybody was given any of it."""
        for name in ("keys", "certificates"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        database = self.database.name
        for name in (
            "trust.json",
            "studio.json",
            "last-signed",
            database,
            f"{database}-wal",
            f"{database}-shm",
            f"{database}.writer",
            f"{database}.next",
        ):
            with suppress(OSError):
                (self.folder / name).unlink()

    def _create(self, settings: Settings, now: datetime) -> TrustRoot:
        root = pki.make_root(settings.studio, now)
        issuing, tsa = pki.make_issuing(root, settings.studio, now), pki.make_tsa(root, settings.studio, now)
        for name, authority in (("root", root), ("issuing", issuing), ("tsa", tsa)):
            save_private(self._key(name), authority.key_pem(self._passphrase))
            self._save(f"certificates/{name}.pem", authority.chain_pem)
        log, registrar = self._new_log_key(settings), new_statement_key()
        save_private(self._key("devices/registrar/statement"), registrar.pem(self._passphrase))
        anchor = root.chain_pem.decode()
        trust = TrustRoot(
            settings.studio,
            (verifier_of(settings.origin, log.public_key).vkey,),
            (registrar.public_key,),
            anchor,
            anchor,
        )
        self._save("trust.json", format_trust(trust))
        self._save_settings(settings)
        return trust

    def log_signer(self) -> Signer:
        """Return the log's own signer.

        Raises ``home.*``, ``key.*``, ``pkcs11.*`` for a key in a token, and ``UsageError("key.untrusted")``
        for a key that ``trust.json`` does not name: it would sign what nobody believes.
        """
        settings = self.settings()
        signer: Signer
        if settings.log_key is None:
            signer = load_signer(self._key("log"), self._passphrase)
        else:
            signer = Pkcs11Signer(parse_uri(settings.log_key), self._pin)
        if signer.public_key not in self.trust().log_keys(settings.origin):
            raise UsageError("key.untrusted", "The log's key is not one that trust.json names.")
        return signer

    def log_signers(self) -> list[Signer]:
        """Return the log's signer, and while a new key takes over, that one too. Raises ``key.*``."""
        following = [self._key("log-next")] if self._key("log-next").exists() else []
        return [self.log_signer(), *(load_signer(path, self._passphrase) for path in following)]

    def new_log_key(self) -> None:
        """Make the key that is to take over from the log's own; one that was made already stays."""
        if not self._key("log-next").exists():
            save_private(self._key("log-next"), new_statement_key().pem(self._passphrase))

    def trust_log_key(self, vkey: str) -> None:
        """Add a key of the log to the trust root that the studio hands out."""
        trust = self.trust()
        self._save("trust.json", format_trust(replace(trust, logs=tuple(dict.fromkeys((*trust.logs, vkey))))))

    def retire_log_key(self) -> None:
        """Put the following key in the place of the log's own, whose private half is gone for good."""
        self._key("log-next").replace(self._key("log"))

    def forget_device(self, device: str) -> None:
        """Remove the keys of a device that was revoked: a new enrolment makes new ones."""
        (self.folder / f"certificates/devices/{_checked(device)}.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "keys/devices" / device, ignore_errors=True)

    def hand_over(self, device: str, folder: Path) -> None:
        """Move a device's keys, with what else it needs, into a folder that is to become its own home.

        Raises ``RefusedError("target.exists")`` for a folder that is not empty, ``target.…``, ``key.…``.
        """
        names = (f"certificates/devices/{_checked(device)}.json", f"certificates/devices/{device}.pem")
        check_new_folder(folder)
        self.statement_signer(device)
        with _folder_errors(folder):
            (folder / "certificates/devices").mkdir(parents=True, mode=0o700)
            for name in ("trust.json", *names):
                shutil.copyfile(self.folder / name, folder / name)
            settings = replace(self.settings(), log_key=None, database=None)
            (folder / "studio.json").write_bytes(format_settings(settings))
            (folder / "keys/devices").mkdir(parents=True, mode=0o700)
            shutil.move(self.folder / "keys/devices" / device, folder / "keys/devices" / device)

    def timestamps(self) -> pki.Authority:
        """Return the time stamp authority's key and certificate. Raises ``key.*``."""
        return self._authority("tsa")

    def reporting(self, now: datetime) -> pki.Authority:
        """Return what signs reports at this moment; made when there is none, or when it has expired.

        Key and certificates lie in one file, so that they are replaced as one; of several that make one at
        the same time, each signs with its own. Raises ``key.*``, ``home.*``.
        """
        path = self._key("reports")
        if path.exists():
            held = pki.parse_authority(pem := read_private(path), pem, self._passphrase)
            if held.certificate.not_valid_before_utc <= now < held.certificate.not_valid_after_utc:
                return held
        made = pki.make_reporting(self._authority("issuing"), self.settings().studio, now)
        with replacing(path) as scratch:
            save_private(scratch, made.key_pem(self._passphrase) + made.chain_pem)
        return made

    def statement_signer(self, device: str) -> KeySigner:
        """Return a device's statement signer. Raises ``UsageError("key.missing")`` for an unknown device."""
        return load_signer(self._key(f"devices/{_checked(device)}/statement"), self._passphrase)

    def credential(self, device: str) -> ClaimCredential:
        """Return a device's claim key and certificate chain. Raises ``key.*``."""
        key = parse_signer(read_private(self._key(f"devices/{_checked(device)}/claim")), self._passphrase)
        return ClaimCredential(key.pem(None), self._public(f"certificates/devices/{device}.pem"))

    def new_device(self, device: str, role: KeyRole, now: datetime) -> tuple[Enrolment, KeySigner]:
        """Make a device's keys and certificate, and return the enrolment that the registrar is to sign.

        A name that already has keys keeps its statement key and gets a new claim key and certificate.
        Raises ``UsageError("statement.field")`` for a name that is not a plain word, and for the registrar's
        name with another role: the newest enrolment counts, so that would end the studio's power to enrol.
        """
        if device == "registrar" and role is not KeyRole.REGISTRAR:
            raise UsageError("statement.field", "The name registrar is the registrar's.", name=device)
        settings, issuing = self.settings(), self._authority("issuing")
        claim = new_claim_key()
        chain = pki.make_leaf(issuing, settings.studio, _checked(device), claim.public_key, now)
        statement = self._statement_key(device)
        with replacing(self._key(f"devices/{device}/claim")) as scratch:
            save_private(scratch, claim.pem(self._passphrase))
        self._save(f"certificates/devices/{device}.pem", chain)
        leaf = x509.load_pem_x509_certificates(chain)[0]
        enrolment = Enrolment(
            device=device,
            role=role,
            public_key=statement.public_key,
            valid_from=now.replace(microsecond=0),
            valid_until=leaf.not_valid_after_utc,
            certificate=leaf.fingerprint(SHA256()).hex(),
        )
        return enrolment, statement

    def save_enrolment(self, enrolment: Enrolment) -> None:
        """Keep what the device must know of its own enrolment."""
        document = {
            "device": enrolment.device,
            "validFrom": format_time(enrolment.valid_from),
            "validUntil": format_time(enrolment.valid_until),
        }
        name = f"certificates/devices/{_checked(enrolment.device)}.json"
        self._save(name, json.dumps(document, indent=2).encode() + b"\n")

    def enrolled_between(self, device: str) -> tuple[datetime, datetime]:
        """Return the validity of a device's enrolment. Raises ``home.missing``, ``home.malformed``."""
        name = f"certificates/devices/{_checked(device)}.json"
        data = self._public(name)
        try:
            fields = Fields(canonical.parse(data), code="home.malformed")
            return fields.time("validFrom"), fields.time("validUntil")
        except MalformedError as error:
            path = self.folder / name
            raise MalformedError("home.malformed", f"{path}: {error.message}", path=path) from error

    def succeed(self, settings: Settings) -> None:
        """Make another log the studio's: these settings, and a last-signed record of its own.

        The older record is kept beside it under ``given_up``. Can be repeated until it has succeeded.
        """
        with suppress(FileNotFoundError):
            self.last_signed.rename(self.given_up(self.settings().origin))
        self._save_settings(settings)

    def given_up(self, origin: str) -> Path:
        """Where the last-signed record of a log that was given up is kept."""
        return self.folder / f"last-signed.{re.sub('[^a-z0-9.-]', '_', origin.lower())}"

    def devices(self) -> list[str]:
        """Return the names of the enrolled devices, the registrar among them."""
        return sorted(path.stem for path in (self.folder / "certificates/devices").glob("*.json"))

    def _new_log_key(self, settings: Settings) -> Signer:
        if settings.log_key is not None:
            return find_or_make(parse_uri(settings.log_key), self._pin)[0]
        key = new_statement_key()
        save_private(self._key("log"), key.pem(self._passphrase))
        return key

    def _statement_key(self, device: str) -> KeySigner:
        path = self._key(f"devices/{device}/statement")
        if path.exists():
            return load_signer(path, self._passphrase)
        key = new_statement_key()
        save_private(path, key.pem(self._passphrase))
        return key

    def _authority(self, name: str) -> pki.Authority:
        key = parse_signer(read_private(self._key(name)), self._passphrase)
        return pki.parse_authority(key.pem(None), self._public(f"certificates/{name}.pem"))

    def _key(self, name: str) -> Path:
        return self.folder / "keys" / f"{name}.pem"

    def _public(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise UsageError(
                "home.missing", f"There is no {name} in {self.folder}.", path=self.folder
            ) from error

    def _save_settings(self, settings: Settings) -> None:
        # The URL of a database may hold a password.
        mode = 0o666 if settings.database is None else 0o600
        self._save("studio.json", format_settings(settings), mode)

    def _save(self, name: str, data: bytes, mode: int = 0o666) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as scratch:
            scratch.touch(mode)
            scratch.write_bytes(data)


def check_new_folder(folder: Path) -> None:
    """Return if the folder is empty or not there yet. Raises ``RefusedError("target.exists")``."""
    if folder.exists() and any(folder.iterdir()):
        raise RefusedError("target.exists", f"{folder} is not empty.", path=folder)


def check_device_name(device: str) -> None:
    """Return if a device may have this name. Raises ``UsageError("statement.field")``."""
    _checked(device)


@contextmanager
def _folder_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = "target.no-space" if error.errno in _FULL else "target.not-writable"
        raise RefusedError(code, f"{folder} cannot be written: {error.strerror}.", path=folder) from error


def _checked(device: str) -> str:
    if not _DEVICE_NAME.fullmatch(device):
        raise UsageError(
            "statement.field", "A device's name is lower-case letters, digits, dots and hyphens.", name=device
        )
    return device
