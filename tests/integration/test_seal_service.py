"""What sealing says in C2PA's words, and what it costs: the service on real parts, read back by the codec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.home import Home
from ledger.core.digest import sha256_hex
from ledger.core.manifest import Reading
from ledger.ports import Anchors
from ledger.wiring import offline_reader, open_studio
from tests.e2e.conftest import Studio, elsewhere, founded, licensed, production, sidecar, studio
from tests.support.media import make

__all__ = ["elsewhere", "founded", "licensed", "production", "studio"]
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def reading(studio: Studio, path: Path) -> Reading:
    trust = Home(studio.home, None).trust()
    anchors = Anchors(trust.manifest_anchors, trust.timestamp_anchors)
    store = sidecar(path).read_bytes() if sidecar(path).exists() else None
    found = offline_reader(trust).codec.read(path, store, anchors)
    assert found is not None
    return found


def actions(studio: Studio, path: Path) -> list[tuple[str, str]]:
    """The actions of the active manifest with their source types, IPTC's shortened."""
    said: Any = reading(studio, path).active_manifest.assertions["c2pa.actions.v2"]
    return [
        (item["action"], item.get("digitalSourceType", "").removeprefix(IPTC)) for item in said["actions"]
    ]


def seal(studio: Studio, path: Path, *options: object) -> Path:
    studio.ok("record", path, *options)
    studio.ok("seal", path)
    return path


def test_each_kind_of_step(production: Studio) -> None:
    parent = seal(production, production.png("0.png", 10), "--action", "draw")
    generated = seal(production, production.png("g.png", 11), "--action", "generate", "--model", "sky")
    said = {
        ("draw",): [("c2pa.created", "digitalCreation")],
        ("render",): [("c2pa.created", "digitalCreation")],
        ("import",): [("c2pa.opened", "")],
        ("generate", "--model", "sky"): [("c2pa.created", "trainedAlgorithmicMedia")],
        ("edit", "--parent", parent): [("c2pa.opened", ""), ("c2pa.edited", "humanEdits")],
        ("edit", "--parent", generated): [
            ("c2pa.opened", ""),
            ("c2pa.edited", "compositeWithTrainedAlgorithmicMedia"),
        ],
        ("convert", "--parent", parent): [("c2pa.opened", ""), ("c2pa.converted", "humanEdits")],
        ("composite", "--component", parent): [("c2pa.created", "composite"), ("c2pa.placed", "composite")],
        ("composite", "--component", generated): [
            ("c2pa.created", "compositeWithTrainedAlgorithmicMedia"),
            ("c2pa.placed", "composite"),
        ],
    }
    for number, (options, expected) in enumerate(said.items()):
        path = seal(production, production.png(f"s{number}.png", 20 + number), "--action", *options)
        assert actions(production, path) == expected, options


def test_whatever_has_a_model_under_it_says_so(production: Studio) -> None:
    first = production.record(production.png("a.png"), "--action", "generate", "--model", "sky")
    edited = seal(production, production.png("b.png", 2), "--action", "edit", "--parent", first)
    plain = seal(production, production.png("c.png", 3), "--action", "draw")
    said = reading(production, edited).active_manifest.assertions["c2pa.ai-disclosure"]
    assert said["modelName"] == "sky"
    assert "c2pa.ai-disclosure" not in reading(production, plain).active_manifest.assertions


def test_training_and_mining_are_never_permitted_by_silence(studio: Studio) -> None:
    path = seal(studio, studio.png(), "--action", "draw")
    entries = reading(studio, path).active_manifest.assertions["cawg.training-mining"]["entries"]
    assert {item["use"] for item in entries.values()} == {"notAllowed"}
    assert len(entries) == 4


def test_no_thumbnail_and_no_remote_manifest(studio: Studio) -> None:
    path = seal(studio, make("jpg", studio.work), "--action", "draw")
    found = reading(studio, path)
    assert not [label for label in found.active_manifest.assertions if "thumbnail" in label]
    assert found.remote_url is None


@pytest.mark.parametrize("kind", ["png", "jpg", "exr", "txt"])
def test_the_binding_is_the_digest_that_the_step_recorded(studio: Studio, kind: str) -> None:
    path = make(kind, studio.work)
    digest = sha256_hex(path.read_bytes())
    seal(studio, path)
    assert reading(studio, path).active_manifest.bound_sha256 == digest


def test_the_parent_of_an_import_is_what_came_in(studio: Studio, elsewhere: Studio, tmp_path: Path) -> None:
    foreign = elsewhere.png("foreign.png", 91)
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    plate = studio.work / "plate.png"
    plate.write_bytes(foreign.read_bytes())
    seal(studio, plate, "--action", "import")
    parents = [
        item for item in reading(studio, plate).active_manifest.ingredients if item.relationship == "parentOf"
    ]
    assert [bool(item.manifest) for item in parents] == [True]
    assert actions(studio, plate) == [("c2pa.opened", "")]


def test_a_drawing_over_a_marked_file_places_it(studio: Studio, elsewhere: Studio) -> None:
    foreign = elsewhere.png("drawn.png", 92)
    elsewhere.record(foreign)
    elsewhere.ok("seal", foreign)
    plate = studio.work / "drawn.png"
    plate.write_bytes(foreign.read_bytes())
    seal(studio, plate, "--action", "draw")
    assert actions(studio, plate) == [("c2pa.created", "digitalCreation"), ("c2pa.placed", "composite")]
    assert b"Studio Elsewhere" in plate.read_bytes()


def test_the_stores_are_kept_by_the_digest_of_what_was_sealed(studio: Studio) -> None:
    path, scan = seal(studio, studio.png()), seal(studio, make("exr", studio.work))
    with open_studio(Home(studio.home, None)) as opened:
        assert opened.manifests.get(sha256_hex(path.read_bytes())) == opened.codec.store(path)
        assert opened.manifests.get(sha256_hex(scan.read_bytes())) == sidecar(scan).read_bytes()


@pytest.mark.parametrize("count", [20, 75])
def test_a_composite_of_many_sealed_components_can_be_opened(production: Studio, count: int) -> None:
    """Each brings the model's whole history. Where that is too much, records stand in for manifests."""
    components = []
    for number in range(count):
        path = production.work / f"e{number}.png"
        path.write_bytes(production.png("x.png", 100 + number).read_bytes())
        components.append(path)
    (production.work / "x.png").unlink()
    plain, painted = components[: count // 2], components[count // 2 :]
    production.ok("record", *plain, "--action", "draw")
    for path in painted:
        production.ok("record", path, "--action", "generate", "--model", "sky")
    production.ok("seal", *components)
    comp = make("exr", production.work, "comp")
    options = [word for path in components for word in ("--component", path)]
    production.ok("record", comp, "--action", "composite", *options)
    production.ok("seal", comp)
    result = production.verify(comp)
    assert result.code == 0, result.out
    assert {thing["name"] for thing in result.json["named"]} == {"sky", "plates"}
    said = [step["action"] for step in result.json["steps"]]
    assert said == ["draw", *["generate"] * len(painted), "composite"]
    assert sidecar(comp).stat().st_size < 2 << 20
