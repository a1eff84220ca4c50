"""`rakkan report` writes a signed PDF: others find the signature good with the studio's root alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.core.fields import format_time
from tests.e2e.conftest import Studio
from tests.support.pdf_judges import judged
from tests.support.pdfs import said, words

AT = format_time(datetime.now(UTC))


@pytest.fixture
def frame(production: Studio) -> Path:
    """A frame made with the registered model, sealed, at a place."""
    return production.record(
        production.png("night.png", 7), "--action", "generate", "--model", "sky", "--shot", "sh020"
    )


def report(studio: Studio, frame: Path, out: Path, *more: object) -> bytes:
    """Run the command, whatever the verdict; return the PDF."""
    result = studio("report", frame, "--policy", "broadcast-jp", "--at", AT, "--out", out, *more)
    assert result.error == "", result.err
    return (out / "report.pdf").read_bytes()


def root(studio: Studio) -> bytes:
    trust = json.loads((studio.home / "trust.json").read_text())
    return "\n".join([*trust["manifestAnchors"], ""]).encode()


@pytest.mark.parametrize("more", [(), ("--timestamp",)], ids=["plain", "stamped"])
def test_the_studios_root_is_enough_to_validate_it(
    production: Studio, frame: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    data = report(production, frame, tmp_path / "out", *more)
    found = judged(data, root(production))
    assert found.bottom_line
    assert (found.timestamp_validity is not None) is bool(more)


def test_the_document_beside_it_is_the_one_in_it(production: Studio, frame: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    data = report(production, frame, out, "--view", "public")
    said("pdfdetach", "-save", "1", "-o", tmp_path / "held.json", out / "report.pdf")
    assert (tmp_path / "held.json").read_bytes() == (out / "report.json").read_bytes()
    assert "view public" in words(data, tmp_path)


def test_the_same_report_differs_in_its_signature_alone(
    production: Studio, frame: Path, tmp_path: Path
) -> None:
    first, second = (report(production, frame, tmp_path / name) for name in ("one", "two"))
    end = b"%%EOF"
    assert first.split(end)[0] == second.split(end)[0]
    assert first != second


def test_reports_are_signed_with_one_key_until_it_expires(
    production: Studio, frame: Path, tmp_path: Path
) -> None:
    signers = [
        judged(report(production, frame, tmp_path / name), root(production)).signing_cert.dump()
        for name in ("one", "two")
    ]
    assert signers[0] == signers[1]
    (key,) = production.home.glob("keys/reports*")
    assert key.stat().st_mode & 0o077 == 0
