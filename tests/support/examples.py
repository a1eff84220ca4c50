"""The examples of the description: one call of each operation to a real server, as it was asked and answered.

    python -m tests.support.examples

writes them to `api/examples.json`; `tests/e2e/test_examples.py` makes the same calls again and compares.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2

from tests.e2e.conftest import ROOT, Studio, found
from tests.support.cleared import license_production, place, policy, shoot
from tests.support.day import MEMBER, SETTINGS
from tests.support.outside import DSSE
from tests.support.receiver import receiving
from tests.support.service import running, until

FILE = ROOT / "api/examples.json"
NIGHTFALL = "/v1/productions/nightfall"
LIST = 2
"""How many items of a list of objects an example shows."""


@dataclass(frozen=True)
class Call:
    """A call of one operation. ``path`` is the template; ``body`` is bytes, or what is sent as JSON."""

    operation: str
    method: str
    path: str
    parameters: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    media_type: str = "application/json"


@dataclass
class Story:
    """A server over a production with content, and who may do everything there."""

    client: httpx2.Client
    studio: Studio
    receiver: int

    def send(self, call: Call) -> httpx2.Response:
        path, query = call.path.replace("{production}", "nightfall"), dict(call.parameters)
        for name in [name for name in query if f"{{{name}}}" in path]:
            path = path.replace(f"{{{name}}}", str(query.pop(name)))
        sent = call.body if isinstance(call.body, bytes) else json.dumps(call.body).encode()
        fields = {} if call.body is None else {"Content-Type": call.media_type}
        content = None if call.body is None else sent
        return self.client.request(call.method, path, params=query, content=content, headers=fields)

    def get(self, path: str) -> Any:
        return self.client.get(NIGHTFALL + path).json()

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(NIGHTFALL + path, json=body).json()


@contextmanager
def told(folder: Path) -> Iterator[Story]:
    """Serve the production of the examples until the block ends."""
    studio = found(folder / "studio")
    license_production(studio)
    files = shoot(studio)
    studio.ok("clear", "sh010", *policy(studio), "--record")
    of_episode = ("--action", "draw", "--episode", "ep01", *place("sh010"))
    studio.record(studio.png("first.1001.png", 10), *of_episode)
    prompted = ("--action", "generate", "--tool", "painter 1.0", "--prompt", "a lantern in the rain")
    studio.record(studio.png("note.png", 9), *prompted)
    studio.ok("seal", files["plate"], files["sh010"])
    studio.ok("enrol", "server")
    (studio.home / "inventories").mkdir()
    index = studio.work / "plates.inventory"
    (studio.home / "inventories" / index.name).write_bytes(index.read_bytes())
    roles = [item for role in ("producer", "legal", "operator", "rights-holder") for item in ("--role", role)]
    token = studio.ok("token", "create", "examples", *roles, "--party", "mori", "--json").json["token"]
    with receiving() as receiver, running(studio, **SETTINGS) as server:
        fields = {"Authorization": f"Bearer {token}"}
        with httpx2.Client(base_url=server.url, headers=fields, timeout=60) as client:
            yield Story(client, studio, receiver.port)


def calls(story: Story) -> Iterator[Call]:
    """Yield a call of every operation that can be called so, in an order in which each succeeds."""
    about = "/v1/productions/{production}"
    final = sha256((story.studio.work / "final.1001.png").read_bytes()).hexdigest()
    drawn = sha256((story.studio.work / "sh030.1001.png").read_bytes()).hexdigest()
    cleared = story.get("/verdicts")["verdicts"][0]["sha256"]
    size = story.get("")["log"]["size"]
    prompted = story.get("/steps?limit=1000")["steps"][-1]["entry"]
    envelope = story.client.get(f"{NIGHTFALL}/log/entries/{size - 1}").content
    leaf = sha256(b"\0" + envelope).hexdigest()
    (signer,) = (
        item["keyid"]
        for item in json.loads(story.client.get(f"{NIGHTFALL}/log/entries/{prompted}").content)["signatures"]
    )
    yield Call("list_productions", "GET", "/v1/productions")
    yield Call("show_production", "GET", about)
    yield Call("show_me", "GET", "/v1/me")
    yield Call("health", "GET", "/health")
    yield Call("ready", "GET", "/ready")
    yield Call("metrics", "GET", "/metrics")
    yield Call("isolation", "GET", "/v1/verify/isolation")
    yield Call("add_entries", "POST", f"{about}/entries", {}, envelope, DSSE)
    opened = f'{{"entry": {prompted}, "disclosures": []}}\n'.encode()
    yield Call("add_openings", "POST", f"{about}/openings", {}, opened, "application/x-ndjson")
    yield Call("verify_file", "POST", "/v1/verify", {}, {"sha256": final})
    yield Call("verify_digest", "GET", "/v1/verify/{digest}", {"digest": f"sha256:{final}"})
    yield from _of_the_log(f"{about}/log", size, leaf, signer)
    yield from _of_the_work(about, final, drawn, cleared, prompted)
    yield Call("open_entry", "POST", f"{about}/disclosures/{{entry}}", {"entry": prompted},
               {"purpose": "claim 2026-114: is the prompt theirs?"})  # fmt: skip
    yield from _of_reports(story, f"{about}/reports")
    yield from _of_webhooks(story, f"{about}/webhooks")
    yield from _of_access(story, about, final)


def _of_the_log(log: str, size: int, leaf: str, signer: str) -> Iterator[Call]:
    yield Call("checkpoint", "GET", f"{log}/checkpoint")
    yield Call("tile", "GET", f"{log}/tile/{{path}}", {"path": f"0/000.p/{size}"})
    yield Call("entry_bundle", "GET", f"{log}/tile/entries/{{path}}", {"path": f"000.p/{size}"})
    yield Call("entry", "GET", f"{log}/entries/{{index}}", {"index": size - 1})
    yield Call("entry_receipt", "GET", f"{log}/entries/{{index}}/receipt", {"index": size - 1})
    yield Call("receipt_by_leaf", "GET", f"{log}/receipts/{{leaf_hash}}", {"leaf_hash": leaf})
    yield Call("consistency", "GET", f"{log}/consistency", {"old": 3, "new": size})
    yield Call("keys", "GET", f"{log}/keys")
    yield Call("trust", "GET", f"{log}/trust")
    yield Call("device", "GET", f"{log}/devices/{{keyid}}", {"keyid": signer})


def _of_the_work(about: str, final: str, drawn: str, cleared: str, step: int) -> Iterator[Call]:
    yield Call("list_assets", "GET", f"{about}/assets", {"limit": LIST, "shot": "sh010"})
    yield Call("show_asset", "GET", f"{about}/assets/{{digest}}", {"digest": final})
    yield Call("show_lineage", "GET", f"{about}/assets/{{digest}}/lineage", {"digest": final, "depth": 4})
    yield Call("read_evidence", "GET", f"{about}/evidence/{{sha256}}", {"sha256": drawn})
    yield Call("read_manifest", "GET", f"{about}/manifests/{{sha256}}", {"sha256": final})
    yield Call("list_steps", "GET", f"{about}/steps", {"limit": LIST, "sequence": "sq010"})
    yield Call("show_step", "GET", f"{about}/steps/{{index}}", {"index": step})
    yield Call("list_shots", "GET", f"{about}/shots", {"limit": LIST})
    yield Call(
        "show_shot", "GET", f"{about}/shots/{{sequence}}/{{shot}}", {"sequence": "sq010", "shot": "sh010"}
    )
    episode = {"episode": "ep01", "sequence": "sq010", "shot": "sh010"}
    yield Call("show_shot_of_episode", "GET", f"{about}/shots/{{episode}}/{{sequence}}/{{shot}}", episode)
    yield Call("show_coverage", "GET", f"{about}/coverage", {"sequence": "sq010"})
    yield Call("list_things", "GET", f"{about}/registry/{{kind}}", {"kind": "grants", "limit": LIST})
    yield Call("show_thing", "GET", f"{about}/registry/{{kind}}/{{name}}", {"kind": "models", "name": "sky"})
    yield Call("list_verdicts", "GET", f"{about}/verdicts", {"state": "cleared", "limit": LIST})
    yield Call("show_verdicts", "GET", f"{about}/verdicts/{{digest}}", {"digest": cleared})
    asked = {"targets": ["sq010/sh010"], "policy": "house", "deliverable": "final"}
    yield Call("compute_clearance", "POST", f"{about}/clearances", {}, asked)
    asked = {"thing": "G-7", "ifRevoked": "2026-02-01T00:00:00Z", "policy": "house"}
    yield Call("compute_impact", "POST", f"{about}/impact", {}, asked)
    questions = f"{about}/questions"
    yield Call("ask_unknown_origin", "GET", f"{questions}/unknown-origin", {"limit": LIST, "shot": "sh010"})
    yield Call("ask_used", "GET", f"{questions}/used", {"thing": "sky", "limit": LIST})
    yield Call("ask_coverage", "GET", f"{questions}/coverage", {"by": "shot", "limit": LIST})
    ends = {"grant": "G-7", "on": "2026-02-01T00:00:00Z", "policy": "house", "limit": LIST}
    yield Call("ask_if_ended", "POST", f"{questions}/if-ended", {}, ends)
    yield Call("ask_own_works", "POST", f"{about}/own-works", {}, {"works": [MEMBER]})
    yield Call("list_own_lines", "GET", f"{about}/own-works", {"limit": LIST})


def _of_reports(story: Story, reports: str) -> Iterator[Call]:
    wanted = {"policy": "house", "view": "distributor", "at": "2026-11-22T03:00:00Z"}
    yield Call("make_report", "POST", reports, {}, wanted)
    made = {"job": story.get("/reports")["reports"][0]["id"]}
    until(lambda: story.get(f"/reports/{made['job']}")["state"] == "done")
    yield Call("list_reports", "GET", reports)
    yield Call("show_report", "GET", f"{reports}/{{job}}", made)
    file = {**made, "name": "report.xlsx"}
    yield Call("read_report_file", "GET", f"{reports}/{{job}}/files/{{name}}", file)
    path = story.post("/shares", {"report": made["job"]})["path"]
    held = {"secret": path.removeprefix("/s/"), "name": "report.xlsx"}
    yield Call("open_shared_file", "GET", "/s/{secret}/files/{name}", held)
    yield Call("remove_report", "DELETE", f"{reports}/{{job}}", made)


def _of_webhooks(story: Story, hooks: str) -> Iterator[Call]:
    url = f"http://127.0.0.1:{story.receiver}/rakkan"
    wanted = {"url": url, "types": ["verdict.changed"], "role": "distributor"}
    yield Call("add_webhook", "POST", hooks, {}, wanted)
    yield Call("list_webhooks", "GET", hooks)
    made = {"webhook": story.get("/webhooks")["webhooks"][0]["id"]}
    yield Call("get_webhook", "GET", f"{hooks}/{{webhook}}", made)
    yield Call("try_webhook", "POST", f"{hooks}/{{webhook}}/test", made)
    yield Call("resume_webhook", "POST", f"{hooks}/{{webhook}}/resume", made)
    yield Call("renew_secret", "POST", f"{hooks}/{{webhook}}/secret", made)
    yield Call("remove_webhook", "DELETE", f"{hooks}/{{webhook}}", made)


def _of_access(story: Story, about: str, final: str) -> Iterator[Call]:
    wanted = {"sha256": final, "name": "ep07", "days": 14}
    yield Call("make_share", "POST", f"{about}/shares", {}, wanted)
    yield Call("list_shares", "GET", f"{about}/shares")
    made = story.post("/shares", wanted)
    yield Call("open_share", "GET", "/s/{secret}", {"secret": made["path"].removeprefix("/s/")})
    yield Call("revoke_share", "DELETE", f"{about}/shares/{{identifier}}", {"identifier": made["id"]})
    bot = {"name": "dailies-bot", "roles": ["producer"], "days": 30}
    yield Call("make_token", "POST", f"{about}/tokens", {}, bot)
    yield Call("list_tokens", "GET", f"{about}/tokens")
    gone = {"identifier": story.post("/tokens", bot)["id"]}
    yield Call("revoke_token", "DELETE", f"{about}/tokens/{{identifier}}", gone)


def shown(answer: httpx2.Response) -> Any:
    """Return the body of an answer for people: JSON with short lists, or text; ``None`` for bytes."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.content and kind.endswith("json"):
        return _short(answer.json())
    # The numbers of /metrics are of the machine, and many.
    return answer.text if kind == "text/plain" and answer.url.path != "/metrics" else None


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_short(item) for item in (value[:LIST] if value and isinstance(value[0], dict) else value)]
    return value


def example(call: Call, answer: httpx2.Response) -> dict[str, Any]:
    """Return what stands in the file for a call: parameters, body and answer, each where there is one."""
    made: dict[str, Any] = {}
    if call.parameters:
        made["parameters"] = call.parameters
    if call.body is not None:
        text = call.body.decode() if isinstance(call.body, bytes) else call.body
        made["body"] = {call.media_type: json.loads(text) if call.media_type == DSSE else text}
    if (body := shown(answer)) is not None:
        kind = answer.headers["content-type"].partition(";")[0]
        made["answer"] = {"status": str(answer.status_code), "type": kind, "body": body}
    return made


def main() -> int:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder, told(Path(folder)) as story:
        made = {}
        for call in calls(story):
            answer = story.send(call)
            assert answer.is_success, (call, answer.text)
            made[call.operation] = example(call, answer)
    FILE.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
