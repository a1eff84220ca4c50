"""`docs/howto/check-a-bundle.md`: its commands run as they stand, and refuse what is false."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.project import ROOT
from tests.e2e.conftest import Studio, copied
from tests.support.bundles import forged, opened
from tests.support.cleared import policy

PAGE = (ROOT / "docs" / "howto" / "check-a-bundle.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NEEDED = ("bash", "unzip", "sha256sum", "openssl")


@pytest.fixture(scope="module")
def handover(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the receiver has: the bundle, the verifier, and the trust root."""
    studio = copied(shot_once, tmp_path_factory.mktemp("handover"))
    folder = studio.work / "out"
    studio.ok("report", "--production", "nightfall", *policy(studio), "--out", folder)
    received = studio.work / "received"
    received.mkdir()
    for path in (folder / "bundle.zip", folder / "verify.pyz", studio.trust):
        shutil.copy(path, received)
    return received


def received(handover: Path, place: Path, data: bytes | None = None) -> Path:
    shutil.copytree(handover, place)
    if data is not None:
        (place / "bundle.zip").write_bytes(data)
    return place


def shell(place: Path) -> subprocess.CompletedProcess[str]:
    """Run the page's commands one after the other, up to the first that fails."""
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    script = "set -eo pipefail\n" + "".join(SHELL)
    command = ["bash", "-c", script.replace("python3 ", f"{sys.executable} -I ")]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=120)


def program(text: str, place: Path) -> str:
    command = [sys.executable, "-I", "-W", "ignore", "-c", text]
    done = subprocess.run(command, cwd=place / "b", capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_of_the_page_is_content(handover: Path, tmp_path: Path) -> None:
    place = received(handover, tmp_path / "court")
    done = shell(place)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "Signature Verified Successfully" in done.stdout
    by_securesystemslib, by_aics, by_figures = PROGRAMS
    assert program(by_securesystemslib, place) == "1 signature holds\n"
    lines = program(by_figures, place).splitlines()
    assert len(lines) > 20
    assert {line.split()[0] for line in lines} == {"same"}
    pytest.importorskip("aics_tlog", reason="aics-tlog (locks/judges.txt) is not installed")
    assert program(by_aics, place) == "in the log\n"


def test_they_refuse_a_list_that_was_made_anew(handover: Path, tmp_path: Path) -> None:
    files = opened((handover / "bundle.zip").read_bytes())
    changed = files["report.json"].replace(b'"cleared"', b'"blocked"')
    assert changed != files["report.json"]
    done = shell(received(handover, tmp_path / "court", forged({**files, "report.json": changed})))
    assert done.returncode != 0


def test_they_refuse_another_registrar(handover: Path, tmp_path: Path, elsewhere: Studio) -> None:
    place = received(handover, tmp_path / "court")
    shutil.copy(elsewhere.trust, place)
    done = shell(place)
    assert done.returncode != 0
    assert "Signature Verification Failure" in done.stdout + done.stderr


def test_the_others_refuse_another_entry(handover: Path, tmp_path: Path) -> None:
    pytest.importorskip("aics_tlog", reason="aics-tlog (locks/judges.txt) is not installed")
    place = received(handover, tmp_path / "court")
    assert shell(place).returncode == 0
    entry = place / "b" / "entry-5.dsse.json"
    envelope = json.loads(entry.read_bytes())
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
    entry.write_text(json.dumps(envelope))
    assert program(PROGRAMS[1], place) == "not proven\n"
    with pytest.raises(AssertionError, match="Verif"):
        program(PROGRAMS[0], place)
