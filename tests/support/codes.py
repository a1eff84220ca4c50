"""QR codes as a telephone reads them: zxing, which has nothing to do with what draws ours."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import typst
import zxingcpp
from PIL import Image


def codes(picture: Image.Image | bytes) -> list[str]:
    """Return the text of each QR code in a picture; bytes are those of an image file."""
    image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
    found = zxingcpp.read_barcodes(
        image.convert("RGB"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    return [each.text for each in found]


def on_paper(svg: bytes, folder: Path, millimetres: float, dpi: int = 150) -> Image.Image:
    """Return an SVG as it comes out of a printer, this wide, on a white page with a little around it."""
    (folder / "code.svg").write_bytes(svg)
    page = "#set page(width: auto, height: auto, margin: 5mm)\n"
    (folder / "page.typ").write_text(f"{page}#image({json.dumps('code.svg')}, width: {millimetres}mm)\n")
    made = typst.compile(folder / "page.typ", format="png", ppi=dpi)
    assert isinstance(made, bytes)
    return Image.open(BytesIO(made)).convert("L")
