"""Reading over HTTP: files, steps, lineage and shots of a small production, as the commands know them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Studio, copied, founded
from tests.support.cleared import license_production, policy, shoot
from tests.support.reading import Reader, digest_of, reading

__all__ = ["founded"]


class Scene:
    """A production with three shots, of which one was sealed and one has a verdict."""

    def __init__(self, studio: Studio, reader: Reader, files: dict[str, str]) -> None:
        self.studio = studio
        self.read = reader
        self.files = files


@pytest.fixture(scope="module")
def scene(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    studio = copied(founded, tmp_path_factory.mktemp("reading"))
    license_production(studio)
    paths = shoot(studio)
    files = {name: digest_of(path) for name, path in paths.items()}
    studio.ok("seal", paths["sh010"])
    files["sealed"] = digest_of(paths["sh010"])
    files["model"] = digest_of(studio.work / "sky.safetensors")
    studio("clear", ".", *policy(studio), "--record")
    with reading(studio.home) as reader:
        yield Scene(studio, reader, files)


def test_every_answer_says_which_tree_it_is_of(scene: Scene) -> None:
    size = scene.studio.size()
    for path in ("/assets", "/steps", "/shots", "/verdicts", f"/assets/{scene.files['sh020']}"):
        assert scene.read.get(path)["log"]["size"] == size


def test_a_file_is_found_by_its_bytes_and_by_its_picture(scene: Scene) -> None:
    found = scene.read.get(f"/assets/{scene.files['sh020']}")
    assert found["foundBy"] == "bytes"
    assert found["made"][0]["action"] == "generate"
    assert found["verdicts"][0]["now"]["verdict"] == "cleared"
    again = scene.read.get(f"/assets/{found['pixels']}")
    assert (again["foundBy"], again["sha256"]) == ("pixels", scene.files["sh020"])


def test_a_sealed_file_leads_to_the_one_before_and_back(scene: Scene) -> None:
    before, sealed = scene.files["sh010"], scene.files["sealed"]
    assert scene.read.get(f"/assets/{sealed}")["seal"]["from"]["sha256"] == before
    assert scene.read.get(f"/assets/{before}")["seal"]["as"]["sha256"] == sealed
    assert scene.read.get(f"/assets/{sealed}")["manifest"]["asset"] == sealed


def test_lineage_goes_up_to_the_data_and_down_to_the_frames(scene: Scene) -> None:
    up = scene.read.get(f"/assets/{scene.files['sealed']}/lineage", direction="up")
    roles = {edge["role"] for edge in up["edges"]}
    assert roles == {"sealed-from", "parent", "model", "focused training"}
    assert up["next"] is None
    plates = next(edge["parent"] for edge in up["edges"] if edge["role"] == "focused training")
    down = scene.read.get(f"/assets/{plates}/lineage", direction="down")
    assert {edge["role"] for edge in down["edges"]} == roles
    made = {node["sha256"] for node in down["nodes"]}
    assert {scene.files[name] for name in ("model", "plate", "sh010", "sh020", "sealed")} <= made
    assert scene.files["sh030"] not in made


@pytest.mark.parametrize("direction", ["up", "down"])
def test_lineage_page_by_page_is_the_lineage_at_once(scene: Scene, direction: str) -> None:
    root = scene.files["sealed" if direction == "up" else "model"]
    path = f"/assets/{root}/lineage"
    whole = scene.read.get(path, direction=direction, limit=1000)["edges"]
    paged = list(scene.read.pages(path, "edges", direction=direction, limit=1))
    assert key(paged) == key(whole)


def key(edges: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted({tuple(edge.values()) for edge in edges})


def test_files_are_listed_by_name_by_shot_and_by_task(scene: Scene) -> None:
    names = [item["name"] for item in scene.read.pages("/assets", "assets", limit=2)]
    assert {"bg.1001.png", "sh020.1001.png", "final.1001.png", "sky.safetensors"} <= set(names)
    assert [item["name"] for item in scene.read.get("/assets", name="SH020")["assets"]] == ["sh020.1001.png"]
    assert scene.read.get("/assets", name="100%")["assets"] == []
    found = list(scene.read.pages("/assets", "assets", limit=1, shot="sh010"))
    assert [item["name"] for item in found] == ["bg.1001.png", "final.1001.png"]


def test_steps_are_listed_by_tool_by_device_and_by_shot(scene: Scene) -> None:
    steps = list(scene.read.pages("/steps", "steps", limit=1))
    assert len(steps) == 4
    assert [item["tool"]["name"] for item in scene.read.get("/steps", tool="grade")["steps"]] == ["grade"]
    assert len(scene.read.get("/steps", shot="sh010")["steps"]) == 2
    device = steps[0]["signedBy"]
    assert len(list(scene.read.pages("/steps", "steps", limit=3, device=device))) == 4
    assert scene.read.get("/steps", device="nobody")["steps"] == []
    assert scene.read.get("/steps", since="2999-01-01T00:00:00Z")["steps"] == []
    assert len(scene.read.get("/steps", since="2020-01-01T00:00:00Z")["steps"]) == 4


def test_a_step_is_what_rakkan_show_prints(scene: Scene) -> None:
    index = scene.read.get("/steps", limit=1)["steps"][0]["entry"]
    found = scene.read.get(f"/steps/{index}")
    del found["log"]
    assert found == scene.studio.ok("show", index).json
    scene.read.get("/steps/0", code=404)
    scene.read.get("/steps/999999", code=404)


def test_shots_have_their_final_files_and_verdicts(scene: Scene) -> None:
    shots = list(scene.read.pages("/shots", "shots", limit=1))
    assert [(item["sequence"], item["shot"], item["steps"], item["finals"]) for item in shots] == [
        ("sq010", "sh010", 2, 1),
        ("sq010", "sh020", 1, 1),
        ("sq010", "sh030", 1, 1),
    ]
    found = scene.read.get("/shots/sq010/sh010")
    assert [item["sha256"] for item in found["finals"]] == [scene.files["sealed"]]
    assert found["finals"][0]["verdicts"][0]["policy"]["name"] == "house"
    scene.read.get("/shots/sq010/sh999", code=404)
    scene.read.get("/shots/-/sh010", code=404)


def test_the_newest_verdict_of_each_file_is_listed_once(scene: Scene) -> None:
    found = list(scene.read.pages("/verdicts", "verdicts", limit=1))
    finals = {scene.files[name] for name in ("sealed", "sh020", "sh030")}
    assert {item["sha256"] for item in found} == finals
    assert len(found) == 3
    assert scene.read.get("/verdicts", state="blocked")["verdicts"] == []
    assert len(scene.read.get("/verdicts", shot="sh020")["verdicts"]) == 1
    history = scene.read.get(f"/verdicts/{scene.files['sh020']}")["verdicts"]
    assert [item["current"] for item in history] == [True]
    scene.read.get(f"/verdicts/{'0' * 64}", code=404)


def test_an_answer_that_is_known_is_not_sent_again(scene: Scene) -> None:
    first = scene.read.client.get("/v1/productions/nightfall/steps")
    again = scene.read.client.get(
        "/v1/productions/nightfall/steps", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (first.headers["Cache-Control"], again.status_code) == ("private, no-cache", 304)
    assert "Authorization" in first.headers["Vary"]
    other = scene.read.client.get(
        f"/v1/productions/nightfall/assets/{'0' * 64}", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert other.status_code == 404
