"""`docs/howto/read-a-report.md`: its commands run on a real report, and find what is false."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.project import ROOT
from tests.e2e.conftest import Studio, copied

PAGE = (ROOT / "docs" / "howto" / "read-a-report.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
ANCHOR, POPPLER, OPENSSL, HELD = COMMANDS


@pytest.fixture(scope="module")
def handed_over(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report, the studio's trust.json, and its root."""
    studio = copied(founded, tmp_path_factory.mktemp("report"))
    frame = studio.record(studio.png("night.png", 7))
    folder = studio.work / "handover"
    studio("report", frame, "--policy", "broadcast-jp", "--out", folder)
    shutil.copy(studio.trust, folder)
    assert run(ANCHOR, folder).returncode == 0
    return folder


def run(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    for program in ("pdfsig", "certutil", "pdfdetach", "openssl"):
        if program in commands and shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: poppler-utils, libnss3-tools, openssl)")
    return subprocess.run(
        ["sh", "-e", "-c", commands], cwd=folder, capture_output=True, text=True, check=False
    )


def changed(folder: Path, into: Path) -> Path:
    """Return a copy of the folder with one bit of the report changed."""
    shutil.copytree(folder, into)
    data = bytearray((into / "report.pdf").read_bytes())
    data[len(data) // 2] ^= 1
    (into / "report.pdf").write_bytes(bytes(data))
    return into


def test_poppler_trusts_it_by_the_root_alone(handed_over: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(handed_over, tmp_path / "copy"))
    said = run(POPPLER, folder).stdout
    assert "Signature is Valid." in said
    assert "Certificate is Trusted." in said
    assert "Signature is Valid." not in run(POPPLER, changed(handed_over, tmp_path / "changed")).stdout


def test_openssl_agrees(handed_over: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(handed_over, tmp_path / "copy"))
    found = run(OPENSSL, folder)
    assert (found.returncode, "CMS Verification successful" in found.stderr) == (0, True)
    assert run(OPENSSL, changed(handed_over, tmp_path / "changed")).returncode != 0


def test_the_document_in_it_is_the_one_beside_it(handed_over: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(handed_over, tmp_path / "copy"))
    found = run(HELD, folder)
    assert (found.returncode, found.stdout) == (0, "")
