"""QR codes, with segno."""

from __future__ import annotations

from io import BytesIO

import segno


def svg(text: str) -> bytes:
    """Return the QR code of a text as SVG without a margin: what it stands on has to leave one."""
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=0)
    return out.getvalue()
