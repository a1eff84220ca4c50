"""Reports on request: who may have which, jobs that survive their server, and downloads that go on."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from ledger.core.access import Role
from tests.e2e.conftest import Studio, copied
from tests.e2e.test_tokens import bearer, created
from tests.support.reading import Reader, reading, viewer
from tests.support.service import Running, running, until

STOCK = {"policy": "broadcast-jp"}
VIEWS = ("studio", "distributor", "insurer", "rights-holder", "public")


@pytest.fixture(scope="module")
def served(shot_once: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A production that is only asked; jobs that a test makes are its own."""
    home = copied(shot_once, tmp_path_factory.mktemp("reports")).home
    with reading(home) as found:
        yield found


def ask(reader: Reader, view: str = "studio", code: int = 202, **more: Any) -> Any:
    return reader.post("/reports", {**STOCK, "view": view, **more}, code)


def done(reader: Reader, job: Any) -> Any:
    """Wait for a job to end, and return how it stands."""
    until(lambda: reader.get(f"/reports/{job['id']}")["state"] in {"done", "failed"})
    return reader.get(f"/reports/{job['id']}")


def client_of(server: Running, fields: dict[str, str]) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, headers=fields, timeout=60)


@pytest.fixture
def reader(served: Reader) -> Iterator[Reader]:
    """The same server, with nothing left to do before and after."""
    served.viewer = viewer(Role.PRODUCER)
    yield served
    served.viewer = viewer(Role.PRODUCER)
    for job in served.get("/reports")["reports"]:
        served.client.delete(f"/v1/productions/nightfall/reports/{job['id']}")


def test_a_report_is_asked_for_made_and_fetched(reader: Reader) -> None:
    answer = reader.client.post(
        "/v1/productions/nightfall/reports", json={**STOCK, "view": "studio", "at": "2026-11-22T03:00:00Z"}
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    job = done(reader, answer.json())
    assert answer.headers["location"].endswith(job["id"])
    assert (job["state"], job["error"], job["phase"]) == ("done", None, "")
    assert job["wanted"]["at"] == "2026-11-22T03:00:00Z"
    assert job["expires"] > job["ended"] >= job["made"]
    names = {item["name"] for item in job["files"]}
    assert {"report.json", "report.html", "tables/shots.csv"} <= names
    for item in job["files"]:
        got = reader.client.get(f"{answer.headers['location']}/files/{item['name']}")
        assert (sha256(got.content).hexdigest(), len(got.content)) == (item["sha256"], item["size"])
        assert got.headers["etag"] == f'"{item["sha256"]}"'
        assert got.headers["content-disposition"].startswith("attachment")
        assert got.headers["content-security-policy"].startswith("sandbox")
    report = reader.client.get(f"{answer.headers['location']}/files/report.json").json()
    assert (report["view"], report["head"]["identifier"]) == ("studio", job["report"])
    assert report["verdict"]["now"] == job["verdict"]


def test_a_download_goes_on_where_it_broke_off(reader: Reader) -> None:
    job = done(reader, ask(reader))
    item = next(item for item in job["files"] if item["name"] == "report.json")
    path = f"/v1/productions/nightfall/reports/{job['id']}/files/report.json"
    whole = reader.client.get(path).content
    tag = f'"{item["sha256"]}"'
    rest = reader.client.get(path, headers={"Range": "bytes=1000-", "If-Range": tag})
    assert (rest.status_code, whole[:1000] + rest.content) == (206, whole)
    assert rest.headers["content-range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    other = reader.client.get(path, headers={"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole)
    assert reader.client.get(path, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert reader.client.get(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.slow
def test_only_the_reports_own_files_are_sent(reader: Reader) -> None:
    job = done(reader, ask(reader))
    for name in (
        "../job.json",
        "..%2Fjob.json",
        "/etc/passwd",
        "job.json",
        "tables",
        "x%00",
        "%2E%2E/job.json",
    ):
        got = reader.client.get(f"/v1/productions/nightfall/reports/{job['id']}/files/{name}")
        # What leaves the folder already leaves the address: there is no such route.
        assert got.json()["code"] in {"report.no-such-file", "request.no-such-route"}, name
        assert got.status_code == 404


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DEVICE}))
def test_each_role_has_its_views_and_no_others(reader: Reader, role: Role) -> None:
    allowed = {
        **dict.fromkeys(("producer", "legal", "auditor"), frozenset(VIEWS)),
        "distributor": {"distributor", "public"},
        "rights-holder": {"rights-holder", "public"},
    }.get(role, set())
    for view in VIEWS:
        reader.viewer = viewer(role, party="mori" if role is Role.RIGHTS_HOLDER else None)
        party: dict[str, Any] = {"party": "mori"} if view == "rights-holder" else {}
        if view in allowed:
            job = ask(reader, view, **party)
            reader.client.delete(f"/v1/productions/nightfall/reports/{job['id']}")
        else:
            code = "report.view" if allowed else "access.denied"
            assert ask(reader, view, 403, **party)["code"] == code, (role, view)


@pytest.mark.parametrize("role", [Role.DISTRIBUTOR, Role.RIGHTS_HOLDER])
@pytest.mark.parametrize(
    "more",
    [
        {"at": "2030-01-01T00:00:00Z"},
        {"known": "2026-01-01T00:00:00Z"},
        {"territories": ["US"]},
        {"media": ["streaming"]},
        {"title": "T-1"},
        {"deliverable": "marketing"},
        {"targets": ["sq010/sh010"]},
        {"targets": ["0" * 64]},
    ],
)
def test_a_client_learns_nothing_by_asking_otherwise(reader: Reader, role: Role, more: Any) -> None:
    reader.viewer = viewer(role, party="mori" if role is Role.RIGHTS_HOLDER else None)
    assert ask(reader, role.value, 403, **more)["code"] == "report.view"


def test_a_rights_holder_has_the_view_of_their_own_party(reader: Reader) -> None:
    reader.viewer = viewer(Role.RIGHTS_HOLDER, party="mori")
    assert ask(reader, "rights-holder", 403, party="kawa")["code"] == "report.view"
    job = ask(reader, "rights-holder")
    assert job["wanted"]["party"] == "mori"
    reader.viewer = viewer(Role.LEGAL)
    assert ask(reader, "rights-holder", 400)["code"] == "request.malformed"
    assert ask(reader, "studio", 400, party="mori")["code"] == "request.malformed"


def test_what_somebody_may_not_see_is_not_there(reader: Reader) -> None:
    secret, theirs = done(reader, ask(reader)), done(reader, ask(reader, "distributor"))
    for role in (Role.DISTRIBUTOR, Role.RIGHTS_HOLDER):
        reader.viewer = viewer(role, party="mori" if role is Role.RIGHTS_HOLDER else None)
        # Somebody else asked for the second one, and for what, is theirs to know.
        reader.viewer = type(reader.viewer)("person:other", reader.viewer.roles, reader.viewer.party)
        assert reader.get("/reports")["reports"] == []
        for job in (secret, theirs, {"id": "0" * 32}, {"id": "%2E%2E"}):
            for path in ("", "/files/report.json"):
                got = reader.client.get(f"/v1/productions/nightfall/reports/{job['id']}{path}")
                assert got.status_code == 404, (role, path, got.text)
        for job in (secret, theirs):
            code = reader.client.delete(f"/v1/productions/nightfall/reports/{job['id']}").json()["code"]
            assert code == "report.unknown"
    reader.viewer = viewer(Role.ARTIST)
    assert reader.get(f"/reports/{secret['id']}", 403)["code"] == "access.denied"
    reader.viewer = viewer(Role.AUDITOR)
    assert {job["id"] for job in reader.get("/reports")["reports"]} == {secret["id"], theirs["id"]}
    assert all(job["files"] == [] for job in reader.get("/reports")["reports"])


@pytest.mark.slow
def test_the_views_hide_what_they_hide(reader: Reader) -> None:
    reader.viewer = viewer(Role.DISTRIBUTOR)
    job = done(reader, ask(reader, "distributor"))
    text = reader.client.get(f"/v1/productions/nightfall/reports/{job['id']}/files/report.json").text
    assert json.loads(text)["withheld"]
    assert "workstation" not in json.dumps(json.loads(text)["tables"])


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"targets": ["no-such-shot"]}, "clear.unknown-target"),
        ({"targets": ["/etc/passwd"]}, "clear.unknown-target"),
        ({"targets": ["@/etc/passwd"]}, "clear.unknown-target"),
        ({"title": "no such title"}, "registry.unknown-title"),
    ],
)
def test_a_report_that_cannot_be_made_says_why(reader: Reader, more: Any, code: str) -> None:
    job = done(reader, ask(reader, **more))
    assert (job["state"], job["error"]["code"], job["files"]) == ("failed", code, [])
    got = reader.client.get(f"/v1/productions/nightfall/reports/{job['id']}/files/report.json")
    assert (got.status_code, got.json()["code"]) == (404, "report.no-such-file")


def test_an_unknown_policy_is_refused_at_once(reader: Reader) -> None:
    assert ask(reader, policy="no-such", code=400)["code"] == "profile.unknown"
    assert ask(reader, view="court", code=400)["code"] == "request.malformed"


def test_nobody_fills_the_queue_alone(reader: Reader) -> None:
    held = [ask(reader) for _ in range(3)]
    refused = reader.client.post("/v1/productions/nightfall/reports", json={**STOCK, "view": "studio"})
    assert (refused.status_code, refused.json()["code"]) == (429, "report.full")
    assert refused.headers["retry-after"] == "60"
    reader.viewer = viewer(Role.DISTRIBUTOR)
    reader.viewer = type(reader.viewer)("person:other", reader.viewer.roles)
    other = ask(reader, "public")
    reader.viewer = viewer(Role.PRODUCER)
    for job in (*held, other):
        assert reader.get(f"/reports/{job['id']}")["state"] in {"queued", "running", "done"}


@pytest.mark.slow
def test_one_that_is_removed_is_stopped_and_gone(reader: Reader) -> None:
    job = ask(reader)
    path = f"/v1/productions/nightfall/reports/{job['id']}"
    assert reader.client.delete(path).status_code == 204
    assert reader.client.get(path).json()["code"] == "report.unknown"
    assert done(reader, ask(reader))["state"] == "done"


def _is_the_same(name: str) -> bool:
    """Whether a file holds no signature that is made anew: a PDF does, and the bundle holds the PDF."""
    return name not in {"report.pdf", "bundle.zip"}


def _is_done(client: httpx2.Client, path: str) -> bool:
    return bool(client.get(path).json()["state"] == "done")


@pytest.mark.slow
def test_a_server_that_is_killed_loses_no_job(nightfall: Studio) -> None:
    (nightfall.home / "service.toml").write_text('[reports]\npoll = "50ms"\n')
    token = bearer(created(nightfall, "--role", "producer")["token"])
    at = {"at": "2026-11-22T03:00:00Z"}
    reports = "/v1/productions/nightfall/reports"
    with (
        running(nightfall) as server,
        httpx2.Client(base_url=server.url, headers=token, timeout=60) as client,
    ):
        first = client.post(reports, json={**STOCK, "view": "studio", **at}).json()
        until(lambda: client.get(f"{reports}/{first['id']}").json()["state"] == "done")
        made = client.get(f"{reports}/{first['id']}").json()
        jobs = [client.post(reports, json={**STOCK, "view": "studio", **at}).json() for _ in range(2)]
        places = [f"{reports}/{job['id']}" for job in jobs]
        until(lambda: "running" in [client.get(place).json()["state"] for place in places])
        for pid in server.workers() or [server.process.pid]:
            os.kill(pid, signal.SIGKILL)
        os.kill(server.process.pid, signal.SIGKILL)
        server.ended()
    records = [
        json.loads((nightfall.home / "report-jobs" / job["id"] / "job.json").read_text()) for job in jobs
    ]
    assert {record["state"] for record in records} == {"running", "queued"}
    with (
        running(nightfall) as server,
        httpx2.Client(base_url=server.url, headers=token, timeout=60) as client,
    ):
        for job in jobs:
            until(partial(_is_done, client, f"{reports}/{job['id']}"))
            again = client.get(f"{reports}/{job['id']}").json()
            assert (again["report"], again["verdict"]) == (made["report"], made["verdict"])
            same = {item["name"]: item["sha256"] for item in made["files"] if _is_the_same(item["name"])}
            assert same.items() <= {item["name"]: item["sha256"] for item in again["files"]}.items()
        assert client.get(f"{reports}/{first['id']}").json()["files"] == made["files"]


@pytest.mark.slow
def test_a_link_shows_a_report_to_whoever_holds_it(reader: Reader) -> None:
    studio, shown = done(reader, ask(reader)), done(reader, ask(reader, "distributor"))
    assert reader.post("/shares", {"report": studio["id"]}, 403)["code"] == "report.view"
    assert reader.post("/shares", {"report": "0" * 32}, 404)["code"] == "report.unknown"
    assert reader.post("/shares", {"report": shown["id"], "sha256": "0" * 64}, 400)["code"]
    made = reader.post("/shares", {"report": shown["id"], "name": "for the client"}, 201)
    assert (made["report"], made["sha256"]) == (shown["id"], None)
    reader.viewer = viewer()
    opened = reader.client.get(made["path"]).json()
    assert (opened["name"], opened["report"]["view"]) == ("for the client", "distributor")
    assert [item["sha256"] for item in opened["report"]["files"]] == [i["sha256"] for i in shown["files"]]
    for item in opened["report"]["files"]:
        got = reader.client.get(item["path"])
        assert sha256(got.content).hexdigest() == item["sha256"]
    assert reader.client.get(f"{made['path']}/files/job.json").json()["code"] == "report.no-such-file"
    assert reader.client.get("/s/rakkan_x/files/report.json").json()["code"] == "share.unknown"
    reader.viewer = viewer(Role.PRODUCER)
    reader.client.delete(f"/v1/productions/nightfall/reports/{shown['id']}")
    gone = reader.client.get(made["path"])
    assert (gone.status_code, gone.json()["code"]) == (410, "share.ended")
