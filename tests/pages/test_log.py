"""The log, looked at: its state, an entry's proof done again in a browser, and what is not for everybody."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ledger.core import envelope as dsse
from ledger.core.access import Role
from ledger.core.artifact import Artifact
from ledger.core.artifact import Role as Used
from ledger.core.checkpoint import parse_checkpoint, sign_checkpoint
from ledger.core.digest import sha256_hex
from ledger.core.policy import format_policy
from ledger.core.predicates import Enrolment, LostRecord
from ledger.core.predicates.enrolment import KeyRole
from ledger.core.predicates.revocation import Reason
from ledger.core.predicates.step import Place
from ledger.core.receipt import parse_receipt
from ledger.core.statement import Statement, encode
from ledger.service.log.keys import revoke
from ledger.service.log.publish import publish
from ledger.service.log.receipts import tree
from ledger.service.log.witnessing import Witnessing
from ledger.testing import SeedSigner
from ledger.wiring import home_at, open_studio, publication
from ledger.wiring.enrolment import rotate_log_key
from ledger.wiring.outside import use_policy
from tests.pages.conftest import Open
from tests.support.builders import FRAME, digest, step
from tests.support.demo import Demo
from tests.support.http import answering
from tests.support.pages import SCHEMES, Site, Visit, needs_chromium, serving, sessions_in, visiting
from tests.support.stated_captures import lost_record
from tests.support.witness import Direct, cosigner_key, new_witness, policy_of

pytestmark = needs_chromium
HOSTILE = '"><img src=x onerror=alert(1)> \u200fexe.tfarg ' + "名" * 60
LOG = "/productions/moonrise/log"
PLACES = ("", "/entries/40", "/entries/5", "/keys", "/devices", "/consistency?old=23&new=60")
DIGIT = """node => {
    const text = node.textContent;
    node.textContent = text.slice(0, 9) + (text[9] === "0" ? "1" : "0") + text.slice(10);
}"""
"""Another character in place of the tenth."""
ALTERED = (
    ("[data-note]", r"replace(/\n([0-9]+)\n/, '\n$1\nA')"),
    ("[data-note]", r"replace(/\n([0-9]+)\n/, '\n1$1\n')"),
    ("[data-note]", r"replace(/(\n— .{9,}).(.{9})\n/, (_, most, end) => most + '+' + end + '\n')"),
    ("[data-note]", r"replace(/\n— .*\n/, '\n— somebody.example AAAAAAAA\n')"),
    ("[data-vkey]", r"replace(/.$/, (last) => last === 'A' ? 'E' : 'A')"),
    ("[data-vkey]", r"replace(/\+[0-9a-f]{8}\+/, '+00000000+')"),
)
"""A root, a size, a signature, a signer, a key and its number that are others."""
NO_ED25519 = """const whole = SubtleCrypto.prototype.importKey;
SubtleCrypto.prototype.importKey = function (form, key, name, ...rest) {
    if (name === "Ed25519") throw new DOMException("Unrecognized name.", "NotSupportedError");
    return whole.call(this, form, key, name, ...rest);
}"""
"""A browser from before Ed25519: a name that it does not know is what Web Cryptography says it is."""


def checked(window: Visit) -> str:
    """Press the first button that does a proof again, and return what it says."""
    said = window.page.locator("[data-proof] [role=status]").first
    window.page.locator("[data-proof] button").first.click()
    said.filter(has_text=re.compile(".")).wait_for()
    return said.inner_text()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_keeps_anybody_out_of_the_log(visit: Open, scheme: str) -> None:
    window = visit(Role.AUDITOR, color_scheme=scheme, viewport={"width": 320, "height": 700})
    for path in PLACES:
        window.go(LOG + path)
        assert window.audit() == [], path
        assert not window.overflows(), path


def test_a_proof_is_done_again_in_the_browser_and_refused_when_anything_is_altered(visit: Open) -> None:
    window = visit(Role.AUDITOR)
    window.go(f"{LOG}/entries/40")
    assert "the signature over it is by the key below" in checked(window)
    assert set(window.page.locator("[data-mark]").all_inner_texts()) == {"✓ "}
    for place in (
        "[data-entry]",
        "[data-step=leaf] [data-result] code",
        "[data-step=join]:nth-child(3) [data-left] code",
        "[data-step=join]:nth-child(5) [data-right] code",
        "[data-step=join]:last-child [data-result] code",
        "[data-root] code",
    ):
        window.go(f"{LOG}/entries/40")
        window.page.locator(place).evaluate(DIGIT)
        assert checked(window).startswith("✕"), place
    window.go(f"{LOG}/entries/40")
    for place, altered in ALTERED:
        node = window.page.locator(place)
        before = node.text_content()
        node.evaluate(f"node => {{ node.textContent = node.textContent.{altered}; }}")
        assert node.text_content() != before, altered
        assert checked(window).startswith("✕"), altered
        node.evaluate("(node, before) => { node.textContent = before; }", before)
    assert checked(window).startswith("✓")
    window.go(f"{LOG}/consistency?old=23&new=60")
    assert checked(window).startswith("✓")
    window.page.locator("[data-step=join] [data-left] code").first.evaluate(DIGIT)
    assert checked(window).startswith("✕")
    assert window.complaints == []


def test_a_browser_that_cannot_check_a_signature_says_so_and_calls_nothing_forged(visit: Open) -> None:
    window = visit(Role.AUDITOR)
    window.page.add_init_script(NO_ED25519)
    window.go(f"{LOG}/entries/40")
    words = checked(window)
    assert words.startswith("✓ Every step")
    assert "? This browser cannot check the signature" in words
    assert window.page.locator("dt [data-mark]").inner_text() == "? "
    assert window.page.get_attribute("[data-proof] [role=status]", "class") == "open"
    window.page.locator("[data-root] code").evaluate(DIGIT)
    assert checked(window).startswith("✕")
    assert window.complaints == []


def test_a_stranger_checks_a_proof_without_scripts_and_without_us(visit: Open, site: Site) -> None:
    window = visit(java_script_enabled=False)
    page = window.go(f"{LOG}/entries/40")
    assert "for those who may read it" in page.inner_text("main")
    assert not page.locator("[data-entry]").count()
    assert not page.locator("[data-proof] button").is_visible()
    root = page.inner_text("[data-root]")
    python, openssl = (page.text_content(f"pre.{tool}") or "" for tool in ("python", "openssl"))
    done = subprocess.run(
        [sys.executable, "-I", "-"], input=python, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == root
    shell = subprocess.run(["sh", "-c", openssl], capture_output=True, text=True, check=True)
    assert shell.stdout.strip().endswith(root)
    link = page.get_attribute("a[download$='.tlog-proof']", "href") or ""
    receipt = parse_receipt(window.page.request.get(link).body())
    assert (receipt.index, parse_checkpoint(receipt.checkpoint).root.hex()) == (40, root)
    size = size_in(site.home)
    assert f"0–{size - 1}" in page.inner_text(".steps")
    assert page.inner_text("[data-note]").strip() == receipt.checkpoint.decode().strip()
    window.go(f"{LOG}/devices", 401)
    assert "How it grew" not in window.go(LOG).inner_text("main")
    assert f"It has {size} entries" in window.go(f"{LOG}/entries/{size}", 404).inner_text(".lede")


def test_an_entry_is_found_by_keyboard_alone(visit: Open, demo: Demo) -> None:
    window = visit(Role.SUPERVISOR)
    page = window.go(LOG)
    while page.evaluate("document.activeElement.name") != "find":
        page.keyboard.press("Tab")
    sha256 = sha256_hex((demo.untouched / "files" / "sh020.final.1004.png").read_bytes())
    page.keyboard.type(f" {sha256.upper()} ")
    page.keyboard.press("Enter")
    page.wait_for_url("**/log?find=*")
    assert "A step of work was recorded" in page.inner_text(
        "table"
    ) or "A file was sealed" in page.inner_text("table")
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.closest('table')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/log/entries/*")
    while page.evaluate("document.activeElement.textContent") != "Check it here, in this browser":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("[role=status]", has_text="✓").wait_for()


def test_what_an_entry_says_is_for_whoever_may_read_it(visit: Open) -> None:
    party, step = f"{LOG}/entries/5", f"{LOG}/entries/40"
    page = visit(Role.LEGAL).go(party)
    assert "A person or company was written down" in page.inner_text(".lede")
    assert "Committed, not shown" in page.inner_text("main")
    assert "_sd" not in page.inner_text(".said")
    artist = visit(Role.ARTIST)
    assert "A step of work was recorded" in artist.go(step).inner_text("main")
    assert "actor" not in artist.text()
    assert "for those who may read it" in artist.go(party).inner_text("main")
    assert "written down" not in artist.text()
    digest = json.loads(page.text_content("[data-entry]") or "{}")["signatures"][0]["keyid"]
    assert "None is known by this here" in visit().go(f"{LOG}?find={digest}", 404).inner_text("main")


def test_it_is_read_in_japanese(visit: Open) -> None:
    window = visit(Role.AUDITOR, locale="ja-JP")
    page = window.go(f"{LOG}/keys")
    assert page.get_attribute("html", "lang") == "ja"
    assert "2027年" in page.inner_text("table")


def size_in(home: Path) -> int:
    with open_studio(home_at(home)) as studio:
        return studio.entries.head().size


def lost_at(now: datetime, number: int) -> LostRecord:
    """Return what a device says of records that it lost, as its record of this number."""
    capture = replace(lost_record().capture, captured=now, sequence=number)
    return lost_record(finished=now, capture=capture)


@pytest.fixture(scope="module")
def busy(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo's log after much happened: keys that ended and came, a gap, witnesses, a hostile name."""
    home = tmp_path_factory.mktemp("busy") / "home"
    shutil.copytree(demo.untouched / "home", home)
    place = home_at(home)
    registrar, device = (place.statement_signer(name) for name in ("registrar", "workstation"))
    with open_studio(place) as studio:
        now = studio.clock.now().replace(microsecond=0)
        revoke(studio, registrar, "farm-01", Reason.STOLEN, 30)
        key = SeedSigner("hostile")
        until = now + timedelta(days=30)
        admitted = Enrolment(HOSTILE, KeyRole.DEVICE, key.public_key, now, until)
        studio.state(registrar, (Artifact(HOSTILE, key.keyid),), admitted)
        studio.state(device, (Artifact("a.exr", FRAME),), lost_at(now, 7))
        used = tuple(Artifact(f"plate {n}", digest(f"plate {n}"), role=Used.COMPONENT) for n in range(250))
        large = step(started=now, finished=now, materials=used, place=Place(studio.production))
        studio.state(device, (Artifact("large.exr", digest("large")),), large)
    rotate_log_key(place)
    policy = policy_of("any", cosigner_key("insurer"), cosigner_key("client"))
    with_urls = replace(
        policy, logs=(), witnesses=tuple(replace(w, url="http://127.0.0.1:9") for w in policy.witnesses)
    )
    use_policy(place, format_policy(with_urls), fail_closed=False)
    with open_studio(place) as studio:
        insurer = new_witness("insurer", logs=studio.log.verifiers)
        asked = Witnessing(policy, [Direct("insurer", insurer)], studio.checkpoints, fail_closed=False)
        publish(studio.log, publication(place), witnessing=asked)
    with serving(home) as running:
        yield running


def test_much_happened_and_all_of_it_is_told(browser: Browser, busy: Site, demo: Demo) -> None:
    first = size_in(demo.untouched / "home")
    with visiting(browser, busy, Role.AUDITOR, viewport={"width": 320, "height": 700}) as window:
        page = window.go(LOG)
        assert "Enough witnesses" in page.inner_text("main")
        assert re.search(r"insurer\s+✓ yes\s+\S", page.inner_text("main"))
        assert re.search(r"client\s+\? not yet", page.inner_text("main"))
        assert "2 keys of the log signed it" in " ".join(page.inner_text(".stats").split())
        assert window.audit() == []
        assert not window.overflows()
        page.click("text=Does the later one continue")
        page.wait_for_url("**/consistency?*")
        assert checked(window).startswith("✓")
        page = window.go(f"{LOG}/keys")
        assert f"farm-01 device 2 ✕ ended {first} 30" in " ".join(page.inner_text("table").split())
        assert page.locator(".spans .suspect").count() == 1
        assert not page.locator("img").count()
        assert "\u200f" not in page.content()
        assert window.audit() == []
        assert not window.overflows()
        page = window.go(f"{LOG}/devices")
        assert "Numbers 0 to 6 are missing" in page.inner_text("table")
        assert f"Lost on the device, as entry {first + 2} says" in page.inner_text("table")
        assert window.audit() == []
        assert len(window.go(f"{LOG}/entries/{first + 3}").content()) < 150_000
        assert checked(window).startswith("✓")
        assert window.complaints == []


def test_a_log_that_was_rolled_back_is_an_alarm_and_no_empty_page(demo: Demo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo.untouched / "home", home)
    place = home_at(home)
    with open_studio(place) as studio:
        revoke(studio, place.statement_signer("registrar"), "farm-01", Reason.RETIRED)
    shutil.copy(demo.untouched / "home" / "ledger.sqlite", home / "ledger.sqlite")
    with answering(home) as client:
        for path in ("", "/entries/40", "/entries/60", "/consistency?old=1&new=2"):
            answer = client.get(f"/productions/moonrise/log{path}", headers={"accept": "text/html"})
            assert answer.status_code == 503, path
            assert "This log is older than what was signed" in answer.text


def test_a_state_of_one_entry_is_a_proof_without_steps(demo: Demo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo.untouched / "home", home)
    with open_studio(home_at(home)) as studio:
        one = sign_checkpoint(studio.log.origin, 1, tree(studio.log, 1).root, studio.log.signers)
        studio.checkpoints.put(1, one)
    with answering(home) as client:
        page = client.get("/productions/moonrise/log/entries/0", headers={"accept": "text/html"}).text
    assert "its hash is the root" in page
    assert "<svg" not in page


def test_thousands_of_keys_and_devices_come_page_by_page(tmp_path: Path, demo: Demo) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo.untouched / "home", home)
    place = home_at(home)
    registrar = place.statement_signer("registrar")
    with open_studio(place) as studio:
        now = studio.clock.now().replace(microsecond=0)
        envelopes = []
        for number in range(300):
            name, key = f"farm-{number:03}-{'x' * 60}", SeedSigner(f"farm {number}")
            admitted = Enrolment(name, KeyRole.DEVICE, key.public_key, now, now + timedelta(days=30))
            envelopes.append(dsse.sign(encode(Statement((Artifact(name, key.keyid),), admitted)), registrar))
        studio.log.append(envelopes)
        lost = [
            dsse.sign(encode(Statement((Artifact("a.exr", FRAME),), record)), SeedSigner(f"farm {number}"))
            for number in range(200)
            for record in (lost_at(now, 7), lost_at(now, 9))
        ]
        studio.log.append(lost)
    with answering(home) as client:
        client.cookies.set("rakkan", sessions_in(home)[Role.AUDITOR])
        for path, name in (("keys", "farm-299"), ("devices", "farm-199")):
            address, seen = f"/productions/moonrise/log/{path}", []
            while address:
                answer = client.get(address, headers={"accept": "text/html"})
                assert answer.status_code == 200
                assert len(answer.content) < 150_000
                seen += re.findall(r"<bdi>(farm-\d{3})-x", answer.text)
                onward = re.search(r'href="(\?start=\d+)"', answer.text)
                address = f"/productions/moonrise/log/{path}{onward[1]}" if onward else ""
            assert len(set(seen)) == len(seen) == int(name[-3:]) + 1
            assert seen[-1] == name
