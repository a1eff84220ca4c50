"""Entries to post: signed by a device of a founded studio, fast enough to make many."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.wiring import home_at
from tests.support.builders import statement, step

_NUMBER = "number-000000000000"


def signed_steps(home: Path, device: str, name: str, count: int) -> Iterator[bytes]:
    """Yield steps, all different, each signed as the device would; ``name`` has at most 6 characters."""
    signer = home_at(home).statement_signer(device)
    now = datetime.now(UTC).replace(microsecond=0)
    payload = statements.encode(statement(step(step_id=_NUMBER, started=now, finished=now)))
    for number in range(count):
        own = payload.replace(_NUMBER.encode(), f"{name:_<6}-{number:012}".encode())
        sig = b64encode(signer.sign(dsse.pae(own))).decode()
        # By hand: the canonical form of an envelope, a hundred thousand times.
        yield (
            f'{{"payload":"{b64encode(own).decode()}","payloadType":"{dsse.PAYLOAD_TYPE}",'
            f'"signatures":[{{"keyid":"{signer.keyid}","sig":"{sig}"}}]}}'
        ).encode()


def device_of(home: Path) -> str:
    """Return the name of a device that may sign steps."""
    return next(name for name in home_at(home).devices() if name != "registrar")
