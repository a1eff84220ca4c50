"""A report for somebody who may not read the registry: what the file's own manifest says, and what was found.

* ``own`` is the judgement of the same file without what the ledger added: every word of it is in the file;
* where the ledger changed an answer, the status and the codes stand, and the words name nothing;
* a model or dataset that only the ledger knows of is shown without its name: that it is there, and whether a
  grant on record covers it. Of the grants themselves, those stay that the file brings.
"""

from __future__ import annotations

from dataclasses import replace

from ledger.core.report import Check, NamedThing, VerificationReport


def for_anybody(full: VerificationReport, own: VerificationReport) -> VerificationReport:
    """Return the full report without the names that the file itself does not hold."""
    said = {check.name: check for check in own.checks}
    named = {thing.sha256: thing for thing in own.things}
    return replace(
        full,
        checks=tuple(_check(check, said.get(check.name)) for check in full.checks),
        things=tuple(_thing(thing, named.get(thing.sha256)) for thing in full.things),
        steps=tuple(step for step in full.steps if step in own.steps),
    )


def _check(full: Check, own: Check | None) -> Check:
    words = full.words if own is not None and own.words == full.words else full.plain or full.words
    return replace(full, words=words, plain=words)


def _thing(full: NamedThing, own: NamedThing | None) -> NamedThing:
    brought = {grant.grant_id for grant in own.grants} if own is not None else set()
    # Of a grant that is not the file's to tell there is left that it is there, and whether it held.
    grants = tuple(
        grant if grant.grant_id in brought else replace(grant, grant_id="", uses=()) for grant in full.grants
    )
    if own is None:
        return replace(full, name="", sha256="", grants=grants)
    return replace(full, grants=grants)
