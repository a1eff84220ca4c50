"""Admit a key to the log: the registrar states it, and from that index on the key may sign."""

from __future__ import annotations

from ledger.core.artifact import Artifact
from ledger.core.digest import sha256_hex
from ledger.core.predicates import Enrolment
from ledger.ports import Signer
from ledger.service.log.sequence import Appended
from ledger.service.studio import Studio


def enrol(studio: Studio, registrar: Signer, enrolment: Enrolment) -> Appended:
    """Append the enrolment, signed by the registrar. The first one is the registrar's own.

    Raises the log's errors. The verifier, not this function, decides whether the signer was a registrar.
    """
    subject = Artifact(enrolment.device, sha256_hex(enrolment.public_key))
    return studio.state(registrar, (subject,), enrolment)
