"""`/v1/verify`: what a distributor, or anybody, learns of a file; and what they do not."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from ledger.core.access import EVERY, Role, Viewer
from ledger.core.note import parse_vkey
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.core.trust import parse_trust
from tests.e2e.conftest import PROMPT, Shot, Studio, found, sidecar
from tests.support.cleared import policy
from tests.support.media import EMBED, FORMATS, require
from tests.support.verifying import PROBLEM, codes, send, statuses, verifying

LEGAL = Viewer("person:legal", {EVERY: frozenset({Role.LEGAL})})
PART = b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx"
ARTIST = Viewer("person:artist", {EVERY: frozenset({Role.ARTIST})})


@pytest.fixture(scope="module")
def client(shot: Shot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with verifying(tmp_path_factory.mktemp("uploads"), shot.studio.home) as served:
        yield served


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def saved_again(path: Path, target: Path) -> Path:
    """The same picture in other bytes, without any manifest."""
    with Image.open(path) as picture:
        Image.frombytes(picture.mode, picture.size, picture.tobytes()).save(target, compress_level=1)
    return target


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_judged_as_the_command_judges_it(shot: Shot, client: TestClient, name: str) -> None:
    require(name)
    path = shot.files[name]
    said = shot.studio.ok("verify", path, "--json").json
    answer = send(client, path, None if name in EMBED else sidecar(path))
    assert answer["outcome"] == said["outcome"] == "proven"
    assert [(item["check"], item["status"], item["codes"]) for item in answer["checks"]] == [
        (item["check"], item["status"], item["codes"]) for item in said["checks"]
    ]
    assert answer["facts"] == said["facts"]
    assert answer["page"] == f"/verify/sha256:{digest(path)}"


def test_a_body_without_a_form_is_the_file_itself(shot: Shot, client: TestClient) -> None:
    data = shot.files["png"].read_bytes()
    for media_type in ("image/png", "application/octet-stream", "video/mp4", "", "nonsense"):
        answer = client.post("/v1/verify", content=data, headers={"Content-Type": media_type})
        assert answer.json()["outcome"] == "proven", media_type
        assert answer.headers["cache-control"] == "no-store"


def test_a_changed_pixel_is_altered(shot: Shot, client: TestClient) -> None:
    data = bytearray(shot.files["png"].read_bytes())
    data[-40] ^= 1
    answer = send(client, bytes(data))
    assert (answer["outcome"], statuses(answer)["bytes"]) == ("altered", "failed")


def test_a_manifest_alone_names_what_it_is_about(shot: Shot, client: TestClient) -> None:
    store = sidecar(shot.files["exr"]).read_bytes()
    answer = client.post("/v1/verify", content=store, headers={"Content-Type": "application/c2pa"}).json()
    assert answer["outcome"] == "undecided"
    assert statuses(answer)["bytes"] == statuses(answer)["ledger"] == "undecided"
    assert statuses(answer)["claim"] == statuses(answer)["signer"] == "passed"
    assert answer["ledger"]["by"] == "manifest"
    assert answer["sha256"] == sha256(store).hexdigest()
    broken = client.post("/v1/verify", content=store[:-9], headers={"Content-Type": "application/c2pa"})
    assert codes(broken.json()) >= {"manifest.malformed"}


def test_a_digest_tells_what_the_ledger_knows(shot: Shot, client: TestClient) -> None:
    for name in ("png", "exr"):
        value = digest(shot.files[name])
        asked = client.post("/v1/verify", json={"sha256": value}).json()
        got = client.get(f"/v1/verify/sha256:{value}")
        assert asked == got.json() == client.get(f"/v1/verify/{value}").json()
        assert (asked["outcome"], asked["file"]) == ("recorded", "")
        assert "verify.digest-only" in codes(asked)
    unknown = client.get(f"/v1/verify/{'0' * 64}").json()
    assert (unknown["outcome"], unknown["ledger"]) == ("undecided", None)


def test_an_answer_about_a_digest_may_be_kept_for_a_while(shot: Shot, client: TestClient) -> None:
    first = client.get(f"/v1/verify/{digest(shot.files['png'])}")
    assert first.headers["cache-control"] == "public, max-age=60"
    assert "Authorization" in first.headers["vary"]
    held = {"If-None-Match": first.headers["etag"]}
    again = client.get(f"/v1/verify/{digest(shot.files['png'])}", headers=held)
    assert (again.status_code, again.content) == (304, b"")


def test_the_proof_is_one_that_anybody_can_check(shot: Shot, client: TestClient) -> None:
    answer = send(client, shot.files["png"])
    trust = parse_trust(shot.studio.trust.read_bytes())
    rows = {row[1]: row for row in shot.studio.rows("entry")}
    for entry in answer["ledger"]["entries"]:
        receipt = parse_receipt(base64.b64decode(entry["receipt"]))
        envelope = max((item for item in rows[entry["index"]] if isinstance(item, bytes)), key=len)
        verify_receipt(receipt, envelope, [parse_vkey(trust.logs[0])])
        assert receipt.index == entry["index"]


def test_a_stripped_file_is_found_by_its_picture_and_nobody_is_told_names(
    production: Studio, tmp_path: Path
) -> None:
    said = ("--action", "generate", "--tool", "painter 1.0", "--model", "sky", "--prompt", PROMPT)
    sealed = production.sealed("secret-title.png", *said)
    bare = saved_again(sealed, tmp_path / "bare.png")
    with verifying(tmp_path / "uploads", production.home) as client:
        answer = send(client, bare)
        by_picture = client.post("/v1/verify", json={"pixels": _pixels(sealed)}).json()
    for found_by in (answer, by_picture):
        assert (found_by["outcome"], found_by["ledger"]["by"]) == ("undecided", "pixels")
        assert "ledger.pixels" in codes(found_by)
        assert [item["name"] for item in found_by["named"]] == [None, None]
        assert all(item["licensed"] for item in found_by["named"])
        text = json.dumps(found_by)
        for name in ("secret-title", "sky", "plates", "G-1", "painter", PROMPT, "workstation"):
            assert name not in text, name
    with verifying(tmp_path / "uploads", production.home, viewer=ARTIST) as client:
        assert "secret-title" not in client.post("/v1/verify", json={"pixels": _pixels(sealed)}).text
    with verifying(tmp_path / "uploads", production.home, viewer=LEGAL) as client:
        full = send(client, bare)
        got = client.get(f"/v1/verify/pixels:{_pixels(sealed)}")
    assert "“secret-title.png”" in full["verdict"]
    assert sorted(item["name"] for item in full["named"]) == ["plates", "sky"]
    assert got.headers["cache-control"] == "private, max-age=60"


def test_what_the_file_itself_says_is_said_to_everybody(shot: Shot, client: TestClient) -> None:
    answer = send(client, shot.files["png"])
    assert {item["name"] for item in answer["named"]} == {"sky", "plates"}
    assert [item["tool"] for item in answer["steps"]] == ["painter 1.0"]


def test_the_newest_verdict_and_for_whom_its_reasons_are(nightfall: Studio, tmp_path: Path) -> None:
    nightfall.ok("clear", "sh010", *policy(nightfall), "--record")
    path = nightfall.work / "final.1001.png"
    with verifying(tmp_path / "uploads", nightfall.home) as client:
        public = send(client, path)["clearance"]
    with verifying(tmp_path / "uploads", nightfall.home, viewer=LEGAL) as client:
        full = send(client, path)["clearance"]
    assert (public["policy"], public["then"], public["now"]) == ("house", "cleared", "cleared")
    assert set(public) == {"entry", "policy", "policySha256", "deliverable", "then", "now"}
    assert set(full) - set(public) == {"grade", "reasonsThen", "reasonsNow"}


@pytest.fixture
def outside(elsewhere: Studio, tmp_path: Path) -> tuple[Path, Path]:
    """A file that another company sealed, and their root as a list."""
    path = elsewhere.sealed(f"{tmp_path.name}.png", seed=len(tmp_path.name) + os.getpid())
    anchors = json.loads(elsewhere.trust.read_text())["manifestAnchors"]
    (tmp_path / "list.pem").write_text("\n".join(anchors) + "\n")
    return path, tmp_path / "list.pem"


def test_a_signer_whom_only_an_outside_list_knows(
    founded: Studio, outside: tuple[Path, Path], tmp_path: Path
) -> None:
    path, pem = outside
    with verifying(tmp_path / "uploads", founded.home) as client:
        unknown = send(client, path)
    assert (unknown["outcome"], statuses(unknown)["signer"]) == ("undecided", "undecided")
    assert "failed" not in statuses(unknown).values()
    with verifying(tmp_path / "uploads", founded.home, trust_lists={"Cameras": pem}) as client:
        listed = send(client, path)
        data = bytearray(path.read_bytes())
        data[-40] ^= 1
        assert send(client, bytes(data))["outcome"] == "altered"
    assert (listed["outcome"], listed["facts"]["trustList"]) == ("signed", "Cameras")
    assert listed["verdict"] == (
        "Signed by workstation, Studio Elsewhere, known to Cameras; not in this studio's ledger."
    )
    said = founded("verify", path, "--trust-list", f"Cameras={pem}", "--json")
    assert (said.code, said.json["outcome"], said.json["verdict"]) == (3, "signed", listed["verdict"])
    assert statuses(said.json) == statuses(listed)


def test_our_own_root_in_an_outside_list_changes_nothing(shot: Shot, tmp_path: Path) -> None:
    anchors = json.loads(shot.studio.trust.read_text())["manifestAnchors"]
    (tmp_path / "list.pem").write_text("\n".join(anchors) + "\n")
    with verifying(
        tmp_path / "uploads", shot.studio.home, trust_lists={"x": tmp_path / "list.pem"}
    ) as client:
        assert send(client, shot.files["png"])["outcome"] == "proven"


def test_the_production_that_knows_the_file_answers(shot: Shot, tmp_path: Path) -> None:
    other = found(tmp_path / "other", "Studio Two", "--production", "daybreak", "--origin", "two.example/log")
    sealed = other.sealed("two.png", seed=77)
    with verifying(tmp_path / "uploads", shot.studio.home) as client:
        assert send(client, sealed)["outcome"] == "undecided"
    with verifying(tmp_path / "uploads", shot.studio.home, other.home) as client:
        for path in (sealed, shot.files["png"]):
            assert send(client, path)["outcome"] == "proven"
        bare = saved_again(sealed, tmp_path / "bare.png")
        assert send(client, bare)["ledger"]["origin"] == "two.example/log"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([("file", ("a", b""))], "file.empty"),
        ([("other", ("a", b"x"))], "request.malformed"),
        ([("sidecar", ("a", b"x"))], "request.malformed"),
        ([("file", ("a", b"x")), ("file", ("b", b"x"))], "request.malformed"),
        ([("file", ("a", b"x")), ("note", (None, "x"))], "request.malformed"),
    ],
)
def test_a_form_with_other_parts_is_refused(client: TestClient, parts: Any, code: str) -> None:
    answer = client.post("/v1/verify", files=parts)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize(
    ("media_type", "body", "status", "code"),
    [
        ("multipart/form-data", b"x", 400, "request.malformed"),
        ("multipart/form-data; boundary=" + "b" * 100, b"x", 400, "request.malformed"),
        (
            "multipart/form-data; boundary=b",
            PART,
            400,
            "request.malformed",
        ),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\n" + b"X: y\r\n" * 50 + b"\r\nx\r\n--b--",
            400,
            "request.malformed",
        ),
        (
            "multipart/form-data; boundary=b",
            PART.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"\r\n--b--",
            400,
            "request.malformed",
        ),
        ("application/json", b"{}", 400, "request.malformed"),
        ("application/json", b"[1]", 400, "request.malformed"),
        ("application/json", b'{"sha256": "ABC"}', 400, "digest.malformed"),
        ("application/json", b'{"sha256": 1}', 400, "request.malformed"),
        ("application/json", b'{"path": "/etc/passwd"}', 400, "request.malformed"),
        ("application/json", b"[" * 5000, 400, "json.too-deep"),
        ("application/json", b" " * 20_000, 413, "request.too-large"),
        ("application/c2pa", b"x" * (3 << 20), 413, "request.too-large"),
        ("image/png", b"", 400, "file.empty"),
    ],
)
def test_what_is_no_question_is_answered_with_a_code(
    client: TestClient, media_type: str, body: bytes, status: int, code: str
) -> None:
    answer = client.post("/v1/verify", content=body, headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "value", ["x", "sha256:", "md5:" + "0" * 64, "sha256:" + "A" * 64, "0" * 63, "a:b:c"]
)
def test_a_digest_has_one_spelling(client: TestClient, value: str) -> None:
    answer = client.get(f"/v1/verify/{value}")
    assert (answer.status_code, answer.json()["code"]) == (400, "digest.malformed")


PATHS = [
    *("../../../../etc/passwd", "/etc/passwd", "..", ".", "a\\..\\b", "x.png/", "con.png", "%2e%2e/x", "x.☃"),
    *(".png", "-rf", "file:///etc/passwd", "http://127.0.0.1/a.png", "a.png;rm -rf x", "a" * 3000),
]


@pytest.mark.parametrize("name", PATHS)
def test_a_name_leads_nowhere(shot: Shot, client: TestClient, name: str) -> None:
    answer = send(client, shot.files["png"].read_bytes(), name=name)
    assert answer["outcome"] == "proven"
    assert len(answer["file"]) <= 1000


@pytest.mark.parametrize(
    "name", ["<b>x</b>.png", "\u202egnp.exe.png", "=cmd|'/c calc'!A1.png", "\x07\x1b[2J.png"]
)
def test_a_name_is_shown_without_its_power(shot: Shot, client: TestClient, name: str) -> None:
    answer = send(client, shot.files["png"].read_bytes(), name=name)
    assert not set(answer["file"]) & {"\u202e", "\x07", "\x1b"}


def test_isolation_is_for_the_operator_to_read(founded: Studio, tmp_path: Path) -> None:
    operator = Viewer("person:op", {EVERY: frozenset({Role.OPERATOR})})
    with verifying(tmp_path / "uploads", founded.home) as client:
        assert client.get("/v1/verify/isolation").status_code == 401
    with verifying(tmp_path / "uploads", founded.home, viewer=LEGAL) as client:
        assert client.get("/v1/verify/isolation").status_code == 403
    with verifying(tmp_path / "uploads", founded.home, viewer=operator) as client:
        assert client.get("/v1/verify/isolation").json()["started"] is False
        send(client, b"x")
        assert client.get("/v1/verify/isolation").json()["started"] is True


def test_nothing_stays_of_what_was_sent(shot: Shot, tmp_path: Path) -> None:
    left = tmp_path / "uploads" / "server-killed" / "job-1"
    left.mkdir(parents=True)
    shutil.copy(shot.files["png"], left)
    with verifying(tmp_path / "uploads", shot.studio.home) as client:
        assert not left.exists()
        send(client, shot.files["png"])
        client.post("/v1/verify", files={"file": ("a", b"x"), "other": ("b", b"y")})
        (place,) = (tmp_path / "uploads").iterdir()
        assert [path.name for path in place.iterdir()] == ["held"]
    assert list((tmp_path / "uploads").iterdir()) == []


def _pixels(path: Path) -> str:
    from ledger.wiring import offline_reader

    value = offline_reader().pixels.digest(path)
    assert value is not None
    return value
