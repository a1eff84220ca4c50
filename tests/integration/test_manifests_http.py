"""Manifests and evidence over HTTP: who may, what is taken, and that nothing that is kept is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from ledger.core.access import Action, Role, roles_for
from ledger.core.containers.jumbf import MAX_STORE, bound_sha256
from ledger.core.envelope import decode
from ledger.errors import MalformedError
from ledger.service.bundle import read_bundle
from ledger.wiring import offline_reader
from tests.e2e.conftest import Studio, copied, elsewhere, founded, sidecar
from tests.support.http import device_key, signed

__all__ = ["elsewhere", "founded"]
PREFIX = "/v1/productions/nightfall"
NOBODY = "0" * 64
C2PA = {"Content-Type": "application/c2pa"}


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def made(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A studio with one picture that has its manifest inside, and a file that has it beside. Only read."""
    studio = copied(founded, tmp_path_factory.mktemp("made"))
    studio.sealed("inside.png")
    (studio.work / "beside.bin").write_bytes(b"not a picture")
    studio.record(studio.work / "beside.bin")
    studio.ok("seal", studio.work / "beside.bin")
    return studio


@pytest.fixture
def own(made: Studio, tmp_path: Path) -> Studio:
    return copied(made, tmp_path / "own")


class Device:
    """The studio's workstation, which signs its requests."""

    def __init__(self, studio: Studio, client: TestClient) -> None:
        self.key, self.client = device_key(studio.home, "workstation"), client

    def get(self, path: str, **headers: str) -> Response:
        url = PREFIX + path
        return self.client.get(url, headers={**signed(self.key, "GET", url), **headers})

    def put(self, sha: str, store: bytes) -> Response:
        url = f"{PREFIX}/manifests/{sha}"
        headers = {**signed(self.key, "PUT", url, store), **C2PA}
        return self.client.put(url, content=store, headers=headers)


@contextmanager
def at(studio: Studio) -> Iterator[Device]:
    with TestClient(create_app(studio.home)) as client:
        yield Device(studio, client)


def test_a_manifest_is_read_with_its_tag(made: Studio) -> None:
    path = made.work / "beside.bin"
    with at(made) as device:
        first = device.get(f"/manifests/{digest(path)}")
        assert (first.status_code, first.content) == (200, sidecar(path).read_bytes())
        assert first.headers["content-type"] == "application/c2pa"
        assert first.headers["cache-control"] == "private, no-cache"
        again = device.get(f"/manifests/{digest(path)}", **{"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        missing = device.get(f"/manifests/{NOBODY}")
        assert (missing.status_code, missing.json()["code"]) == (404, "manifest.missing")


def test_evidence_is_what_sealing_looks_at(made: Studio) -> None:
    with at(made) as device:
        path = made.work / "beside.bin"
        answer = device.get(f"/evidence/{digest(path)}")
        assert answer.status_code == 200
        bundle = read_bundle(answer.json())
        assert bundle.manifests == {digest(path): digest(sidecar(path))}
        types = [decode(item.envelope).payload for item in bundle.entries.values()]
        assert {json.loads(item)["predicateType"].split("/")[-2] for item in types} == {
            "enrolment",
            "step",
            "seal",
        }
        nothing = read_bundle(device.get(f"/evidence/{NOBODY}").json())
        assert (nothing.digests, dict(nothing.entries)) == ((NOBODY,), {})


@pytest.mark.parametrize("path", [f"/manifests/{'A' * 64}", "/manifests/x", "/evidence/..%2f", "/evidence/1"])
def test_what_is_no_digest(made: Studio, path: str) -> None:
    with at(made) as device:
        assert device.get(path).status_code in (400, 404)


@pytest.mark.parametrize("role", [None, *sorted(set(Role) - {Role.DEVICE})])
def test_who_may(made: Studio, tmp_path: Path, role: Role | None) -> None:
    """The table of ``ledger.core.access`` holds on each of the three routes."""
    studio, headers = copied(made, tmp_path / "own"), {}
    if role is not None:
        party = ("--party", "mori") if role is Role.RIGHTS_HOLDER else ()
        text = studio.ok("token", "create", "somebody", "--role", role, *party, "--json").json["token"]
        headers = {"Authorization": f"Bearer {text}"}
    path = digest(studio.work / "beside.bin")
    store = sidecar(studio.work / "beside.bin").read_bytes()
    with TestClient(create_app(studio.home), headers=headers) as client:
        answers = {
            Action.READ_WORK: client.get(f"{PREFIX}/manifests/{path}"),
            Action.READ_ENTRIES: client.get(f"{PREFIX}/evidence/{path}"),
            Action.SHARE_MANIFESTS: client.put(f"{PREFIX}/manifests/{path}", content=store, headers=C2PA),
        }
    for action, answer in answers.items():
        expected = 200 if role in roles_for(action) else 401 if role is None else 403
        assert answer.status_code == expected, (action, answer.text)


def test_what_is_shared_is_kept_and_the_same_again_is_fine(own: Studio, elsewhere: Studio) -> None:
    """A mark that came in: nothing here made it, and its file is on record as a material."""
    theirs = elsewhere.sealed("theirs.bin.png", seed=31)
    plate = own.work / "plate.png"
    plate.write_bytes(theirs.read_bytes())
    own.record(plate, "--action", "import")
    store = offline_reader().codec.store(theirs)
    assert store is not None
    with at(own) as device:
        assert device.get(f"/manifests/{digest(plate)}").status_code == 404
        for _ in range(2):
            assert device.put(digest(plate), store).status_code == 204
        assert device.get(f"/manifests/{digest(plate)}").content == store
        other = device.put(digest(plate), sidecar(own.work / "beside.bin").read_bytes())
        assert (other.status_code, other.json()["code"]) == (409, "manifest.other")
        assert device.get(f"/manifests/{digest(plate)}").content == store


def test_a_seal_in_the_log_takes_the_place_and_loses_nothing(own: Studio) -> None:
    """The sidecar of the newest seal speaks for the file, in whichever order they come."""
    path = own.work / "beside.bin"
    first = sidecar(path).read_bytes()
    sidecar(path).unlink()
    own.ok("seal", path)
    second = sidecar(path).read_bytes()
    assert first != second
    with at(own) as device:
        assert device.put(digest(path), first).status_code == 204
        assert device.get(f"/manifests/{digest(path)}").content == second
        assert device.get(f"/manifests/{sha256(first).hexdigest()}").content == first


@pytest.mark.parametrize(
    ("store", "status", "code"),
    [
        (b"", 400, "manifest.malformed"),
        (b"not a store", 400, "manifest.malformed"),
        (b"\0\0\0\x08jumb", 400, "manifest.malformed"),
        (b"x" * (MAX_STORE + 1), 413, "request.too-large"),
    ],
)
def test_what_is_no_store(own: Studio, store: bytes, status: int, code: str) -> None:
    with at(own) as device:
        answer = device.put(digest(own.work / "inside.png"), store)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_bytes_that_nobody_recorded(own: Studio) -> None:
    with at(own) as device:
        answer = device.put(NOBODY, sidecar(own.work / "beside.bin").read_bytes())
    assert (answer.status_code, answer.json()["code"]) == (404, "manifest.unknown-file")


def test_the_bytes_that_a_store_is_bound_to(made: Studio) -> None:
    path = made.work / "beside.bin"
    assert bound_sha256(sidecar(path).read_bytes()) == digest(path)
    embedded = offline_reader().codec.store(made.work / "inside.png")
    assert embedded is not None
    assert bound_sha256(embedded) is None


@given(st.data())
def test_a_damaged_store_is_bound_to_nothing_or_is_none(made: Studio, data: st.DataObject) -> None:
    store = bytearray(sidecar(made.work / "beside.bin").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        store[data.draw(st.integers(0, len(store) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = bound_sha256(bytes(store[: data.draw(st.integers(0, len(store)))]))
    except MalformedError as error:
        assert error.code.startswith("manifest.")  # noqa: PT017 - most are refused, and some are whole
    else:
        assert found is None or len(found) == 64


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(NOBODY),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["digests", "entries", "manifests", "index", "envelope", "receipt", "sha256", "store"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_evidence_of_any_shape_is_read_or_refused(document: object) -> None:
    try:
        read_bundle(document)
    except MalformedError as error:
        assert error.code == "evidence.malformed"  # noqa: PT017 - whatever is whole is read
