"""A studio in memory or on a database, with a real log: for what needs neither files nor pictures."""

from typing import Any, cast

from ledger.core.predicates import Predicate
from ledger.core.statement import Statement
from ledger.core.trust import TrustRoot
from ledger.ports import EntryStore
from ledger.service.clear.store import BasisStore
from ledger.service.log.admission import KeyAdmission
from ledger.service.log.sequence import Log
from ledger.service.studio import Studio
from ledger.testing import (
    FixedClock,
    MemoryCheckpointStore,
    MemoryLastSigned,
    MemoryManifestStore,
    MemoryOpeningStore,
    SeedSigner,
)
from tests.support.builders import REGISTRAR, BuiltLog, enrolment, envelope, registrar_enrolment
from tests.support.log import KEY, ORIGIN


def studio_on(entries: EntryStore, bases: BasisStore, admission: Any = None, rows: Any = None) -> Studio:
    """Return a studio with a log, and with nothing that reads pictures; ``rows`` is what readers ask."""
    admits = admission or KeyAdmission(ORIGIN, (REGISTRAR.public_key,), (KEY.public_key,))
    return Studio(
        production="nightfall",
        log=Log(entries, [KEY], ORIGIN, FixedClock(), admits, MemoryLastSigned()),
        entries=entries,
        openings=MemoryOpeningStore(),
        checkpoints=MemoryCheckpointStore(),
        manifests=MemoryManifestStore(),
        codec=cast("Any", None),
        pixels=cast("Any", None),
        clock=FixedClock(),
        trust=TrustRoot(
            "Studio X", (BuiltLog(origin=ORIGIN, key=KEY).vkey,), (REGISTRAR.public_key,), "", ""
        ),
        bases=bases,
        rows=rows,
    )


def say(studio: Studio, statement: Statement | Predicate, *signers: SeedSigner) -> int:
    """Append a statement, signed by whoever may sign it, and return its index."""
    if isinstance(statement, Statement):
        data = envelope(statement.predicate, *signers, subjects=statement.subjects)
    else:
        data = envelope(statement, *signers)
    return studio.log.append([data])[0].index


def opened(studio: Studio) -> Studio:
    """Enrol the registrar and the device."""
    for predicate in (registrar_enrolment(), enrolment()):
        say(studio, predicate)
    return studio
