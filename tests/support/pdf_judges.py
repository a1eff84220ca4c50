"""What others say of a signed PDF: pyHanko's validation, with one root and no network."""

from __future__ import annotations

from io import BytesIO

from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import PdfSignatureStatus, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext


def judged(pdf: bytes, root: bytes) -> PdfSignatureStatus:
    """Return what pyHanko finds about the one signature of a PDF, trusting this root (PEM) alone."""
    (signature,) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    context = ValidationContext(trust_roots=list(load_certs_from_pemder_data(root)), allow_fetching=False)
    return validate_pdf_signature(signature, context)
