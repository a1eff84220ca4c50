"""All checks of a bundle, in order. What one finds wrong does not keep the others from looking."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core import canonical
from ledger.core.audit import Report
from ledger.core.audit.bundle import CONSISTENCY, DOCUMENT, MANIFEST, SIGNATURE, File, Manifest, read_manifest
from ledger.core.audit.bundle import payload as signed_payload
from ledger.core.audit.document import read as read_report
from ledger.core.merkle import HASH_SIZE, verify_consistency
from ledger.errors import MalformedError, RakkanError, UndecidedError
from ledger.verifier.anchors import Anchors, Given, Issued, anchors
from ledger.verifier.archive import Archive, altered
from ledger.verifier.evidence import Entries, check_signature, open_signed, read_entries
from ledger.verifier.figures import (
    check_counts,
    check_figures,
    check_files,
    check_head,
    check_rows,
    files_by_entry,
)
from ledger.verifier.issue import check_issued, check_last
from ledger.verifier.openings import check_openings, check_policy, check_stores, check_verdicts
from ledger.verifier.outcome import Check, Outcome
from ledger.verifier.shape import check_shape


def verify(archive: Archive, given: Given) -> Outcome:
    """Return what came of every check."""
    outcome = Outcome()
    manifest = outcome.run("files", "The files of the bundle", lambda check: _files(archive, check))
    if manifest is not None:
        known = outcome.run("anchors", "Whom to believe", lambda check: anchors(archive, given, check))
        report = outcome.run("report", "The report", lambda check: _report(archive, manifest, check))
        entries = _evidence(archive, manifest, known, report, outcome) if known else None
        if report is not None:
            _rows(archive, manifest, report, entries, outcome)
        if report is not None and entries is not None and given.issued is not None:
            _issue(archive, given.issued, report, entries, outcome)
    return outcome


def _files(archive: Archive, check: Check) -> Manifest:
    """Return the manifest. Each file that is not as it is listed is marked. Raises for a bad manifest."""
    digests = dict(_digests(archive, check))
    if MANIFEST not in digests:
        raise altered(MANIFEST, "without it, nothing says what the bundle holds")
    try:
        manifest = read_manifest(archive.read(MANIFEST))
    except MalformedError as error:
        raise altered(MANIFEST, str(error)) from error
    listed = {item.path: item for item in manifest.files}
    for name in archive.members:
        if name not in (MANIFEST, SIGNATURE) and name in digests:
            found = File(name, archive.members[name].size, digests[name])
            if listed.get(name) != found:
                check.mark(altered(name, "its bytes are not those that MANIFEST.json lists"))
    for name in listed:
        if name not in archive:
            check.mark(altered(name, "MANIFEST.json lists it, and it is not there"))
    check.say(f"{len(archive.members):,} files, {sum(item.size for item in manifest.files):,} bytes.")
    return manifest


def _digests(archive: Archive, check: Check) -> Iterator[tuple[str, str]]:
    for name in archive.members:
        try:
            yield name, archive.digest(name)
        except RakkanError as error:
            check.mark(error)


def _report(archive: Archive, manifest: Manifest, check: Check) -> Report:
    try:
        report = read_report(canonical.load(archive.read(DOCUMENT)))
        check_shape(report)
    except MalformedError as error:
        raise altered(DOCUMENT, str(error)) from error
    check_head(report, manifest, check)
    check_policy(archive, report, check)
    return report


def _evidence(
    archive: Archive, manifest: Manifest, known: Anchors, report: Report | None, outcome: Outcome
) -> Entries | None:
    about = files_by_entry(report) if report else {}
    entries = outcome.run(
        "entries",
        "The entries, and who signed them",
        lambda check: read_entries(archive, manifest, known, about, check),
    )
    if entries is not None:
        outcome.run(
            "checkpoint",
            "The log's checkpoint",
            lambda check: open_signed(archive, manifest, known, entries, check),
        )
        outcome.run(
            "signature",
            "Who signed the bundle",
            lambda check: _signature(archive, manifest, entries, check),
        )
        outcome.run("manifests", "The manifest stores", lambda check: check_stores(archive, entries, check))
    return entries


def _signature(archive: Archive, manifest: Manifest, entries: Entries, check: Check) -> None:
    if SIGNATURE not in archive:
        raise UndecidedError("bundle.unsigned", "No registrar signed what the bundle holds.")
    payload = signed_payload(archive.read(MANIFEST), manifest.report)
    device = check_signature(archive, SIGNATURE, payload, entries, manifest.size)
    check.say(f"The studio's {device} signed the list of all its files.")


def _rows(
    archive: Archive, manifest: Manifest, report: Report, entries: Entries | None, outcome: Outcome
) -> None:
    def figures(check: Check) -> None:
        check_figures(report, check)
        check_counts(report, check)

    def rows(check: Check) -> None:
        if entries is not None:
            check_rows(report, entries, check)
            check_files(report, entries, check)
            check_verdicts(archive, entries, check)

    outcome.run("figures", "The figures, counted again", figures)
    outcome.run("rows", "The rows, and the entries that they come from", rows)
    outcome.run(
        "openings",
        "What was chosen to be disclosed",
        lambda check: check_openings(archive, report, entries, check),
    )
    outcome.run(
        "tree",
        "The tree that the report was made from",
        lambda check: _tree(archive, manifest, report, check),
    )


def _issue(archive: Archive, issued: Issued, report: Report, entries: Entries, outcome: Outcome) -> None:
    outcome.run(
        "issue",
        "The report's own entry, which lies beside the bundle",
        lambda check: check_issued(archive, issued, report, entries, check),
    )


def _tree(archive: Archive, manifest: Manifest, report: Report, check: Check) -> None:
    """Return if the tree of the checkpoint continues the one that the report saw."""
    row, head = archive.read(CONSISTENCY), report.head
    proof = [row[at : at + HASH_SIZE] for at in range(0, len(row), HASH_SIZE)]
    verify_consistency(
        head.size, manifest.size, proof, bytes.fromhex(head.root), bytes.fromhex(manifest.root)
    )
    check.say(f"It had {head.size:,} entries, and nothing of it was changed since.")
    check_last(archive, report, check)
