"""A published log on disk, to be damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.service.log.publish import publish
from tests.support.damage import PUBLISHED, SIZE
from tests.support.log import entries, publication, sqlite_log


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with a publication that is behind it. Never written to."""
    folder = tmp_path_factory.mktemp("original")
    with sqlite_log(folder) as log:
        log.append(entries(300))
        log.append(entries(PUBLISHED))
        publish(log, publication(folder))
        log.append(entries(SIZE))
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "log")
    return tmp_path / "log"
