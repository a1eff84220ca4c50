"""The cut, made as a studio makes one: each step writes files, is recorded, and its files are sealed.

The backgrounds are painted by the licensed model, graded and lined, put together with a drawn figure and
rendered light, and encoded. Every step opens the sealed files of the step before.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from ledger.core.artifact import Artifact, Role
from ledger.core.predicates.step import Evidence, Place
from ledger.demo import cast
from ledger.demo.cast import Folders, Job
from ledger.demo.materials import Materials
from ledger.demo.narrator import Narrator
from ledger.demo.painter import brush, layers, movie
from ledger.demo.painter.canvas import to_image
from ledger.demo.painter.moods import learnt
from ledger.demo.painter.scene import Landscape, Moon
from ledger.service.record import Used, Work, record
from ledger.service.seal import SealedFile, seal
from ledger.service.studio import Studio
from ledger.wiring import home_at, open_device, timestamp_authority

SEED = 8
MOON = Moon(0.66, 0.27, 0.078)
FRAMES = tuple(range(cast.FIRST, cast.LAST + 1))


class Production:
    """The studio at work on one shot. ``sealed`` holds every file sealed so far, in order."""

    def __init__(self, studio: Studio, folders: Folders, materials: Materials, tell: Narrator) -> None:
        self.studio = studio
        self.folders = folders
        self.materials = materials
        self.sealed: list[SealedFile] = []
        self._home = home_at(folders.home)
        self._devices = {name: open_device(self._home, name) for name in (cast.WORKSTATION, cast.FARM)}
        self._tell = tell

    def path(self, layer: str, number: int | None, suffix: str) -> Path:
        """Return the name of a file of this shot, such as ``sh020.bg.1001.png``."""
        frame = "" if number is None else f".{number:04d}"
        return self.folders.files / f"{cast.SHOT}.{layer}{frame}.{suffix}"

    @property
    def cut(self) -> list[Path]:
        """The files that are to be delivered: the finished frames and, where there is one, the film."""
        film = self.path("cut", None, "mp4")
        return [*(self.path("final", number, "png") for number in FRAMES), *([film] if film.exists() else [])]

    def shoot(self) -> None:
        """Make the whole cut."""
        self._paint_backgrounds()
        self._grade()
        self._draw()
        self._render()
        self._composite()
        self._encode()

    def paint_with(self, weights: Path, model: Artifact, target: Path, number: int) -> None:
        """Generate one background with any model, recorded like every other; not sealed."""
        started = self.studio.clock.now()
        mood = learnt(brush.load(weights))
        landscape = Landscape(mood, MOON, SEED, layers.HEIGHT, layers.WIDTH)
        to_image(landscape.frame(_moment(number))).save(target, compress_level=3)
        self.record(cast.PAINT, [target], (_model(model),), started, (number, number))

    def record(
        self,
        job: Job,
        outputs: Sequence[Path],
        used: tuple[Used, ...],
        started: datetime,
        frames: tuple[int, int] | None = (cast.FIRST, cast.LAST),
    ) -> None:
        """Record one step. A generation also commits to its prompt and states its seed."""
        generates = job is cast.PAINT
        work = Work(
            action=job.action,
            tool=job.tool,
            place=Place(cast.PRODUCTION, cast.SEQUENCE, cast.SHOT, job.task, cast.VERSION, frames),
            started=started,
            finished=self.studio.clock.now(),
            actor=f"actor:{job.task}",
            evidence=Evidence.OBSERVED,
            used=used,
            parameters={"seed": str(SEED)} if generates else {},
            secrets={"prompt": cast.PROMPT} if generates else {},
        )
        record(self.studio, self._devices[job.device], work, outputs)

    def seal(self, paths: Sequence[Path], device: str, *, timestamp: bool = False) -> list[SealedFile]:
        """Seal files in place, with a trusted time stamp on request."""
        with ExitStack() as stack:
            url = stack.enter_context(timestamp_authority(self._home).serving()) if timestamp else None
            return seal(self.studio, self._devices[device], paths, timestamp_url=url)

    def _finish(self, job: Job, paths: Sequence[Path]) -> None:
        self.sealed += self.seal(paths, job.device)

    def _paint_backgrounds(self) -> None:
        started = self.studio.clock.now()
        mood = learnt(brush.load(self.materials.weights))
        landscape = Landscape(mood, MOON, SEED, layers.HEIGHT, layers.WIDTH)
        paths = []
        for number in self._tell.follow(FRAMES, "painting backgrounds"):
            paths.append(self.path("bg", number, "png"))
            to_image(landscape.frame(_moment(number))).save(paths[-1], compress_level=3)
        self.record(cast.PAINT, paths, (_model(self.materials.model),), started)
        self._finish(cast.PAINT, paths)
        self._tell.line(f"{len(paths)} backgrounds generated with {cast.MODEL}: recorded, sealed (PNG)")

    def _grade(self) -> None:
        paths = []
        for number in self._tell.follow(FRAMES, "grading"):
            started = self.studio.clock.now()
            source = self.path("bg", number, "png")
            outputs = [self.path("grade", number, "tif"), self.path("grade", number, "jpg")]
            layers.grade(source, *outputs)
            self.record(cast.GRADE, outputs, (Used(Role.PARENT, source),), started, (number, number))
            paths += outputs
        self._finish(cast.GRADE, paths)
        self._tell.line(f"{len(FRAMES)} backgrounds graded and lined: recorded, sealed (TIFF and JPEG)")

    def _draw(self) -> None:
        started = self.studio.clock.now()
        paths = [self.path("figure", pose + 1, "png") for pose in range(layers.POSES)]
        for pose, path in enumerate(paths):
            layers.draw_figure(pose, path)
        self.record(cast.DRAW, paths, (), started, None)
        self._finish(cast.DRAW, paths)
        self._tell.line(f"{len(paths)} drawings of the figure, by hand: recorded, sealed (PNG with alpha)")

    def _render(self) -> None:
        started = self.studio.clock.now()
        path = self.path("light", None, "exr")
        layers.render_light(MOON, path)
        self.record(cast.RENDER, [path], (), started)
        self._finish(cast.RENDER, [path])
        self._tell.line("the moon's light rendered: recorded, sealed (OpenEXR, half float, with a sidecar)")

    def _composite(self) -> None:
        light = self.path("light", None, "exr")
        paths = []
        for number in self._tell.follow(FRAMES, "compositing"):
            started = self.studio.clock.now()
            background = self.path("grade", number, "tif")
            figure = self.path("figure", _pose(number), "png")
            paths.append(self.path("final", number, "png"))
            layers.composite(background, figure, light, paths[-1])
            used = tuple(Used(Role.COMPONENT, item) for item in (background, figure, light))
            self.record(cast.COMP, [paths[-1]], used, started, (number, number))
        hero = self.path("final", cast.HERO, "png")
        others = self.seal([path for path in paths if path != hero], cast.WORKSTATION)
        stamped = self.seal([hero], cast.WORKSTATION, timestamp=True)
        self.sealed += sorted(others + stamped, key=lambda item: item.target)
        self._tell.line(
            f"{len(paths)} final frames composited: recorded, sealed; {cast.HERO} with a time stamp"
        )

    def _encode(self) -> None:
        started = self.studio.clock.now()
        target = self.path("cut", None, "mp4")
        if not movie.encode(str(self.path("final", None, "%04d.png")), cast.FIRST, target):
            self._tell.line("no film of the cut: ffmpeg is not installed here")
            return
        finals = tuple(Used(Role.COMPONENT, self.path("final", number, "png")) for number in FRAMES)
        self.record(cast.ENCODE, [target], finals, started)
        self._finish(cast.ENCODE, [target])
        self._tell.line("the cut encoded as a film: recorded, sealed (MP4)")


def _model(model: Artifact) -> Used:
    return Used(Role.MODEL, name=model.name, sha256=model.sha256)


def _moment(number: int) -> float:
    return (number - cast.FIRST) / (cast.LAST - cast.FIRST)


def _pose(number: int) -> int:
    """Return which drawing a frame shows: each is held for two frames."""
    return (number - cast.FIRST) // 2 % layers.POSES + 1
