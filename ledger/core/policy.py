"""Trust policies (c2sp.org/tlog-policy): which logs, which witnesses, and how many of them are enough.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>...
    quorum <name>|none

* The file is octets: lines end with a newline, items are parted by spaces and tabs, ``#`` begins a comment
  line. Names are opaque octets. Exactly one line says ``quorum``.
* A name is defined before it is used, once, and is a member of at most one group. ``none`` is no name.
* No public key is listed twice, not even under two names: one witness must not count as two.
* A log's key is of type 0x01, a witness's of type 0x04 or 0x06.
* A checkpoint meets the policy when a listed log signed it and the quorum has cosigned it. One that does not
  is undecided, never forged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ledger.core.checkpoint import Checkpoint
from ledger.core.cosignature import Cosignature, CosignatureVerifier, open_cosigned, parse_cosigner
from ledger.core.note import NoteVerifier, parse_vkey
from ledger.errors import MalformedError, UndecidedError

MAX_POLICY = 1_000_000
"""Bytes."""

MAX_MEMBERS = 100
"""Logs, witnesses and groups, each. The specification asks for at least 32."""

_Item = TypeVar("_Item")

NONE = "none"
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log by its key; the key's name is the log's origin."""

    verifier: NoteVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness: its name within the policy, its key, and the submission prefix where it is asked."""

    name: str
    verifier: CosignatureVerifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A group has witnessed a checkpoint when ``threshold`` of its ``members`` have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Quorum:
    """How a checkpoint stands with a policy: the policy's witness names that cosigned it, and those not."""

    met: bool
    signed: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses, groups (a member stands before its group), and the quorum's name or ``"none"``."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def evaluate(self, signed: Collection[CosignatureVerifier]) -> Quorum:
        """Return whether these witnesses are enough."""
        done = {witness.name for witness in self.witnesses if witness.verifier in signed}
        names = tuple(witness.name for witness in self.witnesses)
        reached = set(done)
        for group in self.groups:
            if sum(member in reached for member in group.members) >= group.threshold:
                reached.add(group.name)
        return Quorum(
            self.quorum == NONE or self.quorum in reached,
            tuple(name for name in names if name in done),
            tuple(name for name in names if name not in done),
        )

    def open(self, data: bytes) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
        """Return a checkpoint that meets the policy, and its cosignatures.

        Raises what ``open_checkpoint`` raises, and ``UndecidedError("witness.quorum")`` when too few
        witnesses have cosigned.
        """
        logs = [log.verifier for log in self.logs]
        checkpoint, found = open_cosigned(data, logs, [witness.verifier for witness in self.witnesses])
        self.require(self.evaluate([cosignature.verifier for cosignature in found]))
        return checkpoint, found

    def require(self, quorum: Quorum) -> None:
        """Return if the quorum is met; else ``UndecidedError("witness.quorum")``."""
        if not quorum.met:
            raise UndecidedError(
                "witness.quorum",
                "Too few witnesses have cosigned this checkpoint.",
                quorum=self.quorum,
                signed=", ".join(quorum.signed) or "nobody",
                missing=", ".join(quorum.missing),
            )


def parse_policy(data: bytes) -> Policy:
    """Return the policy that a file states. Raises ``MalformedError("policy.malformed")``."""
    if len(data) > MAX_POLICY or not _ALLOWED.fullmatch(data) or (data and not data.endswith(b"\n")):
        raise _malformed("it is too long, cut short or holds a control character")
    reader = _Reader()
    for number, line in enumerate(data.decode(errors="surrogateescape").split("\n"), 1):
        items = [item for item in re.split(r"[ \t]+", line) if item]
        if items and not items[0].startswith("#"):
            try:
                reader.take(items)
            except MalformedError as error:
                raise _malformed(f"line {number}: {error.message}", line=line[:200]) from error
    return reader.policy()


def format_policy(policy: Policy) -> bytes:
    """Return the policy as a file without comments, which ``parse_policy`` reads back."""
    lines = [_line("log", log.verifier.vkey, log.url) for log in policy.logs]
    lines += [_line("witness", item.name, item.verifier.vkey, item.url) for item in policy.witnesses]
    for group in policy.groups:
        words = {1: "any", len(group.members): "all"}
        lines.append(
            _line("group", group.name, words.get(group.threshold, str(group.threshold)), *group.members)
        )
    lines.append(_line("quorum", policy.quorum))
    return "".join(lines).encode(errors="surrogateescape")


class _Reader:
    """The state of a policy that is being read; ``take`` raises ``MalformedError`` for a wrong line."""

    def __init__(self) -> None:
        self._logs: list[PolicyLog] = []
        self._witnesses: list[PolicyWitness] = []
        self._groups: list[Group] = []
        self._quorum: str | None = None
        self._free: set[str] = set()
        self._names: set[str] = {NONE}

    def take(self, items: Sequence[str]) -> None:
        """Read one line that is neither empty nor a comment."""
        lines: dict[str, tuple[Callable[..., None], range]] = {
            "log": (self._log, range(1, 3)),
            "witness": (self._witness, range(2, 4)),
            "group": (self._group, range(3, 3 + 2 * MAX_MEMBERS)),
            "quorum": (self._take_quorum, range(1, 2)),
        }
        read, count = lines.get(items[0], (None, range(0)))
        if read is None or len(items) - 1 not in count:
            raise _malformed("no such line")
        read(*items[1:])

    def policy(self) -> Policy:
        """Return what was read."""
        if self._quorum is None:
            raise _malformed("it has no quorum line")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _log(self, vkey: str, url: str | None = None) -> None:
        verifier = parse_vkey(vkey)
        if verifier.public_key in {log.verifier.public_key for log in self._logs}:
            raise _malformed("this log is listed twice")
        self._logs.append(_bounded(PolicyLog(verifier, url), self._logs))

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        verifier = parse_cosigner(vkey)
        if verifier.public_key in {witness.verifier.public_key for witness in self._witnesses}:
            raise _malformed("this witness is listed twice")
        self._define(name)
        self._witnesses.append(_bounded(PolicyWitness(name, verifier, url), self._witnesses))

    def _group(self, name: str, threshold: str, *members: str) -> None:
        words = {"any": 1, "all": len(members)}
        wanted = int(threshold) if _NUMBER.fullmatch(threshold) else words.get(threshold, 0)
        if not 1 <= wanted <= len(members):
            raise _malformed("a group asks for at least one and at most all of its members")
        for member in members:
            if member not in self._free:
                raise _malformed("a member is not defined, or is a member already")
            self._free.remove(member)
        self._define(name)
        self._groups.append(_bounded(Group(name, wanted, members), self._groups))

    def _take_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise _malformed("a second quorum")
        if name not in self._names:
            raise _malformed("the quorum's name is not defined")
        self._quorum = name

    def _define(self, name: str) -> None:
        if name in self._names:
            raise _malformed("this name is taken")
        self._names.add(name)
        self._free.add(name)


def _bounded(item: _Item, items: Sequence[object]) -> _Item:
    if len(items) >= MAX_MEMBERS:
        raise _malformed("it lists too many")
    return item


def _line(*items: str | None) -> str:
    return " ".join(item for item in items if item is not None) + "\n"


def _malformed(why: str, **evidence: object) -> MalformedError:
    return MalformedError("policy.malformed", f"This is not a trust policy: {why}.", **evidence)
