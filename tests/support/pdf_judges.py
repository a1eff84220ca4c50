"""What others say of a signed PDF: pyHanko's validation, with one root and no network."""

from __future__ import annotations

from io import BytesIO

from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.validation import PdfSignatureStatus, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from ledger.adapters.pki import Authority


def judged(pdf: bytes, root: bytes) -> PdfSignatureStatus:
    """Return what pyHanko finds about the one signature of a PDF, trusting this root (PEM) alone."""
    (signature,) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    context = ValidationContext(trust_roots=list(load_certs_from_pemder_data(root)), allow_fetching=False)
    return validate_pdf_signature(signature, context)


def signer(authority: Authority) -> SimpleSigner:
    """Return pyHanko's own signer with the key of an authority."""
    certificates = list(load_certs_from_pemder_data(authority.chain_pem))
    key = load_private_key_from_pemder_data(authority.key_pem(), None)
    return SimpleSigner(certificates[0], key, SimpleCertificateStore.from_certs(certificates))
