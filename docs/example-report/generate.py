"""Make the example report again: run the demo and keep what its report for the studio says.

``--draw`` only draws the page again from ``report.json``: after a change of how a report looks.
"""

# ruff: noqa: INP001 - a script, not a package

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

from PIL import Image  # noqa: E402 - the same

from ledger.core.audit import Report  # noqa: E402 - a script has to find the checkout first
from ledger.core.audit.document import read  # noqa: E402 - the same
from ledger.render.report.html import page  # noqa: E402 - the same

KEPT = ("report.json", "tables", "thumbnails")
WIDTH, HEIGHT = 1280, 900


def document() -> Report:
    """Return the report that is kept here."""
    return read(json.loads((FOLDER / "report.json").read_text(encoding="utf-8")))


def drawn() -> str:
    """Return its page, as today's code draws it."""
    report = document()
    return page(report, {key: (FOLDER / name).read_bytes() for key, name in report.pictures.items()})


def make() -> None:
    """Run the demo, and keep its report in place of the one that is here."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "moonrise")
        command = [sys.executable, "-m", "ledger", "demo", "--out", str(root)]
        subprocess.run(command, cwd=FOLDER.parents[1], check=True)
        for name in KEPT:
            source, target = root / "report" / name, FOLDER / name
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)


def photograph() -> None:
    """Take a picture of the first screen, where there is a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return
    target = FOLDER / "first-screen.png"
    with tempfile.TemporaryDirectory() as profile:
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--screenshot={target}",
        ]
        place = [f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}"]
        address = (FOLDER / "report.html").as_uri()
        subprocess.run([chromium, *options, *place, address], capture_output=True, check=True)
    with Image.open(target) as image:
        small = image.convert("RGB").quantize(128)
    small.save(target, optimize=True)


if __name__ == "__main__":
    if "--draw" not in sys.argv:
        make()
    (FOLDER / "report.html").write_text(drawn(), encoding="utf-8")
    photograph()
