"""A whole working day against `rakkan serve --workers 2`, by programs that are not ours.

The day is told in `tests/support/day.py`; each fixture is a part of it, and each test looks at one thing
that was answered then. Who asks is curl; who signs is openssl; who judges the log is aics-tlog.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope as ForeignEnvelope
from securesystemslib.signer._key import SSlibKey

from tests.support import day as story
from tests.support.day import Day
from tests.support.outside import need_programs, openssl
from tests.support.receiver import receiving

WHY = "aics-tlog asks for Python 3.12; it is installed with --ignore-requires-python (locks/judges.txt)"


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    need_programs()
    folder = tmp_path_factory.mktemp("day")
    with receiving() as receiver:
        day = Day(story.yesterday(folder), folder, receiver)
        day.open()
        try:
            yield day
        finally:
            day.close()


@pytest.fixture(scope="module")
def morning(begun: Day) -> Day:
    story.morning(begun)
    return begun


@pytest.fixture(scope="module")
def cleared(morning: Day) -> Day:
    story.clearing(morning)
    return morning


@pytest.fixture(scope="module")
def revoked(cleared: Day) -> Day:
    story.revoking(cleared)
    return cleared


@pytest.fixture(scope="module")
def asked(revoked: Day) -> Day:
    story.strangers(revoked)
    return revoked


@pytest.fixture(scope="module")
def stolen(asked: Day) -> Day:
    story.lost(asked)
    return asked


@pytest.fixture(scope="module")
def restarted(stolen: Day) -> Day:
    story.night(stolen)
    return stolen


def test_an_entry_that_none_of_our_code_made_is_taken_once(morning: Day) -> None:
    first, again = morning.said["recorded"], morning.said["again"]
    assert (first.status, again.status) == (201, 200)
    assert (first.json["duplicate"], again.json["duplicate"]) == (False, True)
    assert first.json["index"] == again.json["index"]
    assert morning.said["unsealed"]["outcome"] == "recorded"


def test_what_the_device_sealed_over_http_is_proven(morning: Day) -> None:
    report = morning.said["proven"]
    assert report["outcome"] == "proven"
    assert {check["status"] for check in report["checks"]} == {"passed"}
    assert morning.said["recorded"].json["index"] in {step["index"] for step in report["steps"]}
    assert morning.said["seal"]["entry"] in {item["index"] for item in report["ledger"]["entries"]}


def test_the_shot_is_cleared(cleared: Day) -> None:
    assert cleared.said["clearance"].status == 200
    assert cleared.said["clearance"].json["verdict"] == {"then": "cleared", "now": "cleared"}
    clearance = cleared.said["then"]["clearance"]
    assert (clearance["then"], clearance["now"]) == ("cleared", "cleared")


def test_who_listens_and_who_is_told_hear_of_the_revocation(revoked: Day) -> None:
    assert revoked.said["webhook"].status == 201
    heard = [event for event in story.spoken(revoked.said["events"]) if event["type"] == "verdict.changed"]
    posted = story.told(revoked.receiver)
    assert [event["data"]["now"]["verdict"] for event in heard] == ["blocked"] * len(heard)
    assert {event["data"]["index"] for event in posted} == {event["data"]["index"] for event in heard}
    assert len({event["data"]["cause"] for event in heard}) == 1


def test_a_webhook_is_signed_as_openssl_computes_it(revoked: Day) -> None:
    fields, body = revoked.receiver.got[0]
    secret = base64.b64decode(revoked.said["webhook"].json["secret"].removeprefix("whsec_"))
    signed = f"{fields['webhook-id']}.{fields['webhook-timestamp']}.".encode() + body
    options = ("dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{secret.hex()}", "-binary")
    mac = base64.b64encode(openssl(*options, given=signed)).decode()
    assert f"v1,{mac}" in fields["webhook-signature"].split()


def test_the_file_is_as_proven_as_before_and_no_longer_cleared(revoked: Day) -> None:
    report = revoked.said["blocked"]
    assert report["outcome"] == "proven"
    assert (report["clearance"]["then"], report["clearance"]["now"]) == ("cleared", "blocked")
    assert "GRANT_REVOKED" in json.dumps(report["clearance"]["reasonsNow"])


def test_a_stripped_copy_is_found_by_its_picture_and_a_tampered_one_is_altered(asked: Day) -> None:
    stripped, tampered = asked.said["stripped"], asked.said["tampered"]
    assert (stripped["outcome"], stripped["ledger"]["by"]) == ("undecided", "pixels")
    assert tampered["outcome"] == "altered"


def test_a_rights_holder_gets_a_proof_either_way(asked: Day) -> None:
    assert asked.said["own works"].status == 200
    assert asked.said["checked member"].startswith("Yes: the work is number 2 of the 2 that “plates” commits")
    assert asked.said["checked absent"].startswith("No: ")


def test_a_stolen_key_opens_and_signs_nothing_more(stolen: Day) -> None:
    assert stolen.said["signed before"].status == 200
    assert stolen.said["signed before"].body == stolen.said["entry"]
    assert stolen.said["signed after"].code == (401, "access.ended")
    assert stolen.said["late"].code == (409, "key.revoked")
    assert stolen.said["still proven"]["outcome"] == "proven"


def test_nothing_is_lost_by_killing_the_whole_server(restarted: Day) -> None:
    first, again = restarted.said["recorded"], restarted.send(restarted.said["entry"])
    assert (again.status, again.json["index"]) == (200, first.json["index"])
    verify = restarted.curl("producer").verify
    assert verify(restarted.work / story.DRAWN)["outcome"] == "proven"
    assert verify(restarted.work / story.FRAME)["clearance"] == restarted.said["blocked"]["clearance"]
    answer = restarted.curl("producer").post("clearances", story.QUESTION)
    assert answer.json["verdict"]["now"] == "blocked"
    (webhook,) = restarted.curl("producer")("webhooks").json["webhooks"]
    assert (webhook["last"], webhook["failures"]) == ("answered 204", 0)
    stolen, late = restarted.key(story.DRAWER), restarted.drawn(restarted.work / story.LATE)
    assert restarted.send(stolen.envelope(late)).code == (409, "key.revoked")


def test_events_are_taken_up_after_the_restart_where_they_were_lost(restarted: Day) -> None:
    heard = story.spoken(restarted.said["events"])
    target = restarted.folder / "resumed.txt"
    before = ["-H", f"Last-Event-ID: {heard[0]['data']['index'] - 1}"]
    listening = restarted.curl("distributor").following(target, "verdict", *before)
    try:
        restarted.wait(target, f"id: {heard[-1]['data']['index']}\n")
    finally:
        listening.kill()
        listening.wait()
    assert story.spoken(target.read_text())[: len(heard)] == heard


def test_securesystemslib_verifies_the_entry_as_it_is_served(restarted: Day) -> None:
    index = restarted.said["recorded"].json["index"]
    served = restarted.curl("auditor")(f"log/entries/{index}")
    assert served.body == restarted.said["entry"]
    assert restarted.curl()(f"log/entries/{index}").code == (401, "access.unknown")
    painter = restarted.key(story.PAINTER)
    public = load_pem_public_key(openssl("pkey", "-in", painter.path, "-pubout"))
    key = SSlibKey.from_crypto(public, keyid=painter.keyid)
    accepted = ForeignEnvelope.from_dict(json.loads(served.body)).verify([key], 1)
    assert list(accepted) == [painter.keyid]


def test_aics_finds_one_log_from_morning_to_night(restarted: Day, tmp_path: Path) -> None:
    aics: Any = pytest.importorskip("aics_tlog", reason=WHY)
    curl, key = restarted.curl(), aics.parse_vkey(json.loads(restarted.studio.trust.read_text())["logs"][0])
    seen = [
        aics.verify_checkpoint(aics.parse_note(data), key, expected_origin=key.name)
        for data in restarted.checkpoints
    ]
    assert all(item.ok for item in seen)
    reader = aics.HttpTileReader(f"{curl.about}/log", tmp_path / "cache", proxies={})
    for old, new in itertools.pairwise(seen):
        assert aics.tree_root_from_tiles(aics.VerifiedTileReader(reader, new.size, new.root), new.size)
        lines = curl(f"log/consistency?old={old.size}&new={new.size}").body.decode().split()
        proof = [base64.b64decode(line) for line in lines]
        assert aics.verify_consistency(old.size, new.size, old.root, new.root, proof)
    recorded = restarted.said["recorded"].json
    served = curl(f"log/entries/{recorded['index']}/receipt").body
    for receipt in (base64.b64decode(recorded["receipt"]), served):
        head, checkpoint = receipt.split(b"\n\n", 1)
        assert head.splitlines()[1] == f"index {recorded['index']}".encode()
        stated = aics.verify_checkpoint(aics.parse_note(checkpoint), key, expected_origin=key.name)
        path = [base64.b64decode(line) for line in head.splitlines()[2:]]
        entry = restarted.said["entry"]
        assert aics.verify_leaf_inclusion(entry, recorded["index"], stated.size, path, stated.root)


ADDRESS = re.compile(r'"(/[^"\s]+|https?://[^"\s]+)"')


def test_every_address_in_an_answer_answers(restarted: Day) -> None:
    """Whoever is given an address by the server need not guess: it is there, and the same caller gets it."""
    curl, sha256 = restarted.curl("auditor"), story.digest(restarted.work / story.FRAME)
    asked = (
        f"/v1/verify/sha256:{sha256}",
        f"assets/{sha256}",
        f"assets/{sha256}/lineage",
        f"verdicts/{restarted.said['then']['sha256']}",
        "registry/grants/G-7",
        "registry/models/sky",
        "steps",
        "shots",
        "log/keys",
        "/v1/productions",
        "/v1/me",
    )
    answers = {address: curl(address) for address in asked}
    assert {address: answer.status for address, answer in answers.items() if answer.status != 200} == {}
    found = {item for answer in answers.values() for item in ADDRESS.findall(answer.body.decode())}
    ours = {item for item in found if item.startswith("/")}
    assert ours
    assert {item: curl(item, "-L").status for item in sorted(ours)} == dict.fromkeys(sorted(ours), 200)
