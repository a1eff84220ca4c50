"""Keys that end, and keys of the log that take over from one another: each step is an entry.

* A device's key is revoked by a registrar; entries before the revocation keep their worth.
* The log's next key is announced by an entry that both keys sign. From then on both sign checkpoints, so that
  everybody who trusts the old key can follow. The retirement of the old key ends the overlap.
* Each of these can be done again after a crash: the same entry keeps its first index.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from ledger.core import envelope as dsse
from ledger.core import statement as statements
from ledger.core.artifact import Artifact
from ledger.core.identity import parse_public_key
from ledger.core.keyring import KEY_STATEMENTS, KeyHistory, judge
from ledger.core.note import NoteVerifier, verifier_of
from ledger.core.predicates import Enrolment, LogKey, Revocation
from ledger.core.predicates.log_key import LogKeyState as KeyChange
from ledger.core.predicates.revocation import Reason
from ledger.core.statement import Statement
from ledger.errors import RakkanError, UsageError
from ledger.ports import Signer
from ledger.service.archive import Archive
from ledger.service.log.sequence import Appended
from ledger.service.studio import Studio


def revoke(
    studio: Studio, registrar: Signer, device: str, reason: Reason, suspect_from: int | None = None
) -> Appended:
    """End the newest key of a device, for good.

    ``suspect_from`` is the index of the first entry that somebody else may have signed. Raises
    ``UsageError("key.unknown")`` for a device that was never enrolled, ``UsageError("log.no-such-entry")``,
    and the log's errors: ``key.revoked`` when the registrar's own key has ended.
    """
    size = studio.entries.head().size
    if suspect_from is not None and not 0 <= suspect_from < size:
        raise UsageError("log.no-such-entry", "The log has no such entry.", index=suspect_from, size=size)
    keyid = _newest_key(studio, device)
    return studio.state(registrar, (Artifact(device, keyid),), Revocation(device, reason, suspect_from))


def announce(studio: Studio, signer: Signer, following: Signer) -> Appended:
    """Make ``following`` a key of the log beside ``signer``; both sign this and every checkpoint from now on.

    The studio must have been opened with both keys. Other processes that have the log open are shut out
    first: they do not know the new key. Raises the log's errors.
    """
    studio.log.fence()
    appended = _say(studio, KeyChange.ANNOUNCED, following.public_key, (signer, following))
    # The last checkpoint that everybody can check: the way from the old key to the new one.
    studio.checkpoints.put(appended.index + 1, appended.receipt.checkpoint)
    return appended


def retire(studio: Studio, signer: Signer, following: Signer) -> Appended:
    """End ``signer`` as a key of the log; ``following`` goes on alone. Raises the log's errors."""
    return _say(studio, KeyChange.RETIRED, signer.public_key, (signer, following))


@dataclass(frozen=True, slots=True)
class KeyState:
    """One key of the log's history: ``since`` and ``ended`` are indices of entries.

    ``since`` is ``None`` for a key that the trust root pins, ``ended`` for one that has not ended.
    """

    keyid: str
    role: str
    device: str
    since: int | None
    ended: int | None

    def to_json(self) -> dict[str, object]:
        """Return the state for a program."""
        return asdict(self)


def history(studio: Studio) -> list[KeyState]:
    """Return every key that the log knows, in the order in which they came."""
    return [
        KeyState(
            record.key.keyid, record.role.value if record.role else "log", record.device, record.index, ended
        )
        for record, ended in Keys(studio).now()[0].states()
    ]


class Keys:
    """The keys of a log as they are now, caught up when asked. May be used by several threads."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._pinned = KeyHistory(studio.trust.registrars, studio.trust.log_keys(studio.log.origin))
        # One value, replaced as a whole, and never changed in place: see ``KeyAdmission``.
        self._known = self._pinned, 0

    def now(self) -> tuple[KeyHistory, int]:
        """Return the history of the keys and the log's size, as last committed by any process."""
        history, known = self._known
        size = self._studio.entries.head().size
        if size == known:
            return history, size
        if size < known:  # an older database came back; the rollback guard has its own say
            history, known = self._pinned, 0
        rows = [row for kind in KEY_STATEMENTS for row in self._studio.entries.statements(kind.TYPE, known)]
        found = [row for row in rows if row.index < size]
        if found:
            history = history.copy()
        for row in sorted(found, key=lambda row: row.index):
            with suppress(RakkanError):  # what admission would refuse changes nothing
                judge(history, row.index, self._studio.envelope(row.index), self._studio.statement(row.index))
        self._known = history, size
        return history, size


@dataclass(frozen=True, slots=True)
class LogKeyState:
    """A key of the log itself, and where it was announced and retired.

    ``announced`` is ``None`` for a key that only the trust root names, ``retired`` for one in use.
    """

    verifier: NoteVerifier
    announced: int | None
    retired: int | None


def log_keys(studio: Studio) -> list[LogKeyState]:
    """Return the keys that the log has had, the pinned ones first, each with what the log says of it."""
    origin = studio.log.origin
    keys = KeyHistory(studio.trust.registrars, studio.trust.log_keys(origin))
    found = {item.public_key: LogKeyState(item, None, None) for item in studio.trust.log_verifiers(origin)}
    for row in studio.entries.statements(LogKey.TYPE):
        predicate = studio.statement(row.index).predicate
        with suppress(RakkanError):  # as in ``history``
            judge(keys, row.index, studio.envelope(row.index), studio.statement(row.index))
            if isinstance(predicate, LogKey):
                verifier = verifier_of(origin, predicate.public_key)
                known = found.get(verifier.public_key, LogKeyState(verifier, None, None))
                ends = predicate.state is KeyChange.RETIRED
                found[verifier.public_key] = (
                    replace(known, retired=row.index) if ends else replace(known, announced=row.index)
                )
    return list(found.values())


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """What the log says of one enrolled key: the indices of its enrolments and of its revocation."""

    keyid: str
    enrolled: tuple[int, ...]
    revoked: int | None
    suspect_from: int | None


def device_key(studio: Studio, keyid: str) -> DeviceKey:
    """Return what the log says of a key, by its keyid. Raises ``UsageError("log.no-such-key")``."""
    archive = Archive(studio)
    enrolled: list[int] = []
    end: tuple[int, Revocation] | None = None
    for row in archive.rows(keyid):
        predicate = studio.statement(row.index).predicate
        if row.role != "subject" or not archive.by_registrar(row.index):
            continue
        if isinstance(predicate, Enrolment):
            enrolled.append(row.index)
        elif isinstance(predicate, Revocation) and end is None:
            end = (row.index, predicate)
    if not enrolled:
        raise UsageError("log.no-such-key", "The log has no enrolment of such a key.", keyid=keyid)
    return DeviceKey(keyid, tuple(enrolled), end[0] if end else None, end[1].suspect_from if end else None)


def _say(studio: Studio, state: KeyChange, public_key: bytes, signers: tuple[Signer, ...]) -> Appended:
    origin = studio.log.origin
    subject = Artifact(origin, parse_public_key(public_key).keyid)
    payload = statements.encode(Statement((subject,), LogKey(origin, state, public_key)))
    return studio.log.append([dsse.sign(payload, *signers)])[0]


def _newest_key(studio: Studio, device: str) -> str:
    for row in reversed(studio.entries.statements(Enrolment.TYPE)):
        statement = studio.statement(row.index)
        if isinstance(statement.predicate, Enrolment) and statement.predicate.device == device:
            return statement.subjects[0].sha256
    raise UsageError("key.unknown", f"No device “{device}” was ever enrolled.", device=device)
