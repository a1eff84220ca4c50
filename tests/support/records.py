"""What an operator keeps of a test log."""

from typing import cast

from ledger.service.log.records import Records, SignedRecord
from ledger.service.log.sequence import Log
from ledger.testing import FixedClock


def records_of(log: Log) -> Records:
    """Return the records of a log that ``tests.support.log`` made."""
    last_signed = cast("SignedRecord", log.last_signed)
    return Records(log.store, log.origin, log.verifiers, log.project, last_signed, FixedClock())
