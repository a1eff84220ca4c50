"""The receiver that docs/howto/receive-webhooks.md shows does what the page says."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from ledger.core.webhook import format_secret, signed_headers
from tests.e2e.conftest import ROOT, Studio
from tests.e2e.test_webhooks import Client, frames, served

PAGE = ROOT / "docs/howto/receive-webhooks.md"


def test_the_receiver_of_the_page_takes_what_is_genuine_once_and_nothing_else(
    studio: Studio, tmp_path: Path
) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"http://127.0.0.1:{port}/rakkan"
    with served(studio) as client:
        made = client("POST", "", {"url": url, "types": ["entry.step"]})[1]
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, "RAKKAN_SECRETS": made["secret"], "PORT": str(port)},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        try:
            first = frames(studio, 1, 2)
            index = studio.size() - 2
            said = [process.stdout.readline() for _ in first]
            assert said == [f"entry.step {index + n} ['{name}']\n" for n, name in enumerate(first)]
            assert answers(url, made["secret"], client, index)
            (third,) = frames(studio, 3, 1)
            assert process.stdout.readline() == f"entry.step {index + 2} ['{third}']\n"
        finally:
            process.terminate()
            process.wait(10)
            process.stdout.close()


def answers(url: str, secret: str, client: Client, index: int) -> bool:
    """Whether the receiver answers each of these as it should."""
    body = b'{"type":"events","data":{"events":[{"type":"entry.step","data":{"index":%d}}]}}' % index
    now = int(time.time())
    return [
        status(url, body, **signed_headers("msg_again", now, body, [secret])),
        status(url, body + b" ", **signed_headers("msg_forged", now, body, [secret])),
        status(url, body, **signed_headers("msg_old", now - 600, body, [secret])),
        status(url, body, **signed_headers("msg_other", now, body, [format_secret(b"x" * 32)])),
        status(url, body),
        client("POST", f"/{client('GET')[1]['webhooks'][0]['id']}/test")[1]["status"],
    ] == [204, 401, 401, 401, 401, 204]


def status(url: str, body: bytes, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
