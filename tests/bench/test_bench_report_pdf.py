"""The report as a signed PDF: an episode and a feature, against typst and pyHanko with nothing to do.

`python -m pytest -m bench -s tests/bench/test_bench_report_pdf.py` prints it. Each is set in a process of its
own, as typst remembers what it has laid out; memory is the most that it takes beside the report itself. The
bare measure is an empty PDF/A page there, and for signing pyHanko over the same bytes.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from io import BytesIO

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfSignatureMetadata, sign_pdf

from ledger.adapters import pki, typesetting
from ledger.adapters.pdf_signature import Credential, Seen, sign
from ledger.render.report import pdf
from tests.architecture.project import ROOT
from tests.bench.table import best_ms, print_table
from tests.support.audit_reports import Size, audit_report
from tests.support.pdf_judges import signer
from tests.support.pdfs import typeset

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
EPISODE = Size(shots=400, frames=79, findings=300, things=40)
FEATURE = Size(shots=1700, frames=76, findings=300, things=40)
NOW = datetime.now(UTC)
RUN = r"""
import re, sys, time
from datetime import UTC, datetime
from ledger.adapters import typesetting
from tests.support.audit_reports import Size, audit_report
from tests.support.pdfs import typeset
peak = lambda: int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) // 1024
report = audit_report(Size(*map(int, sys.argv[1:])))
first = time.process_time()
typesetting.typeset({"main.typ": b"."}, "main.typ", datetime.now(UTC))
before, start = peak(), time.process_time()
typeset(report)
print(1000 * (time.process_time() - start), 1000 * (start - first), peak() - before)
"""


def run(size: Size) -> tuple[float, float, int]:
    """Return what setting a report takes, and an empty page: processor time in ms; and the memory, in MiB."""
    numbers = [str(number) for number in (size.shots, size.frames, size.findings, size.things)]
    command = [sys.executable, "-c", RUN, *numbers]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    ours, bare, memory = result.stdout.split()
    return float(ours), float(bare), int(memory)


def test_an_episode_and_a_feature() -> None:
    rows = []
    for size in (EPISODE, FEATURE):
        ours, bare, memory = run(size)
        what = f"{size.shots:,} shots, {size.shots * size.frames:,} frames, {memory:,} MiB"
        rows.append((what, ours, bare, None))
    print_table("setting a report, against an empty page (processor time)", rows)
    assert rows[0][1] < 10_000, "an episode has its PDF in ten seconds"


def test_signing() -> None:
    data = typeset(audit_report(EPISODE))
    root = pki.make_root("Studio", NOW)
    issuing = pki.make_issuing(root, "Studio", NOW)
    made = pki.make_reporting(issuing, "Studio", NOW)
    credential = Credential(made.key_pem(), made.chain_pem, root.chain_pem)
    page = typesetting.typeset({"main.typ": b"#set page(width: 9cm, height: 1cm)\nA"}, "main.typ", NOW)
    seen = Seen(page, pdf.SIGNATURE)
    bare = PdfSignatureMetadata(field_name="Bare", md_algorithm="sha256")
    rows = [
        (
            f"{len(data) / 1e6:.1f} MB",
            best_ms(lambda: sign(data, credential, seen), 5),
            best_ms(lambda: sign_pdf(IncrementalPdfFileWriter(BytesIO(data)), bare, signer=signer(made)), 5),
            3.0,
        )
    ]
    print_table("signing, against pyHanko with nothing to be seen", rows)
    assert rows[0][1] / rows[0][2] < 3.0
