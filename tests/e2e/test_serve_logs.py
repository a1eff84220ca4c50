"""What the service logs: a line for each request, and nothing that a request holds."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.adapters.logs import Lines
from ledger.adapters.service_settings import read_service
from ledger.wiring.serving import SECTIONS
from tests.e2e.conftest import Studio

MARK = "Hush-7f3a"
MARKED = {
    "Authorization": f"Bearer {MARK}",
    "Cookie": f"session={MARK}",
    "User-Agent": MARK,
    "Referer": f"https://{MARK}.example/",
    "X-Forwarded-For": MARK,
    "Signature": MARK,
    "X-Request-Id": MARK,
    "traceparent": MARK,
}


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(Lines(plain=False).format(record))

    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def kept() -> Iterator[_Kept]:
    handler, root, ours = _Kept(), logging.getLogger(), logging.getLogger("rakkan")
    before = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    ours.setLevel(before)


def routes(application: FastAPI) -> list[tuple[str, str]]:
    """Every operation that the application describes."""
    paths = application.openapi()["paths"]
    return [(method.upper(), path) for path, operations in paths.items() for method in operations]


def test_no_marked_secret_of_any_request_reaches_the_log(founded: Studio, kept: _Kept) -> None:
    application = create_app(founded.home)
    with TestClient(application, raise_server_exceptions=False) as client:
        found = routes(application)
        for method, path in [*found, ("GET", f"/{MARK}/nothing"), (MARK, "/health")]:
            for production in ("nightfall", MARK):
                address = re.sub(r"\{[^}]*\}", MARK, path.replace("{production}", production))
                for body in (MARK.encode(), json.dumps({"prompt": MARK, MARK: [MARK]}).encode()):
                    files = {"content": body, "params": {"after": MARK, "limit": MARK, MARK: MARK}}
                    client.request(method, address, headers=MARKED, **files)  # type: ignore[arg-type]
                client.request(
                    method, address, headers=MARKED, files={MARK: (f"{MARK}.png", MARK.encode(), "image/png")}
                )
    assert len([one for one in kept.documents() if one["event"] == "request"]) > len(found)
    assert [line for line in kept.lines if MARK.lower() in line.lower()] == []


def test_a_line_says_what_happened(founded: Studio, kept: _Kept) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with TestClient(create_app(founded.home)) as client:
        answer = client.post(
            "/v1/productions/nightfall/entries",
            content=b"{}\n",
            headers={
                "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
                "Content-Type": "application/x-ndjson",
            },
        )
        client.get("/nowhere")
        client.get("/health")
    posted, nowhere = kept.documents()
    assert posted["request"] == answer.headers["X-Request-Id"]
    assert posted["route"] == "/v1/productions/{production}/entries"
    assert (posted["production"], posted["trace"]) == ("nightfall", trace)
    assert (posted["status"], posted["received"]) == (200, 3)
    assert posted["sent"] == len(answer.content)
    assert (nowhere["route"], nowhere["status"], nowhere["code"]) == ("none", 404, "request.no-such-route")


def test_what_was_not_foreseen_is_answered_with_the_number_that_the_log_has(
    founded: Studio, kept: _Kept
) -> None:
    application = create_app(founded.home)

    async def boom(secret: str) -> None:
        try:
            int(secret)
        except ValueError as error:
            raise LookupError(f"no {secret}") from error

    application.get("/boom")(boom)
    with TestClient(application) as client:
        answer = client.get("/boom", params={"secret": MARK})
    fault, line = kept.documents()
    document = answer.json()
    assert (answer.status_code, document["code"]) == (500, "server.fault")
    assert document["requestId"] == answer.headers["X-Request-Id"] == fault["request"] == line["request"]
    assert fault["exception"][0] == "builtins.LookupError"
    assert any("test_serve_logs.py" in place and "boom" in place for place in fault["exception"])
    assert "caused by builtins.ValueError" in fault["exception"]
    assert MARK not in "".join(kept.lines) + answer.text


def test_lines_for_requests_can_be_switched_off_but_faults_stay(
    founded: Studio, tmp_path: Path, kept: _Kept
) -> None:
    (tmp_path / "service.toml").write_text("[logs]\nrequests = false\n")
    settings = read_service(tmp_path, SECTIONS, {})
    with TestClient(create_app(founded.home, settings=settings)) as client:
        client.get("/nowhere")
    assert kept.lines == []


def test_nobody_writes_a_line_that_is_not_theirs() -> None:
    record = logging.LogRecord("rakkan.request", logging.INFO, "", 0, "request", None, None)
    record.members = {"viewer": 'x\n{"event": "forged"}\x1b[2J\u202e'}
    for plain in (False, True):
        line = Lines(plain=plain).format(record)
        assert line.isprintable()
        assert line.isascii()


class _Recording:
    """A tracer of OpenTelemetry's API that keeps what spans are given."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def start_span(self, name: str, *_: object, attributes: Mapping[str, object], **__: object) -> Any:
        from opentelemetry.trace import NonRecordingSpan, SpanContext

        self.said += [name, dict(attributes)]
        return NonRecordingSpan(SpanContext(1, 2, is_remote=False))


def test_a_span_has_the_method_and_never_the_path_or_the_query(
    founded: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry import trace

    tracer = _Recording()
    provider = type("Provider", (), {"get_tracer": lambda *_, **__: tracer})()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    (tmp_path / "service.toml").write_text("[traces]\nenabled = true\n")
    settings = read_service(tmp_path, SECTIONS, {})
    with TestClient(create_app(founded.home, settings=settings)) as client:
        client.get(f"/v1/{MARK}", params={"q": MARK})
    assert "GET" in tracer.said
    assert MARK not in repr(tracer.said)
