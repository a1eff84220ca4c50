"""`docs/howto/use-the-python-client.md`: its programs run against a real server."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ledger.wiring import home_at
from tests.architecture.project import ROOT
from tests.e2e.conftest import Studio
from tests.support.here import serving

PAGE = (ROOT / "docs" / "howto" / "use-the-python-client.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_programs_run(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = studio.record(studio.png("night.png"), "--action", "edit", "--tool", "grade 2", "--task", "comp")
    studio.ok("seal", path)
    shutil.copy(path, tmp_path)
    shutil.copy(studio.trust, tmp_path)
    token = studio.ok("token", "create", "auditor", "--role", "auditor", "--json").json["token"]
    monkeypatch.chdir(tmp_path)
    origin = home_at(studio.home).settings().origin
    with serving(studio.home) as url:
        known: dict[str, object] = {}
        for program in PROGRAMS:
            said = program.replace("http://127.0.0.1:8321", url).replace("TOKEN", token)
            exec(said.replace("ledger.example/nightfall", origin), known)  # noqa: S102 - our own page
    out = capsys.readouterr().out
    assert len(PROGRAMS) == 4
    assert "recorded - Recorded in" in out
    assert "proven" in out
    assert "['night.png']" in out
    assert (tmp_path / "entry-3.receipt").read_bytes().startswith(b"c2sp.org/tlog-proof@v1")
    assert re.search(r"^3 entry", out, re.MULTILINE)
