"""What an attacker gets: five files that must not pass, each with the answer it has to get.

Two answers are possible, and telling them apart is the point: *altered* is evidence of a forgery, *cannot
decide* says what is missing and accuses nobody.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from ledger.adapters.settings import Settings
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.core.report import Outcome
from ledger.demo import cast, forgery
from ledger.demo.page.story import Trial
from ledger.demo.production import Production
from ledger.service.record import Work, record
from ledger.service.seal import seal
from ledger.service.verify import verify_offline, verify_online
from ledger.wiring import home_at, open_device, open_studio
from ledger.wiring.enrolment import found_studio

PIXEL = (618, 150)
"""The pixel that is changed: in the moon."""


@dataclass(frozen=True, slots=True)
class _Attack:
    """What is tried, and what has to come out of it."""

    name: str
    title: str
    done: str
    outcome: Outcome
    check: str
    online: bool = False


FLIPPED = _Attack(
    "flipped-pixel",
    "One pixel is changed",
    "One bit of one pixel in the moon was flipped, and the original manifest put back on the file.",
    Outcome.ALTERED,
    "bytes",
)
SWAPPED = _Attack(
    "swapped-receipt",
    "The receipt of another frame is put in",
    "The log entry and receipt inside the manifest were replaced by those of the next frame.",
    Outcome.ALTERED,
    "claim",
)
STRIPPED = _Attack(
    "stripped-manifest",
    "The manifest is stripped",
    "The frame was saved again without its metadata, as most web sites do.",
    Outcome.UNDECIDED,
    "claim",
)
STRIPPED_ONLINE = _Attack(
    "stripped-manifest-online",
    "The manifest is stripped, and the ledger is asked",
    "The same file, but this time the studio's ledger could be asked.",
    Outcome.UNDECIDED,
    "ledger",
    online=True,
)
STRANGER = _Attack(
    "unknown-signer",
    "A stranger signs it as their own",
    "A forger took the bare picture, founded a studio of the same name with keys of their own, recorded the "
    "frame as drawn by hand, and sealed it.",
    Outcome.UNDECIDED,
    "signer",
)
UNLICENSED = _Attack(
    "unlicensed-model",
    "A model without a grant is used",
    "An artist made the background with a model that has no licence on record. The record is honest, and so "
    "is the seal.",
    Outcome.UNDECIDED,
    "grants",
)


class Attacks:
    """Makes the files in ``attacked/`` and asks for the answers."""

    def __init__(self, production: Production) -> None:
        self._production = production
        self._folder = production.folders.attacked

    def run(self) -> list[Trial]:
        """Return every attack with its answer."""
        hero = self._production.path("final", cast.HERO, "png").read_bytes()
        following = self._production.path("final", cast.HERO + 1, "png").read_bytes()
        swapped = forgery.swap_receipt(forgery.manifest(hero), forgery.manifest(following))
        stripped = self._write(STRIPPED, forgery.strip(hero))
        return [
            self._try(FLIPPED, self._write(FLIPPED, forgery.flip_pixel(hero, PIXEL))),
            self._try(SWAPPED, self._write(SWAPPED, forgery.put_manifest(hero, swapped))),
            self._try(STRIPPED, stripped),
            self._try(STRIPPED_ONLINE, stripped),
            self._try(STRANGER, self._sign_as_stranger(self._write(STRANGER, forgery.strip(hero)))),
            self._try(UNLICENSED, self._use_unlicensed_model()),
        ]

    def _write(self, attack: _Attack, data: bytes) -> Path:
        path = self._path(attack)
        path.write_bytes(data)
        return path

    def _path(self, attack: _Attack) -> Path:
        return self._folder / f"{attack.name}.png"

    def _try(self, attack: _Attack, path: Path) -> Trial:
        studio = self._production.studio
        if attack.online:
            report = verify_online(studio, path, studio.trust)
        else:
            report = verify_offline(studio.codec, studio.pixels, path, studio.trust, studio.clock.now())
        return Trial(
            name=attack.name,
            title=attack.title,
            done=attack.done,
            path=path.relative_to(self._production.folders.root).as_posix(),
            online=attack.online,
            outcome=attack.outcome,
            check=attack.check,
            report=report,
        )

    def _sign_as_stranger(self, path: Path) -> Path:
        """Seal the picture with other keys, certificates and log, made on the spot under our names."""
        with tempfile.TemporaryDirectory() as folder:
            home = home_at(Path(folder) / "home")
            found_studio(home, Settings(cast.STUDIO, cast.PRODUCTION, cast.ORIGIN, "log"), cast.WORKSTATION)
            with open_studio(home) as studio:
                device = open_device(home, cast.WORKSTATION)
                now = studio.clock.now()
                work = Work(
                    action=StepAction.DRAW,
                    tool=Tool("pencil", "1"),
                    place=Place(cast.PRODUCTION),
                    started=now,
                    finished=now,
                    actor="actor:unnamed",
                    evidence=Evidence.DECLARED,
                )
                record(studio, device, work, [path])
                seal(studio, device, [path])
        return path

    def _use_unlicensed_model(self) -> Path:
        path = self._path(UNLICENSED)
        materials = self._production.materials
        self._production.paint_with(materials.unlicensed_weights, materials.unlicensed, path, cast.HERO)
        self._production.seal([path], cast.FARM)
        return path
