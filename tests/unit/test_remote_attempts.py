"""The attempts at a request, without a network: ten thousand of them are one record that can be read."""

import itertools
from pathlib import Path

import pytest

from ledger.core import statement as statements
from ledger.core.predicates.service_call import CallOutcome
from ledger.core.predicates.step import Place
from ledger.core.spooled_call import stated
from ledger.core.statement import Statement
from tests.support.remote import Spool, rakkan_remote

ENDLESS = rakkan_remote.Provider("Orbit", "painter", attempts=10**9, patience=1e9)


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    monkeypatch.setenv("RAKKAN_SPOOL", str(tmp_path / "spool"))
    return Spool(tmp_path / "spool")


def test_a_sustained_flood_ends_and_is_one_record(spool: Spool) -> None:
    answers = itertools.count()
    with ENDLESS.call() as call:
        exchange = call.exchange("POST", "https://orbit.example/v1", {}, b"{}")
        pause: float | None = 0.0
        while pause is not None:
            exchange.begin()
            names = {"x-request-id": f"req_{next(answers)}", "retry-after": "1"}
            pause = exchange.answered(429, names, b'{"error": {"code": "rate_limit_exceeded"}}')
            assert pause is None or 1 <= pause <= 1.25
    record, found = spool.one()
    assert len(found.attempts) == 10_000
    made = stated(record, found, place=Place("nightfall"), actor="actor:1")
    assert made.attempts == ((CallOutcome.THROTTLED, 10_000),)
    assert len(statements.encode(Statement((made.subject,), made))) < 4_000


def test_the_pause_doubles_where_the_provider_names_none(spool: Spool) -> None:
    with ENDLESS.call() as call:
        exchange = call.exchange("POST", "https://orbit.example/v1", {}, b"{}")
        pauses = []
        for _ in range(9):
            exchange.begin()
            pauses.append(exchange.answered(500, {}, b""))
    for number, pause in enumerate(pauses):
        longest = min(30.0, 0.5 * 2**number)
        assert pause is not None
        assert longest / 2 <= pause <= longest


def test_a_body_that_cannot_be_sent_twice_is_sent_once(spool: Spool) -> None:
    with ENDLESS.call() as call:
        exchange = call.exchange("POST", "https://orbit.example/v1", {}, None)
        exchange.begin()
        assert exchange.answered(500, {}, b"") is None


@pytest.mark.parametrize(
    ("body", "secrets", "parameters"),
    [
        (b'{"promptText": "a lantern", "ratio": "16:9"}', {"prompt": "a lantern"}, {"ratio": "16:9"}),
        (b'{"input": {"prompt": "a lantern", "seed": 7}}', {"prompt": "a lantern"}, {"seed": "7"}),
        (b'{"size": "by a living painter", "prompt": ["a"]}', {}, {}),
        (
            (
                b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na lantern\r\n'
                b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n2\r\n--x--\r\n'
            ),
            {"prompt": "a lantern"},
            {"n": "2"},
        ),
        (b"\xff\xfe", {}, {}),
    ],
    ids=["JSON", "nested", "prose where a word belongs", "form", "bytes"],
)
def test_what_a_request_says_goes_where_it_belongs(
    spool: Spool, body: bytes, secrets: dict[str, str], parameters: dict[str, str]
) -> None:
    with ENDLESS.call() as call:
        exchange = call.exchange("POST", "https://orbit.example/v1", {}, body)
        exchange.begin()
        exchange.answered(200, {}, b"")
    record, _ = spool.one()
    said = {name: text for name, text in record.secrets.items() if name not in {"request", "idempotency-key"}}
    assert said == secrets
    assert {name: text for name, text in record.parameters.items() if name != "call"} == parameters


def test_two_wishes_in_one_call_do_not_share_a_key(spool: Spool) -> None:
    with ENDLESS.call() as call:
        sent = [call.exchange("POST", "https://orbit.example/v1", {}, body) for body in (b"1", b"2", b"1")]
    first, second, again = (exchange.headers["Idempotency-Key"] for exchange in sent)
    assert first == again != second
    secrets = spool.one()[0].secrets
    assert {secrets["idempotency-key"], secrets["idempotency-key 2"]} == {first, second}
