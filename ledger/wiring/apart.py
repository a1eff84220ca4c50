"""Verification of strangers' files in processes of their own: what the server starts, and what runs there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ledger.adapters.isolation import Limits, Workers
from ledger.adapters.setting_values import NEW_PLACE
from ledger.core.trust import Lists, format_trust, read_list
from ledger.service.files import read_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ledger.adapters.isolation.child import Work
    from ledger.core.trust import TrustRoot

MAX_LIST = 1024 * 1024
PICTURES = 2
"""Pictures that are made small at the same time, by each worker, beside the files that are examined."""


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """``[verify]``: what verifying for everybody may take, and which signers of others are known."""

    trust_lists: Annotated[
        Mapping[str, Path], "signers of others by the list's name: files of PEM certificates"
    ] = field(default_factory=dict)
    timestamp_lists: Annotated[
        tuple[Path, ...], "time stamp authorities of others: files of PEM certificates"
    ] = ()
    at_once: Annotated[int, "files that are examined at the same time, by each worker"] = 2
    memory_bytes: Annotated[int, "what examining one file may take beyond the libraries"] = 1 << 30
    cpu_seconds: Annotated[int, "computing time for one file"] = 20
    seconds: Annotated[float, "time for one file by the clock"] = 30.0
    max_file_bytes: Annotated[int, "the largest file that is taken"] = 2 << 30
    uploads: Annotated[int, "files that come in, wait or are examined at the same time, by each worker"] = 32
    upload_seconds: Annotated[float, "how long one file may take to come in"] = 600.0
    wait_seconds: Annotated[float, "how long one may wait for its turn before the answer is 503"] = 10.0
    fresh_seconds: Annotated[int, "how long others may keep the answer about a digest"] = 60
    folder: Annotated[
        Path | None,
        "where uploads lie while they are looked at; default: uploads in the studio's folder",
        NEW_PLACE,
    ] = None

    def __post_init__(self) -> None:
        if min(self.at_once, self.cpu_seconds, self.seconds, self.uploads, self.max_file_bytes) <= 0:
            raise ValueError("has a limit that lets nothing through")

    @property
    def limits(self) -> Limits:
        """What one job may cost."""
        at_once = self.at_once + PICTURES
        return Limits(self.memory_bytes, cpu=self.cpu_seconds, seconds=self.seconds, at_once=at_once)


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
    from ledger.adapters.images.thumbnails import thumbnail
    from ledger.core.encoding import encode_base64
    from ledger.service.verify_job import Judge
    from ledger.wiring import offline_reader

    reader = offline_reader()
    signers = tuple((name, pem) for name, pem in config["lists"])
    roots = [root.encode() for root in config["roots"]]
    judge = Judge(reader.codec, reader.pixels, roots, Lists(signers, config["stamps"]))

    def work(job: dict[str, Any], ask: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        if "small" in job:
            data = thumbnail(Path(job["small"]), (job["width"], job["width"]))
            return {"picture": None if data is None else encode_base64(data)}
        return judge.judge(job, ask, reader.clock.now())

    return work
