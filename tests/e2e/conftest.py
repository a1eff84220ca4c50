"""A founded studio for each test, and the command as a user runs it.

The studio is founded once and copied: keys take time. Most tests run the command in this process, which is
ten times faster than a new one; ``Studio.process`` starts a real one where that is the point.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

import ledger.cli
from tests.support.cleared import license_production, shoot
from tests.support.media import make, makeable, noise, picture_bytes

ROOT = Path(__file__).resolve().parents[2]
PROJECTIONS = ("head", "tile", "statement", "artifact")
PROMPT = "a robot paints a lantern nobody may read about"
LICENSOR = "Mori Studio"
GRANT = ("grant", "add", "G-1", "--use", "output-final", "--from", "2026-01-01", "--licensor", LICENSOR)


@dataclass(frozen=True)
class Result:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a ``--json`` command answered."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The code of the error that a person sees in brackets."""
        return self.err.split("\n")[0].rpartition("[")[2].rstrip("]")


class Studio:
    """One studio's folder, a working folder, and the command."""

    def __init__(self, home: Path, work: Path) -> None:
        self.home = home
        self.work = work

    @property
    def trust(self) -> Path:
        return self.home / "trust.json"

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that works in this studio."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAKKAN_")}
        return {**kept, "RAKKAN_HOME": str(self.home), "PYTHONPATH": str(ROOT)}

    def __call__(self, *arguments: object) -> Result:
        """Run the command in this process, with this studio as its home."""
        out, err = TextIOWrapper(BytesIO(), "utf-8"), TextIOWrapper(BytesIO(), "utf-8", "backslashreplace")
        code = 0
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("RAKKAN_")]:
                if name != "RAKKAN_PASSPHRASE":
                    patch.delenv(name)
            patch.setenv("RAKKAN_HOME", str(self.home))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            try:
                ledger.cli.main([str(item) for item in arguments])
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1
        return Result(code, _written(out), _written(err))

    def ok(self, *arguments: object) -> Result:
        """Run the command, which must succeed."""
        result = self(*arguments)
        assert result.code == 0, result.err or result.out
        return result

    def process(
        self, *arguments: object, stdout: int = subprocess.PIPE, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the command in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "ledger", *map(str, arguments)],
            env={**self.environment(), **environment},
            cwd=ROOT,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    def fails(self, code: str, *arguments: object, exit_code: int = 2) -> Result:
        """Run the command, which must fail with this code and leave every file and the log as they were."""
        before = self.state()
        result = self(*arguments)
        assert (result.error, result.code) == (code, exit_code), (result, arguments)
        assert result.out == ""
        assert "what to do: " in result.err
        assert "Traceback" not in result.err
        assert self.state() == before
        return result

    def state(self) -> dict[str, object]:
        """Everything that a refused command must leave alone: the log, and every file at work."""
        return {"log": self.rows("entry"), "size": self.size(), "files": snapshot(self.work)}

    def size(self) -> int:
        """The number of entries that the head states."""
        return int(sum(row[1] for row in self.rows("head")))

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """Every row of a table."""
        if not (self.home / "ledger.sqlite").exists():
            return []
        with sqlite3.connect(self.home / "ledger.sqlite") as connection:
            found = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a name from a test
        connection.close()
        return sorted(found, key=repr)

    def projections(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table that can be computed again."""
        return {table: self.rows(table) for table in PROJECTIONS}

    # --- what most sessions begin with ---------------------------------------------------------------------

    def png(self, name: str = "frame.png", seed: int = 1) -> Path:
        """A small picture, not recorded."""
        path = self.work / name
        path.write_bytes(picture_bytes("PNG", noise(seed=seed)))
        return path

    def license(self) -> None:
        """Register the dataset `plates`, the model `sky` trained on it, and the grant `G-1` for both."""
        inventory = self.work / "plates.csv"
        inventory.write_text(f"work,sha256,rights_holder\na,{'0' * 64},Mori\nb,{'1' * 64},Kawa\n")
        weights = self.work / "sky.safetensors"
        weights.write_bytes(b"weights of the sky model")
        self.ok("dataset", "add", "plates", inventory)
        self.ok("model", "add", "sky", weights, "--trained-on", "plates:focused")
        self.ok(*GRANT, "--covers", "plates", "--covers", "sky")

    def record(self, path: Path, *options: object) -> Path:
        """Record a file: as generated by a painter, unless the options say otherwise."""
        said = options or ("--action", "generate", "--tool", "painter 1.0")
        self.ok("record", path, *said)
        return path

    def sealed(self, name: str = "frame.png", *options: object, seed: int = 1) -> Path:
        """A recorded and sealed picture."""
        path = self.record(self.png(name, seed), *options)
        self.ok("seal", path)
        return path

    def verify(self, path: Path, *options: object) -> Result:
        """Verify offline against this studio's trust root; the answer is JSON."""
        return self("verify", path, "--offline", "--trust", self.trust, "--json", *options)


@dataclass(frozen=True)
class Shot:
    """One file of every format, generated with the licensed model, recorded and sealed; and its maker."""

    studio: Studio
    files: dict[str, Path]
    originals: dict[str, bytes]

    def delivered(self, name: str, folder: Path) -> Path:
        """The file with its sidecar, if any, in an empty folder of somebody else's."""
        if name not in self.files:
            pytest.skip(f"no encoder for {name}")
        folder.mkdir()
        for path in (self.files[name], sidecar(self.files[name]), self.studio.trust):
            if path.exists():
                shutil.copy(path, folder)
        return folder / self.files[name].name


def snapshot(folder: Path) -> dict[str, object]:
    """What lies under a folder, by name: digests of files, targets of links, kinds of everything else."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = path.readlink()
        elif path.is_file():
            # A sparse giant is known by its size and its beginning.
            with path.open("rb") as file:
                found[name] = (path.stat().st_size, sha256(file.read(1 << 24)).hexdigest())
        else:
            found[name] = path.stat().st_mode
    return found


def checks(result: Result) -> dict[str, str]:
    """The status of each check of a JSON report, by name."""
    return {check["check"]: check["status"] for check in result.json["checks"]}


def codes(result: Result) -> set[str]:
    """Every code of a JSON report that is not of a passed check."""
    return {code for check in result.json["checks"] if check["status"] != "passed" for code in check["codes"]}


def sidecar(path: Path) -> Path:
    """Where a file's sidecar lies."""
    return path.with_name(path.name + ".c2pa")


def stranger(folder: Path) -> Studio:
    """A machine that has never seen the studio."""
    folder.mkdir()
    return Studio(folder / "nowhere", folder)


def found(folder: Path, name: str = "Studio Kumo", *options: str) -> Studio:
    """Found a studio."""
    work = folder / "work"
    work.mkdir(parents=True)
    studio = Studio(folder / "home", work)
    studio.ok("init", "--studio", name, "--production", "nightfall", *options)
    return studio


def copied(studio: Studio, folder: Path) -> Studio:
    """The same studio in another folder."""
    shutil.copytree(studio.home, folder / "home")
    shutil.copytree(studio.work, folder / "work")
    return Studio(folder / "home", folder / "work")


def _written(stream: TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, BytesIO)
    return stream.buffer.getvalue().decode()


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A new studio. Never written to."""
    return found(tmp_path_factory.mktemp("founded"))


@pytest.fixture(scope="session")
def licensed(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio with a dataset, a model and a grant. Never written to."""
    studio = copied(founded, tmp_path_factory.mktemp("licensed"))
    studio.license()
    return studio


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Another company's studio. Tests may seal there."""
    return found(tmp_path_factory.mktemp("elsewhere"), "Studio Elsewhere")


@pytest.fixture(scope="session")
def shot(licensed: Studio, tmp_path_factory: pytest.TempPathFactory) -> Shot:
    """The whole happy session, once. Never written to."""
    studio = copied(licensed, tmp_path_factory.mktemp("shot"))
    files = {name: make(name, studio.work, f"frame-{name}") for name in makeable()}
    originals = {name: path.read_bytes() for name, path in files.items()}
    said = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky", "--prompt", PROMPT)
    studio.ok("record", *files.values(), *said)
    studio.ok("seal", *files.values())
    return Shot(studio, files, originals)


@pytest.fixture(scope="session")
def shot_once(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """Three shots and the rights to them. Never written to."""
    studio = copied(founded, tmp_path_factory.mktemp("nightfall"))
    license_production(studio)
    shoot(studio)
    return studio


@pytest.fixture
def studio(founded: Studio, tmp_path: Path) -> Studio:
    """A new studio of the test's own."""
    return copied(founded, tmp_path / "studio")


@pytest.fixture
def production(licensed: Studio, tmp_path: Path) -> Studio:
    """A studio with a licensed model `sky`, of the test's own."""
    return copied(licensed, tmp_path / "production")


@pytest.fixture
def nightfall(shot_once: Studio, tmp_path: Path) -> Studio:
    """Three shots and the rights to them, of the test's own."""
    return copied(shot_once, tmp_path / "nightfall")
