"""A published log on a web server, and whoever operates it, honest or not."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.adapters.files import DirectoryPublication
from ledger.adapters.http import published_log
from ledger.service.log.monitor import Monitor
from ledger.service.log.publish import publish
from ledger.service.log.sequence import Log
from ledger.testing import MemoryPublication
from tests.support.log import entries, new_log
from tests.support.web import serve_folder


class Site:
    """A folder that is served at ``url``."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def publish(self, log: Log) -> bytes:
        """Publish the log, and return its checkpoint."""
        public = MemoryPublication()
        files = (path for path in self.folder.rglob("*") if path.is_file())
        public.files |= {str(path.relative_to(self.folder)): path.read_bytes() for path in files}
        before = dict(public.files)
        publish(log, public)
        for name, data in sorted(public.files.items(), reverse=True):  # the checkpoint last
            if before.get(name) != data:
                _write(self.folder / name, data)
        return public.files["checkpoint"]

    def replace(self, log: Log) -> bytes:
        """Take the site down and publish this log instead: what an operator who forks does."""
        for item in self.folder.iterdir():
            shutil.rmtree(item) if item.is_dir() else item.unlink()
        return self.publish(log)

    def monitor(self, state: Path) -> Monitor:
        """Return a monitor with the key of the tests' log."""
        return Monitor(published_log(self.url), DirectoryPublication(state), [new_log().verifier])


def _write(target: Path, data: bytes) -> None:
    """Write a file that readers see whole or not at all; nothing here need survive a power cut."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.new")
    scratch.write_bytes(data)
    scratch.replace(target)


@contextmanager
def new_site(folder: Path) -> Iterator[Site]:
    """Serve an empty folder."""
    folder.mkdir()
    with serve_folder(folder) as url:
        yield Site(folder, url)


def log_of(*parts: Sequence[bytes]) -> Log:
    """Return a log in memory with these entries. All such logs have the same key and origin."""
    log = new_log()
    for part in parts:
        log.append(part)
    return log


def honest(size: int) -> Log:
    """Return a log of the same first entries each time."""
    return log_of(entries(size))


def forked(common: int, size: int) -> Log:
    """Return a log that goes another way after so many common entries."""
    return (
        log_of(entries(common), entries(size - common, "other")) if common else log_of(entries(size, "other"))
    )
