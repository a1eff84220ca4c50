"""`docs/howto/check-without-rakkan.md`: its programs run, without us, and refuse what is false."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.core.note import parse_vkey, spki_of
from tests.architecture.project import ROOT
from tests.e2e.conftest import Studio, copied

PAGE = (ROOT / "docs" / "howto" / "check-without-rakkan.md").read_text(encoding="utf-8")
SCRIPT, COSE = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def handover(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the exported entry 7, of a log of 11, and the log's key."""
    studio = copied(founded, tmp_path_factory.mktemp("handover"))
    for number in range(9):
        studio.record(studio.png(f"{number}.png", number))
    folder = studio.work / "handover"
    studio.ok("export", "7", "--out", folder)
    return folder, str(json.loads(studio.trust.read_text())["logs"][0])


def run(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it where our packages are not found: -I leaves the folder and the environment out."""
    (folder / "program.py").write_text(
        f"import sys\nassert not any('ledger' in name for name in sys.modules)\n{program}"
    )
    command = [sys.executable, "-I", "program.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def copy_of(folder: Path, target: Path) -> Path:
    target.mkdir()
    for path in folder.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


def test_the_script_prints_the_statement(handover: tuple[Path, str], tmp_path: Path) -> None:
    folder, vkey = handover
    done = run(SCRIPT, copy_of(folder, tmp_path / "court"), "entry-7", vkey)
    assert done.returncode == 0, done.stderr
    first, _, statement = done.stdout.partition("\n")
    assert first == f"Entry 7 of {vkey.split('+')[0]} states:"
    assert json.loads(statement)["subject"][0]["name"] == "5.png"


def changed_entry(data: bytes) -> bytes:
    return data.replace(b'"payload":"eyJ', b'"payload":"eyK', 1)


CHANGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "the statement": ("entry-7.dsse.json", changed_entry),
    "a space in the envelope": ("entry-7.dsse.json", lambda data: data + b" "),
    "the index": ("entry-7.tlog-proof", lambda data: data.replace(b"index 7", b"index 6")),
    "the size": ("entry-7.tlog-proof", lambda data: data.replace(b"\n11\n", b"\n12\n")),
    "a hash left out": ("entry-7.tlog-proof", lambda data: re.sub(rb"(index 7\n).{44}\n", rb"\1", data)),
    "a hash too many": (
        "entry-7.tlog-proof",
        lambda data: re.sub(rb"(index 7\n)(.{44}\n)", rb"\1\2\2", data),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_script_refuses(handover: tuple[Path, str], tmp_path: Path, change: str) -> None:
    name, altered = CHANGES[change]
    folder = copy_of(handover[0], tmp_path / "court")
    before = (folder / name).read_bytes()
    (folder / name).write_bytes(altered(before))
    assert (folder / name).read_bytes() != before
    done = run(SCRIPT, folder, "entry-7", handover[1])
    assert (done.returncode, done.stdout) == (1, "")


def test_the_script_refuses_another_log_s_key(
    handover: tuple[Path, str], tmp_path: Path, elsewhere: Studio
) -> None:
    vkey = str(json.loads(elsewhere.trust.read_text())["logs"][0])
    done = run(SCRIPT, copy_of(handover[0], tmp_path / "court"), "entry-7", vkey)
    assert (done.returncode, done.stdout) == (1, "")


def test_scitt_cose_accepts_as_the_page_calls_it(handover: tuple[Path, str], tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    folder = copy_of(handover[0], tmp_path / "court")
    key = load_der_public_key(spki_of(parse_vkey(handover[1])))
    (folder / "log.pub").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert run(COSE, folder).stdout == "True []\n"
    entry = folder / "entry-7.dsse.json"
    entry.write_bytes(changed_entry(entry.read_bytes()))
    assert run(COSE, folder).stdout.startswith("False ")
