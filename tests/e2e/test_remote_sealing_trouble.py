"""Sealing over HTTP while servers die, lie and dawdle: once, or not at all, and never a false statement."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.adapters.answered import MAX_ANSWER
from ledger.errors import RakkanError
from ledger.service.bundle import bundle_of
from ledger.service.elsewhere import offer
from ledger.service.seal import seal as seal_files
from ledger.wiring import home_at, offline_reader, open_device, open_studio
from ledger.wiring.elsewhere import open_elsewhere, open_journal, open_kept, open_server
from tests.e2e.conftest import ROOT, Studio
from tests.e2e.test_cli_serve import laptop
from tests.e2e.test_remote_sealing import carried, picture, published, seals
from tests.support.capturing import CaptureDevice
from tests.support.here import serving
from tests.support.proxy import Lie, Said, lying

__all__ = ["laptop"]


def recorded(laptop: CaptureDevice, url: str, name: str = "final.png", *used: Path) -> Path:
    """A picture that the log knows, not sealed yet."""
    laptop.install(server=url)
    path = published(laptop, name, 1, *used)
    laptop.turn()
    return path


def seal(laptop: CaptureDevice, url: str, path: Path) -> tuple[int, str]:
    """Try to seal once, as the agent does: without waiting for a server that is away."""
    home = home_at(laptop.home)
    device = open_device(home, "ws-07")
    with open_server(home, url, device, patience=0) as server:
        try:
            log = open_elsewhere(home, server)
            done = seal_files(log, device, [path], skip_sealed=True, journal=open_journal(home))
            offer(server, open_kept(home))
        except RakkanError as error:
            return 0, error.code
        return len(done), ""


def scratches(folder: Path) -> list[Path]:
    return list(folder.rglob("*.rakkan"))


CALLS: dict[str, Callable[[str, str], bool]] = {
    "evidence": lambda method, path: "/evidence/" in path,
    "manifest": lambda method, path: method == "GET" and "/manifests/" in path,
    "entries": lambda method, path: path.endswith("/entries"),
    "share": lambda method, path: method == "PUT",
}


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("entries", False),
        ("entries", True),
        *(
            pytest.param(call, after, marks=pytest.mark.slow)
            for call in ("evidence", "share")
            for after in (False, True)
        ),
    ],
)
def test_a_lost_line_seals_once(studio: Studio, laptop: CaptureDevice, call: str, *, after: bool) -> None:
    """The line is cut at one call, before or after the server did it; then all is well again."""
    broken = True

    def cuts(method: str, path: str, ask: Callable[[], Said]) -> Said | None:
        if CALLS[call](method, path) and broken:
            if after:
                ask()
            return None
        return ask()

    with serving(studio.home) as url, lying(url, cuts) as proxy:
        path = recorded(laptop, url)
        before = path.read_bytes()
        assert seal(laptop, proxy, path)[1] == "server.unreachable"
        assert path.read_bytes() == before or call == "share"
        broken = False
        assert seal(laptop, proxy, path)[1] == ""
        assert not scratches(laptop.work)
    assert len(seals(studio)) == 1
    assert studio.verify(path).code == 0
    assert list((laptop.home / "begun").glob("*.json")) == []
    assert len(list((studio.home / "manifests").rglob("*.c2pa"))) == 1


@pytest.mark.slow
def test_what_was_changed_while_the_log_was_away_stays(studio: Studio, laptop: CaptureDevice) -> None:
    def loses(method: str, path: str, ask: Callable[[], Said]) -> Said | None:
        said = ask()
        return None if path.endswith("/entries") else said

    with serving(studio.home) as url:
        path = recorded(laptop, url)
        with lying(url, loses) as proxy:
            assert seal(laptop, proxy, path) == (0, "server.unreachable")
        path.write_bytes(b"painted over")
        assert seal(laptop, url, path) == (0, "seal.not-recorded")
    assert path.read_bytes() == b"painted over"
    assert not scratches(laptop.work)


@pytest.mark.slow
def test_a_server_and_a_device_that_are_killed_at_any_moment(studio: Studio, laptop: CaptureDevice) -> None:
    """Either is killed at a random moment, again and again, until everything is sealed."""
    dice = random.Random(6)
    with serving(studio.home) as url:
        paths = [recorded(laptop, url, f"{number}.png") for number in range(2)]
    environment = {**studio.environment(), "RAKKAN_HOME": str(laptop.home)}
    command = [sys.executable, "-m", "ledger", "seal", *map(str, paths), "--skip-sealed"]
    for attempt in range(8):
        listen = url.removeprefix("http://")
        server = subprocess.Popen(
            [sys.executable, "-m", "ledger", "serve", "--listen", listen],
            env=studio.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert server.stdout is not None
        server.stdout.readline(), server.stdout.readline()
        sealing = subprocess.Popen(
            [*command, "--server", url, "--device", "ws-07"],
            env=environment,
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        victim = dice.choice([server, sealing])
        time.sleep(dice.uniform(0.5, 3) if attempt < 7 else 0)
        if attempt < 7:
            os.kill(victim.pid, signal.SIGKILL)
            time.sleep(0.2)
            sealing.kill()
        sealing.communicate(timeout=60)
        server.kill()
        server.communicate()
    for path in paths:
        assert studio.verify(path).code == 0
    sealed = [item["digest"]["sha256"] for entry in seals(studio) for item in entry["subject"]]  # type: ignore[attr-defined]
    assert len(sealed) == len(set(sealed)) == 2
    assert not scratches(laptop.work)


# --- servers that lie --------------------------------------------------------------------------------------


def changing(which: str, change: Callable[[Any], Any]) -> Lie:
    """Change the JSON of one kind of call."""

    def lie(method: str, path: str, ask: Callable[[], Said]) -> Said | None:
        said = ask()
        if CALLS[which](method, path) and said.status == 200:
            said.body = json.dumps(change(json.loads(said.body))).encode()
        return said

    return lie


def other_entry(document: Any) -> Any:
    """The record says something else than what was signed and logged."""
    for entry in document["entries"]:
        entry["envelope"] = entry["envelope"].replace("ey", "ez", 1)
    return document


def swapped(document: Any) -> Any:
    """Each entry has the receipt of another."""
    receipts = [entry["receipt"] for entry in document["entries"]]
    for entry, receipt in zip(document["entries"], receipts[1:] + receipts[:1], strict=True):
        entry["receipt"] = receipt
    return document


def renumbered(document: Any) -> Any:
    for entry in document["entries"]:
        entry["index"] += 1
    return document


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (other_entry, {"proof.mismatch"}),
        (swapped, {"receipt.signature"}),
        pytest.param(renumbered, {"receipt.signature"}, marks=pytest.mark.slow),
        pytest.param(lambda _: [], {"server.unreachable"}, marks=pytest.mark.slow),
        (lambda _: {"digests": []}, {"evidence.malformed"}),
        pytest.param(
            lambda _: {"digests": ["x"], "entries": [], "manifests": []},
            {"evidence.malformed"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda _: {"digests": [], "entries": [7], "manifests": []},
            {"evidence.malformed"},
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda document: {**document, "entries": []}, {"seal.not-recorded"}, marks=pytest.mark.slow
        ),
    ],
)
def test_evidence_that_does_not_hold_is_not_signed(
    studio: Studio, laptop: CaptureDevice, change: Callable[[Any], Any], codes: set[str]
) -> None:
    with serving(studio.home) as url, lying(url, changing("evidence", change)) as proxy:
        path = recorded(laptop, url)
        before, size = path.read_bytes(), studio.size()
        count, code = seal(laptop, proxy, path)
        assert (count, code in codes) == (0, True), code
    assert (path.read_bytes(), studio.size()) == (before, size)
    assert not scratches(laptop.work)


def shown_by(other: Studio, path: Path) -> Any:
    """What another log, which records the same file, says of it."""
    copy = other.work / path.name
    copy.write_bytes(path.read_bytes())
    other.record(copy)
    with open_studio(home_at(other.home)) as theirs:
        return bundle_of(theirs, sha256(path.read_bytes()).hexdigest()).to_json()


def test_the_evidence_of_another_log_is_not_signed(
    studio: Studio, laptop: CaptureDevice, elsewhere: Studio
) -> None:
    with serving(studio.home) as url:
        path = recorded(laptop, url)
        document = shown_by(elsewhere, path)
        with lying(url, changing("evidence", lambda _: document)) as proxy:
            assert seal(laptop, proxy, path) == (0, "checkpoint.origin")
    assert seals(studio) == []


def test_a_receipt_of_another_log_is_not_taken_for_the_seal_s(
    studio: Studio, laptop: CaptureDevice, elsewhere: Studio
) -> None:
    with serving(studio.home) as url:
        path = recorded(laptop, url)
        before = path.read_bytes()
        other = shown_by(elsewhere, path)["entries"][-1]
        receipt = {"index": other["index"], "receipt": b64encode(other["receipt"].encode()).decode()}
        with lying(url, changing("entries", lambda _: {"entries": [receipt]})) as proxy:
            assert seal(laptop, proxy, path) == (0, "checkpoint.origin")
            assert path.read_bytes() == before
        # The log has the entry. An honest server says so: it is finished, not done again.
        assert seal(laptop, url, path)[1] == ""
    assert studio.verify(path).code == 0
    assert len(seals(studio)) == 1


def test_a_manifest_that_nothing_vouches_for_is_not_repeated(
    studio: Studio, laptop: CaptureDevice, elsewhere: Studio
) -> None:
    """The plate has no manifest. The server says that it does: somebody else's."""
    theirs = elsewhere.sealed("other.png", seed=21)
    with serving(studio.home) as url:
        plate = picture(laptop, "plate.png", 5)
        path = recorded(laptop, url, "final.png", plate)
        before = path.read_bytes()
        store = offline_reader().codec.store(theirs)
        assert store is not None
        named = {"sha256": sha256(plate.read_bytes()).hexdigest(), "store": sha256(store).hexdigest()}

        def lies(method: str, asked: str, ask: Callable[[], Said]) -> Said | None:
            said = ask()
            if CALLS["manifest"](method, asked):
                return Said(200, store or b"", {"Content-Type": "application/c2pa"})
            if CALLS["evidence"](method, asked):
                document = json.loads(said.body)
                said.body = json.dumps({**document, "manifests": [named]}).encode()
            return said

        with lying(url, lies) as proxy:
            assert seal(laptop, proxy, path) == (0, "seal.unproven-manifest")
        assert path.read_bytes() == before
        assert carried(laptop)("seal", path, "--server", url, "--device", "ws-07").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("call", ["evidence", "entries"])
def test_huge_and_slow_answers_end(studio: Studio, laptop: CaptureDevice, call: str) -> None:
    def floods(method: str, path: str, ask: Callable[[], Said]) -> Said | None:
        said = ask()
        return Said(200, b" " * (MAX_ANSWER + 10)) if CALLS[call](method, path) else said

    with serving(studio.home) as url, lying(url, floods) as proxy:
        path = recorded(laptop, url)
        before = path.read_bytes()
        assert seal(laptop, proxy, path) == (0, "server.unreachable")
        assert path.read_bytes() == before
        assert seal(laptop, url, path)[1] == ""
    assert len(seals(studio)) == 1
