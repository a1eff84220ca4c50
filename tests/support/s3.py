"""An S3 server on the loopback, over real HTTP: moto, with conditions that are decided in one step."""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

App = Callable[[dict[str, Any], Any], Iterable[bytes]]
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "SECRET-THAT-MUST-NOT-SHOW",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body leave in two pieces: the second must not wait 40 ms

    def log(self, *_: object, **__: object) -> None:
        """Print nothing."""


@contextmanager
def serving(app: App) -> Iterator[str]:
    """Answer HTTP with this WSGI application for as long as the block runs; yields the URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def s3_app() -> App:
    """Return the S3 application. Each request is done before the next begins: conditions need that."""
    inner = DomainDispatcherApplication(create_backend_app)
    lock = threading.Lock()

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        with lock:
            answer: Iterable[bytes] = inner(environ, start)
            return answer

    return app


@contextmanager
def s3_server(app: App | None = None) -> Iterator[str]:
    """Run an S3 server and set the environment that AWS clients read; yields its endpoint."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        with serving(app or s3_app()) as endpoint:
            yield endpoint


def new_bucket(client: Any) -> str:
    """Make a bucket of its own and return its name."""
    name = f"bucket-{uuid.uuid4()}"
    client.create_bucket(Bucket=name)
    return name
