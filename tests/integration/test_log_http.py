"""The log over HTTP: what is there, what is not, in which words, and what a client may keep."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.core.checkpoint import open_checkpoint
from ledger.core.cose_receipt import parse_cose_receipt, verify_cose_inclusion
from ledger.core.merkle import leaf_hash
from ledger.core.policy import parse_policy
from ledger.core.receipt import parse_receipt, verify_receipt
from ledger.core.tiles import decode_bundle
from ledger.core.trust import parse_trust
from ledger.errors import RefusedError
from ledger.service.log.public import KEPT, PublicLog
from ledger.service.log.publish import CHECKPOINT, publish
from ledger.service.studio import Studio
from ledger.wiring import home_at, open_studio
from tests.e2e.conftest import Studio as Command
from tests.e2e.conftest import copied, found
from tests.support.log import entries, new_log, publication
from tests.support.log_server import PREFIX, Known, LogServer, log_server

YEAR = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    studio = found(tmp_path_factory.mktemp("log-http"))
    studio.record(studio.png())
    return studio


@pytest.fixture(scope="module")
def client(command: Command) -> Iterator[TestClient]:
    """Anybody, at a log that was never published."""
    with TestClient(create_app(command.home)) as opened:
        yield opened


@pytest.fixture(scope="module")
def auditor(command: Command) -> Iterator[TestClient]:
    """Somebody who may read entries."""
    application = create_app(command.home)
    application.add_middleware(Known)
    with TestClient(application) as opened:
        yield opened


@pytest.fixture(scope="module")
def studio(command: Command) -> Iterator[Studio]:
    with open_studio(home_at(command.home)) as opened:
        yield opened


def test_a_log_that_is_not_published_shows_its_head(client: TestClient, studio: Studio) -> None:
    answer = client.get(f"{PREFIX}/checkpoint")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=1"
    assert answer.content == studio.log.head().checkpoint
    assert open_checkpoint(answer.content, studio.log.verifiers).size == 3


def test_every_width_up_to_the_head_is_there_and_none_beyond(client: TestClient, studio: Studio) -> None:
    hashes = b"".join(leaf_hash(studio.entries.envelope(index)) for index in range(3))
    for width in (1, 2, 3):
        answer = client.get(f"{PREFIX}/tile/0/000.p/{width}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"] == YEAR
        assert answer.content == hashes[: width * 32]
    for path in ("0/000", "0/000.p/4", "1/000.p/1", "0/001.p/1", "63/000"):
        answer = client.get(f"{PREFIX}/tile/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "log.no-such-file")
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000.p/0",
        "tile/0/000.p/03",
        "tile/0/000.p/256",
        "tile/0/0",
        "tile/00/000.p/3",
        "tile/0/x000/000.p/3",
        "tile/0/%30%30%30.p/3",
        "tile/0/000%2Ep/3",
        "tile/0/000%2ep%2f3",
        "tile/0/000.p/%33",
        "tile/0/000.p/%2533",
        "tile/0/000.p/3/",
        "tile/0//000.p/3",
        "tile//0/000.p/3",
        "tile/-1/000.p/3",
        "tile/0/٠٠٠.p/3",
        "tile/0/000.p/3%00",
        "tile/0/000.p/3%0a",
        "tile/64/000.p/3",
        "tile/",
        "tile",
        "checkpoint/",
        "tile/8/0/000",
        "tile/0/" + "x001/" * 9 + "000",
        "",
    ],
)
def test_one_spelling_is_there_and_no_other(client: TestClient, path: str) -> None:
    answer = client.get(f"{PREFIX}/{path}", follow_redirects=False)
    assert answer.status_code == 404, answer.headers
    assert answer.json()["code"] in {"log.no-such-file", "request.no-such-route"}


@pytest.mark.parametrize(
    "path", ["tile/entries/000.p/3", "tile/entries/000", "tile/entries/zzz", "entries/0"]
)
def test_entries_are_not_for_everybody_whether_they_exist_or_not(client: TestClient, path: str) -> None:
    answer = client.get(f"{PREFIX}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (401, "access.unknown")


def test_who_may_read_entries_gets_their_exact_bytes(auditor: TestClient, studio: Studio) -> None:
    entries = [studio.entries.envelope(index) for index in range(3)]
    bundle = auditor.get(f"{PREFIX}/tile/entries/000.p/3")
    assert decode_bundle(bundle.content) == tuple(entries)
    one = auditor.get(f"{PREFIX}/entries/2")
    assert one.content == entries[2]
    assert one.headers["content-type"] == "application/vnd.dsse.envelope.v1+json"
    for answer in (bundle, one):
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert "Authorization" in answer.headers["vary"]
    for path in ("tile/entries/000", "tile/entries/000.p/4", "entries/3", "tile/entries/0"):
        assert auditor.get(f"{PREFIX}/{path}").status_code == 404
    for path in ("entries/-1", "entries/99999999999999999999", "entries/one"):
        assert auditor.get(f"{PREFIX}/{path}").status_code == 400


def test_a_receipt_comes_in_each_form(auditor: TestClient, client: TestClient, studio: Studio) -> None:
    entry, keys = studio.entries.envelope(1), studio.log.verifiers
    plain = client.get(f"{PREFIX}/entries/1/receipt")
    assert plain.headers["content-type"] == "text/plain; charset=utf-8"
    assert verify_receipt(parse_receipt(plain.content), entry, keys).size == 3
    assert client.get(f"{PREFIX}/receipts/{leaf_hash(entry).hex()}").content == plain.content
    for answer in (
        client.get(f"{PREFIX}/entries/1/receipt?form=cose"),
        client.get(f"{PREFIX}/entries/1/receipt", headers={"Accept": "application/cose, */*;q=0.1"}),
    ):
        assert answer.headers["content-type"] == 'application/cose; cose-type="cose-sign1"'
        assert answer.headers["vary"].startswith("Accept")
        verify_cose_inclusion(parse_cose_receipt(answer.content), entry, keys)
    assert client.get(f"{PREFIX}/entries/1/receipt?form=sigstore").status_code == 401
    bundle = auditor.get(f"{PREFIX}/entries/1/receipt?form=sigstore")
    body = bundle.json()["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"]
    assert base64.b64decode(body) == entry
    assert bundle.headers["cache-control"] == "private, no-cache"


def test_a_receipt_of_nothing(client: TestClient) -> None:
    assert client.get(f"{PREFIX}/entries/3/receipt").json()["code"] == "log.no-such-entry"
    for last in (2**63 - 2, 2**63 - 1, 2**63):
        assert client.get(f"{PREFIX}/entries/{last}/receipt").status_code in (400, 404)
    assert client.get(f"{PREFIX}/receipts/{'0' * 64}").status_code == 404
    for path in (f"receipts/{'A' * 64}", "receipts/00", "entries/1/receipt?form=pdf"):
        answer = client.get(f"{PREFIX}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")


def test_consistency_comes_as_lines_as_json_and_as_cose(client: TestClient, studio: Studio) -> None:
    lines = client.get(f"{PREFIX}/consistency?old=1&new=3")
    proof = [base64.b64decode(line) for line in lines.text.splitlines()]
    assert tuple(proof) == studio.log.consistency(1, 3)
    asked = client.get(f"{PREFIX}/consistency?old=1&new=3", headers={"Accept": "application/json"})
    assert asked.json() == {
        "origin": studio.log.origin,
        "old": 1,
        "new": 3,
        "proof": lines.text.splitlines(),
    }
    cose = client.get(f"{PREFIX}/consistency?old=1&new=3", headers={"Accept": "application/cose"})
    assert parse_cose_receipt(cose.content).proof.path == tuple(proof)
    assert client.get(f"{PREFIX}/consistency?old=0&new=3").text == ""
    for sizes in ("old=2&new=1", "old=1&new=4"):
        assert client.get(f"{PREFIX}/consistency?{sizes}").status_code == 404
    for sizes in ("old=1", "old=-1&new=3", "old=1&new=x", "old=1&new=18446744073709551616"):
        assert client.get(f"{PREFIX}/consistency?{sizes}").status_code == 400


def test_the_keys_and_the_trust_root(client: TestClient, studio: Studio, command: Command) -> None:
    answer = client.get(f"{PREFIX}/keys").json()
    assert answer == {
        "origin": studio.log.origin,
        "keys": [{"vkey": studio.log.verifier.vkey, "announced": None, "retired": None}],
    }
    policy = parse_policy(client.get(f"{PREFIX}/keys", headers={"Accept": "text/plain"}).content)
    assert policy.open(studio.log.head().checkpoint)[0].size == 3
    trust = client.get(f"{PREFIX}/trust")
    assert trust.content == command.trust.read_bytes()
    assert parse_trust(trust.content) == studio.trust


def kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The fields that are the same whenever the same is asked."""
    return {
        name: value
        for name, value in headers.items()
        if name != "x-request-id" and not name.startswith("ratelimit")
    }


def test_a_client_that_holds_the_bytes_is_told_so(client: TestClient) -> None:
    for path in ("checkpoint", "tile/0/000.p/3", "entries/0/receipt", "keys", "trust"):
        first = client.get(f"{PREFIX}/{path}")
        tag = first.headers["etag"]
        for condition in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            again = client.get(f"{PREFIX}/{path}", headers={"If-None-Match": condition})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            assert again.headers["cache-control"] == first.headers["cache-control"]
        assert client.get(f"{PREFIX}/{path}", headers={"If-None-Match": '"x"'}).content == first.content
        head = client.head(f"{PREFIX}/{path}")
        assert (head.status_code, kept(head.headers)) == (200, kept(first.headers))


def test_a_device_s_key_by_its_keyid_and_nobody_by_another(client: TestClient, studio: Studio) -> None:
    keyid = studio.envelope(2).signatures[0].keyid
    answer = client.get(f"{PREFIX}/devices/{keyid}")
    assert answer.json() == {
        "keyid": keyid,
        "state": "active",
        "enrolled": [1],
        "revoked": None,
        "suspectFrom": None,
    }
    frame = hashlib.sha256(b"no key").hexdigest()
    step = studio.statement(2).subjects[0].sha256
    for other in (frame, step):  # a file's digest is no key, though the log knows it
        refused = client.get(f"{PREFIX}/devices/{other}")
        assert (refused.status_code, refused.json()["code"]) == (404, "log.no-such-key")


# --- a log that is published -------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[LogServer]:
    with log_server(tmp_path) as opened:
        opened.log.append(entries(5))
        yield opened


def test_the_published_checkpoint_is_given_though_the_log_has_grown(
    served: LogServer, tmp_path: Path
) -> None:
    public = publish(served.log, publication(tmp_path)).checkpoint
    served.log.append(entries(300))
    assert served.ok("checkpoint") == public
    assert open_checkpoint(public, served.log.verifiers).size == 5
    newer = publish(served.log, publication(tmp_path)).checkpoint
    assert served.ok("checkpoint") == public  # kept for a second
    time.sleep(KEPT)
    assert served.ok("checkpoint") == newer


def test_a_checkpoint_of_more_than_the_log_holds_is_never_given(served: LogServer, tmp_path: Path) -> None:
    ahead = new_log()
    ahead.append(entries(9))
    publication(tmp_path).swap(CHECKPOINT, None, ahead.head().checkpoint)
    status, body = served.get("checkpoint")
    assert (status, json.loads(body)["code"]) == (503, "log.rollback")
    assert served.get("tile/0/000.p/9")[0] == 404


def test_a_checkpoint_of_another_history_is_never_given(served: LogServer, tmp_path: Path) -> None:
    other = new_log()
    other.append(entries(4, "another history"))
    publication(tmp_path).swap(CHECKPOINT, None, other.head().checkpoint)
    status, body = served.get("checkpoint")
    assert (status, json.loads(body)["code"]) == (500, "log.conflict")


def test_a_publication_that_is_away_is_outlived(tmp_path: Path) -> None:
    log = new_log()
    log.append(entries(4))
    there = [log.head().checkpoint]

    def published() -> bytes | None:
        if not there:
            raise RefusedError("log.storage", "The store is away.")
        return there[0]

    public = PublicLog(log, published)
    assert public.checkpoint() == log.head().checkpoint
    kept = there.pop()
    log.append(entries(8))
    assert public.checkpoint() == kept
    with pytest.raises(RefusedError, match="away"):
        PublicLog(log, published).checkpoint()


@pytest.mark.parametrize("published", [False, True])
def test_a_key_that_took_over_while_the_server_ran_is_no_damage(
    command: Command, tmp_path: Path, *, published: bool
) -> None:
    """What the new key alone signed cannot be judged here until the server starts again, and it says so."""
    studio = copied(command, tmp_path / "rotated")
    with TestClient(create_app(studio.home)) as client:
        assert client.get(f"{PREFIX}/entries/1/receipt").status_code == 200
        studio.ok("key", "rotate")
        assert client.get(f"{PREFIX}/entries/1/receipt").status_code == 200
        studio.ok("key", "rotate", "--finish")
        if published:
            studio.ok("publish")
        for path in ("checkpoint", "entries/1/receipt", "consistency?old=1&new=2"):
            answer = client.get(f"{PREFIX}/{path}")
            assert (answer.status_code, answer.json()["code"]) == (503, "log.epoch")
        assert client.get(f"{PREFIX}/tile/0/000.p/3").status_code == 200
    with TestClient(create_app(studio.home)) as client:
        assert client.get(f"{PREFIX}/checkpoint").status_code == 200
