"""What a log shows to the outside, and who looks at it: publishing, witnesses, monitors, alarms."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.adapters.home import Home
from ledger.wiring import SystemClock

if TYPE_CHECKING:
    from ledger.adapters.alarms import DirectoryAlarms
    from ledger.adapters.witness_home import WitnessHome
    from ledger.adapters.witness_http import HttpWitness
    from ledger.core.policy import Policy
    from ledger.ports import Lease
    from ledger.service.log.monitor import Monitor
    from ledger.service.log.publish import Published
    from ledger.service.log.publishing import Publishing, PublishSettings
    from ledger.service.log.witness import Cosigner
    from ledger.service.log.witnessing import Witnessing
    from ledger.service.studio import Studio


def open_monitor(place: str, state: Path, keys: Sequence[str], policy: bytes | None) -> Monitor:
    """Return a monitor of the published log at a URL or in a folder. Reads nothing yet.

    ``keys`` are vkeys of the log, ``policy`` a tlog-policy file, ``state`` the folder to keep what was seen.
    A server is shown the token in ``RAKKAN_TOKEN``, where there is one. Raises ``MalformedError`` with
    ``key.malformed`` or ``policy.malformed``, ``UsageError("http.url")``.
    """
    from ledger.adapters.files import DirectoryPublication
    from ledger.adapters.http import published_log
    from ledger.core.note import parse_vkey
    from ledger.core.policy import parse_policy
    from ledger.service.log.monitor import Monitor

    verifiers = [parse_vkey(key) for key in keys]
    return Monitor(
        published_log(place, os.environ.get("RAKKAN_TOKEN") or None),
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
    count = len(witnesses_of(parsed))
    WitnessSettings(home.folder).save(policy, fail_closed=fail_closed)
    return count


def witnessing(home: Home, studio: Studio) -> Witnessing | None:
    """Return who cosigns the studio's checkpoints; ``None`` without ``use_policy``. Raises ``home.*``."""
    from ledger.adapters.witness_settings import WitnessSettings
    from ledger.service.log.witnessing import Witnessing

    found = WitnessSettings(home.folder).read()
    if found is None:
        return None
    policy, fail_closed = found
    return Witnessing(policy, witnesses_of(policy), studio.checkpoints, fail_closed)


def publish_home(home: Home) -> Published:
    """Publish what is new of a studio's log, once. Raises as ``publish`` and ``open_studio`` do.

    The studio is opened anew each time: its keys may have changed.
    """
    from ledger.service.log.publish import publish
    from ledger.wiring import open_studio, publication

    with open_studio(home) as studio:
        return publish(
            studio.log, publication(home), alarms=alarms(home), witnessing=witnessing(home, studio)
        )


def published_checkpoint(home: Home) -> Callable[[], bytes | None]:
    """Return what reads the published checkpoint, unverified; ``None`` before the first one.

    What is wrong with the place is raised when it is asked, as the publication raises it.
    """
    from ledger.service.log.publish import CHECKPOINT
    from ledger.wiring import publication

    place = cache(partial(publication, home))
    return lambda: place().get(CHECKPOINT)


@contextmanager
def publishing(home: Home, studio: Studio, settings: PublishSettings) -> Iterator[Publishing | None]:
    """Publish the studio's log for as long as the block runs, and once more at its end.

    Yields ``None`` where the settings switch it off.
    """
    from ledger.core.checkpoint import parse_checkpoint
    from ledger.service.log.publishing import Publishing

    if not settings.enabled:
        yield None
        return

    checkpoint = published_checkpoint(home)

    def published() -> int:
        note = checkpoint()
        return parse_checkpoint(note).size if note else 0

    with leased(home, "publisher") as lease:
        found = Publishing(
            lambda: publish_home(home), lambda: studio.entries.head().size, published, lease, settings
        )
        try:
            found.start()
            yield found
        finally:
            found.close()


@contextmanager
def leased(home: Home, what: str) -> Iterator[Lease]:
    """Yield the right to be the one process that does something for this log; given up at the end."""
    from ledger.adapters.sql.engine import dialect_of, open_database
    from ledger.core.digest import sha256_hex
    from ledger.wiring import database_url

    engine = open_database(database_url(home))
    # A database may hold several logs.
    origin = home.settings().origin.encode()
    lease = dialect_of(engine).lease(engine, f"{what}-{sha256_hex(origin)[:8]}")
    try:
        yield lease
    finally:
        lease.release()
        engine.dispose()


@contextmanager
def keeping_up(home: Home, studio: Studio) -> Iterator[None]:
    """Project what the log takes in for as long as the block runs, while it does not grow fast."""
    from ledger.service.clear.keeping import KeepingUp

    with leased(home, "projection") as lease:
        found = KeepingUp(studio, lease)
        try:
            found.start()
            yield
        finally:
            found.close()


def witness_at(folder: Path) -> WitnessHome:
    """Return the folder of a witness of ours, with the passphrase of the environment."""
    from ledger.adapters.witness_home import WitnessHome

    passphrase = os.environ.get("RAKKAN_PASSPHRASE")
    return WitnessHome(folder, passphrase.encode() if passphrase else None)


def open_witness(folder: Path, logs: Sequence[str]) -> Cosigner:
    """Return the witness in this folder, for the logs of these vkeys. Raises ``key.*``, ``witness.key``."""
    from ledger.core.note import parse_vkey
    from ledger.service.log.witness import Cosigner

    place, time = witness_at(folder), SystemClock()
    keys = [parse_vkey(log) for log in logs]
    return Cosigner(place.signer(), keys, place.state(), place.alarms(time), time)


def witnesses_of(policy: Policy) -> list[HttpWitness]:
    """Return the witnesses of a policy, to be asked at their URLs."""
    from ledger.adapters.witness_http import HttpWitness

    return [HttpWitness(witness.name, witness.url or "") for witness in policy.witnesses]
