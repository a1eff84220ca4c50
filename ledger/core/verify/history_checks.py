"""Whether everything that the file was made from is explained by a record.

* A digest is explained when a proven step, model or dataset has it as a subject, or when a proven seal has it
  as a subject and the file from before that seal is explained. A picture saved again is explained by its
  pixels.
* Every file that a proven step read must be explained. One that is not is *unattributed*: nobody can say what
  is in it, so nothing said about models, datasets and grants is complete. Undecided, never failed.
* Models and datasets are another check's business.
"""

from __future__ import annotations

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates import Dataset, Model, Seal, Step
from ledger.core.report import Check, Status
from ledger.core.verify.ledger_checks import Ledger

SHOWN = 5
"""How many unattributed files are named."""


def check_history(ledger: Ledger) -> Check:
    """Whether each file that the recorded steps read has a record of its own."""
    title = "Its history is complete"
    read = _files_read(ledger)
    if not ledger.of(Step, Model, Dataset):
        return Check("history", title, Status.UNDECIDED, "No proven record says what it was made from.")
    if not read:
        return Check("history", title, Status.PASSED, "Its record names no file that it was made from.")
    digests, pixels = _explained(ledger)
    bare = [item for item in read if item.sha256 not in digests and item.pixels not in pixels]
    if bare:
        names = ", ".join(f"“{item.name}”" for item in bare[:SHOWN]) + (" and others" if bare[SHOWN:] else "")
        words = f"It was made from {names}, which no record at hand explains."
        plain = "It was made from files that no record at hand explains."
        return Check("history", title, Status.UNDECIDED, words, ("lineage.unattributed",), plain)
    words = "Each file that it was made from has a record of its own, back to the first."
    return Check("history", title, Status.PASSED, words)


def _files_read(ledger: Ledger) -> list[Artifact]:
    found: dict[str, Artifact] = {}
    for item in ledger.of(Step):
        step = item.entry.statement.predicate
        for material in step.materials if isinstance(step, Step) else ():
            if material.role not in (Role.MODEL, Role.DATASET):
                found.setdefault(material.sha256, material)
    return list(found.values())


def _explained(ledger: Ledger) -> tuple[set[str], set[str]]:
    """Return the explained digests and the pixel digests that go with them."""
    subjects = [
        item for judged in ledger.of(Step, Model, Dataset) for item in judged.entry.statement.subjects
    ]
    digests = {item.sha256 for item in subjects}
    # In the order of the log: what was sealed was recorded, or itself sealed, before.
    for judged in ledger.of(Seal):
        seal = judged.entry.statement.predicate
        manifests = seal.manifests if isinstance(seal, Seal) else ()
        for subject, manifest in zip(judged.entry.statement.subjects, manifests, strict=True):
            if manifest.source in digests:
                digests.add(subject.sha256)
    return digests, {item.pixels for item in subjects if item.pixels}
