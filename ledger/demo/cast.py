"""Who and what the demo's production is made of: all invented, said once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ledger.core.predicates.step import StepAction, Tool

STUDIO = "Studio Yoimachi"
PRODUCTION = "moonrise"
ORIGIN = "ledger.studio-yoimachi.example/moonrise"
SEQUENCE, SHOT, VERSION = "sq010", "sh020", "v001"
FIRST, LAST = 1001, 1012
HERO = 1006
"""The frame whose story the page tells."""

WORKSTATION, FARM = "workstation", "farm-01"
"""The devices: where people draw, and where machines paint and render."""

DATASET, DATASET_VERSION = "night-landscapes", "2026.1"
MODEL, MODEL_VERSION = "moonlit-brush", "1.0"
UNLICENSED, UNLICENSED_VERSION = "dreamweft-xl", "3"
GRANT, OWN_GRANT = "MR-2026-01", "OWN-2026-01"
LICENSOR = "Atelier Tsukikage and Ran Minazuki"
STUDIO_PARTY, HOLDERS_PARTY = "studio-yoimachi", "night-landscapes-holders"
TITLE_ID, TITLE = "moonrise", "Moonrise"
LABEL = "moonrise-tv"
"""The name of the public label: a part of its address."""
ZONE = "Asia/Tokyo"
POLICIES = ("strict-authorised-only", "broadcast-jp")
"""What the cut is cleared under. The first is the strictest one; it also judges what must not pass."""

PROMPT = "night over folded hills, the moon just risen, cumulus lit from behind, last warmth on the horizon"
NOTE = (
    "This is a demonstration. The studio, the rights holders and the licence are invented; the figure was "
    "drawn by a program that stands in for an artist. The trained model, the pictures, the signatures, the "
    "certificates, the log and every answer on this page are real."
)


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of work: what is done, in which task of the pipeline, with which tool, on which device."""

    action: StepAction
    task: str
    tool: Tool
    device: str


PAINT = Job(StepAction.GENERATE, "background", Tool("rakkan-demo painter", "1"), FARM)
GRADE = Job(StepAction.EDIT, "grade", Tool("rakkan-demo grade", "1"), WORKSTATION)
DRAW = Job(StepAction.DRAW, "animation", Tool("rakkan-demo pencil", "1"), WORKSTATION)
RENDER = Job(StepAction.RENDER, "lighting", Tool("rakkan-demo light", "1"), FARM)
COMP = Job(StepAction.COMPOSITE, "compositing", Tool("rakkan-demo comp", "1"), WORKSTATION)
ENCODE = Job(StepAction.CONVERT, "editorial", Tool("ffmpeg", "libx264"), FARM)


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one demo, as issue and documentation name them."""

    root: Path

    @property
    def home(self) -> Path:
        """The studio's own state."""
        return self.root / "home"

    @property
    def files(self) -> Path:
        """The sealed outputs and sidecars."""
        return self.root / "files"

    @property
    def attacked(self) -> Path:
        """What forgers made of them."""
        return self.root / "attacked"

    @property
    def materials(self) -> Path:
        """The works, their inventory, the weights: what stays with the studio."""
        return self.root / "materials"

    @property
    def proofs(self) -> Path:
        """What rights holders asked about, and the answers."""
        return self.root / "proofs"

    @property
    def timeline(self) -> Path:
        """The cut, as an editor hands it over."""
        return self.root / f"{PRODUCTION}.otio"

    @property
    def report(self) -> Path:
        """The audit report of the cut, whole."""
        return self.root / "report"

    @property
    def handover(self) -> Path:
        """The same report as a distributor may see it."""
        return self.root / "report-for-the-distributor"

    @property
    def public(self) -> Path:
        """The audit report of what may be delivered, as everybody may see it: what the label is about."""
        return self.root / "report-for-everybody"

    @property
    def trust(self) -> Path:
        """The trust root to hand out."""
        return self.root / "trust.json"
