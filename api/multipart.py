"""``multipart/form-data`` (RFC 7578) as it streams in: only the parts that are asked for, each once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ledger.adapters.scratch import Sink
from ledger.errors import MalformedError

_PLAIN = (b"", b"7bit", b"8bit", b"binary")
MAX_NAME = 1_000
"""Characters of a file name that are kept."""


class Parts:
    """Writes each part to the sink that ``open_sink`` makes for it, by the part's name."""

    def __init__(
        self, boundary: bytes, names: Collection[str], open_sink: Callable[[str, str], Sink]
    ) -> None:
        self._names = names
        self._open_sink = open_sink
        self._headers: dict[bytes, bytes] = {}
        self._field = self._value = b""
        self._done = False
        self.sinks: dict[str, Sink] = {}
        self.file_names: dict[str, str] = {}
        self._current = ""
        callbacks: dict[str, Callable[..., Any]] = {
            "on_header_field": self._on_field,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_headers_finished": self._on_part,
            "on_part_data": self._on_data,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type] # a TypedDict of theirs
        except FormParserError as error:
            raise _malformed("has no usable boundary") from error

    def write(self, data: bytes) -> None:
        """Take the next bytes of the body. Raises ``MalformedError`` (``request.…``)."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _malformed("is not multipart/form-data") from error

    def finish(self) -> None:
        """Say that this was all. Raises ``MalformedError("request.malformed")`` where it was not."""
        if not self._done:
            raise _malformed("ends in the middle")

    def close(self) -> None:
        """Close the files, whatever has become of them."""
        for sink in self.sinks.values():
            sink.close()

    def _on_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _on_part(self) -> None:
        headers, self._headers = self._headers, {}
        kind, options = parse_options_header(headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if kind != b"form-data" or name not in self._names or name in self.sinks:
            allowed = " and ".join(f"“{item}”" for item in self._names)
            raise _malformed(f"may hold the parts {allowed}, each once")
        if headers.get(b"content-transfer-encoding", b"").lower() not in _PLAIN:
            raise _malformed("must hold the bytes as they are")
        self._current = name
        self.file_names[name] = options.get(b"filename", b"").decode("utf-8", "replace")[:MAX_NAME]
        self.sinks[name] = self._open_sink(name, self.file_names[name])

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self.sinks[self._current].write(data[start:end])

    def _on_end(self) -> None:
        self._done = True


def _malformed(problem: str) -> MalformedError:
    return MalformedError("request.malformed", f"The body {problem}.")
