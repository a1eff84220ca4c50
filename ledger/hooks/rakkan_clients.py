"""The HTTP clients that providers' own libraries are built on, wrapped: httpx, httpx2 and requests.

The client's module is handed in, so nothing is imported here that is not in use already. A request in a call
of ``rakkan_remote`` belongs to it; one that asks for something outside any call becomes a call of its own.

Documents, and all answers that are no success, are read here to be judged; pictures and videos pass through
untouched, as streams. The client gets what came.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.hooks import rakkan_attempts
    from ledger.hooks.rakkan_remote import Answer, Call, Provider, attempted, heard, lower
else:
    from rakkan_remote import Answer, attempted, heard, lower


def httpx_transport(provider: Provider, httpx: Any, inner: Any = None) -> Any:
    """Return a transport for ``httpx.Client``, on top of ``inner`` where that is given."""
    wrapped = inner or httpx.HTTPTransport()

    class Transport(httpx.BaseTransport):  # type: ignore[misc] # the module is known at run time only
        def handle_request(self, request: Any) -> Any:
            def deliver() -> tuple[Any, Answer]:
                response = wrapped.handle_request(request)
                if not _is_read(response.status_code, response.headers):
                    return response, Answer(response.status_code, lower(response.headers), b"")
                with contextlib.closing(response):
                    return _both(httpx, response, b"".join(response.stream))

            with _exchange(
                provider, request.method, str(request.url), request.headers, request.read
            ) as found:
                if found is None:
                    return wrapped.handle_request(request)
                request.headers.update(found.headers)
                return attempted(found, deliver, (httpx.TransportError,))

        def close(self) -> None:
            wrapped.close()

    return Transport()


def async_httpx_transport(provider: Provider, httpx: Any, inner: Any = None) -> Any:
    """Return a transport for ``httpx.AsyncClient``, on top of ``inner`` where that is given."""
    wrapped = inner or httpx.AsyncHTTPTransport()

    async def deliver(request: Any) -> tuple[Any, Answer]:
        response = await wrapped.handle_async_request(request)
        if not _is_read(response.status_code, response.headers):
            return response, Answer(response.status_code, lower(response.headers), b"")
        try:
            raw = b"".join([chunk async for chunk in response.stream])
        finally:
            await response.aclose()
        return _both(httpx, response, raw)

    class Transport(httpx.AsyncBaseTransport):  # type: ignore[misc] # the module is known at run time only
        async def handle_async_request(self, request: Any) -> Any:
            body = await request.aread()
            url = str(request.url)
            with _exchange(provider, request.method, url, request.headers, lambda: body) as found:
                if found is None:
                    return await wrapped.handle_async_request(request)
                request.headers.update(found.headers)
                return await _attempted(found, lambda: deliver(request), httpx.TransportError)

        async def aclose(self) -> None:
            await wrapped.aclose()

    return Transport()


def requests_adapter(provider: Provider, requests: Any, **options: Any) -> Any:
    """Return an adapter to mount on a session of ``requests``; ``options`` are those of ``HTTPAdapter``."""
    known = requests.exceptions
    broken = (known.ConnectionError, known.Timeout, known.ChunkedEncodingError, known.ContentDecodingError)

    class Adapter(requests.adapters.HTTPAdapter):  # type: ignore[misc] # the module is known at run time only
        def send(self, request: Any, *arguments: Any, **named: Any) -> Any:
            def deliver() -> tuple[Any, Answer]:
                response = sent(request, *arguments, **named)
                read = _is_read(response.status_code, response.headers)
                body = response.content if read else b""
                return response, Answer(response.status_code, lower(response.headers), body)

            def body() -> bytes | None:
                text = request.body or b""
                return text.encode() if isinstance(text, str) else text if isinstance(text, bytes) else None

            sent = super().send
            with _exchange(provider, request.method, request.url, request.headers, body) as found:
                if found is None:
                    return sent(request, *arguments, **named)
                request.headers.update(found.headers)
                return attempted(found, deliver, broken)

    return Adapter(**options)


async def _attempted(
    exchange: rakkan_attempts.Exchange,
    deliver: Callable[[], Awaitable[tuple[Any, Answer]]],
    broken: type[BaseException],
) -> Any:
    """As ``rakkan_remote.attempted``, for clients that wait for others meanwhile."""
    while True:
        exchange.begin()
        try:
            given, answer = await deliver()
        except broken:
            pause = exchange.broke()
            if pause is None:
                raise
        else:
            pause = heard(exchange, answer)
            if pause is None:
                return given
        await asyncio.sleep(pause)


@contextlib.contextmanager
def _exchange(
    provider: Provider, method: str, url: str, headers: Any, body: Callable[[], bytes | None]
) -> Iterator[rakkan_attempts.Exchange | None]:
    """Yield how to send this within a call; ``None`` for what asks for nothing and belongs to no call."""
    call: Call | None = provider.current()
    if call is not None:
        yield call.exchange(method, url, headers, body())
    elif method.upper() in ("GET", "HEAD"):
        yield None
    else:
        with provider.call() as call:
            yield call.exchange(method, url, headers, body())


def _is_read(status: int, headers: Any) -> bool:
    return status >= 400 or "json" in headers.get("content-type", "")


def _both(httpx: Any, response: Any, raw: bytes) -> tuple[Any, Answer]:
    """Return the answer anew, as it came, and as it is read here."""
    status, headers = response.status_code, response.headers
    given = httpx.Response(
        status, headers=headers, stream=httpx.ByteStream(raw), extensions=response.extensions
    )
    try:
        body = httpx.Response(status, headers=headers, content=raw).content
    except httpx.DecodingError:  # the client will say so
        body = b""
    return given, Answer(status, lower(headers), body)
