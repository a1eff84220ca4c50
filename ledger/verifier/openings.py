"""What was chosen to be disclosed, and the manifest stores: each belongs to a digest that is committed to."""

from __future__ import annotations

import hashlib

from ledger.core import canonical
from ledger.core.audit import Hidden, Report
from ledger.core.audit.bundle import DISCLOSURES, OPENINGS, POLICY, STORES, VERDICTS
from ledger.core.disclosure import open_disclosure
from ledger.core.merkle import leaf_hash
from ledger.errors import UndecidedError
from ledger.verifier.archive import Archive, altered
from ledger.verifier.evidence import Entries
from ledger.verifier.outcome import Check


def check_openings(archive: Archive, report: Report | None, entries: Entries | None, check: Check) -> None:
    """Open what the bundle discloses, of the report and of the log."""
    for name, digests in ((OPENINGS, _hidden(report)), (DISCLOSURES, entries.openable if entries else ())):
        if name not in archive:
            continue
        for line in archive.lines(name):
            found = open_disclosure(line.decode("ascii", "replace").rstrip("\n"), tuple(digests))
            check.say(f"{found.name}: {found.value}")


def check_stores(archive: Archive, entries: Entries, check: Check) -> None:
    """Hold each manifest store against the seal of its file."""
    count = unsealed = 0
    for name in archive.members:
        if not name.startswith(STORES):
            continue
        count += 1
        sealed = entries.stores.get(name.removeprefix(STORES).removesuffix(".c2pa"), set())
        if not sealed:
            unsealed += 1
        elif hashlib.sha256(archive.read(name)).hexdigest() not in sealed:
            check.mark(UndecidedError("bundle.store", f"No seal in the bundle names {name}."))
    check.say(f"Manifest stores that the log says were made: {count - unsealed:,}.")
    if unsealed:
        check.say(f"That came with their files, and of which no seal of the studio speaks: {unsealed:,}.")


def check_verdicts(archive: Archive, entries: Entries, check: Check) -> None:
    """Hold the verdicts on record against the entries. Raises ``IntegrityError("bundle.altered")``."""
    if VERDICTS not in archive:
        return
    document = canonical.load(archive.read(VERDICTS))
    try:
        indices, envelopes = document["entries"], document["envelopes"]
        leaves = {leaf_hash(canonical.encode(envelope)) for envelope in envelopes}
        known = {entries.listed.get(index) for index in indices}
    except (KeyError, TypeError) as error:
        raise altered(VERDICTS, f"it is no list of verdicts: {error!r}") from error
    if None in known or not leaves <= known:
        raise altered(VERDICTS, "it holds a verdict that is no entry of the bundle")
    check.say(f"Verdicts on record: {len(indices):,}; of them in {VERDICTS}: {len(envelopes):,}.")


def check_policy(archive: Archive, report: Report, check: Check) -> None:
    """Hold the policy's document against the digest in the report. Raises ``IntegrityError``."""
    if POLICY not in archive:
        check.say("This view does not hold the policy as a document.")
        return
    found = hashlib.sha256(archive.read(POLICY)).hexdigest()
    if found != report.head.policy_sha256:
        raise altered(POLICY, "it is not the policy that the report was judged by")
    check.say(f"{report.head.policy} {report.head.policy_version}, SHA-256 {found}.")


def _hidden(report: Report | None) -> set[str]:
    found: set[str] = set()
    for table in report.tables.values() if report else ():
        for row in table.rows:
            if isinstance(row, Hidden):
                found.add(row.digest)
            else:
                found.update(cell.digest for cell in row if isinstance(cell, Hidden))
    return found
