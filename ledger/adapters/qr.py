"""QR codes, with segno."""

from __future__ import annotations

from io import BytesIO

import segno

QUIET = 4
"""The margin that ISO/IEC 18004 asks for, in modules."""


def svg(text: str, margin: int = 0) -> bytes:
    """Return the QR code of a text as SVG. Without a margin, what it stands on has to leave one."""
    out = BytesIO()
    light = "#fff" if margin else None
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=margin, light=light)
    return out.getvalue()
