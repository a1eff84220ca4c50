"""Rights over HTTP: registry, clearances and impacts as the commands say them, proofs about own works."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256

import pytest

from api.shapes.rights import RegistryThing
from ledger.core import canonical
from ledger.core.access import Role
from ledger.core.digest import sha256_hex
from ledger.core.rights.inventory_proof import parse_proof, verify
from ledger.errors import RefusedError
from ledger.service.reading.clearances import AT_A_TIME, one_of_few
from ledger.service.reading.own_works import Allowance
from tests.e2e.conftest import Studio, copied, founded
from tests.support.cleared import FACTS, license_production, policy, revoke, shoot
from tests.support.reading import Reader, digest_of, reading, viewer

__all__ = ["founded"]
MEMBER, ABSENT = "1" * 64, "7" * 64
MORE = f"""
[[party]]
id = "kawa"
kind = "organisation"
name = "Kawa"

[[work]]
id = "W-1"
sha256 = "{MEMBER}"
shares = {{ mori = 1 }}

[[work]]
id = "W-2"
sha256 = "{"2" * 64}"
shares = {{ kawa = 3 }}

[[service_terms]]
vendor = "lumen"
product = "video"
plan = "studio"
document = "contract.txt"
from = 2026-01-01
fetched = 2026-01-02
ownership = "user"
input_training = "never"
output_as_training = false
"""


class Scene:
    def __init__(self, studio: Studio, reader: Reader) -> None:
        self.studio = studio
        self.read = reader


@pytest.fixture(scope="module")
def scene(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    studio = copied(founded, tmp_path_factory.mktemp("rights"))
    license_production(studio, FACTS + MORE)
    shoot(studio)
    studio("clear", ".", *policy(studio), "--record")
    revoke(studio)
    with reading(studio.home) as reader:
        yield Scene(studio, reader)


@pytest.fixture
def read(scene: Scene) -> Reader:
    scene.read.viewer = viewer(Role.LEGAL)
    return scene.read


def test_grants_are_those_of_the_command(scene: Scene, read: Reader) -> None:
    (found,) = read.get("/registry/grants")["grants"]
    (told,) = scene.studio.ok("grant", "list", "--json").json
    assert (found["state"], found["end"], found["states"]) == (told["state"], told["end"], told["grant"])
    whole = read.get("/registry/grants/G-7")
    assert [item["type"].split("/")[-2] for item in whole["versions"]] == ["grant", "grant-revocation"]
    assert whole["versions"][0]["receipt"].endswith(f"/log/entries/{whole['entry']}/receipt")


def test_a_grant_stands_as_it_did_at_a_moment_and_as_it_was_known(read: Reader) -> None:
    assert read.get("/registry/grants/G-7")["state"] == "revoked"
    assert read.get("/registry/grants/G-7", at="2026-01-15T00:00:00Z")["state"] == "in force"
    assert read.get("/registry/grants/G-7", at="2025-01-15T00:00:00Z")["state"] == "not begun"
    read.get("/registry/grants/G-7", code=404, known="2020-01-01T00:00:00Z")
    for moment in ("2026-02-30T00:00:00Z", "2026-01-15", "now", "2026-01-15T00:00:00+09:00"):
        assert read.get("/registry/grants", code=400, at=moment)["code"] == "request.malformed"


def test_a_model_is_shown_with_what_it_was_made_from(scene: Scene, read: Reader) -> None:
    found = read.get("/registry/models/sky", at="2026-01-15T00:00:00Z")
    assert found["id"] == digest_of(scene.studio.work / "sky.safetensors")
    assert found["standing"] == "accepted"
    assert [child["name"] for child in found["tree"]["children"]] == ["plates"]
    assert found["tree"]["children"][0]["relation"] == "focused training"
    assert read.get(f"/registry/models/{found['id']}")["versions"] == found["versions"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("models", ["sky"]),
        ("datasets", ["plates"]),
        ("grants", ["G-7"]),
        ("parties", ["kawa", "mori"]),
        ("services", ["lumen/video"]),
        ("works", ["W-1", "W-2"]),
        ("titles", ["T-1"]),
    ],
)
def test_every_kind_is_listed_and_shown(read: Reader, kind: str, names: list[str]) -> None:
    found = list(read.pages(f"/registry/{kind}", kind, limit=1))
    assert len(found) == len(names)
    for name in names:
        whole = read.get(f"/registry/{kind}/{name}")
        RegistryThing.model_validate(whole, by_alias=True)
        assert whole["entry"] in [item["entry"] for item in found]
    assert read.get(f"/registry/{kind}/no-such", code=404)["code"].split(".")[1].startswith("unknown-")


@pytest.mark.parametrize("targets", [["."], ["sq010/sh020"], ["sh010/1001", "sh030"]])
def test_a_clearance_is_that_of_the_command(scene: Scene, read: Reader, targets: list[str]) -> None:
    at = "2026-11-23T00:00:00Z"
    found = read.post("/clearances", {"targets": targets, "policy": "broadcast-jp", "at": at})
    told = scene.studio("clear", *targets, "--policy", "broadcast-jp", "--at", at, "--json").json
    assert found.pop("log")["size"] == told["tree"]["size"]
    assert found == told
    assert scene.studio.size() == told["tree"]["size"]


def test_a_policy_of_the_log_is_found_by_name_and_by_digest(read: Reader) -> None:
    found = read.post("/clearances", {"targets": ["."], "policy": "house"})
    digest = found["policy"]["digest"]["sha256"]
    again = read.post("/clearances", {"targets": ["."], "policy": digest, "at": found["at"]})
    assert again == found
    problem = read.post("/clearances", {"targets": ["."], "policy": "/etc/passwd"}, 400)
    assert (problem["code"], "house" in problem["detail"]) == ("profile.unknown", True)


@pytest.mark.parametrize(
    "text", ["sq999", "/etc/passwd", "../../etc/passwd", "@/etc/passwd", "pyproject.toml"]
)
def test_no_file_of_the_server_is_looked_at(read: Reader, text: str) -> None:
    assert (
        read.post("/clearances", {"targets": [text], "policy": "house"}, 400)["code"]
        == "clear.unknown-target"
    )
    assert read.post("/impact", {"thing": text}, 400)["code"] == "clear.unknown-thing"


def test_more_than_the_limit_is_refused_before_it_is_judged(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.service.reading.clearances.MOST_FILES", 2)
    assert read.post("/clearances", {"targets": ["."], "policy": "house"}, 413)["code"] == "clear.too-many"
    read.post("/clearances", {"targets": ["sh010", "sh020"], "policy": "house"})
    read.post("/clearances", {"targets": ["sh010", "sh020", "sh030"], "policy": "house"}, 413)
    read.post("/clearances", {"targets": ["."] * 1_001, "policy": "house"}, 400)


def test_no_more_than_so_many_clear_at_a_time(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    question = {"targets": ["sh010"], "policy": "house"}
    with ExitStack() as stack:
        for _ in range(AT_A_TIME):
            stack.enter_context(one_of_few())
        answer = read.client.post("/v1/productions/nightfall/clearances", json=question)
        assert (answer.status_code, answer.json()["code"]) == (503, "clear.busy")
        assert int(answer.headers["Retry-After"]) > 0
        read.post("/impact", {"thing": "plates"}, 503)
        read.get("/coverage", 503)
    read.post("/clearances", question)
    monkeypatch.setattr("ledger.service.reading.shots.MOST_BASES", 1)
    assert read.get("/coverage", 413)["code"] == "clear.too-many"


def test_an_impact_is_that_of_the_command(scene: Scene, read: Reader) -> None:
    found = read.post("/impact", {"thing": "plates"})
    del found["log"]
    assert found == scene.studio.ok("impact", "plates", "--json").json
    assert found["finals"] == 2
    question = {"thing": "plates", "ifRevoked": "2026-01-15T00:00:00Z", "policy": "house"}
    assert read.post("/impact", question, 400)["code"] == "clear.no-grant"
    read.post("/impact", {"thing": "plates", "policy": "house"}, 400)


def test_coverage_is_that_of_a_clearance(read: Reader) -> None:
    found = read.get("/coverage")
    told = read.post("/clearances", {"targets": ["."], "policy": "house"})["coverage"]
    assert {name: found[name] for name in told} == told
    assert read.get("/coverage", shot="sh020")["files"] == 1


def test_works_are_proven_where_the_index_is_here(scene: Scene, read: Reader) -> None:
    folder = scene.studio.home / "inventories"
    assert read.post("/own-works", {"works": [MEMBER]})["datasets"][0]["answer"] == "committed"
    folder.mkdir()
    index = scene.studio.work / "plates.inventory"
    (folder / "a.inventory").write_bytes(index.read_bytes()[:-1])
    (folder / "b.inventory").write_bytes(index.read_bytes())
    found = read.post("/own-works", {"works": [MEMBER, ABSENT], "workIds": ["W-2"]})
    (dataset,) = found["datasets"]
    assert [item["answer"] for item in dataset["works"]] == ["member", "absent", "absent"]
    for item in dataset["works"]:
        shown = verify(parse_proof(canonical.encode(item["proof"])))
        assert shown.proof.commitment.root.hex() == dataset["inventory"]["root"]
        assert shown.proof.key.hex() == item["sha256"]
    record = dataset["works"][0]["record"]
    assert record["rights_holder"] == "Kawa"
    read.viewer = viewer(Role.RIGHTS_HOLDER, party="mori")
    seen = read.post("/own-works", {"works": [MEMBER]})["datasets"][0]["works"][0]
    assert seen == {name: value for name, value in dataset["works"][0].items() if name != "record"}


def test_a_rights_holder_names_works_of_their_own_only(read: Reader) -> None:
    read.viewer = viewer(Role.RIGHTS_HOLDER, party="mori")
    assert read.post("/own-works", {"workIds": ["W-1"]})["datasets"]
    for name in ("W-2", "W-3"):
        problem = read.post("/own-works", {"workIds": [name]}, 404)
        assert (problem["code"], problem["evidence"]) == ("registry.unknown-work", {"name": name})


def test_a_rights_holder_reads_what_is_theirs_and_nothing_of_others(read: Reader) -> None:
    read.viewer = viewer(Role.RIGHTS_HOLDER, party="mori")
    found = list(read.pages("/own-works", "lines", limit=1))
    assert len(found) == 3
    assert {item["kind"] for item in found} == {"party", "grant", "work"}
    assert "kawa" not in json.dumps(found)
    read.viewer = viewer(Role.RIGHTS_HOLDER, party="kawa")
    found = list(read.pages("/own-works", "lines"))
    assert {item["kind"] for item in found} == {"party", "work"}
    assert "mori" not in json.dumps(found)
    read.viewer = viewer(Role.RIGHTS_HOLDER, party="nobody")
    assert read.get("/own-works")["lines"] == []
    read.viewer = viewer(Role.RIGHTS_HOLDER)
    assert read.get("/own-works", code=404)["code"] == "own-works.no-party"


def test_who_asks_about_works_is_written_down_and_not_about_which(
    read: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rakkan.own_works")
    read.post("/own-works", {"works": [MEMBER, ABSENT]})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "rakkan.own_works"]
    assert "person:4d20" in line
    assert "2 works" in line
    assert MEMBER not in line


def test_nobody_asks_about_any_number_of_works(read: Reader) -> None:
    allowance = Allowance(works=3)
    read.application.state.allowance = allowance
    read.post("/own-works", {"works": [MEMBER, ABSENT]})
    answer = read.client.post(
        "/v1/productions/nightfall/own-works", json={"works": [sha256_hex(b"1"), sha256_hex(b"2")]}
    )
    assert (answer.status_code, answer.json()["code"]) == (429, "own-works.too-many")
    assert 0 < int(answer.headers["Retry-After"]) <= 3601
    read.application.state.allowance = Allowance()
    many = [sha256(str(number).encode()).hexdigest() for number in range(51)]
    read.post("/own-works", {"works": many}, 400)
    read.post("/own-works", {"works": []}, 400)
    read.post("/own-works", {"works": ["x"]}, 400)


def test_an_allowance_comes_back_after_an_hour() -> None:
    now = [0.0]
    allowance = Allowance(works=2, clock=lambda: now[0])
    allowance.take("a", 2)
    allowance.take("b", 1)
    with pytest.raises(RefusedError):
        allowance.take("a", 1)
    now[0] = 3600.0
    allowance.take("a", 2)
