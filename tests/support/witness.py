"""Witnesses to test with: ours, asked without a network, and keys for them."""

import hashlib
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.core.cosignature import CosignatureSigner
from ledger.core.note import NoteVerifier
from ledger.core.policy import Policy, PolicyLog, PolicyWitness, parse_policy
from ledger.core.witness import Request, check_answer, format_request
from ledger.ports import Publication, Witness
from ledger.service.log.witness import Cosigner
from ledger.service.log.witnessing import Witnessing
from ledger.testing import (
    FixedClock,
    MemoryAlarms,
    MemoryCheckpointStore,
    MemoryPublication,
    SeedSigner,
)
from tests.support.log import new_log

LOG = new_log().verifier


class MlDsaSigner:
    """An ML-DSA-44 key derived from a word."""

    def __init__(self, seed: str) -> None:
        self._key = MLDSA44PrivateKey.from_seed_bytes(hashlib.sha256(seed.encode()).digest())
        self.public_key = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def cosigner_key(name: str, *, post_quantum: bool = False) -> CosignatureSigner:
    key = MlDsaSigner(name) if post_quantum else SeedSigner(name)
    return CosignatureSigner(f"witness.example/{name}", key)


def new_witness(
    name: str,
    state: Publication | None = None,
    alarms: MemoryAlarms | None = None,
    logs: Sequence[NoteVerifier] = (LOG,),
    **key: Any,
) -> Cosigner:
    """Return a witness of ours that keeps its state in memory."""
    return Cosigner(
        cosigner_key(name, **key),
        logs,
        MemoryPublication() if state is None else state,
        MemoryAlarms() if alarms is None else alarms,
        FixedClock(),
    )


class Direct:
    """A witness of ours as `ports.Witness`, without a network between."""

    def __init__(self, name: str, cosigner: Cosigner) -> None:
        self.name = name
        self.cosigner = cosigner
        self.asked: list[int] = []

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
        self.asked.append(old_size)
        request = Request(old_size, tuple(proof), checkpoint)
        answer = self.cosigner.add_checkpoint(format_request(request))
        return check_answer(answer.status, answer.media_type, answer.body, request)

    def checkpoint(self, origin: str) -> bytes | None:
        return self.cosigner.checkpoint(hashlib.sha256(origin.encode()).hexdigest())


def policy_of(quorum: str, *keys: CosignatureSigner) -> Policy:
    """Return a policy over witnesses that are named by the last part of their keys' names.

    `quorum` is `all`, `any` or a number.
    """
    names = [key.name.rpartition("/")[2] for key in keys]
    lines = [f"log {LOG.vkey}\n"]
    lines += [f"witness {name} {key.verifier.vkey}\n" for name, key in zip(names, keys, strict=True)]
    lines += [f"group all-of-them {quorum} {' '.join(names)}\n", "quorum all-of-them\n"]
    policy = parse_policy("".join(lines).encode())
    assert policy.logs == (PolicyLog(LOG),)
    assert policy.witnesses[0] == PolicyWitness(names[0], keys[0].verifier)
    return policy


def witnessing(
    policy: Policy, *witnesses: Witness, fail_closed: bool = True, seconds: float = 5.0
) -> Witnessing:
    return Witnessing(policy, witnesses, MemoryCheckpointStore(), fail_closed, seconds)
