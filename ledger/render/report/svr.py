"""The verdicts on record, each as the DSSE envelope that was signed: in-toto's Simple Verification Results.

Every envelope stands on a line of its own, byte for byte as in the log: the SHA-256 of a zero byte and the
envelope is its leaf hash.
"""

from __future__ import annotations

import json

from ledger.core.audit import Report
from ledger.service.report.verdicts import OnRecord

SPEC = "https://rakkan.org/verdicts-on-record/v1"


def to_svr(report: Report, found: OnRecord) -> bytes:
    """Return the document."""
    about = {
        "spec": SPEC,
        "report": report.head.identifier,
        "view": report.view,
        "words": _words(found),
        "files": found.files,
        "judged": found.judged,
        "entries": list(found.entries),
        "refused": list(found.refused),
        "withheld": len(found.entries) - len(found.envelopes),
    }
    head = json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode()[:-1]
    return head + b',"envelopes":[\n' + b",\n".join(found.envelopes) + b"\n]}\n"


def _words(found: OnRecord) -> str:
    silent = found.files - found.judged
    if not silent:
        return "A verdict is on record about every file."
    return f"No verdict is on record about {silent:,} of {found.files:,} files, and none was made for this."
