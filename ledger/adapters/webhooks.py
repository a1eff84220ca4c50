"""Posting to somebody else's server, whose every answer may be hostile; see ``deliver.Poster``.

* The name is looked up once, every address is judged, and the connection goes to one of those: a name that
  answers otherwise a moment later changes nothing. TLS checks the certificate for the name.
* No redirect is followed, no proxy is used, nothing of the answer is kept but its status and when to return.
* One deadline for the whole exchange, however slowly the other side drips; at most 4 KiB of its body.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from contextlib import closing
from http.client import HTTPConnection, HTTPException

import ledger
from ledger.adapters.connection import deadline
from ledger.errors import UndecidedError
from ledger.service.events.deliver import Answer
from ledger.service.events.target import Target, WebhookSettings, check_addresses, parse_target

_BODY = 4096
_LONGEST_HINT = 10
Resolve = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> Sequence[str]:
    """Return every address of a host, as this machine resolves it. Raises ``OSError``."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class HttpPoster:
    """Posts to what the settings allow. May be used from several threads."""

    def __init__(
        self, settings: WebhookSettings, resolve: Resolve = look_up, tls: ssl.SSLContext | None = None
    ) -> None:
        self._settings = settings
        self._resolve = resolve
        self._tls = tls or ssl.create_default_context()
        # The system's resolver has no deadline of its own.
        self._resolving = ThreadPoolExecutor(4, "resolve")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post the JSON body and return what came of it.

        Raises ``UsageError("webhook.url")``, ``RefusedError("webhook.address")`` for an address that is not
        public, and ``UndecidedError("webhook.unreachable")`` when there is no whole answer in time.
        """
        target = parse_target(url, self._settings)
        try:
            return self._exchange(target, body, headers)
        except (OSError, HTTPException, ValueError) as error:
            words = f"{target.authority} did not answer: {str(error)[:200] or type(error).__name__}."
            raise UndecidedError("webhook.unreachable", words, host=target.host) from error

    def _exchange(self, target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
        end = time.monotonic() + self._settings.total.total_seconds()
        addresses = self._addresses(target)
        plain = _connect(addresses, target.port, self._settings.connect.total_seconds())
        guard = plain.dup()
        with closing(guard), closing(plain), deadline(guard, max(end - time.monotonic(), 0.001)):
            connection = HTTPConnection(target.host, target.port)
            connection.auto_open = 0
            connection.sock = self._secured(plain, target)
            with closing(connection):
                # `Host` is given, so that http.client does not make its own.
                given = {"Host": target.authority, "Content-Type": "application/json", **headers}
                about = {"User-Agent": f"rakkan/{ledger.__version__}", "Connection": "close"}
                connection.request("POST", target.path, body, {**given, **about})
                response = connection.getresponse()
                response.read(_BODY)
                return Answer(response.status, _seconds(response.headers.get("Retry-After", "")))

    def _addresses(self, target: Target) -> Sequence[str]:
        """Return the addresses of the host, all of which may be talked to."""
        asked = self._resolving.submit(self._resolve, target.host, target.port)
        try:
            found = asked.result(self._settings.connect.total_seconds())
        except LateError:
            asked.cancel()
            raise TimeoutError("its name is not found in time") from None
        if not found:
            raise OSError("its name has no address")
        check_addresses(found, target.host, self._settings)
        return found

    def _secured(self, plain: socket.socket, target: Target) -> socket.socket:
        if target.scheme == "http":
            return plain
        return self._tls.wrap_socket(plain, server_hostname=target.host)


def _connect(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """Return a connection to the first of the addresses that takes one. Raises ``OSError``."""
    end, last = time.monotonic() + seconds, OSError("nothing listens there")
    for address in addresses:
        left = end - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, port), left)
        except OSError as error:
            last = error
    raise last


def _seconds(text: str) -> float | None:
    """Return a ``Retry-After`` that counts seconds; a date, or anything else, is no hint."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < _LONGEST_HINT else None
