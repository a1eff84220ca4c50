"""The evidence bundle: which files it has, its list of them, and how entries stand in it.

Form: docs/spec/evidence-bundle.md.

* ``MANIFEST.json`` lists every other file with size and SHA-256, in canonical JSON. A registrar of the studio
  signs it; that envelope (``MANIFEST.dsse.json``) is the one file that it does not list.
* An entry is one line: its index, its leaf hash, and its envelope; or ``-`` where the envelope would show the
  reader of this view what the view hides. It is in the log all the same, and the proof covers it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from ledger.core import canonical
from ledger.core.audit import Sight
from ledger.core.digest import sha256_hex
from ledger.core.fields import Fields
from ledger.core.predicates import (
    Dataset,
    Enrolment,
    Grant,
    GrantRevocation,
    Incident,
    LogKey,
    LostRecord,
    Model,
    Party,
    PolicyProfile,
    Predicate,
    Revocation,
    Seal,
    ServiceCall,
    ServiceTerms,
    Step,
    Title,
    TrainingRun,
    VerdictResult,
    Work,
)
from ledger.core.statement import STATEMENT_TYPE
from ledger.core.zipped import check_name
from ledger.errors import MalformedError

SPEC = "https://rakkan.org/evidence-bundle/v1"
CODE = "bundle.malformed"

MANIFEST = "MANIFEST.json"
SIGNATURE = "MANIFEST.dsse.json"
README = "README.txt"
DOCUMENT = "report.json"
SUMS = "SHA256SUMS"
VERDICTS = "verdicts.svr.json"
LAST = "consistency.txt"
ISSUED = "issued.dsse.json"
RECEIPT = "receipt.tlog-proof"
CHECKPOINT = "evidence/checkpoint"
ENTRIES = "evidence/entries.txt"
PROOF = "evidence/proof"
CONSISTENCY = "evidence/consistency"
TRUST = "evidence/trust.json"
WITNESSES = "evidence/witnesses.policy"
POLICY = "evidence/policy.json"
OPENINGS = "evidence/openings.txt"
DISCLOSURES = "evidence/disclosures.txt"
STORES = "evidence/manifests/"

_LINE = re.compile(rb"(0|[1-9][0-9]{0,18}) ([0-9a-f]{64}) (-|\{[^\n]*\})\n")
_WORK, _RIGHTS, _TERMS = Sight.WORK, Sight.RIGHTS, Sight.TERMS
_REVEALS: tuple[tuple[tuple[type, ...], frozenset[Sight]], ...] = (
    ((PolicyProfile, Enrolment, Revocation, LogKey, Incident), frozenset({_WORK})),
    ((Step, Seal, ServiceCall, TrainingRun, LostRecord), frozenset({_WORK, _RIGHTS})),
    ((Model, Dataset, Work, Title), frozenset({_WORK, _RIGHTS})),
    ((Grant, GrantRevocation, Party, ServiceTerms, VerdictResult), frozenset({_WORK, _RIGHTS, _TERMS})),
)
POLICY_REVEALS = frozenset({_WORK})
STORE_REVEALS = frozenset({_WORK, _RIGHTS, _TERMS})
"""A manifest store carries grants beside the step."""


def shows(kind: type[Predicate] | None, sees: Collection[Sight]) -> bool:
    """Whether a reader who sees this may have the envelope of such a statement; ``None``: of an unknown kind.

    A step, an enrolment and a seal name the actor and the device by pseudonyms, which each sealed file
    carries (ADR 0006); else an envelope goes to those alone who see all that it says. What names people who
    consented or decided is for whoever sees everything.
    """
    needed = next(
        (sights for kinds, sights in _REVEALS if kind and issubclass(kind, kinds)), frozenset(Sight)
    )
    return needed <= set(sees)


Part = tuple[str, Iterable[bytes]]
"""A path in a bundle, and its bytes, piece by piece."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a bundle: path, bytes, SHA-256 (hex)."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What it holds. ``shown`` and ``withheld`` count entries, ``size`` and ``root`` are of the tree."""

    report: str
    view: str
    origin: str
    size: int
    root: str
    shown: int
    withheld: int
    files: tuple[File, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        listed = [{"path": item.path, "size": item.size, "sha256": item.sha256} for item in self.files]
        return {
            "spec": SPEC,
            "report": self.report,
            "view": self.view,
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "entries": {"shown": self.shown, "withheld": self.withheld},
            "files": listed,
        }


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest. Raises ``MalformedError``: ``bundle.malformed``, ``json.*``."""
    fields = Fields(canonical.decode(data), MANIFEST, CODE)
    if fields.text("spec") != SPEC:
        raise fields.error("spec", f"must be {SPEC}")
    entries = fields.sub("entries")
    found = Manifest(
        fields.text("report"),
        fields.text("view"),
        fields.text("origin"),
        fields.take("size", int),
        fields.sha256("root"),
        entries.take("shown", int),
        entries.take("withheld", int),
        tuple(_read_file(item, n) for n, item in enumerate(fields.take("files", list))),
    )
    entries.end()
    fields.end()
    return found


def sums(files: Iterable[File]) -> bytes:
    """Return ``SHA256SUMS``: what ``sha256sum -c`` reads."""
    return "".join(f"{item.sha256}  {item.path}\n" for item in files).encode()


def payload(manifest: bytes, report: str) -> bytes:
    """Return what is signed: an in-toto statement about the bytes of ``MANIFEST.json``."""
    return canonical.encode(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": MANIFEST, "digest": {"sha256": sha256_hex(manifest)}}],
            "predicateType": SPEC,
            "predicate": {"report": report},
        }
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a bundle. ``envelope`` is ``None`` where the view withholds it."""

    index: int
    leaf: bytes
    envelope: bytes | None


def format_line(line: Line) -> bytes:
    """Return the entry's line: an envelope is canonical JSON and has no line break."""
    return b"%d %s %s\n" % (line.index, line.leaf.hex().encode(), line.envelope or b"-")


def read_line(data: bytes) -> Line:
    """Return the entry of a line. Raises ``MalformedError("bundle.malformed")``."""
    found = _LINE.fullmatch(data)
    if found is None:
        raise MalformedError(CODE, f"{ENTRIES} has a line that is no entry.", line=data[:40])
    envelope = None if found[3] == b"-" else found[3]
    return Line(int(found[1]), bytes.fromhex(found[2].decode()), envelope)


def _read_file(value: object, number: int) -> File:
    fields = Fields(value, f"files[{number}]", CODE)
    found = File(fields.text("path"), fields.take("size", int), fields.sha256("sha256"))
    fields.end()
    check_name(found.path)
    return found
