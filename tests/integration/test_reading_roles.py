"""Who sees what: every cell of the table in docs/spec/http-reading.md, asked of the service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.shapes import rights, verdicts, work
from ledger.core.access import Role
from tests.e2e.conftest import ROOT, Studio, copied, founded
from tests.support.cleared import FACTS, license_production, policy, revoke, shoot
from tests.support.reading import BASE, Reader, digest_of, reading, viewer

__all__ = ["founded"]

PAGE = ROOT / "docs/spec/http-reading.md"
OF_THE_REGISTRY = ("plates", "G-7", "mori", "Mori", "focused training", "dependencyLevels", "lowest")
"""Words that only the registry, or what was read from it, can have put into an answer."""
SHAPES = {
    "/assets": "AssetPage",
    "/assets/{digest}": "Asset",
    "/assets/{digest}/lineage": "Lineage",
    "/steps": "StepPage",
    "/steps/{index}": "WholeEntry",
    "/shots": "ShotPage",
    "/shots/{sequence}/{shot}": "ShotFinals",
    "/shots/{episode}/{sequence}/{shot}": "ShotFinals",
    "/coverage": "LogCoverage",
    "/registry/{kind}": "RegistryPage",
    "/registry/{kind}/{name}": "RegistryThing",
    "/verdicts": "VerdictPage",
    "/verdicts/{digest}": "VerdictHistory",
    "/clearances": "Clearance",
    "/impact": "Impact",
    "/own-works": "OwnWorks",
}


def shape(name: str) -> Any:
    return next(getattr(each, name) for each in (work, verdicts, rights) if hasattr(each, name))


def table() -> dict[tuple[str, Role], str]:
    rows = [line.strip("| \n").split(" | ") for line in PAGE.read_text().splitlines() if line[:1] == "|"]
    start = next(number for number, row in enumerate(rows) if row[0] == "artist")
    roles = [Role(name) for name in rows[start]]
    return {
        (path.strip("`"), role): cell
        for path, *cells in rows[start + 2 :]
        for role, cell in zip(roles, cells, strict=True)
    }


TABLE = table()


class Scene:
    """Shots with verdicts, of which some are blocked since the grant was revoked."""

    def __init__(self, studio: Studio, reader: Reader, frame: str) -> None:
        self.studio = studio
        self.reader = reader
        self.frame = frame

    def ask(self, path: str, role: Role) -> Any:
        """Ask a route as somebody of this role; returns status and document."""
        self.reader.viewer = viewer(role, party="mori")
        where = {"digest": self.frame, "episode": "-", "sequence": "sq010", "shot": "sh020"}
        where |= {"kind": "grants", "name": "G-7"}
        where["index"] = str(self.step)
        bodies = {
            "/clearances": {"targets": [".", self.frame], "policy": "house"},
            "/impact": {"thing": "G-7"},
            "/own-works": {"works": ["0" * 64]},
        }
        url = BASE + path.format(**where)
        client = self.reader.client
        answer = client.post(url, json=bodies[path]) if path in bodies else client.get(url)
        return answer.status_code, answer.json()

    @property
    def step(self) -> int:
        return max(int(row[1]) for row in self.studio.rows("statement") if "/step/" in row[2])


@pytest.fixture(scope="module")
def scene(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    studio = copied(founded, tmp_path_factory.mktemp("roles"))
    license_production(studio, FACTS)
    paths = shoot(studio)
    studio("clear", ".", *policy(studio), "--record")
    studio("clear", ".", *policy(studio), "--for", "marketing", "--record")
    revoke(studio)
    studio("recheck")
    with reading(studio.home) as reader:
        yield Scene(studio, reader, digest_of(paths["sh020"]))


def test_the_page_has_every_role_and_every_route() -> None:
    assert {role for _, role in TABLE} == set(Role)
    assert {path for path, _ in TABLE} == set(SHAPES)


@pytest.mark.parametrize(("path", "role"), TABLE)
def test_everybody_sees_what_the_page_says(scene: Scene, path: str, role: Role) -> None:
    status, found = scene.ask(path, role)
    cell = TABLE[path, role]
    if cell == "no":
        assert (status, found["code"]) == (403, "access.denied")
        return
    assert status == 200, found
    shape(SHAPES[path]).model_validate(found, by_alias=True)
    told = repr(found)
    if cell in ("no registry", "delivered"):
        assert not [word for word in OF_THE_REGISTRY if word in told]
    if cell == "delivered":
        items = found["verdicts"]
        assert items
        assert {item["delivery"]["deliverable"] for item in items} == {"final"}
    if cell == "own":
        assert "record" not in told


@pytest.mark.parametrize("path", SHAPES)
def test_who_is_not_known_is_told_so_and_nothing_else(scene: Scene, path: str) -> None:
    scene.reader.viewer = viewer()
    url = BASE + re.sub(r"\{\w+\}", "0", path)
    client = scene.reader.client
    answer = client.post(url, json={}) if TABLE[path, Role.DEVICE] == "no" else client.get(url)
    assert answer.status_code == 401, (path, answer.text)


def test_what_is_hidden_from_some_is_there_for_others(scene: Scene) -> None:
    """The words that an artist must not see are in the auditor's answers: the test above can fail."""
    told = "".join(
        repr(scene.ask(path, Role.AUDITOR)[1]) for path in SHAPES if TABLE[path, Role.ARTIST] == "no registry"
    )
    assert not [word for word in OF_THE_REGISTRY if word not in told and word.lower() != "mori"]


def test_an_artist_is_told_through_what_a_frame_is_blocked(scene: Scene) -> None:
    _, found = scene.ask("/verdicts/{digest}", Role.ARTIST)
    reasons = found["verdicts"][0]["now"]["reasons"]
    assert {reason["through"] for reason in reasons} == {"model sky", "weak sh020.1001.png"}
    assert all(reason["meaning"] and reason["mend"] for reason in reasons)


def test_a_distributor_sees_no_verdict_on_what_is_not_final(scene: Scene) -> None:
    scene.reader.viewer = viewer(Role.AUDITOR)
    everything = {item["sha256"] for item in scene.reader.get("/assets", limit=1000)["assets"]}
    finals = {item["sha256"] for item in scene.reader.get("/verdicts")["verdicts"]}
    scene.reader.viewer = viewer(Role.DISTRIBUTOR)
    seen = {item["sha256"] for item in scene.reader.get("/verdicts")["verdicts"]}
    assert seen == finals
    for sha256 in everything - finals:
        assert scene.reader.get(f"/verdicts/{sha256}", 404)["code"] == "verdict.none"


def test_another_production_is_denied_before_it_is_looked_for(scene: Scene) -> None:
    scene.reader.viewer = viewer(Role.PRODUCER, production="dawnbreak")
    for production in ("nightfall", "no-such"):
        answer = scene.reader.client.get(f"/v1/productions/{production}/shots")
        assert (answer.status_code, answer.json()["code"]) == (403, "access.denied")
        answer = scene.reader.client.get(f"/v1/productions/{production}")
        assert (answer.status_code, answer.json()["code"]) == (403, "access.denied")


@pytest.mark.parametrize("role", Role)
def test_productions_are_listed_for_whoever_may_see_something(scene: Scene, role: Role) -> None:
    scene.reader.viewer = viewer(role)
    found = scene.reader.client.get("/v1/productions").json()["productions"]
    assert [item["production"] for item in found] == ["nightfall"]
    work.ProductionGlance.model_validate(found[0], by_alias=True)
    assert ("title" in found[0]) == (TABLE["/shots", role] == "all")
    scene.reader.viewer = viewer(role, production="dawnbreak")
    assert scene.reader.client.get("/v1/productions").json()["productions"] == []
