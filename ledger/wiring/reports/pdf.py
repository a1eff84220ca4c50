"""The report as a signed PDF: drawn, set, and signed with what the studio's home holds for it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.hashes import SHA256

from ledger.adapters import qr, typesetting
from ledger.adapters.pdf_signature import Credential, Seen, sign
from ledger.core.fields import format_time, parse_time
from ledger.render.report import pdf
from ledger.render.report.pdf.cells import characters
from ledger.wiring import SystemClock, timestamp_authority

if TYPE_CHECKING:
    from datetime import datetime

    from ledger.adapters.home import Home
    from ledger.core.audit import Report

FONTS = "fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What goes with the report: thumbnails by the SHA-256 of what they show, and files to attach."""

    pictures: Mapping[str, bytes]
    attached: Mapping[pdf.Attached, bytes]


@dataclass(frozen=True, slots=True)
class Pdf:
    """The signed PDF, and what is to be said about it."""

    data: bytes
    notes: tuple[str, ...] = ()


def signed_pdf(home: Home, report: Report, evidence: Evidence, *, stamped: bool) -> Pdf:
    """Return the report as PDF/A-3b with a PAdES signature; ``stamped`` by the studio's authority.

    Raises ``UndecidedError("report.typesetting")`` and what ``Home.reporting`` raises.
    """
    data, missing = unsigned_pdf(report, evidence)
    now = SystemClock().now()
    made = home.reporting(now)
    credential = Credential(made.key_pem(), made.chain_pem, home.trust().manifest_anchors.encode())
    page = _signature_page(report.head.studio, now, made.certificate.fingerprint(SHA256()).hex())
    stamp = timestamp_authority(home).respond if stamped else None
    return Pdf(sign(data, credential, Seen(page, pdf.SIGNATURE), stamp), _notes(missing))


def unsigned_pdf(report: Report, evidence: Evidence) -> tuple[bytes, frozenset[str]]:
    """Return the PDF without a signature, and the characters that no font here has."""
    names = {digest: f"picture-{n}.jpg" for n, digest in enumerate(evidence.pictures)}
    attached = list(evidence.attached)
    missing = typesetting.missing(characters(pdf.document(report, names, attached)))
    files = pdf.template() | {item.name: data for item, data in evidence.attached.items()}
    files |= {names[digest]: data for digest, data in evidence.pictures.items()}
    files[pdf.DATA] = _json(pdf.document(report, names, attached, missing))
    if report.head.verify is not None:
        files[pdf.ADDRESS] = qr.svg(report.head.verify)
    return typesetting.typeset(files, pdf.MAIN, parse_time(report.head.at)), missing


def _signature_page(studio: str, now: datetime, certificate: str) -> bytes:
    when = format_time(now)
    missing = typesetting.missing(characters(studio))
    data = _json(pdf.signature(studio, when, certificate, missing))
    return typesetting.typeset(pdf.template() | {pdf.DATA: data}, pdf.SIGNATURE_PAGE, now)


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _notes(missing: Collection[str]) -> tuple[str, ...]:
    if not missing:
        return ()
    first = ", ".join(f"U+{ord(char):04X}" for char in sorted(missing)[:5])
    more = f" and {len(missing) - 5:,} more" if len(missing) > 5 else ""
    note = (
        f"No font on this machine has {first}{more}: report.pdf shows their code points. "
        f"Install {FONTS}, then make the report again."
    )
    return (note,)
