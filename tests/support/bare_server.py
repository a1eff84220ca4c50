"""A server that reads a body and answers so many bytes: what every measurement over HTTP is compared with."""

from __future__ import annotations

import socket
import sys

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response


def main(size: int) -> None:
    """Serve until told to stop; the port stands on the first line."""
    application = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    answer = b"x" * size

    @application.post("/v1/productions/{production}/entries")
    async def read(production: str, request: Request) -> Response:
        del production
        await request.body()
        return Response(answer, 201)

    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    config = uvicorn.Config(application, loop="uvloop", http="httptools", ws="none", log_config=None)
    config.access_log = False
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main(int(sys.argv[1]))
