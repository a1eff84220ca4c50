"""One stranger's file, judged away from everything that is worth protecting.

``Judge`` runs in a process that has no database, no network and no file but this one. What it must know
comes as JSON: the trust roots once, and for each file what the ledger said of its bytes. It may ask once
more, when it knows the picture. Its answer is two reports (docs/spec/http-verify.md): one with all that the
ledger said, and one with what anybody may see of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from ledger.core.containers.jumbf import MAX_STORE
from ledger.core.evidence import LoggedEnvelope
from ledger.core.manifest import Reading
from ledger.core.trust import Lists, TrustRoot, parse_trust
from ledger.core.verify import Asked, Examined, Sighting, brought_by, subject_of, verify_for_all
from ledger.core.verify.manifest_checks import MANIFEST_ANCHORS
from ledger.errors import MalformedError, RakkanError
from ledger.ports import ManifestCodec, PixelReader
from ledger.service.files import read_whole
from ledger.service.verify import anchors_of, quietly, read_manifest

Json = dict[str, Any]
STORE_TYPE = "application/c2pa"
_UNKNOWN = Asked((), (), None)


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger of one production said, and which of the trust roots is that production's."""

    root: int
    asked: Asked

    def to_json(self) -> Json:
        """Return it as it crosses to the other process."""
        return {
            "root": self.root,
            "subject": self.asked.subject,
            "sightings": [[item.index, item.name, item.by] for item in self.asked.sightings],
            "evidence": [[item.envelope.decode(), item.receipt.decode()] for item in self.asked.evidence],
        }


def read_known(value: Json | None) -> Known | None:
    """Return what ``to_json`` wrote."""
    if value is None:
        return None
    sightings = tuple(Sighting(*item) for item in value["sightings"])
    evidence = tuple(LoggedEnvelope(entry.encode(), proof.encode()) for entry, proof in value["evidence"])
    return Known(value["root"], Asked(sightings, evidence, value["subject"]))


class Judge:
    """Judges files by these trust roots, one for each production, and by lists from outside."""

    def __init__(
        self, codec: ManifestCodec, pixels: PixelReader, roots: Sequence[bytes], lists: Lists
    ) -> None:
        self._codec = codec
        self._pixels = pixels
        self._roots = [parse_trust(root) for root in roots]
        self._lists = lists

    def judge(self, job: Json, ask: Callable[[Json], Json], now: datetime) -> Json:
        """Return the reports on one job. Raises ``UsageError`` when there is no file.

        What is known before the picture is decoded, which may cost more than is allowed, is said before.
        """
        known = read_known(job["known"])
        root, file = self._examined(job, known)
        if known is not None:
            return _reports(file, self._roots[root], known.asked, now)
        found = _reports(file, self._roots[root], _UNKNOWN, now)
        ask({"draft": found})
        sought = {"pixels": quietly(file.pixels), "manifest": _about(job, file)}
        if any(sought.values()):
            known = read_known(ask(sought)["known"])
        if known is None:
            return found
        if known.root != root:
            root, file = self._examined(job, known)
        return _reports(file, self._roots[root], known.asked, now)

    def _examined(self, job: Json, known: Known | None) -> tuple[int, Examined]:
        """Read the file by the trust root of who knows it, else by the first that knows its signer."""
        path, alone = Path(job["file"]), job["alone"]
        places = range(len(self._roots)) if known is None else [known.root]
        tried = [(place, *self._read(job, place)) for place in places]
        by_signer = (item for item in tried if item[1] and item[1].trust_list == MANIFEST_ANCHORS)
        place, reading, unreadable = next(by_signer, tried[0])
        file = Examined(
            name=job["name"],
            sha256=job["sha256"],
            media_type=STORE_TYPE if alone else self._codec.media_type(path),
            pixels=lru_cache(lambda: None if alone else self._pixels.digest(path)),
            reading=reading,
            unreadable=unreadable,
        )
        return place, file

    def _read(self, job: Json, place: int) -> tuple[Reading | None, RakkanError | None]:
        path, anchors = Path(job["file"]), anchors_of(self._roots[place], self._lists)
        if not job["alone"]:
            sidecar = Path(job["sidecar"]) if job["sidecar"] else None
            return read_manifest(self._codec, path, anchors, sidecar)
        try:
            return self._codec.read_alone(read_whole(path, MAX_STORE + 1), anchors), None
        except MalformedError as error:
            return None, error


def _reports(file: Examined, root: TrustRoot, asked: Asked, now: datetime) -> Json:
    full, public = verify_for_all(file, root, now, asked)
    brought = [item.envelope.decode() for item in brought_by(file.reading)]
    return {"full": full.to_json(), "public": public.to_json(), "brought": brought}


def _about(job: Json, file: Examined) -> str | None:
    """Return which file a manifest that came alone says that it is about."""
    if not job["alone"] or file.reading is None:
        return None
    return subject_of(file.reading) or file.reading.active_manifest.bound_sha256
