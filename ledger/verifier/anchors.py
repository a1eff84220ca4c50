"""Whom to believe: what the command line names; where it names nothing, what the bundle says of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ledger.core.audit.bundle import TRUST, WITNESSES
from ledger.core.digest import sha256_hex
from ledger.core.policy import Policy, parse_policy
from ledger.core.trust import TrustRoot, parse_trust
from ledger.errors import UndecidedError, UsageError
from ledger.verifier.archive import Archive
from ledger.verifier.outcome import Check


@dataclass(frozen=True, slots=True)
class Issued:
    """The signed entry about a report, and its receipt, where the log has taken it in."""

    entry: bytes
    receipt: bytes | None


@dataclass(frozen=True, slots=True)
class Given:
    """What the reader brings: a trust root or its SHA-256 (hex), keys of the log, a witness policy.

    ``issued`` is what lies beside the bundle.
    """

    trust: bytes | None = None
    log_keys: tuple[str, ...] = ()
    trust_sha256: str | None = None
    policy: bytes | None = None
    issued: Issued | None = None


@dataclass(frozen=True, slots=True)
class Anchors:
    """``witnesses`` is the reader's own policy, or else the studio's, which is ``pinned`` by nobody."""

    trust: TrustRoot
    witnesses: Policy | None
    pinned: bool


def anchors(archive: Archive, given: Given, check: Check) -> Anchors:
    """Return whom to believe. Raises what reading a trust root or a policy raises.

    Raises ``UsageError("bundle.other-trust")`` for a trust root that is not the one whose digest was given.
    """
    data = archive.read(TRUST) if given.trust is None else given.trust
    if given.trust_sha256 not in (None, sha256_hex(data)):
        raise UsageError("bundle.other-trust", "The trust root has another SHA-256.", sha256=sha256_hex(data))
    trust = parse_trust(data)
    known = given.trust is not None or given.trust_sha256 is not None or bool(given.log_keys)
    if given.log_keys:
        trust = replace(trust, logs=given.log_keys)
    check.say(_whom(given, trust))
    if not known:
        check.mark(
            UndecidedError(
                "bundle.no-anchor",
                "Nothing says whose bundle this is. Get trust.json or the log's key from the studio on "
                "another way, and give --trust or --log-key. What follows is whether it fits together.",
            )
        )
    policy = given.policy
    if policy is None and WITNESSES in archive:
        policy = archive.read(WITNESSES)
    return Anchors(trust, parse_policy(policy) if policy is not None else None, given.policy is not None)


def _whom(given: Given, trust: TrustRoot) -> str:
    if given.log_keys:
        return "Believed: the log's key that you gave. The registrars are those that the bundle names."
    if given.trust is not None or given.trust_sha256 is not None:
        return f"Believed: the trust root of {trust.studio}."
    return f"The bundle says that it is of {trust.studio}."
