"""What `rakkan config check` looks at: each thing that has to be so for the service to run."""

from __future__ import annotations

import socket
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from ledger.errors import RakkanError
from ledger.wiring import SystemClock, home_at, open_studio
from ledger.wiring.doctor import BAD, GOOD, NOTE, Examined
from ledger.wiring.serving import Listen, Metrics, Productions, Tls, check_address, service_settings

SOON = timedelta(days=21)
_AHEAD = 300
"""Seconds that a file may be newer than the clock: file servers have clocks of their own."""


def examine(folder: Path) -> Iterator[Examined]:
    """Look at the settings and what they name. Raises what ``service_settings`` raises, and nothing else."""
    settings = service_settings(folder)
    given = sum(one.source != "default" for one in settings.settings)
    yield Examined(GOOD, "settings", f"{given} given, {len(settings.settings) - given} by default")
    yield from _certificate(settings.of(Tls))
    for address in (settings.of(Listen).address, settings.of(Metrics).listen):
        if address is not None:
            yield _address(address)
    yield from _productions([folder, *settings.of(Productions).homes])


def _certificate(tls: Tls) -> Iterator[Examined]:
    if tls.certificate is None or tls.key is None:
        yield Examined(NOTE, "tls", "plain HTTP: only behind a TLS proxy, or on this machine")
        return
    try:
        chain = x509.load_pem_x509_certificates(tls.certificate.read_bytes())
        key = load_pem_private_key(tls.key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        words = f"{tls.certificate} or {tls.key} cannot be used: {error}"
        yield Examined(BAD, "tls", words, "Give a PEM certificate chain, and its key without a passphrase.")
        return
    leaf, now = chain[0], datetime.now(UTC)
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        yield Examined(BAD, "tls", "the key is of another certificate", "Put the server's certificate first.")
    if stat.S_IMODE(tls.key.stat().st_mode) & 0o007:
        yield Examined(BAD, "tls", f"anybody here can read {tls.key}", f"chmod o= {tls.key}")
    until = leaf.not_valid_after_utc
    words = f"the certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to {until:%Y-%m-%d}"
    ill = not leaf.not_valid_before_utc <= now < until - SOON
    mend = "Renew it, then send SIGHUP (docs/operations/certificate-ends.md)." if ill else ""
    yield Examined(BAD if ill else GOOD, "tls", words, mend)


def _address(address: str) -> Examined:
    host, port = check_address(address)
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return Examined(GOOD, "address", f"{address} is free")
    except OSError as error:
        words = f"{address} cannot be listened on now: {error.strerror}"
        return Examined(NOTE, "address", words, "Well, if this service runs already; else choose another.")


def _productions(folders: list[Path]) -> Iterator[Examined]:
    names: dict[str, Path] = {}
    for folder in folders:
        try:
            home = home_at(folder)
            with open_studio(home) as studio:
                size = studio.log.check()
            home.log_signer()
        except RakkanError as error:
            yield Examined(BAD, str(folder), str(error), error.hint)
            continue
        if studio.production in names:
            words = f"holds the production “{studio.production}”, as {names[studio.production]} does"
            yield Examined(BAD, str(folder), words, "Serve each production from one home.")
        names[studio.production] = folder
        yield Examined(GOOD, str(folder), f"{studio.production}: {size} entries, and the key to sign more")
        yield from _permissions(folder)
        yield from _clock(home.last_signed)


def _permissions(folder: Path) -> Iterator[Examined]:
    for path in (folder, folder / "keys", folder / "studio.json", folder / "service.toml"):
        if path.exists() and path.stat().st_mode & 0o022:
            yield Examined(BAD, "permissions", f"others can change {path}", f"chmod go-w {path}")


def _clock(last_signed: Path) -> Iterator[Examined]:
    if last_signed.exists() and last_signed.stat().st_mtime > time.time() + _AHEAD:
        now = SystemClock().now()
        words = f"it is {now:%Y-%m-%d %H:%M} UTC here, earlier than the newest checkpoint of this log"
        yield Examined(BAD, "clock", words, "Set the clock, and let it follow a time server.")
