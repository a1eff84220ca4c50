"""Posting to receivers that are slow, lie, redirect or are not who they say; names are the test's own."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from ledger.adapters.webhooks import HttpPoster
from ledger.errors import RakkanError
from ledger.service.events.deliver import Answer
from ledger.service.events.target import WebhookSettings
from tests.support.receiver import Receiver, receiving
from tests.support.tls import certificate

NAME = "hooks.studio.example"
SETTINGS = WebhookSettings(
    allowed=(NAME,),
    http=True,
    connect=timedelta(seconds=1),
    total=timedelta(seconds=1.5),
)
HEADERS = {"webhook-id": "msg_1"}


class Hosts:
    """A hosts file that may change its mind."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def post(receiver: Receiver, hosts: Hosts | None = None, settings: WebhookSettings = SETTINGS) -> Answer:
    poster = HttpPoster(settings, hosts or Hosts(["127.0.0.1"]))
    return poster.post(f"http://{NAME}:{receiver.port}/in?x=1", b"{}", HEADERS)


def test_what_is_posted_arrives_as_it_is() -> None:
    with receiving() as receiver:
        assert post(receiver) == Answer(204)
    (headers, body) = receiver.got[0]
    assert body == b"{}"
    assert headers["host"] == f"{NAME}:{receiver.port}"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "msg_1"
    assert "accept-encoding" not in headers or headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", ["200", "410", "429", "500", "503"])
def test_a_status_is_an_answer(status: str) -> None:
    with receiving() as receiver:
        receiver.mood = status
        assert post(receiver) == Answer(int(status))


@pytest.mark.parametrize("mood", ["slow", "drip", "early", "liar"])
def test_what_is_no_answer_in_time_is_none(mood: str) -> None:
    with receiving() as receiver:
        receiver.mood = mood
        began = time.monotonic()
        with pytest.raises(RakkanError, match=r"webhook\.unreachable"):
            post(receiver)
        assert time.monotonic() - began < 20


def test_a_body_without_end_is_not_read() -> None:
    with receiving() as receiver:
        receiver.mood = "huge"
        assert post(receiver) == Answer(200)


def test_a_redirect_is_not_followed() -> None:
    with receiving() as receiver:
        receiver.mood = "redirect"
        assert post(receiver) == Answer(307)
        assert receiver.redirected == 0


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as receiver, receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        post(receiver)
        assert (len(receiver.got), len(proxy.got)) == (1, 0)


def test_a_name_is_looked_up_once_and_the_address_that_was_judged_is_the_one_that_is_used() -> None:
    open_network = replace(SETTINGS, allowed=("127.0.0.2/32",), ports=(1,))
    with receiving() as receiver:
        # The second answer is what a rebinding name gives: nobody asks for it.
        hosts = Hosts(["127.0.0.2"], ["127.0.0.1"])
        with pytest.raises(RakkanError, match=r"webhook\.unreachable"):
            HttpPoster(replace(open_network, ports=(receiver.port,)), hosts).post(
                f"https://rebind.example:{receiver.port}/", b"{}", HEADERS
            )
        assert hosts.asked == ["rebind.example"]
        assert receiver.got == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%lo"],
    ],
)
def test_a_name_that_leads_to_us_is_refused_before_anything_is_sent(addresses: list[str]) -> None:
    with receiving() as receiver:
        poster = HttpPoster(WebhookSettings(ports=(receiver.port,)), Hosts(addresses))
        with pytest.raises(RakkanError, match=r"webhook\.address"):
            poster.post(f"https://evil.example:{receiver.port}/", b"{}", HEADERS)
        assert receiver.got == []


def test_the_systems_own_names_for_us_are_refused() -> None:
    poster = HttpPoster(WebhookSettings())
    with pytest.raises(RakkanError, match=r"webhook\.(address|unreachable)"):
        poster.post("https://localhost.localdomain/", b"{}", HEADERS)


def test_a_name_that_nobody_knows_or_that_takes_for_ever_is_no_answer() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    found = Event()

    def hangs(host: str, port: int) -> Sequence[str]:
        found.wait(60)
        return ["127.0.0.1"]

    for resolve in (unknown, hangs, Hosts([])):
        began = time.monotonic()
        with pytest.raises(RakkanError, match=r"webhook\.unreachable"):
            HttpPoster(SETTINGS, resolve).post(f"http://{NAME}/", b"{}", HEADERS)
        assert time.monotonic() - began < 20
    found.set()


def test_an_address_where_nothing_answers_is_given_up_in_time() -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # nobody accepts them, so the next one is not even answered
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        began = time.monotonic()
        with pytest.raises(RakkanError, match=r"webhook\.unreachable"):
            post(Receiver(port=full.getsockname()[1]), Hosts(["127.0.0.1", "127.0.0.1"]))
        assert time.monotonic() - began < 20


@pytest.mark.parametrize(("name", "taken"), [(NAME, True), ("other.example", False)])
def test_the_certificate_must_be_of_the_name(tmp_path: Path, name: str, taken: bool) -> None:
    path = certificate(tmp_path, name)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    asked: list[str | None] = []
    server.sni_callback = lambda _, given, __: asked.append(given)
    with receiving(server) as receiver:
        trusting = ssl.create_default_context(cafile=str(path))
        poster = HttpPoster(SETTINGS, Hosts(["127.0.0.1"]), trusting)
        url = f"https://{NAME}:{receiver.port}/"
        if taken:
            assert poster.post(url, b"{}", HEADERS) == Answer(204)
        else:
            with pytest.raises(RakkanError, match=r"webhook\.unreachable"):
                poster.post(url, b"{}", HEADERS)
        assert asked == [NAME]
        with pytest.raises(
            RakkanError, match=r"webhook\.unreachable"
        ):  # a certificate that nobody vouches for
            HttpPoster(SETTINGS, Hosts(["127.0.0.1"])).post(url, b"{}", HEADERS)
