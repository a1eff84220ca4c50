"""Devices that sign their requests with the key that the log enrolled.

* The key is found by its enrolment, as the log has it now: valid at this moment and not ended.
* Why a request is refused is said only to whoever holds the key: until the signature is good, there is one
  answer for all.
* A nonce is taken once by a process, as long as its signature could count. The memory has an end, and other
  processes have their own, so this slows a replay down and is not what stops harm: nothing that a device may
  do does more when it is done twice. Entries keep their first index, manifests their place.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from ledger.core.access import Role, Viewer
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.request_signature import WINDOW, RequestSignature, Target, check_time, verify
from ledger.errors import RakkanError, RefusedError
from ledger.service.log.keys import Keys
from ledger.service.studio import Studio

MAX_NONCES = 100_000
SHOWN = 16
"""How many digits of a key stand in its holder's name."""


class Devices:
    """The devices of one production, by the log's ``keys``. May be used by several threads."""

    def __init__(self, studio: Studio) -> None:
        self._production = studio.production
        self._clock = studio.clock
        self.keys = Keys(studio)
        self._nonces = Nonces(MAX_NONCES)

    def viewer(self, claimed: RequestSignature, target: Target) -> Viewer:
        """Return the device that signed this request, with its role on this production.

        Raises ``RefusedError`` with ``access.credential``, ``access.stale``, ``access.replayed`` or
        ``access.ended``.
        """
        history, size = self.keys.now()
        key = history.key(claimed.keyid)
        if key is None:
            raise _unknown()
        verify(key, claimed, target)
        now = self._clock.now()
        check_time(claimed, int(now.timestamp()))
        if not self._nonces.take(
            f"{claimed.keyid}{claimed.nonce}", claimed.created + WINDOW, now.timestamp()
        ):
            raise RefusedError("access.replayed", "This request was seen before: its nonce is taken.")
        try:
            record = history.find(claimed.keyid, size, now)
        except RakkanError as error:
            raise RefusedError("access.ended", "The device's key has ended.", keyid=claimed.keyid) from error
        if record.role is not KeyRole.DEVICE or not record.covers(now):
            words = "The key is no device's at this time, by its enrolment."
            raise RefusedError("access.ended", words, device=record.device)
        return Viewer(f"device:{claimed.keyid[:SHOWN]}", {self._production: frozenset({Role.DEVICE})})


def device_of(logs: Iterable[Devices], claimed: RequestSignature, target: Target) -> Viewer:
    """Return the device that signed this request, with its role on each production whose log has its key.

    Raises as ``Devices.viewer``, with the refusal that says most.
    """
    found: dict[str, frozenset[Role]] = {}
    refusal = _unknown()
    for devices in logs:
        try:
            found |= devices.viewer(claimed, target).roles
        except RefusedError as error:
            refusal = error if error.code != refusal.code else refusal
    if not found:
        raise refusal
    return Viewer(f"device:{claimed.keyid[:SHOWN]}", found)


def _unknown() -> RefusedError:
    # In the words of a signature that does not fit: nobody learns which keys there are.
    return RefusedError("access.credential", "The signature is not of this request by a key known here.")


class Nonces:
    """Nonces that were taken, at most so many: the oldest make room. May be used by several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def take(self, nonce: str, until: float, now: float) -> bool:
        """Whether the nonce was still free; it is taken until then (Unix time)."""
        with self._lock:
            while self._until and next(iter(self._until.values())) < now:
                self._until.popitem(last=False)
            if nonce in self._until:
                return False
            if len(self._until) >= self._most:
                self._until.popitem(last=False)
            self._until[nonce] = until
            return True
