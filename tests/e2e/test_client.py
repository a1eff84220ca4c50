"""The Python client and `rakkan verify --server` against a real server."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, is_typeddict

import pytest

from ledger import answers
from ledger.client import Client
from ledger.errors import RakkanError
from ledger.wiring import home_at
from tests.e2e.conftest import Studio, copied, sidecar
from tests.support.cleared import policy
from tests.support.here import serving


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def own(founded: Studio, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    studio = copied(founded, tmp_path_factory.mktemp("client"))
    studio.sealed("inside.png")
    (studio.work / "beside.bin").write_bytes(b"no picture")
    studio.record(studio.work / "beside.bin")
    studio.ok("seal", studio.work / "beside.bin")
    return studio


@pytest.fixture(scope="module")
def url(own: Studio) -> Iterator[str]:
    with serving(own.home) as found:
        yield found


@pytest.fixture
def auditor(own: Studio, url: str) -> Iterator[Client]:
    """Somebody who may read the log, and has the trust root."""
    home = home_at(own.home)
    token = own.ok("token", "create", "auditor", "--role", "auditor", "--json").json["token"]
    keys = home.trust().log_verifiers(home.settings().origin)
    with Client(url, production="nightfall", token=token, log_keys=keys, patience=2) as client:
        yield client


@pytest.mark.parametrize("name", ["inside.png", "beside.bin"])
def test_a_file_is_verified_by_digest_and_by_its_bytes(own: Studio, url: str, name: str) -> None:
    path = own.work / name
    with Client(url) as anybody:
        known = anybody.verify_digest(digest(path))
        assert (known["sha256"], known["outcome"]) == (digest(path), "recorded")
        beside = sidecar(path) if sidecar(path).exists() else None
        assert anybody.verify_file(path, beside)["outcome"] == "proven"
        assert anybody.verify_digest("0" * 64)["ledger"] is None


def test_the_command_asks_with_the_digest_first(own: Studio, url: str, tmp_path: Path) -> None:
    path = own.work / "beside.bin"
    asked = own("verify", path, "--server", url)
    assert (asked.code, "Recorded in" in asked.out) == (3, True)
    proven = own("verify", path, "--server", url, "--upload")
    assert (proven.code, "Proven" in proven.out) == (0, True)
    assert own("verify", path, "--server", url, "--upload", "--json").json["outcome"] == "proven"
    altered = tmp_path / "inside.png"
    data = bytearray((own.work / "inside.png").read_bytes())
    data[-20] ^= 1
    altered.write_bytes(data)
    assert own("verify", altered, "--server", url, "--upload").code in (1, 3)
    assert own("verify", path, "--server", "http://127.0.0.1:9", "--offline").code == 2


def test_receipts_hold_or_are_errors(own: Studio, auditor: Client) -> None:
    size = own.size()
    entry = auditor.entry(size - 1)
    assert auditor.receipt(size - 1, entry).startswith(b"c2sp.org/tlog-proof@v1\n")
    with pytest.raises(RakkanError) as error:
        auditor.receipt(size - 1, auditor.entry(0))
    assert error.value.code == "proof.mismatch"
    assert f"\n{size}\n".encode() in auditor.checkpoint()
    with pytest.raises(RakkanError) as error:
        auditor.entry(10_000)
    assert error.value.code == "log.no-such-entry"


def test_what_is_read_has_the_members_that_are_promised(own: Studio, auditor: Client) -> None:
    name = digest(own.work / "inside.png")
    asset = auditor.asset(name)
    made: dict[type, Any] = {
        answers.ProductionGlance: auditor.production(),
        answers.Asset: asset,
        answers.Lineage: auditor.lineage(name, direction="up", limit=5),
        answers.WholeEntry: auditor.step(own.size() - 2),
        answers.Verification: auditor.verify_digest(name),
    }
    for kind, found in made.items():
        assert set(found) <= set(kind.__annotations__), kind
    assert asset["sha256"] == name
    with pytest.raises(RakkanError) as error:
        auditor.verdicts(name)
    assert error.value.code == "verdict.none"
    assert len(list(auditor.every("assets", limit=1))) >= 2
    assert all(step["wrote"] for step in auditor.every("steps", limit=1))


def test_the_types_have_the_members_that_openapi_names() -> None:
    from api.app import create_app

    schemas: dict[str, Any] = create_app(Path("nowhere")).openapi()["components"]["schemas"]
    kinds = [kind for kind in vars(answers).values() if is_typeddict(kind)]
    assert len(kinds) >= 7
    for kind in kinds:
        assert set(kind.__annotations__) == set(schemas[kind.__name__]["properties"]), kind.__name__


METHODS = {
    "add_entries": "send",
    "add_openings": "share",
    "checkpoint": "checkpoint",
    "compute_clearance": "clear",
    "compute_impact": "impact",
    "ask_own_works": "own_works",
    "entry": "entry",
    "entry_receipt": "receipt",
    "follow_events": "events",
    "read_evidence": "evidence",
    "ask_unknown_origin": "unknown_origin",
    "ask_used": "used",
    "ask_coverage": "coverage_by",
    "ask_if_ended": "if_ended",
    "read_report_file": "report_file",
    "read_manifest": "manifest",
    "share_manifest": "share_manifest",
    "show_asset": "asset",
    "show_lineage": "lineage",
    "show_production": "production",
    "show_step": "step",
    "show_thing": "thing",
    "show_verdicts": "verdicts",
    "verify_digest": "verify_digest",
    "verify_file": "verify_file",
    **dict.fromkeys(("list_assets", "list_shots", "list_steps", "list_things", "list_verdicts"), "every"),
    **dict.fromkeys(("add_webhook", "get_webhook", "list_webhooks", "remove_webhook"), "call"),
    **dict.fromkeys(("renew_secret", "resume_webhook", "try_webhook", "open_entry"), "call"),
    **dict.fromkeys(("make_report", "list_reports", "show_report", "remove_report"), "call"),
    **dict.fromkeys(("list_shares", "make_share", "revoke_share"), "call"),
    **dict.fromkeys(("list_tokens", "make_token", "revoke_token"), "call"),
    **dict.fromkeys(("show_shot", "show_shot_of_episode", "show_coverage", "list_own_lines"), "call"),
}
"""Which method makes which call of the description."""
LEFT_OUT = {
    "for browsers": {"sign_in", "signed_in", "sign_out", "open_share", "open_shared_file", "verify_page"},
    "for operators and their monitoring": {"health", "ready", "metrics", "isolation"},
    "for who follows a log, with a reader of tiled logs": {
        "consistency",
        "entry_bundle",
        "keys",
        "receipt_by_leaf",
        "tile",
    },
    "a trust root is not taken from the server that it is to judge": {"trust", "device"},
    "a client is about one production, with one credential": {"list_productions", "show_me"},
}


def test_each_call_has_a_method_or_is_left_out_for_a_reason() -> None:
    from api.app import create_app

    paths = create_app(Path("nowhere")).openapi()["paths"].values()
    described = {operation["operationId"] for methods in paths for operation in methods.values()}
    left = set().union(*LEFT_OUT.values())
    assert set(METHODS) | left == described
    assert not set(METHODS) & left
    public = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if name[0] != "_"}
    assert set(METHODS.values()) == public - {"close"}


def test_questions_about_rights(nightfall: Studio) -> None:
    final = digest(nightfall.work / "final.1001.png")
    nightfall.ok("clear", "sh010", *policy(nightfall), "--record")
    inventories = nightfall.home / "inventories"
    inventories.mkdir()
    shutil.copy(nightfall.work / "plates.inventory", inventories)
    token = nightfall.ok("token", "create", "legal", "--role", "legal", "--json").json["token"]
    with serving(nightfall.home) as url, Client(url, production="nightfall", token=token) as legal:
        assert legal.clear(["sq010/sh010"], "house")["verdict"] == {"then": "cleared", "now": "cleared"}
        assert legal.impact("G-7")["finals"] == 2
        revoked = legal.impact("G-7", ifRevoked="2026-02-01T00:00:00Z", policy="house")
        assert revoked["ifRevoked"]
        assert legal.thing("models", "sky")["states"]["name"] == "sky"
        assert [grant["id"] for grant in legal.every("registry/grants", limit=1)] == ["G-7"]
        assert final in {verdict["sha256"] for verdict in legal.every("verdicts")}
        (dataset,) = legal.own_works(["1" * 64])["datasets"]
        assert dataset["works"][0]["answer"] == "member"
        assert legal.call("GET", "shots/sq010/sh010")["finals"]
        with pytest.raises(RakkanError) as error:
            list(legal.every("coverage"))
        assert error.value.code == "server.unreachable"


def test_a_call_that_has_no_method(own: Studio, url: str) -> None:
    token = own.ok("token", "create", "operator", "--role", "operator", "--json").json["token"]
    with Client(url, production="nightfall", token=token) as operator:
        made = operator.call("POST", "tokens", {"name": "bot", "roles": ["operator"]})
        assert made["token"]
        assert len(operator.call("GET", "tokens")["tokens"]) >= 2
        assert operator.call("DELETE", f"tokens/{made['id']}") == {}
        with pytest.raises(RakkanError) as error:
            operator.asset("0" * 64)
        assert error.value.code == "access.denied"


def test_events_come_and_are_taken_up_where_they_were_lost(own: Studio, auditor: Client) -> None:
    events = auditor.events(after=-1)
    first = [next(events) for _ in range(own.size())]
    assert [event.index for event in first] == list(range(own.size()))
    assert first[0].data is not None
    assert first[0].data["data"]["production"] == "nightfall"
    auditor.close()  # the line is lost
    own.record(own.png("later.png", 77))
    assert next(events).index == own.size() - 1
