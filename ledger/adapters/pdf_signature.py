"""Signing a PDF as PAdES, with pyHanko.

* The signature certifies the document: what is changed after it, other than by a time stamp, is found.
* It is an incremental update: the PDF/A that was signed stays in it byte for byte, and so do its version and
  its metadata. What pyHanko would write in their place is no PDF/A-3.
* B-B without a time stamp authority. With one B-LTA: the signature is stamped, the certificates it needs are
  put in, and the whole is stamped again. This studio's certificates name no place that says they are revoked,
  so no such answer is in there.
* The bytes differ from one signature to the next: ECDSA and time stamps draw random numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from tempfile import NamedTemporaryFile

from asn1crypto import tsp
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.content import ImportedPdfPage
from pyhanko.pdf_utils.extensions import DeveloperExtension
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, SimpleBoxLayoutRule
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, SimpleSigner
from pyhanko.sign.signers.pdf_signer import DSSContentSettings, SigDSSPlacementPreference
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

# It warns that nothing is fetched while we say so: nothing is to be.
logging.getLogger("pyhanko.sign").setLevel(logging.ERROR)

FIELD, STAMP_FIELD = "Signature", "Timestamp"
_TOGETHER = DSSContentSettings(include_vri=False, placement=SigDSSPlacementPreference.TOGETHER_WITH_SIGNATURE)
_FILLED = SimpleBoxLayoutRule(AxisAlignment.ALIGN_MID, AxisAlignment.ALIGN_MID)
Stamp = Callable[[bytes], bytes]
"""Answers a time stamp request (RFC 3161), both DER."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What signs: a PKCS#8 PEM key, the chain as PEM from its certificate on, and the root above it."""

    key: bytes
    chain: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """How the signature is seen on the first page: a PDF of one page, set into a box of points."""

    page: bytes
    box: tuple[int, int, int, int]


def sign(pdf: bytes, credential: Credential, seen: Seen, stamp: Stamp | None = None) -> bytes:
    """Return the signed PDF."""
    certificates = list(load_certs_from_pemder_data(credential.chain))
    roots = list(load_certs_from_pemder_data(credential.root))
    registry = SimpleCertificateStore.from_certs(certificates)
    signer = SimpleSigner(
        certificates[0], load_private_key_from_pemder_data(credential.key, None), registry, embed_roots=False
    )
    context = ValidationContext(trust_roots=roots, other_certs=certificates, allow_fetching=False)
    about = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        embed_validation_info=stamp is not None,
        dss_settings=_TOGETHER,
        validation_context=context if stamp else None,
    )
    stamper = _Stamper(stamp) if stamp else None
    with NamedTemporaryFile(suffix=".pdf") as page:
        page.write(seen.page)
        page.flush()
        style = StaticStampStyle(
            border_width=0, background=ImportedPdfPage(page.name), background_layout=_FILLED
        )
        made = PdfSigner(
            about,
            signer,
            timestamper=stamper,
            stamp_style=style,
            new_field_spec=SigFieldSpec(FIELD, on_page=0, box=seen.box),
        )
        out: BytesIO = made.sign_pdf(_Update(BytesIO(pdf)))
    if stamper is not None:
        out = PdfTimeStamper(stamper, field_name=STAMP_FIELD).timestamp_pdf(_Update(out), "sha256")
    return out.getvalue()


class _Update(IncrementalPdfFileWriter):
    """An update that adds a signature or a time stamp, and nothing else."""

    def ensure_output_version(self, version: tuple[int, int]) -> None:
        """Leave the version as it is: PDF/A-3 is of PDF 1.7, which signatures are in, with an extension."""

    def register_extension(self, ext: DeveloperExtension) -> None:
        """Name the extensions of PDF 1.7 alone: those of 2.0 stand in a form that 1.7 does not know."""
        if ext.base_version == "/1.7":
            super().register_extension(ext)

    def _update_meta(self) -> None:
        """Leave the metadata as they are."""


class _Stamper(TimeStamper):
    """Asks an authority that is in this process."""

    def __init__(self, stamp: Stamp) -> None:
        super().__init__()
        self._stamp = stamp

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Return the authority's answer."""
        return tsp.TimeStampResp.load(self._stamp(req.dump()))
