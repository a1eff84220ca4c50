"""Deciding over HTTP: who may not, from where one may not, and a server that does not sign."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger.core.access import Role
from ledger.core.secret_text import Kind
from ledger.service.access.credentials import OWNER, Wanted
from ledger.wiring import home_at, open_studio
from ledger.wiring.access import open_credentials
from ledger.wiring.serving import PageSettings
from tests.e2e.conftest import Studio
from tests.support.http import answering

DESK = "/productions/nightfall/rights"
FORMS = [f"{DESK}/decisions/{kind}" for kind in ("override", "review", "approve", "revoke")] + [
    f"{DESK}/import"
]
OURS = {"sec-fetch-site": "same-origin", "accept": "text/html"}
ON = (PageSettings(decisions=True),)


def cookie(home: Path, role: Role) -> dict[str, str]:
    with open_credentials(home_at(home)) as credentials:
        wanted = Wanted(Kind.SESSION, "x", {"nightfall": frozenset({role})}, 600)
        return {"cookie": f"rakkan={credentials.make(wanted, OWNER)[0]}"}


def size(home: Path) -> int:
    with open_studio(home_at(home)) as studio:
        return studio.entries.head().size


@pytest.fixture
def client(production: Studio) -> Iterator[TestClient]:
    with answering(production.home, settings=ON) as found:
        found.headers.update(OURS | cookie(production.home, Role.LEGAL))
        yield found


def filled(client: TestClient, **typed: str) -> dict[str, str]:
    """Return a review's form as it is sent to be signed."""
    page = client.get(f"{DESK}/decisions/review").text
    form = dict(re.findall(r'name="(form|seen)" value="([^"]*)"', page))
    form |= {"thing": "sky", "standing": "accepted", "since": "2026-01-01", "zone": "UTC", **typed}
    looked = client.post(f"{DESK}/decisions/review", data=form | {"step": "look"})
    expected = re.search(r'name="expected" value="([^"]*)"', looked.text)
    return form | {"step": "sign", "expected": expected[1] if expected else ""}


@pytest.mark.parametrize("fields", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_another_site_signs_nothing_with_a_lawyers_cookie(
    production: Studio, client: TestClient, fields: dict[str, str]
) -> None:
    form, before = filled(client), size(production.home)
    if "origin" in fields:
        del client.headers["sec-fetch-site"]
    for path in FORMS:
        got = client.post(path, data=form, headers=fields)
        assert got.status_code == 403
        assert "access.cross-site" in got.text
    assert size(production.home) == before


def test_another_site_confirms_nothing_with_a_second_persons_cookie(
    production: Studio, client: TestClient
) -> None:
    sheet = client.get(f"{DESK}/decisions/override").text
    form = dict(re.findall(r'name="(form|seen)" value="([^"]*)"', sheet))
    form |= {"thing": "sky", "code": "MODEL_OPAQUE", "expires": "2099-01-01", "zone": "UTC", "reason": "why"}
    looked = client.post(f"{DESK}/decisions/override", data=form | {"step": "look"}).text
    (expected,) = re.findall(r'name="expected" value="([^"]*)"', looked)
    proposed = client.post(f"{DESK}/decisions/override", data=form | {"step": "sign", "expected": expected})
    where, second = proposed.url.path, cookie(production.home, Role.LEGAL)
    shown = client.get(where, headers=second).text
    (expected,) = re.findall(r'name="expected" value="([^"]*)"', shown)
    before = size(production.home)
    for step in ("confirm", "decline", "withdraw"):
        data = {"step": step, "expected": expected, "why": "because"}
        got = client.post(where, data=data, headers=second | {"sec-fetch-site": "cross-site"})
        assert (got.status_code, "access.cross-site" in got.text) == (403, True)
    for role in (Role.PRODUCER, Role.AUDITOR):
        assert client.get(where, headers=cookie(production.home, role)).status_code == 403
    own = client.post(where, data={"step": "confirm", "expected": expected})
    assert (own.status_code, "decide.same-person" in own.text) == (403, True)
    for data in ({"step": ""}, {"step": "decline"}, {"step": "decline", "why": "x" * 501}, {"step": "own"}):
        assert client.post(where, data=data, headers=second).status_code == 400
    assert size(production.home) == before
    confirm = {"step": "confirm", "expected": expected}
    done = client.post(where, data=confirm, headers=second, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, f"{DESK}/decisions?done={before}")
    entry = client.get(f"/productions/nightfall/log/entries/{before + 1}")
    assert (entry.status_code, "proposed" in entry.text) == (200, True)
    assert client.get(where, headers=second).status_code == 404


def test_no_page_of_another_site_frames_a_form(client: TestClient) -> None:
    for path in FORMS:
        got = client.get(path)
        assert got.status_code == 200
        assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
        assert "form-action 'self'" in got.headers["content-security-policy"]
        assert got.headers["cache-control"] == "no-store"


def test_only_legal_decides(production: Studio, client: TestClient) -> None:
    form, before = filled(client), size(production.home)
    for role in set(Role) - {Role.LEGAL, Role.DEVICE, Role.RIGHTS_HOLDER}:
        for path in FORMS:
            fields = cookie(production.home, role)
            assert client.post(path, data=form, headers=fields).status_code == 403
    assert size(production.home) == before


def test_a_server_that_was_not_told_to_signs_nothing_and_says_the_command(production: Studio) -> None:
    with answering(production.home) as client:
        client.headers.update(OURS | cookie(production.home, Role.LEGAL))
        page = client.get(f"{DESK}/decisions/override?thing=a;%20rm%20-rf&code=MODEL_OPAQUE").text
        assert "rakkan rights override &#39;a; rm -rf&#39; MODEL_OPAQUE --approver session:" in page
        assert '<form method="post" action="/productions' not in page
        before = size(production.home)
        for path in FORMS:
            got = client.post(path, data={"form": "0" * 32, "seen": "0", "step": "sign"})
            assert (got.status_code, "decide.off" in got.text) == (409, True)
    assert size(production.home) == before


def test_a_server_without_the_registrars_key_says_so(production: Studio) -> None:
    key = next((production.home / "keys").rglob("devices/registrar/statement*"))
    with answering(production.home, settings=ON) as client:
        client.headers.update(OURS | cookie(production.home, Role.LEGAL))
        key.rename(key.with_name("away"))
        assert "cannot use the key" in client.get(f"{DESK}/decisions/review").text
        got = client.post(f"{DESK}/decisions/review", data={"form": "0" * 32, "seen": "0"})
        assert (got.status_code, "decide.no-key" in got.text) == (409, True)


NUMBER = b"form=" + b"0" * 32
NO_FORMS = (
    b"",
    NUMBER,
    b"form=%00&seen=1",
    NUMBER + b"&seen=-1",
    NUMBER + b"&seen=9e9",
    NUMBER + b"&seen=" + b"9" * 5000,
    b"%ff=%fe",
    b"a=1&" * 200,
)


def test_a_form_that_is_none_is_refused(production: Studio, client: TestClient) -> None:
    before = size(production.home)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for path in (FORMS[0], FORMS[-1]):
        for data in NO_FORMS:
            assert client.post(path, content=data, headers=kind).status_code == 400, data
    assert client.post(FORMS[0], content=b"x" * 70_000, headers=kind).status_code == 413
    assert client.post(FORMS[0], content=b"", headers={"content-type": "text/plain"}).status_code == 415
    assert size(production.home) == before


def test_a_file_that_is_sent_lands_in_its_forms_folder(production: Studio, client: TestClient) -> None:
    kept = (production.home / "studio.json").read_bytes()
    for name in ("../../studio.json", "..\\..\\studio.json", ".hidden", "a\x00b", "a\nb", "x" * 300):
        page = client.get(f"{DESK}/import").text
        form = dict(re.findall(r'name="(form|seen)" value="([^"]*)"', page))
        data = b'[[party]]\nid = "k"\nkind = "organisation"\n'
        got = client.post(f"{DESK}/import", data=form, files={"facts": (name, data)})
        assert got.status_code in {200, 400}, name
    assert (production.home / "studio.json").read_bytes() == kept
    assert not (production.home / "imports" / "studio.json").exists()
    assert {path.name for path in production.home.glob("imports/*/*")} <= {"studio.json"}


def test_a_session_that_ended_gives_typed_words_back_to_our_own_pages_only(production: Studio) -> None:
    typed = {"reason": "a long <reason>", "token": "never"}
    with answering(production.home, settings=ON) as client:
        gone = {"cookie": "rakkan=rks_0000000000000000_" + "0" * 64 + "_00000000", "accept": "text/html"}
        for path in (f"{DESK}/decisions/review", "/sign-out"):
            own = client.post(path, data=typed, headers=gone | {"sec-fetch-site": "same-origin"})
            assert (own.status_code, "a long &lt;reason&gt;" in own.text) == (401, True)
        other = client.post(
            f"{DESK}/decisions/review", data=typed, headers=gone | {"sec-fetch-site": "cross-site"}
        )
        assert (other.status_code, "a long" in other.text) == (401, False)
        nobody = client.post(f"{DESK}/decisions/review", data=typed, headers=OURS)
        assert (nobody.status_code, "a long &lt;reason&gt;" in nobody.text) == (401, True)
        much = {"reason": "x" * 70_000}
        own = client.post(
            f"{DESK}/decisions/review", data=much, headers=gone | {"sec-fetch-site": "same-origin"}
        )
        assert (own.status_code, "xxx" in own.text) == (401, False)


def test_an_unsigned_form_of_somebody_else_is_not_found(production: Studio, client: TestClient) -> None:
    page = client.get(f"{DESK}/import").text
    form = dict(re.findall(r'name="(form|seen)" value="([^"]*)"', page))
    sent = client.post(
        f"{DESK}/import",
        data=form,
        files={"facts": ("f.toml", b'[[party]]\nid = "k"\nkind = "organisation"\n')},
    )
    expected = re.search(r'name="expected" value="([^"]*)"', sent.text)
    assert expected, sent.text
    form |= {"step": "sign", "expected": expected[1], "facts": "f.toml"}
    before = size(production.home)
    other = client.post(f"{DESK}/import", data=form, headers=cookie(production.home, Role.LEGAL))
    assert (other.status_code, "decide.gone" in other.text) == (409, True)
    assert size(production.home) == before
    mine = client.post(f"{DESK}/import", data=form, follow_redirects=False)
    assert (mine.status_code, size(production.home)) == (303, before + 2)
