"""JSON over a socket: four bytes of length, then the document. Nothing else ever crosses."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

MAX_FRAME = 8 * 1024 * 1024
"""Bytes of what a child may say at once."""

Json = dict[str, Any]


class FrameError(Exception):
    """What came is no frame: it ended, it is too long, or it is not a JSON object. It came too late, also."""


def send(channel: socket.socket, value: Json) -> None:
    """Send a document. Raises ``OSError``."""
    data = json.dumps(value).encode()
    channel.sendall(len(data).to_bytes(4, "big") + data)


def receive(channel: socket.socket, deadline: float | None = None, limit: int = MAX_FRAME) -> Json:
    """Return the next document. ``deadline`` is of the monotonic clock. Raises ``FrameError``."""
    length = int.from_bytes(_exactly(channel, 4, deadline), "big")
    if length > limit:
        raise FrameError
    try:
        value = json.loads(_exactly(channel, length, deadline))
    except (ValueError, RecursionError) as error:
        raise FrameError from error
    if not isinstance(value, dict):
        raise FrameError
    return value


def _exactly(channel: socket.socket, count: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < count:
        try:
            if deadline is not None:
                channel.settimeout(max(0.001, deadline - time.monotonic()))
            piece = channel.recv(min(count - len(data), 1 << 20))
        except OSError as error:
            raise FrameError from error
        if not piece:
            raise FrameError
        data += piece
    return bytes(data)
