"""S3 as it can be: stores that ignore conditions, lose answers, deny, and go away. All over real HTTP."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from ledger.adapters.s3 import PROBE, S3Place, S3Publication, open_s3, parse_s3_url
from ledger.core.tiles import tiles_of
from ledger.errors import RakkanError, RefusedError, UsageError
from ledger.service.log.publish import publish
from ledger.testing import MemoryPublication
from tests.support.log import entries, new_log
from tests.support.s3 import ENVIRONMENT, App, new_bucket, s3_app, s3_server

SECRETS = [ENVIRONMENT["AWS_SECRET_ACCESS_KEY"], ENVIRONMENT["AWS_ACCESS_KEY_ID"]]


class Between:
    """What stands between the client and the store: sees each request before it, and may answer itself."""

    def __init__(self) -> None:
        self.inner = s3_app()
        self.meddle: Callable[[dict[str, Any], App], App | None] = lambda environ, inner: None
        self.requests: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return (self.meddle(environ, self.inner) or self.inner)(environ, start)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Between, Any]]:
    between = Between()
    with s3_server(between) as endpoint:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 2}, s3={"addressing_style": "path"}
        )
        yield between, boto3.client("s3", endpoint_url=endpoint, config=config)


@pytest.fixture
def between(server: tuple[Between, Any]) -> Iterator[Between]:
    found = server[0]
    found.requests.clear()
    yield found
    found.meddle = lambda environ, inner: None


@pytest.fixture
def client(server: tuple[Between, Any]) -> Any:
    return server[1]


@pytest.fixture
def public(between: Between, client: Any) -> S3Publication:
    return S3Publication(new_bucket(client), "log/", client)


def keys(client: Any, public: S3Publication) -> set[str]:
    listed = client.list_objects_v2(Bucket=public._bucket).get("Contents", [])
    return {item["Key"] for item in listed}


def answers(status: str, code: str) -> Callable[[dict[str, Any], App], App]:
    """Let the store answer with an error of S3's form."""
    body = f"<Error><Code>{code}</Code><Message>testing {SECRETS[0]}</Message></Error>".encode()

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    return lambda environ, inner: app


def refusal(call: Callable[[], object]) -> RakkanError:
    """Return how the call fails; nothing secret is in it."""
    with pytest.raises(RakkanError) as error:
        call()
    shown = str(error.value) + str(error.value.to_json())
    assert not [secret for secret in SECRETS if secret in shown]
    assert "127.0.0.1" not in shown
    return error.value


# --- a log in a bucket -------------------------------------------------------------------------------------


def test_a_log_is_the_same_as_in_memory(public: S3Publication, client: Any) -> None:
    log, memory = new_log(), MemoryPublication()
    for size in (3, 300):
        log.append(entries(size))
        publish(log, memory)
        publish(log, public)
    assert {name: public.get(name) for name in memory.files} == memory.files
    assert keys(client, public) == {f"log/{name}" for name in [*memory.files, PROBE]}


def test_what_changes_is_not_cached_and_what_does_not_is(public: S3Publication, client: Any) -> None:
    log = new_log()
    log.append(entries(2))
    publish(log, public)
    tile = next(tiles_of(0, 2))
    for path in (tile.path, tile.bundle_path):
        head = client.head_object(Bucket=public._bucket, Key=f"log/{path}")
        assert head["ContentType"] == "application/octet-stream"
        assert head["CacheControl"] == "public, max-age=31536000, immutable"
    head = client.head_object(Bucket=public._bucket, Key="log/checkpoint")
    assert (head["ContentType"], head["CacheControl"]) == ("text/plain; charset=utf-8", "no-cache")


def test_a_whole_bucket_can_be_the_log(between: Between, client: Any) -> None:
    public = S3Publication(new_bucket(client), "", client)
    public.put_immutable("tile/0/000", b"x")
    assert keys(client, public) == {"tile/0/000", PROBE}


def test_the_store_is_probed_once(between: Between, public: S3Publication) -> None:
    for number in range(3):
        public.put_immutable(f"tile/0/00{number}", b"x")
        public.swap("checkpoint", public.get("checkpoint"), f"{number}".encode())
    assert sum(PROBE in request for request in between.requests) == 3
    between.requests.clear()
    S3Publication(public._bucket, "log/", public._client).put_immutable("tile/0/000", b"x")
    assert sum(PROBE in request for request in between.requests) == 2


# --- stores that do not keep what they promise -------------------------------------------------------------


@pytest.mark.parametrize(
    "ignored", [{"HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"}, {"HTTP_IF_NONE_MATCH"}, {"HTTP_IF_MATCH"}]
)
def test_a_store_that_ignores_a_condition_is_refused(
    between: Between, public: S3Publication, client: Any, ignored: set[str]
) -> None:
    def forget(environ: dict[str, Any], inner: App) -> None:
        for name in ignored:
            environ.pop(name, None)

    between.meddle = forget
    for call in (
        lambda: public.put_immutable("tile/0/000", b"x"),
        lambda: public.swap("checkpoint", None, b"x"),
    ):
        assert refusal(call).code == "s3.unconditional"
    assert keys(client, public) == {f"log/{PROBE}"}


def test_a_store_without_conditions_is_refused(between: Between, public: S3Publication) -> None:
    between.meddle = answers("501 Not Implemented", "NotImplemented")
    assert refusal(lambda: public.put_immutable("tile/0/000", b"x")).code == "s3.unconditional"


def once(act: Callable[[dict[str, Any], App], App | None]) -> Callable[[dict[str, Any], App], App | None]:
    """Meddle with the first write of a published file, and with nothing after it."""
    left = [act]

    def meddle(environ: dict[str, Any], inner: App) -> App | None:
        if environ["REQUEST_METHOD"] == "PUT" and PROBE not in environ["PATH_INFO"] and left:
            return left.pop()(environ, inner)
        return None

    return meddle


def lose_the_answer(environ: dict[str, Any], inner: App) -> App:
    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        list(inner(environ, lambda *_: None))
        start("500 Internal Server Error", [("Content-Length", "0")])
        return []

    return app


def test_a_lost_answer_is_no_conflict(between: Between, public: S3Publication) -> None:
    between.meddle = once(lose_the_answer)
    public.put_immutable("tile/0/000", b"x")
    for old, new in ((None, b"one"), (b"one", b"two")):
        between.meddle = once(lose_the_answer)
        public.swap("checkpoint", old, new)
    assert (public.get("tile/0/000"), public.get("checkpoint")) == (b"x", b"two")


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted"])
def test_a_write_that_met_another_is_repeated(between: Between, public: S3Publication, code: str) -> None:
    between.meddle = once(answers("409 Conflict", code))
    public.put_immutable("tile/0/000", b"x")
    assert public.get("tile/0/000") == b"x"
    between.meddle = once(answers("409 Conflict", code))
    assert refusal(lambda: public.swap("checkpoint", None, b"x")).code == "log.fenced"
    assert public.get("checkpoint") is None


def test_a_publisher_between_reading_and_writing_wins(
    between: Between, public: S3Publication, client: Any
) -> None:
    for old, other in ((None, b"theirs"), (b"theirs", b"theirs too")):

        def overtake(environ: dict[str, Any], inner: App, other: bytes = other) -> None:
            client.put_object(Bucket=public._bucket, Key="log/checkpoint", Body=other)

        between.meddle = once(overtake)
        assert refusal(partial(public.swap, "checkpoint", old, b"ours")).code == "log.fenced"
        assert public.get("checkpoint") == other


def test_an_object_deleted_before_its_swap_is_fenced(
    between: Between, public: S3Publication, client: Any
) -> None:
    public.swap("checkpoint", None, b"one")

    def delete(environ: dict[str, Any], inner: App) -> None:
        client.delete_object(Bucket=public._bucket, Key="log/checkpoint")

    between.meddle = once(delete)
    assert refusal(lambda: public.swap("checkpoint", b"one", b"two")).code == "log.fenced"


# --- who may not, and what is not there --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("403 Forbidden", "AccessDenied", "s3.denied"),
        ("403 Forbidden", "SignatureDoesNotMatch", "s3.denied"),
        ("403 Forbidden", "RequestTimeTooSkewed", "s3.denied"),
        ("401 Unauthorized", "Unauthorized", "s3.denied"),
        ("404 Not Found", "NoSuchBucket", "s3.bucket"),
        ("503 Service Unavailable", "SlowDown", "s3.unavailable"),
        ("400 Bad Request", "InvalidRequest", "log.storage"),
        ("507 Insufficient Storage", "InsufficientStorage", "s3.unavailable"),
    ],
)
def test_each_refusal_has_its_code(
    between: Between, public: S3Publication, status: str, code: str, expected: str
) -> None:
    between.meddle = answers(status, code)
    for call in (
        lambda: public.get("checkpoint"),
        lambda: public.put_immutable("tile/0/000", b"x"),
        lambda: public.swap("checkpoint", None, b"x"),
    ):
        assert refusal(call).code == expected


def test_an_object_that_is_cut_short_is_not_taken(between: Between, public: S3Publication) -> None:
    public.put_immutable("tile/0/000", b"x" * 100)

    def cut(environ: dict[str, Any], inner: App) -> App:
        def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            start("200 OK", [("Content-Length", "100"), ("ETag", '"e"'), ("Connection", "close")])
            return [b"x" * 40]

        return app

    between.meddle = cut
    assert refusal(lambda: public.get("tile/0/000")).code == "s3.unavailable"


def test_a_store_that_takes_nothing_and_holds_nothing_is_given_up(
    between: Between, public: S3Publication
) -> None:
    public.put_immutable("tile/0/001", b"x")

    def refuse(environ: dict[str, Any], inner: App) -> App | None:
        write = environ["REQUEST_METHOD"] == "PUT"
        return answers("412 Precondition Failed", "PreconditionFailed")(environ, inner) if write else None

    between.meddle = refuse
    assert refusal(lambda: public.put_immutable("tile/0/000", b"x")).code == "s3.unavailable"


def test_without_credentials_nothing_is_sent(
    between: Between, server: tuple[Between, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    public = open_s3(f"s3://bucket?endpoint={server[1].meta.endpoint_url}")
    between.requests.clear()
    assert refusal(lambda: public.get("checkpoint")).code == "s3.denied"
    assert between.requests == []


def test_a_profile_that_is_not_there_is_denied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(UsageError) as error:
        open_s3("s3://bucket")
    assert error.value.code == "s3.denied"


def test_nobody_there_is_unavailable(client: Any, between: Between) -> None:
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    gone = boto3.client("s3", endpoint_url="http://127.0.0.1:1", config=config)
    assert isinstance(refusal(lambda: S3Publication("bucket", "", gone).get("checkpoint")), RefusedError)


# --- the URL -----------------------------------------------------------------------------------------------

WORDS = st.text("abcXYZ019_-", min_size=1, max_size=8)
BUCKETS = st.from_regex(r"[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]", fullmatch=True)


@given(
    bucket=BUCKETS,
    prefix=st.lists(WORDS, max_size=3).map("/".join),
    endpoint=st.sampled_from([None, "http://127.0.0.1:9000", "https://s3.example"]),
    region=st.sampled_from([None, "eu-central-1"]),
)
def test_a_url_says_where(bucket: str, prefix: str, endpoint: str | None, region: str | None) -> None:
    options = [f"{k}={v}" for k, v in (("endpoint", endpoint), ("region", region)) if v is not None]
    url = f"s3://{bucket}" + (f"/{prefix}" if prefix else "") + ("?" + "&".join(options) if options else "")
    expected = S3Place(bucket, f"{prefix}/" if prefix else "", endpoint, region)
    assert parse_s3_url(url) == expected
    assert parse_s3_url(url.replace("?", "/?")) == expected


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://b",
        "s3://UPPER",
        "s3://key:SECRET@bucket",
        "s3://bucket/../other",
        "s3://bucket/a b",
        "s3://bucket#x",
        "s3://bucket?endpoint=ftp://host",
        "s3://bucket?endpoint=http://",
        "s3://bucket?endpoint=http://key:SECRET@host",
        "s3://bucket?endpoint=http://host/path",
        "s3://bucket?endpoint=http://host:port",
        "s3://bucket?endpoint=http://[host",
        "s3://bucket?endpoint=http://a&endpoint=http://b",
        "s3://bucket?region=",
        "s3://bucket?region=a b",
        "s3://bucket?acl=public",
        "s3://bucket?endpoint",
        "http://bucket",
        "gs://bucket",
    ],
)
def test_another_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_s3_url(url)
    assert error.value.code == "s3.url"
    assert "SECRET" not in str(error.value.to_json())
