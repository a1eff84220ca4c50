"""`events_app`, served as `rakkan serve` serves: by our watcher, in workers, which alone load it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.adapters.web_server import Options, run_application
from ledger.adapters.workers import Line, Watcher
from ledger.cli.serve import listener

ROOT = Path(__file__).resolve().parents[2]
SERVE = "import sys; from tests.support.events_server import serve; serve(int(sys.argv[1]))"


def work(line: Line) -> None:
    run_application("tests.support.events_app:app", line.sockets, Options(connections=2048), line)


def serve(workers: int) -> None:
    listening = listener("127.0.0.1:0", 512)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    Watcher(work, (), [listening], lambda _: None).run(workers, 5)


@contextmanager
def serving_events(environment: dict[str, str], workers: int = 1) -> Iterator[int]:
    """Run the application until the block ends, and yield its port; it must then stop by itself, cleanly."""
    quick = {
        "RAKKAN_SERVE_EVENTS_HEARTBEAT": "500ms",
        "RAKKAN_SERVE_EVENTS_RECHECK": "500ms",
        "RAKKAN_SERVE_PUBLISH_ENABLED": "false",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(workers)],
        env={"RAKKAN_SERVE_EVENTS_LISTENERS_PER_VIEWER": "5", **quick, **environment},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said, said
    assert "graceful shutdown exceeded" not in said, said
