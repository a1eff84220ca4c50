"""The service answers, and its generated pages stay off."""

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_health_says_ok_and_which_version() -> None:
    with TestClient(create_app()) as client:
        response = client.get("/health")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": __version__}


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_that_load_foreign_scripts_are_absent(path: str) -> None:
    with TestClient(create_app()) as client:
        assert client.get(path).status_code == 404


def test_another_package_named_ledger_is_named_in_the_error(tmp_path: Path) -> None:
    other = tmp_path / "ledger" / "__init__.py"
    other.parent.mkdir()
    other.write_text("")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import api"
    result = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "ImportError: another package named 'ledger'" in result.stderr
    assert str(other) in result.stderr
