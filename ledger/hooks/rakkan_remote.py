"""Calls to remote image and video services, on record: also those that were throttled, refused or lost.

    orbit = rakkan_remote.Provider("Orbit", "painter", plan="enterprise", account="account:2c41")
    transport = rakkan_clients.httpx_transport(orbit, httpx)
    client = openai.OpenAI(http_client=httpx.Client(transport=transport), max_retries=0)

    with orbit.call(place={"production": "nightfall", "shot": "sh010"}) as call:
        made = client.images.generate(model="painter-2", prompt=prompt)
        call.save(base64.b64decode(made.data[0].b64_json), "sh010.png")

* One call is one wish. A request that asks for something is repeated under one idempotency key when the
  provider throttles it, when it fails, or when no answer comes; each attempt is on record. Where the provider
  knows no such key (``key_header=None``), what may have been done is not asked for again.
* A request of a wrapped client (``rakkan_clients``) outside any call is a call of its own.
* Keys, addresses and bodies are never recorded. Prompts go into ``secrets``, and so do a refusal's words.
* What was received is written as it came, so the provider's own C2PA manifest survives, and is hashed before
  anything else can touch it.
* A call is in the spool from its first request on (``calls/``): killed at any moment, it is on record.

Nothing but the standard library; the other ``rakkan_*`` files lie beside it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import json
import os
import socket
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from typing import Self

    from ledger.hooks import rakkan_answers, rakkan_attempts, rakkan_capture
else:
    import rakkan_answers
    import rakkan_attempts
    import rakkan_capture

T = TypeVar("T")

NETWORK = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, socket.timeout)

_current: ContextVar[Call | None] = ContextVar("rakkan_call", default=None)


class Answer(NamedTuple):
    """An HTTP answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the document. Raises ``ValueError`` when it is none."""
        return json.loads(self.body)


class NotMadeError(RuntimeError):
    """The provider did not do it: ``outcome`` is throttled, refused or failed, ``answer`` its last one."""

    def __init__(self, outcome: str, answer: Answer) -> None:
        super().__init__("The provider's answer: %s (status %d)." % (outcome, answer.status))
        self.outcome, self.answer = outcome, answer


class Provider(rakkan_attempts.Service):
    """A service that is called: see ``rakkan_attempts.Service`` for what is said of it."""

    def call(self, place: Mapping[str, Any] | None = None, **more: Any) -> Call:
        """Return a call, to be used as a context. ``more`` is for ``Call``, and for the record."""
        return Call(self, place, **more)

    def current(self) -> Call | None:
        """Return the call to this provider that is going on, if one is."""
        found = _current.get()
        return found if found is not None and found.provider == self else None


class Call(rakkan_attempts.Account):
    """One wish, as a context: its attempts are recorded at its end, and the step that it made with them.

    ``reads`` names the pictures that went in, and ``secret`` a prompt that is not in a JSON request. With
    ``call_id`` and ``job`` it goes on where a process that died had stopped: ``poll`` and ``fetch`` do the
    rest. Raises ``CaptureRefusedError`` where the production refuses work that cannot be recorded.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        self._token: Token[Call | None] = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.reset(self._token)
        super().__exit__(kind, error, trace)

    def send(self, request: urllib.request.Request | str, timeout: float = 60.0) -> Answer:
        """Send a request, and again where that may help; return the answer.

        Raises ``NotMadeError`` for an answer that is no success, and what ``urllib`` raises when none came.
        """

        def deliver(request: urllib.request.Request) -> tuple[Answer, Answer]:
            with _opened(request, timeout) as response:
                answer = Answer(response.status, lower(response.headers), b"".join(_chunks(response)))
            return answer, answer

        return self._made(request, deliver)

    def poll(
        self, request: urllib.request.Request | str, every: float = 5.0, patience: float = 3600.0
    ) -> dict[str, Any]:
        """Ask after a job until it has ended; return the last document.

        Raises ``NotMadeError`` when the job was refused or failed, ``TimeoutError`` while it still runs, and
        as ``send`` does.
        """
        deadline = time.monotonic() + patience
        while True:
            answer = self.send(request)
            document = answer.json()
            state = rakkan_answers.job(document, asked=False)
            if state is not None and state.outcome is not None:
                if state.outcome != "accepted":
                    raise NotMadeError(state.outcome, answer)
                return dict(document)
            if time.monotonic() + every > deadline:
                raise TimeoutError("The job %s still runs." % self.account["job"])
            time.sleep(every)

    def fetch(self, request: urllib.request.Request | str, path: str | os.PathLike[str]) -> Answer:
        """Save what is at an address. Raises as ``send`` does, and ``OSError`` when it cannot be written."""

        def deliver(request: urllib.request.Request) -> tuple[Answer, Answer]:
            with _opened(request, 60.0) as response:
                answer = Answer(response.status, lower(response.headers), b"")
                if answer.status < 400:
                    self.save(_chunks(response), path)
                else:
                    answer = answer._replace(body=b"".join(_chunks(response)))
            return answer, answer

        return self._made(request, deliver)

    def save(self, received: Any, path: str | os.PathLike[str]) -> None:
        """Write what was received, bytes or an answer of a client, exactly as it came; it is then an output.

        Raises ``OSError`` when it cannot be written; nothing is then left under that name.
        """
        target, digest = os.path.abspath(os.fspath(path)), hashlib.sha256()
        scratch = "%s.%s.part" % (target, uuid.uuid4().hex[:8])
        try:
            with open(scratch, "xb") as file:
                for chunk in _pieces(received):
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(scratch)
            raise
        made = {"path": target, "sha256": digest.hexdigest(), "stamp": rakkan_capture.stamp(os.stat(target))}
        self.record["outputs"].append(made)
        self.account["outcome"] = "accepted"
        self.keep()

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> rakkan_attempts.Exchange:
        """Return how a request is to be sent within this call. ``body`` is ``None`` when it is not known."""
        self.sent = True
        return rakkan_attempts.Exchange(self, method, url, lower(headers), body)

    def _made(
        self, request: urllib.request.Request | str, deliver: Callable[[Any], tuple[Answer, Answer]]
    ) -> Answer:
        request = urllib.request.Request(request) if isinstance(request, str) else request  # noqa: S310 - the caller's
        body = request.data if isinstance(request.data, bytes) else None if request.data else b""
        exchange = self.exchange(request.get_method(), request.full_url, dict(request.header_items()), body)
        for name, value in exchange.headers.items():
            request.add_header(name, value)
        answer = attempted(exchange, functools.partial(deliver, request), NETWORK)
        if answer.status >= 400 or (exchange.makes and self.outcome != "accepted"):
            raise NotMadeError(exchange.outcome, answer)
        return answer


def attempted(
    exchange: rakkan_attempts.Exchange,
    deliver: Callable[[], tuple[T, Answer]],
    broken: tuple[type[BaseException], ...],
) -> T:
    """Send until that is of no more use; return the last answer. Raises one of ``broken`` when none came.

    ``deliver`` sends once and returns the answer twice: as the tool gets it, and as it is read here.
    """
    while True:
        exchange.begin()
        try:
            given, answer = deliver()
        except broken:
            pause = exchange.broke()
            if pause is None:
                raise
        else:
            pause = heard(exchange, answer)
            if pause is None:
                return given
        time.sleep(pause)


def heard(exchange: rakkan_attempts.Exchange, answer: Answer) -> float | None:
    """Return the pause before the next attempt. What cannot be read ends the attempts, and hurts no tool."""
    with contextlib.suppress(Exception):
        return exchange.answered(*answer)
    return None


def lower(headers: Any) -> dict[str, str]:
    """Return headers by lower-case names."""
    return {name.lower(): value for name, value in headers.items()}


def _opened(request: urllib.request.Request, timeout: float) -> Any:
    """Return the answer, open, whatever its status."""
    try:
        return urllib.request.urlopen(request, timeout=timeout)  # noqa: S310 - the caller's address
    except urllib.error.HTTPError as error:
        return error


def _chunks(response: Any) -> Iterator[bytes]:
    """Yield a body piece by piece. Raises ``http.client.IncompleteRead`` when it was cut off."""
    length, got = response.headers.get("Content-Length"), 0
    while True:
        chunk = response.read(1 << 20)
        if not chunk:
            break
        got += len(chunk)
        yield chunk
    if length is not None and got < int(length):
        raise http.client.IncompleteRead(b"", int(length) - got)


def _pieces(received: Any) -> Iterable[bytes]:
    """Return what was received, in pieces: bytes, an answer of any client, a file, or pieces already."""
    if isinstance(received, (bytes, bytearray, memoryview)):
        return [bytes(received)]
    if hasattr(received, "content"):  # an answer of httpx, requests or a client made with them
        return [received.content]
    if hasattr(received, "read"):
        return (
            _chunks(received) if hasattr(received, "headers") else iter(lambda: received.read(1 << 20), b"")
        )
    pieces: Iterable[bytes] = received
    return pieces
