"""Verification for everybody: what a file, a manifest or a digest comes to, asked of all that is served here.

* The production whose ledger knows the bytes answers, else the one that knows the picture; a file that nobody
  knows is judged by the trust roots of all, and by the lists from outside;
* strangers' bytes are never parsed here: they go to a ``Runner``. What it says is read as a stranger's word,
  and refused when it is about other bytes than those that were handed over;
* a file that breaks its reader is undecided, and what the ledger knows of its bytes is said all the same;
* names that only the ledger holds are for those who may read the registry of its production.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ledger.core.access import Action, Viewer
from ledger.core.encoding import encode_base64
from ledger.core.report import Check, Status, VerificationReport
from ledger.core.report_reading import read_report, shown
from ledger.core.verify import Asked, Examined, verify_for_all
from ledger.core.verify.ledger_checks import MAX_ENTRIES
from ledger.errors import MalformedError, RakkanError, UndecidedError
from ledger.service.archive import Archive
from ledger.service.clear.verdicts import Recorded, newest_about
from ledger.service.studio import Studio
from ledger.service.verify import ask
from ledger.service.verify_job import Json, Known

PROOFS = 10
"""How many of the entries that know a file come with their receipts."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_NOTHING = Asked((), (), None)


class Runner(Protocol):
    """What does a job on bytes that nobody trusts."""

    def run(self, job: Json, folder: Path, answer: Callable[[Json], Json]) -> Json:
        """Return what it came to. Raises ``UndecidedError`` (``verify.crashed``, ``verify.timeout`` …)."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Files that lie in a folder of their own, and what their sender calls the first.

    ``alone`` says that the file is a manifest without what it is about.
    """

    folder: Path
    file: str
    sha256: str
    name: str
    sidecar: str | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A report for who may read the registry, one for everybody, and the ledger that knows the file.

    ``brought`` are envelopes that the file holds, as whoever examined it says: nobody has judged them.
    """

    full: VerificationReport
    public: VerificationReport
    page: str
    studio: Studio | None = None
    asked: Asked = _NOTHING
    brought: tuple[bytes, ...] = ()

    def to_json(self, viewer: Viewer) -> Json:
        """Return what this viewer sees (docs/spec/http-verify.md)."""
        if self.studio is None:
            return {**self.public.to_json(), "ledger": None, "clearance": None, "page": self.page}
        production = self.studio.production
        named = viewer.may(Action.READ_REGISTRY, production)
        reasons = viewer.may(Action.READ_VERDICTS, production)
        report = self.full if named else self.public
        found = newest_about(Archive(self.studio), report.sha256) if report.sha256 else None
        return {
            **report.to_json(),
            "ledger": _proofs(self.studio, self.asked),
            "clearance": _clearance(found, reasons=reasons) if found else None,
            "page": self.page,
        }


class Verifying:
    """Answers for the productions that are served. Safe to share between threads."""

    def __init__(self, studios: Sequence[Studio], runner: Runner) -> None:
        self._studios = studios
        self._runner = runner

    def digests(self, sha256: str | None, pixels: str | None) -> Answer:
        """Return what the ledgers know of these digests (hex). Nobody looks at a file."""
        known = self._known(sha256, pixels)
        words = "Only a digest was given: nobody looked at a file or its manifest."
        error = UndecidedError("verify.digest-only", words)
        asked = known.asked if known else _NOTHING
        name = asked.sightings[0].name if asked.sightings else ""
        found = self._by_ledger("", sha256 or "", error, known, pixels)
        full = replace(found.full, file=name)
        return replace(found, full=full, page=_page(sha256, pixels))

    def file(self, upload: Upload) -> Answer:
        """Return what a file comes to, with its sidecar, or a manifest alone."""
        known = None if upload.alone else self._known(upload.sha256, None)
        name = shown(upload.name)
        job = {
            "file": upload.file,
            "sidecar": upload.sidecar,
            "alone": upload.alone,
            "name": name,
            "sha256": upload.sha256,
            "known": known and known.to_json(),
        }
        drafts: list[Any] = []
        later: list[Known] = []

        def answer(question: Any) -> Json:
            if isinstance(question, dict) and "draft" in question:
                drafts.append(question["draft"])
                return {}
            found = self._asked(question, upload)
            later.extend([found] if found else [])
            return {"known": found and found.to_json()}

        try:
            found = self._runner.run(job, upload.folder, answer)
            said = _reports(found, upload, name)
        except UndecidedError as error:
            return self._unfinished(upload, name, error, known, drafts)
        known = known or (later[-1] if later else None)
        place = known and self._studios[known.root]
        page = _page(upload.sha256, None)
        asked = known.asked if known else _NOTHING
        return Answer(*said, page, place or None, asked, _envelopes(found.get("brought")))

    def _unfinished(
        self, upload: Upload, name: str, error: UndecidedError, known: Known | None, drafts: list[Any]
    ) -> Answer:
        """Return what can be said of a file whose reader did not come to an end."""
        if drafts:
            full, public = (_incomplete(item, error) for item in _reports(drafts[-1], upload, name))
            return Answer(full, public, _page(upload.sha256, None))
        found = self._by_ledger(name, upload.sha256, error, known, None)
        return replace(found, page=_page(upload.sha256, None))

    def _by_ledger(
        self, name: str, sha256: str, error: RakkanError, known: Known | None, pixels: str | None
    ) -> Answer:
        asked = known.asked if known else _NOTHING
        studio = self._studios[known.root if known else 0]
        file = Examined(name, sha256, "application/octet-stream", lambda: pixels, None, error)
        full, public = verify_for_all(file, studio.trust, studio.clock.now(), asked)
        return Answer(full, public, "", studio if known else None, asked)

    def _asked(self, question: Any, upload: Upload) -> Known | None:
        """Return what a job asks for: a picture, or what a manifest that came alone is about."""
        if not isinstance(question, dict):
            return None
        pixels, about = (_digest(question.get(name)) for name in ("pixels", "manifest"))
        if not upload.alone:
            return self._known(None, pixels)
        found = self._known(about, None)
        if found is None:
            return None
        sightings = tuple(replace(item, by="manifest") for item in found.asked.sightings)
        return Known(found.root, replace(found.asked, sightings=sightings))

    def _known(self, sha256: str | None, pixels: str | None) -> Known | None:
        for by_bytes, by_picture in ((sha256, None), (None, pixels)):
            if not (by_bytes or by_picture):
                continue
            for root, studio in enumerate(self._studios):
                asked = ask(studio, by_bytes, lambda picture=by_picture: picture)  # type: ignore[misc] # a default
                if asked.sightings:
                    return Known(root, asked)
        return None


def suffix_of(name: str) -> str:
    """Return the suffix of a stranger's file name, where it is a harmless one; else nothing."""
    found = "." + name.rpartition(".")[2]
    return found.lower() if _SUFFIX.fullmatch(found) and found != f".{name}" else ""


def _reports(found: Any, upload: Upload, name: str) -> tuple[VerificationReport, VerificationReport]:
    """Return the reports that a job came to. Raises ``UndecidedError("verify.crashed")`` for others."""
    words = "The process that examined the file said something else than a report on it."
    try:
        said = [read_report(found.get(kind)) for kind in ("full", "public")]
    except (AttributeError, MalformedError) as error:
        raise UndecidedError("verify.crashed", words) from error
    if any((report.sha256, report.file) != (upload.sha256, shown(name)) for report in said):
        raise UndecidedError("verify.crashed", words)
    return said[0], said[1]


def _envelopes(found: Any) -> tuple[bytes, ...]:
    items = found if isinstance(found, list) else []
    return tuple(item.encode("utf-8", "replace") for item in items[:MAX_ENTRIES] if isinstance(item, str))


def _incomplete(draft: VerificationReport, error: UndecidedError) -> VerificationReport:
    words = f"Its picture could not be compared with the ledger's. {error.message}"
    check = Check("ledger", "The ledger knows the file", Status.UNDECIDED, words, (error.code,))
    return replace(draft, checks=(*(item for item in draft.checks if item.name != "ledger"), check))


def _digest(value: Any) -> str | None:
    return value if isinstance(value, str) and _DIGEST.fullmatch(value) else None


def _page(sha256: str | None, pixels: str | None) -> str:
    return f"/verify/sha256:{sha256}" if sha256 else f"/verify/pixels:{pixels}"


def _proofs(studio: Studio, asked: Asked) -> Json:
    """Return how the ledger knows the file, and the receipts of the entries that do, newest first."""
    entries = [
        {"index": index, "receipt": encode_base64(studio.logged(index).receipt)}
        for index in list(dict.fromkeys(item.index for item in asked.sightings))[:PROOFS]
    ]
    by = asked.sightings[0].by if asked.sightings else None
    return {"origin": studio.log.origin, "by": by, "entries": entries}


def _clearance(found: Recorded, *, reasons: bool) -> Json:
    """Return the newest verdict on record. Reasons name things of the registry: not everybody sees them."""
    verdict = found.verdict
    then, now = verdict.then, verdict.now
    said: Json = {
        "entry": found.index,
        "policy": verdict.policy,
        "policySha256": verdict.policy_sha256,
        "deliverable": verdict.delivery.deliverable.value,
        "then": then.verdict.value,
        "now": now.verdict.value,
    }
    if reasons:
        said |= {"grade": now.grade.name, "reasonsThen": _reasons(then), "reasonsNow": _reasons(now)}
    return said


def _reasons(answer: Any) -> list[Json]:
    return [reason.to_json() for reason in answer.reasons]
