"""`rakkan serve` with several processes: they share a socket, are watched, replaced, and stopped."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sqlite3
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.core.artifact import Artifact
from ledger.wiring import home_at
from tests.e2e.conftest import Studio
from tests.e2e.test_cli_serve import post
from tests.support.builders import digest, envelope, step
from tests.support.service import Running, alive, running, until
from tests.support.tls import certificate


def test_a_worker_that_is_killed_is_replaced(studio: Studio) -> None:
    with running(studio, "--workers", 2) as server:
        assert server.health() == 200
        first = server.workers()
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(server.workers()) == 2 and first[0] not in server.workers())
        assert server.health() == 200
        server.signal(signal.SIGTERM)
        assert server.ended() == 0
        assert "A worker ended with -9" in server.log.read_text()


@pytest.mark.slow
def test_workers_that_keep_dying_end_the_service_with_a_reason(studio: Studio) -> None:
    with running(studio) as server:
        for _ in range(5):
            until(lambda: server.workers() or server.process.poll() is not None)
            for pid in server.workers():
                os.kill(pid, signal.SIGKILL)
                until(lambda pid=pid: not alive(pid))  # type: ignore[misc]  # lambda with a default
        assert server.ended() == 2
        assert "[server.crash-loop]" in server.log.read_text()


@pytest.mark.slow
def test_what_a_worker_cannot_start_for_is_the_commands_error(studio: Studio) -> None:
    (studio.home / "ledger.sqlite").unlink()
    with running(studio, "--workers", 2) as server:
        assert server.ended() == 2
        error = server.log.read_text()
    assert "[home.missing]" in error
    assert "Traceback" not in error


@pytest.mark.slow
def test_workers_end_when_the_one_that_watches_is_killed(studio: Studio) -> None:
    with running(studio, "--workers", 2) as server:
        server.health()
        workers = server.workers()
        server.signal(signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid in workers))


def test_a_request_that_has_begun_is_answered_after_sigterm(studio: Studio) -> None:
    body = b"{}\n"
    with running(studio) as server:
        server.health()
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as caller:
            head = "POST /v1/productions/nightfall/entries HTTP/1.1\r\nHost: x\r\n"
            head += "Content-Type: application/x-ndjson\r\nContent-Length: 3\r\n\r\n"
            caller.sendall(head.encode() + body[:1])
            until(lambda: _busy(server))
            server.signal(signal.SIGTERM)
            until(lambda: not _listens(host, int(port)))
            caller.sendall(body[1:])
            assert caller.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert server.ended() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("signals", "limit"), [(1, 30), (2, 6)])
def test_a_request_that_never_ends_does_not_keep_the_service(
    studio: Studio, signals: int, limit: int
) -> None:
    grace = "2s" if signals == 1 else "60s"
    with running(studio, RAKKAN_SERVE_WORKERS_GRACE=grace) as server:
        server.health()
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as caller:
            caller.sendall(b"POST /v1/productions/nightfall/entries HTTP/1.1\r\nHost: x\r\n")
            caller.sendall(b"Content-Type: application/x-ndjson\r\nContent-Length: 3\r\n\r\n{")
            until(lambda: _busy(server))
            for _ in range(signals):
                server.signal(signal.SIGTERM)
                until(lambda: not _listens(host, int(port)))
            assert server.ended(limit) == 0


@pytest.mark.slow
def test_sighup_takes_the_new_certificate_without_a_gap(studio: Studio, tmp_path: Path) -> None:
    names = certificate(tmp_path, "one"), certificate(tmp_path, "two")
    here = tmp_path / "now.pem"
    here.write_bytes(names[0].read_bytes())
    tls = {"RAKKAN_SERVE_TLS_CERTIFICATE": str(here), "RAKKAN_SERVE_TLS_KEY": str(here)}
    with running(studio, **tls) as server:
        assert server.url.startswith("https://")
        port = int(server.url.rpartition(":")[2])
        until(server.workers)
        assert _name(port) == "one"
        old = server.workers()
        here.write_bytes(names[1].read_bytes())
        server.signal(signal.SIGHUP)
        until(lambda: _name(port) == "two" and not alive(old[0]))
        here.write_text("no certificate")
        kept = server.workers()
        server.signal(signal.SIGHUP)
        until(lambda: "The workers were not replaced" in server.log.read_text())
        assert (server.workers(), _name(port)) == (kept, "two")


@pytest.mark.slow
def test_it_listens_on_a_unix_socket_as_well(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with running(studio, RAKKAN_SERVE_LISTEN_UNIX=str(path)) as server:
        assert path.stat().st_mode & 0o777 == 0o660
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(path))
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
        server.signal(signal.SIGTERM)
        server.ended()
    assert not path.exists()


@pytest.mark.slow
def test_two_servers_do_not_share_an_address(studio: Studio) -> None:
    with running(studio) as server:
        address = server.url.removeprefix("http://")
        studio.fails("server.address", "serve", "--listen", address)


def test_config_says_what_is_in_effect_and_whether_it_works(studio: Studio, tmp_path: Path) -> None:
    (studio.home / "service.toml").write_text("[workers]\ncount = 2\n")
    found = {one["name"]: one for one in studio.ok("config", "show", "--json").json["settings"]}
    assert found["workers.count"]["value"] == "2"
    assert found["workers.count"]["source"] == str(studio.home / "service.toml")
    assert studio.ok("config", "check").out.count("✕") == 0
    made = certificate(tmp_path, "studio", days=3)
    (studio.home / "service.toml").write_text(f'[tls]\ncertificate = "{made}"\nkey = "{made}"\n')
    studio.home.chmod(0o777)
    told = studio("config", "check")
    assert told.code == 3
    assert "✕ tls: the certificate is valid from" in told.out
    assert f"✕ permissions: others can change {studio.home}" in told.out
    (studio.home / "service.toml").write_text("[workers]\ncont = 2\n")
    studio.fails("settings.malformed", "config", "check")
    studio.fails("settings.malformed", "serve", "--port", 0)


def signed_step(studio: Studio, number: int) -> bytes:
    """A step that this studio's device signed."""
    now = datetime.now(UTC).replace(microsecond=0)
    signer = home_at(studio.home).statement_signer("workstation")
    done = step(step_id=f"step-{number}", started=now, finished=now)
    return envelope(done, signer, subjects=(Artifact(f"{number}.png", digest(str(number))),))


def _busy(server: Running) -> bool:
    """Whether the service still answers others; by then it has read what the test sent before."""
    return server.health() == 200


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _name(port: int) -> str:
    """The common name of the certificate that the server shows."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    pem = ssl.get_server_certificate(("127.0.0.1", port))
    (name,) = x509.load_pem_x509_certificate(pem.encode()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


@pytest.mark.slow
def test_a_server_never_migrates_by_itself(studio: Studio) -> None:
    with sqlite3.connect(studio.home / "ledger.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with running(studio) as server:
        assert server.ended() == 2
        assert "[home.schema]" in server.log.read_text()
    assert [row[0] for row in studio.rows("alembic_version")] == ["0001"]


@pytest.mark.slow
def test_every_entry_that_was_acknowledged_is_there_after_kill_9(studio: Studio) -> None:
    envelopes = [signed_step(studio, number) for number in range(60)]
    acknowledged: list[int] = []
    with running(studio, "--workers", 2) as server:
        server.health()
        for number, envelope in enumerate(envelopes):
            try:
                status, _, answer = post(f"{server.url}/v1/productions/nightfall/entries", envelope + b"\n")
            except (OSError, http.client.HTTPException):
                continue
            if status == 200:
                acknowledged += [one["index"] for one in answer["entries"]]
            if number % 12 == 6:
                for pid in server.workers()[:1]:
                    os.kill(pid, signal.SIGKILL)
        server.signal(signal.SIGKILL)
        server.ended()
    held = {row[1] for row in studio.rows("entry")}
    assert len(acknowledged) > 30
    assert set(acknowledged) <= held
    studio.ok("fsck")
