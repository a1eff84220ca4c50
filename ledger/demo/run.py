"""The demo from beginning to end: found, register, shoot, verify, clear, attack, ask, label, publish, tell.

* The folder must be new or empty. With ``force`` an older demo is moved aside, and only when it is one:
  nothing that is not ours is touched, and nothing at all is deleted.
* Every sealed file is verified from the file alone, as a stranger would.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ledger.adapters.settings import Settings
from ledger.core.report import Outcome
from ledger.demo import cast, thumbnails
from ledger.demo.attacks import FLIPPED, PIXEL, Attacks
from ledger.demo.cast import Folders
from ledger.demo.clearing import Clearing, as_expected
from ledger.demo.handover import hand_over
from ledger.demo.labelling import label
from ledger.demo.materials import Materials, gather
from ledger.demo.narrator import Narrator
from ledger.demo.page.html import Pictures, page
from ledger.demo.page.rights import Rights
from ledger.demo.page.story import Brought, Delivered, Story, Trial, story_of
from ledger.demo.painter import brush
from ledger.demo.production import Production
from ledger.errors import RakkanError, RefusedError
from ledger.service.log.publish import publish
from ledger.service.studio import Studio
from ledger.wiring import REGISTRAR, home_at, offline_reader, open_device, open_studio, publication
from ledger.wiring.enrolment import enrol_device, found_studio


@dataclass(frozen=True, slots=True)
class Result:
    """Where everything is, and whether every answer was the expected one."""

    folders: Folders
    as_expected: bool


def run(root: Path, tell: Narrator, *, force: bool = False) -> Result:
    """Run the demo in the folder ``root``.

    Raises ``RefusedError("target.exists")`` when something is there that must not be touched.
    """
    make_room(root, force=force)
    folders = Folders(root)
    home = home_at(folders.home)
    tell.chapter("A studio is founded")
    found_studio(home, Settings(cast.STUDIO, cast.PRODUCTION, cast.ORIGIN, "../log"), cast.WORKSTATION)
    enrol_device(home, cast.FARM)
    folders.trust.write_bytes(home.trust_file.read_bytes())
    for folder in (folders.files, folders.attacked, folders.materials):
        folder.mkdir()
    tell.line(f"{cast.STUDIO}, production “{cast.PRODUCTION}”: keys, certificates, a log, two devices")
    with open_studio(home) as studio:
        materials = _register(studio, folders, tell)
        production = Production(studio, folders, materials, tell)
        tell.chapter("A cut of twelve frames is made")
        production.shoot()
        delivered = _verify(production, tell)
        clearing = Clearing(production, open_device(home, REGISTRAR), tell)
        clearing.deliver(production.cut)
        trials = _attack(production, tell)
        rights = clearing.answer(root / trials[-1].path)
        label(studio, home, folders, production.cut, tell)
        publish(studio.log, publication(home))
        reported = hand_over(studio, home, folders, trials[-1].path, tell)
        found = _tell(production, delivered, trials, rights)
    tell.line(f"{found.log.size} log entries published to {root / 'log'}")
    good = (
        all(item.report.outcome is Outcome.PROVEN for item in delivered) and as_expected(rights) and reported
    )
    return Result(folders, good and all(trial.as_expected for trial in trials))


def make_room(root: Path, *, force: bool) -> None:
    """Make the folder, or move an older demo of ours aside. Raises ``RefusedError("target.exists")``."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        if not (force and is_demo(root)):
            hint = "" if force or not is_demo(root) else " It is an older demo: --force moves it aside."
            raise RefusedError("target.exists", f"{root} is not empty.{hint}", path=root)
        root.rename(_aside(root))
    root.mkdir(parents=True, exist_ok=True)


def is_demo(root: Path) -> bool:
    """Whether a demo of ours is in this folder."""
    try:
        settings = home_at(root / "home").settings()
    except RakkanError:
        return False
    return (settings.studio, settings.origin) == (cast.STUDIO, cast.ORIGIN)


def _aside(root: Path) -> Path:
    number = 1
    while (aside := root.with_name(f"{root.name}.old-{number}")).exists():
        number += 1
    return aside


def _register(studio: Studio, folders: Folders, tell: Narrator) -> Materials:
    tell.chapter("What the work may rest on is registered")
    home = home_at(folders.home)
    materials = gather(studio, open_device(home, REGISTRAR), open_device(home, cast.FARM), folders.materials)
    tell.line(f"dataset “{cast.DATASET}”: six paintings by two rights holders; the entry commits to each")
    tell.line(f"grant {cast.GRANT}: training on them, output in “{cast.TITLE}”; the contract is a commitment")
    tell.line(
        f"model “{cast.MODEL}”: trained on them after that (focused training), {_size(materials.weights)}; "
        "the farm attests it"
    )
    tell.line(f"grant {cast.OWN_GRANT}: the model is the studio's own work; dataset and model are reviewed")
    tell.line(f"model “{cast.UNLICENSED}”: nobody knows its training, and no grant covers it")
    return materials


def _size(path: Path) -> str:
    return f"{path.stat().st_size:,} bytes of weights"


def _verify(production: Production, tell: Narrator) -> list[Delivered]:
    tell.chapter("Every file is verified, from the file and the trust root alone")
    reader = offline_reader()
    trust = production.studio.trust
    delivered = []
    for item in tell.follow(production.sealed, "verifying"):
        report = reader.verify(item.target, trust)
        sidecar = item.manifest if item.manifest != item.target else None
        delivered.append(Delivered(item.target, sidecar, report))
        words = f"{item.target.name}: {report.outcome.value}"
        tell.verdict(words, good=report.outcome is Outcome.PROVEN)
    return delivered


def _attack(production: Production, tell: Narrator) -> list[Trial]:
    tell.chapter("What an attacker gets")
    trials = Attacks(production).run()
    for trial in trials:
        answer = f"{trial.report.outcome.value}, exit code {trial.report.exit_code}"
        expected = "" if trial.as_expected else f"; EXPECTED {trial.outcome.value} by “{trial.check}”"
        tell.verdict(f"{trial.title}: {answer}{expected}", good=trial.as_expected)
        tell.line(f"  {trial.report.check(trial.check).words}")
    return trials


def _tell(production: Production, delivered: list[Delivered], trials: list[Trial], rights: Rights) -> Story:
    root = production.folders.root
    brought = Brought(cast.NOTE, (production.materials.inventory,))
    found = story_of(production.studio, root, delivered, brought, trials)
    for name, document in (("story.json", found.to_json()), ("clearance.json", rights.to_json())):
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        (root / name).write_text(text, encoding="utf-8")
    hero = production.path("final", cast.HERO, "png")
    small = _pictures(production, delivered, trials)
    small |= {item.shown.proof.key.hex(): thumbnails.small(item.picture) for item in rights.inquiries}
    html = page(found, hero.relative_to(root).as_posix(), Pictures(small, thumbnails.large(hero)), rights)
    (root / "index.html").write_text(html, encoding="utf-8")
    return found


def _pictures(production: Production, delivered: list[Delivered], trials: list[Trial]) -> dict[str, str]:
    """Return the small pictures that the page shows: the cut, the hero's materials, what was attacked."""
    materials = production.materials
    wanted = (".final.", f".{cast.HERO}.", ".figure.", ".light.")
    pictures = {
        item.report.sha256: thumbnails.small(item.path)
        for item in delivered
        if item.path.suffix != ".mp4" and any(part in item.path.name for part in wanted)
    }
    for trial in trials:
        ring = PIXEL if trial.name == FLIPPED.name else None
        pictures[trial.report.sha256] = thumbnails.small(production.folders.root / trial.path, ring)
    pictures[materials.dataset.sha256] = thumbnails.sheet(materials.works)
    for artifact, weights in (
        (materials.model, materials.weights),
        (materials.unlicensed, materials.unlicensed_weights),
    ):
        pictures[artifact.sha256] = thumbnails.learnt(brush.load(weights))
    return pictures
