"""Bundles that somebody was given: taken into a home, and asked about files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.adapters.received import Received
from ledger.service.report.received import Told, asked_of, check, told_of
from ledger.verifier.archive import Archive

if TYPE_CHECKING:
    from ledger.core.report import VerificationReport
    from ledger.service.verify import Also


@dataclass(frozen=True, slots=True)
class Known:
    """A file that a bundle knows: the report on it, and what the studio's own report says of it."""

    report: VerificationReport
    told: Told | None


def take(home: Path, bundle: Path, trust: bytes) -> Path:
    """Keep a bundle that this trust root proves; return where.

    Raises ``bundle.…``, ``trust.…``, ``file.…`` and ``target.…``; then nothing was kept.
    """
    from ledger.service.files import reading_errors

    with reading_errors(bundle), bundle.open("rb") as file:
        check(Archive(file), trust)
    return Received(home).keep(bundle, trust)


def find(home: Path, path: Path, sidecar: Path | None, also: Also) -> Known | None:
    """Return what the newest bundle that knows this file comes to; ``None`` where none does.

    Raises ``file.…`` for a file that cannot be read.
    """
    from ledger.core.trust import parse_trust
    from ledger.core.verify import verify
    from ledger.service.files import identify
    from ledger.service.verify import anchors_of, examine
    from ledger.wiring import offline_reader

    found = None
    for bundle, data in Received(home):
        with bundle.open("rb") as file:
            archive, sha256 = Archive(file), identify(path).sha256
            told, asked = told_of(archive, sha256), asked_of(archive, sha256)
        if told is None and asked is None:
            continue
        if found is not None and found.told is not None and (told is None or told.at < found.told.at):
            continue
        trust, reader = parse_trust(data), offline_reader()
        examined = examine(reader.codec, reader.pixels, path, anchors_of(trust, also.lists), sidecar)
        report = verify(examined, trust, reader.clock.now(), asked, also.policy)
        found = Known(report, told)
    return found
