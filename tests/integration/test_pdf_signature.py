"""The signature of a report: made here, judged by pyHanko, by poppler and by qpdf."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel

from ledger.adapters import pki, typesetting
from ledger.adapters.pdf_signature import Credential, Seen, sign
from ledger.adapters.timestamps import LocalTimestampAuthority
from ledger.render.report import pdf
from tests.support.audit_reports import Size, audit_report
from tests.support.pdf_judges import judged
from tests.support.pdfs import said, typeset

NAME = "Studio Lantern"
NOW = datetime.now(UTC)
ROOT = pki.make_root(NAME, NOW)
ISSUING, TSA = pki.make_issuing(ROOT, NAME, NOW), pki.make_tsa(ROOT, NAME, NOW)


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


AUTHORITY = LocalTimestampAuthority(TSA.chain_pem, TSA.key_pem(), Clock())


def signed(data: bytes, *, now: datetime = NOW, stamped: bool = False) -> bytes:
    made = pki.make_reporting(ISSUING, NAME, now)
    page = typesetting.typeset({"main.typ": b"#set page(width: 9cm, height: 1cm)\nSigned"}, "main.typ", NOW)
    credential = Credential(made.key_pem(), made.chain_pem, ROOT.chain_pem)
    return sign(data, credential, Seen(page, pdf.SIGNATURE), AUTHORITY.respond if stamped else None)


@pytest.fixture(scope="module")
def plain() -> bytes:
    return typeset(audit_report(Size(shots=3, findings=3, things=2)))


@pytest.mark.parametrize("stamped", [False, True], ids=["B-B", "B-LTA"])
def test_the_root_alone_is_enough_to_validate(plain: bytes, *, stamped: bool) -> None:
    data = signed(plain, stamped=stamped)
    found = judged(data, ROOT.chain_pem)
    assert (found.bottom_line, found.trusted, found.docmdp_ok) == (True, True, True)
    assert (found.timestamp_validity is not None) is stamped
    assert data.startswith(plain), "what was signed stays as it was"


def test_without_stamps_the_signature_covers_the_whole_file(plain: bytes) -> None:
    assert judged(signed(plain), ROOT.chain_pem).coverage is SignatureCoverageLevel.ENTIRE_FILE


def test_another_root_does_not_make_it_trusted(plain: bytes) -> None:
    found = judged(signed(plain), pki.make_root("Somebody", NOW).chain_pem)
    assert (found.intact, found.trusted, found.bottom_line) == (True, False, False)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_one_flipped_byte_is_found(plain: bytes, place: float) -> None:
    data = bytearray(signed(plain))
    data[int(len(plain) * place)] ^= 1
    found = judged(bytes(data), ROOT.chain_pem)
    assert (found.intact, found.bottom_line) == (False, False)


def test_a_signer_who_has_expired_is_not_believed(plain: bytes) -> None:
    data = signed(plain, now=NOW - timedelta(days=400))
    assert not judged(data, ROOT.chain_pem).bottom_line


@pytest.mark.parametrize("stamped", [False, True], ids=["B-B", "B-LTA"])
def test_poppler_and_qpdf_agree(plain: bytes, tmp_path: Path, *, stamped: bool) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(signed(plain, stamped=stamped))
    found = said("pdfsig", path)
    assert "Signature is Valid." in found
    assert "ETSI.CAdES.detached" in found
    assert f"{NAME} Rakkan reports" in found
    assert "No syntax or stream encoding errors found" in said("qpdf", "--check", path)


def test_poppler_finds_a_flipped_byte(plain: bytes, tmp_path: Path) -> None:
    data = bytearray(signed(plain))
    data[len(plain) // 2] ^= 1
    path = tmp_path / "report.pdf"
    path.write_bytes(bytes(data))
    assert "Signature is Valid." not in said("pdfsig", path)


def test_the_document_stays_pdf_a_with_the_signature_in_it(plain: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(signed(plain, stamped=True))
    before = tmp_path / "before.pdf"
    before.write_bytes(plain)
    assert "<pdfaid:part>3</pdfaid:part>" in said("pdfinfo", "-meta", before)
    assert said("pdfinfo", "-meta", path) == said("pdfinfo", "-meta", before)
    assert re.search(r"PDF version: +1\.7\n", said("pdfinfo", path))
    rows = said("pdffonts", path).splitlines()[2:]
    assert rows
    assert all(row.split()[-5] == "yes" for row in rows), "every font is embedded"


def test_what_is_seen_of_it_is_printed_as_well(plain: bytes) -> None:
    root = PdfFileReader(BytesIO(signed(plain, stamped=True))).root
    seen, stamp = (field.get_object() for field in root["/AcroForm"]["/Fields"])
    assert (seen["/F"] & 0b111, stamp["/F"] & 0b111) == (0b100, 0b100), "printed, and not hidden"
    assert "/N" in seen["/AP"]
    assert list(stamp["/Rect"]) == [0, 0, 0, 0]
    assert list(root["/Extensions"]) == ["/ESIC"]


def test_what_signs_reports_signs_documents_and_no_claims() -> None:
    leaf = pki.make_reporting(ISSUING, NAME, NOW).certificate
    leaf.verify_directly_issued_by(ISSUING.certificate)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    purposes = list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (True, True, False)
    assert pki.DOCUMENT_SIGNING in purposes
    assert pki.C2PA_SIGNING not in purposes
