"""A witness over HTTP (c2sp.org/tlog-witness): see ``ports.Witness``.

* A call has its time to connect and the same time again for everything else. Then the connection is cut,
  also under an answer that drips.
* An answer is read up to ``MAX_ANSWER`` bytes. Redirects are not followed and nothing is decompressed.
* What is no answer of the protocol, and no answer at all, is ``UndecidedError("witness.unavailable")``: it
  says nothing about the log.
* The monitoring prefix is taken to be the submission prefix, which is the URL that a policy gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import SHUT_RDWR, socket
from threading import Event, Timer
from urllib.parse import urlsplit

from ledger.core.witness import Request, check_answer, format_request
from ledger.errors import MalformedError, UndecidedError

MAX_ANSWER = 64 * 1024
"""Bytes: a checkpoint with more than 16 ML-DSA cosignatures."""


class HttpWitness:
    """The witness at a URL. ``seconds`` is the time that one call may take.

    Raises ``MalformedError("policy.malformed")`` for a URL that is not plain http or https.
    """

    def __init__(self, name: str, url: str, seconds: float = 1.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise MalformedError("policy.malformed", "A witness needs an http or https URL.", url=url[:200])
        self.name = name
        self._url = url
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._seconds = seconds

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
        """Return the witness's signature lines over the checkpoint, unverified."""
        request = Request(old_size, tuple(proof), checkpoint)
        status, media_type, body = self._call("POST", "/add-checkpoint", format_request(request))
        try:
            return check_answer(status, media_type, body, request)
        except MalformedError as error:
            raise self._unavailable(error, status=status, body=body[:100]) from error

    def checkpoint(self, origin: str) -> bytes | None:
        """Return the newest checkpoint that it says it cosigned, unverified; ``None``: there is none yet."""
        path = f"/{sha256(origin.encode()).hexdigest()}/checkpoint"
        status, _, body = self._call("GET", path, None)
        if status not in {200, 404}:
            raise self._unavailable(None, status=status, body=body[:100])
        return body if status == 200 else None

    def _call(self, method: str, path: str, body: bytes | None) -> tuple[int, str, bytes]:
        connection = self._connect(self._host, self._port, timeout=self._seconds)
        try:
            connection.connect()
            # A timeout of a socket is one for each read: a witness that drips would hold us for ever.
            late = Event()
            timer = Timer(self._seconds, _cut, [connection.sock, late])
            timer.daemon = True
            timer.start()
            try:
                connection.request(method, self._prefix + path, body, {"Content-Type": "text/plain"})
                with connection.getresponse() as response:
                    answer = _read(response)
            finally:
                timer.cancel()
            if late.is_set():  # headers that end early look like all there is
                raise TimeoutError("it took too long")
            return answer
        except (OSError, HTTPException, ValueError) as error:
            raise self._unavailable(error) from error
        finally:
            connection.close()

    def _unavailable(self, cause: Exception | None, **evidence: object) -> UndecidedError:
        if cause is not None:
            evidence["cause"] = f"{type(cause).__name__}: {cause}"
        return UndecidedError(
            "witness.unavailable",
            f"The witness {self.name} gave no answer that counts.",
            witness=self.name,
            url=self._url,
            **evidence,
        )


def _cut(connection: socket, late: Event) -> None:
    late.set()
    with suppress(OSError):  # it may have ended by itself just now
        connection.shutdown(SHUT_RDWR)


def _read(response: HTTPResponse) -> tuple[int, str, bytes]:
    body = response.read(MAX_ANSWER + 1)
    if len(body) > MAX_ANSWER:
        raise ValueError(f"the answer is longer than {MAX_ANSWER} bytes")
    if response.length:
        raise ValueError("the answer was cut off")
    return response.status, response.headers.get_content_type(), body
