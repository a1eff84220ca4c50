"""Being told that the server is to stop, while it still waits for its connections to end.

Uvicorn tells an application only when every connection is closed; a stream that is never closed would hold it
up until it is cut off.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_STOPS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def when_told_to_stop(leave: Callable[[], None]) -> Iterator[None]:
    """Call ``leave`` in this event loop when the process is told to stop, then whatever was to happen."""
    if threading.current_thread() is not threading.main_thread():
        yield  # somebody else's server: only the main thread is told
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _STOPS}

    def told(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(leave)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in _STOPS:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
