"""Recording, sealing and verifying as a studio's process does them, against the bare work underneath."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from ledger.adapters.c2pa_codec import library
from ledger.adapters.settings import Settings
from ledger.core.artifact import Role
from ledger.core.predicates.step import Evidence, Place, StepAction, Tool
from ledger.ports import Anchors
from ledger.service.record import Used, Work, record
from ledger.service.rights.register import desk_of, register
from ledger.service.seal import seal
from ledger.service.studio import Device, Studio
from ledger.wiring import home_at, offline_reader, open_device, open_studio
from ledger.wiring.enrolment import found_studio
from ledger.wiring.rights import readers
from tests.bench.table import best_ms, print_table

pytestmark = pytest.mark.bench
EXR_MAGIC = b"\x76\x2f\x31\x01"
BIG = 50_000_000


@dataclass(frozen=True)
class Shop:
    studio: Studio
    device: Device
    folder: Path
    model: str

    def work(self) -> Work:
        now = datetime.now(UTC)
        return Work(
            action=StepAction.GENERATE,
            tool=Tool("painter", "1"),
            place=Place("bench"),
            started=now,
            finished=now,
            actor="actor:1",
            evidence=Evidence.OBSERVED,
            used=(Used(Role.MODEL, name="sky", sha256=self.model),),
            secrets={"prompt": "night sky"},
        )

    def frames(self, count: int, suffix: str, data: bytes) -> list[Path]:
        paths = [self.folder / f"{suffix}-{number}.{suffix}" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_bytes(data + bytes([number]) * 8)
        return paths


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("bench")
    home = home_at(folder / "home")
    found_studio(home, Settings("Studio", "bench", "bench.example/log", "log"), "workstation")
    with open_studio(home) as studio:
        registrar = open_device(home, "registrar")
        inventory, weights = folder / "works.csv", folder / "sky.bin"
        inventory.write_text(f"work,sha256,rights_holder\na,{'0' * 64},Mori\n")
        weights.write_bytes(os.urandom(1000))
        desk = desk_of(studio, readers(), folder=folder)
        dataset: dict[str, object] = {"name": "plates", "inventory": inventory.name}
        sky = {"name": "sky", "weights": weights.name, "trained_on": ["plates:focused"]}
        uses = ["focused-training", "output-final"]
        terms = {
            "id": "G-1",
            "covers": ["plates", "sky"],
            "uses": uses,
            "from": "2026-01-01",
            "licensor": "Mori",
        }
        register(studio, registrar, desk, "dataset", dataset)
        model = register(studio, registrar, desk, "model", sky).artifact
        register(studio, registrar, desk, "grant", terms)
        for path in (inventory, weights):
            seal(studio, registrar, [path])
        yield Shop(studio, open_device(home, "workstation"), folder, model.sha256)


def test_sidecar_seal_of_50_mb_against_sha256(shop: Shop) -> None:
    """The sealing path alone (hash, sign, write) has the limit; the whole record and seal is stated."""
    data = EXR_MAGIC + os.urandom(BIG)
    frames = shop.frames(6, "exr", data)
    bare = best_ms(lambda: hashlib.sha256(data).hexdigest(), 7)
    recorded = min(
        best_ms(partial(record, shop.studio, shop.device, shop.work(), [frame]), 1) for frame in frames
    )
    sealed = min(best_ms(partial(seal, shop.studio, shop.device, [frame]), 1) for frame in frames)
    batch = shop.frames(6, "dpx", b"SDPX" + data)
    record(shop.studio, shop.device, shop.work(), batch)
    together = best_ms(lambda: seal(shop.studio, shop.device, batch), 1)
    rows: list[tuple[str, float, float, float | None]] = [
        ("record one 50 MB frame", recorded, bare, None),
        ("seal one 50 MB frame, with its log entry", sealed, bare, None),
        ("seal six 50 MB frames, one log entry", together, bare * 6, 1.10),
        ("record + seal one frame", recorded + sealed, bare, None),
    ]
    print_table("sidecar against hashlib.sha256 of the same bytes", rows)
    assert together / (bare * 6) <= 1.10


def test_verify_against_reader_and_sha256(shop: Shop) -> None:
    frame = shop.folder / "frame.png"
    Image.effect_noise((1920, 1080), 80).convert("RGB").save(frame, compress_level=1)
    record(shop.studio, shop.device, shop.work(), [frame])
    seal(shop.studio, shop.device, [frame])
    trust, reader = shop.studio.trust, offline_reader()
    context = library._reading_context(Anchors(trust.manifest_anchors, trust.timestamp_anchors))

    def bare() -> str:
        with frame.open("rb") as file:
            hashlib.file_digest(file, "sha256").hexdigest()
        with frame.open("rb") as file, c2pa.Reader("image/png", file, context=context) as opened:
            return str(opened.json())

    ours, theirs = best_ms(lambda: reader.verify(frame, trust)), best_ms(bare)
    print_table(
        "verify against c2pa.Reader and sha256", [("1080p PNG, model and dataset", ours, theirs, 1.5)]
    )
    assert ours / theirs <= 1.5


def test_cold_start_of_the_command() -> None:
    """An absolute time is printed, never asserted: what is asserted is the ratio to an empty Python."""
    python = [sys.executable, "-I", "-c", "import click"]
    command = [sys.executable, "-I", "-c", "from ledger.cli import main; main(['verify', '--help'])"]
    bare = best_ms(lambda: subprocess.run(python, check=True, capture_output=True), 9)
    ours = best_ms(lambda: subprocess.run(command, check=True, capture_output=True), 9)
    print_table("cold start", [("rakkan verify --help against python + click", ours, bare, 2.5)])
    assert ours / bare <= 2.5
