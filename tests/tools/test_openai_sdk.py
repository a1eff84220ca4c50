"""OpenAI's own library against the provider on this machine, with our transport under it; and real httpx."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.digest import sha256_hex
from tests.architecture.project import ROOT
from tests.support.provider import Provider, sealed_png, serving
from tests.support.remote import HOOKS, KEY, NIGHTFALL, PROMPT, Spool, words
from tests.support.sealing import workshop
from tests.support.tools import tool_python

pytestmark = pytest.mark.tools

BEGIN = """
import asyncio, base64, json, sys
sys.path.insert(0, sys.argv[1])
import httpx2, httpx, openai, requests
import rakkan_attempts, rakkan_clients, rakkan_remote
rakkan_attempts.FIRST_PAUSE = 0.02
url, folder, prompt, key, place = sys.argv[2:6] + [json.loads(sys.argv[6])]
mine = {"Authorization": "Bearer " + key}
orbit = rakkan_remote.Provider("OpenAI", "gpt-image", plan="enterprise", account="account:2c41", attempts=5)
transport = rakkan_clients.httpx_transport(orbit, httpx2)
client = openai.OpenAI(
    api_key=key, base_url=url + "/v1", http_client=httpx2.Client(transport=transport), max_retries=0
)
"""
IMAGE = """
with orbit.call(place=place) as call:
    made = client.images.generate(model="gpt-image-1", prompt=prompt, size="1024x1024")
    call.save(base64.b64decode(made.data[0].b64_json), folder + "/sh0020.png")
"""
ASYNC_IMAGE = """
async def main():
    transport = rakkan_clients.async_httpx_transport(orbit, httpx2)
    async with httpx2.AsyncClient(transport=transport) as inner:
        client = openai.AsyncOpenAI(api_key=key, base_url=url + "/v1", http_client=inner, max_retries=0)
        with orbit.call(place=place) as call:
            made = await client.images.generate(model="gpt-image-1", prompt=prompt, size="1024x1024")
            call.save(base64.b64decode(made.data[0].b64_json), folder + "/sh0020.png")
asyncio.run(main())
"""
REFUSED = """
try:
    with orbit.call(place=place):
        client.images.generate(model="gpt-image-1", prompt=prompt)
except openai.BadRequestError as error:
    print(error.code)
"""
VIDEO = """
with orbit.call(place=place) as call:
    job = client.videos.create_and_poll(model="sora-2", prompt=prompt, seconds="4", poll_interval_ms=10)
    call.save(client.videos.download_content(job.id), folder + "/sh0020.mp4")
"""
HTTPX = """
with httpx.Client(transport=rakkan_clients.httpx_transport(orbit, httpx)) as client, orbit.call() as call:
    answer = client.post(url + "/v1/images", json={"prompt": prompt}, headers=mine)
    call.save(base64.b64decode(answer.json()["data"][0]["b64_json"]), folder + "/sh0020.png")
"""
REQUESTS = """
with requests.Session() as session, orbit.call() as call:
    session.mount("http://", rakkan_clients.requests_adapter(orbit, requests))
    answer = session.post(url + "/v1/images", json={"prompt": prompt}, headers=mine)
    call.save(base64.b64decode(answer.json()["data"][0]["b64_json"]), folder + "/sh0020.png")
"""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serving(Provider(picture=sealed_png())) as found:
        yield found


def run(code: str, provider: Provider, tmp_path: Path) -> str:
    """Run a studio's code in the tool's Python; return what it printed."""
    command = [str(tool_python("remote")), "-c", BEGIN + code, str(HOOKS), provider.url, str(tmp_path)]
    result = subprocess.run(
        [*command, PROMPT, KEY, json.dumps(NIGHTFALL)],
        env={**os.environ, "RAKKAN_SPOOL": str(tmp_path / "spool")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    "code", [IMAGE, ASYNC_IMAGE, HTTPX, REQUESTS], ids=["openai", "async openai", "httpx", "requests"]
)
def test_a_picture_after_a_flood(code: str, provider: Provider, tmp_path: Path) -> None:
    provider.script = ["throttle:0", "drop", "break", "accept"]
    run(code, provider, tmp_path)
    spool = Spool(tmp_path / "spool")
    record, found = spool.one()
    assert words(found) == ["throttled", "failed", "failed", "accepted"]
    assert len(provider.sent_keys()) == 1
    assert (tmp_path / "sh0020.png").read_bytes() == provider.picture
    assert [item.sha256 for item in record.outputs] == [sha256_hex(provider.picture)]
    assert workshop().codec.read(tmp_path / "sh0020.png", None, workshop().anchors) is not None
    assert record.secrets["prompt"] == PROMPT
    assert "CANARY" not in spool.in_clear()


def test_a_refusal_is_openais_own_error_and_on_record(provider: Provider, tmp_path: Path) -> None:
    provider.script = ["refuse"]
    assert run(REFUSED, provider, tmp_path) == "moderation_blocked"
    spool = Spool(tmp_path / "spool")
    record, found = spool.one()
    assert (words(found), found.outcome.value, record.failed) == (["refused"], "refused", "BadRequestError")
    everything = b"".join(path.read_bytes() for path in spool.folder.rglob("*") if path.is_file())
    assert KEY.encode() not in everything


def test_the_page_is_right(provider: Provider, tmp_path: Path) -> None:
    """The first code of docs/howto/record-remote-services.md, as it stands there."""
    (tmp_path / "terms.html").write_text("All is yours.")
    page = (ROOT / "docs/howto/record-remote-services.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    here = "import os\nos.chdir(folder)\nos.environ.update(OPENAI_API_KEY=key, OPENAI_BASE_URL=url + '/v1')\n"
    run(here + code, provider, tmp_path)
    record, found = Spool(tmp_path / "spool").one()
    assert (words(found), len(record.outputs), len(record.inputs)) == (["accepted"], 1, 1)
    assert found.terms is not None
    assert found.terms.sha256 == sha256_hex(b"All is yours.")


def test_a_film_is_one_call_with_its_job(provider: Provider, tmp_path: Path) -> None:
    provider.script, provider.jobs = ["throttle:0", "job"], ["queued", "429", "in_progress", "completed"]
    run(VIDEO, provider, tmp_path)
    record, found = Spool(tmp_path / "spool").one()
    assert (found.job, words(found)) == ("job_7", ["throttled", "accepted", "throttled"])
    assert (record.secrets["prompt"], record.parameters["seconds"]) == (PROMPT, "4")
    assert [item.sha256 for item in record.outputs] == [sha256_hex(provider.picture)]
