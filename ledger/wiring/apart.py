"""Verification of strangers' files in processes of their own: what the server starts, and what runs there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.adapters.isolation import Limits, Workers
from ledger.core.trust import Lists, format_trust, read_list
from ledger.service.files import read_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ledger.adapters.isolation.child import Work
    from ledger.core.trust import TrustRoot

MAX_LIST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """What verifying for everybody may take, and whose signers are known besides the studio's own.

    ``trust_lists`` are files of PEM certificates by name, ``timestamp_lists`` such files of time stamp
    authorities. ``folder`` is where uploads lie for as long as they are looked at; without one, in the home
    of the first production. Sizes are in bytes.
    """

    trust_lists: Mapping[str, Path] = field(default_factory=dict)
    timestamp_lists: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)
    max_file: int = 2 << 30
    uploads: int = 32
    upload_seconds: float = 600.0
    idle_seconds: float = 20.0
    wait_seconds: float = 10.0
    fresh_seconds: int = 60
    folder: Path | None = None


def workers(trusts: Iterable[TrustRoot], settings: VerifySettings) -> Workers:
    """Return what examines files by these trust roots. Raises ``file.*`` and ``trust.malformed`` (a list)."""
    lists = {name: read_list(read_whole(path, MAX_LIST)) for name, path in settings.trust_lists.items()}
    stamps = "".join(read_list(read_whole(path, MAX_LIST)) for path in settings.timestamp_lists)
    roots = [format_trust(trust).decode() for trust in trusts]
    config = {"roots": roots, "lists": list(lists.items()), "stamps": stamps}
    return Workers(__name__, config, settings.limits)


def main() -> None:
    """Be the process that all examining processes come from."""
    from ledger.adapters.isolation import zygote

    zygote.main(_prepare)


def _prepare(config: dict[str, Any]) -> Work:
    """Load whatever a child may need: what it loads itself, it loads every time."""
    from ledger.service.verify_job import Judge
    from ledger.wiring import offline_reader

    reader = offline_reader()
    signers = tuple((name, pem) for name, pem in config["lists"])
    roots = [root.encode() for root in config["roots"]]
    judge = Judge(reader.codec, reader.pixels, roots, Lists(signers, config["stamps"]))

    def work(job: dict[str, Any], ask: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        return judge.judge(job, ask, reader.clock.now())

    return work
