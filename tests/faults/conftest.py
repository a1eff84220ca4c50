"""What the fault tests share: the worker, and a log for it to begin with."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from shutil import copytree

import pytest

from tests.faults.strace import Worker, started
from tests.support.faults import prepare


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    with started() as worker:
        yield worker


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a log as `prepare` makes it. Never written to."""
    return prepare(tmp_path_factory.mktemp("template") / "log")


@pytest.fixture
def fresh(template: Path, tmp_path: Path) -> Callable[[], Path]:
    """Return a new copy of the log at each call."""
    numbers = count()
    return lambda: Path(copytree(template, tmp_path / f"log-{next(numbers)}"))
