"""A whole working day of a studio against a running server, told once; `tests/e2e/test_working_day.py`.

What asks is curl, openssl, or the command `rakkan` in a process of its own: from the morning on, nothing here
calls our code.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import ledger.wiring
from tests.e2e.conftest import Studio, found
from tests.support.cleared import license_production, policy, shoot
from tests.support.outside import DSSE, Answer, Curl, Key
from tests.support.receiver import Receiver
from tests.support.service import Running, running, until

SETTINGS = {
    "RAKKAN_SERVE_WEBHOOKS_ALLOWED": "127.0.0.0/8",
    "RAKKAN_SERVE_WEBHOOKS_HTTP": "true",
    "RAKKAN_SERVE_WEBHOOKS_POLL": "50ms",
}
MEMBER, ABSENT = "1" * 64, "7" * 64
PAINTER, DRAWER = "ws-06", "ws-07"
FRAME, DRAWN, LATE = "sh040.1001.png", "key-art.png", "late.png"
QUESTION = {"targets": ["sq010/sh040"], "policy": "house", "deliverable": "final"}


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Day:
    """The studio, its server, who asks, and what was answered."""

    def __init__(self, studio: Studio, folder: Path, receiver: Receiver) -> None:
        self.studio, self.folder, self.receiver = studio, folder, receiver
        self.work = folder / "laptop"
        self.work.mkdir()
        self.said: dict[str, Any] = {}
        self.checkpoints: list[bytes] = []
        self._stack = ExitStack()
        self._tokens: dict[str, str] = {}

    # --- the server ----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start the server, with two workers."""
        self.server: Running = self._stack.enter_context(running(self.studio, "--workers", 2, **SETTINGS))

    def kill(self) -> None:
        """End every process of the server at once, with a signal that none can catch."""
        for pid in (self.server.process.pid, *self.server.workers()):
            os.kill(pid, signal.SIGKILL)
        self.server.process.wait(30)

    def close(self) -> None:
        self._stack.close()

    def rakkan(self, *arguments: object, code: int = 0) -> Any:
        """Run the command in a process; return its JSON, or its words where it has none."""
        done = self.studio.process(*arguments)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    # --- who asks ------------------------------------------------------------------------------------------

    def hire(self, role: str, *options: str) -> None:
        made = self.rakkan("token", "create", role, "--role", role, *options, "--json")
        self._tokens[role] = made["token"]

    def curl(self, role: str | None = None) -> Curl:
        return Curl(self.server.url, self.folder, self._tokens[role] if role else None)

    def remember(self) -> None:
        """Keep the checkpoint of this moment."""
        answer = self.curl()("log/checkpoint")
        assert answer.status == 200
        self.checkpoints.append(answer.body)

    # --- the device ----------------------------------------------------------------------------------------

    def key(self, device: str) -> Key:
        return Key(self.folder / device / "keys/devices" / device / "statement.pem", self.folder)

    def seal(self, device: str, path: Path) -> Any:
        """Seal a file on the device, which has no ledger; return what the command says of it."""
        laptop = Studio(self.folder / device, self.work)
        done = laptop.process("seal", path, "--server", self.server.url, "--device", device, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)[0]

    def picture(self, name: str, seed: int) -> Path:
        path = self.work / name
        size = (24, 16)
        Image.frombytes("RGB", size, bytes((seed * 7 + i * i) % 256 for i in range(24 * 16 * 3))).save(path)
        return path

    def send(self, entry: bytes) -> Answer:
        """Bring an entry, as whoever comes by: its signature is its credential."""
        path = self.folder / "entry.dsse.json"
        path.write_bytes(entry)
        return self.curl()("entries", "-H", f"Content-Type: {DSSE}", "--data-binary", f"@{path}")

    def drawn(self, path: Path) -> dict[str, Any]:
        """Return the statement of a step in which somebody drew a picture now."""
        made = self.painted(path, timedelta())
        del made["predicate"]["materials"]
        return {**made, "predicate": {**made["predicate"], "action": "draw"}}

    def painted(self, path: Path, ago: timedelta = timedelta(hours=1)) -> dict[str, Any]:
        """Return the statement of a step that painted a picture with the licensed model, an hour ago."""
        samples = Image.open(path).tobytes()
        pixels = sha256(b"rakkan.org/pixels/v1\nRGB 24x16\n" + samples).hexdigest()
        weights = self.studio.work / "sky.safetensors"
        moment = written(datetime.now(UTC) - ago)
        return {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {
                    "name": path.name,
                    "digest": {"sha256": digest(path)},
                    "mediaType": "image/png",
                    "annotations": {"pixels": pixels},
                }
            ],
            "predicateType": "https://rakkan.org/step/v2",
            "predicate": {
                "stepId": f"day-{path.stem}",
                "action": "generate",
                "actor": "actor:9f3b6c52",
                "evidence": "observed",
                "started": moment,
                "finished": moment,
                "tool": {"name": "painter", "version": "1.0"},
                "place": {
                    "production": "nightfall",
                    "sequence": "sq010",
                    "shot": "sh040",
                    "frames": {"first": 1001, "last": 1001},
                },
                "materials": [
                    {"name": "sky", "digest": {"sha256": digest(weights)}, "annotations": {"role": "model"}}
                ],
            },
        }

    def wait(self, file: Path, text: str) -> None:
        until(lambda: file.exists() and text in file.read_text())


# --- the day -----------------------------------------------------------------------------------------------


def yesterday(folder: Path) -> Studio:
    """Return a studio that was founded yesterday: its rights, a painter's device, and other work, cleared."""
    with pytest.MonkeyPatch.context() as patch:
        before = datetime.now(UTC) - timedelta(days=1)
        patch.setattr(ledger.wiring.SystemClock, "now", lambda _self: before)
        studio = found(folder / "studio")
        license_production(studio)
        shoot(studio)
        studio.ok("clear", "sh010", *policy(studio), "--record")
        studio.ok("enrol", PAINTER, "--out", folder / PAINTER)
    inventories = studio.home / "inventories"
    inventories.mkdir()
    shutil.copy(studio.work / "plates.inventory", inventories)
    return studio


def morning(day: Day) -> None:
    """Another device is enrolled; openssl signs, curl brings it, `rakkan seal` asks the server."""
    day.remember()
    day.rakkan("enrol", DRAWER, "--out", day.folder / DRAWER)
    path, drawn = day.picture(FRAME, 1), day.picture(DRAWN, 2)
    day.said["entry"] = entry = day.key(PAINTER).envelope(day.painted(path))
    day.said["recorded"] = day.send(entry)
    assert day.said["recorded"].status == 201, day.said["recorded"].body
    day.said["again"] = day.send(entry)
    assert day.send(day.key(DRAWER).envelope(day.drawn(drawn))).status == 201
    day.said["unsealed"] = day.curl().verify(path)
    day.said["seal"] = day.seal(PAINTER, path)
    day.seal(DRAWER, drawn)
    day.said["proven"] = day.curl().verify(path)
    day.remember()


def clearing(day: Day) -> None:
    """Tokens are made; the shot is cleared over HTTP, and a verdict goes on record."""
    for role in ("producer", "auditor", "distributor", "operator"):
        day.hire(role)
    day.hire("rights-holder", "--party", "mori")
    day.said["clearance"] = day.curl("producer").post("clearances", QUESTION)
    day.rakkan("clear", "sq010/sh040", *policy(day.studio), "--record", "--json")
    day.said["then"] = day.curl("producer").verify(day.work / FRAME)
    day.remember()


def revoking(day: Day) -> None:
    """Somebody listens; the grant is revoked and the verdicts are looked at again."""
    events = day.folder / "events.txt"
    listening = day.curl("distributor").following(events, "verdict")
    wanted = {"url": f"http://127.0.0.1:{day.receiver.port}/in", "types": ["verdict.changed"]}
    day.said["webhook"] = day.curl("producer").post("webhooks", wanted)
    try:
        day.wait(events, "retry:")
        now = datetime.now(UTC)
        quarter = now.replace(minute=now.minute // 15 * 15, second=0)  # as contracts have it
        day.rakkan("grant", "revoke", "G-7", "--effective", written(quarter))
        day.rakkan("recheck", "--json", code=4)
        day.wait(events, "verdict.changed")
        day.receiver.until(1)
    finally:
        listening.kill()
        listening.wait()
    day.said["events"] = events.read_text()
    day.said["blocked"] = day.curl("producer").verify(day.work / FRAME)
    day.remember()


def strangers(day: Day) -> None:
    """A stripped copy, a tampered one, and a rights holder who asks."""
    path, stripped, tampered = (day.work / name for name in (FRAME, "from-the-web.png", "tampered.png"))
    with Image.open(path) as picture:
        Image.frombytes(picture.mode, picture.size, picture.tobytes()).save(stripped, compress_level=1)
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    tampered.write_bytes(data)
    day.said["stripped"] = day.curl().verify(stripped)
    day.said["tampered"] = day.curl().verify(tampered)
    asked = day.curl("rights-holder").post("own-works", {"works": [MEMBER, ABSENT]})
    day.said["own works"] = asked
    (dataset,) = asked.json["datasets"]
    root = ("--size", dataset["inventory"]["size"], "--root", dataset["inventory"]["root"])
    for work in dataset["works"]:
        proof = day.folder / f"{work['answer']}.json"
        proof.write_text(json.dumps(work["proof"], sort_keys=True, separators=(",", ":")))
        checked = day.rakkan("inventory", "check", proof, "--work", work["sha256"], *root)
        day.said[f"checked {work['answer']}"] = checked


def lost(day: Day) -> None:
    """The device is stolen: its key is revoked, and worth nothing from then on."""
    path = f"/v1/productions/nightfall/log/entries/{day.said['recorded'].json['index']}"
    late, key, curl = day.picture(LATE, 3), day.key(DRAWER), day.curl()
    day.said["signed before"] = curl(path, *key.fields(curl, path))
    day.rakkan("key", "revoke", DRAWER, "--why", "stolen")
    day.said["signed after"] = curl(path, *key.fields(curl, path))
    day.said["late"] = day.send(key.envelope(day.drawn(late)))
    day.said["still proven"] = day.curl().verify(day.work / DRAWN)
    day.remember()


def night(day: Day) -> None:
    """The whole server is killed, and started again."""
    day.kill()
    day.open()
    day.remember()


def told(receiver: Receiver) -> list[dict[str, Any]]:
    """Return the events that were posted."""
    return [event for _, body in receiver.got for event in json.loads(body)["data"]["events"]]


def spoken(stream: str) -> list[dict[str, Any]]:
    """Return the events of a stream of server-sent events."""
    return [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
