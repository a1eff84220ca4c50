"""A load generator in a process of its own: one request over and over, on connections that are kept."""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from multiprocessing.queues import Queue


def requests_per_second(
    host: str, port: int, path: str, seconds: float = 2.0, connections: int = 16
) -> float:
    """Return how many answers of status 200 a second come back, each connection waiting for its own."""
    context = multiprocessing.get_context("spawn")
    result: Queue[float] = context.Queue()
    arguments = (host, port, path, seconds, connections, result)
    process = context.Process(target=_ask, args=arguments)
    process.start()
    rate = result.get(timeout=seconds + 60)
    process.join()
    return rate


def _ask(host: str, port: int, path: str, seconds: float, connections: int, result: Queue[float]) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        opened = socket.create_connection((host, port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.sendall(request)
        selector.register(opened, selectors.EVENT_READ, bytearray())
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for key, _ in selector.select(0.1):
            connection, answer = key.fileobj, key.data
            assert isinstance(connection, socket.socket)
            answer += connection.recv(1 << 18)
            if _whole(answer):
                done += 1
                answer.clear()
                connection.sendall(request)
    result.put(done / (time.perf_counter() - start))


def _whole(answer: bytearray) -> bool:
    head, blank, body = bytes(answer).partition(b"\r\n\r\n")
    if not blank:
        return False
    lines = head.lower().split(b"\r\n")
    assert lines[0].split()[1] == b"200", head
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    return len(body) >= length
