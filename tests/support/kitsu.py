"""A real Kitsu server (Zou) for tests: PostgreSQL, Redis, the API and the event stream, all on the loopback.

Skips with a reason where one of them cannot be had. Every process that is started is ended by its own handle.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.support.postgres import PostgresServer
from tests.support.tools import tool_python

EMAIL, PASSWORD = "listener@studio.example", "a-made-up-password"
API = ("-k", "gevent", "zou.app:app")
EVENTS = ("-k", "geventwebsocket.gunicorn.workers.GeventWebSocketWorker", "zou.event_stream:app")
SECONDS = 60


@dataclass
class Kitsu:
    """A running server. ``url`` ends in no slash; ``python`` is the one that has gazu."""

    python: Path
    folder: Path
    environment: dict[str, str]
    api_port: int
    events_port: int
    _token: str = ""
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def events_url(self) -> str:
        return f"http://127.0.0.1:{self.events_port}"

    def start(self) -> None:
        """Start the API and the event stream, and wait until both answer."""
        for port, command in ((self.api_port, API), (self.events_port, EVENTS)):
            arguments = (
                "-m",
                "gunicorn",
                "-w",
                "1",
                "--graceful-timeout",
                "1",
                "-b",
                f"127.0.0.1:{port}",
                *command,
            )
            self._running.append(self.launch(str(self.python), *arguments))
        for url in (self.url, self.events_url):
            wait_for(url)

    def stop(self) -> None:
        """End both. What is stored stays."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(SECONDS)
        self._running.clear()

    def launch(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a process of the server's, with its settings; its output goes to the server's log."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def zou(self, *arguments: str) -> None:
        """Run the server's own command."""
        code = self.launch(str(self.python.parent / "zou"), *arguments).wait(SECONDS)
        assert code == 0, (self.folder / "log").read_text()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer of the API to the administrator."""
        if not self._token and path != "auth/login":
            said = {"email": EMAIL, "password": PASSWORD}
            self._token = self.call("POST", "auth/login", said)["access_token"]
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(f"{self.url}/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)

    def gazu(self, code: str, *arguments: str) -> Any:
        """Run code that uses gazu, logged in, and return what it assigns to ``result``."""
        program = (
            "import gazu, json, sys\n"
            f"gazu.set_host({self.url!r}); gazu.log_in({EMAIL!r}, {PASSWORD!r})\n"
            f"{code}\nprint(json.dumps(result))"
        )
        done = subprocess.run(
            [str(self.python), "-c", program, *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def running(folder: Path, postgres: PostgresServer) -> Iterator[Kitsu]:
    """Make a server with an administrator and no production, and end it."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    python = tool_python("kitsu")
    redis_port, api_port, events_port = free_ports(3)
    database = make_url(postgres.url(postgres.new()))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
        "DB_HOST": "",  # the database listens on a socket, for which Zou's settings have no place
        "PGHOST": str(database.query["host"]),
        "DB_PORT": str(database.port or 5432),
        "DB_USERNAME": str(database.username),
        "DB_PASSWORD": str(database.password or "none"),
        "DB_DATABASE": str(database.database),
        "DB_POOL_SIZE": "5",
        "KV_HOST": "127.0.0.1",
        "KV_PORT": str(redis_port),
        "SECRET_KEY": "made up for one test",
        "PREVIEW_FOLDER": str(folder / "previews"),
        "TMP_DIR": str(folder / "tmp"),
        "INDEXER_PORT": "1",
        "MAIL_CHECK_DELIVERABILITY": "False",
    }
    for name in ("previews", "tmp"):
        (folder / name).mkdir(parents=True)
    kitsu = Kitsu(python, folder, environment, api_port, events_port)
    with ExitStack() as ends:
        options = ("--port", str(redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
        redis = kitsu.launch("redis-server", *options)
        ends.callback(redis.wait, SECONDS)
        ends.callback(redis.terminate)
        kitsu.zou("init-db")
        kitsu.zou("init-data")
        kitsu.zou("create-admin", EMAIL, "--password", PASSWORD)
        ends.callback(kitsu.stop)
        kitsu.start()
        yield kitsu


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_for(url: str) -> None:
    """Return when the URL answers at all."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.2)
        else:
            return
