"""A studio's people and keys: founding one, enrolling devices, ending keys, handing the log over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.adapters.home import Home, check_device_name
from ledger.adapters.settings import Settings
from ledger.core.predicates.enrolment import KeyRole
from ledger.errors import UsageError
from ledger.wiring import REGISTRAR, SystemClock, database_url, open_studio, publication_at

if TYPE_CHECKING:
    from ledger.ports import Clock


def found_studio(home: Home, settings: Settings, device: str, clock: Clock | None = None) -> None:
    """Make a studio: keys, certificates, database, the registrar's own enrolment, a first device.

    Raises ``RefusedError("home.exists")``; nothing of an existing studio is touched. After any other error
    there is no studio, and the same call can be made again.
    """
    from ledger.adapters.sql.founding import new_log
    from ledger.adapters.sql.schema import upgrade

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
    from ledger.adapters.sql.schema import upgrade

    home.settings()
    upgrade(database_url(home))


def rotate_log_key(home: Home, clock: Clock | None = None) -> int:
    """Make the next key of the log and announce it; return the entry's index.

    Can be repeated until it has succeeded. Raises ``key.*`` and the log's errors.
    """
    from ledger.core.note import verifier_of
    from ledger.service.log.keys import announce

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
    from ledger.service.log.keys import retire

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
    from ledger.service.log.keys import revoke

    if device == REGISTRAR:
        raise UsageError("key.registrar", "The registrar cannot end its own key: nobody could enrol then.")
    check_device_name(device)
    with open_studio(home, clock) as studio:
        appended = revoke(studio, home.statement_signer(REGISTRAR), device, Reason(reason), suspect_from)
    home.forget_device(device)
    return appended.index


def _enrol(home: Home, device: str, role: KeyRole, clock: Clock | None) -> int:
    from ledger.service.enrol import enrol

    with open_studio(home, clock) as studio:
        enrolment, _ = home.new_device(device, role, studio.clock.now())
        appended = enrol(studio, home.statement_signer(REGISTRAR), enrolment)
    home.save_enrolment(enrolment)
    return appended.index
